"""The words for how connections ended, and for what ended them.                                                     pure"""

import re

from chaos.diagnosis.causes import Finding
from chaos.diagnosis.endings import GONE, End, Ending
from chaos.diagnosis.saying import Said, again, first, moments, reconnect, where
from chaos.diagnosis.wording import Words, code_of, quoted, times
from chaos.traces.wire import Unshown

_SIZES = re.compile(
    r"(?:(?P<size>\d+) bytes? )?exceeds? (?:the )?limit of (?P<limit>\d+)"
    r"|over size limit \((?P<old_size>\d+|\?) > (?P<old_limit>\d+) bytes\)"
)


def _after_what(ending: Ending, w: Words) -> str:
    """What came before an end: its age, and how long nothing had come."""
    c, parts = ending.connection, []
    if ending.age is not None and w.timed:
        parts.append(f"{w.lasting(ending.age)} after connecting")
    last = c.pings.last_answer
    if ending.at is not None and w.timed and last is not None and c.heard == last:
        parts.append(f"{w.lasting(ending.at.t - last.t)} after the last Pong")
    elif ending.at is not None and w.timed and c.received.last is not None and c.close_received is None:
        parts.append(f"{w.lasting(ending.at.t - c.received.last.t)} after the last message that came")
    return f", {', '.join(parts)}" if parts else ""


def stream_ended(f: Finding, w: Words) -> Said:
    """Nobody said goodbye."""
    ending = f.endings[0]
    if ending.what is End.RESET:
        how = f"the TCP connection was reset ({quoted(ending.reason)})"
    elif ending.what is End.CLOSED:
        how = f"the connection ended without a close frame ({GONE})"
    else:
        how = f"the stream ended without a close frame ({GONE})"
    back = f"; connected again {w.lasting(f.seconds)} later" if f.seconds is not None and w.timed else ""
    unknown = f"who ended it: {w.peer}, its process or something on the way"
    fell = moments(f.endings)
    if w.timed and all(len(moment) > 1 for moment in fell):
        which = f"{'both' if len(fell[0]) == 2 else f'all {len(fell[0])}'} connections"
        more = (
            f"; so they did {times(len(fell) - 1)} more, until {w.when(fell[-1][-1].at)}"
            if len(fell) > 1
            else ""
        )
        what = (
            f"{which} ended in the same moment, {w.at(ending.at)}, without a close frame ({GONE}){back}{more}"
        )
        unknown = f"what ended them: one cause, as when {w.peer}'s process ends, or something on the way"
        return Said(what, reconnect(w), unknown)
    what = f"{where(f, w)}{how} {w.at(ending.at)}{_after_what(ending, w)}{again(f, w) or back}"
    return Said(what, reconnect(w), unknown)


def peer_close(f: Finding, w: Words) -> Said:
    """The peer closed."""
    ending, c = first(f)
    many_of = len(f.endings) > 1
    code = code_of(ending.code, ending.reason)
    if many_of:
        ages = w.since_opening(f.endings)
        each = f", {ages} after connecting" if ages and w.timed else ""
        what = f"{where(f, w)}{w.peer} closed {len(f.endings)} of {f.of} connections with {code}{each}; the first {w.at(ending.at)}"
    else:
        what = f"{where(f, w)}{w.peer} closed with {code} {w.at(ending.at)}{_after_what(ending, w)}"
    if _last_words(ending, w):
        what += f"; its last message: {quoted(c.received.words)}"
    return Said(what, ABOUT_CODE.get(ending.code or 0, ""))


ABOUT_CODE = {
    1000: "an orderly end: if it was not wanted, ask the peer why it had nothing more to say",
    1001: "the peer goes away or shuts down: connect again",
    1008: "the peer does not want this client as it is: reconnecting alone will not help",
    1009: "send less in one message, or raise the peer's limit (max_size)",
    1011: "the peer failed inside: its own log says why",
    1012: "the peer restarts: connect again after a moment",
    1013: "the peer is overloaded: connect again later, with a back-off",
}


