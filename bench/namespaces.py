"""A client, a router and a server in network namespaces without names: they end with the process that made them."""

import contextlib
import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

NEW_USER, NEW_NET = 0x10000000, 0x40000000
PORT = 7000
SERVER = "10.0.1.2"


class Unavailable(Exception):
    """This system gives no namespaces; the text says why."""


def _call(name: str, *args: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*args):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def be_allowed() -> None:
    """Become able to make network namespaces, where root is not at hand; before any thread is started."""
    uid, gid = os.getuid(), os.getgid()
    if uid == 0:
        return
    try:
        _call("unshare", NEW_USER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    except OSError as error:
        raise Unavailable(f"it needs root, or user namespaces ({error.strerror or error})") from error


class Triple:
    """Three namespaces in a row. The calling thread is the client from then on."""

    def __init__(self, settings: Mapping[str, int]) -> None:
        try:
            self._client, self._router, self._server = (self._new() for _ in range(3))
        except OSError as error:
            raise Unavailable(f"no network namespaces here ({error})") from error
        ends = ((self._client, 0), (self._server, 1))
        with self._inside(self._router):
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            for there, n in ends:
                there_path = f"/proc/{os.getpid()}/fd/{there}"
                self._ip(f"link add r{n} type veth peer name e0 netns {there_path}")
                self._ip(f"addr add 10.0.{n}.1/24 dev r{n}", f"link set r{n} up")
        for there, n in ends:
            with self._inside(there):
                self._ip("link set lo up", f"addr add 10.0.{n}.2/24 dev e0", "link set e0 up")
                self._ip(f"route add default via 10.0.{n}.1")
                for name, value in settings.items():
                    Path(f"/proc/sys/net/ipv4/{name}").write_text(str(value))
        self._silent: list[str] = []
        _call("setns", self._client, NEW_NET)

    def listening(self) -> socket.socket:
        """A socket of the server's."""
        with self._inside(self._server):
            return socket.create_server((SERVER, PORT))

    def silence(self, *, up: bool, down: bool) -> None:
        """The router drops what comes from the client, from the server, or both."""
        rules = [f"iif r{n} blackhole" for n, wanted in enumerate((up, down)) if wanted]
        with self._inside(self._router):
            self._ip(*(f"rule add {rule}" for rule in rules))
        self._silent += rules

    def heal(self) -> None:
        """It forwards everything again."""
        with self._inside(self._router):
            self._ip(*(f"rule del {rule}" for rule in self._silent))
        self._silent.clear()

    def close(self) -> None:
        """Leave nothing: the last reference to a namespace is its end."""
        for namespace in (self._client, self._router, self._server):
            os.close(namespace)

    @staticmethod
    def _new() -> int:
        _call("unshare", NEW_NET)
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    @contextlib.contextmanager
    def _inside(self, namespace: int) -> Iterator[None]:
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _call("setns", namespace, NEW_NET)
        try:
            yield
        finally:
            _call("setns", before, NEW_NET)
            os.close(before)

    @staticmethod
    def _ip(*commands: str) -> None:
        done = subprocess.run(
            ["ip", "-batch", "-"],  # noqa: S607 - iproute2, wherever it is
            input="\n".join(commands) + "\n",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Unavailable(f"ip could not: {done.stderr.strip().splitlines()[0]}")
