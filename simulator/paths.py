"""Where the mock peer's links are, if nothing else is said.                                                   pure"""

from collections.abc import Mapping

from simulator.events import PeerLink

FEED_PATH = "/ws/pose/"
SINK_PATH = "/ws/holds/"
CONTROL_PATH = "/ws/control/"
PATHS: dict[str, PeerLink] = {FEED_PATH: "input", SINK_PATH: "output", CONTROL_PATH: "control"}


def link_at(target: str, paths: Mapping[str, PeerLink] = PATHS) -> PeerLink | None:
    """The link that a request is for: what a client appends to the path, and its query, are its own."""
    path = target.partition("?")[0]
    found = [begin for begin in paths if path.startswith(begin)]
    return paths[max(found, key=len)] if found else None
