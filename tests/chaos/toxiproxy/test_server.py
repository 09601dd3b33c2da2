import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from chaos.toxiproxy.proxy import ProxyHandle
from chaos.toxiproxy.server import ToxiproxyServer, free_port
from chaos.toxiproxy.toxics import (
    Bandwidth,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
    ToxiproxyError,
)

SOON = 5.0
"""The bound of every wait for something that must happen."""
A_WHILE = 0.15
"""How long is watched that something does not happen."""

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
needs_server = pytest.mark.toxiproxy


class Echo:
    """A TCP server that returns what it gets, and knows how much that was."""

    def __init__(self) -> None:
        self.address = ""
        self.got = 0
        self.news = asyncio.Condition()
        self.open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            while data := await reader.read(65536):
                async with self.news:
                    self.got += len(data)
                    self.news.notify_all()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def has(self, count: int) -> None:
        async with asyncio.timeout(SOON), self.news:
            await self.news.wait_for(lambda: self.got >= count)


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    echo = Echo()
    listener = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    echo.address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    yield echo
    listener.close()
    for writer in list(echo.open):
        writer.transport.abort()
    async with asyncio.timeout(SOON):
        await listener.wait_closed()


@pytest.fixture
async def proxy(server: ToxiproxyServer, echo: Echo) -> ProxyHandle:
    return await server.create("out", echo.address)


Connect = Callable[[], Awaitable[Stream]]


@pytest.fixture
async def connect(proxy: ProxyHandle) -> AsyncIterator[Connect]:
    """Opens connections through the proxy."""
    streams: list[Stream] = []

    async def one() -> Stream:
        streams.append(await asyncio.open_connection(proxy.host, proxy.port))
        return streams[-1]

    yield one
    for _, writer in streams:
        writer.transport.abort()


@pytest.fixture
async def client(connect: Connect, echo: Echo) -> Stream:
    """A connection that has carried a byte both ways, so that both ends have it."""
    stream = await connect()
    assert await round_trip(stream, b".") == b"."
    echo.got = 0
    return stream


async def exactly(stream: Stream, count: int) -> bytes:
    async with asyncio.timeout(SOON):
        return await stream[0].readexactly(count)


async def round_trip(stream: Stream, data: bytes) -> bytes:
    stream[1].write(data)
    return await exactly(stream, len(data))


async def end(stream: Stream) -> bytes:
    """Everything up to the FIN."""
    async with asyncio.timeout(SOON):
        return await stream[0].read()


async def nothing_arrives(stream: Stream) -> bool:
    try:
        async with asyncio.timeout(A_WHILE):
            return await stream[0].read(1) == b"never"
    except TimeoutError:
        return True


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def pid_of(server: ToxiproxyServer) -> int:
    assert server._process is not None
    return server._process.pid


# Toxics, without a server


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"average_size": 0}, "average_size is 0"),
        ({"average_size": 10, "size_variation": 11}, "size_variation is 11"),
        ({"average_size": -1}, "average_size is -1"),
        ({"average_size": 1.5}, "average_size is 1.5"),
    ],
)
def test_a_slicer_that_would_crash_the_server_cannot_be_made(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ToxiproxyError, match=says):
        Slicer(**arguments)


@pytest.mark.parametrize("value", [-1, True, "1", 1.0, 10**12, None])
def test_an_attribute_is_a_whole_number_within_bounds(value: int) -> None:
    for kind in (Latency, Bandwidth, SlowClose, Timeout, ResetPeer, Slicer, LimitData):
        with pytest.raises(ToxiproxyError, match="it must be a whole number"):
            kind(value)


@pytest.mark.parametrize("toxicity", [-0.1, 1.1, True, "1", float("nan")])
def test_toxicity_is_a_share(toxicity: float) -> None:
    with pytest.raises(ToxiproxyError, match="toxicity is"):
        Latency(1, toxicity=toxicity)


def test_a_stream_is_one_direction() -> None:
    with pytest.raises(ToxiproxyError, match="stream is 'both'"):
        Latency(1, stream="both")  # type: ignore[arg-type]  # the mistake under test


