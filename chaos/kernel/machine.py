"""What this machine's kernel can do for us: found out in a process of its own, which tries it."""

import contextlib
import errno
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator

from chaos.kernel import commands
from chaos.kernel.faults import Ability
from chaos.kernel.namespaces import enter_user_namespace, in_fresh_namespace
from chaos.kernel.netlink import end_connections
from chaos.kernel.router import KernelError, run, switch

TRY = "from chaos.kernel.machine import tell_abilities; tell_abilities()"
"""What that process runs."""
LIMIT = 60.0
"""Seconds that it gets, on a busy machine."""
PROGRAMS = ("ip", "tc")
DEVICE = "simtool0"


class KernelMissing(Exception):
    """No run is possible between namespaces of this kernel; the text is one line that says why and what to do."""


def abilities() -> frozenset[Ability]:
    """What it has of what not every kernel has. Raises `KernelMissing` where there is no run at all."""
    if sys.platform != "linux":
        raise KernelMissing(f"network namespaces are Linux's, and this is {sys.platform}: run it there")
    for program in PROGRAMS:
        if shutil.which(program) is None:
            raise KernelMissing(f"there is no program {program!r} on PATH: install iproute2")
    # In a process of its own: a user namespace can only be entered by one that has a single thread, and not be left.
    try:
        tried = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", TRY], capture_output=True, text=True, timeout=LIMIT, check=True
        )
        answer = json.loads(tried.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise KernelMissing(f"whether this kernel can do it could not be found out: {error}") from error
    if isinstance(answer, str):
        raise KernelMissing(answer)
    return frozenset(answer)


def tell_abilities() -> None:
    """Try, and print a list of abilities, or why there is no run at all, as JSON."""
    try:
        found: list[Ability] | str = list(_abilities())
    except KernelError as error:
        found = str(error)
    sys.stdout.write(json.dumps(found))


def _abilities() -> Iterator[Ability]:
    with contextlib.ExitStack() as stack:
        try:
            enter_user_namespace()
            stack.enter_context(in_fresh_namespace())
        except OSError as error:
            raise KernelError(
                f"network namespaces are not allowed here ({error.strerror}): be root, or allow user namespaces"
            ) from error
        switch(commands.ROUTER)
        run(["ip", "link", "set", "lo", "up"])
        run(["ip", "link", "add", DEVICE, "type", "veth", "peer", "name", f"{DEVICE}-peer"])
        run(["ip", "rule", "add", "pref", "1000", "iif", DEVICE, "blackhole"])
        if _takes("qdisc", *["root", "netem", "delay", "1ms"]):
            yield "netem"
        if _takes("qdisc", *["root", "tbf", "rate", "480kbit", "burst", "3200b", "limit", "65536b"]):
            yield "tbf"
        if _takes("qdisc", "clsact") and _takes("filter", "ingress", "bpf", "da", "bytecode", "1,6 0 0 2"):
            yield "bpf"
        if _destroys():
            yield "destroy"


def _takes(what: str, *words: str) -> bool:
    """Whether `tc` can have it on a device."""
    try:
        run(["tc", what, "replace", "dev", DEVICE, *words])
    except KernelError:
        return False
    return True


def _destroys() -> bool:
    """Whether connections of others can be ended."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
        with near, far:
            try:
                end_connections("127.0.0.1")
                near.settimeout(1)
                near.recv(1)
            except TimeoutError:
                return False
            except OSError as error:
                return error.errno in (errno.ECONNABORTED, errno.ECONNRESET)
            return False
