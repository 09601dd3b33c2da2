"""A trace judged by the client's side alone: literal histories, and the command."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

from chaos import catalogue
from chaos.commands.check import check, history_of, judged
from chaos.judging.checks import judge
from chaos.judging.field_checks import field_measures, judge_field
from chaos.judging.no_loss import held_at_the_end
from chaos.runner import Plan, make_history
from chaos.traces.reading import TraceError, open_trace
from tests.chaos.histories import (
    Parts,
    accepted,
    closed,
    connected,
    connecting,
    died,
    record,
    sent,
    stopped,
    stopping,
    waiting,
)
from tracker import events
from tracker.config import TrackerConfig

DATA = Path(__file__).parents[1] / "data"
SETTINGS = msgspec.to_builtins(TrackerConfig("ws://a", "ws://b"))


def verdicts(*parts: Parts, **changes: Any) -> dict[str, str]:
    history = record(*parts, settings={**SETTINGS, **changes})
    return {check.name: check.verdict for check in judge_field(history).checks}


def confirmed(t: float, count: int, left: int = 0) -> events.Confirmed:
    return events.Confirmed(t=t, count=count, left=left)


START = [connecting(0.0), connected(0.1)]


def test_nothing_in_a_trace_is_unknown() -> None:
    assert verdicts() == {"valid-run": "unknown"}
    assert verdicts(connecting(0.0, 1.0, 2.0)) == {"valid-run": "unknown"}


def test_a_trace_of_a_quiet_day_passes() -> None:
    found = verdicts(
        START,
        accepted(1, 2),
        sent(1, 2),
        confirmed(3.0, 2),
        stopping(4.0),
        stopped(4.1),
        closed(4.05, "tracker", code=1001),
    )
    assert set(found.values()) == {"pass"}
    assert {"no-loss", "in-order", "bounded", "clean-stop"} <= found.keys()


def test_what_was_not_confirmed_when_the_trace_ends_is_indefinite_and_no_loss() -> None:
    assert verdicts(START, accepted(1, 2, 3), sent(1), confirmed(4.0, 1, 2))["no-loss"] == "unknown"
    assert verdicts(START, accepted(1), stopping(2.0), stopped(3.0, 1))["no-loss"] == "unknown"


def test_where_nothing_is_confirmed_nothing_is_known_of_losses() -> None:
    assert verdicts(START, accepted(1), sent(1), confirm="none")["no-loss"] == "unknown"


def test_what_is_held_follows_the_clients_own_count() -> None:
    history = record(accepted(1, 2, 3), events.Displaced(t=3.5, seq=1), confirmed(4.0, 1, 1), accepted(5))
    assert held_at_the_end(history) == 2


def test_an_output_that_leaves_after_a_later_one_is_out_of_order() -> None:
    assert verdicts(START, sent(1), sent(2, every=0.1), accepted(1, 2))["in-order"] == "fail"


def test_sending_again_is_right_over_another_connection_only() -> None:
    again = events.Sent(t=9.0, seq=1, connection=2)
    assert verdicts(START, sent(1, 2), again)["dedup-safe"] == "pass"
    assert verdicts(START, sent(1, 2), msgspec.structs.replace(again, connection=1))["dedup-safe"] == "fail"


def test_a_link_given_up_within_its_bound_was_detected_and_nobody_knows_whether_rightly() -> None:
    found = verdicts(START, died(9.0, 3.6), closed(9.0, "tracker"))
    assert (found["detect"], found["no-false-kill"]) == ("pass", "unknown")
    assert verdicts(START, died(30.0, 20.0), closed(30.0, "tracker"))["detect"] == "fail"


def test_attempts_without_a_pause_are_not_polite() -> None:
    hasty = [
        (connected(t, n), closed(t + 0.01, "peer", number=n), connecting(t + 0.02))
        for n, t in enumerate((1.0, 2.0), 1)
    ]
    assert verdicts(START, hasty)["polite"] == "fail"
    assert (
        verdicts(START, closed(1.0, "peer"), waiting(1.0, 0.3), connecting(0.0, 1.4)[1:])["polite"] == "pass"
    )


def test_a_log_that_says_nothing_of_pauses_is_judged_by_the_number_of_attempts() -> None:
    def polite(*times: float) -> str:
        ends = [(connected(t, n), closed(t + 0.1, "peer", number=n)) for n, t in enumerate(times, 1)]
        history = record(connecting(*times), ends)
        return {check.name: check.verdict for check in judge_field(history).checks}["polite"]

    assert polite(0.0, 5.0, 10.0) == "pass"
    assert polite(*(n / 10 for n in range(50))) == "fail"


def test_figures_that_only_the_peer_knows_are_left_open() -> None:
    history = record(
        START, accepted(1, 2), sent(1, 2), sent(1, every=5.0, over=2), confirmed(6.0, 2), confirmed(8.5, 0)
    )
    found = field_measures(history)
    assert (found["lost"], found["repeated"], found["displaced"], found["connections"]) == (0, 1, 0, 1)
    assert found["longest_silence_s"] == 2.5
    assert found["delivered"] == 2
    assert found["offered"] is found["reordered"] is found["recover_s"] is found["false_kills"] is None
    assert field_measures(record(START, accepted(1)))["lost"] is None


# The command


def test_times_count_from_the_anchor(tmp_path: Path) -> None:
    old = (DATA / "trace-1.jsonl").read_text().replace('"anchor":{"t":0.0', '"anchor":{"t":-100.0')
    (tmp_path / "trace").write_text(old)
    trace = open_trace(tmp_path / "trace")
    assert history_of(trace, tuple(trace.events())).events[0].t == 100.0


@pytest.mark.scenarios
def test_a_laboratorys_record_is_judged_as_the_run_was(tmp_path: Path) -> None:
    scenario = catalogue.find("reset")
    history = make_history(Plan(scenario, "sim", 0, 1.0, tmp_path))
    (tmp_path / "record").write_bytes(b"".join(history.lines()))
    result = judged(open_trace(tmp_path / "record"))
    assert (result.scenario, result.engine, result.checks) == (
        "reset",
        "sim",
        judge(history, scenario).checks,
    )


@pytest.mark.scenarios
def test_a_record_of_a_client_that_reports_nothing_is_judged_by_what_its_peer_saw(tmp_path: Path) -> None:
    scenario = catalogue.find("reset")
    history = make_history(Plan(scenario, "sim", 0, 1.0, tmp_path, client="websockets-iterator"))
    (tmp_path / "record").write_bytes(b"".join(history.lines()))
    result = judged(open_trace(tmp_path / "record"))
    assert (result.verdict, result.checks) == ("fail", judge(history, scenario).checks)


@pytest.mark.scenarios
def test_a_record_of_a_scenario_that_is_not_at_hand_is_judged_by_the_clients_side(tmp_path: Path) -> None:
    history = make_history(Plan(catalogue.find("clean-drop"), "sim", 0, 1.0, tmp_path))
    older = replace(history, scenario="mine", as_run=None)
    (tmp_path / "record").write_bytes(b"".join(older.lines()))
    result = judged(open_trace(tmp_path / "record"))
    assert result.scenario == "mine (not in the catalogue)"
    assert result.verdict == "pass"


@pytest.mark.scenarios
def test_a_record_is_judged_by_the_scenario_that_it_carries_and_not_by_todays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    todays = catalogue.find("clean-drop")
    stricter = replace(todays, expect=replace(todays.expect, recover_within=0.001))
    history = make_history(Plan(stricter, "sim", 0, 1.0, tmp_path))
    kept, older = tmp_path / "kept", tmp_path / "older"
    kept.write_bytes(b"".join(history.lines()))
    older.write_bytes(b"".join(replace(history, as_run=None).lines()))
    assert judged(open_trace(kept)).checks == judge(history, stricter).checks
    assert judged(open_trace(older)).checks == judge(history, todays).checks
    assert judge(history, stricter).checks != judge(history, todays).checks
    for file, said in ((kept, False), (older, True)):
        with pytest.raises(typer.Exit):
            check(file)
        assert ("today's catalogue decides" in capsys.readouterr().err) is said


def test_the_command_shows_the_table_and_ends_with_the_verdicts_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        check(DATA / "trace-1.jsonl", json=str(tmp_path / "out.json"))
    assert ended.value.exit_code == 0
    assert "trace-1.jsonl  field   pass" in capsys.readouterr().out
    [run] = msgspec.json.decode((tmp_path / "out.json").read_bytes())["runs"]
    assert (run["engine"], run["client"], run["verdict"]) == ("field", "tracker", "pass")
    with pytest.raises(typer.Exit) as ended:
        check(DATA / "websockets-17-incident.log")
    assert ended.value.exit_code == 3
    assert "could be of more than one connection" in capsys.readouterr().err


def test_the_command_refuses_what_is_no_trace_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello\n")
    with pytest.raises(TraceError, match="text of another kind"):
        check(tmp_path / "x")
    with pytest.raises(TraceError, match="--format is 'pcap'"):
        check(tmp_path / "x", format_="pcap")
