"""Handshakes that the mock peer refuses."""

from dataclasses import dataclass
from math import ceil

from websockets.datastructures import Headers
from websockets.http11 import Response


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a handshake is refused: the HTTP status, and how many seconds the client is asked to stay away, if any."""

    status: int
    retry_after: float = 0.0

    @property
    def asked(self) -> int:
        """What the header `Retry-After` says: whole seconds, no less than `retry_after`."""
        return ceil(self.retry_after)

    def response(self) -> Response:
        """The answer. Made by hand: the library takes registered statuses only."""
        headers = Headers([("Connection", "close"), ("Content-Length", "0")])
        if self.asked:
            headers["Retry-After"] = str(self.asked)
        return Response(self.status, "Refused", headers)
