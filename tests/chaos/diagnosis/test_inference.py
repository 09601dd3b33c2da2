"""From literal traces to the faults that explain them."""

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import pytest

from chaos.diagnosis.findings import Diagnosis, Finding
from chaos.diagnosis.inference import diagnose
from chaos.replay.building import overrides, replay_scenario, scenario_name
from chaos.scenario_reading import parse
from chaos.scenario_writing import write
from chaos.timeline.from_events import observe
from tests.chaos.stories import (
    closed,
    connected,
    frames,
    gave_up,
    outputs,
    pinged,
    refused,
    stopped,
    trace,
    unanswered,
)
from tracker import events as e

STEADY = (connected(0.1, "input"), connected(0.1), outputs(0.2, 5), frames(0.2, 5))


def told(*parts: Sequence[e.AnyEvent] | chain[e.AnyEvent] | object) -> Diagnosis:
    return diagnose(observe(trace(*parts)))  # type: ignore[arg-type]


def only(diagnosis: Diagnosis) -> Finding:
    assert len(diagnosis.findings) == 1, diagnosis.findings
    return diagnosis.findings[0]


def test_a_quiet_day_has_nothing_to_explain() -> None:
    diagnosis = told(connected(0), pinged(0.1, 30), stopped(30))
    assert diagnosis.findings == ()
    assert not diagnosis.echo


def test_longer_round_trips_are_a_latency_split_over_both_directions() -> None:
    found = only(
        told(connected(0), pinged(0.1, 10), pinged(10, 20, rtt=0.8, first=100), pinged(21, 30, first=200))
    )
    assert (found.kind, found.on, found.direction) == ("latency", "output", "both")
    assert found.attributes["latency"] == pytest.approx(395, abs=5)
    assert found.begin == pytest.approx(10, abs=0.2)


def test_a_latency_that_was_there_all_along_begins_before_the_client() -> None:
    found = only(told(connected(0.2, took=0.1), pinged(0.3, 20, rtt=0.1)))
    assert (found.kind, found.from_start, found.attributes["latency"]) == ("latency", True, 50)


def test_steps_of_latency_are_told_apart() -> None:
    steps = [
        pinged(t, t + 5, rtt=rtt, first=n * 100)
        for n, (t, rtt) in enumerate([(0.1, 0.01), (5, 0.4), (10, 0.8), (15, 0.4), (20.5, 0.01)])
    ]
    found = told(connected(0), *steps).findings
    assert [f.attributes["latency"] for f in found] == [195, 395, 195]


def test_pongs_that_come_together_were_held() -> None:
    held = [e.Probed(t=10 + n / 5, link="output", number=100 + n) for n in range(10)]
    together = [e.Answered(t=12, link="output", number=100 + n, rtt=2 - n / 5) for n in range(10)]
    found = only(told(connected(0), pinged(0.1, 10), held, together, pinged(12.1, 20, first=200)))
    assert found.kind == "stall"
    assert found.begin == pytest.approx(9.9, abs=0.2)
    assert found.end == pytest.approx(9.955 + (0.63 + 1.47) / 2)  # tries after 0.21, 0.63 and 1.47 s


def test_answers_that_our_own_late_loop_did_not_fetch_are_no_stall() -> None:
    held = [e.Probed(t=10, link="output", number=100)]
    late = [e.Lagged(t=12, link="output", seconds=2.0), e.Answered(t=12, link="output", number=100, rtt=2)]
    found = only(told(connected(0), pinged(0.1, 10), held, late, pinged(12.1, 20, first=200)))
    assert (found.kind, found.begin, found.end, found.on) == ("block_loop", 10, 12, None)


def silent_output() -> tuple[object, ...]:
    return (connected(0), pinged(0.1, 10), unanswered(10, 13.6), gave_up(13.6))


def test_silence_until_a_handshake_goes_through_is_a_stall_that_ended_before_its_last_try() -> None:
    hung = refused(19, took=5, why="timed out during opening handshake")
    found = only(told(*silent_output(), hung, connected(24, number=2, took=4), pinged(24.1, 30, first=5000)))
    assert (found.kind, found.direction, found.certainty) == ("stall", "both", "possible")
    assert found.begin == pytest.approx(9.9, abs=0.11)
    assert found.end == pytest.approx(20 + (3 + 4) / 2)  # a connect is repeated after 1, 2, 3 and 4 s


def test_what_cannot_be_told_is_said() -> None:
    assert any("which direction of the output" in text for text in told(*silent_output()).unknown)


def test_a_handshake_that_is_cut_when_the_path_heals_was_taken_by_something_on_the_way() -> None:
    cut = refused(19, took=4, why="did not receive a valid HTTP response")
    found = only(told(*silent_output(), cut, connected(20, number=2)))
    assert (found.kind, found.direction, dict(found.attributes)) == ("timeout", "both", {"timeout": 0})
    assert found.end == pytest.approx(19)


