"""Round trips that grew: added latency, a narrow link, or bytes that were held for a while.                  pure

A latency shows as round trips of one new length. A stall that heals shows as several Pongs at one instant,
because all that was held arrives together. A narrow link shows as round trips that grow with the backlog, while
fewer outputs are confirmed than accepted.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median, quantiles
from typing import NamedTuple

from chaos.diagnosis.findings import Finding
from chaos.diagnosis.retransmission import healed_before
from chaos.kinds import Link
from chaos.timeline.observed import LinkRecord, Observed

GROWN = 0.1
"""Seconds more than usual from which a round trip counts as grown; below, it may be this machine's own doing."""
TOGETHER = 0.03
"""Seconds within which Pongs came at one instant."""
HUNG = 0.8
"""Seconds more than usual after which a handshake hung: that is an outage, and no delay."""
SHORTEST_STALL = 0.5
STANDING = 0.02
"""A usual round trip of less is not replayed."""
LEVEL = 0.25
"""A change of the round trip by less than this share is the same latency."""
MOST_STEPS = 30
THROTTLED = 0.85
"""Below this share of what was accepted, confirms show a link that is too narrow."""
JUMP = 0.5
"""Seconds by which the round trip on a narrow link may grow at once: what was sent together waits together."""
GENERATED_BYTES = 5_700
"""Bytes of an output of the laboratory's climb; a rate is given in proportion to them."""


class Stretch(NamedTuple):
    """Grown round trips on one connection, with the normal ones around them, where there are any."""

    before: "Trip | None"
    trips: "list[Trip]"
    after: "Trip | None"


class Trip(NamedTuple):
    """One answered probe."""

    sent: float
    took: float

    @property
    def back(self) -> float:
        """When its answer came."""
        return self.sent + self.took


