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
from chaos.reports.results import RunResult
from chaos.runner import Plan, perform
from chaos.scenario import Scenario
from tests.chaos import ablations

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
        "half-open-output": Red("sent-is-delivered", "no-loss"),
        "unreachable-output": Red("no-growth", "polite"),
        "half-open-input": Red("no-probe-verdicts", "detect"),
        "one-way-upstream": Red("no-requeue", "no-loss"),
        "one-way-downstream": Red("no-requeue", "no-loss"),
        "swallowing-proxy": Red("no-ceiling", "detect"),
        "reset": Red("no-requeue", "no-loss"),
        "clean-drop": Red("no-backoff-after-clean-close", "polite"),
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
        "crowded-input": Red("bytes-are-no-life", "no-false-kill"),
        "full-buffer": Red("no-write-deadline", "detect"),
        "stalled-reader": Red("no-probe-verdicts", "detect"),
        "cut-mid-frame": Red("any-pong-confirms-all", "no-loss"),
        "sliced": Red("a-read-is-a-message", "no-false-kill"),
        "slow-close": Red("waits-for-the-end", "silence"),
        "echo-backlog": Red("incident-after", "no-false-kill"),
        "crowded-pongs": Red("each-probe-by-itself", "no-false-kill"),
        "silent-pong": Red("sent-bytes-are-life", "detect"),
        "close-codes": Red("goodbye-for-good", "recover"),
        "accept-then-close": Red("backoff-restarts-on-connect", "polite"),
        "refused-start": Red("no-growth", "polite"),
        "handshake-503": Red("no-growth", "polite"),
        "retry-after": Red("ignores-retry-after", "polite"),
        "retry-after-hours": Red("waits-as-long-as-asked", "polite"),
        "handshake-401": Red("ignores-refusals", "polite"),
        "handshake-403": Red("ignores-refusals", "polite"),
        "handshake-404": Red("ignores-refusals", "polite"),
        "slow-handshake": Red("impatient-open", "no-false-kill"),
        "server-restart": Red("no-jitter", "polite"),
        "garbage-input": Red("bad-input-stops", "survives-input"),
        "large-messages": Red("usual-max-size", "no-false-kill"),
        "burst": Red("own-clock", "same-climb"),
        "blocked-loop": Red("verdicts-before-reading", "no-false-kill"),
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
    known = {ablated.name for ablated in ablations.ALL}
    spec = f"tests.chaos.ablations:{client.replace('-', '_')}" if client in known else client
    return perform(Plan(of, "sim", 0, 10.0, folder, spec))


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
def test_a_culprit_turns_a_scenario_red(name: str, red: Red, tmp_path: Path) -> None:
    result = run(scenario(name), red.culprit, tmp_path)
    failed = {check.name for check in result.checks if check.verdict == "fail"}
    assert (result.verdict, red.check in failed) == ("fail", True), result.troubles()


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
        f"| {name} | `{red.culprit}`{about.get(red.culprit, '')} | `{red.check}` |"
        for name, red in chain(CULPRITS.items(), MORE)
    ]
    return "\n".join(["| scenario | culprit | what fails |", "|---|---|---|", *lines])


def test_the_table_in_the_design_document_is_current() -> None:
    found = re.findall(r"^\| scenario \|.*?(?=\n\n)", DESIGN.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found == [table()], (
        "write it again: python -c 'from tests.chaos.test_ablations import table as t; print(t())'"
    )
