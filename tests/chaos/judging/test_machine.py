"""What is laid at the machine's door, and what is not."""

from dataclasses import replace

import pytest

from chaos.history import History, StoodStill
from chaos.judging.checks import judge
from chaos.judging.machine import in_doubt, paused, too_slow
from chaos.judging.verdicts import HOST_PAUSED, Check
from simulator import events as peer
from tests.chaos.histories import (
    STEADY,
    accepted,
    connected,
    delivered,
    fault,
    record,
    scenario,
    sent,
    struck,
)
from tracker import events

BURST = fault("burst", 10.0, 2.0, on="input", fps=90)
ASKED = scenario(BURST)


def burst(offered: int, received: int, engine: str = "toxiproxy") -> History:
    """So many frames within its two seconds."""
    times = [10.0 + 2.0 * n / offered for n in range(offered)]
    history = record(
        struck(BURST),
        [peer.Offered(t=t, sequence=n, connection=2) for n, t in enumerate(times)],
        [events.Received(t=t, timestamp=t, sequence=n) for n, t in enumerate(times[:received])],
    )
    return replace(history, engine=engine)


def test_a_burst_that_nobody_held_up_was_too_much_for_the_machine() -> None:
    check = too_slow(burst(offered=60, received=60), ASKED)
    assert check is not None
    assert check.observed == "this machine could not make the burst: 30 frames a second went out"


@pytest.mark.parametrize(
    ("offered", "received", "engine"),
    [
        (180, 180, "toxiproxy"),  # it was made
        (60, 20, "toxiproxy"),  # the client took little of it, so that the peer had to wait
        (60, 60, "sim"),  # virtual time waits for a busy machine
    ],
)
def test_a_burst_says_nothing_of_the_machine(offered: int, received: int, engine: str) -> None:
    assert too_slow(burst(offered, received, engine), ASKED) is None


def test_such_a_run_is_in_doubt() -> None:
    times = [10.0 + n / 30 for n in range(60)]
    seqs = range(1, 61)
    history = record(
        STEADY,
        connected(),
        struck(BURST),
        [peer.Offered(t=t, sequence=n, connection=2) for n, t in zip(seqs, times, strict=True)],
        [events.Received(t=t, timestamp=t, sequence=n) for n, t in zip(seqs, times, strict=True)],
        accepted(*seqs),
        sent(*seqs),
        delivered(*seqs),
    )
    judgement = judge(replace(history, engine="toxiproxy"), ASKED)
    assert (judgement.verdict, judgement.in_doubt) == ("unknown", True)
    assert not judge(replace(history, engine="sim"), ASKED).in_doubt


def test_a_start_that_was_never_steady_is_in_doubt_where_the_machine_stood_still() -> None:
    without = judge(record(), scenario())
    assert (without.verdict, without.in_doubt) == ("unknown", False)
    stood = judge(record(StoodStill(t=2.0, seconds=3.0)), scenario())
    assert (stood.verdict, stood.in_doubt) == ("unknown", True)
    assert stood.checks[-1].name == HOST_PAUSED


def test_the_longest_pause_is_told_and_how_many_more_there_were() -> None:
    check = paused(record(StoodStill(t=2.0, seconds=1.5), StoodStill(t=9.0, seconds=4.0)))
    assert check is not None
    assert check.observed == "it stood still for 4.0 s of scenario time, up to 9.0 s, and 1 times more"
    assert paused(record()) is None


@pytest.mark.parametrize(("with_it", "verdict"), [("no-false-kill", "unknown"), ("in-order", "fail")])
def test_frames_that_a_connection_took_along_are_excused_with_its_end_alone(
    with_it: str, verdict: str
) -> None:
    failed = [Check(name, "fail", "", "") for name in (with_it, "every-frame")]
    judged = {
        check.name: check.verdict
        for check in in_doubt(failed, record(StoodStill(t=2.0, seconds=3.0)), scenario())
    }
    assert judged["every-frame"] == verdict
