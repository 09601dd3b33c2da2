"""What travels over a channel.                                                                               pure"""

from dataclasses import dataclass, replace
from typing import Literal

from simulator.effects import Effect

Mark = Literal["data", "fin", "rst", "probe"]


@dataclass(slots=True)
class Segment:
    """Something on its way: bytes, an end of the stream, or a probe, which only asks for an acknowledgement."""

    data: bytes
    entered: float
    mark: Mark = "data"
    number: int = 0
    """Of its first byte."""
    again: bool = False
    """It was sent before, or a packet of it had to be: its round trip proves nothing (Karn's algorithm)."""
    chance: float | None = None
    """-1..1, drawn once: how much of the jitter it gets."""
    sliced: bool = False
    """A slicer has seen it; `cut`: and made it of something larger."""
    cut: bool = False
    awaits_follower: bool = False
    """Its last packet was lost, and nothing came after it that would show the gap."""
    counted: tuple[Effect, ...] = ()
    """By these effects."""

    def count_for(self, effect: Effect) -> None:
        """The effect did something to its bytes; that counts once, however often they are sent."""
        if effect not in self.counted:
            effect.bytes += len(self.data)
            self.counted += (effect,)


def rest_of(segment: Segment, size: int) -> Segment:
    """Shorten `segment` to `size` bytes, and return what is behind them."""
    rest = replace(segment, data=segment.data[size:], number=segment.number + size, sliced=False, cut=False)
    segment.data, segment.awaits_follower = segment.data[:size], False
    return rest
