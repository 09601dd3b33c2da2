"""Back-off by its own rules: when the count starts over, and what each delay may be drawn from.                pure

Full jitter draws each delay from a range, all of it equally likely: 0 to the first delay, twice that, four times that, up to
the cap (Marc Brooker, "Exponential Backoff And Jitter", 2015). What a client calls the number of an attempt is held to what
happened to its links.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import inf, sqrt
from operator import attrgetter
from statistics import fmean
from typing import Any, NamedTuple

from chaos.history import History
from simulator import events as peer
from tracker import events

DEVIATIONS = 5.0
"""Standard deviations by which chance may differ from what is expected. In a million runs it differs by more in one or two."""
ENOUGH = 16
"""From so many delays on, something can be said of what they are drawn from."""
_BARELY = 0.05
"""Seconds by which the client may have measured otherwise how long a connection lived."""
PATIENCE = 300.0
"""Seconds. A peer may ask for more, and gets no more than this and the delay on top."""


class Draw(NamedTuple):
    """One delay that the client announced, and the number of the attempt that it comes before."""

    t: float
    link: events.LinkName
    delay: float
    attempt: int

    def ceiling(self, timing: Mapping[str, Any]) -> float:
        """The longest that it may be."""
        return float(
            min(timing["reconnect_cap"], timing["reconnect_delay"] * 2.0 ** min(self.attempt - 1, 60))
        )


@dataclass(slots=True)
class _Link:
    """What is known of one link so far."""

    attempt: int | None = None
    """The number of the last attempt."""
    due: frozenset[int] = frozenset()
    """What the next attempt may be numbered. Two: nobody can say whether the last connection was stable; none: unknown."""
    opened: float | None = None
    answered: float = 0.0
    heard: float | None = None
    """When bytes came the last time, at the latest; None: it does not tell."""
    asked: bool = False
    """Whether the last refusal may have asked for patience: then a delay is not drawn from a range alone."""
    patience: float | None = None
    """Seconds that the last refusal asked for, where the peer tells; None: it asked for nothing."""
    pending: events.Waiting | None = None


@dataclass(slots=True)
class Backoff:
    """A client's back-off as its record shows it."""

    draws: list[Draw] = field(default_factory=list)
    """Without those that a refusal lengthened, or may have."""
    patience: list[tuple[events.Waiting, float]] = field(default_factory=list)
    """Delays after a refusal that asked for so many seconds."""
    miscounted: list[tuple[events.Connecting, frozenset[int]]] = field(default_factory=list)
    """Attempts with a number that nothing explains, and what would have been right."""


_TELL = (
    peer.Misbehaved,
    events.Connecting,
    events.Closed,
    events.Refused,
    events.Waiting,
    events.Connected,
    events.Answered,
    events.Carried,
)


def backoff(history: History) -> Backoff:
    """Follow every link through its failures."""
    found = Backoff()
    stable_after = history.settings.get("timing", {}).get("stable_after", inf)
    links: dict[str, _Link] = {}
    patience: dict[str, float] = {}  # what the peer asked for at its last refusal
    for event in history.among(*_TELL):
        match event:
            case peer.Misbehaved(kind="refuse"):
                patience[event.link] = event.retry_after
            case events.Connecting():
                _tried(found, links.setdefault(event.link, _Link()), event)
            case events.Closed():
                link = links.setdefault(event.link, _Link())
                link.due = _after_close(link, event.t, stable_after)
                link.opened, link.asked, link.patience = None, False, None
            case events.Refused():
                link = links.setdefault(event.link, _Link())
                link.due = _one_more(link)
                link.asked = event.status is not None and patience.get(event.link, inf) > 0
                link.patience = patience.get(event.link) if link.asked else None
            case events.Waiting():
                link = links.setdefault(event.link, _Link())
                link.pending = event
                if link.patience is not None:
                    found.patience.append((event, link.patience))
            case events.Connected() | events.Answered() | events.Carried():
                _lives(links.setdefault(event.link, _Link()), event)
            case _:
                pass
    for link in links.values():
        _settle(found, link)
    found.draws.sort()
    return found


def _lives(link: _Link, event: events.Connected | events.Answered | events.Carried) -> None:
    if isinstance(event, events.Connected):
        link.opened, link.answered, link.heard = event.t, event.t, None
    elif isinstance(event, events.Answered):
        link.answered = event.t
    else:
        link.heard = event.t if event.received else link.heard or link.opened


def _tried(found: Backoff, link: _Link, event: events.Connecting) -> None:
    if link.due and event.attempt not in link.due:
        found.miscounted.append((event, link.due))
    link.attempt, link.due = event.attempt, frozenset({event.attempt})
    _settle(found, link)


