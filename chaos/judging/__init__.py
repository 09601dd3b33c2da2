"""A record becomes verdicts.

In this order: `evidence` says what each fault visibly did; `facts` what follows from the record (`strikes`, `disruptions`), and
`peer_facts` the same where only the peer saw the client. Each promise has a file with its judges, one for each side from
which it is seen: a client's own reports, its peer, a trace alone; `promises` is the table of them. `checks` judges a run,
`field_checks` a trace, `log_checks` a log of the library; `verdicts` says what a check is, and what several come to.
"""
