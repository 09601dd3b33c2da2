"""The answer to a climb, from its files and its frames."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from chaos.answer import Answer, NewRules, Reset, Route, SessionFrom, Step
from chaos.reference.body import Calibration, seen
from chaos.reference.climb import Climb, Rules
from chaos.reference.outlines import read_outlines
from tracker.messages import SessionState

DRAWN_WITHIN = 1.5e-5
"""Of the wall's larger side. An outline's curves are drawn with chords, here and in the tracker; so near to the threshold
nobody can say whether a hand is in contact, and either is right."""
KEPT = 8192
"""Frames, and their distances: four minutes at 30 fps."""

_outlines = lru_cache(maxsize=1)(read_outlines)  # the runs of a recording have the same


class Reference:
    """What a client must show that takes the frames of one climb, or some of them."""

    def __init__(self, frame: Callable[[int], bytes], wall: Path, calibration: Path, route: Path) -> None:
        """`frame` is the encoded message of a frame, by its number. The files are read here, and then no more."""
        self._outlines = outlines = _outlines(wall)
        self._route = read_route(msgspec.json.decode(route.read_bytes()))
        mapping = msgspec.json.decode(calibration.read_bytes(), type=Calibration)
        self._doubt = DRAWN_WITHIN * max(outlines.width, outlines.height)

        @lru_cache(KEPT)
        def seen_in(number: int) -> Any:
            return seen(frame(number), mapping)

        @lru_cache(KEPT)
        def distances(number: int, threshold: float) -> dict[str, float]:
            nearest: dict[str, float] = {}
            for hand in seen_in(number).hands:
                x, y = outlines.left + hand.x * outlines.width, outlines.top + hand.y * outlines.height
                for hold, distance in outlines.near(x, y, threshold + self._doubt).items():
                    nearest[hold] = min(distance, nearest.get(hold, distance))
            return nearest

        self._seen, self._distances = seen_in, distances

    def answers(self, steps: Iterable[Step]) -> tuple[Answer, ...]:
        """Mostly one. Where a hand was so near to the threshold that nobody can say, both that it may come to."""
        steps = tuple(steps)
        strict, generous = self._answer(steps, -self._doubt), self._answer(steps, self._doubt)
        return (strict,) if strict == generous else (strict, generous)

    def _answer(self, steps: Iterable[Step], leeway: float) -> Answer:
        climb = Climb(self._outlines.ids, Rules(self._route))
        poses: list[float] = []
        sessions: list[SessionFrom] = []
        last: SessionState | None = None
        for step in steps:
            if isinstance(step, Reset):
                climb.reset()
            elif isinstance(step, NewRules):
                climb.change(step)
            elif (frame := self._seen(step)) is not None:
                limit = climb.threshold + leeway
                distances = self._distances(step, climb.threshold)
                climb.frame(frame.time_ms, [hold for hold, away in distances.items() if away <= limit])
                shown = climb.shown()
                if shown is not last and shown != last:
                    sessions.append(SessionFrom(len(poses), shown))
                    last = shown
                poses.append(frame.pose)
        return Answer(tuple(poses), tuple(sessions))


def read_route(file: Any) -> Route:
    """The holds of a decoded route file, by id: `59`, 59 and `hold_59` all mean hold_59."""
    return {_full_id(str(hold["id"])): hold["type"] for hold in file["problem"]["holds"]}


def _full_id(name: str) -> str:
    return f"hold_{name}" if name.isdecimal() else name
