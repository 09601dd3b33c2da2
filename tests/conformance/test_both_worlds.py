"""The same experiments on virtual time, through Toxiproxy and on the kernel: outcomes agree, and times as far as a
real machine keeps them.

Where they cannot agree, the test asserts what each does, and says why.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytestmark = pytest.mark.scenarios

Play = Callable[[Callable[[Any], Awaitable[Any]]], Any]
Takes = Callable[[float], object]


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(("direction", "expected"), [("both", 0.2), ("upstream", 0.1), ("downstream", 0.1)])
def test_a_latency_of_100_ms_delays_an_echo_by_100_ms_each_way(
    play: Play, takes: Takes, direction: str, expected: float
) -> None:
    async def experiment(stage: Any) -> float:
        await stage.listen(echo=True)
        client, _ = await stage.connect()
        await stage.begin("latency", latency=100, direction=direction)
        began = now()
        client.transport.write(b"hello")
        return await client.until(lambda end: end.got == b"hello") - began

    assert play(experiment) == takes(expected)


def test_a_latency_delays_the_connect_except_through_toxiproxy(play: Play, takes: Takes) -> None:
    """They differ: a path delays the packets of a handshake as it delays bytes; Toxiproxy accepts by itself."""

    async def experiment(stage: Any) -> Any:
        await stage.listen()
        await stage.begin("latency", latency=300)
        began = now()
        await stage.connect()
        return stage.name, now() - began

    name, took = play(experiment)
    assert took == takes(0 if name == "toxiproxy" else 0.6)


def test_a_latency_that_ends_releases_at_once_what_it_holds(play: Play, takes: Takes) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("latency", latency=2000, direction="upstream")
        client.transport.write(b"held")
        await asyncio.sleep(0.1)
        held = bytes(server.got)
        await fault.heal()
        began = now()
        return held, await server.until(lambda end: end.got == b"held") - began

    assert play(experiment) == (b"", takes(0))


def test_a_jitter_reorders_nothing(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        await stage.begin("latency", latency=50, jitter=50, direction="upstream")
        began = now()
        for number in range(30):
            client.transport.write(bytes([number]))
            await asyncio.sleep(0.002)
        took = await server.until(lambda end: len(end.got) == 30) - began
        return bytes(server.got), took

    got, took = play(experiment)
    assert got == bytes(range(30))
    assert 0.058 < took < 0.5


def test_what_is_slow_twice_takes_both_times(play: Play, takes: Takes) -> None:
    async def experiment(stage: Any) -> float:
        await stage.listen()
        client, server = await stage.connect()
        await stage.begin("latency", latency=100, direction="upstream")
        await stage.begin("bandwidth", rate=100, direction="upstream")
        began = now()
        client.transport.write(b"x" * 20_000)
        return await server.until(lambda end: len(end.got) == 20_000) - began

    assert play(experiment) == takes(0.3)


def test_what_is_larger_than_a_path_takes_never_comes_and_holds_up_what_is_small(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("cut_after", bytes=1000, direction="upstream")
        client.transport.write(b"x" * 1000)
        await server.until(lambda end: len(end.got) == 1000)
        client.transport.write(b"y" * 1001)
        client.transport.write(b"z")
        await asyncio.sleep(0.5)
        passed = len(server.got)
        await fault.heal()
        await server.until(lambda end: len(end.got) == 2002)
        return passed, bytes(server.got[-2:])

    assert play(experiment) == (1000, b"yz")


def test_what_waits_in_a_long_queue_comes_late_by_its_length(play: Play, takes: Takes) -> None:
    """They differ a little: the kernel's token bucket lets two packets go at once, and counts the heads of all."""

    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        await stage.begin("bufferbloat", rate=100, buffer=100, direction="upstream")
        client.transport.write(b"x" * 40_000)
        began = now()
        client.transport.write(b"!")
        return stage.name, await server.until(lambda end: end.got.endswith(b"!")) - began

    name, took = play(experiment)
    assert took == takes(0.385 if name == "kernel" else 0.4)


def test_a_fault_of_toxicity_0_strikes_nobody(play: Play, takes: Takes) -> None:
    async def experiment(stage: Any) -> float:
        await stage.listen(echo=True)
        client, _ = await stage.connect()
        await stage.begin("stall", toxicity=0)
        began = now()
        client.transport.write(b"hello")
        return await client.until(lambda end: end.got == b"hello") - began

    assert play(experiment) == takes(0)


