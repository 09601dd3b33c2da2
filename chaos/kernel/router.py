"""A router between the client's namespace and the peer's: made, told what to do, asked what it did."""

import json
import socket
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from chaos.kernel import commands
from chaos.kernel.commands import Addresses
from chaos.kernel.faults import Rule
from chaos.kernel.namespaces import Namespace
from chaos.kernel.netlink import change, end_connections

COMMAND_LIMIT = 30.0
"""Seconds that `ip`, `tc` and `ss` get; a busy machine may need some for what takes a few milliseconds."""


class KernelError(Exception):
    """The kernel did not do what was asked of it; the text is one line that says what."""


class Router:
    """One link's router, in a namespace of its own. Raises `KernelError`."""

    def __init__(self, addresses: Addresses, peer: Namespace) -> None:
        self.addresses = addresses
        self._peer = peer
        self._namespace = Namespace()

    @classmethod
    async def between(cls, client: str, peer: Namespace, link: str, number: int) -> Self:
        """A router that joins the calling thread's namespace, whose path is `client`, and the peer's."""
        addresses = Addresses(number)
        router = cls(addresses, peer)
        try:
            inside = router._namespace
            await inside.have_done(switch, {**commands.ROUTER, **commands.QUIET})
            await inside.have_done(
                tell, "ip", list(commands.router(link, addresses, client=client, peer=peer.path))
            )
            tell("ip", list(commands.client(link, addresses)))
            await peer.have_done(tell, "ip", list(commands.peer(link, addresses)))
        except BaseException:
            router.close()
            raise
        return router

    async def add(self, rules: Iterable[Rule]) -> None:
        """Let all of them hold from one moment on."""
        await self._namespace.have_done(change, "add", rules)

    async def delete(self, rules: Iterable[Rule]) -> None:
        """Let none of them hold any more."""
        await self._namespace.have_done(change, "delete", rules)

    async def tc(self, lines: Sequence[str]) -> None:
        """Tell `tc` all of them."""
        await self._namespace.have_done(tell, "tc", lines)

    async def end_connections(self) -> int:
        """End every connection of the link at the peer, whose kernel tells the client with a reset; how many."""
        return await self._peer.have_done(end_connections, self.addresses.peer)

    # What it has done up to now

    def swallowed(self) -> int:
        """Bytes of packets that came and did not leave, headers included."""
        return self._namespace.do(_swallowed)

    def rejected(self) -> int:
        """Packets answered with a reset, or with ICMP's `unreachable`."""
        return self._namespace.do(_rejected)

    def lost(self) -> int:
        """Packets dropped by chance."""
        return self._namespace.do(_lost)

    def close(self) -> None:
        """No packet passes any more."""
        self._namespace.close()


# What runs in a namespace


def switch(settings: Mapping[str, str]) -> None:
    """Set them, where there are such settings. Raises `KernelError`."""
    for name, value in settings.items():
        file = Path("/proc/sys") / name
        try:
            if file.exists():
                file.write_text(value)
        except OSError as error:
            raise KernelError(f"{file} cannot be set to {value}: {error.strerror}") from error


def prepare_end() -> None:
    """Make a fresh namespace one in which a client or a peer may stand. Raises `KernelError`."""
    switch(commands.QUIET)
    tell("ip", ["link set lo up"])


def listen(port: int) -> socket.socket:
    """A socket that listens at all addresses of where the calling thread stands."""
    return socket.create_server(("", port))


def tell(program: str, lines: Sequence[str]) -> None:
    """Run `ip` or `tc` for all lines. Raises `KernelError`."""
    run([program, "-batch", "-"], "\n".join([*lines, ""]))


def run(words: Sequence[str], told: str = "") -> str:
    """What a program says. Raises `KernelError`."""
    try:
        done = subprocess.run(  # noqa: S603 - iproute2's own
            words, input=told, text=True, capture_output=True, timeout=COMMAND_LIMIT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KernelError(f"{words[0]} cannot be run: {error}") from error
    if done.returncode != 0:
        raise KernelError(f"{' '.join(words)} said {' '.join(done.stderr.split())!r}, told {told!r}")
    return done.stdout


def _swallowed() -> int:
    counters = _table("netstat")
    return counters["IpExt:InOctets"] - counters["IpExt:OutOctets"]


def _rejected() -> int:
    counters = _table("snmp")
    return counters["Tcp:OutRsts"] + counters["Icmp:OutDestUnreachs"]


def _lost() -> int:
    queues = json.loads(run(["tc", "-s", "-j", "qdisc", "show"]))
    return sum(queue["drops"] for queue in queues if queue["kind"] == "clsact")


def _table(name: str) -> dict[str, int]:
    """A table of counters of the calling thread's namespace: a line of names, a line of values, and so on."""
    lines = Path(f"/proc/thread-self/net/{name}").read_text().splitlines()
    found: dict[str, int] = {}
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        title, *columns = names.split()
        found |= {
            f"{title}{column}": int(value) for column, value in zip(columns, values.split()[1:], strict=True)
        }
    return found
