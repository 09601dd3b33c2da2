"""From a timeline to what went wrong on it, and only then to sentences.

In this order: `endings` says of each connection how it ended, as its own lines show it; `explaining` says what several of
these, or what lies between them, mean (a typed `Cause`, and how sure it is); `telling` words it, and decides nothing.
"""
