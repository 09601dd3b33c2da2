"""`in-order`: first deliveries come in `seq` order within one stream.   pure"""

from chaos.judging.facts import Facts
from chaos.judging.verdicts import Check, decided, some
from chaos.scenario import Scenario
from tracker import events


def by_arrivals(facts: Facts, _: Scenario) -> Check | None:
    """First deliveries come in `seq` order."""
    if not facts.deliveries:
        return None
    late = [event.seq for event in facts.reordered]
    return decided(
        "in-order",
        ok=not late,
        expected="first deliveries in seq order",
        observed=f"{len(late)} came late: seq {some(late)}" if late else f"{len(facts.delivered)} in order",
        at=facts.reordered[0].t if late else None,
    )


def by_trace(facts: Facts) -> Check | None:
    """On each connection outputs leave in `seq` order."""
    late = 0
    newest: dict[int, int] = {}
    for event in facts.history.of(events.Sent):
        late += event.seq < newest.get(event.connection, 0)
        newest[event.connection] = max(event.seq, newest.get(event.connection, 0))
    if not newest:
        return None
    return decided(
        "in-order",
        ok=not late,
        expected="outputs sent in seq order on each connection",
        observed=f"{late} were sent late" if late else "all of them",
    )
