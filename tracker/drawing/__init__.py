"""A drawing in SVG, read as the outlines of its holds. `tracker.wall` makes a wall of them.

No library that we know reads all of SVG's path data: each misses arcs of radius 0 or of enormous radius, and none
says at which place it stopped reading. So paths are read here, as the standard has them; XML and CSS are not.
"""
