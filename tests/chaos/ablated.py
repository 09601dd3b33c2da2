"""A tracker with one safeguard removed, as a client under test.

It is built as production builds it; then one of its objects becomes one of a subclass that lacks the safeguard. No
class, module or setting is changed, so whole and ablated trackers may run side by side.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from chaos.clients import Assignment
from chaos.clients.tracker import TrackerClient
from chaos.scenario import ClientOverrides
from tracker.app import Tracker
from tracker.link import Link
from tracker.wire import Wire


class Ablated(TrackerClient):
    """The tracker without what `lacks` leaves out of its base class; it is held to what a whole tracker declares.

    The first line of `lacks`'s docstring says what becomes of it.
    """

    def __init__(self, name: str, lacks: type) -> None:
        assert lacks.__doc__, f"{lacks.__name__} does not say what becomes of the tracker without {name}"
        self.name = name
        self.about = lacks.__doc__.partition("\n")[0].rstrip(".")
        self._lacks = lacks

    def assemble(self, assignment: Assignment) -> Tracker:
        tracker = super().assemble(assignment)
        for part in parts(tracker):
            _remove(self._lacks, part)
        for link in _links(tracker):
            _RemovesOnConnect.arm(link, self._lacks)
        return tracker


class Misconfigured(TrackerClient):
    """The tracker under settings that switch a safeguard off; it is held to what it should have been told."""

    def __init__(self, name: str, about: str, **settings: Any) -> None:
        """Settings as the fields of `ClientOverrides`."""
        self.name = name
        self.about = about
        self._settings = settings

    def assemble(self, assignment: Assignment) -> Tracker:
        asked = assignment.overrides
        overrides = ClientOverrides(
            timing={**asked.timing, **self._settings.get("timing", {})},
            outbox={**asked.outbox, **self._settings.get("outbox", {})},
        )
        return super().assemble(replace(assignment, overrides=overrides))


def _links(tracker: Tracker) -> list[Link]:
    return [*tracker._inputs, tracker._output]


def parts(tracker: Tracker) -> Iterator[Any]:
    """What lives as long as the tracker does."""
    yield from (tracker, tracker._pipeline, tracker._pipeline._session, tracker._outbox)
    for link in _links(tracker):
        yield from (link, link._backoff, link.traffic)


def _remove(lacks: type, part: Any) -> None:
    if type(part) is lacks.__base__:
        part.__class__ = lacks


class _RemovesOnConnect(Link):
    """A link whose connections lack it too: the wire, the judge of its life, the library's connection."""

    lacks: type

    @classmethod
    def arm(cls, link: Link, lacks: type) -> None:
        if type(link) is Link:
            link.__class__ = cls
            link.lacks = lacks

    async def _serve(self, wire: Wire) -> None:
        for part in (wire, wire.liveness, wire._connection):
            _remove(self.lacks, part)
        await super()._serve(wire)
