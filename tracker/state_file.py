"""Keeps a climb in progress in a file, so that a tracker that was killed goes on with it when it is started anew.

Written after each touch, reset and change of the rules, and every half minute while frames come; at most five times a
second, in a thread, because a disk may take its time: to a temporary file first, which then takes the other's place.
"""

import asyncio
import contextlib
import errno
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tracker import events
from tracker.config import ConfigError
from tracker.file_lock import OWNER_ALONE, FileLock, Held, reason
from tracker.pipeline import Pipeline
from tracker.state_format import BEGINNING, State, Terms, Unusable, fingerprint, read, take_up, touched
from tracker.user_files import read_whole

MAX_AGE = 300.0
"""Seconds: by then somebody else is on the wall."""
PAUSE = 0.2
"""Seconds between two writes at least."""
EVERY = 30.0
"""Seconds between two writes at most, while frames come: the age of a state is that of its tracker's end."""

LAST_WRITE = 2.0
"""Seconds that a stop waits for a slow disk."""

_CHANGES = (events.Touched, events.SessionReset, events.Controlled)

log = logging.getLogger("tracker")


class StateFile:
    """The file of one run, and an observer of it."""

    def __init__(self, path: Path, pipeline: Pipeline, *, max_age: float = MAX_AGE) -> None:
        """Raises `ConfigError` where another tracker has it, or where it is no state."""
        if not 0 < max_age < float("inf"):
            raise ConfigError(f"--state-max-age is {max_age!r}: it must be a positive number of seconds")
        self._path = path
        self._pipeline = pipeline
        self._max_age = max_age
        self._begun_with = Terms.of(pipeline)
        self._wall = fingerprint(pipeline.wall)
        self._changed = asyncio.Event()
        self._written: State | None = None
        self._ended = False
        self._fails = False
        try:
            self._lock = FileLock(path)
        except Held as held:
            raise ConfigError(
                f"cannot keep the state in {path}: {held}: end that one, or choose another --state FILE"
            ) from None
        except OSError as error:
            raise self._cannot(error) from None

    def _begin(self) -> None:
        try:
            data = read_whole(self._path)
        except FileNotFoundError:
            data = None
        except OSError as error:
            raise self._cannot(error) from None
        if data is not None:
            head = data[: len(BEGINNING)]
            if not BEGINNING.startswith(head) and head.strip(b"\0"):
                raise ConfigError(
                    f"cannot keep the state in {self._path}: it holds something else, which would be overwritten:"
                    " choose another --state FILE"
                )
            self._take_up(data)
        try:
            _replace(self._path, self._encoded())
        except OSError as error:
            raise self._cannot(error) from None

    def _take_up(self, data: bytes) -> None:
        now_ms = time.time() * 1000
        try:
            state = read(data)
            take_up(state, self._pipeline, now_ms=now_ms, max_age=self._max_age)
        except Unusable as why:
            log.warning("the state in %s is not taken up, and a session begins: %s", self._path, why)
            self._path.replace(self._path.with_name(f"{self._path.name}.old"))
        else:
            age = (now_ms - state.saved_ms) / 1000
            count = len(touched(state))
            log.info(
                "the session goes on from %s: %d holds touched, saved %.0f s ago", self._path, count, age
            )

    def reloaded(self, terms: Terms) -> None:
        """The tracker goes on by other files; `terms` are what it would begin with now."""
        self._begun_with = terms
        self._wall = fingerprint(self._pipeline.wall)
        self._changed.set()

    def observe(self, event: events.AnyEvent) -> None:
        """Take one event; some of them change the climb."""
        if isinstance(event, _CHANGES):
            self._changed.set()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Take up what is in the file; write what changes meanwhile, and the last change at the end.

        The next tracker may then have the file. Raises `ConfigError`.
        """
        try:
            self._begin()
        except ConfigError:
            self._lock.release()
            raise
        keeper = asyncio.create_task(self._keep(), name="state keeper")
        try:
            yield
            self._ended = True
            self._changed.set()
            await asyncio.wait([keeper], timeout=LAST_WRITE)
        finally:
            keeper.cancel()
            self._lock.release()

    async def _keep(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):  # frames may have come
                async with asyncio.timeout(EVERY):
                    await self._changed.wait()
            self._changed.clear()
            last = self._ended
            if data := self._encoded():
                try:
                    await asyncio.to_thread(_replace, self._path, data)
                    self._fails = False
                except OSError as error:
                    self._failed(error)
            if last:
                return
            await asyncio.sleep(PAUSE)

    def _encoded(self) -> bytes:
        """The state as it is; empty where that is what was encoded last."""
        pipeline, written = self._pipeline, self._written
        state = State(
            saved_ms=time.time() * 1000,
            wall=self._wall,
            begun_with=self._begun_with,
            in_force=Terms.of(pipeline),
            climb=pipeline.remember(),
        )
        if written is not None and (state.climb, state.in_force) == (written.climb, written.in_force):
            return b""
        self._written = state
        return msgspec.json.encode(state)

    def _failed(self, error: OSError) -> None:
        self._written = None
        if not self._fails:
            self._fails = True
            log.warning(
                "the state cannot be kept in %s: %s: a crash would lose the climb", self._path, reason(error)
            )

    def _cannot(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"cannot keep the state in {self._path}: {reason(error)}: choose another --state FILE"
        )


def _replace(path: Path, data: bytes) -> None:
    """Put `data` in the file's place, whole or not at all, and on the disk. Raises `OSError`."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(
        new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, OWNER_ALONE
    )
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
