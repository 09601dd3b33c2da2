"""The end of a callback that does not return: no virtual time passes while it runs, so nothing else would end it.

Real seconds are counted while a machine lets the process run: one that was stopped or suspended finds one tick, not many.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from types import FrameType

TICKS = 10
"""Ticks without progress after which a callback does not return any more."""
EVERY = 1.0
"""Real seconds between two ticks."""
_STANDARD_LIBRARY = Path(asyncio.__file__).parent.parent


class CallbackNeverReturnedError(BaseException):
    """Raised in the callback itself; the text says for how long it ran, and where. No handler of `Exception` takes it."""


class Watchdog:
    """While this lasts, code that makes no `progress` is ended: `progress` gives another value as often as there is some.

    It uses SIGALRM, so it watches in the main thread only.
    """

    def __init__(self, progress: Callable[[], Hashable], *, ticks: int = TICKS, every: float = EVERY) -> None:
        self._progress = progress
        self._ticks, self._every = ticks, every
        self._last: Hashable = None
        self._idle = 0
        self._able = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> None:
        if self._able:
            self._before = signal.signal(signal.SIGALRM, self._look)
            signal.setitimer(signal.ITIMER_REAL, self._every, self._every)

    def __exit__(self, *_: object) -> None:
        if self._able:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)

    def _look(self, _: int, frame: FrameType | None) -> None:
        now = self._progress()
        self._idle = self._idle + 1 if now == self._last else 0
        self._last = now
        if self._idle >= self._ticks:
            self._idle = 0
            seconds = self._ticks * self._every
            raise CallbackNeverReturnedError(
                f"a callback did not return for {seconds:g} s of real time, in which nothing else could run: {_place(frame)}"
            )


def _place(frame: FrameType | None) -> str:
    """The innermost place outside of Python's own library, else the innermost of all."""
    innermost = frame
    while frame is not None and _is_standard(Path(frame.f_code.co_filename)):
        frame = frame.f_back
    place = frame or innermost
    if place is None:
        return "nobody knows where"
    return f"{place.f_code.co_qualname} in {Path(place.f_code.co_filename).name} line {place.f_lineno}"


def _is_standard(file: Path) -> bool:
    return file.is_relative_to(_STANDARD_LIBRARY) and "site-packages" not in file.parts
