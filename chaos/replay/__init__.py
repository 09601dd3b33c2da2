"""A trace becomes a story, and a scenario in which the same happens again.

In this order: `story` and `narrative` word what happened and what explains it; `building` makes a scenario of the findings,
`playing` runs it as any run is made, `alignment` and `same_findings` compare the two, `minimise` leaves out what the
trouble does not need. `cases` holds all of one trace together, and `replay_report` shows it.
"""
