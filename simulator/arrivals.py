"""What clients send to the mock peer: read, told from what had arrived before, and reported."""

import zlib

from simulator import events
from simulator.content import checksum
from simulator.controls import RULES_REPLIES, rules_in
from simulator.dialect import Dialect
from simulator.events import PeerObserver
from simulator.peer_connection import PeerConnection
from simulator.sender import Sender
from simulator.shown import shown_pose
from tracker import messages

SHOWN = 4096
"""Characters of the first message that could not be read, which its report shows."""


class Arrivals:
    """Takes messages as they arrive. With `poses`, a delivery says what pose it shows, a tenth of a run's time; with
    `contents`, it has a checksum of what it says.
    """

    def __init__(self, dialect: Dialect, report: PeerObserver, *, poses: bool, contents: bool) -> None:
        self._dialect = dialect
        self._report = report
        self._poses = poses
        self._contents = contents
        self._senders: dict[int, Sender] = {}
        self._shown = False  # the first that could not be read

    def take(self, body: bytes, connection: PeerConnection) -> tuple[str, int] | None:
        """Record one arrival; its `(stream, seq)`, or None for what is no message of the client's."""
        if self._dialect.opening.subscribes(body):
            return None
        now = connection.loop.time()
        sender = self._senders.setdefault(connection.client, Sender())
        output = self._read(body, sender)
        if isinstance(output, str):
            self._report_unreadable(output, body, connection)
            return None
        repeat = sender.repeats(output)
        self._report(
            events.Delivered(
                t=now,
                stream=output.stream,
                seq=output.seq,
                size=len(body),
                digest=zlib.crc32(body),
                connection=connection.number,
                repeat=repeat,
                reset=output.reset,
                reply=output.type or "",
                content=checksum(body) if self._contents else 0,
                pose=shown_pose(output.pose)
                if self._poses and not repeat and output.session is not None
                else None,
            )
        )
        if output.type in RULES_REPLIES and not repeat:
            self._report_rules(body, output.seq, connection)
        if not repeat and output.session is not None and sender.shows_anew(output):
            self._report(
                events.SessionShown(
                    t=now, seq=output.seq, connection=connection.number, session=output.session
                )
            )
            for hold, time in sender.new_touches(output):
                self._report(events.Arrived(t=now, hold=hold, time=time, client=connection.client))
        return output.stream, output.seq

    def _read(self, body: bytes, sender: Sender) -> messages.Output | str:
        """The message, or why it is none."""
        identity = self._dialect.identity
        why = f"no number at {identity}"
        if self._dialect.poses:
            try:
                return messages.decode_output(body)
            except messages.BadMessage as bad:
                why = bad.reason
        number = sender.next_place() if identity is None else identity.number_in(body)
        return why if number is None else messages.Output(self._dialect.stream, number)

    def _report_unreadable(self, why: str, body: bytes, connection: PeerConnection) -> None:
        begins = "" if self._shown else body[:SHOWN].decode(errors="backslashreplace")
        self._shown = True
        self._report(
            events.Unreadable(
                t=connection.loop.time(), reason=why, connection=connection.number, begins=begins
            )
        )

    def _report_rules(self, reply: bytes, seq: int, connection: PeerConnection) -> None:
        rules = rules_in(reply)
        self._report(
            events.Parameters(
                t=connection.loop.time(),
                seq=seq,
                connection=connection.number,
                proximity_threshold=rules.proximity_threshold,
                touch_duration=rules.touch_duration,
            )
        )
