"""Findings as files: a scenario each, which `simtool chaos` makes again; and a hunt's state, to go on from."""

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from chaos.clients.choose import COMMAND, DEFAULT
from chaos.hunt.findings import Finding
from chaos.hunt.hunting import Hunt
from chaos.hunt.reached import Place, Reached
from chaos.hunt.trials import Quarry
from chaos.scenario import PROMISES, Scenario, ScenarioError
from chaos.scenario_reading import parse
from chaos.scenario_writing import write
from simulator.atomic import replacing

SCHEMA = "simtool.hunt/1"
STATE = "hunt.json"
"""In a corpus folder."""


class CorpusError(ScenarioError):
    """A corpus that cannot be gone on from; one line says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding and its file."""

    finding: Finding
    scenario: Scenario
    """Under its own name."""
    file: Path
    command: str
    """What makes exactly this run again."""


def keep(findings: Iterable[Finding], folder: Path, quarry: Quarry) -> list[Kept]:
    """A file for each. One of an earlier hunt that says something else keeps its name, and ours gets a number."""
    kept: list[Kept] = []
    for finding in findings:
        number = 1
        while True:
            name = finding.name if number == 1 else f"{finding.name}-{number}"
            file = folder / f"{name}.toml"
            command = _command(file, finding, quarry)
            scenario = named(finding, name)
            text = write(scenario, remark=f"Found by simtool hunt. To make it again: {command}")
            if all(other.file != file for other in kept) and _may_be_written(file, text):
                break
            number += 1
        with replacing(file) as to:
            to.write(text.encode())
        kept.append(Kept(finding, scenario, file, command))
    return kept


def _may_be_written(file: Path, text: str) -> bool:
    return not file.exists() or file.read_text("utf-8", errors="replace") == text


def named(finding: Finding, name: str) -> Scenario:
    """The finding's world as a scenario of its own."""
    stressed = (finding.promise,) if finding.promise in PROMISES else finding.scenario.stresses[:1]
    minimal = "no part of it can be left out" if finding.minimal else "smaller ones may break it too"
    about = f"{finding.promise} broke with seed {finding.number}: {finding.observed}; {minimal}."
    about = "".join(c if c.isprintable() else " " for c in about)
    return replace(finding.scenario, name=name, about=" ".join(about.split()), stresses=stressed)


def _command(file: Path, finding: Finding, quarry: Quarry) -> str:
    words = ["simtool", "chaos", str(file), "--engine", quarry.engine]
    if quarry.client.startswith(COMMAND):
        words += ["--command", quarry.client.removeprefix(COMMAND)]
    elif quarry.client != DEFAULT:
        words += ["--client", quarry.client]
    if quarry.speech is not None:
        words += quarry.speech.flags
    return shlex.join([*words, "--seed", str(finding.number)])


def document(hunt: Hunt, quarry: Quarry) -> dict[str, Any]:
    """All that a hunt came to, as JSON has it. `restored` reads it."""
    return {
        "schema": SCHEMA,
        "client": quarry.client,
        "seed": quarry.seed,
        "schedules": quarry.schedules,
        "next": hunt.next_number,
        "runs": hunt.runs,
        "shrinking_runs": hunt.shrinking_runs,
        "passed_over": hunt.passed_over,
        "not_steady": hunt.not_steady,
        "lost": hunt.lost,
        "judged": dict(sorted(hunt.judged.items())),
        "more": dict(sorted(hunt.more.items())),
        "not_shrunk": [{"number": number, "promise": promise} for number, promise in hunt.not_shrunk],
        "findings": [
            {
                "promise": finding.promise,
                "observed": finding.observed,
                "number": finding.number,
                "faults_before": finding.faults_before,
                "runs": finding.runs,
                "minimal": finding.minimal,
                "sightings": finding.sightings,
                "scenario": write(finding.scenario),
            }
            for finding in hunt.findings
        ],
        "reached": {
            "runs": hunt.reached.runs,
            "times": [
                [place.family, place.what, times] for place, times in sorted(hunt.reached.times.items())
            ],
        },
    }


class _Finding(msgspec.Struct):
    promise: str
    observed: str
    number: int
    faults_before: int
    runs: int
    minimal: bool
    sightings: int
    scenario: str


class _Reached(msgspec.Struct):
    runs: int
    times: list[tuple[str, str, int]]


class _State(msgspec.Struct):
    schema: str
    client: str
    seed: int
    schedules: bool
    next: int
    judged: dict[str, int]
    findings: list[_Finding]
    reached: _Reached


def write_state(folder: Path, hunt: Hunt, quarry: Quarry) -> None:
    """So that a later hunt can go on from there."""
    with replacing(folder / STATE) as file:
        file.write(msgspec.json.format(msgspec.json.encode(document(hunt, quarry)), indent=1) + b"\n")


def restored(folder: Path, quarry: Quarry) -> Hunt:
    """What an earlier hunt of the same client and seed left in `folder`; a fresh hunt where there was none.

    Raises `CorpusError`.
    """
    file = folder / STATE
    if not file.exists():
        return Hunt()
    try:
        state = msgspec.json.decode(file.read_bytes(), type=_State)
        findings = [
            Finding(
                each.promise,
                each.observed,
                each.number,
                parse(each.scenario, Path("hunted.toml")),
                each.faults_before,
                each.runs,
                each.minimal,
                each.sightings,
            )
            for each in state.findings
        ]
    except (OSError, msgspec.DecodeError, ScenarioError) as error:
        raise CorpusError(
            f"--corpus {folder}: {STATE} cannot be read: {error}: remove it, or name another folder"
        ) from None
    if state.schema != SCHEMA:
        raise CorpusError(
            f"--corpus {folder}: {STATE} is {state.schema!r}, and {SCHEMA} is read: name another folder"
        )
    if (state.client, state.seed, state.schedules) != (quarry.client, quarry.seed, quarry.schedules):
        how = f"--client {state.client} --seed {state.seed}{' --schedules' if state.schedules else ''}"
        raise CorpusError(
            f"--corpus {folder} is of a hunt with {how}: go on with these, or name another folder"
        )
    times = {Place(family, what): count for family, what, count in state.reached.times}  # type: ignore[arg-type]  # a family that is none now counts for nothing
    return Hunt(
        findings=findings,
        reached=Reached(state.reached.runs, times),
        judged=Counter(state.judged),
        next_number=state.next,
    )
