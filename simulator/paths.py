"""Where the mock peer's links are, if nothing else is said.                                                   pure"""

from simulator.events import PeerLink

FEED_PATH = "/ws/pose/"
SINK_PATH = "/ws/holds/"
CONTROL_PATH = "/ws/control/"
PATHS: dict[str, PeerLink] = {FEED_PATH: "input", SINK_PATH: "output", CONTROL_PATH: "control"}


def link_at(target: str) -> PeerLink | None:
    """The link that a request is for: what a client appends to the path, and its query, are its own."""
    path = target.partition("?")[0]
    return next((link for begin, link in PATHS.items() if path.startswith(begin)), None)
