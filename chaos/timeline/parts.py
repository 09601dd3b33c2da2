"""A long trace in parts, so that the longest takes no more memory than a short one.                             pure

A part ends where every link is healthy, so that what belongs together is in one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from chaos.history import HistoryEvent
from chaos.timeline.from_events import ABOUT_LINKS, Watcher
from chaos.timeline.observed import LONG_GAP, Change, LinkRecord, Observed
from tracker import events

LONG = 600.0
"""Seconds after which a part of a trace may end."""
QUIET = 120.0
"""Seconds for which nothing happened to any link before it does."""
WITHOUT_QUIET = 1800.0
"""Seconds after which a part ends without such a quiet, as soon as every link is healthy."""
LONGEST = 6 * 3600.0
"""Seconds of a part that ends although not every link is healthy: an outage that is longer is in several parts."""
MOST_CHANGES = 20_000
"""Link events of such a part."""
MOST_EVENTS = 400_000
"""Events of such a part where they are kept: an hour at 30 fps."""
SETTLED = 10.0
"""Seconds for which a connection has been open where every link is healthy."""


@dataclass(frozen=True, slots=True)
class Part:
    """Events that follow one another, after those of the connections that were open when they began."""

    events: tuple[HistoryEvent, ...]
    carried: int = 0
    """How many of them are an earlier part's."""


def observe_parts(history: Iterable[Any]) -> Iterator[Observed]:
    """See `from_events.observe`, in parts: at least one, and each as if the trace began and ended with it."""
    watcher = Watcher()
    for event in history:
        if not isinstance(event, events.Event):
            continue
        if watcher.seen.count and _is_over(watcher.seen, event.t):
            yield watcher.finish()
            watcher = Watcher()
        watcher.take(event)
    yield watcher.finish()


def parts(history: Iterable[HistoryEvent], *, most: int = MOST_EVENTS) -> Iterator[Part]:
    """The events themselves, at least one part. Each but the last ends where nothing waits for a confirm as well, or has `most`."""
    watcher = Watcher(ABOUT_LINKS)
    kept: list[HistoryEvent] = []
    opened: dict[str, events.Connected] = {}
    waiting = carried = count = 0
    for event in history:
        kept.append(event)
        over = len(kept) >= most
        kind = type(event)
        if kind is events.Accepted:
            waiting += 1
        elif kind in _MAY_END_A_PART:
            if isinstance(event, events.Confirmed):
                waiting = event.left
            elif isinstance(event, events.Displaced):
                waiting = max(0, waiting - 1)
            elif isinstance(event, events.Connected):
                opened[event.link] = event
            elif isinstance(event, events.Closed):
                opened.pop(event.link, None)
            watcher.take(event)
            over |= not waiting and _is_over(watcher.seen, event.t)
        if over:
            yield Part(tuple(kept), carried)
            watcher = Watcher(ABOUT_LINKS)
            kept = list(opened.values())
            carried, count = len(kept), count + 1
    if len(kept) > carried or not count:
        yield Part(tuple(kept), carried)


_MAY_END_A_PART = frozenset({*ABOUT_LINKS, events.Confirmed, events.Displaced})


def _is_over(seen: Observed, now: float) -> bool:
    """Whether a part ends here: it is long enough and every link is healthy, or it is too long."""
    lasted = now - seen.began
    if lasted < LONG and seen.count < MOST_CHANGES:
        return False  # what is asked of every event is answered soon
    links = seen.links.values()
    if lasted >= LONGEST or any(len(record.changes) >= MOST_CHANGES for record in links):
        return True
    if lasted < LONG or not all(_healthy(record, now) for record in links):
        return False
    latest = max((record.changes[-1].t for record in links), default=seen.began)
    return now - latest >= QUIET or lasted >= WITHOUT_QUIET


def _healthy(record: LinkRecord, now: float) -> bool:
    connection = record.open
    if connection is None or now - connection.opened < SETTLED or record.changes[-1].kind is Change.SUSPECTED:
        return False
    return connection.unanswered is None or now - connection.unanswered < LONG_GAP / 2
