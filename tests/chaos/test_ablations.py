"""Every scenario can fail, and every safeguard of the tracker is missed when it is gone."""

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from chaos import catalogue
from chaos.catalogue import load
from chaos.history import History
from chaos.judging.checks import judge
from chaos.judging.verdicts import Judgement
from chaos.reports.results import RunResult
from chaos.runner import Plan, make_history, perform
from chaos.scenario import Scenario
from tests.chaos import ablations
from tests.chaos.from_outside import judged_from_outside

pytestmark = pytest.mark.scenarios

DESIGN = Path(__file__).parents[2] / "docs" / "design.md"
BEYOND = Path(__file__).parent / "data"
"""Scenarios for safeguards that show only where buffers are small, or that the catalogue takes ten minutes for."""


class Red(NamedTuple):
    """What turns a scenario red: an ablation of the tracker, or another client; and the check that fails."""

    culprit: str
    check: str


CULPRITS: Mapping[str, Red] = MappingProxyType(
    {
        "steady": Red("gaps-break-contact", "same-climb"),
        "latency-below-limit": Red("no-second-chance", "no-false-kill"),
        "latency-spike": Red("no-second-chance", "no-false-kill"),
        "latency-ramp": Red("fixed-deadline", "no-false-kill"),
        "lossy-link": Red("no-time-for-a-retransmission", "no-false-kill"),
        "short-outages": Red("heals-unnoticed", "no-false-kill"),
        "loss-bursts": Red("no-second-chance", "no-false-kill"),
        "half-open-output": Red("sent-is-delivered", "no-loss"),
        "unreachable-output": Red("no-growth", "polite"),
        "half-open-input": Red("no-probe-verdicts", "detect"),
        "idle-links": Red("rarely-probes", "no-false-kill"),
        "forgotten-by-nat": Red("sent-is-delivered", "no-loss"),
        "mtu-black-hole": Red("backoff-restarts-on-connect", "polite"),
        "one-way-upstream": Red("no-requeue", "no-loss"),
        "one-way-downstream": Red("no-requeue", "no-loss"),
        "swallowing-proxy": Red("no-ceiling", "detect"),
        "reset": Red("no-requeue", "no-loss"),
        "new-address": Red("rarely-probes", "recover"),
        "clean-drop": Red("no-backoff-after-clean-close", "polite"),
        "half-closed": Red("fin-is-no-end", "recover"),
        "flapping": Red("backoff-restarts-on-connect", "polite"),
        "stable-then-cut": Red("backoff-never-starts-over", "polite"),
        "long-outage": Red("displaces-touches", "bounded"),
        "silent-is-not-stable": Red("age-is-life", "polite"),
        "lost-on-the-way-out": Red("pong-confirms-one-more", "no-loss"),
        "lost-acks": Red("ack-confirms-one-more", "no-loss"),
        "acks-without-pongs": Red("acks-are-no-life", "no-false-kill"),
        "fire-and-forget": Red("forgets-what-waits", "no-loss"),
        "small-outbox": Red("resets-may-be-displaced", "every-reset"),
        "only-touches-left": Red("overfills-for-what-is-plain", "bounded"),
        "block-when-full": Red("drops-instead-of-waiting", "bounded"),
        "outbox-full-ends": Red("fail-goes-on", "valid-run"),
        "narrow-window": Red("acks-confirm-too", "accounts"),
        "slow-link": Red("no-second-chance", "no-false-kill"),
        "bufferbloat": Red("each-probe-by-itself", "no-false-kill"),
        "crowded-input": Red("bytes-are-no-life", "no-false-kill"),
        "full-buffer": Red("no-write-deadline", "detect"),
        "stalled-reader": Red("no-probe-verdicts", "detect"),
        "cut-mid-frame": Red("any-pong-confirms-all", "no-loss"),
        "sliced": Red("a-read-is-a-message", "no-false-kill"),
        "slow-close": Red("waits-for-the-end", "silence"),
        "echo-backlog": Red("incident-after", "no-false-kill"),
        "crowded-pongs": Red("each-probe-by-itself", "no-false-kill"),
        "silent-pong": Red("sent-bytes-are-life", "detect"),
        "wrong-pong": Red("any-pong-is-an-answer", "detect"),
        "fragments": Red("a-fragment-is-a-message", "recover"),
        "close-codes": Red("goodbye-for-good", "recover"),
        "accept-then-close": Red("backoff-restarts-on-connect", "polite"),
        "refused-start": Red("no-growth", "polite"),
        "handshake-503": Red("no-growth", "polite"),
        "retry-after": Red("ignores-retry-after", "polite"),
        "retry-after-date": Red("ignores-retry-after", "polite"),
        "retry-after-hours": Red("waits-as-long-as-asked", "polite"),
        "retry-after-nonsense": Red("no-delay-for-nonsense", "polite"),
        "no-answer": Red("no-limit-to-a-handshake", "recover"),
        "trickled-handshake": Red("no-limit-to-a-handshake", "recover"),
        "late-accept": Red("leaves-the-late", "single"),
        "redirects": Red("goes-where-it-is-sent", "no-loss"),
        "token-expires": Red("shows-old-papers", "silence"),
        "rolling-restart": Red("no-limit-to-a-handshake", "recover"),
        "name-look-ups": Red("not-found-is-for-good", "polite"),
        "dead-first-address": Red("one-address-at-a-time", "recover"),
        "handshake-401": Red("ignores-refusals", "polite"),
        "handshake-403": Red("ignores-refusals", "polite"),
        "handshake-404": Red("ignores-refusals", "polite"),
        "slow-handshake": Red("impatient-open", "no-false-kill"),
        "server-restart": Red("no-jitter", "polite"),
        "garbage-input": Red("bad-input-stops", "survives-input"),
        "large-messages": Red("usual-max-size", "no-false-kill"),
        "huge-messages": Red("usual-max-size", "no-false-kill"),
        "refused-as-too-large": Red("backoff-restarts-on-connect", "polite"),
        "compression": Red("a-bad-answer-is-for-good", "recover"),
        "burst": Red("own-clock", "same-climb"),
        "blocked-loop": Red("verdicts-before-reading", "no-false-kill"),
        "suspended": Red("sleeps-on", "recover"),
        "clock-set": Red("deadlines-by-the-wall-clock", "detect"),
        "lid-opened-elsewhere": Red("no-limit-to-a-handshake", "recover"),
        "poison-message": Red("retries-a-bad-message", "survives-input"),
        "control-messages": Red("obeys-the-input", "controls"),
        "control-link-cuts": Red("control-link-stays-away", "valid-run"),
        "reset-during-outage": Red("resets-need-a-link", "same-climb"),
        "reconnect-herd": Red("no-jitter", "polite"),
        "stop": Red("stops-by-the-clock", "clean-stop"),
        "stop-under-fault": Red("waits-for-the-flush", "clean-stop"),
        "stop-without-input": Red("stops-between-attempts", "clean-stop"),
        "stop-over-a-slow-link": Red("flushes-once", "clean-stop"),
        "stop-while-full": Red("waits-for-room-for-ever", "clean-stop"),
        "stop-with-a-full-buffer": Red("waits-for-the-flush", "clean-stop"),
    }
)
"""By scenario of the catalogue."""

