"""One direction of a connection, where the kernel of the sender, that of the receiver and the path each do their part."""

import asyncio
from typing import Any

from simulator.network import Network
from tests.simulator.conftest import Simulate
from tests.simulator.ends import (
    BOTH,
    BROKEN_PIPE,
    FIN,
    FIXED,
    GIVE_UP,
    TCP,
    TIMED_OUT,
    Scene,
    at_once,
    heal,
    now,
    settle,
    silence,
    tries_in_vain,
)

# Acknowledgements


def test_an_acknowledgement_that_is_on_its_way_is_lost_when_its_path_falls_silent(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        scene.path.latency = 0.05
        client, server = await scene.connect()
        began = now()
        client.write(b"x")
        await asyncio.sleep(0.07)
        silence(scene, "downstream")
        await asyncio.sleep(2000)
        return bytes(server.got), client.log, client.times[0] - began

    got, log, took = simulate(main)
    assert (got, log) == (b"x", [TIMED_OUT])
    assert GIVE_UP - 1 < took < GIVE_UP + 120  # at the first try after that


def test_an_end_that_has_arrived_is_acknowledged_and_the_other_half_lives_on(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network, keep_open=True)
        client, server = await scene.connect()
        scene.add("latency", latency=5)
        client.transport.write_eof()
        await asyncio.sleep(1)
        in_vain = tries_in_vain(client)
        await asyncio.sleep(2000)
        server.write(b"answer")
        await settle()
        return in_vain, server.log, client.log, bytes(client.got)

    assert simulate(main) == (0, [FIN], [("data", None)], b"answer")


def test_what_was_sent_again_does_not_measure_the_round_trip(simulate: Simulate) -> None:
    """Karn's algorithm: nobody knows which of the two was acknowledged."""

    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effects = silence(scene)
        client.write(b"sent again")
        await settle()
        for direction in BOTH:
            scene.add("latency", direction, latency=500)
        await asyncio.sleep(0.3)
        heal(scene, effects)
        await asyncio.sleep(10)
        first = bytes(server.got), tries_in_vain(client)
        client.write(b", and once")
        await asyncio.sleep(0.5)
        waits = tries_in_vain(client)  # the RTO is still that of the handshake's round trip
        await asyncio.sleep(10)
        client.write(b", and again")
        await asyncio.sleep(0.5)
        return first, waits, tries_in_vain(client)  # which was measured meanwhile

    assert simulate(main) == ((b"sent again", 0), 1, 0)


# Buffers


def test_the_send_buffer_does_not_grow_for_what_waits_in_a_queue_on_the_way(simulate: Simulate) -> None:
    async def main(network: Network) -> int:
        scene = Scene(network)
        client, server = await scene.connect()
        scene.add("bandwidth", rate=50)
        client.write(b"x" * 2_000_000)
        await asyncio.sleep(20)
        return 2_000_000 - client.transport.get_write_buffer_size() - len(server.got)

    assert simulate(main) <= TCP.send_buffer


def test_a_writer_is_woken_when_a_third_of_the_send_buffer_is_free(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, _ = await scene.connect()
        scene.add("bandwidth", rate=10)
        client.write(b"x" * (TCP.send_buffer + 50_000))
        left = []
        for seconds in (
            0.05,
            2.65,
            0.2,
        ):  # 27 kB of 84 kB are acknowledged after 2.7 s, and 29 kB after 2.9 s
            await asyncio.sleep(seconds)
            left.append(client.transport.get_write_buffer_size())
        return left

    assert simulate(main, FIXED) == [50_000, 50_000, 50_000 - TCP.send_buffer // 3]


# Gaps


def test_all_that_waited_behind_a_gap_is_read_when_it_is_closed(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        scene.path.latency = 0.01
        client, server = await scene.connect()
        effects = silence(scene, "upstream")
        client.write(b"lost ")
        await asyncio.sleep(0.05)
        heal(scene, effects)
        began = now()
        for word in (b"shows ", b"the ", b"gap"):
            client.write(word)
            await asyncio.sleep(0.004)
        await asyncio.sleep(5)
        return bytes(server.got), server.times[-1] - began

    assert simulate(main) == (b"lost shows the gap", at_once(0.03))


# Ends


def test_a_write_into_a_connection_that_the_path_has_cut_is_answered_with_a_reset(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network, keep_open=True)
        client, _ = await scene.connect()
        scene.path.disable()
        await settle()
        client.write(b"one")  # the answer is not read after the end of the stream
        await settle()
        still = list(client.log)
        client.write(b"two")
        await settle()
        return still, client.log

    assert simulate(main) == ([FIN], [FIN, BROKEN_PIPE])


def test_a_connection_whose_reset_was_lost_is_over_when_both_ends_are(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        client.transport.pause_reading()
        server.write(b"unread")
        await settle()
        effects = silence(scene, "upstream")
        client.transport.abort()  # its reset is lost, and never sent again
        await settle()
        heal(scene, effects)
        await settle()
        before = len(scene.path.connections)
        server.transport.close()
        await settle()
        return before, scene.path.connections

    assert simulate(main) == (1, [])
