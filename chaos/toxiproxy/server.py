"""Toxiproxy as the harness uses it: one private server, its process and its proxies.

asyncio outside, a control client that blocks inside (`api`), in threads and under deadlines.
"""

import asyncio
import contextlib
import json
import re
import secrets
import socket
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import requests

from chaos.guard import guarded
from chaos.temporary import temporary_folder
from chaos.toxiproxy.api import innermost, point_to, read_back, remedy, request
from chaos.toxiproxy.proxy import ProxyHandle
from chaos.toxiproxy.toxics import ToxiproxyError

DEADLINE_S = 5.0
START_LIMIT_S = 15.0
START_TRIES = 10
GRACE_S = 0.3
"""From SIGTERM to SIGKILL. Short: a server whose API hangs would wait 30 s for it, and has nothing to save."""


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


class ToxiproxyServer:
    """A Toxiproxy server of one's own, for as long as the context lasts.

    Leaving the context ends the process, whatever state its API is in. Every call has `deadline` seconds and
    raises ToxiproxyError. One at a time in an operating-system process: see `__aenter__`.
    """

    # toxiproxy-python keeps its one address on a class, so the claim to it is kept likewise.
    _open: ClassVar["ToxiproxyServer | None"] = None

    def __init__(
        self, binary: Path, *, deadline: float = DEADLINE_S, pick_port: Callable[[], int] = free_port
    ) -> None:
        self.deadline = deadline
        self.address = ""
        """host:port of the API, once entered."""
        self._binary: Path | None = binary
        self._pick_port = pick_port
        self._process: asyncio.subprocess.Process | None = None
        self._log = _Log()
        self._reading: asyncio.Task[None] | None = None
        self._guard = AsyncExitStack()
        """Of the process, which ends with us even if we are killed."""
        self._proxies: dict[str, ProxyHandle] = {}

    @classmethod
    def attached(cls, url: str, *, deadline: float = DEADLINE_S) -> Self:
        """A server that runs already (TOXIPROXY_URL). Leaving it removes the proxies made here, no others."""
        wrong = f"{url!r} is no address of a Toxiproxy server: write it as http://127.0.0.1:8474"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or 8474
        except ValueError as error:
            raise ToxiproxyError(wrong) from error
        beyond = parts.path.strip("/") or parts.query or parts.fragment or parts.username
        if parts.scheme != "http" or not host or beyond:
            raise ToxiproxyError(wrong)
        server = cls(Path(), deadline=deadline)
        server._binary = None
        server.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return server

    @property
    def private(self) -> bool:
        """Whether its process is this one's own."""
        return self._binary is not None

    async def __aenter__(self) -> Self:
        """Starts the server and waits until it answers. ToxiproxyError where it does not, or is the second."""
        if (other := ToxiproxyServer._open) is not None:
            raise ToxiproxyError(
                f"a second Toxiproxy server in one process, while the one at {other.address or '(starting)'} is open: "
                "toxiproxy-python has one address for all of a process; close the first, or take a process for each"
            )
        ToxiproxyServer._open = self
        try:
            await (self._start() if self._binary else self._attach())
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def create(self, name: str, upstream: str, *, listen: str = "127.0.0.1:0") -> "ProxyHandle":
        """A proxy in front of `upstream` (host:port), listening where `listen` says; port 0: a free one."""
        what = f"create proxy {name!r}"
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            raise ToxiproxyError(f"{what}: a name is made of letters, digits, '_', '.' and '-'")
        for key, address in (("upstream", upstream), ("listen", listen)):
            if not re.fullmatch(r".+:\d+", address):
                raise ToxiproxyError(f"{what}: {key} is {address!r}: it must be host:port")
        asked = {"name": name, "upstream": upstream, "enabled": True}
        made = await self.call("POST", "/proxies", what, {**asked, "listen": listen})
        read_back(what, asked, made)
        host, _, port = str(made.get("listen")).rpartition(":")
        handle = ProxyHandle(self, name, upstream, host.strip("[]"), int(port))
        self._proxies[name] = handle
        return handle

    async def call(self, method: str, path: str, what: str, body: Mapping[str, object] | None = None) -> Any:
        """One request to the API, and the JSON of its answer (None: there is none). `what` begins every error."""
        if ToxiproxyServer._open is not self:
            raise ToxiproxyError(f"{what}: the Toxiproxy server is not open: do it within `async with`")
        try:
            # A cancelled wait leaves its thread in the request. That does no harm: its time-out ends it, the
            # address was read when it began, so that it cannot reach a later server, and what it still
            # changes is a private server that is about to be killed.
            async with asyncio.timeout(self.deadline):
                status, content = await asyncio.to_thread(request, method, path, body, self.deadline)
        except (TimeoutError, requests.Timeout) as error:
            raise ToxiproxyError(
                f"{what}: no answer from {self.address} within {self.deadline:g} s, and whether it was done is not "
                "known: a toxic or a client that does not read holds the proxy; let it read, or end the server"
            ) from error
        except requests.RequestException as error:
            raise ToxiproxyError(f"{what}: {await self._why_gone(error)}") from error
        try:
            answer = json.loads(content) if content else None
        except ValueError:
            answer = content.decode(errors="replace")
        if status >= 400:
            said = answer["error"] if isinstance(answer, dict) and "error" in answer else answer or ""
            said = " ".join(str(said).split())[:300]
            raise ToxiproxyError(f"{what}: the server said {said!r} ({status}): {remedy(status, said)}")
        return answer

    def forget(self, handle: "ProxyHandle") -> None:
        """For a handle that has closed."""
        self._proxies.pop(handle.name, None)

    async def _start(self) -> None:
        try:
            async with asyncio.timeout(START_LIMIT_S):
                for _ in range(START_TRIES):
                    if await self._start_on(self._pick_port()):
                        return
        except TimeoutError as error:
            raise ToxiproxyError(
                f"{self._binary} did not answer within {START_LIMIT_S:g} s of its start{self._log.quoted()}: "
                "see whether it is a toxiproxy-server, and whether the machine is overloaded"
            ) from error
        raise ToxiproxyError(
            f"{self._binary} found its port taken {START_TRIES} times: see what takes ports on 127.0.0.1"
        )

    async def _start_on(self, port: int) -> bool:
        """Whether the server that now answers on the port is ours; False: the port belongs to another.

        A server that finds its port taken does not end, and the one that has it, perhaps a neighbour's, answers
        in its place. So ours is born with a proxy by which it is known, and which takes no connections.
        """
        owner = f"owner-{secrets.token_hex(8)}"
        mark = [{"name": owner, "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1", "enabled": False}]
        with temporary_folder() as room:
            config = room / "owner.json"
            config.write_text(json.dumps(mark))
            await self._launch(port, config)
            while not self._log.port_taken:
                if self._log.failure or (self._process and self._process.returncode is not None):
                    raise ToxiproxyError(
                        f"{self._binary} did not start{self._log.quoted()}: see whether it is a toxiproxy-server"
                    )
                # An error here is a stranger's answer, or a server that dies: the checks above will tell.
                with contextlib.suppress(ToxiproxyError):
                    if await _listens(port):
                        names = await self.call("GET", "/proxies", "start")
                        if not isinstance(names, dict) or owner not in names:
                            break
                        await self.call("DELETE", f"/proxies/{owner}", "start")
                        return True
                await asyncio.sleep(0.01)
        await self._end_process()
        return False

    async def _launch(self, port: int, config: Path) -> None:
        self._point_to("127.0.0.1", port)
        self._log = _Log()
        command = (str(self._binary), "-host", "127.0.0.1", "-port", str(port), "-config", str(config))
        try:
            # In our process group on purpose: what ends the group ends the server too, and leaves no orphan.
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,  # its log goes to stdout, a Go panic to stderr
            )
        except OSError as error:
            raise ToxiproxyError(
                f"{self._binary} cannot be started ({error.strerror}): set TOXIPROXY_SERVER to a toxiproxy-server"
            ) from error
        await self._guard.enter_async_context(guarded(str(self._process.pid)))
        stdout = self._process.stdout
        if stdout is None:
            raise AssertionError("stdout was asked to be a pipe")
        self._reading = asyncio.create_task(self._log.read(stdout))

    async def _attach(self) -> None:
        host, _, port = self.address.rpartition(":")
        self._point_to(host, int(port))
        answer = await self.call("GET", "/version", f"attach to {self.address}")
        if not isinstance(answer, dict) or "version" not in answer:
            raise ToxiproxyError(f"what answers at {self.address} is no Toxiproxy server: mend TOXIPROXY_URL")

    def _point_to(self, host: str, port: int) -> None:
        self.address = f"{host}:{port}"
        point_to(host, port)

    async def _why_gone(self, error: Exception) -> str:
        if self._process is None:
            return f"nothing answers at {self.address} ({innermost(error)}): start it, or mend TOXIPROXY_URL"
        # The connection breaks a moment before the end of the process is known.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await self._process.wait()
        code = self._process.returncode
        if code is None:
            return f"the server at {self.address} does not answer ({innermost(error)}){self._log.quoted()}"
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"the server at {self.address} {how}{self._log.quoted()}: start a new one"

    async def _end(self) -> None:
        try:
            if self._process is None and self._proxies:
                closing = [handle.close() for handle in self._proxies.values()]
                await asyncio.gather(*closing, return_exceptions=True)
            await self._end_process()
        finally:
            self._proxies.clear()
            if ToxiproxyServer._open is self:
                ToxiproxyServer._open = None

    async def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE_S):
                    await process.wait()
        finally:
            # Reached by cancellation as well; SIGKILL is certain, so neither wait below can be long.
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await self._guard.aclose()
            if self._reading is not None:
                # Bounded: where the server is a wrapper, a child of it may hold the pipe open.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GRACE_S):
                        await self._reading


class _Log:
    """What the server says, as far as an error text needs it."""

    def __init__(self) -> None:
        self.failure = ""
        """Why it stopped working: the first such line, since what follows is only where it happened."""
        self._last = ""

    @property
    def port_taken(self) -> bool:
        return "address already in use" in self.failure

    def quoted(self) -> str:
        said = self.failure or self._last
        return f", saying {said[:300]!r}" if said else ""

    async def read(self, lines: asyncio.StreamReader) -> None:
        async for raw in lines:
            line = raw.decode(errors="replace").strip()
            if not line:
                continue
            self._last = line
            if self.failure:
                continue
            if line.startswith(("panic:", "fatal error:", "runtime: goroutine stack exceeds")):
                self.failure = line
            elif "Server finished with error" in line:
                with contextlib.suppress(ValueError):
                    line = str(json.loads(line).get("error", line))
                self.failure = line
