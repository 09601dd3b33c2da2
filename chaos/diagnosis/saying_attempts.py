"""The words for attempts: refused, redirected, unreachable, in a storm; and for restarts.                            pure"""

from chaos.diagnosis.causes import Cause, Finding
from chaos.diagnosis.endings import End, Ending
from chaos.diagnosis.saying import Said, first, where
from chaos.diagnosis.wording import Words, code_of, many, quoted, status_of, times
from chaos.timeline.model import Connection
from chaos.traces.wire import Notice, NoticeKind


def no_upgrade(f: Finding, w: Words) -> Said:
    """A page came instead of an upgrade."""
    if f.endings:
        ending, c = first(f)
        html = "html" in c.response_headers.get("content-type", "") or "<html" in c.body.lower()
        page, before, path, server = " with a page" if html else "", where(f, w), c.path, _server(c)
        status = status_of(ending.code, ending.reason)
    else:
        page, before, path, server = "", "", "", ""
        status = status_of(f.notices[0][1].status)
    what = (
        f"{before}{times(f.count)} {status}{page} came where 101 was due: a web server or a proxy that does not upgrade"
        " answered, not a WebSocket endpoint"
    )
    at = f"the URL ({path})" if path else "the URL"
    return Said(what, f"check {at}, and that every proxy on the way passes Upgrade on{server}")


def _server(c: Connection) -> str:
    name = c.response_headers.get("server", "")
    return f"; who answered calls itself {name}" if name else ""


def refused(f: Finding, w: Words) -> Said:
    """A status said no."""
    if not f.endings:
        notice = f.notices[0][1]
        what = f"refused {times(len(f.notices))} with {status_of(notice.status)}, first {w.at(f.at)}"
        return Said(what, _refusal_remedy(f.cause, notice.status))
    ending, c = first(f)
    who = f"{w.own} refused the client" if w.serves else f"{w.peer} refused the handshake"
    how_often = f" {times(len(f.endings))}" if len(f.endings) > 1 else ""
    what = (
        f"{where(f, w)}{who}{how_often} with {status_of(ending.code, ending.reason)}, first {w.at(ending.at)}"
    )
    if wait := c.response_headers.get("retry-after"):
        what += f" (Retry-After: {wait})"
    return Said(what, _refusal_remedy(f.cause, ending.code))


def _refusal_remedy(cause: Cause, status: int | None) -> str:
    if cause is Cause.REFUSED_FOR_GOOD:
        hint = {401: "the credentials", 403: "the permission, the token or the Origin", 404: "the path"}.get(
            status or 0, "the request"
        )
        return f"trying again will not help: check {hint}"
    if status == 429:
        return "too many attempts: back off, and honour Retry-After"
    return "it may heal: try again with a back-off; who answers may be a proxy whose server is down"


def redirect(f: Finding, _: Words) -> Said:
    """Another place was named."""
    ending, c = first(f)
    where = c.response_headers.get("location", "another place")
    there = ", and connected there" if f.seconds is not None else ""
    return Said(
        f"redirected {times(len(f.endings))} from {c.path} to {where} ({ending.code}){there}",
        "use the new address at once",
    )


def health_check(f: Finding, w: Words) -> Said:
    """Somebody only knocked."""
    count = max(len(f.endings), len(f.notices))
    every = f", every {w.lasting(f.seconds)}" if f.seconds and w.timed else ""
    what = f"{times(count)} somebody connected and left without a request{every}: a health check or a port scan, not a WebSocket client"
    return Said(
        what[0].upper() + what[1:],
        "nothing is wrong; let the check ask for a page over HTTP, or silence this message",
    )


def bad_handshake(f: Finding, w: Words) -> Said:
    """The handshake came to nothing."""
    if not f.endings:
        return _strange(f, w)
    ending, c = first(f)
    why = f": {quoted(ending.reason)}" if ending.reason else ""
    stage = (
        "before any answer came"
        if c.answered is None
        else f"after {status_of(c.answered.status, c.answered.phrase)}"
    )
    what = f"{where(f, w)}the handshake failed {times(len(f.endings))}, first {w.at(ending.at)}, {stage}{why}"
    return Said(what, "", "" if ending.reason else "why: the log does not say")


def _failed_handshake(notice: Notice, what: str, w: Words) -> Said:
    """Of a server, by what its traceback says."""
    if notice.cut:
        return Said(
            f"{what}: {w.peer} went away before it was done", "nothing, if it is once: pages are reloaded"
        )
    if notice.chained:
        return Said(f"{what}: {quoted(notice.text)}")
    return Said(what, "", "why: the log does not say")


