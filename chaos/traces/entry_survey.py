"""What reading a log into events needs to know before, taken from its entries: endpoints, traffic, keepalive.        pure"""

from chaos.traces.log_survey import ENDPOINTS, Survey, tenths
from chaos.traces.wire import DATA, Entry, Frame, Keepalive, KeepaliveSays, Notice, Request, StateChange


class EntrySurvey:
    """Fills a survey, for logs whose entries can be made without one."""

    def __init__(self, found: Survey) -> None:
        self._found = found
        self._paths: dict[int, str] = {}
        self._opened: dict[int, float] = {}
        self._asked: dict[int, float] = {}

    def take(self, entry: Entry) -> None:
        """One entry more."""
        found, said, connection = self._found, entry.said, entry.connection
        if isinstance(said, Notice):
            found.notices += 1
        if connection is None:
            return
        found.lines += 1
        match said:
            case Request():
                self._paths[connection] = said.path
                if said.path not in found.endpoints and len(found.endpoints) < ENDPOINTS:
                    found.endpoints.append(said.path)
            case StateChange(to="OPEN"):
                self._opened[connection] = entry.t
            case StateChange(to="CLOSED"):
                self._opened.pop(connection, None)
                self._asked.pop(connection, None)
            case Frame():
                self._frame(connection, entry.t, said)
            case KeepaliveSays(what=Keepalive.GAVE_UP):
                asked = self._asked.get(connection)
                if found.ping_timeout is None and asked is not None and found.timed:
                    found.ping_timeout = tenths(entry.t - asked)
            case _:
                pass

    def _frame(self, connection: int, t: float, said: Frame) -> None:
        found = self._found
        if said.opcode in DATA and connection in self._paths:
            (found.sent if said.way == ">" else found.received)[self._paths[connection]] += 1
        elif said.opcode == "PING" and said.way == ">":
            self._asked[connection] = t
            opened = self._opened.get(connection)
            if found.ping_interval is None and opened is not None and found.timed:
                found.ping_interval = tenths(t - opened)
