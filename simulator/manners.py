"""How the mock peer behaves on the connections of one link, and what its frames become of it."""

from collections.abc import Iterator

from websockets.frames import Frame, Opcode

from simulator.standing import Standing

FRAGMENTS = 3
"""Into which a message is cut."""
_LONGEST = 125
"""Bytes that a control frame may carry (RFC 6455, section 5.5)."""


class Manners:
    """What is in force on one link; as it is, the peer behaves. It holds for connections old and new."""

    def __init__(self) -> None:
        self.muted: Standing[None] = Standing()
        """No Ping is answered."""
        self.wrong_pongs: Standing[None] = Standing()
        """A Ping is answered by a Pong that matches no Ping."""
        self.fragments: Standing[None] = Standing()
        """Messages come in fragments with control frames between them, control frames byte by byte."""
        self.unread: Standing[None] = Standing()
        """Nothing is read from the sockets."""
        self.echoes: Standing[None] = Standing()
        """Every message goes to all members of the link, its sender included."""
        self.limits: Standing[int] = Standing()
        """No message of more bytes is taken: the connection is closed with 1009."""
        self.closes: Standing[int] = Standing()
        """Connections are closed, with this code, as soon as they are accepted."""


def matches_no_ping(pong: Frame) -> Frame:
    """A Pong like this one, with a payload that no Ping had: longer by a byte, and by another beginning."""
    return Frame(Opcode.PONG, (b"?" + bytes(pong.data))[:_LONGEST])


def fragments(message: Frame) -> Iterator[Frame]:
    """The same message in `FRAGMENTS` frames; a short one in as many as it has bytes, an empty one as it is."""
    data = bytes(message.data)
    size = max(1, -(-len(data) // FRAGMENTS))
    pieces = [data[begin : begin + size] for begin in range(0, len(data), size)] or [b""]
    for place, piece in enumerate(pieces):
        yield Frame(Opcode.CONT if place else message.opcode, piece, fin=place == len(pieces) - 1)
