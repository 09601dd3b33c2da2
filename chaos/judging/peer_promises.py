"""The promises of a client that reports nothing, judged by what the peer saw.                                pure

See `chaos.judging.promises`. None also means that the peer cannot know: `bounded` and `same-climb` never apply.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from chaos.judging.attempts import came_too_soon, most_within, refused_for_good
from chaos.judging.facts import SILENT, Facts
from chaos.judging.limits import detection_limit
from chaos.judging.outages import PAUSE
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.polite import ATTEMPTS, ATTEMPTS_WITHIN
from chaos.judging.promises import PROMISE_CHECKS
from chaos.judging.recover import recover as recover_as_promised
from chaos.judging.verdicts import Check, decided
from chaos.scenario import Scenario
from simulator import events as peer


def no_loss(facts: Facts, _: Scenario) -> Check | None:
    """What surely reached the client is sent on, sooner or later; what had not come by then may still be in flight."""
    if not facts.accepted:
        return None
    expected = f"all {len(facts.accepted)} frames that surely reached the client sent on to the sink"
    if facts.lost:
        return Check("no-loss", "fail", expected, f"{len(facts.lost)} lost, the first is {min(facts.lost)}")
    if facts.missing:
        return Check("no-loss", "unknown", expected, f"{len(facts.missing)} were still in flight at the end")
    return Check("no-loss", "pass", expected, f"{len(facts.delivered)} arrived")


def dedup_safe(facts: Facts, _: Scenario) -> Check | None:
    """A frame comes again only over another connection and with the same body, or because it was offered again."""
    offers = Counter(event.sequence for event in facts.history.of(peer.Offered))
    came: dict[int, list[peer.Delivered]] = {}
    for event in facts.deliveries:
        came.setdefault(event.seq, []).append(event)
    again = {seq: arrivals for seq, arrivals in came.items() if len(arrivals) > max(1, offers[seq])}
    reconnected = len({event.connection for event in facts.deliveries}) > 1
    if not again and not reconnected:
        return None
    wrong = [
        seq
        for seq, arrivals in again.items()
        if len({event.connection for event in arrivals}) < len(arrivals)
        or len({event.digest for event in arrivals}) > 1
    ]
    return decided(
        "dedup-safe",
        ok=not wrong,
        expected="repeats only after a reconnect, with the same body",
        observed=f"{len(wrong)} wrong, the first is {wrong[0]}"
        if wrong
        else f"{len(again)} repeats, each as promised",
    )


def detect(facts: Facts, scenario: Scenario) -> Check | None:
    """A connection that falls silent is given up within the bound, as far as the peer can see it.

    One that goes on after a longer silence was never given up. A handshake into a silent network has no answer yet: to
    the client it is no connection, and how long one may take, nobody promised.
    """
    assert isinstance(facts, PeerFacts), "a client that reports nothing"
    limit = detection_limit(scenario)
    expected = f"a silent link given up within {limit:g} s"
    took: list[float] = []
    late: list[float] = []
    for strike in facts.strikes:
        if strike.fault.kind not in SILENT or strike.fault.toxicity < 1:
            continue
        silent_until = min(strike.during.end, facts.stopping)
        for connection in filter(strike.strikes, facts.connections):
            ended = None if connection.closed is None else connection.closed.t
            since = strike.since(connection)
            if strike.fault.spec.where == "network" and connection.opened > strike.during.begin:
                continue
            if silent_until - since < limit or (ended is not None and ended <= since):
                continue
            seconds = facts.given_up_after(strike, connection)
            if seconds is not None:
                (took if seconds <= limit else late).append(seconds)
            elif facts.outlived(strike, connection):
                late.append(silent_until - since)
    if late:
        return Check("detect", "fail", expected, f"still there after {max(late):.2f} s of silence")
    if not took:
        return None
    return Check("detect", "pass", expected, f"given up, or connected anew, after {max(took):.2f} s at most")


def recover(facts: Facts, scenario: Scenario) -> Check | None:
    """Nobody announced a delay: judged only where the scenario sets the limit."""
    return None if scenario.expect.recover_within is None else recover_as_promised(facts, scenario)


def polite(facts: Facts, scenario: Scenario) -> Check | None:
    """Connections are not made in a rush, and none after a refusal for good.

    Those that never reached the peer, and jitter, are not seen from there.
    """
    final = refused_for_good(scenario)
    refusals = sum(e.kind == "refuse" and e.link in final for e in facts.history.of(peer.Misbehaved))
    if refusals:
        return decided(
            "polite",
            ok=refusals == 1,
            expected=f"no attempt after a refusal for good (HTTP {', '.join(map(str, final.values()))})",
            observed=f"{refusals - 1} more",
        )
    if (soon := came_too_soon(facts.history)) is not None:
        return Check("polite", "fail", "no attempt before its time", soon)
    made: dict[str, list[float]] = {}
    for event in facts.history.of(peer.Opened):
        made.setdefault(event.link, []).append(event.t)
    if all(len(times) == 1 for times in made.values()):
        return None
    busiest, link = max((most_within(ATTEMPTS_WITHIN, times), link) for link, times in made.items())
    return decided(
        "polite",
        ok=busiest <= ATTEMPTS,
        expected=f"back-off: at most {ATTEMPTS} connections in {ATTEMPTS_WITHIN:g} s",
        observed=f"at most {busiest}, on {link}",
    )


def clean_stop(facts: Facts, _: Scenario) -> Check | None:
    """At the stop each connection is ended with a close frame, where nothing was in the way.

    Whatever its code: the run's end is a cancellation or a signal, and libraries have codes of their own for those.
    """
    open_then = {connection.number for connection in facts.connections if connection.closed is None}
    if facts.history.phase("stopping") is None or not open_then:
        return None
    if any(during.end >= facts.stopping for _, during in facts.in_force):
        return None
    ends = [event for event in facts.history.of(peer.Ended) if event.connection in open_then]
    farewells = sum(event.by == "client" for event in ends)
    seen = ", ".join(f"{event.code} by the {event.by} on {event.link}" for event in ends)
    return decided(
        "clean-stop",
        ok=farewells == len(open_then),
        expected=f"all {len(open_then)} connections ended by the client with a close frame",
        observed=seen or "no end of any",
    )


def survives_input(facts: Facts, _: Scenario) -> Check | None:
    """Whatever the client does with bad messages, the good ones after them get through."""
    bad = [event.t for event in facts.history.of(peer.Misbehaved) if event.kind == "garbage"]
    if not bad or not facts.deliveries:
        return None
    after = sum(event.t > bad[-1] for event in facts.deliveries)
    seen = f"{len(bad)} bad messages, {after} frames sent on after the last"
    if not after and facts.stopping - bad[-1] < PAUSE:
        return Check("survives-input", "unknown", "frames sent on", f"{seen}: the run was over")
    return decided("survives-input", ok=after > 0, expected="frames sent on", observed=seen)


PEER_CHECKS: Mapping[str, Callable[[Facts, Scenario], Check | None]] = {
    **PROMISE_CHECKS,
    "no-loss": no_loss,
    "dedup-safe": dedup_safe,
    "detect": detect,
    "recover": recover,
    "polite": polite,
    "clean-stop": clean_stop,
    "survives-input": survives_input,
}
