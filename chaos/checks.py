"""The promises, each as a pure function of a record.                                                      pure

A check says `pass`, `fail` or `unknown`; nothing observed is `unknown`, never `pass`. None means that the record
holds nothing to which the promise applies; that is `unknown` too where the scenario stresses the promise.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from chaos.evidence import Window, evidence, misbehaviour
from chaos.facts import Facts, Strike
from chaos.history import Broke, History
from chaos.scenario import Scenario
from simulator import events as peer
from tracker import events

Verdict = Literal["pass", "fail", "unknown"]

DETECT_WITHIN = 5.0
"""Seconds: the promise for the default configuration."""
HANDSHAKE = 1.0
"""Seconds that a handshake over a healed path may take, beyond the back-off that was announced."""
ATTEMPTS, ATTEMPTS_WITHIN = 15, 10.0
"""No more attempts than this in so many seconds. Full jitter from 0.5 s doubling to 15 s makes about 6 in 10 s; a
back-off that starts over on every connect makes about 40."""
JITTER_NEEDS = 4
"""From so many delays on, equal ones are no accident."""
SILENT = frozenset({"stall", "blackhole", "timeout", "mute_pong", "stop_reading"})
"""Kinds that end nothing by themselves: the client has to notice."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, judged on one record."""

    name: str
    verdict: Verdict
    expected: str
    observed: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """All checks of one run, and the verdict that follows: the worst of them."""

    verdict: Verdict
    checks: tuple[Check, ...]


def judge(history: History, scenario: Scenario) -> Judgement:
    """Every promise that applies to the record."""
    facts = Facts(history, scenario.faults)
    checks = [lived(history), *traces(history, scenario)]
    for name, promise in PROMISE_CHECKS.items():
        check = promise(facts, scenario)
        if check is None and name in scenario.stresses:
            check = Check(
                name, "unknown", "something to judge", "nothing in the record is about this promise"
            )
        if check is not None:
            checks.append(check)
    verdicts = {check.verdict for check in checks}
    worst: Verdict = "fail" if "fail" in verdicts else "unknown" if "unknown" in verdicts else "pass"
    return Judgement(worst, tuple(checks))


def _check(name: str, *, ok: bool, expected: str, observed: str) -> Check:
    return Check(name, "pass" if ok else "fail", expected, observed)


# What a record needs before it can prove anything


def lived(history: History) -> Check:
    """It was steady before the faults, and neither the client nor the laboratory broke."""
    expected = "a healthy start, and a client and a laboratory that last to the end"
    broke = history.first(Broke)
    if broke is not None:
        verdict: Verdict = "fail" if broke.who == "client" else "unknown"
        return Check("lived", verdict, expected, f"the {broke.who} failed: {broke.what}")
    steady = history.phase("steady")
    if steady is None:
        return Check("lived", "unknown", expected, "no output arrived before the first fault was due")
    return Check("lived", "pass", expected, f"steady after {steady:.1f} s")


def traces(history: History, scenario: Scenario) -> Iterator[Check]:
    """Every fault, and every standing misbehaviour of the peer, visibly did something."""
    found: dict[str, str | None] = {}
    if scenario.peer.echo and history.events:
        always = Window(0.0, history.events[-1].t)
        found["echo all along"] = misbehaviour(history, "echo", always)
    for index, fault in enumerate(scenario.faults):
        found[str(fault)] = evidence(history, index, fault)
    if not found:
        return
    without = [what for what, trace in found.items() if trace is None]
    yield Check(
        "evidence",
        "unknown" if without else "pass",
        "every fault leaves a trace in the record",
        f"none of: {'; '.join(without)}" if without else "; ".join(f"{w}: {t}" for w, t in found.items()),
    )


# The promises


def no_loss(facts: Facts, _: Scenario) -> Check | None:
    """Accepted and not displaced means delivered; what a client still held at its end is indefinite."""
    if not facts.accepted:
        return None
    kept = len(facts.accepted) - len(facts.displaced)
    expected = f"all {kept} accepted and not displaced outputs at the peer's endpoint"
    if facts.lost:
        return Check("no-loss", "fail", expected, f"{len(facts.lost)} lost: seq {_some(sorted(facts.lost))}")
    if facts.missing:
        return Check("no-loss", "unknown", expected, f"{len(facts.missing)} were still in flight at the end")
    return Check(
        "no-loss", "pass", expected, f"{len(facts.delivered)} delivered, {len(facts.displaced)} displaced"
    )


