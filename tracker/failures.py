"""What an exception of a failed attempt comes to: the facts that `reconnect` decides on."""

import errno
import socket
import ssl

from websockets.exceptions import InvalidMessage, InvalidStatus
from websockets.http11 import Response

from tracker import events
from tracker.config import without_credentials
from tracker.opening import RedirectRefused
from tracker.patience import seconds_asked
from tracker.reconnect import CertificateFault, Failure

# The numbers of OpenSSL's X509_V_ERR_...
_CERTIFICATE_FAULTS = {
    9: CertificateFault.NOT_YET_VALID,
    10: CertificateFault.EXPIRED,
    **dict.fromkeys((18, 19, 20, 21), CertificateFault.UNKNOWN_AUTHORITY),
    **dict.fromkeys((62, 64), CertificateFault.OTHER_NAME),
}
_NOBODY_THERE = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)

TEXT_AT_MOST = 300
"""Characters that are told of an error: a peer may have written part of it."""


def failure_of(error: Exception) -> Failure:
    """The library's exception as the facts that `reconnect` decides on."""
    if isinstance(error, InvalidStatus):
        response = error.response
        return Failure(
            f"HTTP {response.status_code}",
            status=response.status_code,
            retry_after=seconds_asked(*(_first(response, name) for name in ("Retry-After", "Date"))),
            cause=events.RefusalCause.STATUS,
        )
    if isinstance(error, RedirectRefused):
        return Failure(str(error)[:TEXT_AT_MOST], status=error.status, cause=events.RefusalCause.STATUS)
    text = str(error) or type(error).__name__
    if isinstance(error, InvalidMessage) and error.__cause__ is not None:
        text = f"{text}: {error.__cause__}"  # what of the answer was none
    return Failure(
        without_credentials(text[:TEXT_AT_MOST]),
        certificate=_certificate_fault(error),
        cause=_cause_of(error),
    )


def _first(response: Response, header: str) -> str:
    """Its value where it is given, whatever else is given under the same name; empty where it is not."""
    return next(iter(response.headers.get_all(header)), "")


def _certificate_fault(error: Exception) -> CertificateFault | None:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return None
    return _CERTIFICATE_FAULTS.get(error.verify_code, CertificateFault.OTHER)


def _cause_of(error: Exception) -> events.RefusalCause:
    if isinstance(error, TimeoutError):
        return events.RefusalCause.TIMED_OUT
    # asyncio puts the errors of a host's several addresses into one, and that one has no number.
    of_all_addresses = type(error) is OSError and error.errno is None
    if isinstance(error, socket.gaierror) or of_all_addresses:
        return events.RefusalCause.NOBODY_THERE
    if isinstance(error, OSError) and error.errno in _NOBODY_THERE:
        return events.RefusalCause.NOBODY_THERE
    return events.RefusalCause.BROKEN_OFF
