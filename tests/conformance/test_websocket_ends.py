"""What a WebSocket client sees of each end of a connection: the same on virtual time and on real sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake

pytestmark = pytest.mark.scenarios

Play = Callable[[Callable[[Any], Awaitable[Any]]], Any]
Takes = Callable[[float], object]
QUIET: dict[str, Any] = {"proxy": None, "compression": None, "ping_interval": None, "close_timeout": 0.2}


def now() -> float:
    return asyncio.get_running_loop().time()


Handler = Callable[[ServerConnection], Awaitable[None]]


def closing(code: int) -> Handler:
    async def close(connection: ServerConnection) -> None:
        await connection.close(code, "so it goes")

    return close


async def _return(_: ServerConnection) -> None:
    """The library then closes with 1000."""


async def _abort(connection: ServerConnection) -> None:
    connection.transport.abort()


async def _reset(connection: ServerConnection) -> None:
    """A socket that is closed with unread bytes answers with RST."""
    connection.transport.pause_reading()
    await connection.send("now")
    await asyncio.sleep(0.05)
    connection.transport.abort()


async def _wait(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def _end_of(client: Any) -> Any:
    """How `recv` says that it is over: the exception, the code and reason from the peer, and what caused it."""
    with pytest.raises(ConnectionClosed) as caught:
        async with asyncio.timeout(2):
            await client.recv()
    error = caught.value
    cause = error.__cause__
    return (
        type(error).__name__,
        (error.rcvd.code, error.rcvd.reason) if error.rcvd else None,
        type(cause).__name__ if isinstance(cause, OSError) else None,
    )


@pytest.mark.parametrize(
    ("handler", "fault", "expected"),
    [
        *((closing(code), None, ("ConnectionClosedOK", (code, "so it goes"), None)) for code in (1000, 1001)),
        *(
            (closing(code), None, ("ConnectionClosedError", (code, "so it goes"), None))
            for code in (1011, 1012, 1013, 4000)
        ),
        (_return, None, ("ConnectionClosedOK", (1000, ""), None)),
        (_abort, None, ("ConnectionClosedError", None, None)),
        (_wait, "down", ("ConnectionClosedError", None, None)),
    ],
    ids=["1000", "1001", "1011", "1012", "1013", "4000", "returns", "aborts", "fin"],
)
def test_a_websocket_client_sees_the_same_end(
    play: Play, handler: Handler, fault: str | None, expected: tuple[object, ...]
) -> None:
    async def experiment(stage: Any) -> Any:
        async with serve(handler, "127.0.0.1", 0, ping_interval=None, close_timeout=0.2) as server:
            await stage.lead_to(next(iter(server.sockets)).getsockname()[1])
            client = await connect(f"ws://{stage.address}/", **QUIET)
            if fault is not None:
                await stage.begin(fault)
            end = await _end_of(client)
            with pytest.raises(ConnectionClosed) as caught:
                await client.send("too late")
            return end, type(caught.value).__name__ == end[0], stage.name

    end, the_same_later, name = play(experiment)
    # A proxy that goes down closes its sockets; a host that goes down resets its connections.
    cause = "ConnectionResetError" if (name, fault) == ("kernel", "down") else None
    assert (end, the_same_later) == ((*expected[:2], expected[2] or cause), True)


def test_a_websocket_client_sees_the_same_reset(play: Play) -> None:
    """Without the link where there is a way around it: Toxiproxy hands no reset on, and its own `reset_peer` lets no
    handshake pass."""

    async def experiment(stage: Any) -> Any:
        async with serve(_reset, "127.0.0.1", 0, ping_interval=None, close_timeout=0.2) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            await stage.lead_to(port)
            address = stage.address if stage.name == "kernel" else f"127.0.0.1:{port}"
            client = await connect(f"ws://{address}/", **QUIET)
            assert await client.recv() == "now"
            await client.send("unread")
            return await _end_of(client)

    assert play(experiment) == ("ConnectionClosedError", None, "ConnectionResetError")


def test_limit_data_counts_the_upgrade_of_a_new_connection(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        async with serve(_wait, "127.0.0.1", 0, ping_interval=None, close_timeout=0.2) as server:
            await stage.lead_to(next(iter(server.sockets)).getsockname()[1])
            first = await connect(f"ws://{stage.address}/", **QUIET)
            assert first.request is not None
            size = len(first.request.serialize())
            await first.close()
            fault = await stage.begin("limit_data", bytes=size, direction="upstream")
            with pytest.raises(InvalidHandshake) as caught:
                await connect(f"ws://{stage.address}/", **QUIET)
            await fault.heal()
            await stage.begin("limit_data", bytes=size + 50, direction="upstream")
            second = await connect(f"ws://{stage.address}/", **QUIET)
            await second.send("x" * 100)
            return type(caught.value).__name__, await _end_of(second)

    assert play(experiment) == ("InvalidMessage", ("ConnectionClosedError", None, None))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "reset_peer"}, ["InvalidMessage"]),
        ({"kind": "limit_data", "bytes": 20, "direction": "downstream"}, ["InvalidMessage", "EOFError"]),
        ({"kind": "down"}, ["ConnectionRefusedError"]),
        ({"kind": "blackhole"}, ["TimeoutError"]),
        ({"kind": "stall"}, ["TimeoutError"]),
    ],
    ids=["rst", "fin", "refused", "dropped", "held"],
)
def test_a_websocket_client_sees_the_same_failure_of_its_handshake(
    play: Play, fault: dict[str, object], expected: list[str]
) -> None:
    """They differ in one: Toxiproxy accepts, and resets what comes then; a router answers the first packet so."""

    async def experiment(stage: Any) -> Any:
        async with serve(_wait, "127.0.0.1", 0, ping_interval=None, open_timeout=0.5) as server:
            await stage.lead_to(next(iter(server.sockets)).getsockname()[1])
            force = await stage.begin(**fault)
            with pytest.raises((OSError, InvalidHandshake)) as caught:
                await connect(f"ws://{stage.address}/", proxy=None, open_timeout=0.3)
            await force.heal()
            causes = [caught.value, caught.value.__cause__]
            return stage.name, [type(error).__name__ for error in causes if error is not None]

    name, causes = play(experiment)
    if (name, fault["kind"]) == ("kernel", "reset_peer"):
        expected = ["ConnectionRefusedError"]
    assert causes[: len(expected)] == expected


def test_a_handshake_goes_on_after_a_stall(play: Play, takes: Takes) -> None:
    """They differ in when: TCP repeats a lost packet of its handshake after a second; Toxiproxy has accepted by itself,
    and lets go what it held of WebSocket's."""

    async def experiment(stage: Any) -> Any:
        async with serve(_wait, "127.0.0.1", 0, ping_interval=None, close_timeout=0.2) as server:
            await stage.lead_to(next(iter(server.sockets)).getsockname()[1])
            fault = await stage.begin("stall")
            began = now()
            async with asyncio.TaskGroup() as tasks:
                connecting = tasks.create_task(_open(stage.address))
                await asyncio.sleep(0.2)
                await fault.heal()
            await connecting.result().close()
            return stage.name, now() - began

    name, took = play(experiment)
    assert took == takes(0.2 if name == "toxiproxy" else 1)


async def _open(address: str) -> Any:
    return await connect(f"ws://{address}/", **QUIET)