@pytest.mark.parametrize("url", ["127.0.0.1:8474", "https://h:1", "http://", "http://h:x", "http://h/a", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ToxiproxyError, match="write it as http://"):
        ToxiproxyServer.attached(url)


async def test_nothing_answers_at_an_address_without_a_server() -> None:
    with pytest.raises(ToxiproxyError, match="mend TOXIPROXY_URL"):
        async with ToxiproxyServer.attached(f"http://127.0.0.1:{free_port()}"):
            pass


@pytest.mark.parametrize("program", ["/bin/false", "/bin/cat", "/", "/nowhere/toxiproxy-server"])
async def test_a_program_that_is_no_server_is_named(program: str) -> None:
    with pytest.raises(ToxiproxyError, match=program) as caught:
        async with ToxiproxyServer(Path(program)):
            pass
    assert "\n" not in str(caught.value)


# Toxics, on bytes


@needs_server
async def test_latency_delays(proxy: ProxyHandle, client: Stream) -> None:
    loop = asyncio.get_running_loop()
    await proxy.add(Latency(120, stream="upstream"))
    await proxy.add(Latency(80, stream="downstream"))
    begin = loop.time()
    await round_trip(client, b"x")
    assert loop.time() - begin >= 0.195


@needs_server
async def test_an_update_changes_what_it_names_and_keeps_the_rest(proxy: ProxyHandle, client: Stream) -> None:
    loop = asyncio.get_running_loop()
    name = await proxy.add(Latency(60_000, 3))
    assert await proxy.update(name, {"latency": 100}) == Latency(100, 3)
    assert await proxy.update(name, {"toxicity": 0.3}) == Latency(100, 3, toxicity=0.3)
    assert await proxy.update(name, {"toxicity": 1.0, "jitter": 0}) == Latency(100)
    assert proxy.toxics == {name: Latency(100)}
    begin = loop.time()
    await round_trip(client, b"x")
    assert 0.095 <= loop.time() - begin < SOON


@needs_server
async def test_bandwidth_0_holds_and_its_removal_delivers(
    proxy: ProxyHandle, client: Stream, echo: Echo
) -> None:
    name = await proxy.add(Bandwidth(0))
    client[1].write(b"held")
    await echo.has(4)
    assert await nothing_arrives(client)
    await proxy.remove(name)
    assert await exactly(client, 4) == b"held"
    assert await round_trip(client, b"on") == b"on"


@needs_server
async def test_timeout_0_drops_and_its_removal_closes(proxy: ProxyHandle, client: Stream, echo: Echo) -> None:
    name = await proxy.add(Timeout(0, stream="upstream"))
    client[1].write(b"lost")
    assert await nothing_arrives(client)
    await proxy.remove(name)
    assert await end(client) == b""
    assert echo.got == 0


@needs_server
async def test_timeout_closes_an_idle_connection(proxy: ProxyHandle, client: Stream) -> None:
    await proxy.add(Timeout(50))
    assert await end(client) == b""


@needs_server
async def test_reset_peer_cuts_under_traffic_and_not_when_idle(
    proxy: ProxyHandle, client: Stream, connect: Connect
) -> None:
    await proxy.add(ResetPeer(0, stream="upstream"))
    younger = await connect()
    assert await nothing_arrives(client)
    assert await nothing_arrives(younger)
    client[1].write(b"x")
    assert await end(client) == b""  # older than the toxic: FIN
    younger[1].write(b"x")
    with pytest.raises(ConnectionResetError):
        await end(younger)


@needs_server
async def test_limit_data_ends_a_connection_after_so_many_bytes(proxy: ProxyHandle, client: Stream) -> None:
    await proxy.add(LimitData(3))
    client[1].write(b"12345")
    assert await end(client) == b"123"


@needs_server
async def test_a_sliced_stream_has_the_same_bytes(proxy: ProxyHandle, client: Stream) -> None:
    await proxy.add(Slicer(10, 10), "fine")
    await proxy.add(Slicer(1), "finest")
    data = bytes(range(256)) * 4
    assert await round_trip(client, data) == data


@needs_server
async def test_slow_close_delays_the_end(proxy: ProxyHandle, client: Stream) -> None:
    loop = asyncio.get_running_loop()
    await proxy.add(SlowClose(100))
    begin = loop.time()
    client[1].write_eof()
    assert await end(client) == b""
    assert loop.time() - begin >= 0.095


@needs_server
async def test_disable_ends_and_refuses_and_enable_takes_the_same_port(
    proxy: ProxyHandle, client: Stream, connect: Connect
) -> None:
    port = proxy.port
    await proxy.disable()
    assert await end(client) == b""
    with pytest.raises(ConnectionRefusedError):
        await connect()
    await proxy.enable()
    assert proxy.port == port
    assert await round_trip(await connect(), b"x") == b"x"


@needs_server
async def test_a_closed_proxy_refuses_and_may_be_closed_again(
    server: ToxiproxyServer, proxy: ProxyHandle, echo: Echo, connect: Connect
) -> None:
    await proxy.close()
    await proxy.close()
    with pytest.raises(ConnectionRefusedError):
        await connect()
    await server.create("out", echo.address)


# Errors


@dataclass(frozen=True, slots=True)
class Misspelled(Toxic):
    kind: ClassVar[str] = "latency"
    latncy: int


@needs_server
async def test_an_attribute_that_the_server_passed_over_is_noticed(proxy: ProxyHandle) -> None:
    with pytest.raises(ToxiproxyError, match=r"attributes should be \{'latncy': 5\}"):
        await proxy.add(Misspelled(5))


@needs_server
async def test_an_unknown_toxic_is_named_with_those_that_are_there(proxy: ProxyHandle) -> None:
    with pytest.raises(ToxiproxyError, match=r"'x' of proxy 'out': .* it has none"):
        await proxy.remove("x")
    await proxy.add(Latency(1))
    with pytest.raises(ToxiproxyError, match="it has latency_downstream"):
        await proxy.remove("x")
    with pytest.raises(ToxiproxyError, match="did you mean 'latency'"):
        await proxy.update("latency_downstream", {"latncy": 5})
    with pytest.raises(ToxiproxyError, match="latency is -1"):
        await proxy.update("latency_downstream", {"latency": -1})
    assert proxy.toxics == {"latency_downstream": Latency(1)}


@needs_server
async def test_what_others_removed_is_told_in_the_servers_words(
    server: ToxiproxyServer, proxy: ProxyHandle
) -> None:
    name = await proxy.add(Latency(1))
    await server.call("DELETE", f"/proxies/out/toxics/{name}", "behind its back")
    with pytest.raises(ToxiproxyError, match=r"'toxic not found' \(404\): somebody removed it"):
        await proxy.remove(name)
    await server.call("DELETE", "/proxies/out", "behind its back")
    with pytest.raises(ToxiproxyError, match=r"'proxy not found' \(404\)"):
        await proxy.add(Latency(1))


@needs_server
async def test_a_409_is_read_for_what_it_is(server: ToxiproxyServer, proxy: ProxyHandle) -> None:
    await proxy.add(Latency(1))
    with pytest.raises(ToxiproxyError, match=r"add toxic .* 'toxic already exists' \(409\)"):
        await proxy.add(Latency(2))
    with pytest.raises(ToxiproxyError, match=r"create proxy 'out': .* 'proxy already exists' \(409\)"):
        await server.create("out", "127.0.0.1:1")


@needs_server
async def test_a_port_in_use_is_named(server: ToxiproxyServer, proxy: ProxyHandle, echo: Echo) -> None:
    with pytest.raises(
        ToxiproxyError, match=rf"create proxy 'two': .*{echo.address}.* \(500\): free that port"
    ):
        await server.create("two", "127.0.0.1:1", listen=echo.address)
    await proxy.disable()
    thief = await asyncio.start_server(echo.serve, proxy.host, proxy.port)
    with pytest.raises(ToxiproxyError, match=rf"enable proxy 'out': .*:{proxy.port}: .* \(500\)"):
        await proxy.enable()
    thief.close()


@needs_server
@pytest.mark.parametrize(("name", "upstream"), [("a/b", "h:1"), ("", "h:1"), ("a", "h"), ("a", ":1")])
async def test_a_proxy_that_cannot_be_is_not_asked_for(
    server: ToxiproxyServer, name: str, upstream: str
) -> None:
    with pytest.raises(ToxiproxyError, match="create proxy"):
        await server.create(name, upstream)


@needs_server
async def test_a_server_killed_in_the_middle_of_a_call_is_told(
    server: ToxiproxyServer, proxy: ProxyHandle
) -> None:
    # Stopped first, all of its threads: the call cannot be over before the kill.
    os.kill(pid_of(server), signal.SIGSTOP)
    os.waitid(os.P_PID, pid_of(server), os.WSTOPPED | os.WNOWAIT)  # noqa: ASYNC222 - a stop is there in no time
    asyncio.get_running_loop().call_later(0.1, os.kill, pid_of(server), signal.SIGKILL)
    with pytest.raises(ToxiproxyError, match=r"add toxic .* was killed by signal 9.*: start a new one"):
        await proxy.add(Latency(1))


@needs_server
async def test_a_panic_of_the_server_is_quoted(
    server: ToxiproxyServer, proxy: ProxyHandle, connect: Connect
) -> None:
    # Past the validation: what it exists for.
    crash = {"type": "slicer", "stream": "upstream", "attributes": {"average_size": 1, "size_variation": 9}}
    await server.call("POST", "/proxies/out/toxics", "crash", crash)
    stream = await connect()
    stream[1].write(b"123456789" * 99)
    with contextlib.suppress(ConnectionResetError):  # or a FIN
        await end(stream)
    assert server._process is not None
    async with asyncio.timeout(SOON):
        await server._process.wait()
    with pytest.raises(ToxiproxyError, match=r"ended with exit code 2, saying '(panic|runtime|fatal)"):
        await proxy.add(Latency(1))


@needs_server
async def test_a_removal_that_blocks_ends_at_the_deadline(
    server: ToxiproxyServer, proxy: ProxyHandle, client: Stream
) -> None:
    async def until_it_blocks() -> None:
        # It blocks from when the toxic has the byte, which no one can see from here.
        while True:
            name = await proxy.add(ResetPeer(60_000, stream="upstream"))
            client[1].write(b"x")
            await proxy.remove(name)

    server.deadline = 0.2
    with pytest.raises(ToxiproxyError, match=r"remove toxic .* no answer .* within 0\.2 s"):
        await until_it_blocks()


@needs_server
async def test_a_server_that_does_not_answer_is_ended_all_the_same(binary: Path) -> None:
    async with ToxiproxyServer(binary) as server:
        os.kill(pid_of(server), signal.SIGSTOP)
        server.deadline = 0.1
        with pytest.raises(ToxiproxyError, match="no answer"):
            await server.create("out", "127.0.0.1:1")
        pid = pid_of(server)
    assert is_gone(pid)


# The life of a server


@needs_server
async def test_leaving_by_an_error_or_a_cancellation_ends_the_server(binary: Path) -> None:
    pids: list[int] = []
    entered = asyncio.Event()

    async def enter_and(then: Exception | None) -> None:
        async with ToxiproxyServer(binary) as server:
            pids.append(pid_of(server))
            entered.set()
            if then:
                raise then
            await asyncio.Event().wait()

    with pytest.raises(ZeroDivisionError):
        await enter_and(ZeroDivisionError())
    entered.clear()
    task = asyncio.create_task(enter_and(None))
    async with asyncio.timeout(SOON):
        await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all(is_gone(pid) for pid in pids)


@needs_server
async def test_a_start_that_is_cancelled_leaves_nothing_behind(binary: Path) -> None:
    server = ToxiproxyServer(binary)
    launched = asyncio.Event()
    launch = server._launch

    async def told(port: int, config: Path) -> None:
        await launch(port, config)
        launched.set()

    server._launch = told  # type: ignore[method-assign]  # to cancel at the worst moment
    task = asyncio.create_task(server.__aenter__())
    async with asyncio.timeout(SOON):
        await launched.wait()
    pid = pid_of(server)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert is_gone(pid)
    async with ToxiproxyServer(binary):
        pass


@needs_server
async def test_a_second_server_in_one_process_is_refused_and_a_later_one_is_not(binary: Path) -> None:
    async with ToxiproxyServer(binary) as first:
        with pytest.raises(ToxiproxyError, match=f"a second Toxiproxy server .*{first.address}"):
            async with ToxiproxyServer(binary):
                pass
        await first.create("still", "127.0.0.1:1")
    with pytest.raises(ToxiproxyError, match="not open"):
        await first.create("late", "127.0.0.1:1")
    async with ToxiproxyServer(binary) as second:
        await second.create("still", "127.0.0.1:1")


@pytest.fixture
async def neighbour(binary: Path) -> AsyncIterator[str]:
    """The address of a server that is not ours."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        binary, "-host", "127.0.0.1", "-port", str(port), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(SOON):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.01)  # nothing tells when it listens
                else:
                    writer.close()
                    break
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


@needs_server
async def test_a_neighbour_on_the_port_is_not_taken_for_our_own(binary: Path, neighbour: str) -> None:
    free = free_port()
    ports = iter([int(neighbour.rpartition(":")[2]), free])
    async with ToxiproxyServer(binary, pick_port=lambda: next(ports)) as server:
        assert server.address == f"127.0.0.1:{free}"
        assert await server.call("GET", "/proxies", "list") == {}


@needs_server
async def test_a_stranger_on_the_port_costs_one_more_try(binary: Path, echo: Echo) -> None:
    free = free_port()
    ports = iter([int(echo.address.rpartition(":")[2]), free])
    async with ToxiproxyServer(binary, pick_port=lambda: next(ports)) as server:
        assert server.address == f"127.0.0.1:{free}"


@needs_server
async def test_an_attached_server_keeps_what_others_made_and_runs_on(neighbour: str) -> None:
    url = f"http://{neighbour}"
    async with ToxiproxyServer.attached(url) as server:
        await server.call("POST", "/proxies", "another's", {"name": "theirs", "upstream": "127.0.0.1:1"})
        await server.create("ours", "127.0.0.1:1")
    async with ToxiproxyServer.attached(url) as server:
        assert list(await server.call("GET", "/proxies", "list")) == ["theirs"]


@needs_server
async def test_a_proxy_for_the_web_is_not_asked(binary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with ToxiproxyServer(binary) as server:
        await server.create("out", "127.0.0.1:1")
