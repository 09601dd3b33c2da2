"""The kinds of trouble, and what must be read out of the log of each side."""

from pathlib import Path
from typing import NamedTuple

from chaos.diagnosis.causes import Cause

DATA = Path(__file__).parents[1] / "data" / "real"
VERSIONS = ("10", "13", "17")


class Reading(NamedTuple):
    """The most telling cause, and words of the first line."""

    cause: Cause
    words: str


KINDS: dict[str, dict[str, Reading]] = {
    "idle-timeout": {
        "client": Reading(Cause.IDLE_TIMEOUT, "3 of 3 connections"),
        "server": Reading(Cause.IDLE_TIMEOUT, "3 of 3 connections"),
    },
    "blocked-loop": {
        "client": Reading(Cause.LOOP_BLOCKED, "this client itself did nothing for 7.0 s"),
        "server": Reading(Cause.NO_PONG, "this server gave up"),
    },
    "client-frozen": {"client": Reading(Cause.LOOP_BLOCKED, "its process stood still")},
    "wrong-pongs": {"client": Reading(Cause.WRONG_PONGS, "on a living link")},
    "health-check": {"server": Reading(Cause.HEALTH_CHECK, "3 times somebody connected")},
    "no-upgrade": {"client": Reading(Cause.NO_UPGRADE, "HTTP 200 OK")},
    "refused-for-good": {
        "client": Reading(Cause.REFUSED_FOR_GOOD, "HTTP 403 Forbidden"),
        "server": Reading(Cause.REFUSED_FOR_GOOD, "this server refused the client"),
    },
    "server-died": {
        "client": Reading(Cause.SERVER_DOWN, "the server was down"),
        "server": Reading(Cause.OWN_RESTART, "started again once"),
    },
    "storm": {
        "client": Reading(Cause.STORM, "attempts in"),
        "server": Reading(Cause.OWN_CLOSE, "1013 (try again later)"),
    },
    "max-size": {
        "client": Reading(Cause.MAX_SIZE, "exceeds its max_size"),
        "server": Reading(Cause.PEER_MAX_SIZE, "1009 (message too big)"),
    },
    "server-frozen": {"client": Reading(Cause.NO_PONG, "got no answer")},
    "stream-ended": {
        "client": Reading(Cause.STREAM_ENDED, "without a close frame"),
    },
    "own-failure": {
        "client": Reading(Cause.PEER_CLOSE, "1011 (internal error)"),
        "server": Reading(Cause.OWN_FAILURE, "no such player"),
    },
    "two-links": {
        "client": Reading(
            Cause.PEER_CLOSE,
            'The server closed 4 of 4 connections with 1008 (policy violation) "token expired", 2.5 s after',
        ),
    },
    "close-with-a-reason": {
        "client": Reading(Cause.PEER_CLOSE, 'its last message: {"error":"session limit"}'),
    },
    "evening-frozen": {
        "client": Reading(Cause.PEER_STOOD_STILL, "the server's process stood still for 10."),
    },
    "evening-killed": {
        "client": Reading(Cause.STREAM_ENDED, "both connections ended in the same moment"),
    },
    "two-links-frozen": {
        "client": Reading(Cause.PEER_STOOD_STILL, "its port still accepted, nothing answered"),
    },
    "client-frozen-pinging": {"client": Reading(Cause.LOOP_BLOCKED, "its process stood still")},
    "client-restarted": {"client": Reading(Cause.OWN_RESTART, "this client's process was started again")},
    "fell-silent": {"client": Reading(Cause.FELL_SILENT, "no Ping was sent")},
    "told-by-the-program": {"client": Reading(Cause.SERVER_DOWN, "s: the server was down")},
    "server-blocked": {"server": Reading(Cause.LOOP_BLOCKED, "this server itself did nothing for 7")},
    "wrong-pongs-of-a-client": {"server": Reading(Cause.WRONG_PONGS, "on a living link")},
    "stream-cut": {"server": Reading(Cause.STREAM_ENDED, "without a close frame (1006)")},
}

WEBSOCKET_CLIENT_KINDS = (
    "close-with-a-reason",
    "stream-ended",
    "ping-timeout",
    "refused",
    "no-upgrade",
    "server-died",
    "healthy",
)
