"""What a finding says: a sentence, a remedy, what it leaves open; and what such sentences share.                     pure"""

from collections.abc import Sequence
from typing import NamedTuple

from chaos.diagnosis.causes import Finding
from chaos.diagnosis.endings import Ending
from chaos.diagnosis.wording import Words, times
from chaos.timeline.model import Connection

SAME_MOMENT = 0.2
"""Seconds within which the ends of several connections have one cause."""


class Said(NamedTuple):
    """A finding in words."""

    what: str
    remedy: str = ""
    unknown: str = ""


def first(finding: Finding) -> tuple[Ending, Connection]:
    """The first of the endings that a finding explains."""
    return finding.endings[0], finding.endings[0].connection


def where(finding: Finding, words: Words) -> str:
    """Which endpoint, before a sentence; empty where there is only one, or where it is of several."""
    labels = {words.label(ending.connection) for ending in finding.endings}
    label = labels.pop() if len(labels) == 1 else ""
    return f"{label}: " if label else ""


def again(finding: Finding, words: Words) -> str:
    """How often beside the first."""
    more = len(finding.endings) - 1
    if more < 1:
        return ""
    last = finding.endings[-1]
    mark = last.at or last.connection.last
    return f"; the same {times(more)} more, until {words.when(mark)}"


def moments(endings: Sequence[Ending]) -> list[list[Ending]]:
    """The endings by the moments in which they fell."""
    made: list[list[Ending]] = []
    for ending in sorted(endings, key=lambda e: e.mark.t):
        if made and ending.mark.t - made[-1][-1].mark.t <= SAME_MOMENT:
            made[-1].append(ending)
        else:
            made.append([ending])
    return made


def reconnect(w: Words) -> str:
    """What remains to do after an end that this side did not want."""
    if w.serves:
        return "a server can only let go; the client has to come back by itself"
    return "connect again, with a back-off: a client can do no more about a dead path"
