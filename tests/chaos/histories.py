"""Literal histories in a few lines: events in any order, put into the order of their times."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from chaos.answer import Answer
from chaos.faults import Fault, read_fault
from chaos.history import Began, Broke, Healed, History, HistoryEvent, LabEvent, Numbering, Reached, Role
from chaos.judging.facts import Facts
from chaos.judging.verdicts import Check
from chaos.scenario import Expect, Peer, Scenario
from simulator import events as peer
from tracker import events

STEADY = Reached(t=1.0, phase="steady")


Parts: TypeAlias = "events.Event | peer.PeerEvent | LabEvent | Iterable[Parts]"


def record(
    *parts: Parts,
    settings: Mapping[str, Any] | None = None,
    reference: tuple[Answer, ...] = (),
    role: Role = "tracker",
    clients: int = 1,
    numbering: Numbering = "relayed",
    not_judged: tuple[str, ...] = (),
) -> History:
    """A history of these events; those of one time stay in the order in which they are given.

    `reference` is the first client's.
    """
    flat = sorted(_flat(parts), key=lambda event: event.t)
    return History(
        "literal",
        "sim",
        "tracker",
        0,
        tuple(flat),
        reference,
        dict(settings or {}),
        role,
        tuple(() for _ in range(1, clients)),
        numbering=numbering,
        not_judged=not_judged,
    )


def _flat(parts: Parts) -> Iterator[Any]:
    if isinstance(parts, Iterable):
        for part in parts:
            yield from _flat(part)
    else:
        yield parts


def scenario(*faults: Fault, stresses: Iterable[str] = (), echo: bool = False, **expect: Any) -> Scenario:
    return Scenario(
        "literal", "-", tuple(stresses), 60.0, peer=Peer(echo=echo), faults=faults, expect=Expect(**expect)
    )


def fault(kind: str, at: float, lasts: float | None = None, on: str | None = "output", **more: Any) -> Fault:
    """One fault as a scenario's file would say it."""
    table: dict[str, object] = {"kind": kind, "at": at, **more}
    if lasts is not None:
        table["for"] = lasts
    if on is not None:
        table["on"] = on
    return read_fault(table)[0]


def struck(*faults: Fault) -> list[HistoryEvent]:
    """Every fault began, and healed, on time."""
    found: list[HistoryEvent] = []
    for index, one in enumerate(faults):
        found.append(Began(t=one.at, fault=index, planned=one.at))
        if one.duration:
            found.append(Healed(t=one.at + one.duration, fault=index, planned=one.at + one.duration))
    return found


def accepted(*seqs: int, every: float = 1.0, size: int = 100, essential: bool = False) -> list[HistoryEvent]:
    """Each `seq` at `seq * every` seconds."""
    return [events.Accepted(t=seq * every, seq=seq, size=size, essential=essential) for seq in seqs]


def sent(*seqs: int, every: float = 1.0, over: int = 1) -> list[HistoryEvent]:
    return [events.Sent(t=seq * every, seq=seq, connection=over) for seq in seqs]


def delivered(
    *seqs: int,
    every: float = 1.0,
    at: float | None = None,
    over: int = 1,
    body: int = 0,
    repeat: bool = False,
) -> list[HistoryEvent]:
    """Each `seq` at `seq * every` seconds, or all of them `at` one time, over the peer's connection `over`."""
    return [
        peer.Delivered(
            t=seq * every if at is None else at,
            stream="s",
            seq=seq,
            size=100,
            digest=seq * 1000 + body,
            connection=over,
            repeat=repeat,
        )
        for seq in seqs
    ]


def connected(t: float = 0.1, number: int = 1, link: events.LinkName = "output") -> events.Connected:
    return events.Connected(t=t, link=link, connection=number, took=0.01)


def opened(t: float, number: int, link: peer.PeerLink = "output", client: int = 0) -> peer.Opened:
    """The peer's view of a connection, by the peer's number."""
    return peer.Opened(t=t, link=link, connection=number, client=client)


def ended(
    t: float,
    by: Any = "client",
    number: int = 1,
    link: peer.PeerLink = "output",
    *,
    code: int = 1000,
    why: str = "",
) -> peer.Ended:
    """The peer's view of a connection's end."""
    return peer.Ended(t=t, link=link, connection=number, code=code, by=by, why=why)


def offered(*sequences: int, every: float = 1.0, over: int = 2) -> list[HistoryEvent]:
    """Each frame at `sequence * every` seconds."""
    return [peer.Offered(t=n * every, sequence=n, connection=over) for n in sequences]


def closed(
    t: float,
    by: events.Ender = "network",
    *,
    number: int = 1,
    link: events.LinkName = "output",
    code: int = 1006,
) -> events.Closed:
    return events.Closed(t=t, link=link, connection=number, code=code, by=by)


def died(t: float, silence: float, number: int = 1) -> events.Died:
    return events.Died(t=t, link="output", connection=number, cause="silent", silence=silence)


def connecting(*times: float, link: events.LinkName = "output") -> list[HistoryEvent]:
    return [events.Connecting(t=t, link=link, attempt=n) for n, t in enumerate(times, 1)]


def waiting(t: float, delay: float, link: events.LinkName = "output") -> events.Waiting:
    return events.Waiting(t=t, link=link, delay=delay)


def refused(t: float, *, fatal: bool = False) -> events.Refused:
    return events.Refused(t=t, link="output", why="HTTP", status=401 if fatal else None, fatal=fatal)


def stopping(t: float) -> events.Stopping:
    return events.Stopping(t=t, why="the run is over", left=0)


def stopped(t: float, undelivered: int = 0) -> events.Stopped:
    return events.Stopped(t=t, undelivered=undelivered)


Promise = Callable[[Facts, Scenario], Check | None]


def said(promise: Promise, history: History, *faults: Fault, **expect: Any) -> str | None:
    """The verdict of one check on one record."""
    case = scenario(*faults, **expect)
    check = promise(Facts(history, faults), case)
    return None if check is None else check.verdict


def observed(promise: Promise, history: History, *faults: Fault) -> str:
    """What one check observed on one record."""
    check = promise(Facts(history, faults), scenario(*faults))
    assert check is not None
    return check.observed


def broke(who: Any, t: float = 5.0) -> Broke:
    return Broke(t=t, who=who, what="RuntimeError: boom")