def _strange(f: Finding, w: Words) -> Said:
    """By exceptions alone: what came was not the first line of HTTP."""
    notice = f.notices[0][1]
    often, when = times(f.count), f"first {w.at(f.at)}"
    if notice.kind is NoticeKind.BAD_ANSWER:
        what = (
            f"{often} {w.peer} gave no answer of HTTP, or closed without any ({quoted(notice.text)}), {when}"
        )
        return Said(
            what,
            "check scheme and port: ws:// to a port of TLS, wss:// to a plain one, another server, or a proxy that the environment names",
        )
    if notice.kind is NoticeKind.HANDSHAKE_FAILED:
        return _failed_handshake(notice, f"{often} an opening handshake failed, {when}", w)
    if notice.kind is NoticeKind.PLAIN_HTTP:
        what = (
            f"{often} somebody asked over plain HTTP for what is a WebSocket ({quoted(notice.text)}), {when}"
        )
        remedy = "a browser, a bot or a health check; if it was a client, a proxy on the way does not pass Upgrade on"
        return Said(what[0].upper() + what[1:], remedy)
    if notice.kind is NoticeKind.INVALID_REQUEST:
        what = f"{often} somebody connected and made no request of HTTP, {when}: a health check, a scan, or another protocol"
        return Said(what[0].upper() + what[1:], "", "whether anything came at all")
    what = f"{often} somebody connected and sent what is no request of HTTP ({quoted(notice.text)}), {when}"
    remedy = (
        "nothing is wrong with this server: a scan, or a client of TLS or of another protocol, at this port"
    )
    return Said(what[0].upper() + what[1:], remedy)


def unreachable(f: Finding, w: Words) -> Said:
    """Attempts that met nobody."""
    notice = f.notices[0][1]
    what = {
        NoticeKind.UNREACHABLE: "nobody listened",
        NoticeKind.NO_ROUTE: "no way led there",
        NoticeKind.TIMED_OUT: "no answer came in time",
        NoticeKind.NO_NAME: "the host's name was not found",
        NoticeKind.BAD_CERTIFICATE: "the certificate was not valid",
    }[notice.kind]
    back = (
        f"connected {'again ' if f.endings else ''}after {w.lasting(f.seconds)}"
        if f.seconds is not None and w.timed
        else "connected afterwards"
        if f.seconds is not None
        else "no connection came after it in the log"
        if w.shows_connections
        else "the log shows no connection"
    )
    begin = ""
    if f.endings:
        ending = f.endings[0]
        begin = f"{where(f, w)}the connection ended {w.at(ending.at)} ({_briefly(ending)}); then "
    what = f"{begin}{many(f.count, 'attempt')} failed from {w.when(f.notices[0][0])} on, as {what} ({quoted(notice.text)}); {back}"
    down = f.cause is Cause.SERVER_DOWN and (bool(f.endings) or f.seconds is not None)
    if f.cause is Cause.SERVER_DOWN and not down:
        unknown = f"whether {w.peer} is down, or never was at that address: the log shows no connection to it"
        return Said(what, "look whether anything listens at that address and port", unknown)
    if down:
        what += ": the server was down"
    remedy = (
        "nothing to mend on this side but the back-off; look at why the server was down"
        if down
        else _ATTEMPTS.get(notice.kind, "")
    )
    return Said(what, remedy)


_ATTEMPTS = {
    NoticeKind.NO_ROUTE: "look at this side's own network: its link, its route or its VPN was down",
    NoticeKind.TIMED_OUT: "look at the path: a firewall that drops, or a server that accepts and does not answer",
    NoticeKind.NO_NAME: "look at the name and at the resolver",
    NoticeKind.BAD_CERTIFICATE: "trying again will not help: mend the certificate or the trust in it",
}


def _briefly(ending: Ending) -> str:
    return {
        End.STREAM_ENDED: "the stream ended without a close frame",
        End.RESET: "reset",
        End.CLOSED: "without a close frame",
        End.NO_PONG: "a Ping got no answer",
        End.NOT_SHOWN: "how is not shown",
    }.get(ending.what, code_of(ending.code, ending.reason))


def peer_restart(f: Finding, w: Words) -> Said:
    """The peer says that it restarts."""
    ending = f.endings[0]
    often = "" if len(f.endings) == 1 else f" {times(len(f.endings))}"
    when = f" {w.at(ending.at)}" if len(f.endings) == 1 else f", first {w.at(ending.at)}"
    what = f"{where(f, w)}{w.peer} said that it restarts: it closed{often} with {code_of(ending.code, ending.reason)}{when}"
    return Said(what, "connect again after a moment, with a back-off")


def own_restart(f: Finding, w: Words) -> Said:
    """The process that wrote the log began anew."""
    if f.endings:
        which = "a connection" if len(f.endings) == 1 else f"{len(f.endings)} connections"
        what = (
            f"{w.own}'s process was started again: after {w.when(f.at)} it sent no Ping over {which} any more, nothing ended"
            f" {'it' if len(f.endings) == 1 else 'them'}, and the log goes on with a new connection"
        )
        return Said(
            what,
            "look at who ended the process without a goodbye: a kill, a crash, a supervisor",
            "when the process ended: its last line is the last thing known of it",
        )
    marks = ", ".join(w.when(mark) for mark, _ in f.notices[:3])
    return Said(
        f"{w.own}'s process was started again {times(f.count)} ({marks}): what was open before ended with it",
        "look at who restarted it: a reloader, a supervisor, a crash",
    )


def storm(f: Finding, w: Words) -> Said:
    """More attempts than any back-off makes."""
    assert f.seconds is not None, "a storm has a length"
    what = f"{w.own} made {f.count} attempts in {w.lasting(f.seconds)} from {w.when(f.at)} on: a storm, without a back-off"
    return Said(
        what,
        "wait before each attempt, longer each time and with jitter; start over only after a stable connection",
    )
