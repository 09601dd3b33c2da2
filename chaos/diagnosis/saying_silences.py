"""The words for Pings without an answer, and for who stood still.                                                      pure"""

from chaos.diagnosis.causes import Finding
from chaos.diagnosis.endings import End, Ending
from chaos.diagnosis.saying import Said, again, first, reconnect, where
from chaos.diagnosis.wording import Words, code_of, many
from chaos.timeline.model import Connection


def no_pong(f: Finding, w: Words) -> Said:
    """A Ping of ours had no answer."""
    ending, c = first(f)
    asked = next(iter(c.pings.waiting.values()), None)
    given_up = ending.at
    what = f"{where(f, w)}{w.own} gave up {w.at(given_up)}{_with_code(ending)}"
    if asked is None or given_up is None:
        return Said(f"{what}: a keepalive Ping got no answer in time{again(f, w)}", reconnect(w))
    waited = w.after(given_up.t - asked.t)
    what += f": its Ping of {w.when(asked)} got no answer" + (f" in {waited}" if waited else "")
    heard = c.heard
    if heard is not None and heard.line > asked.line:
        what += f", although {w.peer} went on talking until {w.when(heard)}"
        remedy = (
            f"look at what {w.peer} does with Pings: it is too busy to answer, or the Ping did not reach it"
        )
        unknown = f"whether the Ping did not reach {w.peer}, or its Pong was late behind other data"
        return Said(f"{what}{_lingering(c, w)}{again(f, w)}", remedy, unknown)
    if heard is not None:
        what += f"; nothing at all had come since {w.when(heard)}"
    unknown = f"whether the network or {w.peer} went away: from here both look alike"
    return Said(f"{what}{_lingering(c, w)}{again(f, w)}", reconnect(w), unknown)


def _with_code(ending: Ending) -> str:
    return "" if ending.code is None else f" with code {ending.code}"


def _lingering(c: Connection, w: Words) -> str:
    """What became of the connection after this side gave it up."""
    end = c.ended
    if c.closed is None:
        return ". It is still CLOSING when the log ends" if c.close_sent is not None else ""
    if end is None or c.closed.t - end.t < 1.0 or not w.timed:
        return ""
    return f"; the end of the TCP connection took {w.lasting(c.closed.t - end.t)} more"


def wrong_pongs(f: Finding, w: Words) -> Said:
    """Pongs came, and answered no Ping."""
    ending, c = first(f)
    stray = c.pings.stray
    each = (
        "each Ping was answered by a Pong with another payload"
        if f.confidence == "certain"
        else "Pongs came that answer no Ping"
    )
    what = (
        f"{where(f, w)}{w.own} gave up {w.at(ending.at)} with code 1011 on a living link: {each}"
        f" ({many(stray, 'unsolicited Pong')}), so none counted as an answer{again(f, w)}"
    )
    remedy = f"{w.peer}'s WebSocket is at fault: a Pong must carry the payload of its Ping; until it does, ping_interval=None"
    return Said(what, remedy)


def unread(f: Finding, w: Words) -> Said:
    """Messages piled up unread, and the Pong behind them."""
    ending, c = first(f)
    what = (
        f"{where(f, w)}{w.own} {'probably' if f.confidence == 'likely' else 'perhaps'} did not read what came: after {many(c.received.messages, 'message')} nothing"
        f" more was taken in, no Pong either, and it gave up {w.at(ending.at)} with code 1011{again(f, w)}"
    )
    remedy = "read every message (async for message in websocket), also of a connection that only sends"
    return Said(what, remedy, f"whether {w.peer} or the network fell silent at that very moment instead")


def peer_no_pong(f: Finding, w: Words) -> Said:
    """The peer's Ping had no answer of ours."""
    ending, c = first(f)
    what = f"{where(f, w)}{w.peer} closed with {code_of(ending.code, ending.reason)} {w.at(ending.at)}: it got no Pong in time"
    remedy = f"look for what keeps {w.own}'s event loop busy, or the path that lost the Ping or the Pong"
    unknown = (
        f"whether {w.own} did not answer or its Pong was lost"
        if not c.peer_pings
        else "which Ping was not answered: the log shows Pings that came, and answers to them"
    )
    return Said(what + again(f, w), remedy, unknown)


