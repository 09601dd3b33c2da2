"""A record judged: what it needs to prove anything, then every promise.                                     pure

Nothing observed is `unknown`, never `pass`: a fault without a trace makes the run unknown, and so does a promise
that the scenario stresses and the record holds nothing about.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf

from chaos.faults import Fault
from chaos.history import Attempted, Broke, History
from chaos.judging.accounts import accounts
from chaos.judging.attempts import refused_for_good
from chaos.judging.circumstances import circumstances
from chaos.judging.controls import controls
from chaos.judging.evidence import Window, evidence, misbehaviour, windows
from chaos.judging.facts import Facts
from chaos.judging.frames import every_frame, silence
from chaos.judging.herd import apart, jitter, spread, together
from chaos.judging.machine import TIMED, in_doubt, paused
from chaos.judging.peer_evidence import peer_evidence, slow_throughout
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.probing import probes
from chaos.judging.promises import CHECKS, seen_from_outside
from chaos.judging.sessions import every_reset
from chaos.judging.verdicts import Check, Judgement, Verdict
from chaos.scenario import Scenario
from simulator import events as peer
from tracker import events

QUOTED = 80
"""Characters of a message that could not be read."""
ENOUGH_OFFERED = 30
"""Frames after which a relay that has sent none on does not send any."""


def judge(history: History, scenario: Scenario) -> Judgement:
    """Every promise that applies to the record; none where the record is not one of a whole run.

    Of several clients each is judged, and then what they did together.
    """
    each = [_checks(part, scenario) for part in apart(history)]
    checks = each[0] if len(each) == 1 else together(each)
    if checks[0].verdict == "unknown":
        checks += [check for check in [paused(history)] if check is not None]
    else:
        checks += [check for check in (spread(history, scenario), jitter(history)) if check is not None]
        checks = [*in_doubt(checks, history, scenario)]
        if not history.shows_its_own_times:
            checks = [_untimed(check, history) for check in checks]
    return Judgement.of(checks)


def _checks(history: History, scenario: Scenario) -> list[Check]:
    """Of one client. The first says whether the record is one of a whole run."""
    start = valid_run(history, scenario)
    if start.verdict == "unknown":
        return [start]
    scenario = scenario.paced
    excuse = not scenario.expect.keeps_connections
    if history.role == "tracker":
        facts = Facts(history, scenario.faults, excuse=excuse)
        judged = _by_reports(facts, scenario)
        beyond: tuple[_Judges, ...] = (accounts, probes, every_frame, every_reset, controls, silence)
    else:
        facts = seen = PeerFacts(history, scenario.faults, excuse=excuse)
        judged = iter(_by_peer(seen, scenario, whole=start.verdict == "pass"))
        beyond = (silence,)
    checks = [start, *traces(facts, scenario), *network_traces(facts, scenario), *judged]
    checks += [check for each in beyond if (check := each(facts, scenario)) is not None]
    return [_with_circumstances(check, facts) for check in checks]


def _with_circumstances(check: Check, facts: Facts) -> Check:
    """What went on when what it found wrong happened."""
    if check.at is None:
        return check
    return replace(check, circumstances=circumstances(facts, check.at))


_Judges = Callable[[Facts, Scenario], Check | None]


def _by_reports(facts: Facts, scenario: Scenario) -> Iterator[Check]:
    """Every promise that the record is about, and those that the scenario stresses."""
    for name, promise in CHECKS.items():
        check = promise.by_reports(facts, scenario)
        if check is not None:
            yield check
        elif name in scenario.stresses:
            nothing = "nothing in the record is about this promise"
            yield Check(name, "unknown", "something to judge", nothing)


def _by_peer(facts: PeerFacts, scenario: Scenario, *, whole: bool) -> list[Check]:
    """Every promise about which something was seen from outside; of a whole run, all that the scenario stresses and that
    can be seen from there.
    """
    history = facts.history
    judged = []
    visible = seen_from_outside(history)
    # Where nothing was offered, nothing that it does can be right.
    idle = history.sends_on and history.first(peer.Offered) is None
    for name, promise in CHECKS.items():
        if name not in visible or name in history.not_judged or (idle and name != "intact"):
            continue
        check = promise.by_peer(facts, scenario)
        stressed = name in scenario.stresses
        if check is None and stressed and whole and not idle:
            check = Check(
                name, "unknown", "something to judge", "nothing in the record is about this promise"
            )
        if check is not None and name == "clean-stop" and not stressed and check.verdict != "pass":
            check = replace(check, verdict="note")
        judged += [] if check is None else [check]
    if whole and not any(check.name in scenario.stresses for check in judged):
        what = f"one of {', '.join(scenario.stresses)}"
        judged.append(Check("stressed", "unknown", what, "none of them shows from outside"))
    return judged


def _untimed(check: Check, history: History) -> Check:
    """Of a client whose own durations were not those of the scenario's clock: what hangs on them is not known."""
    if check.name not in TIMED:
        return check
    why = (
        f"at {history.time_scale:g} scenario seconds a second, with delays and time-outs of the client's own"
    )
    return replace(
        check, verdict="unknown", observed=f"{check.observed}; but {why}: --time-scale 1 tells what is true"
    )


