import asyncio
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from simulator.channel import LATENCY
from simulator.loop import VirtualLoop
from simulator.network import Network
from simulator.transport import READ_AT_MOST
from tests.simulator.conftest import Simulate
from tests.simulator.ends import (
    BROKEN_PIPE,
    BUFFERS,
    CLEAN,
    FIN,
    FIXED,
    RESET,
    End,
    Scene,
    fill,
    now,
    settle,
)

# Connecting


def test_a_connect_takes_its_round_trip(simulate: Simulate) -> None:
    async def main(network: Network) -> float:
        scene = Scene(network)
        scene.path.latency = 0.25
        await scene.connect()
        return now()

    assert simulate(main) == pytest.approx(0.5)


def test_a_connect_where_nobody_listens_is_refused(simulate: Simulate) -> None:
    async def main(_: Network) -> None:
        with pytest.raises(ConnectionRefusedError, match="nobody"):
            await asyncio.open_connection("nobody", 80)

    simulate(main)


def test_a_path_without_a_listener_accepts_and_ends_with_fin(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        scene.listener.close()
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(End, "proxy", 80)
        await settle()
        return client.log, scene.path.connections

    assert simulate(main) == ([FIN, CLEAN], [])


def test_a_port_is_taken_once_and_free_again_after_its_listener(simulate: Simulate) -> None:
    async def main(network: Network) -> None:
        first = network.listen(End, "server", 80)
        with pytest.raises(OSError, match="already in use"):
            network.listen(End, "server", 80)
        first.close()
        second = network.listen(End, "server", 80)
        first.close()  # once more does not touch the second
        with pytest.raises(OSError, match="already in use"):
            network.listen(End, "server", 80)
        second.close()

    simulate(main)


def test_a_closed_listener_has_no_socket_and_serves_no_longer(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        serving = asyncio.create_task(scene.listener.serve_forever())
        await settle()
        before = serving.done(), len(scene.listener.sockets)
        scene.listener.close()
        await settle()
        return before, serving.cancelled(), scene.listener.sockets

    assert simulate(main) == ((False, 1), True, ())


def test_who_serves_for_ever_and_is_cancelled_closes_the_listener(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        serving = asyncio.create_task(scene.listener.serve_forever())
        await settle()
        serving.cancel()
        await settle()
        return serving.cancelled(), scene.listener.is_serving()

    assert simulate(main) == (True, False)


def test_a_connect_that_is_cancelled_as_it_succeeds_leaves_no_connection(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)

        def accept() -> End:
            # The connection exists; its caller is told in this very turn of the loop, after the protocols.
            task.cancel()
            return scene._accept()

        scene.listener.factory = accept
        task = asyncio.create_task(scene.connect())
        await asyncio.wait([task])
        await settle()
        return task.cancelled(), scene.servers[0].endings, scene.path.connections

    assert simulate(main) == (True, [FIN, CLEAN], [])


def test_a_fault_strikes_a_handshake_that_is_under_way(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        scene.path.latency = 0.25
        connecting = asyncio.create_task(scene.connect())
        await asyncio.sleep(0.1)
        effect = scene.add("stall")
        await asyncio.sleep(0.5)
        still = connecting.done()
        scene.path.remove(effect, "upstream")
        await connecting
        return still, effect.unanswered, now()

    assert simulate(main) == (False, 1, pytest.approx(1.5))  # asked again after a second


# Bytes


def test_bytes_arrive_after_the_latency_and_no_callback_comes_from_inside_a_write(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, server = await Scene(network).connect()
        began = now()
        client.write(b"one")
        client.write(b"two")
        assert server.log == []
        await settle()
        return bytes(server.got), server.sizes, server.times[0] - began

    got, sizes, took = simulate(main)
    assert (got, sizes) == (b"onetwo", [6])  # one read for what arrived together
    assert took == pytest.approx(LATENCY)


def test_one_read_takes_no_more_than_asyncio_does(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, server = await Scene(network).connect()
        server.transport.pause_reading()
        client.write(b"x" * BUFFERS)
        await settle()
        server.transport.resume_reading()
        await settle()
        return server.sizes

    assert max(simulate(main)) <= READ_AT_MOST


def test_a_latency_delays_each_way_by_itself(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        up = scene.add("latency", latency=300, jitter=0)
        began = now()
        client.write(b"up")
        server.write(b"down")
        await asyncio.sleep(1)
        return server.times[0] - began, client.times[0] - began, up.bytes

    up, down, counted = simulate(main)
    assert up == pytest.approx(0.3 + LATENCY)
    assert down == pytest.approx(LATENCY)
    assert counted == 2


def test_jitter_varies_the_delay_and_keeps_the_order(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effect = scene.add("latency", latency=100, jitter=90)
        for number in range(50):
            client.write(bytes([number]))
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        return (
            bytes(server.got),
            {round(b - a, 6) for a, b in pairwise(server.times)},
            effect.bytes,
        )

    got, gaps, counted = simulate(main)
    assert got == bytes(range(50))
    assert len(gaps) > 20
    assert counted == 50


def test_removing_a_latency_releases_at_once_what_it_holds(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effect = scene.add("latency", latency=60_000, jitter=1000)
        client.write(b"held")
        await asyncio.sleep(1)
        scene.path.remove(effect, "upstream")
        released = now()
        await settle()
        return bytes(server.got), server.times[0] - released

    assert simulate(main) == (b"held", pytest.approx(0, abs=1e-6))


def test_a_bandwidth_lets_its_rate_through_in_tenths_of_a_second(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effect = scene.add("bandwidth", rate=10)
        began = now()
        client.write(b"x" * 25_000)
        await asyncio.sleep(10)
        return server.sizes, server.times[-1] - began, effect.bytes

    sizes, took, counted = simulate(main)
    assert sizes == [1000] * 25
    assert took == pytest.approx(2.5, abs=0.001)
    assert counted == 25_000


def test_a_slicer_delivers_pieces_apart_and_counts_each_byte_once(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effect = scene.add("slicer", average_size=100, size_variation=50, delay=1000)
        data = bytes(range(256)) * 20
        client.write(data)
        await asyncio.sleep(1)
        gaps = [b - a for a, b in pairwise(server.times)]
        return server.got == data, server.sizes, min(gaps), effect.bytes

    same, sizes, gap, counted = simulate(main)
    assert same
    assert all(50 <= size <= 150 for size in sizes[:-1])
    assert gap == pytest.approx(0.001)
    assert counted == 5120


def test_a_slicer_does_not_count_what_it_did_not_have_to_cut(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effect = scene.add("slicer", average_size=100, size_variation=0, delay=0)
        client.write(b"x" * 100)
        await settle()
        return server.sizes, effect.bytes

    assert simulate(main) == ([100], 0)


# Silence


def test_a_timeout_ends_a_connection_without_traffic_and_never_a_busy_one(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effect = scene.add("timeout", timeout=1000)
        for _ in range(10):
            await asyncio.sleep(0.9)
            client.write(b"busy")
        alive = not client.endings
        quiet = now()
        await asyncio.sleep(2)
        return alive, client.endings, client.times[0] - quiet, server.got, effect.bytes, effect.ends

    alive, endings, after, got, dropped, ends = simulate(main)
    assert (alive, endings, got, dropped, ends) == (True, [FIN, CLEAN], b"", 40, 1)
    assert after == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("milliseconds", [(1000, 10_000), (10_000, 1000)])
def test_of_two_timeouts_the_shorter_ends_the_connection(
    simulate: Simulate, milliseconds: tuple[int, int]
) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, _ = await scene.connect()
        began = now()
        effects = {timeout: scene.add("timeout", timeout=timeout) for timeout in milliseconds}
        await asyncio.sleep(60)
        return client.times[0] - began, effects[1000].ends, effects[10_000].ends

    assert simulate(main) == (pytest.approx(1, abs=0.01), 1, 0)


# Cuts


def test_a_reset_peer_spares_an_idle_connection_and_ends_one_with_traffic(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        old, _ = await scene.connect()
        effect = scene.add("reset_peer", timeout=500)
        young, _ = await scene.connect()
        idle, _ = await scene.connect()
        await asyncio.sleep(10)
        began = now()
        for client in (old, young):
            client.write(b"a")
            client.write(b"b")
        await asyncio.sleep(2)
        return old.log, young.log, idle.log, young.times[0] - began, effect.ends, effect.bytes

    old, young, idle, after, ends, dropped = simulate(main)
    assert (old, young, idle) == ([FIN, CLEAN], [RESET], [])
    assert after == pytest.approx(0.5, abs=0.001)
    assert (ends, dropped) == (2, 0)


@pytest.mark.parametrize("existing", [True, False])
def test_limit_data_counts_from_its_begin_or_the_connections_and_ends_with_fin(
    simulate: Simulate, *, existing: bool
) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        if existing:
            client, server = await scene.connect()
            client.write(b"before")
            await settle()
            effect = scene.add("limit_data", bytes=10)
        else:
            effect = scene.add("limit_data", bytes=10)
            client, server = await scene.connect()
        client.write(b"1234")
        await settle()
        client.write(b"567890 and more")
        await settle()
        return bytes(server.got), server.endings, client.endings, effect.ends

    before = b"before" if existing else b""
    assert simulate(main) == (before + b"1234567890", [FIN, CLEAN], [FIN, CLEAN], 1)


def test_a_slow_close_delays_the_end_and_not_the_bytes(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effect = scene.add("slow_close", delay=2000)
        began = now()
        client.write(b"bye")
        client.transport.close()
        await asyncio.sleep(5)
        return [t - began for t in server.times], server.endings, effect.ends, effect.bytes

    times, endings, ends, counted = simulate(main)
    assert times[:2] == pytest.approx([LATENCY, 2 + LATENCY], abs=0.001)
    assert (endings, ends, counted) == ([FIN, CLEAN], 1, 0)


def test_down_ends_everybody_refuses_and_comes_back_at_the_same_address(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        pairs = [await scene.connect() for _ in range(2)]
        held = scene.add("stall")
        pairs[0][0].write(b"held, and lost with the proxy")
        ended = scene.path.disable()
        scene.path.remove(held, "upstream")
        await settle()
        with pytest.raises(ConnectionRefusedError):
            await scene.connect()
        scene.path.enable()
        await scene.connect()
        return ended, [end.log for pair in pairs for end in pair], len(scene.path.connections)

    assert simulate(main) == (2, [[FIN, CLEAN]] * 4, 1)


def test_a_cut_frees_who_waits_with_a_full_write_buffer(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        server.transport.pause_reading()
        client.write(b"x" * (BUFFERS + 100_000))
        scene.path.disable()
        await asyncio.sleep(1)
        return client.transport.get_write_buffer_size(), client.endings

    size, endings = simulate(main)
    assert size == 0
    assert endings[-1][0] == "lost"


def test_a_cut_frees_the_sender_whose_peer_reads_nothing_of_a_full_window(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        server.transport.pause_reading()
        client.write(b"x" * (BUFFERS + 100_000))
        await settle()
        scene.path.disable()
        await settle()
        return client.transport.get_write_buffer_size(), client.endings, server.endings

    assert simulate(main) == (0, [FIN, CLEAN], [])


def test_toxicity_strikes_the_same_connections_for_the_same_seed() -> None:
    def struck(seed: int) -> list[bool]:
        async def main(network: Network) -> list[bool]:
            scene = Scene(network)
            ends = [await scene.connect() for _ in range(40)]
            scene.add("stall", toxicity=0.5)
            for client, _ in ends:
                client.write(b"x")
            await settle()
            return [not server.got for _, server in ends]

        network = Network(Random(seed))
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(network)) as runner:
            return runner.run(main(network))

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 8 < sum(struck(1)) < 32


# Back-pressure


def test_a_peer_that_does_not_read_stops_the_writer_until_it_reads_again(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, server = await Scene(network).connect()
        server.transport.pause_reading()
        await fill(client)
        fits = client.transport.get_write_buffer_size(), list(client.log)
        client.write(b"x" * 64 * 1024)
        at_the_mark = client.transport.get_write_buffer_size(), list(client.log)
        client.write(b"x")
        above = client.transport.get_write_buffer_size(), list(client.log)
        server.transport.resume_reading()
        await settle()
        return fits, at_the_mark, above, client.transport.get_write_buffer_size(), client.log, len(server.got)

    paused = [("pause", None)]
    assert simulate(main, FIXED) == (
        (0, []),
        (65536, []),
        (65537, paused),
        0,
        [*paused, ("resume", None)],
        BUFFERS + 65537,
    )


def test_a_writer_is_resumed_in_a_step_of_its_own_after_the_read_that_made_room(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, server = await Scene(network).connect()
        server.transport.pause_reading()
        await fill(client)
        client.write(b"x" * 70_000)
        read_before: list[int] = []
        client.resume_writing = lambda: read_before.append(len(server.got))  # type: ignore[method-assign]
        server.transport.resume_reading()
        await settle()
        return read_before

    assert simulate(main, FIXED) == [BUFFERS]


def test_the_marks_of_the_write_buffer_are_asyncios(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, _ = await Scene(network).connect()
        before = client.transport.get_write_buffer_limits()
        client.transport.set_write_buffer_limits(high=1000)
        with pytest.raises(ValueError, match="must be >="):
            client.transport.set_write_buffer_limits(high=1, low=2)
        return before, client.transport.get_write_buffer_limits()

    assert simulate(main) == ((16384, 65536), (250, 1000))


# Ends


def test_a_mark_that_is_lowered_below_what_waits_pauses_at_once(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, server = await Scene(network).connect()
        server.transport.pause_reading()
        client.transport.set_write_buffer_limits(high=BUFFERS)
        client.write(b"x" * (BUFFERS + 2000))
        before = list(client.log)
        client.transport.set_write_buffer_limits(high=1000)
        return before, client.log

    assert simulate(main) == ([], [("pause", None)])


def test_bytes_before_a_close_arrive_before_the_fin(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        client.write(b"x" * 3 * BUFFERS)
        client.transport.close()
        await settle()
        return len(server.got), server.endings, client.endings, scene.path.connections

    assert simulate(main) == (3 * BUFFERS, [FIN, CLEAN], [CLEAN], [])


def test_a_half_closed_connection_still_carries_the_other_way(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network, keep_open=True)
        client, server = await scene.connect()
        client.write(b"question")
        client.transport.write_eof()
        await settle()
        with pytest.raises(RuntimeError):
            client.transport.write(b"more")
        server.write(b"answer")
        await settle()
        half = bytes(client.got), server.endings, client.endings
        server.transport.close()
        await settle()
        client.transport.close()
        await settle()
        return half, client.endings, scene.path.connections

    assert simulate(main) == ((b"answer", [FIN], []), [FIN, CLEAN], [])


def test_a_close_with_unread_bytes_resets_the_peer(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        client.transport.pause_reading()
        server.write(b"unread")
        await settle()
        client.transport.close()
        await settle()
        return client.log, server.log, scene.path.connections

    assert simulate(main) == ([CLEAN], [RESET], [])


def test_a_write_to_a_peer_that_is_gone_ends_in_connection_lost(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network, keep_open=True)
        client, server = await scene.connect()
        server.transport.abort()
        await settle()
        client.write(b"one")  # answered with RST, which nobody reads after the end of the stream
        await settle()
        still = list(client.log)
        client.write(b"two")
        await settle()
        return still, client.log, scene.path.connections

    assert simulate(main) == ([FIN], [FIN, BROKEN_PIPE], [])


def test_an_end_is_read_before_the_reset_that_followed_it(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, server = await Scene(network).connect()
        client.transport.pause_reading()
        server.transport.close()
        await settle()
        client.write(b"answered with RST")
        await settle()
        client.transport.resume_reading()
        await settle()
        return client.log

    assert simulate(main) == [FIN, CLEAN]


def test_an_abort_drops_what_is_buffered_and_the_peer_sees_the_end(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, server = await Scene(network).connect()
        server.transport.pause_reading()
        await fill(client)
        client.write(b"x" * 50_000)
        client.transport.abort()
        left = client.transport.get_write_buffer_size()
        await settle()
        server.transport.resume_reading()
        await settle()
        return left, len(server.got), server.endings, client.endings

    assert simulate(main, FIXED) == (0, BUFFERS, [FIN, CLEAN], [CLEAN])


def test_a_protocol_that_raises_loses_its_connection_and_the_error_is_kept() -> None:
    class Broken(End):
        def data_received(self, data: bytes) -> None:
            raise ZeroDivisionError(data.decode())

    async def main(network: Network) -> Any:
        network.listen(Broken, "server", 80)
        _, client = await asyncio.get_running_loop().create_connection(End, "server", 80)
        client.write(b"mine")
        await settle()
        return client.endings

    network = Network(Random(1))
    loop = VirtualLoop(network)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(main(network)) == [FIN, CLEAN]
    assert [str(error) for error in loop.unhandled] == ["mine"]


def test_a_protocol_that_fails_to_pause_or_to_go_on_keeps_its_connection_and_the_error_is_kept() -> None:
    class Broken(End):
        def pause_writing(self) -> None:
            raise ZeroDivisionError("pause")

        def resume_writing(self) -> None:
            raise ZeroDivisionError("resume")

    async def main(network: Network) -> Any:
        scene = Scene(network)
        _, client = await asyncio.get_running_loop().create_connection(Broken, "proxy", 80)
        client.transport.write(b"x" * 2 * BUFFERS)
        await asyncio.sleep(1)
        return len(scene.servers[0].got), client.endings

    network = Network(Random(1))
    loop = VirtualLoop(network)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(main(network)) == (2 * BUFFERS, [])
    assert [str(error) for error in loop.unhandled] == ["pause", "resume"]


def test_hundreds_of_connections_leave_nothing_behind(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        scene.add("latency", latency=5, jitter=2)
        idle = scene.add("timeout", "downstream", timeout=60_000)
        for number in range(300):
            client, server = await scene.connect()
            client.write(b"x" * 1000)
            server.write(b"dropped")
            if number % 2:
                client.transport.abort()
            else:
                client.transport.close()
        await asyncio.sleep(1)
        loop: Any = asyncio.get_running_loop()
        timers = [timer for _, _, timer in loop._timers if not timer.cancelled()]
        return len(scene.path.connections), len(timers), idle.touched

    assert simulate(main) == (0, 0, 300 * len(b"dropped"))


# What is under way when something else happens


@pytest.mark.parametrize(
    "effect", [("bandwidth", {"rate": 1}), ("slicer", {"average_size": 64, "size_variation": 0, "delay": 0})]
)
def test_what_is_cut_in_pieces_stays_before_what_was_written_later(
    simulate: Simulate, effect: tuple[str, dict[str, int]]
) -> None:
    async def main(network: Network) -> bytes:
        scene = Scene(network)
        client, server = await scene.connect()
        scene.add(effect[0], **effect[1])
        client.write(b"a" * 500)
        client.write(b"b" * 500)
        await asyncio.sleep(5)
        return bytes(server.got)

    assert simulate(main) == b"a" * 500 + b"b" * 500


def test_an_end_of_writing_waits_for_what_is_buffered(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, server = await Scene(network, keep_open=True).connect()
        server.transport.pause_reading()
        client.write(b"x" * 2 * BUFFERS)
        client.transport.write_eof()
        await settle()
        server.transport.resume_reading()
        await asyncio.sleep(1)
        return len(server.got), server.log[-1]

    assert simulate(main) == (2 * BUFFERS, FIN)


def test_of_two_bandwidths_the_narrower_counts(simulate: Simulate) -> None:
    async def main(network: Network) -> float:
        scene = Scene(network)
        client, server = await scene.connect()
        scene.add("bandwidth", rate=100)
        scene.add("bandwidth", rate=10)
        began = now()
        client.write(b"x" * 20_000)
        await asyncio.sleep(10)
        return server.times[-1] - began

    assert simulate(main) == pytest.approx(2, abs=0.01)


def test_a_timeout_without_any_traffic_ends_the_connection_too(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, _ = await scene.connect()
        began = now()
        scene.add("timeout", timeout=1000)
        await asyncio.sleep(5)
        return client.endings, client.times[0] - began

    assert simulate(main) == ([FIN, CLEAN], pytest.approx(1, abs=0.01))


def test_a_buffer_that_its_writer_uses_again_arrives_as_it_was(simulate: Simulate) -> None:
    async def main(network: Network) -> bytes:
        client, server = await Scene(network).connect()
        client.write(b"x" * BUFFERS)
        mine = bytearray(b"before")
        client.transport.write(mine)
        mine[:] = b"after!"
        await asyncio.sleep(1)
        return bytes(server.got[BUFFERS:])

    assert simulate(main) == b"before"
