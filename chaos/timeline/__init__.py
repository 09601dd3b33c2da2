"""What happened on each connection of a log, fact by fact, each with the line that shows it.

`model` says what a timeline holds; `from_log` makes one of a log's entries, in one pass. Nothing is judged here.
"""
