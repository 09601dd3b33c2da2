"""Who makes a hunt's runs: this process, some worker processes, or a Dask cluster."""

import multiprocessing
import socket
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from chaos.workers import prepare_worker, quieten

T = TypeVar("T")
R = TypeVar("R")

REACHED_WITHIN = 5.0
"""Seconds in which a cluster must answer."""


class CrewError(Exception):
    """There is no such crew; one line says why, and what to do."""


class Crew(Protocol):
    """Does work, some of it at once. Work and results are plain data."""

    size: int
    """How much at once."""

    def perform(
        self, work: Callable[[T], R], items: Sequence[T]
    ) -> Generator[tuple[int, R | None], None, None]:
        """Each item's number and result, as they are done; None where its worker died over it.

        What is closed early begins nothing more.
        """


class Alone:
    """The process that hunts."""

    size = 1

    def perform(
        self, work: Callable[[T], R], items: Sequence[T]
    ) -> Generator[tuple[int, R | None], None, None]:
        """One after the other."""
        quieten()
        for number, item in enumerate(items):
            yield number, work(item)


class _Executors:
    """Executors of one worker each, so that one that dies takes no other's work with it."""

    def __init__(
        self, size: int, hire: Callable[[], Executor], deaths: tuple[type[BaseException], ...]
    ) -> None:
        self.size = size
        self._hire = hire
        self._deaths = deaths
        self._free = [hire() for _ in range(size)]

    def perform(
        self, work: Callable[[T], R], items: Sequence[T]
    ) -> Generator[tuple[int, R | None], None, None]:
        """As many at once as there are workers."""
        waiting = deque(enumerate(items))
        under_way: dict[Future[Any], tuple[int, Executor]] = {}
        try:
            while waiting or under_way:
                while waiting and self._free:
                    number, item = waiting.popleft()
                    worker = self._free.pop()
                    under_way[worker.submit(_quietly, work, item)] = number, worker
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    number, worker = under_way.pop(future)
                    try:
                        result = future.result()
                    except self._deaths:
                        worker.shutdown(wait=False)
                        self._free.append(self._hire())
                        yield number, None
                    else:
                        self._free.append(worker)
                        yield number, result
        finally:
            # Closed early: what is under way is nobody's any more, and its worker may be long at it.
            for future, (_, worker) in under_way.items():
                future.cancel()
                self._let_go(worker)
                self._free.append(self._hire())

    def _let_go(self, worker: Executor) -> None:
        for process in list(getattr(worker, "_processes", {}).values()):
            process.kill()
        worker.shutdown(wait=False, cancel_futures=True)

    def end(self) -> None:
        """No more work."""
        for worker in self._free:
            worker.shutdown(wait=False, cancel_futures=True)


def _quietly(work: Callable[[T], R], item: T) -> R:
    quieten()
    return work(item)


@contextmanager
def processes(size: int) -> Iterator[Crew]:
    """So many worker processes of this machine; they end with us."""
    context = multiprocessing.get_context("spawn")

    def hire() -> Executor:
        return ProcessPoolExecutor(1, context, prepare_worker)

    crew = _Executors(size, hire, (BrokenProcessPool,))
    try:
        yield crew
    finally:
        for process in multiprocessing.active_children():
            process.kill()
        crew.end()


@contextmanager
def cluster(address: str) -> Iterator[Crew]:
    """The workers of a Dask cluster, as many as there are now. Raises `CrewError`."""
    _require_reachable(address)
    try:
        from distributed import Client, KilledWorker  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise CrewError(
            "--cluster needs 'distributed', which is not installed: pip install 'pose-session-tracker[cluster]'"
        ) from None
    try:
        client = Client(address, timeout=REACHED_WITHIN, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise CrewError(f"--cluster {address}: no scheduler answers: {error}") from None
    with client:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            raise CrewError(
                f"--cluster {address}: it has no workers: start some with dask worker --nthreads 1"
            )
        threads = max(worker["nthreads"] for worker in workers.values())
        if threads > 1:
            raise CrewError(
                f"--cluster {address}: a worker has {threads} threads, and runs in threads of one process disturb each other:"
                " start them with --nthreads 1"
            )
        names = iter([*workers] * 1000)
        yield _Executors(
            len(workers),
            lambda: client.get_executor(workers=[next(names)], pure=False, retries=0),
            (KilledWorker,),
        )


def _require_reachable(address: str) -> None:
    """At once, not after a minute."""
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or port is None:
        raise CrewError(f"--cluster is {address!r}: give the scheduler's address, as in tcp://127.0.0.1:8786")
    try:
        socket.create_connection((parts.hostname, port), REACHED_WITHIN).close()
    except OSError as error:
        raise CrewError(
            f"--cluster {address}: nobody answers there ({error.strerror or error}): start a scheduler with dask scheduler, or"
            " leave --cluster out"
        ) from None