ALWAYS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "long-outage": frozenset({"no-loss"}),
        "acks-without-pongs": frozenset({"detect"}),
        "fire-and-forget": frozenset({"no-loss"}),
        "small-outbox": frozenset({"no-loss"}),
        "only-touches-left": frozenset({"no-loss"}),
        "outbox-full-ends": frozenset({"valid-run"}),
    }
)
"""What fails of a whole tracker for whoever does not know what it was told: to let messages give way, to take acks for
life, to forget what it sent, or to come to an end.
"""

FROM_OUTSIDE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "latency-below-limit": frozenset({"no-false-kill", "silence"}),
        "latency-spike": frozenset({"no-false-kill"}),
        "latency-ramp": frozenset({"no-false-kill", "silence"}),
        "lossy-link": frozenset({"no-false-kill"}),
        "short-outages": frozenset({"no-false-kill"}),
        "loss-bursts": frozenset({"no-false-kill", "silence"}),
        "half-open-output": frozenset({"no-loss"}),
        "unreachable-output": frozenset({"polite"}),
        "half-open-input": frozenset({"detect"}),
        "idle-links": frozenset({"no-false-kill"}),
        "forgotten-by-nat": frozenset({"no-loss"}),
        "one-way-upstream": frozenset({"no-loss"}),
        "one-way-downstream": frozenset({"no-loss"}),
        "swallowing-proxy": frozenset({"detect"}),
        "reset": frozenset({"no-loss"}),
        "new-address": frozenset({"recover"}),
        "half-closed": frozenset({"recover"}),
        "lost-on-the-way-out": frozenset({"no-loss"}),
        "lost-acks": frozenset({"no-loss"}),
        "block-when-full": frozenset({"no-loss"}),
        "slow-link": frozenset({"no-false-kill"}),
        "bufferbloat": frozenset({"no-false-kill"}),
        "crowded-input": frozenset({"no-false-kill"}),
        "full-buffer": frozenset({"detect"}),
        "stalled-reader": frozenset({"detect"}),
        "cut-mid-frame": frozenset({"no-loss"}),
        "sliced": frozenset({"no-false-kill", "silence"}),
        "slow-close": frozenset({"recover", "silence"}),
        "echo-backlog": frozenset({"in-order", "no-false-kill", "silence"}),
        "crowded-pongs": frozenset({"no-false-kill"}),
        "silent-pong": frozenset({"detect"}),
        "wrong-pong": frozenset({"detect"}),
        "fragments": frozenset({"recover"}),
        "close-codes": frozenset({"recover"}),
        "accept-then-close": frozenset({"polite"}),
        "refused-start": frozenset({"polite"}),
        "handshake-503": frozenset({"polite"}),
        "retry-after": frozenset({"polite"}),
        "retry-after-date": frozenset({"polite"}),
        "retry-after-nonsense": frozenset({"polite"}),
        "no-answer": frozenset({"recover"}),
        "trickled-handshake": frozenset({"recover"}),
        "late-accept": frozenset({"single"}),
        "redirects": frozenset({"no-loss"}),
        "rolling-restart": frozenset({"recover"}),
        "name-look-ups": frozenset({"recover", "valid-run"}),
        "dead-first-address": frozenset({"recover", "silence"}),
        "handshake-401": frozenset({"polite"}),
        "handshake-403": frozenset({"polite"}),
        "handshake-404": frozenset({"polite"}),
        "huge-messages": frozenset({"no-false-kill"}),
        "refused-as-too-large": frozenset({"polite"}),
        "compression": frozenset({"recover", "survives-input"}),
        "garbage-input": frozenset({"no-false-kill", "silence", "survives-input", "valid-run"}),
        "large-messages": frozenset({"no-false-kill", "silence"}),
        "blocked-loop": frozenset({"no-false-kill"}),
        "suspended": frozenset({"recover", "silence"}),
        "clock-set": frozenset({"detect", "no-false-kill"}),
        "poison-message": frozenset({"no-false-kill", "silence", "survives-input", "valid-run"}),
        "reconnect-herd": frozenset({"spread"}),
        "stop-under-fault": frozenset({"valid-run"}),
        "stop-while-full": frozenset({"valid-run"}),
        "stop-with-a-full-buffer": frozenset({"valid-run"}),
    }
)
"""What of each culprit shows where the client's own words are left out. Of the others nothing does."""

