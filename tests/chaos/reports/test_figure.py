"""The texts are those that the checks write; the last tests take them from whole runs."""

from pathlib import Path

import pytest

from chaos import catalogue
from chaos.judging.verdicts import Check
from chaos.reports.figure import figure
from chaos.runner import Plan, perform
from tests.chaos.runs import failed, measured, run, unknown


@pytest.mark.parametrize(
    ("name", "observed", "shown"),
    [
        ("valid-run", "the client failed: KeyError: 'hold'", "died"),
        ("valid-run", "the client failed: TimeoutError: it did not stop within 15 s", "no stop"),
        ("no-false-kill", "3 handshakes given up: timed out on output at 2.0 s", "3 handshakes"),
        ("no-loss", "7 lost, the first is 370", "7 lost"),
        ("no-loss", "client 7: 12 lost: seq 1", "12 lost"),
        ("in-order", "clients 0, 1, 2, 3, 4, ... (50 in all): 3 came late: seq 4, 5, 6", "3 late"),
        ("spread", "at most 50, on output", "50 at once"),
        ("polite", "2 more", "2 more"),
        ("no-loss", "12 lost: seq 1, 2, 3, 4, 5, ... (12 in all)", "12 lost"),
        ("in-order", "3 came late: seq 4, 5, 6", "3 late"),
        ("dedup-safe", "2 wrong: seq 4, 5", "2 bad repeats"),
        ("detect", "still there after 20.00 s of silence", "deaf 20 s"),
        ("detect", "not in time: stall on output, 10s to 30s", "detect"),
        ("recover", "9.20 s after reset_peer on output, timeout 0 ms, 40s to 40.5s", "slow 9.20 s"),
        ("recover", "no delivery after stall on output, 10s to 30s", "no recovery"),
        ("silence", "10.03 s at most", "silent 10 s"),
        ("polite", "at most 1600, on input", "1600 attempts"),
        ("polite", "no jitter in 5 delays on output: 1.00, 2.00 s", "polite"),
        ("same-climb", "different: hold_1", "same-climb"),
        ("clean-stop", "close codes [], 3 undelivered, 2.00 s", "clean-stop"),
    ],
)
def test_a_failure_shows_the_number_that_tells_most_or_else_the_promise(
    name: str, observed: str, shown: str
) -> None:
    assert figure(failed(name, observed)) == shown


@pytest.mark.parametrize(
    ("observed", "kills", "shown"),
    [
        ("1011 keepalive ping timeout by the client on output at 46.9 s", 1, "1011"),
        ("1011 keepalive ping timeout by the client on output at 46.9 s, 2 times", 2, "1011 x2"),
        (
            "1011 a by the client on output at 4.0 s; 1011 b by the client on input at 5.0 s, 2 times",
            3,
            "1011 x3",
        ),
        (
            "1011 a by the client on output at 4.0 s; 1006 without a close frame on input at 5.0 s",
            2,
            "2 kills",
        ),
    ],
)
def test_a_kill_shows_its_code_and_how_often_where_the_code_was_always_the_same(
    observed: str, kills: int, shown: str
) -> None:
    assert figure(failed("no-false-kill", observed, measures=measured(false_kills=kills))) == shown


@pytest.mark.parametrize(
    ("name", "observed", "shown"),
    [
        ("valid-run", "no output arrived before the first fault was due", "never steady"),
        ("valid-run", "the laboratory failed: OSError: no ports", "laboratory"),
        ("evidence", "none of: stall on output, 10s to 30s", "no evidence"),
        ("host-paused", "it stood still for 5.0 s of scenario time, up to 9.0 s", "machine paused"),
        ("no-loss", "4 were still in flight at the end", "4 in flight"),
        ("stressed", "none of them shows from the peer's side", "not seen"),
        ("recover", "the path never stayed healed for so long", "recover"),
    ],
)
def test_the_unknown_shows_what_was_lacking(name: str, observed: str, shown: str) -> None:
    assert figure(unknown(name, observed)) == shown


def test_causes_come_before_consequences_and_what_was_unknown_decided_no_failure() -> None:
    lacking = Check("evidence", "unknown", "a trace", "none of: stall")
    late = Check("in-order", "fail", "in order", "1 came late: seq 5")
    lost = Check("no-loss", "fail", "all", "7 lost")
    killed = Check("no-false-kill", "fail", "none", "1011 by the client on output at 4.0 s")
    doubted = Check("same-climb", "unknown", "6 touches", "1 may be among the 4 missing")
    slow = Check("recover", "fail", "at once", "9.20 s after down on output")
    assert figure(run("fail", lacking, late)) == "1 late"
    assert figure(run("fail", doubted, slow)) == "slow 9.20 s"
    assert figure(run("fail", lacking, late, lost)) == "7 lost"
    assert figure(run("fail", late, lost, killed, measures=measured(false_kills=1))) == "1011"


@pytest.mark.parametrize(
    ("recovered", "shown"), [(0.641, "0.64 s"), (0.0, "0.00 s"), (601.6, "602 s"), (None, "")]
)
def test_a_pass_shows_how_long_recovery_took_if_there_was_one(recovered: float | None, shown: str) -> None:
    assert figure(run(measures=measured(recover_s=recovered))) == shown


@pytest.mark.scenarios
@pytest.mark.parametrize(
    ("scenario", "verdict", "shown"), [("echo-backlog", "fail", "1011"), ("reset", "fail", "{lost} lost")]
)
def test_a_whole_run_shows_what_its_checks_counted(
    scenario: str, verdict: str, shown: str, tmp_path: Path
) -> None:
    result = perform(Plan(catalogue.find(scenario), "sim", 0, 10.0, tmp_path, "incident-after"))
    assert (result.verdict, figure(result)) == (verdict, shown.format(**result.measures))
