"""What a client takes of a climb, and what its outputs must show of it.                                     pure"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from tracker.messages import SessionState

HoldType = Literal["start", "normal", "finish"]
Route: TypeAlias = Mapping[str, HoldType]
"""Its holds, by id in the form hold_N."""


@dataclass(frozen=True, slots=True)
class Reset:
    """All holds become untouched, and a new session starts."""


@dataclass(frozen=True, slots=True)
class NewRules:
    """From now on other rules count; None leaves one as it is."""

    proximity_threshold: float | None = None
    """Wall units."""
    touch_duration: float | None = None
    """Seconds of message time."""
    route: Route | None = None


Step: TypeAlias = int | Reset | NewRules
"""What a client takes: a frame, by its number, or a change."""


class SessionFrom(msgspec.Struct, frozen=True):
    """A session's state, and the first output that shows it, counted from 0."""

    output: int
    session: SessionState


class Answer(msgspec.Struct, frozen=True):
    """What a run without a network would send: one output for each frame."""

    poses: tuple[float, ...] = ()
    """By output, see `simulator.shown.pose_sum`."""
    sessions: tuple[SessionFrom, ...] = ()
    """Every state that differs from the one before it."""

    def outputs(self) -> Iterator[tuple[float, SessionState]]:
        """Each output's pose and session."""
        changes = iter((*self.sessions, None))
        change = next(changes)
        session = SessionState("started")
        for number, pose in enumerate(self.poses):
            if change is not None and change.output == number:
                session, change = change.session, next(changes)
            yield pose, session
