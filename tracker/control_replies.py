"""What is said back to a control that was refused, or of which something was not understood.                 pure"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from tracker.messages import BadMessage, Reply

REFUSED = "control_refused"
"""The reply to a control that was not carried out: `control`, the `reason` in a word, and a `detail`."""

_KNOWN: Mapping[str, frozenset[str]] = {
    "update_parameters": frozenset({"type", "parameters", "proximity_threshold", "touch_duration", "route"})
}
_RULES = frozenset({"proximity_threshold", "touch_duration", "route"})
_SHOWN = 10
_LONGEST = 40
_OURS = ("stream", "seq")
"""What a tracker sends has these. Nobody answers it, wherever it comes back from: two would answer each other for ever."""


def refusal(bad: BadMessage, data: bytes) -> Reply | None:
    """The reply to a control that was refused; None for what is no control: a pose, no JSON object, an output.

    Nor is one that is too large to be read.
    """
    message = _object(data) if bad.reason != "too-large" else {}
    kind = message.get("type")
    if not isinstance(kind, str) or kind == "pose" or any(name in message for name in _OURS):
        return None
    fields = {"control": _printable(kind), "reason": bad.reason, "detail": bad.detail}
    return Reply(REFUSED, fields)


def not_understood(data: bytes) -> tuple[str, ...]:
    """The names in a control that say nothing to a tracker, as they may be shown; the first ten of them."""
    message = _object(data)
    known = _KNOWN.get(str(message.get("type")), frozenset({"type"}))
    strange = [name for name in message if name not in known]
    inside = message.get("parameters")
    if isinstance(inside, dict) and "parameters" in known:
        strange += [f"parameters.{name}" for name in inside if name not in _RULES]
    return tuple(_printable(name) for name in strange[:_SHOWN])


def with_not_understood(reply: Reply, names: Iterable[str]) -> Reply:
    """The reply, which also names what of its control was not understood."""
    said = list(names)
    return replace(reply, fields={**reply.fields, "not_understood": said}) if said else reply


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name[:_LONGEST])
