"""A trace becomes a story, a diagnosis, and a scenario in which the same happens again.

In this order: `watching` takes a trace in (`observed`); `symptoms` says what went wrong on each link, by typed kinds
(`causes` reads an exception's words, and nothing after it does), and `inference` which faults explain it (`findings`);
`story` and `narrative` word it. `building` makes a scenario of the findings, `playing` runs it as any run is made,
`alignment` and `same_findings` compare the two, `minimise` leaves out what the trouble does not need. `cases` holds all of
one trace together, and `replay_report` shows it.
"""
