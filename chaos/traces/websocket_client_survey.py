"""A first look through a trace of `websocket-client`: what reading it needs to know before.                         pure"""

from collections.abc import Iterable
from itertools import chain, islice

from chaos.traces.entry_survey import EntrySurvey
from chaos.traces.log_lines import without_colours
from chaos.traces.log_survey import Survey
from chaos.traces.log_times import leading_time
from chaos.traces.problems import Problems
from chaos.traces.websocket_client_lines import ClientLine, Kind, is_doubled, read_line
from chaos.traces.websocket_client_log import read_log
from chaos.traces.wire import Writer

_DECIDED_WITHIN = 5000
"""Lines by which it is decided whether each is written twice, and whether they have times."""


def is_one(text: str) -> bool:
    """Whether a line is the library's beyond doubt."""
    line = read_line(text)
    if line is None:
        return False
    return line.kind in (Kind.REQUEST, Kind.RESPONSE, Kind.FRAME, Kind.RAW) or (
        line.kind is Kind.LOST and "websocket" in line.prefix.lower()
    )


def survey(texts: Iterable[tuple[int, str]]) -> Survey:
    """Look through a whole trace."""
    texts = iter(texts)
    first = list(islice(texts, _DECIDED_WITHIN))
    found = Survey(writer=Writer.WEBSOCKET_CLIENT)
    lines = [line for _, text in first if (line := read_line(text)) is not None]
    found.twice = is_doubled(lines)
    found.shows_received = not any(line.old for line in lines)
    found.shows_decoded = any(line.kind is Kind.FRAME for line in lines)
    _look_at_times(found, first, lines)
    found.sides["client"] += 1
    seen = EntrySurvey(found)
    for entry in read_log(found, chain(first, texts), Problems()):
        seen.take(entry)
    return found


def _look_at_times(found: Survey, texts: Iterable[tuple[int, str]], lines: Iterable[ClientLine]) -> None:
    times = [line.time for line in lines if line.time is not None]
    found.timed = bool(times)
    if not times:
        times = [time for _, text in texts if (time := leading_time(without_colours(text))) is not None]
    for time in times:
        found.look_at_grain(time)
        found.absurd |= time.absurd
    if times and times[0].dated:
        found.epoch = times[0].moment
