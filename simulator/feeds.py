"""Where the mock server's frames come from, and when they are due."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Protocol

import msgspec

from tracker.messages import ResetHolds

RESET = msgspec.json.encode(ResetHolds())
"""The message that begins a new session."""

FrameAt = Callable[[int], bytes]


class Feed(Protocol):
    """Frames for one connected client after another."""

    confirm_every: int | None
    """After how many frames the server asks its client how far it got; None: this feed does not care."""

    def frames(self) -> AsyncIterator[tuple[int | None, bytes]]:
        """From where this client comes in, when each is due: its number and its bytes.

        What has no number is no frame, but a reset or a bad message that goes along.
        """

    def confirmed(self, number: int) -> None:
        """A client has every frame up to `number`."""


class LiveFeed:
    """A camera: frames pass by at their time whether anybody is connected or not, and none comes twice."""

    confirm_every: int | None = None

    def __init__(self, frame_at: FrameAt, *, interval: float) -> None:
        self._frame_at = frame_at
        self._interval = interval
        self._pace = 1.0
        # Since `_since`, by the loop's clock, the camera's own goes on from `_shown`.
        self._since: float | None = None
        self._shown = 0.0

    def begin(self) -> None:
        """Frame 0 is now; without this, it is when the first client connects."""
        self._since = asyncio.get_running_loop().time()

    def set_pace(self, factor: float) -> None:
        """Let frames pass `factor` times as fast as they were taken, from the next one on."""
        if self._since is not None:
            # Who waits for the next frame gets it when it was due, and none is skipped for the change.
            upcoming = self._due(self._place_at(self._elapsed()) + 1)
            self._since += (upcoming - self._shown) / self._pace
            self._shown = upcoming
        self._pace = factor

    async def frames(self) -> AsyncIterator[tuple[int | None, bytes]]:
        """From the next frame on. A client that is too slow to take one misses what passed meanwhile."""
        loop = asyncio.get_running_loop()
        if self._since is None:
            self.begin()
        place = -1
        while True:
            # Late by one frame is jitter of the loop, and the frame still goes out; later is a client in the way.
            place = max(place + 1, self._place_at(self._elapsed()) - 1)
            assert self._since is not None, "it has begun"
            await asyncio.sleep((self._due(place) - self._shown) / self._pace + self._since - loop.time())
            yield self._message(place)

    def confirmed(self, number: int) -> None:
        """See `Feed`."""

    def _elapsed(self) -> float:
        """What the camera's clock says; before a change of pace takes effect, up to a frame less."""
        assert self._since is not None, "it has begun"
        passed = asyncio.get_running_loop().time() - self._since
        return self._shown + max(passed * self._pace, -self._interval)

    # What a camera with other pictures does in its own way; here every message is a frame

    def _message(self, place: int) -> tuple[int | None, bytes]:
        return place, self._frame_at(place)

    def _due(self, place: int) -> float:
        """When it passes, by the camera's clock."""
        return place * self._interval

    def _place_at(self, shown: float) -> int:
        """The newest that has passed by then."""
        return int(shown / self._interval + 1e-6)


class Playback:
    """A recording: it waits for a client, pauses while there is none, and goes on with what nobody is known to have,
    so that a client that reconnects misses nothing and may see a frame twice.
    """

    confirm_every: int | None = 10

    def __init__(self, schedule: Iterable[tuple[float, bytes]]) -> None:
        self._schedule: Iterator[tuple[float, bytes]] = iter(schedule)
        self._held: deque[tuple[float, bytes]] = deque()  # unconfirmed, the first of them is frame `_first`
        self._first = 0
        self._players = 0
        self._offset = -math.inf
        self._ended = False
        self.done = asyncio.Event()
        """Set once the recording has ended and somebody has its last frame."""

    async def frames(self) -> AsyncIterator[tuple[int, bytes]]:
        """From the first unconfirmed frame to the end of the recording, at the recording's pace."""
        loop = asyncio.get_running_loop()
        number = self._first
        self._players += 1
        try:
            while (entry := self._frame(number)) is not None:
                due, data = entry
                if self._players == 1 and number == self._first:
                    # Alone and at the beginning, or behind a pause: the clock starts here.
                    self._offset = max(self._offset, loop.time() - due)
                await asyncio.sleep(self._offset + due - loop.time())
                yield number, data
                # Another client may have confirmed more than this one was sent.
                number = max(number + 1, self._first)
        finally:
            self._players -= 1

    def _frame(self, number: int) -> tuple[float, bytes] | None:
        while number >= self._first + len(self._held):
            entry = next(self._schedule, None)
            if entry is None:
                self._ended = True
                return None
            self._held.append(entry)
        return self._held[number - self._first]

    def confirmed(self, number: int) -> None:
        """See `Feed`."""
        while self._held and self._first <= number:
            self._held.popleft()
            self._first += 1
        if self._ended and not self._held:
            self.done.set()