def usual_trip(record: LinkRecord) -> float:
    """The round trip of the link at its best: the fifth part of them were quicker. 0 where nothing was measured.

    A handshake takes a round trip at least, so where it was quicker the few Pongs that came were late.
    """
    trips = sorted(record.trips)
    handshakes = [connection.took for connection in record.connections if connection.took > 0]
    return min([trips[len(trips) // 5], *handshakes]) if trips else 0.0


def delays(seen: Observed, link: Link) -> Iterator[Finding]:
    """Everything that slowed `link` without ending its connection."""
    record = seen.link(link)
    usual = usual_trip(record)
    if usual >= STANDING and usual in record.trips:  # a handshake alone shows no latency
        yield Finding(
            "latency",
            seen.began,
            None,
            f"its round trips took {_ms(usual)} at their best",
            "certain",
            on=link,
            attributes={"latency": _half_ms(usual)},
            from_start=True,
        )
    for stretch in _grown(record, usual):
        if not _own_fault(seen, stretch.trips):
            yield from _explained(seen, link, usual, stretch)


def _grown(record: LinkRecord, usual: float) -> Iterator[Stretch]:
    limit = usual + max(GROWN, usual)
    opened = deque(connection.opened for connection in record.connections)
    before: Trip | None = None
    stretch: list[Trip] = []
    for trip in map(Trip, record.sent, record.trips):
        anew = bool(opened) and opened[0] <= trip.sent
        while opened and opened[0] <= trip.sent:
            opened.popleft()
        if stretch and (trip.took < limit or anew):
            yield Stretch(before, stretch, None if anew else trip)
            stretch = []
        if anew:
            before = None  # what was measured on another connection says nothing of this one's begin
        if len(stretch) > 1 and _released(stretch[-2], stretch[-1], trip):
            yield Stretch(before, stretch, trip)
            before, stretch = stretch[-1], []
        if trip.took >= limit:
            stretch.append(trip)
        else:
            before = trip
    if stretch:
        yield Stretch(before, stretch, None)


def _released(earlier: Trip, later: Trip, following: Trip) -> bool:
    """Whether one delay was over before another began: what it held came at one instant, then the next Ping left."""
    together = later.back - earlier.back <= TOGETHER < later.sent - earlier.sent
    return together and following.sent >= later.back - TOGETHER


def _own_fault(seen: Observed, trips: Sequence[Trip]) -> bool:
    """Whether our own loop stood still meanwhile: then the answers waited for us."""
    late = sum(
        min(end, trips[-1].back + 1) - max(begin, trips[0].sent)
        for begin, end in seen.lags()
        if begin < trips[-1].back + 1 and end > trips[0].sent
    )
    return late > max(trip.took for trip in trips) / 2


def _explained(seen: Observed, link: Link, usual: float, stretch: Stretch) -> Iterator[Finding]:
    before, trips, after = stretch
    released = trips[-1].back
    together = [trip for trip in trips if trip.back >= released - TOGETHER]
    lasting = trips[: len(trips) - len(together)] if len(together) > 1 or len(trips) == 1 else trips
    first = trips[0]
    begin = (
        first.sent if before is None else (max(before.sent, min(before.back, first.sent)) + first.sent) / 2
    )
    if not lasting:
        last_answer = first.sent if before is None else before.back
        begin = (min(last_answer, first.sent) + first.sent) / 2 if last_answer < first.sent else last_answer
        if first.took >= SHORTEST_STALL:
            came = f"{len(trips)} Pongs came together" if len(trips) > 1 else "a Pong came"
            yield Finding(
                "stall",
                begin,
                healed_before(begin, released, usual),
                f"{came} after {released - begin:.1f} s without any",
                "likely",
                on=link,
                ends_none=True,
            )
        return
    if len(together) < 2:
        released = after.sent if after is not None else trips[-1].back
    rate = _narrow(seen, link, trips)
    if rate is not None:
        yield Finding(
            "bandwidth",
            begin,
            released,
            f"round trips grew to {max(trip.took for trip in trips):.1f} s with the backlog, and outputs were"
            f" confirmed at {rate:.0f} KB/s",
            "likely",
            on=link,
            direction="upstream",
            attributes={"rate": max(1, round(rate))},
        )
        return
    if after is None:
        released = max(released, _slow_handshakes(seen.link(link), lasting, usual))
    slow_to_open = before is None and _opened_slowly(seen, link, lasting[0])
    for step in _steps(link, usual, begin, _last_of_each_batch(lasting), released):
        yield replace(step, begin=seen.began, from_start=True) if slow_to_open else step
        slow_to_open = False


def _last_of_each_batch(trips: list[Trip]) -> list[Trip]:
    """Pings whose Pongs came together had waited for TCP to go on, after a jump of the latency: the last waited least."""
    alone = [trip for trip, following in pairwise(trips) if following.back - trip.back > TOGETHER]
    return [*alone, trips[-1]]


def _opened_slowly(seen: Observed, link: Link, first: Trip) -> bool:
    """Whether the link's first handshake was as slow as its first Pongs: then it was so before."""
    connections = seen.link(link).connections
    if not connections or not connections[0].opened <= first.sent or connections[0].took <= first.took / 2:
        return False
    return len(connections) == 1 or first.sent < connections[1].opened


def _slow_handshakes(record: LinkRecord, trips: list[Trip], usual: float) -> float:
    """Until when connections followed that opened as slowly, and were gone before a first Pong: it was so still."""
    end = trips[-1].back
    for connection in record.connections:
        if connection.opened < trips[-1].sent:
            continue
        if (
            connection.answers
            or connection.closed is None
            or not trips[-1].took / 2 <= connection.took < usual + HUNG
        ):
            break
        end = connection.closed.t
    return end


def _steps(link: Link, usual: float, begin: float, trips: list[Trip], released: float) -> Iterator[Finding]:
    share = LEVEL
    while len(pieces := _without_waits(_levels(trips, share))) > MOST_STEPS:
        share *= 1.5
    starts = [begin, *((a[-1].sent + b[0].sent) / 2 for a, b in pairwise(pieces))]
    for piece, (start, end) in zip(pieces, pairwise([*starts, released]), strict=True):
        took = [trip.took for trip in piece]
        level, spread = median(took), _spread(took)
        if end - start < SHORTEST_STALL and (len(piece) < 2 or level - usual < SHORTEST_STALL):
            continue  # nobody would notice
        attributes = {"latency": _half_ms(level - usual)}
        if spread >= 2 * GROWN:
            attributes["jitter"] = min(_half_ms(spread), attributes["latency"])
        yield Finding(
            "latency",
            start,
            end,
            f"{_trips(len(piece))} {_ms(level)}{' at the median' if len(piece) > 1 else ''}, {_ms(usual)} before",
            "certain" if len(piece) > 2 else "likely",
            on=link,
            attributes=attributes,
        )


def _without_waits(pieces: list[list[Trip]]) -> list[list[Trip]]:
    """Leave out what TCP itself held up: for one round trip after a jump, until the first acknowledgement, Pings wait."""
    lows = [min(trip.took for trip in piece) for piece in pieces]

    def waited(index: int) -> bool:
        lower = [low for low in lows[max(0, index - 1) : index + 2] if low < lows[index]]
        return bool(lower) and pieces[index][-1].sent - pieces[index][0].sent < min(lower)

    kept = [piece for index, piece in enumerate(pieces) if not waited(index)]
    merged = [kept[0]]
    for piece in kept[1:]:
        here, there = (median(trip.took for trip in part) for part in (merged[-1], piece))
        if abs(here - there) <= max(GROWN, LEVEL * here):
            merged[-1] = merged[-1] + piece
        else:
            merged.append(piece)
    return merged


def _trips(count: int) -> str:
    return f"{count} round trips took" if count > 1 else "a round trip took"


def _levels(trips: list[Trip], share: float) -> list[list[Trip]]:
    """Cut where the round trip stays different; one trip alone is no level of its own."""
    pieces: list[list[Trip]] = [[trips[0]]]
    for here, following in pairwise([*trips[1:], trips[-1]]):
        level = median(trip.took for trip in pieces[-1][-25:])
        different = abs(here.took - level) > max(GROWN, share * level)
        lasting = abs(following.took - level) > max(GROWN, share * level)
        if different and lasting:
            pieces.append([here])
        else:
            pieces[-1].append(here)
    return pieces


def _narrow(seen: Observed, link: Link, trips: Sequence[Trip]) -> float | None:
    """KB/s that passed, where it was less than what there was to send; None where all passed, or a backlog cannot be why."""
    begin, end = trips[0].sent, trips[-1].back
    size = seen.mean_size
    if link != "output" or size is None:
        return None
    left = [(second, count) for second, count in seen.left.items() if begin <= second <= end]
    if not left:
        return None
    confirms = [second for second, _ in left if seen.confirmed.between(second, second + 1)]
    fullest = max(left, key=lambda entry: entry[1])[0]
    # The first second after the change still delivers at the old rate, or pauses for one new round trip.
    first = next((second for second in confirms if second >= begin + 1), fullest)
    if fullest - first < 2:
        return None
    accepted = seen.accepted.between(first, fullest)
    confirmed = seen.confirmed.between(first, fullest)
    # Under a latency confirms pause, once, and then come at the full rate again.
    flowing = median(seen.confirmed.between(second, second + 1) for second in confirms if second >= first)
    if confirmed >= THROTTLED * accepted or flowing >= THROTTLED * accepted / (fullest - first):
        return None
    if not confirmed or _jumps(trips, backlog=accepted / confirmed - 1):
        return None
    return confirmed / (fullest - first) * GENERATED_BYTES / 1000


def _jumps(trips: Sequence[Trip], *, backlog: float) -> bool:
    """Whether a round trip grew at once by more than a backlog can that grows by so many seconds a second.

    A longer latency holds back confirms too, where it is too long for the in-flight window.
    """
    return any(
        following.took - trip.took > 2 * backlog * (following.sent - trip.sent) + JUMP
        for trip, following in pairwise(trips)
    )


def _spread(took: list[float]) -> float:
    """From the median to the slow ones."""
    return quantiles(took, n=10)[-1] - median(took) if len(took) >= 10 else 0.0


def _half_ms(seconds: float) -> int:
    return max(1, round(seconds * 500))


def _ms(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
