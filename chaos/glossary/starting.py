"""A scenario to begin with: commented, and it runs as it is.                                                  pure"""

import re

_TEMPLATE = """# Run it with `simtool chaos {file}`; on virtual time alone, which takes a second: --engine sim.
# Every key is in docs/scenarios.md; `simtool explain stall`, `simtool explain detect` and the like say more.

name = "{name}"  # the file's name without .toml
about = "The output link goes silent for 10 s: nothing arrives, and nobody says that it is gone."

# The promises under stress. One of which the run shows nothing makes it unknown.
stresses = ["detect", "no-loss", "in-order", "recover"]

duration = "40s"  # scenario time: "250ms", "60s", "2m", or seconds

# What the feed sends; the defaults are these.
[workload]
fps = 30
holds = 5

# What goes wrong, and when: as many of these tables as you like.
[[faults]]
at = "10s"  # not before 2 s: a run must first be steady
for = "10s"  # leave it out for a fault that lasts until the end
on = "output"  # or "input"
kind = "stall"  # `simtool explain` lists all kinds

# A second one, a slow network afterwards; take the # away.
# [[faults]]
# at = "25s"
# for = "5s"
# on = "output"
# kind = "latency"
# latency = 400  # ms, one way
# jitter = 50

# Limits of your own, beyond those of the promises.
[expect]
detect_within = "5s"
"""
_NAME = re.compile(r"^name *=.*$", re.MULTILINE)


def starting_scenario(name: str) -> str:
    """The text of a scenario of that name."""
    return _TEMPLATE.format(name=name, file=f"{name}.toml")


def renamed(text: str, name: str) -> str:
    """Another scenario's text, with its comments, under that name."""
    return _NAME.sub(f'name = "{name}"', text, count=1)
