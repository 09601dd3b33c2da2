"""What happened on each connection, fact by fact. Nothing is judged here.

Of a log: `model` says what its timeline holds, each fact with the line that shows it, and `from_log` makes one of the log's
entries (`pauses` finds the times in which nothing was written, or nothing came). Of events: `observed` says what is kept;
`from_events` makes it of a tracker's, in one pass, and `from_peer` of what a peer saw of a client that reports nothing;
`untyped_causes` reads the words of a trace that has no typed causes. `parts` divides a trace that is long. `spans` puts
times together that overlap.
"""