MORE: tuple[tuple[str, Red], ...] = (
    ("steady", Red("one-hand-out-of-sight", "every-frame")),
    ("steady", Red("stops-by-the-clock", "clean-stop")),
    ("short-outages", Red("rests-ever-longer", "no-false-kill")),
    ("reset", Red("sent-is-delivered", "no-loss")),
    ("half-open-input", Red("resets-on-connect", "every-reset")),
    ("cut-mid-frame", Red("requeue-at-the-tail", "in-order")),
    ("close-codes", Red("backoff-never-starts-over", "recover")),
    ("echo-backlog", Red("no-drain", "no-false-kill")),
    ("lost-acks", Red("acks-confirm-nothing", "clean-stop")),
    ("control-messages", Red("silent-while-paused", "controls")),
    ("control-messages", Red("pause-stops-the-climb", "same-climb")),
    ("control-messages", Red("flat-rules-only", "controls")),
    ("small-outbox", Red("unbounded-outbox", "bounded")),
    ("small-outbox", Red("displaces-the-newest", "bounded")),
    ("small-outbox", Red("no-cap", "polite")),
    ("reconnect-herd", Red("half-jitter", "jitter")),
    ("full-buffer", Red("waits-for-the-buffer", "detect")),
)
"""Scenarios that catch what the first table leaves out."""


def scenario(name: str) -> Scenario:
    return catalogue.find(name) if name in catalogue.names() else load(BEYOND / f"{name}.toml")


def run(of: Scenario, client: str, folder: Path) -> RunResult:
    return perform(plan(of, client, folder))


def plan(of: Scenario, client: str, folder: Path = Path()) -> Plan:
    known = {ablated.name for ablated in ablations.ALL}
    spec = f"tests.chaos.ablations:{client.replace('-', '_')}" if client in known else client
    return Plan(of, "sim", 0, 10.0, folder, spec)


