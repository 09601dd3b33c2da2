"""Short traces, written out: what a client says of itself, at the times at which a test wants it."""

from collections.abc import Iterable, Iterator

from tracker import events as e

Parts = Iterable[e.AnyEvent]


def connected(
    t: float, link: e.LinkName = "output", number: int = 1, took: float = 0.01
) -> Iterator[e.AnyEvent]:
    yield e.Connecting(t=t - took, link=link, attempt=1)
    yield e.Connected(t=t, link=link, connection=number, took=took)


def pinged(
    begin: float,
    end: float,
    link: e.LinkName = "output",
    *,
    rtt: float = 0.01,
    every: float = 0.2,
    first: int = 1,
) -> Iterator[e.AnyEvent]:
    """Round trips of one length, a Ping `every` so often."""
    for n in range(round((end - begin) / every)):
        t = begin + n * every
        yield e.Probed(t=t, link=link, number=first + n)
        yield e.Answered(t=t + rtt, link=link, number=first + n, rtt=rtt)


def unanswered(
    begin: float, end: float, link: e.LinkName = "output", *, first: int = 1000
) -> Iterator[e.AnyEvent]:
    for n in range(round((end - begin) / 0.2)):
        yield e.Probed(t=begin + n * 0.2, link=link, number=first + n)


def gave_up(
    t: float, link: e.LinkName = "output", *, number: int = 1, silence: float = 3.6
) -> Iterator[e.AnyEvent]:
    yield e.Suspected(t=t - 2.4, link=link, connection=number, silence=1.2)
    yield e.Died(t=t, link=link, connection=number, cause="probes go unanswered", silence=silence)
    yield e.Closed(
        t=t, link=link, connection=number, code=1006, by="tracker", why="given up as dead", unconfirmed=9
    )


def closed(
    t: float, link: e.LinkName = "output", *, code: int = 1006, by: e.Ender = "network", number: int = 1
) -> Iterator[e.AnyEvent]:
    yield e.Closed(
        t=t, link=link, connection=number, code=code, by=by, why="stream ended" if by == "network" else ""
    )


def refused(
    t: float,
    link: e.LinkName = "output",
    *,
    took: float = 0.01,
    why: str = "Connect call failed",
    status: int | None = None,
) -> Iterator[e.AnyEvent]:
    yield e.Connecting(t=t - took, link=link, attempt=2)
    yield e.Refused(t=t, link=link, why=why, status=status)


def frames(begin: float, end: float, fps: float = 30.0) -> Iterator[e.AnyEvent]:
    for n in range(round((end - begin) * fps)):
        yield e.Received(t=begin + n / fps, timestamp=1000 * n / fps, sequence=n)


def outputs(begin: float, end: float, *, fps: float = 30.0, confirmed: bool = True) -> Iterator[e.AnyEvent]:
    for n in range(round((end - begin) * fps)):
        t = begin + n / fps
        yield e.Accepted(t=t, seq=n + 1, size=5000)
        yield e.Sent(t=t, seq=n + 1, connection=1)
        if confirmed:
            yield e.Confirmed(t=t + 0.01, count=1, left=0)


def stopped(t: float, *, left: int = 0) -> Iterator[e.AnyEvent]:
    yield e.Stopping(t=t, why="SIGTERM", left=left)
    yield e.Stopped(t=t + 0.1, undelivered=left)


def trace(*parts: Parts) -> list[e.AnyEvent]:
    """In the order of time."""
    return sorted((event for part in parts for event in part), key=lambda event: event.t)
