"""The list of all holds in an output message, of which a touch changes one.                                pure"""

from collections.abc import Sequence

import msgspec

from tracker.session import HoldType, Session

_encode = msgspec.json.Encoder().encode


class HoldList:
    """The encoded holds of one session: only those that changed since the last time are encoded anew."""

    def __init__(self) -> None:
        self._encoded: list[bytes] = []
        self._types: Sequence[HoldType] = ()
        self._times: dict[int, float] = {}

    def encode(self, session: Session) -> bytes:
        """Return the JSON list of the session's holds as they are."""
        times = session.touch_times
        if session.types is not self._types:
            self._types = session.types
            self._encoded = [_encode(session.hold(index)) for index in range(len(self._types))]
        else:
            for index in times.keys() | self._times.keys():
                if times.get(index) != self._times.get(index):
                    self._encoded[index] = _encode(session.hold(index))
        self._times = dict(times)
        return b"[" + b",".join(self._encoded) + b"]"
