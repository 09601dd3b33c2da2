"""Runs side by side in worker processes, each judged where it ran."""

import contextlib
import logging
import multiprocessing
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from chaos.clients import Client
from chaos.clients.choose import COMMAND, DEFAULT, file_name, load_client
from chaos.engines import ClientBrokeError, Engine
from chaos.engines.kernel import KernelEngine
from chaos.engines.sim import SimEngine
from chaos.engines.toxiproxy import ToxiproxyEngine
from chaos.history import History
from chaos.judging import herd
from chaos.judging.checks import judge
from chaos.judging.verdicts import Judgement
from chaos.kernel.processes import become_able, die_with_parent
from chaos.life import Life, budget
from chaos.profile import Profile
from chaos.reports.results import RunResult
from chaos.scenario import Scenario
from chaos.side_by_side import Limits, Run, Waiting, limits, limits_of_waiting
from tracker.user_files import create_private

R = TypeVar("R")

AGAIN_AT_MOST = 2
"""How often a run is made anew whose machine stood still so long that it proves nothing."""
DEFAULT_TIME_SCALE = 10.0
"""Scenario seconds that pass in one second on real sockets, where nothing else is asked for."""
TRUE_TIME = 1.0
"""The time scale of the kernel engine, and of clients whose own durations nobody scales."""
NICENESS = 10
"""Of a process that simulates beside runs on real sockets: virtual time stands still with it, a real socket does not."""
PATIENCE = 5.0
"""Seconds that workers get to clean up behind themselves after an interrupt."""


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
        """Where a program's output goes."""
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
    again: int = 0
    """How often it was made anew, because the machine had stood still."""


def make_and_judge(plan: Plan) -> JudgedRun:
    """Make one run in this process and judge it. On virtual time no file is written, but those that its client asks for."""
    again = 0
    while True:
        history = make_history(plan)
        judgement = judge(history, plan.scenario)
        if not judgement.in_doubt or again == AGAIN_AT_MOST:
            return JudgedRun(history, judgement, again)
        again += 1


def perform(plan: Plan) -> RunResult:
    """Make one run, judge it, keep its record."""
    began = time.perf_counter()
    made = make_and_judge(plan)
    history, judgement = made.history, made.judgement
    with create_private(plan.record) as file:
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
        again=made.again,
        command_line=plan.command_line,
    )


