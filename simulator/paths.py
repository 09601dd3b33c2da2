"""Where the mock peer's links are, if nothing else is said.                                                   pure"""

from simulator.events import PeerLink

FEED_PATH = "/ws/pose/"
SINK_PATH = "/ws/holds/"
CONTROL_PATH = "/ws/control/"
PATHS: dict[str, PeerLink] = {FEED_PATH: "input", SINK_PATH: "output", CONTROL_PATH: "control"}
