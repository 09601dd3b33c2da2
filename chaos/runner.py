"""One run: planned, made, judged."""

import shlex
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from chaos.clients import Client
from chaos.clients.choose import COMMAND, DEFAULT, file_name, is_users_own, load_client
from chaos.clients.printed import printed_to_file
from chaos.engines import ClientBrokeError, Engine
from chaos.engines.kernel import KernelEngine
from chaos.engines.sim import SimEngine
from chaos.engines.toxiproxy import ToxiproxyEngine
from chaos.history import History
from chaos.judging import herd
from chaos.judging.checks import judge
from chaos.judging.verdicts import Judgement
from chaos.life import Life, budget
from chaos.profile import Profile
from chaos.reports.results import RunResult
from chaos.scenario import Scenario
from simulator.atomic import replacing

DEFAULT_TIME_SCALE = 10.0
"""Scenario seconds that pass in one second on real sockets, where nothing else is asked for."""
TRUE_TIME = 1.0
"""The time scale of the kernel engine, and of clients whose own durations nobody scales."""


class WorkerDiedError(Exception):
    """There are no results, because a process that made runs is gone; the text is one line that says so."""


@dataclass(frozen=True, slots=True)
class Speech:
    """How a client is spoken with, and the flags by which the command line said so."""

    profile: Profile
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """One run to be made. Plain data, so that it travels to a worker."""

    scenario: Scenario
    engine: str
    seed: int
    time_scale: float
    folder: Path = Path()
    """Where its record goes, if it is kept."""
    client: str = DEFAULT
    """As `chaos.clients.choose` reads it."""
    asked: str = ""
    """How the command line named the scenario: a name or a file; empty: by its name."""
    traces: Path | None = None
    """The folder in which the client writes a trace of its own; None: it writes none."""
    speech: Speech | None = None
    """How the client was told to be spoken with; None: as its role has it."""
    scales_itself: bool = False
    """Whether a command divides its own durations by the time scale; of the others it is known."""
    trial: bool = False
    """Whether it is a trial, see `Life`."""
    climb: bool = True
    """Whether what the outputs show of the climb is looked at, see `Life`."""

    @property
    def trace(self) -> Path | None:
        """The file of that, without its suffix."""
        return None if self.traces is None else self.traces / self.record.stem

    @property
    def record(self) -> Path:
        """The history's file."""
        client = "" if self.client == DEFAULT else f".{file_name(self.client)}"
        return self.folder / f"{self.scenario.name}.{self.engine}{client}.{self.seed}.jsonl"

    @property
    def output(self) -> Path:
        """Where goes what a program, or a user's own client in Python, writes."""
        return self.record.with_suffix(".txt")

    @property
    def command_line(self) -> str:
        """What makes exactly this run again, to be pasted into a shell in the same directory."""
        words = ["simtool", "chaos", self.asked or self.scenario.name, "--engine", self.engine]
        if self.client.startswith(COMMAND):
            words += ["--command", self.client.removeprefix(COMMAND)]
        elif self.client != DEFAULT:
            words += ["--client", self.client]
        if self.speech is not None:
            words += self.speech.flags
        if self.scenario.preset is not None:
            words += ["--preset", self.scenario.preset]
        words += ["--seed", str(self.seed)]
        if self.engine == ToxiproxyEngine.name and self.time_scale != default_time_scale(
            self.client, scales_itself=self.scales_itself
        ):
            words += ["--time-scale", f"{self.time_scale:g}"]
        if self.scales_itself:
            words.append("--scales-itself")
        return shlex.join(words)


def default_time_scale(client: str, *, scales_itself: bool) -> float:
    """Where nothing else is asked for: true time for a client whose own durations nobody scales. Raises `ClientError`."""
    scales = load_client(client, scales_itself=scales_itself).scales_itself
    return DEFAULT_TIME_SCALE if scales else TRUE_TIME


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """One run that was made and judged, its record in memory."""

    history: History
    judgement: Judgement


def make_and_judge(plan: Plan) -> JudgedRun:
    """Make one run in this process and judge it. On virtual time no file is written, but those that its client asks for."""
    history = make_history(plan)
    return JudgedRun(history, judge(history, plan.scenario))


def perform(plan: Plan) -> RunResult:
    """Make one run, judge it, keep its record."""
    began = time.perf_counter()
    history = make_kept_history(plan)
    judgement = judge(history, plan.scenario)
    with replacing(plan.record) as file:  # a disk that is full leaves no half of one
        file.writelines(history.lines())
    measures = herd.measures(history, plan.scenario)
    measures["virtual_s"] = round(history.events[-1].t, 1) if history.events else 0.0
    measures["wall_s"] = round(time.perf_counter() - began, 2)
    return RunResult(
        scenario=plan.scenario.name,
        engine=plan.engine,
        client=history.client,
        seed=plan.seed,
        verdict=judgement.verdict,
        checks=judgement.checks,
        measures=measures,
        record=str(plan.record),
        output=str(plan.output) if plan.output.exists() and plan.output.stat().st_size else None,
        preset=plan.scenario.preset,
        time_scale=history.time_scale,
        in_doubt=judgement.in_doubt,
        command_line=plan.command_line,
    )


def make_history(plan: Plan) -> History:
    """Make one run; what fails in it is in the record."""
    return history_with(load_client(plan.client, plan.output, scales_itself=plan.scales_itself), plan)


def make_kept_history(plan: Plan) -> History:
    """The same, and what the client writes meanwhile is in `plan.output`."""
    with printed_to_file(plan.output) if is_users_own(plan.client) else nullcontext():
        return make_history(plan)


def history_with(client: Client, plan: Plan) -> History:
    """The same with this client, whatever the plan names."""
    life = Life(
        plan.scenario,
        client,
        engine=plan.engine,
        seed=plan.seed,
        trace=plan.trace,
        profile=None if plan.speech is None else plan.speech.profile,
        trial=plan.trial,
        climb=plan.climb,
    )
    try:
        engine = engine_for(plan)
        engine.require_able(plan.scenario.faults)
        engine.run(life.live)
    except ClientBrokeError as error:
        life.broke("client", error, client=error.client)
    except SystemExit as error:  # a client's, in a task of its own: from there it ends the loop
        life.broke("client", error)
    except Exception as error:  # noqa: BLE001 - one run that breaks must not take the others' results with it
        life.broke("laboratory", error)
    return life.history()


def engine_for(plan: Plan) -> Engine:
    """A fresh engine. Raises `ToxiproxyMissing`."""
    if plan.engine == SimEngine.name:
        return SimEngine(seed=plan.seed, budget=budget(plan.scenario), schedule=plan.scenario.schedule)
    if plan.engine == KernelEngine.name:
        return KernelEngine()
    return ToxiproxyEngine(scale=plan.time_scale)
