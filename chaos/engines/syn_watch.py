"""Attempts to connect to a port of the loopback: the SYNs that they begin with, and the RSTs that refuse them.

Linux shows packets only to root, or to a process with CAP_NET_RAW. Where we are neither, nothing is seen.
"""

import asyncio
import contextlib
import ctypes
import socket
import struct
from collections.abc import Callable, Iterator

_IP = 0x0800
"""The protocol of IPv4 packets, for a packet socket."""
_ATTACH_FILTER = 26
"""SO_ATTACH_FILTER, which Python does not name."""
_TO_US = 0
"""PACKET_HOST: on the loopback each packet passes twice, and once as one that has come in."""
_SYN, _RST, _ACK = 0x02, 0x04, 0x10
_KEPT = 80
"""Bytes of a packet that are looked at: the longest head of IP, and of TCP up to its flags."""


class SynWatch:
    """A packet socket that is shown the SYNs to one port, and the RSTs from it.

    Both are told with the port that the attempt came from. Raises `OSError` where that is not allowed.
    """

    def __init__(self, port: int, attempted: Callable[[int], None], refused: Callable[[int], None]) -> None:
        self._attempted = attempted
        self._refused = refused
        self._seen: set[tuple[int, int]] = set()
        # It hears nothing before it is bound, and then only what passes the filter.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        try:
            _attach(self._socket, _program(port))
            self._socket.setblocking(False)
            self._socket.bind(("lo", _IP))
        except OSError:
            self._socket.close()
            raise

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Tell of each attempt as it is made, on the running loop."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._read)
        try:
            yield
        finally:
            loop.remove_reader(self._socket)
            self.close()

    def close(self) -> None:
        """See nothing any more."""
        self._socket.close()

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, (_, _, kind, *_) = self._socket.recvfrom(_KEPT)
                if kind == _TO_US:
                    self._take(packet[(packet[0] & 0x0F) * 4 :])

    def _take(self, segment: bytes) -> None:
        sender, receiver, number, answered, _, flags = struct.unpack_from("!HHIIBB", segment)
        if flags & _RST:
            # One that ends a connection has a number of its own.
            if number == 0 and (receiver, (answered - 1) % 2**32) in self._seen:
                self._refused(receiver)
        elif (sender, number) not in self._seen:  # a SYN that is sent again is no other attempt
            self._seen.add((sender, number))
            self._attempted(sender)


def can_watch() -> bool:
    """Whether this process is shown packets."""
    try:
        SynWatch(1, lambda _: None, lambda _: None).close()
    except (OSError, AttributeError):
        return False
    return True


def _program(port: int) -> list[tuple[int, int, int, int]]:
    """For the kernel's filter: operation, how many to leave out if so, how many if not, operand."""
    return [
        (0x30, 0, 0, 9),  # which protocol
        (0x15, 0, 10, socket.IPPROTO_TCP),
        (0xB1, 0, 0, 0),  # how long the head of IP is
        (0x50, 0, 0, 13),  # TCP's flags
        (0x54, 0, 0, _SYN | _RST | _ACK),
        (0x15, 1, 0, _SYN),
        (0x15, 2, 5, _RST | _ACK),
        (0x48, 0, 0, 2),  # to which port
        (0x15, 2, 3, port),
        (0x48, 0, 0, 0),  # from which port
        (0x15, 0, 1, port),
        (0x06, 0, 0, _KEPT),
        (0x06, 0, 0, 0),
    ]


def _attach(to: socket.socket, program: list[tuple[int, int, int, int]]) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    to.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code)))
