"""What the mock peer asks of a handshake, and what it says first on a connection.                             pure"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from simulator.identity import compiled


@dataclass(frozen=True, slots=True)
class Entrance:
    """What a handshake must bring along; one that does not is answered with 401, or 400 for the subprotocol."""

    headers: tuple[tuple[str, str], ...] = ()
    """Names and values. A token is the header `Authorization: Bearer TOKEN`."""
    query: str = ""
    """Each of its pairs must be in the request's query; others may be beside them."""
    subprotocol: str | None = None

    def complaint(self, path: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """The HTTP status and the reason for which this handshake is turned away; None: it is let in."""
        for name, value in self.headers:
            given = headers.get(name)
            if given != value:
                return 401, f"the header {name} is {'missing' if given is None else 'another'}"
        brought = parse_qsl(path.partition("?")[2], keep_blank_values=True)
        for pair in parse_qsl(self.query, keep_blank_values=True):
            if pair not in brought:
                return 401, f"the query has no {pair[0]}={pair[1]}"
        if self.subprotocol is not None:
            offered = [name.strip() for name in headers.get("Sec-WebSocket-Protocol", "").split(",")]
            if self.subprotocol not in offered:
                return 400, f"the subprotocol {self.subprotocol} is not offered"
        return None


@dataclass(frozen=True, slots=True)
class Opening:
    """How a connection over which the peer sends begins."""

    greeting: str | None = None
    """What the peer says first; None: nothing but its messages."""
    subscription: str | None = None
    """A regular expression: the peer sends no message before one of the client's matches it; None: it does not wait."""
    answer: str | None = None
    """What it says to that."""

    def subscribes(self, body: bytes) -> bool:
        """Whether this is the message that the peer waits for."""
        if self.subscription is None:
            return False
        return re.search(compiled(self.subscription), body.decode(errors="replace")) is not None