def _one_more(link: _Link) -> frozenset[int]:
    return frozenset() if link.attempt is None else frozenset({link.attempt + 1})


def _after_close(link: _Link, t: float, stable_after: float) -> frozenset[int]:
    """A stable connection starts the count over. It was stable if it showed life for so long; an answer is life."""
    opened = t if link.opened is None else link.opened
    surely = link.opened is not None and link.answered - opened >= stable_after + _BARELY
    perhaps = (t if link.heard is None else link.heard) - opened >= stable_after - _BARELY
    carried_on = frozenset() if surely else _one_more(link)
    return carried_on | (frozenset({1}) if surely or perhaps else frozenset())


def _settle(found: Backoff, link: _Link) -> None:
    """Take a delay into account once it is known what it was drawn for."""
    waiting, link.pending = link.pending, None
    if waiting is not None and not link.asked and len(link.due) == 1:
        found.draws.append(Draw(waiting.t, waiting.link, waiting.delay, *link.due))


def broken_rule(history: History) -> str | None:
    """How the back-off broke a rule that the client declares, the first time in each way; None: it broke none."""
    timing = history.settings.get("timing", {})
    found = backoff(history)
    if (wrong := _impatient(found.patience, timing)) is not None:
        return wrong
    if "stable_after" in timing and found.miscounted:
        return _miscount(found.miscounted)
    if not {"reconnect_delay", "reconnect_cap"} <= timing.keys():
        return _above_the_cap(found.draws, timing.get("reconnect_cap", inf))
    longer = [draw for draw in found.draws if draw.delay > draw.ceiling(timing)]
    if longer:
        draw = longer[0]
        where = f"{draw.delay:.2f} s before attempt {draw.attempt} on {draw.link} at {draw.t:.1f} s"
        return f"{len(longer)} delays were longer than declared, the first is {where}: {draw.ceiling(timing):.2f} s at most"
    return unlike_full_jitter(found.draws, timing)


def _impatient(delays: Iterable[tuple[events.Waiting, float]], timing: Mapping[str, Any]) -> str | None:
    """Everybody was told the same number: with nothing on top all come back at once. And no peer can ask for hours."""
    for event, asked in delays:
        where = f"on {event.link} at {event.t:.1f} s, where {asked:g} s were asked for"
        if event.delay == asked:
            return f"no jitter on top of {event.delay:.2f} s {where}"
        if event.delay > min(asked, PATIENCE) + timing.get("reconnect_cap", inf):
            return f"it waits {event.delay:.2f} s {where}"
    return None


def _miscount(miscounted: Sequence[tuple[events.Connecting, frozenset[int]]]) -> str:
    early = [event for event, due in miscounted if event.attempt < min(due)]
    if early:
        first = early[0]
        times = f"{len(early)} times after no stable connection"
        return f"it started over {times}, the first time on {first.link} at {first.t:.1f} s"
    first, due = miscounted[0]
    where = f"on {first.link} at {first.t:.1f} s"
    if due == {1}:
        return f"attempt {first.attempt} came after a stable connection, {where}: it must start over"
    return f"attempt {first.attempt} came where number {max(due)} was due, {where}"


def _above_the_cap(draws: Iterable[Draw], cap: float) -> str | None:
    longer = [draw for draw in draws if draw.delay > cap]
    if not longer:
        return None
    first = longer[0]
    return f"{len(longer)} delays were longer than declared, the first is {first.delay:.2f} s on {first.link}"


def unlike_full_jitter(draws: Iterable[Draw], timing: Mapping[str, Any]) -> str | None:
    """What tells these delays from full jitter, before the attempts of one number or over all; None: nothing does.

    Each as a share of its range must be uniform in 0..1: its mean is 1/2 with a variance of 1/12, and so is the mean of its
    squared distance from there 1/12, with a variance of 1/180.
    """
    every = sorted(draws, key=attrgetter("attempt"))
    groups = [(f"before attempt {n}", list(some)) for n, some in groupby(every, key=attrgetter("attempt"))]
    for what, some in [*groups, ("over all", every)]:
        if len(some) < ENOUGH:
            continue
        shares = [draw.delay / draw.ceiling(timing) for draw in some]
        chance = DEVIATIONS / sqrt(len(shares))
        mean = fmean(shares)
        spread = fmean((share - 0.5) ** 2 for share in shares)
        if abs(mean - 1 / 2) > chance * sqrt(1 / 12):
            return f"{len(some)} delays {what} are {mean:.2f} of their range on average: full jitter has 0.50"
        if abs(spread - 1 / 12) > chance * sqrt(1 / 180):
            return (
                f"{len(some)} delays {what} stray by {sqrt(spread):.2f} of their range: full jitter has 0.29"
            )
    return None
