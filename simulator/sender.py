"""Who sends to the mock peer: which of several clients, and what it has sent so far.                           pure"""

import re

from simulator.seen import Seen
from tracker import messages

NUMBER = "simtool-client"
"""The query's key that tells several clients of one run apart. No client has one of this name for itself."""


def numbered(url: str, client: int) -> str:
    """A URL for the client of this number."""
    return f"{url}{'&' if '?' in url else '?'}{NUMBER}={client}"


def client_number(path: str) -> int:
    """The number that `numbered` gave, whatever a client has put behind it; 0 where there is none."""
    found = re.search(rf"[?&]{NUMBER}=(\d{{1,9}})(?:[?&/]|$)", path)
    return int(found[1]) if found else 0


class Sender:
    """One client at the sink: tells what is new in an output from what had arrived before."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self._session: messages.SessionState | None = None
        self._touched: set[tuple[str, str]] = set()
        self._places = 0

    def next_place(self) -> int:
        """The number of a message that has none: its place in the order of arrival, from 0."""
        self._places += 1
        return self._places - 1

    def repeats(self, output: messages.Output) -> bool:
        """Note it; whether its `(stream, seq)` had arrived before."""
        return not self._seen.setdefault(output.stream, Seen()).add(output.seq)

    def shows_anew(self, output: messages.Output) -> bool:
        """Note its session; whether the output before showed another, or none."""
        if output.session is None or output.session is self._session or output.session == self._session:
            return False
        self._session = output.session
        return True

    def new_touches(self, output: messages.Output) -> list[tuple[str, int]]:
        """The touches that no output before this one showed: hold and message time in epoch milliseconds."""
        if output.session is None:
            return []
        found = []
        for hold in output.session.holds:
            if (
                hold.status == "touched"
                and hold.time is not None
                and (hold.id, hold.time) not in self._touched
            ):
                self._touched.add((hold.id, hold.time))
                found.append((hold.id, messages.parse_iso_time(hold.time)))
        return found