@pytest.mark.parametrize(("young", "ending"), [(True, ["ConnectionResetError"]), (False, ["eof", "lost"])])
def test_a_reset_comes_with_traffic_and_is_a_fin_for_an_older_connection(
    play: Play,
    takes: Takes,
    young: bool,  # noqa: FBT001 - pytest hands it over by name
    ending: list[str],
) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        pair = None if young else await stage.connect()
        await stage.begin("reset_peer", timeout=50)
        client, server = pair or await stage.connect()
        await asyncio.sleep(0.1)
        idle = client.endings + server.endings
        client.transport.write(b"traffic")
        began = now()
        await client.until(lambda end: len(end.endings) == len(ending))
        took = now() - began
        await server.until(lambda end: len(end.endings) == len(ending))
        return idle, client.endings, server.endings, took, bytes(server.got)

    idle, client, server, took, got = play(experiment)
    assert (idle, client, server, got) == ([], ending, ending, b"")
    assert took == takes(0.05)


def test_a_peer_that_does_not_read_stops_the_writer_until_it_reads(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        server.transport.pause_reading()
        client.transport.write(b"x" * 40_000_000)  # more than two pairs of kernel buffers take
        await asyncio.sleep(0.1)
        stopped = client.paused, client.transport.get_write_buffer_size() > 0
        server.transport.resume_reading()
        await client.until(lambda end: not end.paused)
        await server.until(lambda end: len(end.got) == 40_000_000)
        return stopped, client.transport.get_write_buffer_size()

    assert play(experiment) == ((True, True), 0)


def test_a_stall_stops_the_writer_until_it_heals(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("stall", direction="upstream")
        client.transport.write(b"x" * 40_000_000)
        await asyncio.sleep(0.1)
        stopped = client.paused, len(server.got)
        await fault.heal()
        await client.until(lambda end: not end.paused)
        await server.until(lambda end: len(end.got) == 40_000_000)
        return stopped

    assert play(experiment) == (True, 0)


def test_a_connect_hangs_over_a_stall_and_goes_on_after_it_except_through_toxiproxy(
    play: Play, takes: Takes
) -> None:
    """They differ: TCP asks again after a second, and the path has healed by then; Toxiproxy accepts by itself."""

    async def experiment(stage: Any) -> Any:
        await stage.listen()
        fault = await stage.begin("stall")
        began = now()

        async def connect() -> Any:
            return await stage.connect(), now() - began

        async with asyncio.TaskGroup() as tasks:
            connecting = tasks.create_task(connect())
            await asyncio.sleep(0.3)
            await fault.heal()
        (client, server), took = connecting.result()
        client.transport.write(b"hello")
        await server.until(lambda end: end.got == b"hello")
        return stage.name, took, list(client.endings)

    name, took, endings = play(experiment)
    assert endings == []
    assert took == takes(0 if name == "toxiproxy" else 1)


def test_what_a_stall_kept_back_arrives_whole_and_in_order_after_it(play: Play, takes: Takes) -> None:
    """They differ in when: bytes that a path lost are sent again when TCP's time is up, 0.2 s after the first of them;
    Toxiproxy has held them, and lets them go."""

    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("stall", direction="upstream")
        began = now()
        for number in range(20):
            client.transport.write(bytes([number]) * 1000)
            await asyncio.sleep(0.005)
        kept = len(server.got)
        await fault.heal()
        healed = now()
        took = await server.until(lambda end: len(end.got) == 20_000)
        whole = bytes(server.got) == b"".join(bytes([n]) * 1000 for n in range(20))
        return kept, whole, took - (healed if stage.name == "toxiproxy" else began), stage.name

    kept, whole, took, name = play(experiment)
    assert (kept, whole) == (0, True)
    assert took == takes(0 if name == "toxiproxy" else 0.2)


def test_a_client_that_leaves_behind_held_bytes_is_missed_only_after_the_heal(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("stall", direction="upstream")
        client.transport.write(b"last words")
        await asyncio.sleep(0.02)
        client.transport.abort()
        await asyncio.sleep(0.2)
        before = bytes(server.got), list(server.endings)
        await fault.heal()
        await server.until(lambda end: len(end.endings) == 2)
        return before, bytes(server.got), server.endings

    assert play(experiment) == ((b"", []), b"last words", ["eof", "lost"])


def test_a_stall_heals_though_the_client_has_left_what_it_holds(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("stall", direction="downstream")
        for _ in range(20):
            server.transport.write(b"x" * 10_000)
            await asyncio.sleep(0.005)
        client.transport.abort()
        await asyncio.sleep(0.1)
        async with asyncio.timeout(2):
            await fault.heal()
        again, other = await stage.connect()
        other.transport.write(b"hello")
        await again.until(lambda end: end.got == b"hello")
        return bytes(client.got)

    assert play(experiment) == b""


@pytest.mark.parametrize("kind", ["stall", "blackhole"])
def test_the_end_of_an_idle_connection_passes_toxiproxy_but_no_lost_route(play: Play, kind: str) -> None:
    """They differ: a toxic holds or drops bytes and not the end of a stream, while a route that is lost, which is
    what these faults stand for, carries nothing at all."""

    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin(kind, direction="upstream")
        client.transport.abort()
        await asyncio.sleep(0.1)
        before = list(server.endings)
        await fault.heal()
        expected = stage.cut_by_the_path()[1] if kind == "blackhole" else ["eof", "lost"]
        await server.until(lambda end: len(end.endings) == len(expected))
        return stage.name, before, server.endings == expected

    name, before, as_expected = play(experiment)
    assert before == (["eof", "lost"] if name == "toxiproxy" else [])
    assert as_expected


def test_a_blackhole_drops_bytes_and_the_connection_dies_as_it_heals(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("blackhole", direction="upstream")
        client.transport.write(b"dropped")
        await asyncio.sleep(0.1)
        before = client.endings + server.endings
        await fault.heal()
        at_client, at_server = stage.cut_by_the_path()
        await client.until(lambda end: end.endings == at_client)
        await server.until(lambda end: end.endings == at_server)
        return before, bytes(server.got)

    assert play(experiment) == ([], b"")


def test_a_timeout_ends_a_connection_after_so_long_without_traffic(play: Play, takes: Takes) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        await stage.begin("timeout", timeout=300, direction="upstream")
        for _ in range(8):  # longer than the time, and much closer together, so that no hiccup ends it
            await asyncio.sleep(0.05)
            client.transport.write(b"busy")
        began = now()
        took = await client.until(lambda end: len(end.endings) == 2) - began
        await server.until(lambda end: len(end.endings) == 2)
        return took, client.endings, server.endings, bytes(server.got)

    assert play(experiment) == (takes(0.3), ["eof", "lost"], ["eof", "lost"], b"")


def test_limit_data_lets_so_much_through_and_ends_with_fin(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        client.transport.write(b"before")
        await server.until(lambda end: len(end.got) == 6)
        await stage.begin("limit_data", bytes=10, direction="upstream")
        client.transport.write(b"0123456789 and more")
        await client.until(lambda end: len(end.endings) == 2)
        await server.until(lambda end: len(end.endings) == 2)
        return bytes(server.got), client.endings, server.endings

    assert play(experiment) == (b"before0123456789", ["eof", "lost"], ["eof", "lost"])


def test_limit_data_counts_from_the_first_byte_of_a_new_connection(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        await stage.begin("limit_data", bytes=10, direction="upstream")
        client, server = await stage.connect()
        client.transport.write(b"012345")
        await server.until(lambda end: len(end.got) == 6)
        client.transport.write(b"6789 and more")
        await client.until(lambda end: len(end.endings) == 2)
        await server.until(lambda end: len(end.endings) == 2)
        return bytes(server.got)

    assert play(experiment) == b"0123456789"


def test_slices_arrive_in_pieces_and_complete(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        await stage.begin("slicer", average_size=100, size_variation=20, delay=2000, direction="upstream")
        data = bytes(range(250)) * 4
        client.transport.write(data)
        await server.until(lambda end: len(end.got) == len(data))
        return server.got == data, server.reads

    same, reads = play(experiment)
    assert same
    assert 6 <= len(reads) <= 20  # Toxiproxy halves until the size fits, so its pieces are of other sizes
    assert max(reads) <= 320  # and a busy machine reads two or three at once


def test_a_bandwidth_takes_its_time(play: Play, takes: Takes) -> None:
    """They differ by a little: a router lets two packets pass at once, 3.2 kB, and counts their headers too."""

    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        await stage.begin("bandwidth", rate=100, direction="upstream")
        began = now()
        client.transport.write(b"x" * 30_000)
        return stage.name, await server.until(lambda end: len(end.got) == 30_000) - began

    name, took = play(experiment)
    assert took == takes(0.268 if name == "kernel" else 0.3)


@pytest.mark.parametrize("direction", ["upstream", "downstream"])
def test_a_slow_close_delays_the_end_and_nothing_before_it(play: Play, takes: Takes, direction: str) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        leaver, other = (client, server) if direction == "upstream" else (server, client)
        await stage.begin("slow_close", delay=200, direction=direction)
        began = now()
        leaver.transport.write(b"bye")
        leaver.transport.close()
        said = await other.until(lambda end: end.got == b"bye") - began
        return said, await other.until(lambda end: len(end.endings) == 2) - began

    assert play(experiment) == (takes(0), takes(0.2))


def test_down_ends_refuses_and_comes_back_at_the_same_address(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen(echo=True)
        client, server = await stage.connect()
        fault = await stage.begin("down")
        at_client, at_server = stage.cut_by_the_path()
        await client.until(lambda end: end.endings == at_client)
        await server.until(lambda end: end.endings == at_server)
        with pytest.raises(ConnectionRefusedError):
            await stage.connect()
        await fault.heal()
        again, _ = await stage.connect()
        again.transport.write(b"hello")
        await again.until(lambda end: end.got == b"hello")
        return client.endings == at_client, server.endings == at_server

    assert play(experiment) == (True, True)


def test_a_link_whose_peer_is_gone_accepts_and_ends_except_on_the_kernel(play: Play) -> None:
    """They differ: a proxy accepts before it finds nobody; behind a router the peer's host refuses by itself."""

    async def experiment(stage: Any) -> Any:
        await stage.listen()
        stage.close()
        if stage.name == "kernel":
            with pytest.raises(ConnectionRefusedError):
                await stage.dial()
            return ["eof", "lost"]
        client = await stage.dial()
        await client.until(lambda end: len(end.endings) == 2)
        return client.endings

    assert play(experiment) == ["eof", "lost"]


def test_a_half_closed_stream_carries_the_answer_except_through_toxiproxy(play: Play) -> None:
    """They differ: TCP lets one side go on after the other has finished; Toxiproxy closes both sockets of a
    connection at the end of either direction, so the answer never comes."""

    async def experiment(stage: Any) -> Any:
        await stage.listen(keep_open=True)
        client, server = await stage.connect()
        client.transport.write(b"question")
        client.transport.write_eof()
        await server.until(lambda end: end.endings == ["eof"])
        await asyncio.sleep(0.05)
        server.transport.write(b"answer")
        await asyncio.sleep(0.05)
        return stage.name, bytes(server.got), bytes(client.got)

    name, question, answer = play(experiment)
    assert question == b"question"
    assert answer == (b"" if name == "toxiproxy" else b"answer")


def test_a_close_with_unread_bytes_resets_the_peer_except_through_toxiproxy(play: Play) -> None:
    """They differ: Toxiproxy takes a reset for an end, and hands a FIN on."""

    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        client.transport.pause_reading()
        server.transport.write(b"unread")
        await asyncio.sleep(0.05)
        client.transport.abort()
        await server.until(lambda end: end.endings[-1:] not in ([], ["eof"]))
        return stage.name, server.endings

    name, endings = play(experiment)
    assert endings == (["eof", "lost"] if name == "toxiproxy" else ["ConnectionResetError"])


def test_a_write_to_a_peer_that_had_ended_and_is_gone_breaks_the_pipe(play: Play) -> None:
    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect(keep_open=True)
        server.transport.close()
        await client.until(lambda end: end.endings == ["eof"])
        while len(client.endings) == 1:  # the first is answered with RST, which the next one meets
            client.transport.write(b"is anybody there?")
            await asyncio.sleep(0.05)
        return client.endings

    assert play(experiment) == ["eof", "BrokenPipeError"]


def test_packets_that_are_lost_are_sent_again_and_every_byte_arrives_in_order(play: Play) -> None:
    """Bytes are counted on virtual time, packets on the kernel. A proxy sees no packets."""
    sent = bytes(number % 251 for number in range(500_000))  # 350 packets, of which 17 are lost on average

    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("loss", percent=5)
        client.transport.write(sent)
        await server.until(lambda end: len(end.got) == len(sent))
        counts = fault.count()
        return bytes(server.got), counts.bytes + counts.packets, list(client.endings)

    got, lost, endings = play(experiment)
    assert got == sent
    assert lost > 0
    assert endings == []


def test_an_unreachable_peer_fails_a_connect_at_once_and_ends_no_connection(play: Play, takes: Takes) -> None:
    """A proxy has accepted before it could say that there is no way."""

    async def experiment(stage: Any) -> Any:
        await stage.listen()
        client, server = await stage.connect()
        fault = await stage.begin("unreachable")
        began = now()
        with pytest.raises(OSError) as refused:  # noqa: PT011 - its number is looked at
            await stage.dial()
        took = now() - began
        client.transport.write(b"held")
        await asyncio.sleep(0.1)
        held = bytes(server.got)
        await fault.heal()
        await server.until(lambda end: end.got == b"held")
        return refused.value.errno, took, held, client.endings + server.endings

    assert play(experiment) == (errno.EHOSTUNREACH, takes(0), b"", [])
