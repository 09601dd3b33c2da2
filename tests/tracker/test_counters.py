import json
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from tracker import events
from tracker.counters import Counters

KINDS = get_args(events.AnyEvent)


def counted(*facts: events.AnyEvent) -> Counters:
    counters = Counters()
    for fact in facts:
        counters.observe(fact)
    return counters


def rejected(reason: str) -> events.Rejected:
    return events.Rejected(t=0.0, link="input", reason=reason, detail="")


def test_what_never_happened_counts_0() -> None:
    assert Counters()[events.Died] == 0
    assert set(map(str, Counters().as_dict().values())) == {"0", "{}"}


def test_bad_messages_are_counted_by_reason() -> None:
    counters = counted(rejected("not-json"), rejected("bad-pose"), rejected("not-json"))
    assert counters.as_dict()["rejected"] == {"not-json": 2, "bad-pose": 1}


def test_confirms_count_messages_and_not_pongs() -> None:
    counters = counted(events.Confirmed(t=0.0, count=3, left=2), events.Confirmed(t=0.0, count=2, left=0))
    assert counters.as_dict()["confirmed"] == 5
    assert counters[events.Confirmed] == 2


def test_each_total_counts_its_own_kind() -> None:
    kinds: dict[str, events.AnyEvent] = {
        "received": events.Received(t=0.0, timestamp=1.0),
        "accepted": events.Accepted(t=0.0, seq=1, size=1),
        "displaced": events.Displaced(t=0.0, seq=1),
        "sent": events.Sent(t=0.0, seq=1, connection=1),
        "connections": events.Connected(t=0.0, link="input", connection=1, took=0.1),
        "refusals": events.Refused(t=0.0, link="input", why=""),
        "suspected": events.Suspected(t=0.0, link="input", connection=1, silence=1.0),
        "died": events.Died(t=0.0, link="input", connection=1, cause="", silence=1.0),
    }
    for name, event in kinds.items():
        totals = counted(event, event).as_dict()
        assert [key for key, value in totals.items() if value] == [name]
        assert totals[name] == 2


def test_a_status_reply_does_not_change_when_counting_goes_on() -> None:
    counters = counted(rejected("not-json"))
    reply = counters.as_dict()
    counters.observe(rejected("not-json"))
    assert reply["rejected"] == {"not-json": 1}


@given(st.lists(st.sampled_from(KINDS).flatmap(st.builds)))
def test_any_events_are_counted_each_once_and_make_a_reply(facts: list[events.AnyEvent]) -> None:
    counters = counted(*facts)
    assert sum(counters[kind] for kind in KINDS) == len(facts)
    assert json.dumps(counters.as_dict())