def test_a_culprit_is_named_for_every_scenario() -> None:
    assert tuple(CULPRITS) == catalogue.names()


def test_a_scenario_is_named_for_every_ablation() -> None:
    named = {red.culprit for red in chain(CULPRITS.values(), (red for _, red in MORE))}
    assert {ablated.name for ablated in ablations.ALL} <= named


@pytest.mark.parametrize("name", CULPRITS)
def test_the_check_that_fails_is_one_that_the_scenario_is_about(name: str) -> None:
    asked = scenario(name)
    about = {*asked.stresses}
    # Beyond the promises: what the scenario asks for in other words than `stresses`.
    about |= {"silence"} if asked.expect.longest_silence is not None else set()
    about |= {"valid-run"} if asked.expect.ends is not None else set()
    about |= {"controls"} if asked.controls else set()
    about |= {"every-reset"} if asked.workload.reset_at else set()
    about |= {"accounts"} if asked.client.outbox else set()
    assert CULPRITS[name].check in about


@pytest.mark.parametrize(
    ("name", "red"), [*CULPRITS.items(), *MORE], ids=lambda value: getattr(value, "culprit", value)
)
def test_a_culprit_turns_a_scenario_red(name: str, red: Red) -> None:
    asked = scenario(name)
    history = make_history(plan(asked, red.culprit))
    judgement = judge(history, asked)
    assert (judgement.verdict, red.check in failed(judgement)) == ("fail", True)
    if red is CULPRITS.get(name):
        assert seen_from_outside(history, asked) == FROM_OUTSIDE.get(name, frozenset())


def failed(judgement: Judgement) -> frozenset[str]:
    return frozenset(check.name for check in judgement.checks if check.verdict == "fail")


def seen_from_outside(history: History, of: Scenario) -> frozenset[str]:
    """What fails where the client's own words are left out, and would not of a tracker that is whole."""
    judgement = judged_from_outside(history, of)
    return frozenset() if judgement is None else failed(judgement) - ALWAYS.get(of.name, frozenset())


@pytest.mark.parametrize("name", CULPRITS)
def test_a_whole_tracker_passes_for_a_sound_client_from_outside_too(name: str) -> None:
    asked = scenario(name)
    judgement = judged_from_outside(make_history(plan(asked, "tracker")), asked)
    assert judgement is None or failed(judgement) == ALWAYS.get(name, frozenset())


SEEN_IN_ANY_RUN = frozenset(
    {
        "gaps-break-contact",
        "one-hand-out-of-sight",
        "stops-by-the-clock",
        "sent-is-delivered",
        "any-pong-confirms-all",
        "pong-confirms-one-more",
    }
)
"""They are about the climb itself, the stop that ends every run, or what counts as confirmed."""


@pytest.mark.parametrize(
    "ablated",
    [ablated.name for ablated in ablations.ALL if ablated.name not in SEEN_IN_ANY_RUN],
)
def test_where_nothing_goes_wrong_nobody_misses_the_safeguard(ablated: str, tmp_path: Path) -> None:
    result = run(replace(scenario("steady"), duration=8.0), ablated, tmp_path)
    assert (result.verdict, result.troubles()) == ("pass", ())


@pytest.mark.parametrize("name", sorted({name for name, _ in MORE} - CULPRITS.keys()))
def test_beyond_the_catalogue_the_tracker_keeps_its_promises_in(name: str, tmp_path: Path) -> None:
    result = run(scenario(name), "tracker", tmp_path)
    assert (result.verdict, result.troubles()) == ("pass", ())


def table() -> str:
    """The first table, and the second below it, as the design document shows them."""
    about = {ablated.name: f": {ablated.about}" for ablated in ablations.ALL}
    lines = [
        f"| {name} | `{red.culprit}`{about.get(red.culprit, '')} | `{red.check}` | {outside} |"
        for name, red, outside in chain(
            ((name, red, _named(FROM_OUTSIDE.get(name, frozenset()))) for name, red in CULPRITS.items()),
            ((name, red, "") for name, red in MORE),
        )
    ]
    return "\n".join(["| scenario | culprit | what fails | from outside |", "|---|---|---|---|", *lines])


def _named(checks: frozenset[str]) -> str:
    return ", ".join(f"`{check}`" for check in sorted(checks)) or "-"


def test_the_table_in_the_design_document_is_current() -> None:
    found = re.findall(r"^\| scenario \|.*?(?=\n\n)", DESIGN.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found == [table()], (
        "write it again: python -c 'from tests.chaos.test_ablations import table as t; print(t())'"
    )