def _last_words(ending: Ending, w: Words) -> bool:
    """Whether the last message came right before the end, and so may say why."""
    c = ending.connection
    if not c.received.words or c.received.last is None or ending.at is None:
        return False
    if not w.timed:
        return ending.at.line - c.received.last.line == 1
    return ending.at.t - c.received.last.t <= 1.0


def peer_failure(f: Finding, w: Words) -> Said:
    """The peer could not go on with what came."""
    ending = f.endings[0]
    what = f"{where(f, w)}{w.peer} failed the connection with {code_of(ending.code, ending.reason)} {w.at(ending.at)}{again(f, w)}"
    return Said(what, f"look at what {w.own} sent right before")


def peer_max_size(f: Finding, w: Words) -> Said:
    """A message was too big for the peer."""
    ending = f.endings[0]
    what = f"{where(f, w)}{w.peer} failed the connection with {code_of(ending.code, ending.reason)} {w.at(ending.at)}: a message of {w.own} exceeds its limit{again(f, w)}"
    return Said(what, "send less in one message, or raise the peer's max_size")


def max_size(f: Finding, w: Words) -> Said:
    """A message was too big for this side."""
    ending, c = first(f)
    if ending.code is None:
        what = f"{where(f, w)}an exception ended the connection on this side {w.at(ending.at)}: {quoted(ending.reason)}"
        return Said(
            what + again(f, w), f"the fault shows on this side: look at {w.own}'s program and its log"
        )
    what = f"{where(f, w)}{w.own} failed the connection {w.at(ending.at)} with 1009: a message"
    found = _SIZES.search(ending.reason) or (c.error and _SIZES.search(c.error.text))
    size, limit = (
        (found["size"] or found["old_size"], found["limit"] or found["old_limit"]) if found else ("", "")
    )
    what += f" of {int(size):,} bytes" if size and size.isdecimal() else ""
    what += " exceeds its max_size" + (f" of {int(limit):,}" if limit else "")
    return Said(what + again(f, w), "raise max_size, or have the peer send less in one message")


def own_failure(f: Finding, w: Words) -> Said:
    """The writer of the log could not go on."""
    ending, c = first(f)
    if ending.code is None:
        what = f"{where(f, w)}an exception ended the connection on this side {w.at(ending.at)}: {quoted(ending.reason)}"
        return Said(
            what + again(f, w), f"the fault shows on this side: look at {w.own}'s program and its log"
        )
    what = f"{where(f, w)}{w.own} failed the connection {w.at(ending.at)} with {code_of(ending.code, ending.reason)}"
    if c.error is not None:
        what += f": {quoted(c.error.text)}"
    return Said(what + again(f, w), f"the fault shows on this side: look at the exception in {w.own}'s log")


def last_lines(f: Finding, w: Words) -> Said:
    """The log begins while a connection ends."""
    ending, c = first(f)
    code = next((close.code for close in (c.close_received, c.close_sent) if close is not None), None)
    with_code = f", with {code_of(code)}" if code is not None else ""
    return Said(
        f"{where(f, w)}the log begins {w.at(ending.at)} while a connection ends{with_code}",
        "",
        "who ended it, and why: that came before the log's first line",
    )


def not_shown(f: Finding, w: Words) -> Said:
    """It is over, and the record does not hold how."""
    ending, c = first(f)
    assert c.over is not None, "this end is told by that alone"
    which = f"{len(f.endings)} of {f.of} connections" if len(f.endings) > 1 else "the connection"
    back = f"; connected again {w.lasting(f.seconds)} later" if f.seconds is not None and w.timed else ""
    first_of = ", the first" if len(f.endings) > 1 else ""
    why, missing = _NOT_SHOWN[c.over[1].why]
    what = f"{where(f, w)}{which} ended{first_of} {w.at(ending.at)}{_after_what(ending, w)}{back}: {why}"
    return Said(what, "", missing.format(peer=w.peer, own=w.own))


