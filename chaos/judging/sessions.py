"""Resets of the session, judged: taken as they were offered, and told.                                       pure"""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Literal, NamedTuple

from chaos.judging.carried import RESET, Item, Written, surely_came, taken, written
from chaos.judging.facts import IN_FLIGHT, Facts
from chaos.judging.frames import good_refused
from chaos.judging.verdicts import Check
from chaos.scenario import Scenario
from tracker import events


class _Difference(NamedTuple):
    """Resets of one connection that were not taken as they were offered, in a row."""

    resets: int
    how: Literal["too many", "too few", "perhaps too few"]
    before: Item | None
    """What the client took next; None: nothing."""


def every_reset(facts: Facts, _: Scenario) -> Check | None:
    """Each reset that arrived is taken once, in its place, and announced in one output: the next one."""
    due = _due(facts)
    told = [event.seq for event in facts.deliveries if event.reset and not event.repeat]
    differences = list(_differences(facts))
    if not (due or told or differences):
        return None
    expected = f"{len(due)} resets taken as offered, each told once, by the next output"
    for resets, how, before in differences:
        if how != "perhaps too few":
            where = "at the end of a connection" if before is None else f"before {_named(before)}"
            return Check("every-reset", "fail", expected, f"{resets} {how} were taken {where}")
    absent = [seq for seq in due if seq not in told]
    wrong = sorted({seq for seq in told if told.count(seq) > 1 or seq not in due})
    if wrong or not facts.missing.issuperset(absent):
        return Check("every-reset", "fail", expected, f"told by {told}, due in {due}")
    if absent and not facts.declared_left.issuperset(absent):
        return Check("every-reset", "unknown", expected, f"{len(absent)} were still in flight at the end")
    if differences:
        doubtful = sum(each.resets for each in differences)
        return Check("every-reset", "unknown", expected, f"{doubtful} not taken, which may have arrived")
    left = f", {len(absent)} left at the end" if absent else ""
    return Check("every-reset", "pass", expected, f"{len(told)} told{left}")


def _named(item: Item) -> str:
    return f"frame {item}" if isinstance(item, int) else item


def _due(facts: Facts) -> list[int]:
    """The outputs that must tell of a reset: the first after each that is no reply. Two in a row are told as one."""
    found = []
    replies = {event.seq for event in facts.deliveries if event.reply}
    waiting = False
    for event in facts.history.among(events.SessionReset, events.Accepted):
        if isinstance(event, events.SessionReset):
            waiting = True
        elif isinstance(event, events.Accepted) and waiting and event.seq not in replies:
            found.append(event.seq)
            waiting = False
    return found


def _differences(facts: Facts) -> Iterator[_Difference]:
    offered = written(facts)
    for connection, items in taken(facts).items():
        all_of_it = offered.get(connection, [])
        begin = resets = 0
        for item in items:
            if item == RESET:
                resets += 1
                continue
            place = next((n for n in range(begin, len(all_of_it)) if all_of_it[n].item == item), None)
            if place is None:
                continue  # nobody knows where it came from; other checks say so
            due = sum(all_of_it[n].item == RESET for n in range(begin, place))
            if resets != due:
                yield _Difference(abs(resets - due), "too many" if resets > due else "too few", item)
            begin, resets = place + 1, 0
        yield from _at_the_end(facts, all_of_it[begin:], resets)


def _at_the_end(facts: Facts, rest: Sequence[Written], resets: int) -> Iterator[_Difference]:
    """Of what was written to a connection after the last that was taken over it, without its resets."""
    # A frame that was refused arrived too, and was not taken.
    in_order = rest if _refused(facts) else list(takewhile(lambda each: each.item == RESET, rest))
    possible = [each for each in in_order if each.item == RESET]
    if resets > len(possible):
        yield _Difference(resets - len(possible), "too many", None)
    untaken = possible[resets:]
    surely = [each for each in untaken if surely_came(facts, each.t, each.link, each.connection)]
    if surely:
        yield _Difference(len(surely), "too few", None)
    settled = facts.stopping - IN_FLIGHT
    perhaps = [each for each in untaken if each not in surely and each.t < settled]
    if perhaps:
        yield _Difference(len(perhaps), "perhaps too few", None)


def _refused(facts: Facts) -> bool:
    stopping = any(e.link == "input" and e.reason == "stopping" for e in facts.history.of(events.Rejected))
    return stopping or good_refused(facts) > 0