def with_round_trips(grow: Callable[[float], float]) -> Diagnosis:
    """The round trip as a function of the seconds since 10 s, while a third of the outputs is confirmed."""
    sent = [10 + n / 5 for n in range(40)]
    pings = [e.Probed(t=t, link="output", number=100 + n) for n, t in enumerate(sent)]
    pongs = [
        e.Answered(t=t + grow(t - 10), link="output", number=100 + n, rtt=grow(t - 10))
        for n, t in enumerate(sent)
    ]
    accepted = [e.Accepted(t=0.2 + n / 30, seq=n, size=5700) for n in range(540)]
    before = [e.Confirmed(t=0.3 + n / 30, count=1, left=0) for n in range(300)]
    after = [e.Confirmed(t=10.3 + n / 10, count=1, left=2 * n) for n in range(80)]
    return told(connected(0), pinged(0.1, 10), pings, pongs, accepted, before, after)


def test_round_trips_that_grow_with_the_backlog_are_a_narrow_link() -> None:
    (found,) = with_round_trips(lambda since: 0.3 + since / 2).findings
    assert (found.kind, found.direction) == ("bandwidth", "upstream")


def test_round_trips_that_jump_are_a_latency_although_fewer_outputs_are_confirmed() -> None:
    found = with_round_trips(lambda since: 0.3 if since < 0.5 else 4.3).findings
    assert {finding.kind for finding in found} == {"latency"}


def test_a_peer_that_talks_and_hears_nothing_is_cut_off_upstream_only() -> None:
    lively = (connected(0, "input"), frames(0.1, 22), pinged(0.1, 10, "input", every=1))
    died = gave_up(22, "input", silence=12.0)
    found = told(*lively, unanswered(10, 22, "input"), died, connected(25, "input", 2, took=2.5)).findings
    # Its TCP is content, so something on the way acknowledges; connecting anew only hangs.
    assert [(f.kind, f.direction) for f in found] == [("timeout", "upstream"), ("stall", "upstream")]


def test_a_peer_that_takes_connections_and_answers_nothing_is_mute() -> None:
    again = (connected(14, number=2), unanswered(14, 17.6, first=3000), gave_up(17.6, number=2))
    found = only(told(*silent_output(), *again, connected(18, number=3), pinged(18.1, 20, first=9000)))
    assert (found.kind, found.end) == ("mute_pong", pytest.approx(17.8, abs=0.2))


@pytest.mark.parametrize(
    ("attempt", "kind", "attributes"),
    [
        ({"why": "[Errno 111] Connect call failed"}, "down", {}),
        ({"why": "did not receive a valid HTTP response"}, "reset_peer", {"timeout": 0}),
    ],
)
def test_an_end_and_the_refusals_after_it_are_one_fault(
    attempt: dict[str, str], kind: str, attributes: dict[str, int]
) -> None:
    events = (connected(0), pinged(0.1, 10), closed(10), refused(10.5, **attempt), refused(11, **attempt))  # type: ignore[arg-type]
    seen = observe(trace(*events, connected(13, number=2), pinged(13.1, 20, first=500)))
    (fault, _) = replay_scenario(seen, diagnose(seen), name="x", config=None).faults[0]
    assert (fault.kind, dict(fault.attributes)) == (kind, attributes)
    assert fault.duration == pytest.approx(2, abs=0.05)  # healed half-way between 11 and 13


def test_an_http_status_is_kept() -> None:
    found = told(
        connected(0),
        pinged(0.1, 10),
        closed(10, code=1001, by="peer"),
        refused(11, why="HTTP 503", status=503),
    ).findings
    assert [(f.kind, dict(f.attributes)) for f in found] == [
        ("close", {"code": 1001}),
        ("refuse", {"status": 503}),
    ]


def test_handshakes_that_are_closed_at_once_are_accept_then_close() -> None:
    turned_away = [
        part
        for t in (10.5, 11.5)
        for part in (connected(t, number=int(t)), closed(t + 0.01, code=1013, by="peer", number=int(t)))
    ]
    found = told(
        connected(0),
        pinged(0.1, 10),
        closed(10, code=1013, by="peer"),
        *turned_away,
        connected(14, number=20),
        pinged(14.1, 20, first=500),
    ).findings
    assert {f.kind for f in found} == {"accept_then_close", "close"}
    assert all(f.attributes["code"] == 1013 for f in found)


def test_both_links_closed_with_1012_is_one_restart() -> None:
    parts = [
        part
        for link in ("input", "output")
        for part in (
            connected(0, link),
            pinged(0.1, 10, link),
            closed(10, link, code=1012, by="peer"),
            refused(11, link),
            connected(13, link, 2),
            pinged(13.1, 20, link, first=500),
        )
    ]
    found = only(told(*parts))
    assert (found.kind, found.on, found.end) == ("restart", None, pytest.approx(12, abs=0.1))