def make_history(plan: Plan) -> History:
    """Make one run; what fails in it is in the record."""
    return history_with(load_client(plan.client, plan.output, scales_itself=plan.scales_itself), plan)


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
        return SimEngine(seed=plan.seed, budget=budget(plan.scenario))
    if plan.engine == KernelEngine.name:
        return KernelEngine()
    return ToxiproxyEngine(scale=plan.time_scale)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """A process that is born in here ignores the interrupt, until it has something to clean up."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def perform_all(
    plans: Sequence[Plan], work: Callable[[Plan], R], *, jobs: int | None, done: Callable[[R], None]
) -> list[R]:
    """Do `work` for all plans, `jobs` at a time (None: as many as the machine bears); `done` hears of each as it ends.

    Runs on the kernel engine come last, with no others beside them. Results in the order of `plans`. Raises
    `WorkerDiedError`. A KeyboardInterrupt is passed on after the workers have ended their runs and the servers that they
    started.
    """
    numbers = range(len(plans))
    last = [number for number in numbers if plans[number].engine == KernelEngine.name]
    results: dict[int, R] = {}
    for chosen in ([number for number in numbers if number not in last], last):
        if chosen:
            made = _side_by_side([plans[number] for number in chosen], work, jobs=jobs, done=done)
            results |= zip(chosen, made, strict=True)
    return [results[number] for number in numbers]


def most_at_once(plans: Sequence[Plan], jobs: int | None) -> Limits:
    """How many of these may be under way at once, all on the kernel engine or none; `jobs` is what was asked for."""
    cores = os.cpu_count() or 1
    if any(plan.engine == KernelEngine.name for plan in plans):
        return limits_of_waiting(cores, jobs)
    virtual = [plan.engine == SimEngine.name for plan in plans]
    return limits(
        cores,
        jobs,
        virtual=any(virtual),
        real=not all(virtual),
        true_time=all(plan.time_scale <= TRUE_TIME for plan in plans if plan.engine != SimEngine.name),
    )


def _side_by_side(
    plans: Sequence[Plan], work: Callable[[Plan], R], *, jobs: int | None, done: Callable[[R], None]
) -> list[R]:
    """All on the kernel engine, or none."""
    sorts = [
        Run(number, plan.engine == SimEngine.name, plan.scenario.duration)
        for number, plan in enumerate(plans)
    ]
    kernel = any(plan.engine == KernelEngine.name for plan in plans)
    most = most_at_once(plans, jobs)
    waiting = Waiting(sorts, most)
    # Spawned, not forked: a worker starts from nothing, whatever threads and loops this process has.
    context = multiprocessing.get_context("spawn")
    with contextlib.ExitStack() as stack:

        def workers(most: float, prepare: Callable[..., None], *told: object) -> ProcessPoolExecutor:
            executor = ProcessPoolExecutor(min(int(most), len(plans)), context, prepare, told)
            return stack.enter_context(executor)

        pools: dict[bool, ProcessPoolExecutor] = {}
        if most.virtual:
            pools[True] = workers(most.virtual, _prepare, most.real > 0)
        if most.real:
            pools[False] = workers(most.real, become_able) if kernel else workers(most.real, _prepare, False)
        futures: dict[Future[R], int] = {}
        results: dict[int, R] = {}

        def begin() -> None:
            with _uninterrupted():
                for number in waiting.begin():
                    pool = pools[sorts[number].virtual]
                    futures[pool.submit(_interruptible, work, plans[number])] = number

        try:
            begin()
            while futures:
                ended, _ = wait(futures, return_when=FIRST_COMPLETED)
                for future in ended:
                    number = futures.pop(future)
                    results[number] = future.result()
                    waiting.ended(number)
                    done(results[number])
                begin()
        except BrokenProcessPool:
            raise WorkerDiedError(
                f"a worker process died in the middle of a run, after {len(results)} of {len(plans)}: it was killed, for"
                " its memory perhaps, or the client ended it; run less at a time to find out in which"
            ) from None
        except BaseException:
            _end(pools.values(), list(futures))
            raise
    return [results[number] for number in sorted(results)]


def _prepare(yields: bool) -> None:  # noqa: FBT001 - an executor's initializer
    """A fresh worker. One that yields leaves the cores to runs on real sockets whenever those want them."""
    die_with_parent()
    if yields:
        os.nice(NICENESS)


def _quieten() -> None:
    # asyncio warns of writes into a connection that has ended. A mock peer that answers all the Pings which a stall had
    # held, to a client that is long gone, does nothing else.
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def _end(pools: Iterable[ProcessPoolExecutor], futures: "list[Future[R]]") -> None:
    for pool in pools:
        pool.shutdown(wait=False, cancel_futures=True)
    # A terminal interrupts the whole process group, anything else only us: give the former a moment.
    _, running = wait(futures, timeout=PATIENCE / 10)
    if running:
        for worker in multiprocessing.active_children():
            if worker.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker.pid, signal.SIGINT)
        wait(futures, timeout=PATIENCE)


_interrupted = False  # of this worker: it takes no more work, although some may be on its way to it


def _interruptible(work: Callable[[Plan], R], plan: Plan) -> R:
    global _interrupted  # noqa: PLW0603 - a worker process has no other memory between two pieces of work
    if _interrupted:
        raise KeyboardInterrupt
    _quieten()
    # asyncio turns the signal into a cancellation, and what the run opened is closed.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return work(plan)
    except KeyboardInterrupt:
        _interrupted = True
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
