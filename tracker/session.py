"""The touch rule and the session's state.                                                                  pure

Time here is the time that the messages carry, in milliseconds, never the tracker's own: the same frames give
the same touches at the same times, whatever the network did to them on the way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from tracker.config import ConfigError
from tracker.messages import iso_time
from tracker.timestamps import LAST_MS

LATE_MS = 1000
"""How far a timestamp may lie behind the newest and still be a late frame, and not a clock set back."""

HoldType = Literal["start", "normal", "finish"]
Time = Annotated[float, Meta(ge=0, le=LAST_MS)]


class RouteError(ConfigError):
    """A route that cannot be used; one complete line."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as a touch. Raises `ConfigError` for a value that makes no sense."""

    proximity_threshold: float = 50.0
    """Contact is a hand within this many wall units of a hold's outline."""
    touch_duration: float = 2.0
    """Seconds of contact that make a touch; 0: the first contact does."""
    contact_grace: float = 0.25
    """Contact is broken when no contacting frame has been seen for more than this many seconds."""

    def __post_init__(self) -> None:
        if not 0 < self.proximity_threshold < float("inf"):
            raise ConfigError(
                f"proximity_threshold is {self.proximity_threshold!r}: it must be a number of wall units above 0"
            )
        for name in ("touch_duration", "contact_grace"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ConfigError(f"{name} is {value!r}: it must be a number of seconds, 0 or more")


@dataclass(frozen=True, slots=True)
class Route:
    """The holds of a climb, by id in the form hold_N, with what each is on the route."""

    holds: Mapping[str, HoldType]

    def check(self, wall_ids: Sequence[str]) -> None:
        """Raise `RouteError` naming every hold of the route that the wall lacks."""
        known = set(wall_ids)
        missing = [hold for hold in self.holds if hold not in known]
        if missing:
            # A peer can send a route too: a search takes milliseconds, and a name can be long.
            shown = [hold if len(hold) <= 40 else f"{hold[:40]}..." for hold in missing[:20]]
            near = dict.fromkeys(
                match for hold in shown[:5] for match in get_close_matches(hold, wall_ids, n=2, cutoff=0.6)
            )
            more = f" and {len(missing) - len(shown)} more" if len(missing) > len(shown) else ""
            hint = f"; the nearest that it has: {', '.join(near)}" if near else ""
            raise RouteError(
                f"the route names {', '.join(shown)}{more}, which the wall lacks{hint};"
                " correct the route or use the wall that it was set on"
            )


def parse_route(value: bytes | str | Mapping[str, Any]) -> Route:
    """Build a route from JSON or from decoded JSON, never from a path. Raises `RouteError`.

    The ids `59`, 59 and `hold_59` all mean hold_59.
    """
    try:
        if isinstance(value, bytes | str):
            file = msgspec.json.decode(value, type=_File)
        else:
            file = msgspec.convert(value, _File)
    except msgspec.ValidationError as error:
        raise RouteError(
            f'the route does not fit ({error}); it needs {{"problem": {{"holds": [{{"id", "type"}}]}}}}'
            " with the types start, normal and finish"
        ) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RouteError(f"the route is not JSON ({error}); export it again") from None
    holds: dict[str, HoldType] = {}
    for hold in file.problem.holds:
        name = _full_id(hold.id)
        if holds.setdefault(name, hold.type) != hold.type:
            raise RouteError(f"the route has {name} as {holds[name]} and as {hold.type}; delete one of them")
    return Route(holds)


class _RouteHold(Struct):
    id: str | int
    type: HoldType


class _Problem(Struct):
    holds: Annotated[list[_RouteHold], Meta(min_length=1)]


class _File(Struct):
    problem: _Problem


def _full_id(name: str | int) -> str:
    text = str(name)
    return f"hold_{text}" if text.isdecimal() else text


@dataclass(slots=True)
class _Contact:
    """One unbroken run of contact with one hold, in milliseconds of message time."""

    since: float
    until: float


class SessionMemory(Struct, frozen=True, kw_only=True):
    """All that a session knows of its climb, by hold id; times are milliseconds of message time."""

    newest: Time | None = None
    start: Time | None = None
    touched: dict[str, Time] = {}  # in order of touching
    contacts: dict[str, tuple[Time, Time]] = {}
    """Since when, and until when so far."""


class Session:
    """Which holds have been touched, and when.

    A hold is touched by the first contacting frame whose timestamp is `touch_duration` or more after the run of
    contact began. A run goes on while each contacting frame is at most `contact_grace` after the one before.
    Once touched, a hold stays so until `reset`.

    With a route only its holds count: the others are shown, and stay untouched.

    Order. Frames count in the order in which they are stepped. One whose timestamp is older than the newest
    seen by less than 1 s is late, and counts for nothing. One that is older than that says that the sender's
    clock was set back (or that a recording began again): all runs of contact end and time goes on from there.
    """

    def __init__(self, hold_ids: Sequence[str], *, rules: Rules, route: Route | None = None) -> None:
        """Raise `RouteError` if the route names a hold that is not in `hold_ids`."""
        self._ids = tuple(hold_ids)
        self.revision = 0
        """Grows whenever `snapshot` would come out differently."""
        self._newest: float | None = None
        self._start: float | None = None
        self._contacts: dict[int, _Contact] = {}
        self._touched: dict[int, float] = {}  # in order of touching
        self.change(rules=rules, route=route)

    def step(self, timestamp: float, contacts: Iterable[int]) -> tuple[int, ...]:
        """Take one frame: its time in milliseconds and the holds in contact, as indices. Return new touches."""
        newest = self._newest
        if newest is not None and timestamp < newest:
            if newest - timestamp < LATE_MS:
                return ()
            self._contacts.clear()
        self._newest = timestamp
        if self._start is None:
            self._start = timestamp
            self.revision += 1
        new = tuple(hold for hold in contacts if self._in_contact(hold, timestamp))
        if new:
            self._touched.update(dict.fromkeys(new, timestamp))
            self.revision += 1
        return new

    def _in_contact(self, hold: int, now: float) -> bool:
        """Record contact; tell whether it completes a touch."""
        if hold in self._touched or hold not in self._counted:
            return False
        contact = self._contacts.get(hold)
        if contact is None or now - contact.until > self._grace_ms:
            contact = self._contacts[hold] = _Contact(now, now)
        contact.until = now
        if now - contact.since < self._duration_ms:
            return False
        del self._contacts[hold]
        return True

    def reset(self) -> None:
        """Make all holds untouched; the next frame that is not late starts the new session."""
        self._start = None
        self._contacts.clear()
        self._touched.clear()
        self.revision += 1

    def remember(self) -> SessionMemory:
        """What a later session needs to go on from here."""
        names = self._ids
        return SessionMemory(
            newest=self._newest,
            start=self._start,
            touched={names[hold]: time for hold, time in self._touched.items()},
            contacts={names[hold]: (run.since, run.until) for hold, run in self._contacts.items()},
        )

    def recall(self, memory: SessionMemory) -> None:
        """Go on where another session of the same holds was. Raises `KeyError` for a hold that there is not."""
        index = {name: number for number, name in enumerate(self._ids)}
        touched = {index[hold]: time for hold, time in memory.touched.items()}
        contacts = {index[hold]: _Contact(*run) for hold, run in memory.contacts.items()}
        self._newest, self._start = memory.newest, memory.start
        self._touched, self._contacts = touched, contacts
        self.revision += 1

    def change(self, *, rules: Rules, route: Route | None) -> None:
        """Go on under other rules or another route; touches stay. Raises `RouteError`, changing nothing."""
        if route is not None:
            route.check(self._ids)
        self.rules = rules
        self.route = route
        # Rounded, since 2.007 * 1000 is a little more than 2007, and a frame exactly on time must count.
        self._duration_ms = round(rules.touch_duration * 1000, 6)
        self._grace_ms = round(rules.contact_grace * 1000, 6)
        self._types = [_type(hold, route) for hold in self._ids]
        self._counted = {i for i, hold in enumerate(self._ids) if route is None or hold in route.holds}
        self._finish = {index for index, kind in enumerate(self._types) if kind == "finish"}
        self.revision += 1

    @property
    def completed(self) -> bool:
        """Whether there are finish holds and all of them are touched."""
        return bool(self._finish) and self._finish <= self._touched.keys()

    @property
    def touched(self) -> tuple[int, ...]:
        """The touched holds as indices, in the order in which they were touched."""
        return tuple(self._touched)

    @property
    def touch_times(self) -> Mapping[int, float]:
        """When each touched hold was touched, by its index."""
        return self._touched

    @property
    def types(self) -> Sequence[HoldType]:
        """What each hold is; another object after each `change`, and the same until then."""
        return self._types

    def hold(self, index: int) -> dict[str, Any]:
        """Return one hold as an output message shows it."""
        return {
            "id": self._ids[index],
            "type": self._types[index],
            "status": "touched" if index in self._touched else "untouched",
            "time": _iso_or_none(self._touched.get(index)),
        }

    def snapshot(self) -> dict[str, Any]:
        """Return the session as an output message shows it."""
        return {"holds": [self.hold(index) for index in range(len(self._ids))], **self.progress()}

    def progress(self) -> dict[str, Any]:
        """Return the session as an output message shows it, without its holds."""
        completed = self.completed
        return {
            "startTime": _iso_or_none(self._start),
            "endTime": _iso_or_none(self._end) if completed else None,
            "status": "completed" if completed else "started",
        }

    @property
    def _end(self) -> float:
        return next(time for hold, time in reversed(self._touched.items()) if hold in self._finish)


def _iso_or_none(ms: float | None) -> str | None:
    return None if ms is None else iso_time(ms)


def _type(hold: str, route: Route | None) -> HoldType:
    if route is not None:
        return route.holds.get(hold, "normal")
    if hold.startswith("start_"):
        return "start"
    return "finish" if hold.startswith("finish_") else "normal"
