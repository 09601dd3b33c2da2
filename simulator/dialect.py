"""What the mock peer speaks with its client.                                                                  pure"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.entrance import Entrance, Opening
from simulator.events import PeerLink
from simulator.identity import ByPath, Identity
from simulator.paths import PATHS

RELAYED = "relay"
"""The stream of messages that a client sends on: each has the number of the peer's."""
OWN = "own"
"""The stream of messages that a client counts itself."""
UNNUMBERED = "unnumbered"
"""The stream of messages without a number: theirs is the place in which they arrived."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """As it is, the pose server's: poses over one link, outputs or the same poses over another."""

    paths: Mapping[str, PeerLink] = field(default_factory=lambda: PATHS)
    """Where its links are."""
    feeds: PeerLink = "input"
    """The link over which it sends, if the client has it; over the output it also collects."""
    poses: bool = True
    """Whether it sends poses, and takes a tracker's outputs too."""
    binary: bool = False
    """Whether what it sends is binary."""
    identity: Identity | None = field(default_factory=lambda: ByPath("sequence"))
    """Where the client's messages have their number; None: nowhere."""
    own_numbers: bool = False
    """Whether the client counts its messages itself."""
    entrance: Entrance = field(default_factory=Entrance)
    opening: Opening = field(default_factory=Opening)

    @property
    def stream(self) -> str:
        """That of the client's messages, unless they are a tracker's outputs, which name their own."""
        if self.identity is None:
            return UNNUMBERED
        return OWN if self.own_numbers else RELAYED
