"""The words for ends that only exceptions tell: codes, how often, how far apart.                                     pure"""

from itertools import pairwise

from chaos.diagnosis.causes import Finding
from chaos.diagnosis.endings import GONE
from chaos.diagnosis.saying import Said
from chaos.diagnosis.saying_ends import ABOUT_CODE
from chaos.diagnosis.wording import Words, code_of, quoted, times
from chaos.traces.wire import KEEPALIVE_REASON, Notice, NoticeKind

TOLD_TWICE = 1.0
"""Seconds within which two exceptions of the same words may be of one connection."""


def closes_told(f: Finding, w: Words) -> Said:
    """What exceptions alone tell of ends."""
    notice = f.notices[0][1]
    gaps = [b.t - a.t for (a, _), (b, _) in pairwise(f.notices)]
    doubtful = bool(gaps) and (not w.timed or min(gaps) < TOLD_TWICE)
    often = f"told {times(len(f.notices))}" if doubtful else times(len(f.notices))
    what = f"{often}: {_end(notice, w)}; first {w.at(f.at)}"
    if gaps and w.timed:
        what += f", {w.range_of(gaps)} apart"
    unknown = "whether each of these is a connection of its own: a program may tell of one end twice"
    return Said(what[0].upper() + what[1:], _remedy(notice), unknown if doubtful else "")


def _remedy(n: Notice) -> str:
    if n.received_first is False and n.received is not None:
        return "this side meant it: who reads or sends after its own close gets this exception"
    if n.received == 1011 and n.reason and n.reason != KEEPALIVE_REASON:
        return "the peer says why itself"
    return ABOUT_CODE.get(n.received or 0) or "log the library's DEBUG level to see what came before"


def _end(n: Notice, w: Words) -> str:
    if n.kind is not NoticeKind.ENDED:
        return quoted(n.text)
    if n.sent is None and n.received is None:
        return _without_codes(n, w)
    if n.before_10:
        came = code_of(n.received, n.reason)
        return f"a connection ended with {came} of {w.peer}; whether that was first or an answer is not told"
    if n.received is None:
        what = f"{w.own} closed with {code_of(n.sent, n.reason)} and got no close frame back"
        return what + (": its Ping was not answered" if n.reason == KEEPALIVE_REASON else "")
    if n.received_first is False:
        return f"{w.own} closed with {code_of(n.sent, n.reason)}"
    what = f"{w.peer} closed with {code_of(n.received, n.reason)}"
    return what + (f": it got no Pong of {w.own}" if n.reason == KEEPALIVE_REASON else "")


def _without_codes(n: Notice, w: Words) -> str:
    if n.cut:
        return f"the stream ended or was reset without a close frame ({GONE}): {w.peer} or something on the way cut it"
    if n.before_10:
        return (
            f"a connection ended and no close frame had come ({GONE}): {w.peer} or something on the way cut it, or"
            f" {w.own}'s own keepalive gave it up: versions before 10 do not tell which"
        )
    return f"a connection ended without a close frame either way ({GONE}): {w.peer} or something on the way cut it"
