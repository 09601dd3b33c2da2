"""When a path healed, read off the moment at which TCP noticed.                                               pure

TCP learns of it only when it tries again: what was lost after an RTO and then after twice as long each time, a connect
after 1, 2, 3, 4, 5, 7, 11 ... s. So the path was still silent at the try before, and the middle between the two is taken.
"""

from bisect import bisect_right
from itertools import pairwise

RTO = 0.2
"""Seconds beyond a round trip until the first retransmission: Linux's least."""
CONNECTS = (0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67)
"""Seconds after which Linux sends its SYN, the first time and again (6.5 and later; before, a subset of these)."""
TRIES = 12
SLACK = 0.05
"""Seconds by which a try may seem to come too early, because a usual connect is not always as quick."""


def healed_before(silent_since: float, heard: float, round_trip: float) -> float:
    """The heal after which bytes lost since `silent_since` were heard of at `heard`."""
    first = RTO + round_trip
    tries = [0.0, *(first * (2**n - 1) for n in range(1, TRIES))]
    lasted = heard - silent_since
    nearest = min(pairwise(tries), key=lambda pair: abs(pair[1] - lasted))
    return silent_since + sum(nearest) / 2 if nearest[0] < lasted else heard


def healed_before_connect(began: float, took: float) -> float | None:
    """The heal after which a connect that hung for `took` seconds went through; None if its first try did."""
    answered = bisect_right(CONNECTS, took + SLACK) - 1
    if answered <= 0:
        return None
    return began + (CONNECTS[answered - 1] + CONNECTS[answered]) / 2
