"""`no-false-kill`: no connection is given up that a fault had not broken.   pure"""

from chaos.judging.attempts import impatience
from chaos.judging.facts import Facts
from chaos.judging.verdicts import Check, decided
from chaos.scenario import Scenario
from chaos.timeline.observed import Closed, Connection
from tracker import events

_ENDED_BY = {"client": "by the client", "peer": "by the peer", "network": "without a close frame"}


def by_ends(facts: Facts, _: Scenario) -> Check | None:
    """No connection is given up but for a fault that may end one, and no handshake either."""
    expected = "no connection given up that a fault had not broken"
    if given_up := impatience(facts):
        first = given_up[0]
        observed = f"{len(given_up)} handshakes given up: {first.why} on {first.link} at {first.ended or first.began:.1f} s"
        return Check("no-false-kill", "fail", expected, observed, first.ended or first.began)
    if not facts.connections:
        return None
    wrong = facts.false_kills
    return decided(
        "no-false-kill",
        ok=not wrong,
        expected=expected,
        observed=_ends(wrong) if wrong else "none",
        at=min((c.closed.t for c in wrong if c.closed is not None), default=None),
    )


def by_trace(facts: Facts) -> Check | None:
    """Whether the network had broken what was given up, only the network knows."""
    died = list(facts.history.of(events.Died))
    if not died:
        return None
    first = died[0]
    return Check(
        "no-false-kill",
        "unknown",
        "no connection given up that the network had not broken",
        f"{len(died)} given up, the first on {first.link} at {first.t:.1f} s: {first.cause};"
        " what the network did is not in a trace",
    )


def _ends(given_up: tuple[Connection, ...]) -> str:
    """Ends of one kind together: how each came about, when it first did, and how often."""
    times: dict[tuple[str, Closed], list[float]] = {}
    for connection in given_up:
        if connection.closed is not None:
            kind = connection.closed._replace(t=0.0, unconfirmed=0)
            times.setdefault((connection.link, kind), []).append(connection.closed.t)
    return "; ".join(
        f"{end.code} {end.why + ' ' if end.why else ''}{_ENDED_BY[end.by]} on {link} at {at[0]:.1f} s"
        f"{f', {len(at)} times' if len(at) > 1 else ''}"
        for (link, end), at in times.items()
    )
