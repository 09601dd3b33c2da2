"""What a router of the kernel does and no proxy: on the kernel alone."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.parametrize("world_name", ["kernel"]),
]

Play = Callable[[Callable[[Any], Awaitable[Any]]], Any]
Takes = Callable[[float], object]


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_reset_comes_with_traffic_whatever_the_age_of_the_connection_and_refuses_new_ones(
    play: Play,
) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("reset_peer")
        await asyncio.sleep(0.1)
        idle = client.endings + server.endings
        client.transport.write(b"traffic")
        await client.until(lambda end: end.endings == ["ConnectionResetError"])
        with pytest.raises(ConnectionRefusedError):
            await stage.dial()
        server.transport.write(b"is anybody there?")
        await server.until(lambda end: end.endings == ["ConnectionResetError"])
        await fault.heal()
        await stage.connect()
        return idle, bytes(server.got), fault.count().rejected

    assert play(experiment) == ([], b"", 3)


def test_what_comes_before_a_reset_is_read_before_it(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        server.transport.write(b"last words")
        await stage.begin("down")
        await client.until(lambda end: bool(end.endings))
        return bytes(client.got), client.endings

    assert play(experiment) == (b"last words", ["ConnectionResetError"])


def test_silence_in_one_direction_stops_the_other_once_its_acknowledgements_are_lost(play: Play) -> None:
    """The peer's kernel sends what its congestion window takes, and nothing new until that is acknowledged."""

    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("stall", direction="upstream")
        server.transport.write(b"x" * 1_000_000)
        await client.until(lambda end: len(end.got) > 0)
        await asyncio.sleep(0.2)
        stopped = len(client.got)
        await fault.heal()
        await client.until(lambda end: len(end.got) == 1_000_000)
        return stopped

    assert 0 < play(experiment) < 1_000_000


@pytest.mark.parametrize(("direction", "lost"), [("upstream", True), ("downstream", False), ("both", True)])
def test_a_stall_counts_the_bytes_that_it_swallows(
    play: Play,
    direction: str,
    lost: bool,  # noqa: FBT001 - pytest hands it over by name
) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("stall", direction=direction)
        client.transport.write(b"x" * 1000)
        await asyncio.sleep(0.1)
        await fault.heal()
        await server.until(lambda end: len(end.got) == 1000)
        return fault.count().bytes

    # The packet and its headers, and its repetitions; downstream, the acknowledgements, of headers alone.
    assert (play(experiment) >= 1052) is lost
    assert play(experiment) > 0


def test_the_second_of_two_stalls_goes_on_when_the_first_heals(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        first = await stage.begin("stall")
        second = await stage.begin("stall", direction="upstream")
        await first.heal()
        client.transport.write(b"held")
        await asyncio.sleep(0.3)
        held = bytes(server.got)
        await second.heal()
        await server.until(lambda end: end.got == b"held")
        return held

    assert play(experiment) == b""


def test_links_have_routers_of_their_own(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        port = int(stage.address.partition(":")[2])
        stage.address = await stage.world.open_link("input", port)
        client, server = await stage.connect()
        await stage.begin("stall")  # on the output
        client.transport.write(b"passes")
        await server.until(lambda end: end.got == b"passes")
        return client.transport.get_extra_info("peername")[0]

    assert play(experiment) == "198.19.0.2"


def test_a_connection_hangs_in_its_first_packet_and_asks_again_after_a_second(
    play: Play, takes: Takes
) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        fault = await stage.begin("blackhole")
        began = now()
        async with asyncio.TaskGroup() as tasks:
            connecting = tasks.create_task(stage.connect())
            await asyncio.sleep(0.2)
            await fault.heal()
        client, _ = connecting.result()
        return now() - began, list(client.endings)

    assert play(experiment) == (takes(1), [])


def test_a_client_that_says_nothing_hears_of_the_end_of_what_a_blackhole_swallowed(play: Play) -> None:
    """A reset that comes after lost bytes is one to ask back about (RFC 5961), and somebody has to answer."""

    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("blackhole")
        for _ in range(10):
            server.transport.write(b"never seen")
            await asyncio.sleep(0.05)
        await fault.heal()
        await client.until(lambda end: bool(end.endings))
        return bytes(client.got), client.endings

    assert play(experiment) == (b"", ["ConnectionResetError"])


def test_a_loss_of_25_percent_loses_a_quarter_of_the_packets_of_its_direction(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        fault = await stage.begin("loss", percent=25, direction="upstream")
        host, port = stage.address.split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            for _ in range(4000):
                with contextlib.suppress(ConnectionRefusedError):
                    datagrams.sendto(b"?", (host, int(port)))
        await asyncio.sleep(0.1)
        await fault.heal()
        return fault.count().packets

    assert 835 < play(experiment) < 1165  # six standard deviations of 27.4 around 1000