_NOT_SHOWN: dict[Unshown, tuple[str, str]] = {
    Unshown.NO_CONTROL_FRAMES: (
        "how is not shown, as a HAR holds no close frame",
        "who ended it, and with which code: look at the page's onclose, or at the server's log",
    ),
    Unshown.RECEIVED_LEFT_OUT: (
        "with a close frame of this side, its own or an answer",
        "who closed first, and why: versions of websocket-client before 1.0 show nothing that they receive",
    ),
    Unshown.ANOTHER_BEGAN: (
        "how is not shown, but another was begun in its place",
        "who ended it, {peer}, the path or {own}'s program: log what on_error and on_close are told",
    ),
}


def left(f: Finding, w: Words) -> Said:
    """The program went away."""
    ending = f.endings[0]
    which = "the connection" if len(f.endings) == 1 else f"{len(f.endings)} connections"
    what = f"{where(f, w) if len(f.endings) == 1 else ''}{w.own} left {which} {w.at(ending.at)} with 1011: its program ended there by an exception, or was cancelled"
    return Said(what, "", "which of the two, unless a traceback says so")


def own_close(f: Finding, w: Words) -> Said:
    """It was meant."""
    ending = f.endings[0]
    if len(f.endings) > 1:
        return Said(
            f"{w.own} closed {len(f.endings)} of {f.of} connections itself, with {code_of(ending.code, ending.reason)}"
        )
    return Said(
        f"{where(f, w)}{w.own} closed the connection itself {w.at(ending.at)}, with {code_of(ending.code, ending.reason)}{_after_what(ending, w)}"
    )


def idle(f: Finding, w: Words) -> Said:
    """The same silence before each end."""
    assert f.seconds is not None, "a limit has its length"
    c = f.endings[0].connection
    ended = "ended without a close frame" if f.endings[0].at and c.close_received is None else "were closed"
    ended = "ended" if f.endings[0].what is End.NOT_SHOWN else ended
    pinged = any(e.connection.pings.sent for e in f.endings)
    ping = "" if pinged else ", and no Ping was sent" if w.shows_control else ", as far as is shown"
    what = f"{where(f, w)}{f.count} of {f.of} connections {ended} {w.lasting(f.seconds)} after the last thing that went over them{ping}: an idle time-out on the way, as proxies have; nothing was down"
    if f.count == 1:
        what = f"{where(f, w)}the connection {ended.replace('were', 'was')} {w.at(f.at)}, {w.lasting(f.seconds)} after the last thing that went over it{ping}: that looks like an idle time-out on the way, as proxies have"
    if not w.shows_control:
        remedy = f"have the server send a Ping, or the page a message, well within {w.lasting(f.seconds)}: a browser sends no Ping by itself"
        return Said(
            what, remedy, "whether Pings went over them, and with which code they ended: a HAR holds neither"
        )
    return Said(what, f"send a keepalive well within {w.lasting(f.seconds)} (ping_interval)")


def age(f: Finding, w: Words) -> Said:
    """The same age at each end."""
    assert f.seconds is not None, "a limit has its length"
    what = f"{where(f, w)}{f.count} of {f.of} connections ended {w.lasting(f.seconds)} after they were opened, whatever went over them: somebody limits how old a connection may become"
    return Said(
        what,
        "reconnect before that age is reached, or ask for a longer limit",
        "who limits it: the peer or a proxy on the way",
    )


def no_end(f: Finding, w: Words) -> Said:
    """The log shows no end."""
    open_ = [e for e in f.endings if e.what is End.OPEN]
    if any(e.what is End.CLOSING for e in f.endings):
        return Said(
            "the log ends while a connection is CLOSING", "", "who began to close it, and how it ended"
        )
    if not open_:
        return Said("the log ends during a handshake", "", "what became of it")
    if not w.shows_control:
        which = "the connection" if len(open_) == 1 else f"{len(open_)} of {f.of} connections"
        return Said(
            f"of {which} no end is shown; nothing went wrong that the recording holds",
            "",
            "whether, how and when it ended: a HAR holds no close frame",
        )
    what = "the connection is" if len(open_) == 1 else f"{len(open_)} of {f.of} connections are"
    return Said(f"{what} open when the log ends; nothing went wrong that it shows")
