"""What an exception of a failed attempt comes to."""

import errno
import socket
import ssl

import pytest

from tracker.events import RefusalCause
from tracker.failures import failure_of


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), RefusalCause.NOBODY_THERE),
        (OSError(errno.EHOSTUNREACH, "no route"), RefusalCause.NOBODY_THERE),
        (socket.gaierror(socket.EAI_NONAME, "no such name"), RefusalCause.NOBODY_THERE),
        (OSError("Multiple exceptions: one, another"), RefusalCause.NOBODY_THERE),
        (TimeoutError("timed out during opening handshake"), RefusalCause.TIMED_OUT),
        (ConnectionResetError(errno.ECONNRESET, "reset"), RefusalCause.BROKEN_OFF),
        (OSError(errno.EMFILE, "too many open files"), RefusalCause.BROKEN_OFF),
        (ssl.SSLError(1, "wrong version"), RefusalCause.BROKEN_OFF),
        (ValueError("no URL"), RefusalCause.BROKEN_OFF),
    ],
)
def test_the_cause_of_a_failed_attempt_is_its_errors_type(error: Exception, cause: RefusalCause) -> None:
    assert failure_of(error).cause is cause
