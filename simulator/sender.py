"""Who sends to the mock peer: which of several clients, and what it has sent so far.                           pure"""

import re

from simulator.seen import Seen
from tracker import messages


def client_number(path: str) -> int:
    """The N of `?client=N` in a request's path; 0 where it says nothing of the kind."""
    found = re.search(r"[?&]client=(\d{1,9})(?:&|$)", path)
    return int(found[1]) if found else 0


class Sender:
    """One client at the sink: tells what is new in an output from what had arrived before."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self._session: messages.SessionState | None = None
        self._touched: set[tuple[str, str]] = set()

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
