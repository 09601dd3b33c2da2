"""The kinds of logs that can be told: by which lines each is known, and who reads it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from chaos.traces import har, log_reading, log_survey, websocket_client_log, websocket_client_survey
from chaos.traces.files import TraceError, open_lines
from chaos.traces.log_envelopes import unwrapped
from chaos.traces.log_survey import Survey
from chaos.traces.problems import Problems
from chaos.traces.wire import Entry

LogName = Literal["websockets-log", "websocket-client-log", "har"]

_RECOGNISED_WITHIN = 4000  # lines of a log that may pass before the first of the library's


@dataclass(frozen=True, slots=True)
class LogKind:
    """How one kind is read. `survey` raises `TraceError` for a file in which there is nothing to tell."""

    is_one: Callable[[Path], bool]
    survey: Callable[[Path], Survey]
    entries: Callable[[Survey, Path, Problems], Iterator[Entry]]


def kind_of(path: Path) -> LogName | None:
    """The kind of a file by its content; None: it is no log that can be told."""
    return next((name for name, kind in KINDS.items() if kind.is_one(path)), None)


def _texts(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    lines = ((number, line.decode(errors="replace")) for number, line, _ in open_lines(path, problems))
    return unwrapped(lines)


def _any_line(is_one: Callable[[str], bool]) -> Callable[[Path], bool]:
    def shows(path: Path) -> bool:
        with closing(open_lines(path, Problems())) as lines:
            first = islice(lines, _RECOGNISED_WITHIN)
            texts = ((number, line.decode(errors="replace")) for number, line, _ in first)
            return any(is_one(text) for _, text in unwrapped(texts))

    return shows


def _survey_of_websockets(path: Path) -> Survey:
    found = log_survey.survey(_texts(path, Problems()))
    if not found.lines and not found.notices:
        raise TraceError(
            f"{path}: no line of it is of the websockets library: log its DEBUG level, or give the right file"
        )
    if found.newest_first:
        raise TraceError(
            f"{path}: its newest lines come first: put the oldest first (sort by time, or tac) and try again"
        )
    return found


def _of_websockets(survey: Survey, path: Path, problems: Problems) -> Iterator[Entry]:
    return log_reading.read_log(survey, _texts(path, problems), problems)


def _survey_of_websocket_client(path: Path) -> Survey:
    found = websocket_client_survey.survey(_texts(path, Problems()))
    if not found.lines and not found.notices:
        raise TraceError(
            f"{path}: no line of it is of websocket-client: call websocket.enableTrace(True), or give the right file"
        )
    return found


def _of_websocket_client(survey: Survey, path: Path, problems: Problems) -> Iterator[Entry]:
    return websocket_client_log.read_log(survey, _texts(path, problems), problems)


KINDS: Mapping[LogName, LogKind] = {
    "har": LogKind(har.is_one, har.survey, har.read_har),
    "websockets-log": LogKind(_any_line(log_survey.is_one), _survey_of_websockets, _of_websockets),
    "websocket-client-log": LogKind(
        _any_line(websocket_client_survey.is_one), _survey_of_websocket_client, _of_websocket_client
    ),
}