def in_order(facts: Facts, _: Scenario) -> Check | None:
    """First deliveries come in `seq` order."""
    if not facts.deliveries:
        return None
    late = [event.seq for event in facts.reordered]
    return _check(
        "in-order",
        ok=not late,
        expected="first deliveries in seq order",
        observed=f"{len(late)} came late: seq {_some(late)}" if late else f"{len(facts.delivered)} in order",
    )


def dedup_safe(facts: Facts, _: Scenario) -> Check | None:
    """A repeat has the same body, and comes over another connection than the one before."""
    if not facts.deliveries or not facts.closed:
        return None
    last: dict[tuple[str, int], peer.Delivered] = {}
    wrong = []
    for event in facts.deliveries:
        before = last.get((event.stream, event.seq))
        if before is not None and (before.digest != event.digest or before.connection == event.connection):
            wrong.append(event.seq)
        last[event.stream, event.seq] = event
    repeats = sum(event.repeat for event in facts.deliveries)
    return _check(
        "dedup-safe",
        ok=not wrong,
        expected="repeats only after a reconnect, with the same body",
        observed=f"{len(wrong)} wrong: seq {_some(wrong)}"
        if wrong
        else f"{repeats} repeats, each as promised",
    )


def bounded(facts: Facts, _: Scenario) -> Check | None:
    """The outbox never holds more than it declares."""
    bound = facts.history.settings.get("outbox", {}).get("messages")
    if bound is None or not facts.accepted:
        return None
    held = most = 0
    for event in facts.history.events:
        if isinstance(event, events.Accepted):
            held += 1
        elif isinstance(event, events.Displaced):
            held -= event.seq in facts.accepted
        elif isinstance(event, events.Confirmed):
            held -= event.count
        most = max(most, held)
    return _check(
        "bounded",
        ok=most <= bound,
        expected=f"at most {bound} messages held, displacement announced",
        observed=f"at most {most} held, {len(facts.displaced)} displaced",
    )


def detect(facts: Facts, scenario: Scenario) -> Check | None:
    """A link that falls silent is given up within the bound."""
    limit = scenario.expect.detect_within or DETECT_WITHIN
    silent = [s for s in facts.strikes if s.fault.kind in SILENT and s.during.end - s.during.begin >= limit]
    if not silent:
        return None
    took = {strike: facts.given_up(strike) for strike in silent}
    late = [s for s, at in took.items() if at is None or at - s.during.begin > limit]
    worst = max((at - s.during.begin for s, at in took.items() if at is not None), default=None)
    return _check(
        "detect",
        ok=not late,
        expected=f"a silent link given up within {limit:g} s",
        observed=f"not in time: {late[0].fault}" if late else f"given up after {worst:.2f} s at most",
    )


def no_false_kill(facts: Facts, _: Scenario) -> Check | None:
    """No connection is given up but for a fault that may end one."""
    if not facts.deliveries:
        return None
    wrong = facts.false_kills
    return _check(
        "no-false-kill",
        ok=not wrong,
        expected="no connection given up that a fault had not broken",
        observed=f"{len(wrong)}, the first on {wrong[0].link} at {wrong[0].t:.1f} s: {wrong[0].code} {wrong[0].why}"
        if wrong
        else "none",
    )


def recover(facts: Facts, scenario: Scenario) -> Check | None:
    """The first delivery after the path heals comes within one back-off delay plus a handshake."""
    broken = [s for s in facts.strikes if (at := facts.given_up(s)) is not None and at <= s.during.end + 1.0]
    if not broken:
        return None
    worst, limit_of_worst = 0.0, 0.0
    for strike in broken:
        took = facts.recovery(strike)
        limit = scenario.expect.recover_within or _longest_delay(facts, strike) + HANDSHAKE
        if took is None or took > limit:
            observed = "no delivery" if took is None else f"{took:.2f} s"
            return Check(
                "recover",
                "fail",
                f"a delivery within {limit:.2f} s of healing",
                f"{observed} after {strike.fault}",
            )
        if took >= worst:
            worst, limit_of_worst = took, limit
    return Check(
        "recover", "pass", f"a delivery within {limit_of_worst:.2f} s of healing", f"{worst:.2f} s at most"
    )


