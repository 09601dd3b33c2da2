"""The controls that a client of the pose server takes, as the mock peer sends them.                           pure"""

from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

ControlKind = Literal[
    "reset_holds", "pause_output", "resume_output", "update_parameters", "get_status", "stop"
]
CONTROL_KINDS: tuple[ControlKind, ...] = get_args(ControlKind)

RULES_REPLIES = ("parameters_updated", "parameters_unchanged")
"""The replies that say which rules are in force: others than before, or the same."""
REFUSED = "control_refused"
"""The reply to a control that was not carried out."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control, as a message. The rules are those of `update_parameters`; None leaves one as it is."""

    kind: ControlKind
    proximity_threshold: float | None = None
    touch_duration: float | None = None
    nested: bool = False
    """Whether the rules stand inside `parameters`, as some servers send them, or beside the type."""

    def encode(self) -> bytes:
        """Its JSON."""
        given = {"proximity_threshold": self.proximity_threshold, "touch_duration": self.touch_duration}
        rules = {name: value for name, value in given.items() if value is not None}
        return msgspec.json.encode({"type": self.kind, **({"parameters": rules} if self.nested else rules)})


class Rules(msgspec.Struct, frozen=True):
    """What the reply to `update_parameters` says of the rules in force; None where it does not."""

    proximity_threshold: float | None = None
    touch_duration: float | None = None


_decoder = msgspec.json.Decoder(Rules)


def rules_in(reply: bytes) -> Rules:
    """The rules that a reply tells; none, where it is no such reply. Never raises."""
    try:
        return _decoder.decode(reply)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Rules()
