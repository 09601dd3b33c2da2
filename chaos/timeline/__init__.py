"""What happened on each connection, fact by fact. Nothing is judged here.

Of a log: `model` says what its timeline holds, each fact with the line that shows it, and `from_log` makes one of the log's
entries. Of a tracker's events, a trace's or a record's: `observed` and `from_events`, in one pass; `parts` divides what is
long. `from_peer` says in a tracker's words what a peer saw of a client that reports nothing. `spans` puts times together
that overlap.
"""
