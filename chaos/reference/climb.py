"""The touch rule, from a climb's frames to what its session shows.                                          pure"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from chaos.answer import HoldType, NewRules, Route
from tracker.messages import HoldState, SessionState

GRACE_MS = 250
"""Contact is broken when no contacting frame has been seen for longer."""
CLOCK_SET_BACK_MS = 1000
"""A frame that is older than the newest by less is late."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Those in force; `route` None: every hold can be touched."""

    route: Route | None
    proximity_threshold: float = 50.0
    """Wall units."""
    touch_duration: float = 2.0
    """Seconds."""

    def changed(self, new: NewRules) -> "Rules":
        """With what `new` changes."""
        threshold, duration = new.proximity_threshold, new.touch_duration
        return Rules(
            self.route if new.route is None else new.route,
            self.proximity_threshold if threshold is None else threshold,
            self.touch_duration if duration is None else duration,
        )


class Climb:
    """One session after the other on one wall. Times are message times in milliseconds."""

    def __init__(self, holds: Sequence[str], rules: Rules) -> None:
        self._rules = rules
        self._holds = holds
        self._newest: float | None = None
        self._start: float | None = None
        self._runs: dict[str, list[float]] = {}
        """By hold, the frames of the run of contact that may become a touch."""
        self._touched: dict[str, float] = {}
        """In the order of touching."""
        self._shown: SessionState | None = None
        """What an output shows, until something changes it."""

    def frame(self, now: float, contacts: Sequence[str]) -> None:
        """One frame and the holds that a hand is in contact with."""
        if self._newest is not None and now < self._newest:
            if self._newest - now < CLOCK_SET_BACK_MS:
                return  # late
            self._runs.clear()
        self._newest = now
        if self._start is None:
            self._start, self._shown = now, None
        duration_ms = Decimal(str(self._rules.touch_duration)) * 1000  # 2.007 s are 2007 ms, and no more
        for hold in contacts:
            if hold in self._touched or (self._rules.route is not None and hold not in self._rules.route):
                continue
            run = self._runs.setdefault(hold, [])
            if run and now - run[-1] > GRACE_MS:
                run.clear()
            run.append(now)
            if run[-1] - run[0] >= duration_ms:
                self._touched[hold], self._shown = now, None
                del self._runs[hold]

    def reset(self) -> None:
        """A new session, from the next frame that is not late."""
        self._start = self._shown = None
        self._runs.clear()
        self._touched.clear()

    def change(self, new: NewRules) -> None:
        """Touches and runs of contact stay."""
        self._rules, self._shown = self._rules.changed(new), None

    @property
    def threshold(self) -> float:
        """How far a hand in contact may be from a hold, in wall units."""
        return self._rules.proximity_threshold

    def shown(self) -> SessionState:
        """The session as an output shows it."""
        if self._shown is None:
            self._shown = self._session()
        return self._shown

    def _session(self) -> SessionState:
        finish = [hold for hold in self._holds if self._type(hold) == "finish"]
        ends = [time for hold, time in self._touched.items() if hold in finish]
        completed = bool(finish) and len(ends) == len(finish)
        return SessionState(
            "completed" if completed else "started",
            start_time=None if self._start is None else _iso(self._start),
            end_time=_iso(ends[-1]) if completed else None,
            holds=tuple(self._hold(hold) for hold in self._holds),
        )

    def _hold(self, hold: str) -> HoldState:
        time = self._touched.get(hold)
        if time is None:
            return HoldState(hold, self._type(hold), "untouched")
        return HoldState(hold, self._type(hold), "touched", _iso(time))

    def _type(self, hold: str) -> HoldType:
        if self._rules.route is not None:
            return self._rules.route.get(hold, "normal")
        if hold.startswith("start_"):
            return "start"
        return "finish" if hold.startswith("finish_") else "normal"


def _iso(ms: float) -> str:
    """ISO 8601 in UTC, with milliseconds; parts of one are cut off."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(ms))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
