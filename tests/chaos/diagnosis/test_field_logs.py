"""The logs of other people that lie beside this repository, where they do: what must be read out of each."""

from pathlib import Path

import pytest

from chaos.diagnosis.causes import Cause
from chaos.judging.log_checks import judge_log
from tests.chaos.logs import told, understood

FOLDER = Path(__file__).parents[3].parent / "shared" / "field-logs"

READINGS: dict[str, tuple[tuple[Cause, ...], str]] = {
    "01-feed-dead-told-as-unread": ((Cause.NO_PONG,), "nothing at all had come since +44.0 s"),
    "02-cut-at-the-end": ((Cause.STREAM_ENDED,), "(1006) at +47.3 s"),
    "02b-ends-before-CLOSED": ((Cause.NO_PONG,), "still CLOSING when the log ends"),
    "03-own-failure-1009": ((Cause.MAX_SIZE,), "4,194,304 bytes exceeds its max_size of 1,048,576"),
    "04-sync-client-thread-names": (
        (Cause.PEER_CLOSE,),
        '1008 (policy violation) "token expired" at +25.0 s',
    ),
    "05-first-pong-took-20-s": ((Cause.STREAM_ENDED, Cause.NO_END), "connected again 3.0 s later"),
    "06-close-reason-and-last-words": ((Cause.PEER_CLOSE,), "too many sessions for this key"),
    "08-server-log": ((Cause.NO_PONG,), "/device-7: this server gave up"),
    "08b-server-log-without-handshake": ((Cause.NO_PONG,), "This server gave up"),
    "10-versions-before-10": ((Cause.WRONG_PONGS, Cause.NO_PONG), "on a living link"),
    "11-begins-in-the-middle": ((Cause.PEER_RESTART, Cause.PEER_CLOSE), "1012 (service restart)"),
    "12-handshake-answers": ((Cause.NO_UPGRADE,), "a proxy that does not upgrade"),
    "12c-invalid-handshake-server": ((Cause.HEALTH_CHECK,), "every 30.0 s: a health check"),
    "12d-redirect": ((Cause.REDIRECT, Cause.NO_END), "and connected there"),
    "13-idle-timeout-of-60-s": ((Cause.IDLE_TIMEOUT, Cause.STREAM_ENDED), "4 of 4 connections"),
    "15-loop-stood-still": (
        (Cause.LOOP_BLOCKED, Cause.PEER_NO_PONG),
        "From +12.0 s to +57.5 s this client itself",
    ),
    "17-every-line-twice": ((Cause.PEER_CLOSE,), "1001 (going away) at +25.0 s"),
    "18-one-line-without-time": ((Cause.PEER_CLOSE, Cause.NO_END), "1001 (going away) at +1:05.0"),
    "18b-times-only-where-they-change": ((Cause.PEER_CLOSE, Cause.NO_END), "1001 (going away) at +1:05.0"),
    "19-exceptions-of-the-app": (
        (Cause.SERVER_DOWN, Cause.STREAM_ENDED, Cause.NO_END),
        "connected again after 27.0 s: the server was down",
    ),
    "21-a-table-of-400-lines": ((Cause.PEER_CLOSE,), "closed 4 of 4 connections with 1000"),
}


def log(name: str) -> str:
    path = FOLDER / f"{name}.log"
    if not path.exists():
        pytest.skip(f"the logs of other people are not beside this repository ({path.name})")
    return path.read_text()


@pytest.mark.parametrize("name", READINGS)
def test_the_causes_and_the_first_line_of_each(name: str) -> None:
    found, (expected, words) = understood(log(name)), READINGS[name]
    assert tuple(finding.cause for finding in found.findings) == expected
    assert words in told(log(name)).headline


@pytest.mark.parametrize("name", ["02-cut-at-the-end", "02b-ends-before-CLOSED", "03-own-failure-1009"])
def test_a_log_that_ends_at_the_failure_passes_no_check(name: str) -> None:
    assert judge_log(understood(log(name))).verdict != "pass"


@pytest.mark.parametrize("name", READINGS)
def test_the_answer_fits_on_a_screen(name: str) -> None:
    found = told(log(name))
    assert len(found.story) <= 8
    assert len(found.table) <= 20
