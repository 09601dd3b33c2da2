"""A climb in progress as a file keeps it, and whether a tracker may take it up again.                       pure"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final, Literal, Self

import msgspec

from tracker.config import ConfigError
from tracker.pipeline import Pipeline, PipelineMemory
from tracker.session import HoldType, Route
from tracker.wall import Wall

SCHEMA: Final = "tracker.state/1"
BEGINNING = b'{"schema":"tracker.state/'
"""Every state begins with these bytes."""


class Unusable(Exception):
    """Why a state is not taken up; a clause."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a climb is judged by."""

    proximity_threshold: float
    touch_duration: float
    contact_grace: float
    route: dict[str, HoldType] | None

    @classmethod
    def of(cls, pipeline: Pipeline) -> Self:
        """Those in force."""
        route = pipeline.route
        return cls(**asdict(pipeline.rules), route=None if route is None else dict(route.holds))

    def impose(self, pipeline: Pipeline) -> None:
        """Put in force what a control can set. Raises `ConfigError`, and then nothing has changed."""
        pipeline.update(
            proximity_threshold=self.proximity_threshold,
            touch_duration=self.touch_duration,
            route=None if self.route is None else Route(self.route),
        )


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A climb in progress."""

    schema: Literal["tracker.state/1"] = SCHEMA  # first, so that a file begins with it
    saved_ms: float
    """Epoch milliseconds of the wall clock."""
    wall: str
    """See `fingerprint`."""
    begun_with: Terms
    """What the tracker was started with; controls may have changed it since."""
    in_force: Terms
    climb: PipelineMemory


def fingerprint(wall: Wall) -> str:
    """Tells walls apart by their holds and their size."""
    holds = [(hold.id, hold.d) for hold in wall.holds]
    return hashlib.sha256(msgspec.json.encode((wall.width, wall.height, wall.origin, holds))).hexdigest()


def read(data: bytes) -> State:
    """Raises `Unusable`."""
    try:
        return msgspec.json.decode(data, type=State)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Unusable("it is damaged") from None


def take_up(state: State, pipeline: Pipeline, *, now_ms: float, max_age: float) -> None:
    """Let the pipeline go on where the state was saved, if that is the same climb and at most `max_age` seconds old.

    Raises `Unusable`, and then the pipeline is as it was.
    """
    age = (now_ms - state.saved_ms) / 1000
    if not abs(age) <= max_age:
        when = f"{age:.0f} s old" if age > 0 else f"{-age:.0f} s ahead of this machine's clock"
        raise Unusable(f"it is {when}, and --state-max-age is {max_age:g}")
    if state.wall != fingerprint(pipeline.wall):
        raise Unusable("it is of another wall, or of another drawing of this one")
    here = Terms.of(pipeline)
    if state.begun_with.route != here.route:
        raise Unusable("it is of another route")
    before = pipeline.remember()
    try:
        pipeline.recall(state.climb)
        # What a control has set holds on, unless whoever runs the tracker has changed the settings meanwhile.
        if state.begun_with == here:
            state.in_force.impose(pipeline)
    except (ConfigError, KeyError):
        pipeline.recall(before)
        raise Unusable("it is damaged") from None


def touched(state: State) -> Mapping[str, float]:
    """The touched holds, with their times."""
    return state.climb.session.touched
