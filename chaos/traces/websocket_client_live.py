"""A connection of a trace of `websocket-client`, as far as the trace has come.                                        pure"""

from dataclasses import dataclass, field

from chaos.traces.wire import Frame


@dataclass(slots=True, eq=False)
class Live:
    """A connection, or an attempt, of which more may come."""

    number: int
    voices: set[str] = field(default_factory=set)
    asked: bool = False
    proxy: bool = False
    """What is asked for is the way through a proxy, so far."""
    status: int | None = None
    opened: bool = False
    pings: int = 0
    answered: bool = True
    said_goodbye: bool = False
    heard_goodbye: bool = False
    given_up: bool = False
    failed: bool = False
    """An exception of this side ended it."""
    path: str = ""


def take_in(live: Live, frame: Frame) -> None:
    """What a frame changes; Pings and Pongs are numbered, because to this library any Pong answers."""
    match frame.opcode, frame.way:
        case "PING", ">":
            live.pings += 1
            live.answered = False
            frame.data = f"the {live.pings}."
        case "PONG", "<":
            frame.data = f"the {live.pings}." if not live.answered else "unasked"
            live.answered = True
        case "CLOSE", ">":
            live.said_goodbye = True
        case "CLOSE", _:
            live.heard_goodbye = True
        case _:
            pass