def ping_waits(f: Finding, w: Words) -> Said:
    """A Ping waits when the log ends."""
    what = f"{where(f, w)}the Ping of {w.when(f.at)} has no answer when the log ends"
    if f.seconds is not None and w.timed:
        what += f", {w.lasting(f.seconds)} later"
    return Said(what + again(f, w), "", "how it ended: the log stops before")


def fell_silent(f: Finding, w: Words) -> Said:
    """Nothing came any more, and nobody asked."""
    _, c = first(f)
    assert c.opened is not None, "only of what was opened it is known how often messages came"
    usual = (f.at.t - c.opened.t) / c.received.messages
    what = (
        f"{where(f, w)}nothing has come since {w.when(f.at)}, for {w.after(f.seconds)} until the log ends; before, a message"
        f" came every {w.lasting(usual)}. The connection is open, and no Ping was sent: a dead one looks like this"
    )
    unknown = f"whether {w.peer} is gone, the path is dead, or there is nothing to say"
    return Said(what, "switch the keepalive on (ping_interval): it ends a dead connection", unknown)


def loop_blocked(f: Finding, w: Words) -> Said:
    """Nothing was done for a while, on this side."""
    still = f.standstill
    assert still is not None, "this cause comes of a standstill"
    shown = []
    if still.due:
        shown.append(f"{'a Ping' if still.due == 1 else f'{still.due} Pings'} due and not sent")
    if still.burst:
        shown.append(f"{still.burst} messages read at once afterwards")
    if still.overdue:
        shown.append(f"a Ping given up {w.lasting(still.overdue)} later than its time-out")
    lasted = w.lasting(still.end.t - still.begin.t)
    what = f"from {w.when(still.begin)} to {w.when(still.end)} {w.own} itself did nothing for {lasted} ({'; '.join(shown)}): {w.blocked} was blocked, or its process stood still"
    if f.endings:
        ending = f.endings[0]
        who = (
            w.peer
            if ending.what is End.PEER_NO_PONG
            else w.own
            if ending.what is End.NO_PONG
            else "the connection"
        )
        how = "ended" if who == "the connection" else "gave up"
        what += f"; {who} {how} {w.at(ending.at)}" + (f" with {code_of(ending.code)}" if ending.code else "")
    return Said(
        what,
        f"move blocking work out of {w.movable}, or look for what stopped the process",
    )


def peer_stood_still(f: Finding, w: Words) -> Said:
    """Nothing answered for a while, and then everything at once."""
    silence = f.silence
    assert silence is not None, "this cause comes of a silence"
    lasted = w.lasting(silence.end.t - silence.begin.t)
    accepted = "its port still accepted, nothing answered" if silence.requests else "nothing came from it"
    waited = many(len(silence.answered), "connection")
    what = (
        f"{w.peer}'s process stood still for {lasted}, from {w.when(silence.begin)} to {w.when(silence.end)}:"
        f" {accepted}, then {waited} had an answer in the same moment"
    )
    if f.endings:
        what += f"; {w.own} gave up {many(len(f.endings), 'connection')} meanwhile"
    return Said(
        what,
        f"look at what stopped {w.peer}'s process: a blocked event loop, a suspended host, a debugger",
        f"whether it was {w.peer}'s process or the path to it" if not silence.requests else "",
    )


def late_pong(f: Finding, w: Words) -> Said:
    """A round trip that took long, and was borne."""
    late = f" took {w.lasting(f.seconds)}" if f.seconds is not None and w.timed else " came late"
    what = f"{where(f, w)}the answer to the Ping of {w.when(f.at)}{late}: the path or {w.peer} stood still meanwhile, and the connection lived on"
    return Said(
        what,
        "nothing, if it was once; a ping_timeout below that ends such a connection",
        f"whether it was the path or {w.peer}",
    )
