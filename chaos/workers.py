"""Runs side by side in worker processes, which end when we do, however we are ended."""

import contextlib
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from chaos.clients.printed import stdout_to_stderr
from chaos.engines.kernel import KernelEngine
from chaos.engines.sim import SimEngine
from chaos.kernel.processes import become_able, die_with_parent
from chaos.runner import TRUE_TIME, Plan, WorkerDiedError
from chaos.side_by_side import Limits, Run, Waiting, limits, limits_of_waiting

R = TypeVar("R")

NICENESS = 10
"""Of a process that simulates beside runs on real sockets: virtual time stands still with it, a real socket does not."""
TOLD_AFTER = 0.3
"""Seconds in which workers may have been interrupted without us: a terminal tells the whole process group."""
KILLED_AFTER = 1.2
"""Seconds that they then get to clean up behind themselves. A client that never returns keeps its worker from that."""


def perform_all(
    plans: Sequence[Plan], work: Callable[[Plan], R], *, jobs: int | None, done: Callable[[int, R], None]
) -> list[R]:
    """Do `work` for all plans, `jobs` at a time (None: as many as the machine bears); `done` hears of each, and its number, as it ends.

    Runs on the kernel engine come last, with no others beside them. Results in the order of `plans`. Raises
    `WorkerDiedError`, and what `work` raises. Whatever it raises, a KeyboardInterrupt too: the workers are gone then, within
    two seconds, and with them the servers and programs that they started.
    """
    numbers = range(len(plans))
    last = [number for number in numbers if plans[number].engine == KernelEngine.name]
    results: dict[int, R] = {}
    for chosen in ([number for number in numbers if number not in last], last):
        if chosen:
            made = _side_by_side(chosen, plans, work, jobs=jobs, done=done)
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
    chosen: Sequence[int],
    all_plans: Sequence[Plan],
    work: Callable[[Plan], R],
    *,
    jobs: int | None,
    done: Callable[[int, R], None],
) -> list[R]:
    """The chosen ones, all on the kernel engine or none."""
    plans = [all_plans[number] for number in chosen]
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
            pools[False] = (
                workers(most.real, _prepare_kernel) if kernel else workers(most.real, _prepare, False)
            )
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
                    done(chosen[number], results[number])
                begin()
        except BrokenProcessPool:
            raise WorkerDiedError(
                f"a worker process died in the middle of a run, after {len(results)} of {len(plans)}: it was killed, for"
                " its memory perhaps, or the client ended it; run less at a time to find out in which"
            ) from None
        except BaseException:
            _end(list(futures))
            raise
    return [results[number] for number in sorted(results)]


def _prepare(yields: bool) -> None:  # noqa: FBT001 - an executor's initializer
    """A fresh worker. One that yields leaves the cores to runs on real sockets whenever those want them."""
    prepare_worker()
    if yields:
        os.nice(NICENESS)


def _prepare_kernel() -> None:
    """The same for runs on the kernel. Raises `OSError`."""
    prepare_worker()
    become_able()


def prepare_worker() -> None:
    """To be called first in a worker process: it ends with its parent, hears no interrupt, and has no stdout."""
    die_with_parent()
    stdout_to_stderr()  # a machine may read ours
    # Until there is work; and what was inherited is undone, or a program under test would inherit it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def quieten() -> None:
    """No line on stderr for what a mock peer does to a client that is gone."""
    # asyncio warns of writes into a connection that has ended. A mock peer that answers all the Pings which a stall had
    # held, to a client that is long gone, does nothing else.
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def _end(futures: "Collection[Future[R]]") -> None:
    """All of it, within two seconds: each worker ends its run, the server and the programs of that; else the kernel does."""
    workers = multiprocessing.active_children()
    try:
        # The pools are shut down by whoever opened them, and then waited for: their threads would stumble over our end.
        for future in futures:
            future.cancel()
        if _still_running(futures, TOLD_AFTER):
            for worker in workers:
                if worker.pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(worker.pid, signal.SIGINT)
            _still_running(futures, KILLED_AFTER)
    finally:  # an impatient user interrupts this too
        for worker in workers:
            worker.kill()


def _still_running(futures: "Collection[Future[R]]", seconds: float) -> bool:
    # One that was cancelled before it began is done, and `wait` would wait for it.
    return bool(wait([future for future in futures if not future.done()], timeout=seconds).not_done)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """A process that is born in here hears no interrupt, until it has something to clean up. One that comes meanwhile comes afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_interrupted = False  # of this worker: it takes no more work, although some may be on its way to it


def _interruptible(work: Callable[[Plan], R], plan: Plan) -> R:
    global _interrupted  # noqa: PLW0603 - a worker process has no other memory between two pieces of work
    if _interrupted:
        raise KeyboardInterrupt
    quieten()
    # asyncio turns the signal into a cancellation, and what the run opened is closed.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return work(plan)
    except KeyboardInterrupt:
        _interrupted = True
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