def test_nobody_there_at_the_start_is_a_fault_from_the_start() -> None:
    seen = observe(trace(refused(0.1), refused(1), connected(3), outputs(3, 10), pinged(3.1, 10)))
    made = replay_scenario(seen, diagnose(seen), name="x", config=None)
    assert made.scenario.from_start
    assert made.scenario.faults[0].duration == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize(("cap", "within"), [(8.0, 9.0), (60.0, 61.0)])
def test_a_replay_lasts_until_it_shows_whether_a_client_came_back_in_time(cap: float, within: float) -> None:
    seen = observe(trace(refused(0.1), refused(1), connected(3), outputs(3, 10), pinged(3.1, 10)))
    made = replay_scenario(seen, diagnose(seen), name="x", config={"timing": {"reconnect_cap": cap}}).scenario
    assert made.expect.recover_within == within
    assert made.faults[0].heals_at is not None
    assert made.duration >= made.faults[0].heals_at + within + 0.9


def test_a_standing_latency_beside_an_outage_makes_a_scenario_that_can_be_read() -> None:
    events = (connected(0.1, took=0.1), pinged(0.2, 10, rtt=0.1), closed(10), refused(11), refused(12))
    again = (connected(13, number=2, took=0.1), pinged(13.2, 30.04, rtt=0.1, first=500), stopped(30.04))
    seen = observe(trace(*events, *again))
    made = replay_scenario(seen, diagnose(seen), name="x", config=None).scenario
    assert "recover" in made.stresses
    assert [fault.kind for fault in made.faults] == ["latency", "down"]
    assert parse(write(made), Path("x.toml")) == made


def test_a_reset_in_the_last_moment_is_in_a_scenario_that_can_be_read() -> None:
    reset = [e.SessionReset(t=20.33, link="input")]
    seen = observe(trace(*STEADY, outputs(5, 20), reset, stopped(20.34)))
    made = replay_scenario(seen, diagnose(seen), name="x", config=None).scenario
    assert len(made.workload.reset_at) == 1
    assert parse(write(made), Path("x.toml")) == made


def test_a_peer_that_sends_everything_back_is_an_echo() -> None:
    sent = [e.Sent(t=0.1 + n / 30, seq=n, connection=1) for n in range(60)]
    came = [
        e.Carried(t=1.0 * n, link="output", connection=1, received=9, messages=30, unasked=30) for n in (1, 2)
    ]
    assert told(connected(0), sent, came).echo
    assert not told(connected(0), sent).echo


def test_a_fault_that_the_trace_breaks_off_in_lasts_to_the_end() -> None:
    seen = observe(trace(*silent_output(), refused(19, took=5, why="timed out")))
    (fault, _) = replay_scenario(seen, diagnose(seen), name="x", config=None).faults[0]
    assert fault.duration is None


def test_no_fault_begins_before_the_replay_is_steady() -> None:
    seen = observe(
        trace(
            connected(0),
            outputs(0.1, 1),
            pinged(0.1, 1),
            closed(1),
            connected(2, number=2),
            pinged(2.1, 9, first=500),
        )
    )
    made = replay_scenario(seen, diagnose(seen), name="x", config=None)
    assert made.scenario.faults[0].at == 2.0
    assert made.lead == pytest.approx(1.4, abs=0.2)


def test_the_traced_configuration_is_kept_where_it_differs() -> None:
    config = {
        "timing": {"probe_floor": 2.0, "reconnect_cap": 8.0},
        "outbox": {"messages": 50},
        "confirm": "ack",
    }
    changed = overrides(config)
    assert (dict(changed.timing), dict(changed.outbox), changed.confirm) == (
        {"probe_floor": 2.0},
        {"messages": 50},
        "ack",
    )
    assert overrides({"timing": {"probe_floor": -1}}) == overrides(None)


@pytest.mark.parametrize(
    ("given", "name"),
    [("Trace 19:40 (Halle).jsonl", "trace-19-40-halle-jsonl"), ("___", "field"), ("a" * 99, "a" * 60)],
)
def test_any_file_name_makes_a_scenario_s(given: str, name: str) -> None:
    assert scenario_name(given) == name


def test_a_trace_that_begins_after_an_outage_does_not_tell_it() -> None:
    (said,) = told(connected(0.1, number=2), outputs(0.2, 5), frames(0.2, 5)).unknown
    assert said == "what was before: the trace begins in the middle, with connection 2 of the output"


def test_a_trace_that_begins_in_the_middle_is_understood() -> None:
    assert (
        only(
            told(
                pinged(100, 110),
                closed(110, code=1001, by="peer"),
                connected(111, number=2),
                pinged(111, 120, first=500),
            )
        ).kind
        == "close"
    )
