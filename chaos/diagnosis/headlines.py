"""Which words are whose.                                                                                              pure"""

from collections.abc import Callable

from chaos.diagnosis import saying_attempts as attempts
from chaos.diagnosis import saying_ends as ends
from chaos.diagnosis import saying_exceptions as exceptions
from chaos.diagnosis import saying_silences as silences
from chaos.diagnosis.causes import Cause, Finding
from chaos.diagnosis.saying import Said
from chaos.diagnosis.wording import Words


def said_of(finding: Finding, words: Words) -> Said:
    """The sentence of a finding, its remedy, and what it leaves open."""
    return _SAYINGS[finding.cause](finding, words)


_SAYINGS: dict[Cause, Callable[[Finding, Words], Said]] = {
    Cause.LOOP_BLOCKED: silences.loop_blocked,
    Cause.PEER_STOOD_STILL: silences.peer_stood_still,
    Cause.WRONG_PONGS: silences.wrong_pongs,
    Cause.UNREAD: silences.unread,
    Cause.IDLE_TIMEOUT: ends.idle,
    Cause.AGE_LIMIT: ends.age,
    Cause.MAX_SIZE: ends.max_size,
    Cause.PEER_MAX_SIZE: ends.peer_max_size,
    Cause.NO_UPGRADE: attempts.no_upgrade,
    Cause.REFUSED_FOR_GOOD: attempts.refused,
    Cause.HEALTH_CHECK: attempts.health_check,
    Cause.OWN_RESTART: attempts.own_restart,
    Cause.PEER_RESTART: attempts.peer_restart,
    Cause.SERVER_DOWN: attempts.unreachable,
    Cause.STORM: attempts.storm,
    Cause.NO_PONG: silences.no_pong,
    Cause.PEER_NO_PONG: silences.peer_no_pong,
    Cause.OWN_FAILURE: ends.own_failure,
    Cause.PEER_FAILURE: ends.peer_failure,
    Cause.STREAM_ENDED: ends.stream_ended,
    Cause.PEER_CLOSE: ends.peer_close,
    Cause.REFUSED_FOR_NOW: attempts.refused,
    Cause.BAD_HANDSHAKE: attempts.bad_handshake,
    Cause.UNREACHABLE: attempts.unreachable,
    Cause.END_NOT_SHOWN: ends.not_shown,
    Cause.CLOSES_TOLD: exceptions.closes_told,
    Cause.LATE_PONG: silences.late_pong,
    Cause.FELL_SILENT: silences.fell_silent,
    Cause.LEFT: ends.left,
    Cause.PING_WAITS: silences.ping_waits,
    Cause.LAST_LINES: ends.last_lines,
    Cause.OWN_CLOSE: ends.own_close,
    Cause.REDIRECT: attempts.redirect,
    Cause.NO_END: ends.no_end,
}
