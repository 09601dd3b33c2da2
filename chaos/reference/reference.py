"""The answer to a climb, from its files and its frames."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from chaos.answer import Answer, NewRules, Reset, Route, SessionFrom, Step
from chaos.reference.body import Calibration, Seen, seen
from chaos.reference.climb import Climb, Rules
from chaos.reference.outlines import read_outlines
from simulator.shown import Place

DRAWN_WITHIN = 1.5e-5
"""Of the wall's larger side. An outline's curves are drawn with chords, here and in the tracker; so near to the threshold
nobody can say whether a hand is in contact, and either is right."""
KEPT = 8192
"""Frames, and their distances: four minutes at 30 fps."""

_outlines = lru_cache(maxsize=8)(read_outlines)  # by what the drawing says: many runs have the same


class Reference:
    """What a client must show that takes the frames of one climb, or some of them."""

    def __init__(self, frame: Callable[[int], bytes], wall: Path, calibration: Path, route: Path) -> None:
        """`frame` is the encoded message of a frame, by its number. The files are read here, and then no more."""
        self._outlines = outlines = _outlines(wall.read_bytes())
        self._route = read_route(msgspec.json.decode(route.read_bytes()))
        mapping = msgspec.json.decode(calibration.read_bytes(), type=Calibration)
        self._doubt = DRAWN_WITHIN * max(outlines.width, outlines.height)

        @lru_cache(KEPT)
        def seen_in(number: int) -> Seen | None:
            return seen(frame(number), mapping)

        @lru_cache(KEPT)
        def distances(hands: tuple[Place, ...], threshold: float) -> dict[str, float]:
            nearest: dict[str, float] = {}
            for hand in hands:
                x, y = outlines.left + hand.x * outlines.width, outlines.top + hand.y * outlines.height
                for hold, distance in outlines.near(x, y, threshold + self._doubt).items():
                    nearest[hold] = min(distance, nearest.get(hold, distance))
            return nearest

        self._seen, self._distances = seen_in, distances

    def answers(self, steps: Iterable[Step]) -> tuple[Answer, ...]:
        """Mostly one. Where a hand was so near to the threshold that nobody can say, both that it may come to.

        Each frame is looked at once: a climb may have more of them than are kept.
        """
        rules = Rules(self._route)
        strict, generous = (
            _Reading(Climb(self._outlines.ids, rules), by) for by in (-self._doubt, self._doubt)
        )
        readings = (strict, generous)
        for step in steps:
            if isinstance(step, Reset):
                for reading in readings:
                    reading.climb.reset()
            elif isinstance(step, NewRules):
                for reading in readings:
                    reading.climb.change(step)
            elif (frame := self._seen(step)) is not None:
                distances = self._distances(frame.hands, strict.climb.threshold)
                for reading in readings:
                    reading.take(frame, distances)
        found = strict.answer(), generous.answer()
        return found[:1] if found[0] == found[1] else found


class _Reading:
    """One of two ways to see a climb: a hand may be `leeway` wall units further from a hold than the threshold."""

    def __init__(self, climb: Climb, leeway: float) -> None:
        self.climb = climb
        self._leeway = leeway
        self._poses: list[float] = []
        self._sessions: list[SessionFrom] = []

    def take(self, frame: Seen, distances: Mapping[str, float]) -> None:
        """One frame, and how far its nearer hand is from each hold."""
        limit = self.climb.threshold + self._leeway
        self.climb.frame(frame.time_ms, [hold for hold, away in distances.items() if away <= limit])
        shown = self.climb.shown()
        if not self._sessions or (
            shown is not self._sessions[-1].session and shown != self._sessions[-1].session
        ):
            self._sessions.append(SessionFrom(len(self._poses), shown))
        self._poses.append(frame.pose)

    def answer(self) -> Answer:
        """What the outputs must show."""
        return Answer(tuple(self._poses), tuple(self._sessions))


def read_route(file: Any) -> Route:
    """The holds of a decoded route file, by id: `59`, 59 and `hold_59` all mean hold_59."""
    return {_full_id(str(hold["id"])): hold["type"] for hold in file["problem"]["holds"]}


def _full_id(name: str) -> str:
    return f"hold_{name}" if name.isdecimal() else name
