"""The figures of one run.                                                                                     pure"""

from typing import Any

from chaos.judging.disruptions import recoveries
from chaos.judging.facts import Facts
from simulator import events as peer
from tracker import events


def measures_of(facts: Facts) -> dict[str, Any]:
    """As the report and its JSON show them. Seconds are scenario seconds."""

    def rounded(seconds: float | None) -> float | None:
        return None if seconds is None else round(seconds, 3)

    history = facts.history
    connected = events.Connected if history.role == "tracker" else peer.Opened
    return {
        "offered": sum(1 for _ in history.of(peer.Offered)),
        "delivered": len(facts.delivered),
        "lost": len(facts.lost),
        "repeated": sum(event.repeat for event in facts.deliveries),
        "reordered": len(facts.reordered),
        "displaced": len(facts.displaced),
        "connections": sum(1 for _ in history.of(connected)),
        "detect_s": rounded(max(facts.detections, default=None)),
        "recover_s": rounded(max(recoveries(facts), default=None)),
        "longest_silence_s": rounded(facts.longest_silence),
        "false_kills": len(facts.false_kills),
    }
