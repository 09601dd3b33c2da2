"""A recording shown as a camera would show it: again and again, whether anybody looks or not."""

from bisect import bisect_right
from itertools import pairwise
from pathlib import Path
from statistics import median_low
from typing import NamedTuple

from simulator.feeds import RESET, LiveFeed
from simulator.recording import FALLBACK_INTERVAL_MS, looped, schedule
from tracker.messages import BadMessage, Pose, decode_input

_HEAD = 64  # how many shots tell the frame interval


class _Shot(NamedTuple):
    due: float
    number: int | None
    data: bytes


class Film:
    """The messages of a recording, read as far as they are asked for, and kept.

    Each good pose is a frame, whose number is its `sequence`; resets go along in their places, and so does
    whatever else was recorded. RecordingError: as `read_recording`, when the place is reached.
    """

    def __init__(self, path: Path) -> None:
        self._source = schedule(looped(path))
        self._shots: list[_Shot] = []
        self._places: dict[int, int] = {}
        self._shot(_HEAD)
        dues = [shot.due for shot in self._shots]
        steps = [b - a for a, b in pairwise(dues) if b > a]
        self.interval = median_low(steps) if steps else FALLBACK_INTERVAL_MS / 1000
        """Seconds between most frames."""

    def frame(self, number: int) -> bytes:
        """The pose of this number, which has been shown."""
        return self._shots[self._places[number]].data

    def message(self, place: int) -> tuple[int | None, bytes]:
        """What is shown at this place: its number, if it is a frame, and its bytes."""
        shot = self._shot(place)
        return shot.number, shot.data

    def due(self, place: int) -> float:
        """Seconds from the first message."""
        return self._shot(place).due

    def place_at(self, seconds: float) -> int:
        """Where the newest message stands that was due by then."""
        while self._shots[-1].due <= seconds:
            self._shot(len(self._shots))
        return bisect_right(self._shots, seconds, key=lambda shot: shot.due) - 1

    def _shot(self, place: int) -> _Shot:
        while place >= len(self._shots):
            due, data = next(self._source)
            number = None
            try:
                message = decode_input(data)
                if isinstance(message, Pose):
                    number = message.sequence
                else:
                    data = RESET
            except BadMessage:
                pass  # recorded so, and shown so
            if number is not None:
                self._places[number] = len(self._shots)
            self._shots.append(_Shot(due, number, data))
        return self._shots[place]


class FilmFeed(LiveFeed):
    """The film at `speed` times its own pace."""

    def __init__(self, film: Film, *, speed: float) -> None:
        super().__init__(film.frame, interval=film.interval / speed)
        self._film = film
        self._speed = speed

    def _message(self, place: int) -> tuple[int | None, bytes]:
        return self._film.message(place)

    def _due(self, place: int) -> float:
        return self._film.due(place) / self._speed

    def _place_at(self, shown: float) -> int:
        return self._film.place_at(shown * self._speed + 1e-9)
