"""Logs as the `websockets` library writes them, made line by line, for tests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

from chaos.diagnosis.causes import Cause
from chaos.diagnosis.explaining import Diagnosis, diagnose
from chaos.diagnosis.telling import Told, tell
from chaos.timeline.from_log import timeline
from chaos.traces import websocket_client_log, websocket_client_survey
from chaos.traces.log_envelopes import unwrapped
from chaos.traces.log_reading import read_log
from chaos.traces.log_survey import is_one, survey
from chaos.traces.problems import Problems

BEGIN = datetime(2026, 5, 11, 6, 30, 0, tzinfo=UTC)

Format = Callable[[datetime, str, str], str]
"""A time, a logger's name and a message make a line."""


def plain(at: datetime, logger: str, message: str) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} DEBUG {logger}: {message}"


class Log:
    """Takes what happened, in the order of time; times in seconds from the first line."""

    def __init__(self, side: Literal["client", "server"] = "client", *, logger: str | None = None) -> None:
        self._logger = logger or f"websockets.{side}"
        self._own, self._peer = (">", "<") if side == "client" else ("<", ">")
        self.lines: list[tuple[float, str, str]] = []
        self._raw: dict[int, str] = {}

    def say(self, t: float, *messages: str, logger: str | None = None) -> Self:
        self.lines += [(t, logger or self._logger, message) for message in messages]
        return self

    def raw(self, *texts: str) -> Self:
        """Lines without any prefix, as a traceback has."""
        for text in texts:
            self._raw[len(self.lines)] = text
            self.lines.append((self.lines[-1][0] if self.lines else 0.0, "", text))
        return self

    def asks(self, t: float, path: str = "/live", *, library: str = "16.0") -> Self:
        request = f"{self._own} GET {path} HTTP/1.1"
        agent = f"{self._own} User-Agent: Python/3.13 websockets/{library}"
        return self.say(t, "= connection is CONNECTING", request, agent)

    def opens(self, t: float, path: str = "/live", *, took: float = 0.03, library: str = "16.0") -> Self:
        switching = f"{self._peer} HTTP/1.1 101 Switching Protocols"
        return self.asks(t, path, library=library).say(t + took, switching, "= connection is OPEN")

    def is_answered(self, t: float, status: str, *headers: str, body: str = "") -> Self:
        self.say(t, f"{self._peer} HTTP/1.1 {status}", *(f"{self._peer} {header}" for header in headers))
        if body:
            self.say(t, f"{self._peer} [body] {body} [{len(body)} bytes]")
        return self.say(t + 0.01, "= connection is CLOSED")

    def gets(self, t: float, text: str = "tick") -> Self:
        return self.say(t, f"< TEXT '{text}' [{len(text)} bytes]")

    def sends(self, t: float, text: str = "hello") -> Self:
        return self.say(t, f"> TEXT '{text}' [{len(text)} bytes]")

    def pings(self, t: float, payload: str, *, pong: float | None = 0.04) -> Self:
        """With its Pong, so many seconds later; None: none comes."""
        self.say(t, f"> PING {payload} [binary, {len(payload.split())} bytes]", "% sent keepalive ping")
        if pong is not None:
            self.say(t + pong, f"< PONG {payload} [binary, 4 bytes]", "% received keepalive pong")
        return self

    def gives_up(self, t: float) -> Self:
        return self.say(
            t,
            "- timed out waiting for keepalive pong",
            "> CLOSE 1011 (internal error) keepalive ping timeout [24 bytes]",
            "= connection is CLOSING",
        )

    def peer_closes(self, t: float, close: str) -> Self:
        frame = f"CLOSE {close} [{2 + len(close.partition(') ')[2])} bytes]"
        self.say(t, f"< {frame}", f"> {frame}", "= connection is CLOSING")
        return self.say(t + 0.02, "< EOF", "= connection is CLOSED")

    def ends(self, t: float) -> Self:
        return self.say(t, "< EOF", "> EOF", "= connection is CLOSED")

    def text(self, format_: Format = plain) -> str:
        found = [
            self._raw.get(place) or format_(BEGIN + timedelta(seconds=t), logger, message)
            for place, (t, logger, message) in enumerate(self.lines)
        ]
        return "\n".join(found) + "\n"


def understood(text: str) -> Diagnosis:
    """What a log's text tells."""
    lines = list(unwrapped(enumerate(text.splitlines(), 1)))
    if not any(is_one(line) for _, line in lines) and any(
        websocket_client_survey.is_one(line) for _, line in lines
    ):
        surveyed = websocket_client_survey.survey(lines)
        return diagnose(timeline(surveyed, websocket_client_log.read_log(surveyed, lines, Problems())))
    surveyed = survey(lines)
    return diagnose(timeline(surveyed, read_log(surveyed, lines, Problems())))


def told(text: str) -> Told:
    return tell(understood(text))


def causes(text: str) -> list[Cause]:
    """Of all findings, the most telling first."""
    return [finding.cause for finding in understood(text).findings]
