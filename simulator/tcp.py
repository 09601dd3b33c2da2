"""What Linux's TCP is set to, and how long it waits for an acknowledgement.                                  pure"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count, repeat


@dataclass(frozen=True, slots=True)
class Tcp:
    """Settings of the kernels at both ends of a network's connections. The defaults are Linux's.

    Sizes are bytes of payload, times are seconds.
    """

    send_buffer: int = 84_000
    """What a kernel takes from a writer of whom nothing is acknowledged. Linux derives it from the congestion window:
    75 to 110 kB on a fresh connection with BBR, 45 to 95 kB with Reno or CUBIC."""
    send_buffer_limit: int = 4_194_304
    """It grows up to this (`tcp_wmem`) where a round trip carries more."""
    receive_buffer: int = 131_072
    """What a kernel keeps for a reader who does not read (`tcp_rmem`)."""
    receive_buffer_limit: int = 6_291_456
    """It grows up to this where the reader keeps up and a round trip carries more."""
    segment: int = 1448
    """The most that one packet carries: Ethernet, with time stamps."""
    rto_min: float = 0.2
    """The least time beyond a round trip after which bytes are sent again."""
    rto_max: float = 120.0
    """The longest time between two retransmissions (`TCP_RTO_MAX_MS` sets it for one socket)."""
    retries: int = 15
    """How many retransmissions in a row may go unanswered (`tcp_retries2`); see `patience`."""
    orphan_retries: int = 8
    """The same once the program has closed its socket."""
    syn_retries: int = 6
    """For how many repetitions, each after twice the time, a connect may go unanswered (`tcp_syn_retries`)."""
    syn_linear: int = 4
    """So many repetitions come a second apart before the time doubles (`tcp_syn_linear_timeouts`, Linux 6.5)."""
    synack_retries: int = 5
    """How often the answer to a connect is repeated (`tcp_synack_retries`)."""

    def patience(self, retries: int, rto_max: float) -> float:
        """Seconds without an acknowledgement after which so many retries are spent: 924.6 for 15, and a cap of 120 s.

        As Linux reckons it, from the shortest RTO, whatever the connection's own is, and up to the connection's cap.
        """
        return sum(min(self.rto_min * 2.0**n, rto_max) for n in range(retries + 1))

    def syn_waits(self) -> Iterator[float]:
        """How long a connect waits for an answer before it asks again; after the last one it fails, 131 s in all.

        Linux gives up when so many doubled waits would be over, whatever waits there were.
        """
        elapsed, enough = 0.0, 2.0 ** (self.syn_retries + 1) - 1
        for wait in chain(repeat(1.0, self.syn_linear), map((2.0).__pow__, count())):
            yield wait
            elapsed += wait
            if elapsed >= enough:
                return

    def synack_waits(self) -> Iterator[float]:
        """When the answer is repeated, in seconds after it was first given."""
        yield from (2.0**n - 1 for n in range(1, self.synack_retries + 1))


class RoundTrip:
    """A connection's smoothed round trip and its variation (RFC 6298, section 2), in seconds."""

    __slots__ = ("smoothed", "variation")

    def __init__(self, first: float) -> None:
        self.smoothed, self.variation = first, first / 2

    def sample(self, seconds: float) -> None:
        self.variation += (abs(self.smoothed - seconds) - self.variation) / 4
        self.smoothed += (seconds - self.smoothed) / 8

    def timeout(self, tcp: Tcp) -> float:
        """The RTO before any back-off. Linux keeps `rto_min` between it and the round trip."""
        return self.smoothed + max(tcp.rto_min, 4 * self.variation)
