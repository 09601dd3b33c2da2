"""The search for the fault sequence that breaks a promise.

In the order in which it works: `fair` says which worlds a client can be held to, `drawing` draws one, `reached` says what a
run of it came through, `shrinking` makes one that broke a promise small, `findings` keeps those apart that are two, and
`hunting` leads all of it, over the workers of `crew`.
"""