# What a record needs before it can prove anything


def valid_run(history: History, scenario: Scenario) -> Check:
    """It was steady before the faults, and neither the client nor the laboratory broke.

    A client that was refused for good is right to give up, and one ends by itself where the scenario says so. Where a fault was in force before the client started,
    nobody could expect a steady state.
    """
    expected = "a healthy start, and a client and a laboratory that last to the end"
    refusal = _refusal(history, scenario)
    gave_up = ""
    ended: events.Stopping | None = None
    if scenario.expect.ends is not None and history.role == "tracker":
        expected = f"a healthy start, and a client that comes to its end by itself: {scenario.expect.ends}"
        ended = history.first(events.Stopping)
        if ended is None or ended.cause != scenario.expect.ends:
            why = "it did not stop" if ended is None else f"it stopped at {ended.t:.1f} s: {ended.cause}"
            return Check("valid-run", "fail", expected, why)
        gave_up = f", stopped at {ended.t:.1f} s: {ended.why}"
    # The laboratory first: what it could not give, a client may have turned into a failure of its own.
    for broke in sorted(history.of(Broke), key=lambda broke: broke.who == "client"):
        if broke.who == "client" and refusal is not None and broke.t >= refusal.t:
            expected = "a healthy start, and a client that gives up where it is refused for good"
            gave_up = f", gave up at {refusal.t:.1f} s: {refusal.why} on {refusal.link}"
        elif not (broke.who == "client" and ended is not None and broke.t >= ended.t):
            verdict: Verdict = "fail" if broke.who == "client" else "unknown"
            return Check("valid-run", verdict, expected, f"the {broke.who} failed: {broke.told}")
    steady = history.phase("steady")
    if steady is None and not scenario.from_start:
        if (mute := _mute(history)) is not None:
            return Check("valid-run", "fail", expected, mute)
        seen = f"no output arrived before the first fault was due: {_why_not_steady(history)}"
        return Check("valid-run", "unknown", expected, seen)
    if steady is None and history.sockets_seen == "all" and history.first(Attempted) is None:
        return Check("valid-run", "unknown", expected, "the client did nothing: it never tried to connect")
    seen = "never steady, with a fault from the start" if steady is None else f"steady after {steady:.1f} s"
    return Check("valid-run", "pass", expected, seen + gave_up)


def _why_not_steady(history: History) -> str:
    """What the peer saw of the client instead."""
    turned_away = list(history.of(peer.TurnedAway))
    if turned_away:
        answer = turned_away[0]
        return f"{len(turned_away)} handshakes were answered with {answer.status}: {answer.why}"
    met = {event.link for event in history.of(peer.Opened)}
    if not met:
        return "it never connected"
    unreadable = list(history.of(peer.Unreadable))
    if unreadable:
        first = unreadable[0]
        begins = f", which begins {first.begins[:QUOTED]!r}" if first.begins else ""
        return f"{len(unreadable)} messages came that could not be read, the first{begins}: {first.reason}"
    if history.uses("output") and "output" not in met:
        return f"it connected to {' and '.join(sorted(met))} alone"
    offered = sum(1 for _ in history.of(peer.Offered))
    delivered = sum(1 for _ in history.of(peer.Delivered))
    return f"it connected, was offered {offered} messages, and sent {delivered}"


