"""What a running tracker says of itself when it is asked: metrics, whether it is in health, whether it is ready."""

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

from tracker.app import Tracker
from tracker.exposition import Family, Labels
from tracker.heartbeat import Heartbeat
from tracker.states import LinkState
from tracker.vitals import LinkVitals, Vitals

MOST_LAG = 1.0
"""Seconds by which the loop may be late: beyond, frames do not get through as they come."""
MOST_BUGS = 30
"""So many messages in a row that meet a bug are a second in which nothing gets through."""
MOST_BEHIND = 10.0
"""Seconds for which an output may wait for its confirm: beyond, the display shows the past."""

Samples = tuple[tuple[Labels, float], ...]


@dataclass(frozen=True, slots=True)
class SelfReport:
    """A tracker with what is known of it; the moments are the loop's."""

    tracker: Tracker
    vitals: Vitals
    heartbeat: Heartbeat
    since: float
    """When the tracker began."""

    def ailments(self, now: float) -> list[str]:
        """Why it is not in health, a line each: its loop is late, or no frame gets through a bug of ours.

        An endpoint that is away is no ailment: starting anew would not bring it back.
        """
        found = []
        if (lag := self.heartbeat.lag(now)) > MOST_LAG:
            found.append(f"the event loop is {lag:.1f} s late")
        if (bugs := self.vitals.bugs_in_a_row) >= MOST_BUGS:
            found.append(f"the last {bugs} messages met a bug of the tracker, see its log")
        return found

    def hindrances(self, now: float) -> list[str]:
        """Why it does not serve its wall at present, a line each: health and more."""
        found = self.ailments(now)
        found += [
            f"the {link.name} link is {link.state.value}"
            for link in self.tracker.links
            if link.name != "control" and link.state is not LinkState.OPEN
        ]
        if self.tracker.stopping:
            found.append("the tracker is stopping")
        if self.tracker.paused:
            found.append("the output is paused by a control")
        if (behind := self.vitals.behind(now)) > MOST_BEHIND:
            found.append(f"the display is {behind:.0f} s behind")
        return found

    def families(self, now: float) -> Iterator[Family]:
        """All metrics as they are now."""
        yield from self._of_the_process(now)
        yield from self._of_the_links()
        yield from self._of_the_messages(now)

    def _of_the_process(self, now: float) -> Iterator[Family]:
        build = {
            "version": version("pose-session-tracker"),
            "websockets": version("websockets"),
            "python": platform.python_version(),
        }
        yield _gauge("tracker_build_info", "Always 1; the labels say what runs.", ((build, 1),))
        yield _gauge("tracker_uptime_seconds", "Since the tracker began.", _alone(now - self.since))
        yield _gauge(
            "tracker_loop_lag_seconds", "How late the event loop is.", _alone(self.heartbeat.lag(now))
        )
        late = _alone(self.heartbeat.late_in_all)
        yield _counter("tracker_loop_late_seconds_total", "All lag of the event loop together.", late)
        paused = _alone(self.tracker.paused)
        yield _gauge("tracker_output_paused", "1 while a control has paused the output.", paused)
        yield _gauge("tracker_stopping", "1 once an orderly stop has begun.", _alone(self.tracker.stopping))

    def _of_the_links(self) -> Iterator[Family]:
        links = self.tracker.links
        up: Samples = tuple(({"link": link.name}, link.state is LinkState.OPEN) for link in links)
        yield _gauge("tracker_link_up", "1 while the link has a connection that answers.", up)
        states = tuple(
            ({"link": link.name, "state": state.value}, link.state is state)
            for link in links
            for state in LinkState
        )
        yield _gauge("tracker_link_state", "1 for the state that the link is in.", states)
        yield _gauge(
            "tracker_link_round_trip_seconds",
            "Of the newest probe that was answered.",
            tuple(
                ({"link": link.name}, trip)
                for link in links
                if (trip := self.vitals.of(link.name).round_trip) is not None
            ),
        )
        totals: tuple[tuple[str, str, Callable[[LinkVitals], int]], ...] = (
            ("attempts", "Attempts to connect.", lambda link: link.attempts),
            ("connections", "Attempts that came to a connection.", lambda link: link.connections),
            ("suspected", "Deadlines of probes that passed unanswered.", lambda link: link.suspected),
            ("died", "Connections that were given up as dead.", lambda link: link.died),
        )
        for name, help_text, total in totals:
            samples = tuple(({"link": link.name}, total(self.vitals.of(link.name))) for link in links)
            yield _counter(f"tracker_link_{name}_total", help_text, samples)
        refusals = tuple(
            ({"link": link.name, "cause": cause}, count)
            for link in links
            for cause, count in self.vitals.of(link.name).refusals.items()
        )
        yield _counter("tracker_link_refusals_total", "Attempts that failed, by cause.", refusals)
        closes = tuple(
            ({"link": link.name, "code": code, "by": by}, count)
            for link in links
            for (code, by), count in self.vitals.of(link.name).closes.items()
        )
        yield _counter(
            "tracker_link_closes_total", "Connections that ended, by close code and by who ended it.", closes
        )

    def _of_the_messages(self, now: float) -> Iterator[Family]:
        vitals, outbox = self.vitals, self.tracker.outbox
        on_input, on_output = {"link": "input"}, {"link": "output"}
        yield _counter("tracker_frames_received_total", "Poses taken.", ((on_input, vitals.received),))
        since_frame = () if vitals.last_frame is None else ((on_input, now - vitals.last_frame),)
        yield _gauge("tracker_last_frame_age_seconds", "Since the newest pose came.", since_frame)
        rejected = tuple(
            ({"link": link.name, "reason": reason}, count)
            for link in self.tracker.links
            for reason, count in vitals.of(link.name).rejected.items()
        )
        yield _counter(
            "tracker_messages_rejected_total", "Bad messages that were skipped, by reason.", rejected
        )
        outputs = (
            ("accepted", "Outputs that the queue took.", vitals.accepted),
            ("displaced", "Outputs that gave way to newer ones.", vitals.displaced),
            ("sent", "Outputs handed to a connection, repeats included.", vitals.sent),
            ("repeated", "Outputs sent again on a later connection.", vitals.repeated),
            ("confirmed", "Outputs known to have arrived.", vitals.confirmed),
        )
        for name, help_text, total in outputs:
            yield _counter(f"tracker_outputs_{name}_total", help_text, ((on_output, total),))
        queue = (
            ("messages", "Outputs that wait to be confirmed.", len(outbox)),
            ("in_flight_messages", "Those of them that are on the wire.", outbox.in_flight),
            ("bytes", "Size of the outputs that wait to be confirmed.", outbox.bytes),
            ("oldest_age_seconds", "Age of the oldest of them; 0 where there is none.", vitals.behind(now)),
        )
        for name, help_text, value in queue:
            yield _gauge(f"tracker_queue_{name}", help_text, ((on_output, value),))


def _alone(value: float) -> Samples:
    return (({}, value),)


def _gauge(name: str, help_text: str, samples: Samples) -> Family:
    return Family(name, "gauge", help_text, samples)


def _counter(name: str, help_text: str, samples: Samples) -> Family:
    return Family(name, "counter", help_text, samples)
