"""Toxiproxy's toxics, typed and valid once made: the server passes over a misspelled attribute in silence.     pure"""

from dataclasses import dataclass, fields
from typing import ClassVar, Literal

Stream = Literal["upstream", "downstream"]

_MAX = 2_000_000_000
"""Of every attribute. The server multiplies without looking, and overflows, or panics, far above this."""


class ToxiproxyError(Exception):
    """What was asked of Toxiproxy, what came of it, what to do: one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxic:
    """What one toxic does to the bytes of one direction. Valid once made; ToxiproxyError otherwise.

    `toxicity` is the share of connections struck, 0 to 1. The server keeps it in single precision, and draws
    per connection, anew with every update.
    """

    kind: ClassVar[str]
    stream: Stream = "downstream"
    toxicity: float = 1.0

    def __post_init__(self) -> None:
        if self.stream not in ("upstream", "downstream"):
            raise ToxiproxyError(
                f"{self.kind}: stream is {self.stream!r}: it must be 'upstream' or 'downstream'"
            )
        toxicity = self.toxicity
        if isinstance(toxicity, bool) or not isinstance(toxicity, int | float) or not 0 <= toxicity <= 1:
            raise ToxiproxyError(f"{self.kind}: toxicity is {toxicity!r}: it must be a number from 0 to 1")
        for name, value in self.attributes.items():
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX:
                raise ToxiproxyError(
                    f"{self.kind}: {name} is {value!r}: it must be a whole number from 0 to {_MAX}"
                )

    @property
    def attributes(self) -> dict[str, int]:
        """All of them, as the server spells them."""
        common = {field.name for field in fields(Toxic)}
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in common}


@dataclass(frozen=True, slots=True)
class Latency(Toxic):
    """Milliseconds; jitter up to so much more or less. Removing it releases at once what it holds."""

    kind: ClassVar[str] = "latency"
    latency: int
    jitter: int = 0


@dataclass(frozen=True, slots=True)
class Bandwidth(Toxic):
    """KB/s, 1 KB = 1000 B. Rate 0 holds every byte, and its removal delivers them."""

    kind: ClassVar[str] = "bandwidth"
    rate: int


@dataclass(frozen=True, slots=True)
class SlowClose(Toxic):
    """Milliseconds by which the end of a connection is delayed."""

    kind: ClassVar[str] = "slow_close"
    delay: int


@dataclass(frozen=True, slots=True)
class Timeout(Toxic):
    """Drops every byte; closes after so many idle milliseconds (0: never), or when it is removed."""

    kind: ClassVar[str] = "timeout"
    timeout: int


@dataclass(frozen=True, slots=True)
class ResetPeer(Toxic):
    """Cuts the connection so many milliseconds after its next bytes; removing it can take as long."""

    kind: ClassVar[str] = "reset_peer"
    timeout: int


@dataclass(frozen=True, slots=True)
class Slicer(Toxic):
    """Bytes arrive in pieces of average_size +- size_variation bytes, delay microseconds apart."""

    kind: ClassVar[str] = "slicer"
    average_size: int
    size_variation: int = 0
    delay: int = 0

    def __post_init__(self) -> None:
        Toxic.__post_init__(self)  # super() does not work in a class that slots=True makes anew
        # The server would divide a chunk for ever, and end with a stack overflow.
        if self.average_size < 1:
            raise ToxiproxyError(f"slicer: average_size is {self.average_size}: it must be at least 1 byte")
        if self.size_variation > self.average_size:
            raise ToxiproxyError(
                f"slicer: size_variation is {self.size_variation}: it must not be above average_size, {self.average_size}"
            )


@dataclass(frozen=True, slots=True)
class LimitData(Toxic):
    """Closes after so many bytes, counted from now; on a new connection its handshake counts."""

    kind: ClassVar[str] = "limit_data"
    bytes: int
