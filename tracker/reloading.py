"""SIGHUP: what whoever runs a tracker has changed in its files is taken up, and the climb and the connections go on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from tracker import events
from tracker.app import Tracker
from tracker.calibration import Calibration
from tracker.config import ConfigError, OutboxLimits, TrackerConfig
from tracker.pipeline import Pipeline
from tracker.session import Route, Rules
from tracker.state_format import Terms
from tracker.wall import Wall

SETTLING = 1.0
"""Seconds from a signal to the reload: signals that come meanwhile are one with it."""
TAKEN_UP = frozenset(
    {
        "wall",
        "calibration",
        "route_data",
        *("proximity_threshold", "touch_duration", "contact_grace"),
        *("stream_landmarks", "stream_svg_only"),
        *("outbox_messages", "outbox"),
    }
)
"""Settings that a reload takes up; any other needs a restart."""

log = logging.getLogger("tracker")


@dataclass(frozen=True, slots=True)
class Setup:
    """What a tracker has been told by its command line and its files; what controls have changed since is not here."""

    settings: Mapping[str, Any]
    outbox: OutboxLimits
    wall: Wall
    calibration: Calibration
    route: Route | None
    rules: Rules
    shows: tuple[bool, bool]
    """Whether outputs have the pose, and touched SVG paths in place of the holds."""
    terms: Terms

    @classmethod
    def of(cls, settings: Mapping[str, Any], config: TrackerConfig, pipeline: Pipeline) -> Self:
        """Of a pipeline that was just made of these settings."""
        return cls(
            settings,
            config.outbox,
            pipeline.wall,
            pipeline.calibration,
            pipeline.route,
            pipeline.rules,
            (settings.get("stream_landmarks", True), settings.get("stream_svg_only", False)),
            Terms.of(pipeline),
        )


def changes(before: Setup, after: Setup) -> list[str]:
    """What a reload takes up, old -> new, each a few words."""
    found = []
    if after.wall != before.wall:
        counts = f"{len(before.wall.holds)} -> {len(after.wall.holds)} holds"
        found.append(f"wall {counts if len(before.wall.holds) != len(after.wall.holds) else 'drawn anew'}")
    if after.calibration != before.calibration:
        old, new = before.calibration.hand_extension_percent, after.calibration.hand_extension_percent
        found.append(f"calibration hands {old:g} -> {new:g} %" if old != new else "calibration measured anew")
    if after.route != before.route:
        found.append(f"route {_shown(before.route)} -> {_shown(after.route)}")
    for what in ("rules", "outbox"):
        then, now = asdict(getattr(before, what)), asdict(getattr(after, what))
        prefix = "" if what == "rules" else "outbox_"
        found += [
            f"{prefix}{name} {then[name]:g} -> {now[name]:g}" for name in then if then[name] != now[name]
        ]
    for name, did, does in zip(
        ("stream_landmarks", "stream_svg_only"), before.shows, after.shows, strict=True
    ):
        if did != does:
            found.append(f"{name} {str(did).lower()} -> {str(does).lower()}")
    return found


def need_a_restart(before: Setup, after: Setup) -> list[str]:
    """The settings that differ and are not taken up, by name: some hold secrets."""
    names = dict.fromkeys((*before.settings, *after.settings))
    return [
        name
        for name in names
        if name not in TAKEN_UP and before.settings.get(name) != after.settings.get(name)
    ]


def _shown(route: Route | None) -> str:
    return "none" if route is None else f"{len(route.holds)} holds"


class Reloader:
    """Takes up what was changed when it is asked to; one reload at a time."""

    def __init__(
        self,
        tracker: Tracker,
        pipeline: Pipeline,
        setup: Setup,
        *,
        load: Callable[[], Setup],
        taken_up: Callable[[Setup], None] = lambda _: None,
        away: Callable[[Callable[[], Setup]], Awaitable[Setup]] = asyncio.to_thread,
    ) -> None:
        """`load` reads everything anew; it raises `ConfigError`, and is called where `away` takes it, since a wall takes
        long to read. `taken_up` hears of each new setup.
        """
        self._tracker = tracker
        self._pipeline = pipeline
        self._setup = setup
        self._load = load
        self._report = tracker.report
        self._taken_up = taken_up
        self._away = away
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """There may be something new. Harmless at any time."""
        self._asked.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._asked.wait()
            await asyncio.sleep(SETTLING)
            self._asked.clear()  # before anything is read: who asks from now on may have changed it since
            try:
                await self._reload()
            except ConfigError as error:
                self._report(events.NotReloaded(t=_now(), why=str(error)))
            except Exception as bug:
                log.exception("a bug met a reload; what was in force stays", exc_info=bug)

    async def _reload(self) -> None:
        after = await self._away(self._load)
        if self._tracker.stopping:
            return
        before, pipeline = self._setup, self._pipeline
        taken, pending = changes(before, after), need_a_restart(before, after)
        if taken:
            # What a control has set holds on, unless it was changed in the files too.
            rules = {
                f.name: getattr(after.rules, f.name)
                for f in fields(Rules)
                if getattr(after.rules, f.name) != getattr(before.rules, f.name)
            }
            landmarks, svg_only = after.shows
            pipeline.go_on_with(
                after.wall,
                after.calibration,
                route=after.route if after.route != before.route else pipeline.route,
                rules=replace(pipeline.rules, **rules),
                landmarks=landmarks,
                svg_only=svg_only,
            )
            self._tracker.limit_outbox(after.outbox)
        # Settings that wait for a restart are told each time, until there is one.
        self._setup = replace(after, settings={**before.settings, **_of(after, TAKEN_UP)})
        self._taken_up(after)
        told = ", ".join(taken) or "nothing"
        self._report(events.Reloaded(t=_now(), changed=told, needs_restart=", ".join(pending)))


def _of(setup: Setup, names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in setup.settings.items() if name in names}


def _now() -> float:
    return asyncio.get_running_loop().time()
