"""What only exceptions and the program's own lines tell.                                                   pure"""

from collections.abc import Iterator, Sequence

from chaos.diagnosis.causes import Cause, Confidence, Finding
from chaos.diagnosis.causes_of_attempts import cause_of_status
from chaos.diagnosis.endings import End, Ending
from chaos.timeline.model import Mark, Timeline
from chaos.traces.wire import Notice, NoticeKind


def told_by_exceptions(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    """A tally of ends and refusals, where the log shows no connection itself."""
    if any(ending.what is not End.LAST_LINES for ending in endings):
        return  # they repeat what the connections show
    groups: dict[object, list[tuple[Mark, Notice]]] = {}
    ended = any(notice.kind is NoticeKind.ENDED for _, notice in timeline.notices)
    for mark, notice in timeline.notices:
        if ended and notice.kind is NoticeKind.HANDLER_FAILED:
            continue  # by the exception that says how the connection ended
        if notice.kind is NoticeKind.ENDED:
            key: object = (notice.sent, notice.received, notice.received_first, notice.reason, notice.cut)
        elif notice.kind is NoticeKind.REJECTED:
            key = notice.status
        elif notice.kind in (NoticeKind.BAD_REQUEST, NoticeKind.BAD_ANSWER, NoticeKind.HANDSHAKE_FAILED):
            key = notice.text
        elif notice.kind in (
            NoticeKind.RESET,
            NoticeKind.NO_REQUEST,
            NoticeKind.TOO_BIG,
            NoticeKind.HANDLER_FAILED,
            NoticeKind.PLAIN_HTTP,
            NoticeKind.INVALID_REQUEST,
        ):
            key = notice.kind
        else:
            continue
        groups.setdefault(key, []).append((mark, notice))
    for group in groups.values():
        cause = _told_cause(group[0][1])
        # Of an invalid request alone it is not known whether any came.
        sure: Confidence = "likely" if group[0][1].kind is NoticeKind.INVALID_REQUEST else "certain"
        yield Finding(cause, sure, group[0][0], notices=tuple(group), count=len(group))


_OF_HANDSHAKES = (
    NoticeKind.BAD_REQUEST,
    NoticeKind.PLAIN_HTTP,
    NoticeKind.INVALID_REQUEST,
    NoticeKind.BAD_ANSWER,
    NoticeKind.HANDSHAKE_FAILED,
)


def _told_cause(notice: Notice) -> Cause:
    if notice.kind is NoticeKind.REJECTED:
        return cause_of_status(notice.status or 0)
    if notice.kind is NoticeKind.NO_REQUEST:
        return Cause.HEALTH_CHECK
    if notice.kind in _OF_HANDSHAKES:
        return Cause.BAD_HANDSHAKE
    return Cause.CLOSES_TOLD
