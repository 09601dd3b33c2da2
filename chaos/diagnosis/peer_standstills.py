"""Outages of both links that were one: the peer's process stood still, and its kernel went on accepting.        pure

TCP tries a silent path again in its own time, on each link in another moment. What both links, whose handshakes began at
different times, have at the same instant, was held by no path but by a process that did not run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from chaos.diagnosis.symptoms import SILENT, Kind, Outage
from chaos.durations import seconds_of

SAME_INSTANT = 0.02
"""Seconds between two handshakes that one process answered when it ran again."""
APART = 0.1
"""Seconds between their begins, at least, or TCP's own tries could fall together."""


@dataclass(frozen=True, slots=True)
class PeerStandstill:
    """From the last sign of life to the moment in which something was heard again."""

    begin: float
    end: float
    outages: tuple[Outage, Outage]

    @property
    def why(self) -> str:
        """For a person."""
        lasted = seconds_of(self.end - self.begin)
        return f"the server's process stood still for {lasted}: its port still accepted, nothing answered"


def peer_standstills(found: Sequence[Outage]) -> list[PeerStandstill]:
    """Those among the outages of all links."""
    silent = [outage for outage in found if _ends_with_a_slow_handshake(outage)]
    silent.sort(key=lambda outage: outage.back or 0.0)
    made: list[PeerStandstill] = []
    for one, other in pairwise(silent):
        assert one.back is not None, "it ended"
        assert other.back is not None, "it ended"
        assert one.last_attempt is not None, "it ended"
        assert other.last_attempt is not None, "it ended"
        together = other.back - one.back <= SAME_INSTANT
        if (
            one.link != other.link
            and together
            and abs(one.last_attempt - other.last_attempt) >= APART
            and not any(one in standstill.outages for standstill in made)
        ):
            begin = min(one.symptoms[0].begin, other.symptoms[0].begin)
            made.append(PeerStandstill(begin, max(one.back, other.back), (one, other)))
    return made


def _ends_with_a_slow_handshake(outage: Outage) -> bool:
    silent = all(symptom.kind in SILENT and not symptom.broken_off for symptom in outage.symptoms)
    slow = any(symptom.kind is Kind.SLOW for symptom in outage.symptoms[-1:])
    return silent and slow and outage.back is not None and outage.last_attempt is not None
