"""What a client under test speaks, and what may be asked of it: its profile.                                  pure"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from chaos.history import Numbering
from chaos.kinds import Link
from simulator.dialect import Dialect
from simulator.entrance import Entrance, Opening
from simulator.identity import ByPath, ByPattern
from simulator.numbered import NumberedMessages
from simulator.paths import CONTROL_PATH, FEED_PATH, SINK_PATH

Kind = Literal["relay", "receiver", "sender", "duplex"]
"""Reads one link and sends each message on over another; only reads; only sends messages of its own; does both over one
link.
"""
KINDS: tuple[Kind, ...] = get_args(Kind)
StopSignal = Literal["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"]

_LINKS: dict[Kind, tuple[Link, ...]] = {
    "relay": ("input", "output"),
    "receiver": ("input",),
    "sender": ("output",),
    "duplex": ("output",),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that this client may take, in place of what a scenario says; None: the scenario's."""

    detect_within: float | None = None
    recover_within: float | None = None
    longest_silence: float | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """Plain data: it compares, and travels to a worker process. `chaos.profile_reading` makes one of a file."""

    kind: Kind = "relay"
    identity: ByPath | ByPattern | None = field(default_factory=lambda: ByPath("sequence"))
    """Where a message of the client has its number; None: it has none, and what needs one is not judged."""
    answers: bool = False
    """Of a duplex: whether its messages have the numbers of the peer's, as a relay's do, or ones of their own."""
    transforms: bool = False
    """Whether it sends other bodies than it reads, whose number stands elsewhere; then its bodies are not judged."""
    messages: NumberedMessages = field(default_factory=NumberedMessages)
    """What the peer sends."""
    rate: float | None = None
    """Messages a second of scenario time; None: as many as the scenario says."""
    poses: bool = False
    """Whether the peer sends the poses of a climb instead."""
    input_path: str = FEED_PATH
    """Where the peer's messages are; of a client with one link, `output_path` is the same."""
    output_path: str = SINK_PATH
    entrance: Entrance = field(default_factory=Entrance)
    opening: Opening = field(default_factory=Opening)
    tls: bool = False
    stop_signal: StopSignal = "SIGTERM"
    """How a program is told to end."""
    scales_itself: bool = False
    """Whether a program divides its own durations by SIMTOOL_TIME_SCALE."""
    limits: Limits = Limits()
    not_judged: tuple[str, ...] = ()
    """Names of promises."""

    @property
    def links(self) -> tuple[Link, ...]:
        """Those that the client has. The one link of a duplex goes by the name of the output."""
        return _LINKS[self.kind]

    @property
    def reads(self) -> bool:
        """Whether the peer sends it messages."""
        return self.kind != "sender"

    @property
    def sends(self) -> bool:
        """Whether the peer is sent messages by it."""
        return self.kind != "receiver"

    def dialect(self, more: Iterable[Link] = ()) -> Dialect:
        """What the peer speaks with it, over its links and `more` of them."""
        links = dict.fromkeys((*self.links, *more))
        return Dialect(
            paths={self._path(link): link for link in links},
            feeds="output" if self.kind == "duplex" else "input",
            poses=self.poses,
            binary=self.messages.binary and not self.poses,
            identity=self.identity,
            own_numbers=self.own_numbers,
            entrance=self.entrance,
            opening=self.opening,
        )

    def urls(self, places: Mapping[Link, str]) -> dict[Link, str]:
        """Where the client is to connect for each link; its place is `host:port`."""
        scheme = "wss" if self.tls else "ws"
        query = self.entrance.query and f"?{self.entrance.query}"
        return {link: f"{scheme}://{place}{self._path(link)}{query}" for link, place in places.items()}

    def _path(self, link: Link) -> str:
        return {"input": self.input_path, "output": self.output_path, "control": CONTROL_PATH}[link]

    @property
    def own_numbers(self) -> bool:
        """Whether it counts its messages itself, so that a number that is missing is a message that is lost."""
        return self.kind == "sender" or (self.kind == "duplex" and not self.answers)

    @property
    def numbering(self) -> Numbering:
        """Whose numbers its messages have."""
        if self.identity is None:
            return "none"
        return "own" if self.own_numbers else "relayed"
