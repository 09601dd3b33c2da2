"""The promises, each as a pure function of the facts.                                                        pure

A check says `pass`, `fail` or `unknown`; nothing observed is `unknown`, never `pass`. None means that the record
holds nothing to which the promise applies.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import inf

from chaos.judging import fire_and_forget
from chaos.judging.attempts import impatience
from chaos.judging.clean_stop import clean_stop
from chaos.judging.evidence import evidence
from chaos.judging.facts import SILENT, Facts
from chaos.judging.limits import detection_limit, on_the_way
from chaos.judging.outages import PAUSE
from chaos.judging.polite import polite
from chaos.judging.recover import recover
from chaos.judging.same_climb import same_climb
from chaos.judging.verdicts import Check, decided
from chaos.scenario import Scenario
from tracker import events

_ENDED_BY = {"tracker": "by the client", "peer": "by the peer", "network": "without a close frame"}


def no_loss(facts: Facts, _: Scenario) -> Check | None:
    """Accepted and not displaced means delivered; what a client still held at its end is indefinite.

    It is none of the promise's where a fault kept the client from delivering it to its end, and the client says so.
    """
    if not facts.accepted:
        return None
    if facts.forgets:
        return fire_and_forget.no_loss(facts)
    displaced = len(facts.displaced & facts.accepted.keys())
    expected = (
        f"all {len(facts.accepted) - displaced} accepted and not displaced outputs at the peer's endpoint"
    )
    streams = {event.stream for event in facts.deliveries}
    if len(streams) > 1:  # a number alone then says nothing
        return Check("no-loss", "unknown", expected, f"deliveries of {len(streams)} streams in one run")
    early = facts.premature
    if facts.lost or early:
        wrong = f"{len(facts.lost)} lost: seq {some(sorted(facts.lost))}"
        if not facts.lost:
            wrong = f"{len(early)} taken for confirmed before they had arrived: seq {some(early)}"
        return Check("no-loss", "fail", expected, wrong)
    left = len(facts.declared_left)
    if len(facts.missing) > left:
        return Check("no-loss", "unknown", expected, f"{len(facts.missing)} were still in flight at the end")
    held = f", {left} left at the end, as it says" if left else ""
    return Check(
        "no-loss", "pass", expected, f"{len(facts.delivered)} delivered, {displaced} displaced{held}"
    )


def in_order(facts: Facts, _: Scenario) -> Check | None:
    """First deliveries come in `seq` order."""
    if not facts.deliveries:
        return None
    late = [event.seq for event in facts.reordered]
    return decided(
        "in-order",
        ok=not late,
        expected="first deliveries in seq order",
        observed=f"{len(late)} came late: seq {some(late)}" if late else f"{len(facts.delivered)} in order",
    )


def dedup_safe(facts: Facts, _: Scenario) -> Check | None:
    """A repeat has the same body, and comes over another connection than all before."""
    repeats = 0
    first: dict[tuple[str, int], int] = {}
    came_over: dict[tuple[str, int], set[int]] = {}
    wrong = []
    for event in facts.deliveries:
        key = event.stream, event.seq
        used = came_over.setdefault(key, set())
        if used:
            repeats += 1
            if event.connection in used or event.digest != first[key]:
                wrong.append(event.seq)
        first.setdefault(key, event.digest)
        used.add(event.connection)
    reconnected = len({event.connection for event in facts.deliveries}) > 1
    if not repeats and not reconnected:
        return None
    return decided(
        "dedup-safe",
        ok=not wrong,
        expected="repeats only after a reconnect, with the same body",
        observed=f"{len(wrong)} wrong: seq {some(wrong)}"
        if wrong
        else f"{repeats} repeats, each as promised",
    )


def bounded(facts: Facts, _: Scenario) -> Check | None:
    """The outbox never holds more than it declares, and gives up nothing that must not be displaced."""
    bound = facts.history.settings.get("outbox", {})
    overflow = facts.history.settings.get("overflow", "latest")
    if not {"messages", "bytes"} <= bound.keys() or not facts.accepted:
        return None
    messages, size = facts.most_held
    essential = sorted(
        event.seq
        for event in facts.history.of(events.Accepted)
        if event.essential and event.seq in facts.displaced
    )
    gone = f", essential ones among them: seq {some(essential)}" if essential else ""
    full = messages >= bound["messages"] or size + facts.largest > bound["bytes"]
    needless = bool(facts.displaced) and not full
    gone += ", although there was room" if needless else ""
    if facts.passed_by:
        gone += f", while older ones waited: seq {some(facts.passed_by)}"
    unasked = overflow != "latest" and bool(facts.displaced)
    gone += f", although overflow is {overflow!r}" if unasked else ""
    gives_way = "the oldest give way, announced" if overflow == "latest" else "nothing gives way"
    return decided(
        "bounded",
        ok=messages <= bound["messages"]
        and size <= bound["bytes"]
        and not (essential or needless or unasked or facts.passed_by),
        expected=f"at most {bound['messages']} messages and {bound['bytes']} bytes held, {gives_way}",
        observed=f"at most {messages} messages and {size} bytes held, {len(facts.displaced)} displaced{gone}",
    )


def detect(facts: Facts, scenario: Scenario) -> Check | None:
    """A connection that falls silent is given up within the bound.

    A link that was down anyway had nothing to detect, and neither had a connection that ended by itself, nor one
    that was healed before the bound. A toxicity below 1 may have spared it.
    """
    limit = detection_limit(scenario)
    expected = f"a silent link given up within {limit:g} s"
    took, late = [], []
    for strike in facts.strikes:
        if strike.fault.kind not in SILENT or strike.fault.toxicity < 1:
            continue
        lasts_until = min(strike.during.end, facts.stopping)
        for connection in filter(strike.strikes, facts.connections):
            since = strike.since(connection)
            ended = inf if connection.closed is None else connection.closed.t
            if since <= ended <= since + limit:
                if connection.closed is not None and connection.closed.by == "tracker":
                    took.append(ended - since)
            elif ended > since and lasts_until - since >= limit:
                late.append(strike)
    if late:
        strike = late[0]
        if all(evidence(facts.history, s.fault, s.during) is None for s in late):
            return Check("detect", "unknown", expected, f"nothing fell silent: {strike.fault}")
        return Check("detect", "fail", expected, f"not in time: {strike.fault}")
    if not took:
        return None
    return Check("detect", "pass", expected, f"given up after {max(took):.2f} s at most")


def no_false_kill(facts: Facts, _: Scenario) -> Check | None:
    """No connection is given up but for a fault that may end one, and no handshake either."""
    expected = "no connection given up that a fault had not broken"
    if given_up := impatience(facts):
        first = given_up[0]
        observed = f"{len(given_up)} handshakes given up: {first.why} on {first.link} at {first.t:.1f} s"
        return Check("no-false-kill", "fail", expected, observed)
    if not facts.connections:
        return None
    wrong = facts.false_kills
    return decided(
        "no-false-kill", ok=not wrong, expected=expected, observed=_ends(wrong) if wrong else "none"
    )


def _ends(closed: tuple[events.Closed, ...]) -> str:
    """Ends of one kind together: how each came about, when it first did, and how often."""
    kinds = Counter((end.code, end.why, end.by, end.link) for end in closed)
    first = {(end.code, end.why, end.by, end.link): end.t for end in reversed(closed)}
    return "; ".join(
        f"{code} {why + ' ' if why else ''}{_ENDED_BY[by]} on {link} at {first[code, why, by, link]:.1f} s"
        f"{f', {times} times' if times > 1 else ''}"
        for (code, why, by, link), times in kinds.items()
    )


def survives_input(facts: Facts, _: Scenario) -> Check | None:
    """Bad messages are counted and skipped, and the good ones after them get through."""
    bad = [event for event in facts.history.of(events.Rejected) if event.reason != "stopping"]
    if not bad:
        return None
    reasons = Counter(event.reason for event in bad)
    # What the outbox took, not what was delivered: that may be older than the bad message.
    outputs = list(facts.accepted.values() or [event.t for event in facts.deliveries])
    newest = max(outputs, default=-inf)
    since = next((event.t for event in bad if event.t >= newest), inf)
    after = sum(t > bad[-1].t for t in outputs)
    seen = f"{len(bad)} rejected ({dict(reasons)}), {after} outputs after the last"
    expected = "bad messages skipped, outputs going on"
    if not (after or reasons["internal-error"] or facts.quit_early) and facts.stopping - since < PAUSE:
        return Check("survives-input", "unknown", expected, f"{seen}: the run was over")
    return decided(
        "survives-input", ok=after > 0 and not reasons["internal-error"], expected=expected, observed=seen
    )


# Beyond the promises


def every_frame(facts: Facts, scenario: Scenario) -> Check | None:
    """Nothing gets lost before the outbox either: each frame offered over a healthy input becomes an output.

    A recording may hold frames that nobody can use; a generated climb holds none.
    """
    if facts.history.first(events.Received) is None:
        return None
    unread, idle = facts.passed_over
    refused = 0 if scenario.workload.recording else facts.good_refused
    return decided(
        "every-frame",
        ok=unread <= 0 and idle <= 0 and refused <= 0,
        expected="every frame of a healthy input received, and an output accepted for each",
        observed=f"{unread} were not received, {idle} received ones gave no output, {refused} good ones were refused"
        if unread or idle or refused > 0
        else "all of them",
    )


def silence(facts: Facts, scenario: Scenario) -> Check | None:
    """The sink never hears nothing for longer than the scenario allows."""
    limit = scenario.expect.longest_silence
    if limit is None:
        return None
    limit += on_the_way(scenario)
    expected = f"no {limit:g} s without a delivery"
    longest = facts.longest_silence
    if longest is None:
        return Check("silence", "unknown", expected, "the run was never steady")
    return decided("silence", ok=longest <= limit, expected=expected, observed=f"{longest:.2f} s at most")


def some(values: Sequence[int] | Sequence[str]) -> str:
    """The first few of them, in words, and how many there are."""
    shown = ", ".join(map(str, values[:5]))
    return f"{shown}, ... ({len(values)} in all)" if len(values) > 5 else shown


PROMISE_CHECKS: Mapping[str, Callable[[Facts, Scenario], Check | None]] = {
    "no-loss": no_loss,
    "in-order": in_order,
    "dedup-safe": dedup_safe,
    "bounded": bounded,
    "detect": detect,
    "no-false-kill": no_false_kill,
    "recover": recover,
    "polite": polite,
    "clean-stop": clean_stop,
    "same-climb": same_climb,
    "survives-input": survives_input,
}
