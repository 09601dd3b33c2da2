"""One frame's way from a pose to an output message.                                                        pure"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from tracker.calibration import LEFT_HAND, RIGHT_HAND, Calibration, Unmappable
from tracker.hold_list import HoldList
from tracker.messages import Landmark, Pose, ResetHolds
from tracker.plausibility import doubts
from tracker.session import Route, Rules, Session, SessionMemory, parse_route
from tracker.wall import Wall

VISIBLE = 0.2
"""A hand whose visibility is not above this is not there."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Touch:
    """A hold became touched, at the timestamp of the frame that completed it."""

    hold_id: str
    time_ms: float


@dataclass(frozen=True, slots=True)
class Step:
    """What one frame brought about."""

    touched: tuple[Touch, ...] = ()
    completed: bool = False
    """The session is completed, and was not in the step before."""
    essential: bool = False
    """The next output carries a touch, the completion or a reset, and must not be displaced."""


_NOTHING = Step()


class PipelineMemory(msgspec.Struct, frozen=True, kw_only=True):
    """All that a pipeline knows of its climb."""

    session: SessionMemory
    reset_due: bool = False
    """The next output is to announce a reset."""
    completed: bool = False
    """The completion has been announced."""


class Pipeline:
    """Maps poses onto a wall, applies the touch rule and encodes the session's state.

    Raises `RouteError` if the route names a hold that the wall lacks.
    """

    def __init__(
        self,
        wall: Wall,
        calibration: Calibration,
        *,
        route: Route | None = None,
        rules: Rules = Rules(),  # noqa: B008 - frozen
        stream: str,
        landmarks: bool = True,
        svg_only: bool = False,
    ) -> None:
        self.wall = wall
        self.calibration = calibration
        self.stream = stream
        self._session = Session([hold.id for hold in wall.holds], rules=rules, route=route)
        self._grid = wall.grid(rules.proximity_threshold)
        self._landmarks = landmarks
        self._svg_only = svg_only
        self._pose: list[Landmark] | None = None
        self._reset_due = False
        self._was_completed = False
        self._tail = b',"stream":' + _encode(stream) + b',"seq":'
        self._encoded = (b"", b"")
        self._encoded_revision = -1
        self._holds = HoldList()
        self._holds.encode(self._session)  # now, and not in the first frame

    def step(self, pose: Pose) -> Step:
        """Take one frame. Raises `Unmappable`, changing nothing, if the calibration sends it to infinity."""
        self._pose = mapped = self.calibration.map(pose.landmarks)
        contacts = self._contacts(mapped[LEFT_HAND])
        right = self._contacts(mapped[RIGHT_HAND])
        if right:
            contacts = sorted({*contacts, *right})
        new = self._session.step(pose.timestamp, contacts)
        if not new and not self._reset_due and self._session.completed == self._was_completed:
            return _NOTHING
        completed = self._session.completed and not self._was_completed
        self._was_completed = self._session.completed
        touches = tuple(Touch(self.wall.holds[index].id, pose.timestamp) for index in new)
        return Step(touches, completed, bool(touches) or completed or self._reset_due)

    def _contacts(self, hand: Landmark) -> list[int]:
        if hand.visibility <= VISIBLE:
            return []
        wall = self.wall
        return self._grid.within(hand.x * wall.width + wall.origin[0], hand.y * wall.height + wall.origin[1])

    def encode(self, seq: int) -> bytes:
        """Return the output message for the state as it is; a reset is announced in one message only.

        `pose` is the latest frame's; before the first frame there is none.
        """
        if self._session.revision != self._encoded_revision:
            self._encoded = self._encode_session()
            self._encoded_revision = self._session.revision
        session, paths = self._encoded
        pose = b"" if self._pose is None or not self._landmarks else b',"pose":' + _encode(self._pose)
        reset = b',"reset":true' if self._reset_due else b""
        self._reset_due = False
        return b"".join((session, pose, paths, reset, self._tail, b"%d}" % seq))

    def _encode_session(self) -> tuple[bytes, bytes]:
        """Return what comes before the pose and after it; most frames change neither."""
        progress = _encode(self._session.progress())
        if not self._svg_only:
            return b"".join(
                (b'{"session":{"holds":', self._holds.encode(self._session), b",", progress[1:])
            ), b""
        touched = [self.wall.holds[index] for index in self._session.touched]
        paths = b',"touched_svg_paths":' + _encode([{"id": hold.id, "d": hold.d} for hold in touched])
        return b'{"session":' + progress, paths

    def reset(self) -> None:
        """Make all holds untouched; the next output says so."""
        self._session.reset()
        self._was_completed = False
        self._reset_due = True

    def remember(self) -> PipelineMemory:
        """What a later pipeline needs to go on from here."""
        return PipelineMemory(
            session=self._session.remember(), reset_due=self._reset_due, completed=self._was_completed
        )

    def recall(self, memory: PipelineMemory) -> None:
        """Go on where another pipeline of the same wall was. Raises `KeyError` for a hold that the wall lacks."""
        self._session.recall(memory.session)
        self._reset_due = memory.reset_due
        self._was_completed = memory.completed

    def go_on_with(
        self,
        wall: Wall,
        calibration: Calibration,
        *,
        route: Route | None,
        rules: Rules,
        landmarks: bool,
        svg_only: bool,
    ) -> None:
        """Go on with the climb as it is, by other files: touches of holds that the wall still has stay.

        Raises `RouteError` if the route names a hold that the wall lacks, and then nothing has changed.
        """
        ids = [hold.id for hold in wall.holds]
        session, memory = Session(ids, rules=rules, route=route), self._session.remember()
        known = set(ids)
        session.recall(
            msgspec.structs.replace(
                memory,
                touched={hold: time for hold, time in memory.touched.items() if hold in known},
                contacts={hold: run for hold, run in memory.contacts.items() if hold in known},
            )
        )
        self.wall, self.calibration = wall, calibration
        self._session, self._grid = session, wall.grid(rules.proximity_threshold)
        self._landmarks, self._svg_only = landmarks, svg_only
        self._encoded_revision = -1

    def update(
        self,
        *,
        proximity_threshold: float | None = None,
        touch_duration: float | None = None,
        route: Route | Mapping[str, Any] | str | None = None,
    ) -> None:
        """Change rules or route while the session goes on; None leaves a rule as it is.

        A route may be given as JSON, decoded or not, but never as a path, for it comes from a peer.
        Raises `ConfigError` (`RouteError` for the route), and then nothing has changed.
        """
        given = {"proximity_threshold": proximity_threshold, "touch_duration": touch_duration}
        rules = replace(self._session.rules, **{k: v for k, v in given.items() if v is not None})
        if route is None:
            route = self._session.route
        elif not isinstance(route, Route):
            route = parse_route(route)
        self._session.change(rules=rules, route=route)
        self._grid = self.wall.grid(rules.proximity_threshold)

    def snapshot(self) -> dict[str, Any]:
        """Return the session as an output message shows it, with all holds."""
        return self._session.snapshot()

    def doubts(self) -> tuple[str, ...]:
        """Return a line for whatever of the wall's files is allowed and yet hardly meant."""
        types = {hold["id"]: hold["type"] for hold in self.snapshot()["holds"]}
        return doubts(self.wall, self.calibration, types, with_route=self.route is not None)

    @property
    def rules(self) -> Rules:
        """The rules in force."""
        return self._session.rules

    @property
    def route(self) -> Route | None:
        """The route in force."""
        return self._session.route

    def parameters(self) -> dict[str, Any]:
        """Return what `update` can change, as a control's reply shows it; the route as hold id to type."""
        rules = self._session.rules
        return {
            "proximity_threshold": rules.proximity_threshold,
            "touch_duration": rules.touch_duration,
            "route": None if self.route is None else dict(self.route.holds),
        }


@dataclass(frozen=True, slots=True)
class Solved:
    """What came of a recording."""

    session: dict[str, Any]
    frames: int
    skipped: int
    """Frames that the calibration sends to infinity."""


def solve(frames: Iterable[Pose | ResetHolds], pipeline: Pipeline) -> Solved:
    """Take all frames without a network; those that cannot be mapped are skipped and counted."""
    taken = skipped = 0
    for frame in frames:
        if isinstance(frame, ResetHolds):
            pipeline.reset()
            continue
        taken += 1
        try:
            pipeline.step(frame)
        except Unmappable:
            skipped += 1
    return Solved(pipeline.snapshot(), taken, skipped)
