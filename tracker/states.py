"""All states of a link and every way between them, in one table.                                          pure

The diagram in docs/design.md is drawn from `TRANSITIONS` by `mermaid`; a test keeps it current.
"""

from enum import Enum


class LinkState(Enum):
    """Where a supervised link is."""

    CONNECTING = "connecting"
    OPEN = "open"
    SUSPECT = "suspect"
    WAITING = "waiting"
    CLOSING = "closing"
    STOPPED = "stopped"
    FAILED = "failed"


S = LinkState

TRANSITIONS: dict[tuple[LinkState, str], LinkState] = {
    (S.CONNECTING, "opened"): S.OPEN,
    (S.CONNECTING, "unreachable"): S.WAITING,
    (S.CONNECTING, "refused for good"): S.FAILED,
    (S.CONNECTING, "stop"): S.STOPPED,
    (S.OPEN, "deadline missed"): S.SUSPECT,
    (S.OPEN, "dead"): S.WAITING,
    (S.OPEN, "closed"): S.WAITING,
    (S.OPEN, "stop"): S.CLOSING,
    (S.SUSPECT, "answered"): S.OPEN,
    (S.SUSPECT, "dead"): S.WAITING,
    (S.SUSPECT, "closed"): S.WAITING,
    (S.SUSPECT, "stop"): S.CLOSING,
    (S.WAITING, "delay over"): S.CONNECTING,
    (S.WAITING, "stop"): S.STOPPED,
    (S.CLOSING, "dead"): S.STOPPED,
    (S.CLOSING, "closed"): S.STOPPED,
}


def after(state: LinkState, event: str) -> LinkState:
    """The state that follows; an event that the table does not admit is a bug of the caller."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise AssertionError(f"a {state.value} link cannot take the event {event!r}") from None


def mermaid() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {S.CONNECTING.value}"]
    lines += [f"    {a.value} --> {b.value}: {event}" for (a, event), b in TRANSITIONS.items()]
    sources = {a for a, _ in TRANSITIONS}
    lines += [f"    {state.value} --> [*]" for state in LinkState if state not in sources]
    return "\n".join(lines)
