"""`bounded`: the outbox is bounded in messages and bytes, and what is displaced is announced.   pure

What a client holds only itself can say: the peer and a trace know nothing else of it.
"""

from itertools import islice

from chaos.judging.facts import Facts
from chaos.judging.verdicts import Check, decided, some
from chaos.scenario import Scenario
from tracker import events


def by_reports(facts: Facts, _: Scenario) -> Check | None:
    """The outbox never holds more than it declares, and gives up nothing that must not be displaced."""
    bound = facts.history.settings.get("outbox", {})
    overflow = facts.history.settings.get("overflow", "latest")
    if not {"messages", "bytes"} <= bound.keys() or not facts.accepted:
        return None
    messages, size = most_held(facts)
    essential = sorted(
        event.seq
        for event in facts.history.of(events.Accepted)
        if event.essential and event.seq in facts.displaced
    )
    gone = f", essential ones among them: seq {some(essential)}" if essential else ""
    newer = passed_by(facts)
    full = messages >= bound["messages"] or size + facts.largest > bound["bytes"]
    needless = bool(facts.displaced) and not full
    gone += ", although there was room" if needless else ""
    if newer:
        gone += f", while older ones waited: seq {some(newer)}"
    unasked = overflow != "latest" and bool(facts.displaced)
    gone += f", although overflow is {overflow!r}" if unasked else ""
    gives_way = "the oldest give way, announced" if overflow == "latest" else "nothing gives way"
    return decided(
        "bounded",
        ok=messages <= bound["messages"]
        and size <= bound["bytes"]
        and not (essential or needless or unasked or newer),
        expected=f"at most {bound['messages']} messages and {bound['bytes']} bytes held, {gives_way}",
        observed=f"at most {messages} messages and {size} bytes held, {len(facts.displaced)} displaced{gone}",
    )


def most_held(facts: Facts) -> tuple[int, int]:
    """The most messages, and the most bytes, that the outbox held at once.

    Confirms come in the order of `seq`. What gives way to a message is announced after it was accepted.
    """
    held: dict[int, int] = {}
    size = most = most_bytes = 0
    forgets = facts.forgets
    for event in facts.history.events:
        if type(event) is events.Displaced:
            size -= held.pop(event.seq, 0)
            continue
        most, most_bytes = max(most, len(held)), max(most_bytes, size)
        if type(event) is events.Accepted:
            held[event.seq] = event.size
            size += event.size
        elif type(event) is events.Confirmed:
            for seq in list(islice(held, event.count)):
                size -= held.pop(seq)
        elif type(event) is events.Sent and forgets:
            size -= held.pop(event.seq, 0)
    return max(most, len(held)), max(most_bytes, size)


def passed_by(facts: Facts) -> tuple[int, ...]:
    """Outputs that gave way although an older plain one had never been sent and waited still."""
    waiting: dict[int, None] = {}
    found = []
    for event in facts.history.among(events.Accepted, events.Sent, events.Displaced):
        if isinstance(event, events.Accepted) and not event.essential:
            waiting[event.seq] = None
        elif isinstance(event, events.Sent):
            waiting.pop(event.seq, None)
        elif isinstance(event, events.Displaced):
            # What was not accepted may have been too large for what older ones could have made room for.
            if event.seq in facts.accepted and next(iter(waiting), event.seq) < event.seq:
                found.append(event.seq)
            waiting.pop(event.seq, None)
    return tuple(found)