def _longest_delay(facts: Facts, strike: Strike) -> float:
    """The longest back-off that the client announced from the strike to the first delivery after it."""
    took = facts.recovery(strike) or 0.0
    during = Window(strike.during.begin, strike.during.end + took)
    waits = [e.delay for e in facts.history.of(events.Waiting) if e.t in during and strike.concerns(e.link)]
    return max(waits, default=0.0)


def polite(facts: Facts, _: Scenario) -> Check | None:
    """Attempts wait as announced, spread out, back off, and end where an endpoint refuses for good."""
    history = facts.history
    attempts: dict[str, list[float]] = {}
    free_at: dict[str, float] = {}  # per link, when the next attempt may begin
    final: set[str] = set()
    delays: dict[str, list[float]] = {}
    hasty = []
    for event in history.events:
        if isinstance(event, events.Connecting):
            if event.link in final or event.t < free_at.get(event.link, 0.0) - 0.01:
                hasty.append(event)
            attempts.setdefault(event.link, []).append(event.t)
        elif isinstance(event, events.Waiting):
            free_at[event.link] = event.t + event.delay
            delays.setdefault(event.link, []).append(event.delay)
        elif isinstance(event, events.Closed) or (isinstance(event, events.Refused) and not event.fatal):
            free_at[event.link] = float("inf")  # until a delay is announced
        elif isinstance(event, events.Refused):
            final.add(event.link)
    if not delays and not final:
        return None
    busiest = max((_most_within(ATTEMPTS_WITHIN, times) for times in attempts.values()), default=0)
    expected = f"announced, jittered back-off: at most {ATTEMPTS} attempts in {ATTEMPTS_WITHIN:g} s"
    if hasty:
        return Check("polite", "fail", expected, f"{len(hasty)} attempts came before their time")
    for link, drawn in delays.items():
        if len(drawn) >= JITTER_NEEDS and len(set(drawn)) == 1:
            return Check(
                "polite", "fail", expected, f"no jitter: {len(drawn)} delays of {drawn[0]:.2f} s on {link}"
            )
    return _check("polite", ok=busiest <= ATTEMPTS, expected=expected, observed=f"at most {busiest}")


def _most_within(seconds: float, times: list[float]) -> int:
    return max((sum(t <= later < t + seconds for later in times) for t in times), default=0)


def clean_stop(facts: Facts, _: Scenario) -> Check | None:
    """The stop flushes, closes with 1001, and says what is left."""
    stopping, stopped = facts.history.first(events.Stopping), facts.history.first(events.Stopped)
    if stopping is None:
        return None
    expected = "flushed, closed with 1001, nothing undelivered"
    if stopped is None:
        return Check("clean-stop", "fail", expected, "the client never came to an end")
    codes = [e.code for e in facts.history.of(events.Closed) if e.t >= stopping.t and e.link == "output"]
    observed = f"close codes {codes}, {stopped.undelivered} undelivered, {stopped.t - stopping.t:.2f} s"
    return _check(
        "clean-stop", ok=codes == [1001] and not stopped.undelivered, expected=expected, observed=observed
    )


def same_climb(facts: Facts, _: Scenario) -> Check | None:
    """The touches that arrived are those of a fault-free run over the frames that the client received."""
    reference = facts.history.reference
    if not reference or facts.missing:
        return None
    arrived = {event.hold: event.time for event in facts.history.of(peer.Arrived)}
    wrong = sorted(h for h in reference.keys() | arrived.keys() if reference.get(h) != arrived.get(h))
    return _check(
        "same-climb",
        ok=not wrong,
        expected=f"{len(reference)} touches, as in a fault-free run over the same frames",
        observed=f"different: {_some(wrong)}" if wrong else f"{len(arrived)}, at the same times",
    )


def survives_input(facts: Facts, _: Scenario) -> Check | None:
    """Bad messages are counted and skipped, and the good ones after them get through."""
    rejected = Counter(event.reason for event in facts.history.of(events.Rejected))
    if not rejected:
        return None
    last_bad = max(event.t for event in facts.history.of(events.Rejected))
    after = sum(event.t > last_bad for event in facts.deliveries)
    bugs = rejected["internal-error"]
    return _check(
        "survives-input",
        ok=after > 0 and not bugs,
        expected="bad messages skipped, deliveries going on",
        observed=f"{rejected.total()} rejected ({dict(rejected)}), {after} deliveries after the last",
    )


def _some(values: list[int] | list[str]) -> str:
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
