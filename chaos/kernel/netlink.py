"""What must not wait for a program to start, told to the kernel directly: rules of a router, and ends of connections.

On a busy machine a program takes seconds to start, and a fault would heal that much too late. All of it concerns the
namespace in which the calling thread stands.
"""

import os
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import Literal

from chaos.kernel.faults import Rule

Change = Literal["add", "delete"]

# linux/netlink.h
_HEADER = struct.Struct("=IHHII")
_NUMBER = struct.Struct("=I")
_ERRNO = struct.Struct("=i")
_REQUEST, _ACKNOWLEDGE, _DUMP, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x300, 0x200, 0x400
_ERROR, _DONE = 2, 3
_ANSWER = 65_536
"""Bytes that an answer has at most."""
# linux/rtnetlink.h and linux/fib_rules.h
_RULE = struct.Struct("=8BI")
_ATTRIBUTE = struct.Struct("=HH")
_NEW_RULE, _DELETE_RULE = 32, 33
_LEADS_TO_TABLE, _BLACKHOLE = 1, 6
_COMES_IN, _PREFERENCE, _TABLE = 3, 6, 15
# linux/sock_diag.h and linux/inet_diag.h
_SOCK_DIAG = 4
_BY_FAMILY, _DESTROY = 20, 21
_WHICH = struct.Struct("=4BI")
_SOCKET = slice(4, 52)
"""Where an answer names its socket: ports, addresses, and more."""
_OWN_ADDRESS = slice(4, 8)
"""Of that name."""
_STATE = 1
"""Where an answer says in which state it is."""
_PORTS = struct.Struct("!HH")
_ESTABLISHED, _TIME_WAIT, _CLOSE_WAIT, _LAST_ACK = 1, 6, 8, 9
_CONNECTED = 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11
"""States of TCP: all but closed, listening, or known only by a SYN that was sent or by a time to wait."""


def change(how: Change, rules: Iterable[Rule]) -> None:
    """Add or delete rules, all of them at one moment. Raises `OSError` for the first that cannot be."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        _tell(kernel, [_rule(how, rule) for rule in rules])


def end_connections(address: str) -> int:
    """Reset every TCP connection that has this address at the near end; how many.

    Raises `OSError` where the kernel cannot (EOPNOTSUPP).
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        found = [name for name in _connections(kernel) if name[_OWN_ADDRESS] == socket.inet_aton(address)]
        which = _WHICH.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _CONNECTED)
        return _tell(kernel, [(_DESTROY, 0, which + name) for name in found])


class Sockets:
    """The sockets of a port of this machine, as the kernel lists them to anybody. Raises `OSError` where it lists none."""

    def __init__(self, port: int) -> None:
        self._kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG)
        self._which = _WHICH.pack(
            socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _CONNECTED | 1 << _TIME_WAIT
        ) + _PORTS.pack(port, 0).ljust(_SOCKET.stop - _SOCKET.start, b"\0")

    def look(self) -> dict[int, bool | None]:
        """By the port at the far end: whether the far end is the one that closed; None: nobody has."""
        found: dict[int, bool | None] = {}
        for answer in _listed(self._kernel, self._which):
            _, far = _PORTS.unpack_from(answer, _SOCKET.start)
            state = answer[_STATE]
            found[far] = None if state == _ESTABLISHED else state in (_CLOSE_WAIT, _LAST_ACK)
        return found

    def close(self) -> None:
        """Look no more."""
        self._kernel.close()


def _rule(how: Change, rule: Rule) -> tuple[int, int, bytes]:
    table = rule.table or 0
    action = _BLACKHOLE if rule.table is None else _LEADS_TO_TABLE
    attributes = (
        _attribute(_COMES_IN, rule.comes_in.encode() + b"\0"),
        _attribute(_PREFERENCE, _NUMBER.pack(rule.preference)),
        _attribute(_TABLE, _NUMBER.pack(table)),
    )
    body = _RULE.pack(socket.AF_INET, 0, 0, 0, table, 0, 0, action, 0) + b"".join(attributes)
    return (_NEW_RULE, _CREATE | _EXCLUSIVE, body) if how == "add" else (_DELETE_RULE, 0, body)


def _attribute(kind: int, value: bytes) -> bytes:
    size = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(size, kind) + value + b"\0" * (-size % 4)


def _connections(kernel: socket.socket) -> Iterator[bytes]:
    """The names of all sockets that have a connection."""
    which = _WHICH.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _CONNECTED)
    for body in _listed(kernel, which + bytes(_SOCKET.stop - _SOCKET.start)):
        yield body[_SOCKET]


def _listed(kernel: socket.socket, which: bytes) -> Iterator[bytes]:
    kernel.send(_message(_BY_FAMILY, _REQUEST | _DUMP, which))
    while True:
        answer = kernel.recv(_ANSWER)
        while answer:
            size, kind, *_ = _HEADER.unpack_from(answer)
            body, answer = answer[_HEADER.size : size], answer[size + -size % 4 :]
            if kind == _DONE:
                return
            _raise_if_refused(kind, body)
            yield body


def _tell(kernel: socket.socket, requests: list[tuple[int, int, bytes]]) -> int:
    """Have all of them done; how many were. What is gone already is not counted."""
    if not requests:
        return 0
    kernel.send(
        b"".join(_message(kind, _REQUEST | _ACKNOWLEDGE | flags, body) for kind, flags, body in requests)
    )
    done = 0
    for _ in requests:  # all have been done before `send` returned, and each has its answer
        answer = kernel.recv(_ANSWER)
        _, kind, *_ = _HEADER.unpack_from(answer)
        try:
            _raise_if_refused(kind, answer[_HEADER.size :])
        except FileNotFoundError:
            continue
        done += 1
    return done


def _raise_if_refused(kind: int, body: bytes) -> None:
    (error,) = _ERRNO.unpack_from(body) if kind == _ERROR else (0,)
    if error:
        raise OSError(-error, os.strerror(-error))


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, 0, 0) + body