def _refusal(history: History, scenario: Scenario) -> events.Refused | None:
    """The refusal for good that the scenario asks for: one that the tracker took as such, or that the peer gave another."""
    asked = refused_for_good(scenario)
    if history.role == "tracker":
        return history.first(events.Refused, lambda e: e.fatal and asked.get(e.link) == e.status)
    given = history.first(peer.Misbehaved, lambda e: e.kind == "refuse" and e.link in asked)
    return (
        None if given is None else events.Refused(t=given.t, link=given.link, why=f"HTTP {asked[given.link]}")
    )


def _mute(history: History) -> str | None:
    """How a relay sent nothing on, although nothing was wrong and its output was open; None: that cannot be said."""
    opened = history.first(peer.Opened, lambda event: event.link == "output")
    offered = list(history.of(peer.Offered))
    if not history.sends_on or opened is None or history.first(peer.Unreadable) is not None:
        return None
    due = [event for event in offered if event.t >= opened.t]
    if len(due) < ENOUGH_OFFERED or history.first(peer.Delivered) is not None:
        return None
    return f"{len(due)} frames were offered while its output was open, and it sent none on"


def traces(facts: Facts, scenario: Scenario) -> Iterator[Check]:
    """Every fault, and every standing misbehaviour of the peer, visibly did something."""
    history = facts.history
    found: dict[str, str | None] = {}
    if scenario.peer.echo:
        found["echo all along"] = misbehaviour(history, Fault("echo", 0.0, None, "output"), Window(0.0, inf))
    found |= {str(fault): None for fault in scenario.faults}
    for fault, during in facts.in_force:
        found[str(fault)] = _trace(facts, fault, during)
    if not found:
        return
    without = [what for what, trace in found.items() if trace is None]
    yield Check(
        "evidence",
        "unknown" if without else "pass",
        "every fault leaves a trace in the record",
        f"none of: {'; '.join(without)}" if without else "; ".join(f"{w}: {t}" for w, t in found.items()),
    )


def network_traces(facts: Facts, scenario: Scenario) -> Iterator[Check]:
    """The network that the run lay on visibly was that network, on either link.

    What lasts is one trace, because a rate that nothing exceeds leaves none where nobody counts bytes. So are a
    link's stalls: one that comes while there is no connection has nothing to hold.
    """
    network = scenario.network
    if network is None:
        return
    faults = (*scenario.faults, *network.faults(scenario.duration, facts.history.seed))
    found: dict[str, list[str]] = {}
    for index, during in windows(facts.history, faults).items():
        fault = faults[index]
        if index < len(scenario.faults) or not facts.history.uses(fault.on):
            continue
        if during.begin >= facts.stopping:
            continue  # the client had come to its end
        traces_of_it = found.setdefault(
            f"{'stalls' if fault.kind == 'stall' else 'delays'} on {fault.on}", []
        )
        unseen = fault.kind == "latency" and during.counts is None and facts.history.role != "tracker"
        trace = (
            slow_throughout(facts, 2 * (network.latency - network.jitter) / 1000)
            if unseen
            else _trace(facts, fault, during)
        )
        traces_of_it += [] if trace is None else [trace]
    without = [what for what, some in found.items() if not some]
    told = [
        f"{what}: {some[0]}{f', the first of {len(some)}' if len(some) > 1 else ''}"
        for what, some in found.items()
        if some
    ]
    yield Check(
        "network",
        "unknown" if without or not found else "pass",
        f"the network {scenario.preset} leaves its traces on every link that the client uses",
        f"none of: {'; '.join(without)}" if without else "; ".join(told) or "it never was in force",
    )


def _trace(facts: Facts, fault: Fault, during: Window) -> str | None:
    trace = evidence(facts.history, fault, during)
    if trace is None and facts.history.role != "tracker":
        trace = peer_evidence(facts, fault, during)
    return trace
