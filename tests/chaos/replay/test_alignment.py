"""Two records side by side."""

from hypothesis import given
from hypothesis import strategies as st

from chaos.diagnosis.findings import Finding
from chaos.replay.alignment import Entry, Happening, compare, entries, tolerance
from chaos.replay.same_findings import FindingRow
from chaos.timeline.from_events import observe
from chaos.timeline.observed import Change
from tests.chaos.stories import closed, connected, gave_up, pinged, refused, stopped, trace
from tracker import events as e

WHATS = (
    *map(Happening, (Change.CONNECTED, Change.DIED, Change.REFUSED)),
    Happening(Change.CLOSED, 1006, "client"),
)
sequences = st.lists(
    st.builds(Entry, st.floats(0, 100), st.sampled_from(["input", "output"]), st.sampled_from(WHATS)),
    max_size=12,
).map(lambda found: sorted(found, key=lambda entry: entry.t))


def made(*parts: tuple[float, str]) -> list[Entry]:
    return [Entry(t, "output", Happening(Change(what))) for t, what in parts]


FIELD = made((0, "connected"), (10, "died"), (15, "connected"))


@given(sequences)
def test_a_record_reproduces_itself(found: list[Entry]) -> None:
    comparison = compare(found, found)
    trouble = any(entry.trouble for entry in found)
    assert comparison.verdict == ("reproduced" if trouble else "no-evidence")
    assert comparison.matched == len(found)


def test_events_that_come_again_for_another_reason_are_partly_reproduced() -> None:
    stall = Finding("stall", 9.9, 14.0, "silence", on="output")
    assert compare(FIELD, FIELD, findings=(FindingRow(stall, stall),)).verdict == "reproduced"
    assert compare(FIELD, FIELD, findings=(FindingRow(stall, None),)).verdict == "partly"
    assert compare(FIELD, FIELD, findings=(FindingRow(None, stall),)).verdict == "partly"


def test_a_fault_that_ended_no_connection_has_to_be_found_again() -> None:
    opened = made((0, "connected"))
    latency = Finding("latency", 5.0, 9.0, "longer", on="output")
    assert compare(opened, opened).verdict == "no-evidence"
    assert compare(opened, opened, findings=(FindingRow(latency, None),)).verdict == "not"
    assert compare(opened, opened, findings=(FindingRow(latency, latency),)).verdict == "reproduced"


@given(sequences, sequences)
def test_every_event_of_either_is_in_one_row(a: list[Entry], b: list[Entry]) -> None:
    rows = compare(a, b).rows
    assert sorted((r.field.t, r.field.link) for r in rows if r.field) == sorted((e.t, e.link) for e in a)
    assert sorted((r.replay.t, r.replay.link) for r in rows if r.replay) == sorted((e.t, e.link) for e in b)
    assert all(r.field.what == r.replay.what for r in rows if r.field and r.replay)


def test_the_same_events_in_time_are_reproduced() -> None:
    assert (
        compare(FIELD, made((0.5, "connected"), (10.9, "died"), (14.2, "connected"))).verdict == "reproduced"
    )


def test_the_same_events_too_late_are_partly_reproduced() -> None:
    assert compare(FIELD, made((0, "connected"), (12, "died"), (15, "connected"))).verdict == "partly"


def test_no_trouble_where_the_field_had_some_is_not_reproduced() -> None:
    assert compare(FIELD, made((0, "connected"))).verdict == "not"


def test_trouble_that_the_field_had_not_is_not_a_reproduction() -> None:
    assert compare(made((0, "connected")), FIELD).verdict != "reproduced"


def test_what_comes_after_the_end_of_the_trace_does_not_count() -> None:
    assert compare(FIELD, [*FIELD, *made((30, "died"))], until=25).verdict == "reproduced"
    assert compare(FIELD, [*FIELD, *made((20, "died"))], until=25).verdict == "partly"


def test_the_longer_a_link_was_down_the_more_is_tolerated() -> None:
    assert tolerance(Entry(0, "output", Happening(Change.REFUSED), since_healthy=5)) == 1.0
    assert tolerance(Entry(0, "output", Happening(Change.REFUSED), since_healthy=50)) == 5.0
    assert tolerance(Entry(0, "output", Happening(Change.REFUSED), since_healthy=50, drawn=8)) == 13.0


def test_a_series_of_refusals_is_one_entry_and_the_stop_is_none() -> None:
    seen = observe(
        trace(
            connected(0),
            pinged(0, 9),
            gave_up(10),
            refused(11),
            refused(12),
            connected(13, number=2),
            stopped(20),
            closed(20.1, code=1001, by="tracker", number=2),
        )
    )
    found = entries(seen, zero=0, until=seen.ended)
    assert [(str(e.what), e.count) for e in found] == [
        ("connected", 1),
        ("suspected", 1),
        ("died", 1),
        ("closed 1006 by client", 1),
        ("refused", 2),
        ("connected", 1),
    ]


def test_a_refusal_for_good_is_why_the_tracker_stops_and_belongs_to_the_story() -> None:
    refusal = [e.Refused(t=10, link="output", why="HTTP 401", status=401, fatal=True)]
    seen = observe(trace(connected(0), pinged(0, 9), closed(9), refusal, stopped(10)))
    assert entries(seen, zero=0, until=99)[-1].what == Happening(Change.REFUSED, 401)


def test_a_doubt_that_passed_on_one_side_only_is_no_difference() -> None:
    doubt = [
        e.Suspected(t=10, link="output", connection=1, silence=1.2),
        e.Revived(t=10.1, link="output", connection=1),
    ]
    field = entries(observe(trace(connected(0), pinged(0, 9), doubt)), zero=0, until=99)
    assert field[-1].passing
    comparison = compare(field, made((0, "connected")))
    assert (comparison.verdict, comparison.matched, comparison.expected) == ("no-evidence", 1, 1)
    assert compare(made((0, "connected")), field).verdict == "no-evidence"
    lasting = made((0, "connected"), (10, "suspected"))
    assert compare(lasting, made((0, "connected"))).verdict == "not"
