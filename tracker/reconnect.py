"""When to try again, and when not to.                                                                     pure"""

from dataclasses import dataclass
from enum import Enum
from random import Random

from tracker import events
from tracker.config import Timing

RETRY_AFTER_LIMIT = 300.0
"""Seconds. A server that asks for more patience than this gets this much."""

_REMEDIES = {
    401: "the endpoint wants credentials: give a token (--token-file) or ask who runs it",
    403: "the endpoint does not admit this client: ask who runs it",
    404: "there is nothing at this path: check the URL",
}


class CertificateFault(Enum):
    """Why an endpoint's certificate is not believed."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    UNKNOWN_AUTHORITY = "unknown authority"
    OTHER_NAME = "other name"
    OTHER = "other"


_CERTIFICATE_REMEDIES = {
    CertificateFault.EXPIRED: "the endpoint's certificate has expired: ask who runs it to renew it, and check this machine's clock",
    CertificateFault.NOT_YET_VALID: None,
    CertificateFault.UNKNOWN_AUTHORITY: "nobody who is trusted here has signed the endpoint's certificate: name the authority's file, --ca-file",
    CertificateFault.OTHER_NAME: "the endpoint's certificate is one for another name: check the URL's host and the certificate",
    CertificateFault.OTHER: "the endpoint's certificate is not valid for this URL: check the host name and the certificate",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a connection could not be opened, as far as the decision to go on depends on it."""

    text: str
    status: int | None = None
    """The HTTP status of the refusal, where there was one."""
    retry_after: float | None = None
    """Seconds that the refusal asked to wait."""
    certificate: CertificateFault | None = None
    cause: events.RefusalCause = events.RefusalCause.BROKEN_OFF


def remedy(failure: Failure) -> str | None:
    """What a person must do before another attempt can succeed; None when time alone may heal it.

    Only a refusal that names the client's own mistake is fatal: credentials, admission, path, TLS name. A
    server error, a refused or silent port and a close code of any kind are transient, and so is a certificate that is
    not valid yet: it will be, or our clock was not set when the machine started.
    """
    if failure.certificate is not None:
        return _CERTIFICATE_REMEDIES[failure.certificate]
    return _REMEDIES.get(failure.status) if failure.status is not None else None


class Backoff:
    """Full jitter: the delay before attempt n is uniform in 0..min(cap, base * 2**(n - 1)), so that a crowd spreads out
    at once; only the first attempt of all has none.

    (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.) It starts over only after a
    connection proved *stable*; one that is accepted and dropped again counts as one more failure.
    """

    def __init__(self, timing: Timing, rng: Random) -> None:
        self._timing = timing
        self._rng = rng
        self._attempt = 1

    @property
    def attempt(self) -> int:
        """The number of the next attempt, from 1 since the start or the last stable connection."""
        return self._attempt

    def after_refusal(self, failure: Failure) -> float:
        """Seconds to wait after an attempt that did not open."""
        self._attempt += 1
        delay = self._delay()
        if failure.retry_after is None:
            return delay
        # The jitter comes on top: everybody was told the same number.
        return min(max(failure.retry_after, 0.0), RETRY_AFTER_LIMIT) + delay

    def after_close(self, lived: float) -> float:
        """Seconds to wait after a connection that showed signs of life for `lived` seconds, however it ended."""
        self._attempt = 1 if lived >= self._timing.stable_after else self._attempt + 1
        return self._delay()

    def after_standstill(self) -> float:
        """Seconds to wait once the machine runs again: what failed before it stood still says little about now."""
        return self._rng.uniform(0.0, self._timing.reconnect_delay)

    def _delay(self) -> float:
        # 2**60 is far above any cap; a larger exponent would only overflow after months of failure.
        ceiling = min(
            self._timing.reconnect_cap, self._timing.reconnect_delay * 2.0 ** min(self._attempt - 1, 60)
        )
        return self._rng.uniform(0.0, ceiling)
