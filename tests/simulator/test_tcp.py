"""What a path that loses packets does to a connection, as Linux's TCP does it; `bench/tcp.py` measures both."""

import asyncio
import socket
from itertools import pairwise
from typing import Any

import pytest

from simulator.channel import LATENCY
from simulator.network import Direction, Network
from simulator.refusals import SimulationError
from simulator.sockets import TCP_RTO_MAX_MS
from simulator.tcp import RoundTrip, Tcp
from tests.simulator.conftest import Simulate
from tests.simulator.ends import (
    BOTH,
    BUFFERS,
    CLEAN,
    FIN,
    FIXED,
    GIVE_UP,
    RESET,
    RTO,
    TCP,
    TIMED_OUT,
    Draws,
    Scene,
    at_once,
    fill,
    heal,
    now,
    option,
    settle,
    silence,
    tries_in_vain,
)

# What Linux is set to


def test_fifteen_retries_are_some_fifteen_minutes() -> None:
    assert Tcp().patience(15, 120) == pytest.approx(924.6)  # as tcp(7) and the kernel's documentation have it
    assert Tcp().patience(8, 120) == pytest.approx(102.2)


def test_a_connect_waits_for_131_s_in_all() -> None:
    assert list(Tcp().syn_waits()) == [1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64]
    assert list(Tcp().synack_waits()) == [1, 3, 7, 15, 31]


@pytest.mark.parametrize(
    ("retries", "linear", "seconds"),
    [(1, 4, 3), (2, 4, 7), (3, 4, 19), (4, 4, 35), (2, 0, 7), (3, 0, 15), (4, 1, 32)],
)
def test_a_connect_gives_up_when_a_kernel_does(retries: int, linear: int, seconds: int) -> None:
    """As measured with Linux 6.18."""
    assert sum(Tcp(syn_retries=retries, syn_linear=linear).syn_waits()) == seconds


def test_the_rto_is_200_ms_above_the_round_trip_or_four_variations() -> None:
    trip = RoundTrip(0.1)
    for _ in range(100):
        trip.sample(0.1)
    assert trip.timeout(TCP) == pytest.approx(0.3)
    trip.sample(1.3)  # (7 * 0.1 + 1.3) / 8 and 1.2 / 4
    assert trip.timeout(TCP) == pytest.approx(0.25 + 4 * 0.3)


# Handshakes


@pytest.mark.parametrize("direction", BOTH)
@pytest.mark.parametrize(
    ("heals", "connected", "in_vain"), [(0.5, 1, 1), (2.5, 3, 3), (5.5, 7, 6), (12, 19, 8)]
)
def test_a_connect_over_a_silent_path_gets_through_with_the_first_repetition_after_the_heal(
    simulate: Simulate, direction: Direction, heals: float, connected: float, in_vain: int
) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        effects = silence(scene, direction)
        asyncio.get_running_loop().call_later(heals, heal, scene, effects)
        client, server = await scene.connect()
        took = now()
        client.write(b"hello")
        await settle()
        return took, bytes(server.got), len(scene.servers), effects[0][0].unanswered, scene.path.attempts

    took, got, accepted, lost, left = simulate(main)
    assert (got, accepted, left) == (b"hello", 1, [])
    if direction == "upstream":
        assert (took, lost) == (at_once(connected), in_vain)
    else:  # a peer that the SYN has reached repeats its answer too, after 1, 3, 7 and 15 s
        assert took == at_once(min(connected, 15))
        assert lost >= in_vain


def test_a_connect_over_a_silent_path_is_given_up_after_some_two_minutes(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        effects = silence(scene, "upstream")
        with pytest.raises(TimeoutError):
            await scene.connect()
        return now(), effects[0][0].unanswered, scene.path.attempts

    assert simulate(main) == (131, 11, [])


def test_a_connect_is_not_even_refused_over_a_silent_path(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        effects = silence(scene)
        scene.path.disable()
        asyncio.get_running_loop().call_later(1.5, heal, scene, effects)
        with pytest.raises(ConnectionRefusedError):
            await scene.connect()
        return now(), scene.path.refused

    assert simulate(main) == (at_once(2), 1)


def test_a_latency_delays_the_handshake_as_it_delays_bytes(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        scene.add("latency", "upstream", latency=1400)
        scene.add("latency", "downstream", latency=1400)
        await scene.connect()
        return now(), len(scene.servers)  # the repeated SYNs open no second connection

    assert simulate(main) == (at_once(2.8), 1)


def test_a_connect_that_is_given_up_leaves_nothing_behind(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        effects = silence(scene)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await scene.connect()
        heal(scene, effects)
        await asyncio.sleep(5)
        return scene.servers, scene.path.attempts, scene.path.connections

    assert simulate(main) == ([], [], [])


def test_an_unreachable_host_fails_a_connect_at_once(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        effect = scene.add("unreachable")
        with pytest.raises(OSError, match="113"):
            await scene.connect()
        return now(), effect.unanswered

    assert simulate(main) == (at_once(0), 1)


def test_an_unreachable_host_ends_no_connection_until_tcp_gives_up_and_is_then_the_reason(
    simulate: Simulate,
) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        passing, _ = await scene.connect()
        lasting, _ = await scene.connect()
        effect = scene.add("unreachable")
        passing.write(b"x")
        await asyncio.sleep(10)
        scene.path.remove(effect, "upstream")
        await asyncio.sleep(10)
        scene.add("unreachable")
        lasting.write(b"x")
        await asyncio.sleep(1000)
        return bytes(scene.servers[0].got), passing.log, lasting.log

    assert simulate(main) == (b"x", [], [("lost", "OSError")])


# Silence


@pytest.mark.parametrize(("outage", "silent"), [(0.1, 0.2), (0.5, 0.6), (1.6, 3.0), (3.2, 6.2), (20, 25.4)])
@pytest.mark.parametrize("directions", [BOTH, ("upstream",)])
def test_a_healed_outage_is_noticed_at_the_next_retransmission(
    simulate: Simulate, outage: float, silent: float, directions: tuple[Direction, ...]
) -> None:
    """0.2 s after the first loss, then after twice as long each time."""

    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effects = silence(scene, *directions)
        asyncio.get_running_loop().call_later(outage, heal, scene, effects)
        began = now()
        client.write(b"1" * 6000)
        await asyncio.sleep(60)
        return server.times[0] - began, server.got == b"1" * 6000, effects[0][0].bytes

    took, complete, lost = simulate(main)
    assert took == at_once(silent)
    assert (complete, lost) == (True, 6000)


def test_a_gap_that_later_bytes_show_is_closed_a_round_trip_later(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effects = silence(scene)
        client.write(b"lost ")
        await asyncio.sleep(0.05)
        heal(scene, effects)
        client.write(b"shows it")
        began = now()
        await asyncio.sleep(1)
        return bytes(server.got), server.times[0] - began

    assert simulate(main) == (b"lost shows it", pytest.approx(3 * LATENCY, abs=1e-6))


def test_after_an_rto_nothing_new_goes_out_until_an_acknowledgement_comes(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effects = silence(scene)
        for _ in range(100):
            client.write(b"x" * 600)
            await asyncio.sleep(0.05)
        lost = effects[0][0].bytes
        heal(scene, effects)
        healed = now()
        await asyncio.sleep(10)
        return lost, len(server.got), server.times[0] - healed

    lost, got, after = simulate(main)
    assert lost == 5 * 600  # at 0, 50, 100, 150 and 200 ms
    assert got == 60_000
    assert after == at_once(6.2 - 5)


def test_a_writer_into_silence_is_paused_by_its_full_send_buffer(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effects = silence(scene)
        written = 0
        while not client.log:
            client.write(b"x" * 6000)
            written += 6000
            await asyncio.sleep(1 / 30)
        paused = now(), written - client.transport.get_write_buffer_size()
        heal(scene, effects)
        await asyncio.sleep(10)
        return paused, client.log, len(server.got) == written

    paused, log, complete = simulate(main)
    assert paused == (
        pytest.approx(25 / 30, abs=0.01),
        TCP.send_buffer,
    )  # 25 messages of 6 kB, of which 64 KiB wait
    assert (log, complete) == ([("pause", None), ("resume", None)], True)


def test_a_peer_that_talks_falls_silent_when_our_acknowledgements_are_lost(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effects = silence(scene, "upstream")
        for number in range(100):
            server.write(bytes([number]))
            await asyncio.sleep(0.1)
        heard, last = bytes(client.got), client.times[-1]
        heal(scene, effects)
        await asyncio.sleep(5)
        return heard, last, bytes(client.got), effects[0][0].bytes

    heard, last, all_of_it, counted = simulate(main)
    assert heard == bytes(range(3))  # those of the first RTO
    assert last == at_once(0.2)
    assert all_of_it == bytes(range(100))  # and nothing twice
    assert counted == 0  # acknowledgements are no bytes


def test_bytes_that_arrived_come_once_though_their_acknowledgement_was_on_its_way_and_lost(
    simulate: Simulate,
) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        scene.path.latency = 0.05
        client, server = await scene.connect()
        client.write(b"once")
        await asyncio.sleep(0.07)
        effects = silence(scene, "downstream")  # the bytes are there, and what says so is not
        await asyncio.sleep(0.5)
        heal(scene, effects)
        await asyncio.sleep(1)
        client.write(b" more")
        await asyncio.sleep(1)
        return bytes(server.got), server.log

    assert simulate(main) == (b"once more", [("data", None)] * 2)


def test_what_is_on_its_way_when_the_path_falls_silent_is_lost_and_sent_again(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        scene.path.latency = 0.05
        client, server = await scene.connect()
        began = now()
        client.write(b"x" * 100)
        await asyncio.sleep(0.01)
        effects = silence(scene, "upstream")
        await asyncio.sleep(0.06)
        heal(scene, effects)
        await asyncio.sleep(2)
        return server.times[0] - began, len(server.got), effects[0][0].bytes

    took, got, lost = simulate(main)
    assert took == at_once(0.1 + TCP.rto_min + 0.05)
    assert (got, lost) == (100, 100)


def test_a_second_silence_loses_what_is_sent_again_and_keeps_the_order(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        scene.path.latency = 0.01
        client, server = await scene.connect()
        data = bytes(range(250)) * 40
        first = silence(scene)
        client.write(data[:6000])
        client.write(data[6000:])
        await asyncio.sleep(0.1)
        heal(scene, first)
        await asyncio.sleep(0.125)  # the retransmission is on its way
        second = silence(scene)
        await asyncio.sleep(3)
        heal(scene, second)
        await asyncio.sleep(5)
        return server.got == data, first[0][0].bytes, second[0][0].bytes

    assert simulate(main) == (True, 10_000, TCP.segment)


def test_a_jump_of_the_latency_repeats_nothing_and_holds_up_what_is_new(simulate: Simulate) -> None:
    """The RTO passes without need: the congestion window is one packet until the first acknowledgement is there."""

    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        began = now()
        for direction in BOTH:
            scene.add("latency", direction, latency=1400)
        client.write(b"before")
        await asyncio.sleep(1)
        client.write(b" after")
        await asyncio.sleep(20)
        client.write(b" later")
        await asyncio.sleep(1.3)
        client.write(b"!")
        await asyncio.sleep(20)
        return bytes(server.got), [time - began for time in server.times]

    got, times = simulate(main)
    assert got == b"before after later!"
    assert times == [at_once(1.4), at_once(2.8 + 1.4), at_once(21 + 1.4), at_once(22.3 + 1.4)]


def test_a_silent_path_is_given_up_after_the_retries_of_the_kernel(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effects = silence(scene)
        await asyncio.sleep(100)  # an idle connection notices nothing
        began = now()
        client.write(b"x")
        await asyncio.sleep(500)
        scene.add("latency", latency=5)  # changes nothing
        await asyncio.sleep(1000)
        took = client.times[-1] - began
        heal(scene, effects)
        await settle()
        half_open = list(server.log)
        server.write(b"is anybody there?")
        await asyncio.sleep(1)
        return client.log, took, half_open, server.log, scene.path.connections

    log, took, half_open, after, connections = simulate(main)
    assert log == [TIMED_OUT]
    assert took == pytest.approx(GIVE_UP, abs=1)
    assert (half_open, after, connections) == ([], [RESET], [])


def test_the_kernels_settings_decide_when_it_tries_again_and_when_no_more(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effects = silence(scene)
        client.write(b"x")
        await asyncio.sleep(4.1)
        heal(scene, effects)
        await asyncio.sleep(5)
        heard = server.times[0]
        silence(scene)
        began = now()
        client.write(b"x")
        await asyncio.sleep(60)
        return heard, client.times[-1] - began

    # Tries at 0.5, 1.5, 3.5, 5.5 ... s; 4 retries are 0.5 + 1 + 2 + 2 + 2 s.
    heard, gave_up = simulate(main, Tcp(rto_min=0.5, rto_max=2, retries=4))
    assert (heard, gave_up) == (at_once(5.5), at_once(7.5))


def test_a_silence_that_healed_counts_for_nothing_in_the_next(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, _ = await scene.connect()
        for _ in range(2):
            effects = silence(scene)
            client.write(b"x")
            await asyncio.sleep(700)
            heal(scene, effects)
            await asyncio.sleep(120)
        return client.log

    assert simulate(main) == []


def test_a_back_off_starts_over_once_the_peer_was_heard(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        for outage in (20, 0.3):
            effects = silence(scene)
            client.write(b"x")
            began = now()
            await asyncio.sleep(outage)
            heal(scene, effects)
            await asyncio.sleep(30)
        return server.times[-1] - began

    assert simulate(main) == at_once(0.6)


# Ends


def test_a_lost_end_is_sent_again_and_comes_once_after_the_bytes(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effects = silence(scene, "upstream")
        client.write(b"one")
        await asyncio.sleep(1)
        client.write(b"two")
        client.transport.abort()
        await asyncio.sleep(1)
        before = list(server.log)
        heal(scene, effects)
        await asyncio.sleep(10)
        return before, bytes(server.got), server.endings, effects[0][0].bytes, scene.path.connections

    assert simulate(main) == ([], b"onetwo", [FIN, CLEAN], 3, [])


def test_an_end_whose_acknowledgement_was_lost_is_told_once(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network, keep_open=True)
        client, server = await scene.connect()
        effects = silence(scene, "downstream")
        client.transport.write_eof()
        await asyncio.sleep(5)
        heal(scene, effects)
        await asyncio.sleep(10)
        server.transport.close()
        client.transport.close()
        await settle()
        return server.log, scene.path.connections

    assert simulate(main) == ([FIN, CLEAN], [])


def test_bytes_that_were_sent_before_a_reset_are_read_before_it(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, server = await Scene(network).connect()
        client.transport.pause_reading()
        server.write(b"unread")
        await settle()
        client.write(b"x" * 500)
        client.transport.abort()  # with unread bytes
        await settle()
        return server.log, len(server.got)

    assert simulate(main) == ([("data", None), RESET], 500)


def test_a_reset_throws_away_what_was_not_sent(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, server = await Scene(network).connect()
        client.transport.pause_reading()
        server.transport.pause_reading()
        server.write(b"unread")
        await fill(client)
        client.transport.abort()
        await settle()
        server.transport.resume_reading()
        await settle()
        return server.endings, len(server.got)

    assert simulate(main, FIXED) == ([RESET], TCP.receive_buffer)


def test_a_reset_that_is_lost_is_not_repeated_and_comes_when_the_peer_speaks(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        server.write(b"unread")
        client.transport.pause_reading()
        await settle()
        effects = silence(scene, "upstream")
        client.transport.close()
        await asyncio.sleep(5)
        heal(scene, effects)
        await asyncio.sleep(300)
        before = list(server.log)
        server.write(b"is anybody there?")
        await settle()
        return before, server.log, scene.path.connections

    assert simulate(main) == ([], [RESET], [])


def test_a_blackhole_is_silent_while_it_lasts_and_ends_its_connections_as_it_heals(
    simulate: Simulate,
) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        effects = silence(scene, "upstream", kind="blackhole")
        client.write(b"x" * 2 * BUFFERS)
        await asyncio.sleep(1)
        kept = client.transport.get_write_buffer_size()
        before = client.endings + server.endings
        heal(scene, effects)
        await settle()
        effect = effects[0][0]
        return kept, before, server.log, client.endings, effect.bytes, effect.ends, scene.path.connections

    assert simulate(main) == (
        2 * BUFFERS - TCP.send_buffer,
        [],
        [FIN, CLEAN],
        [FIN, CLEAN],
        TCP.send_buffer,
        1,
        [],
    )


def test_the_farewell_of_a_closed_socket_is_given_up_earlier(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        silence(scene)
        client.transport.close()
        server.transport.close()
        await asyncio.sleep(100)
        before = len(scene.path.connections)
        await asyncio.sleep(3)
        return before, scene.path.connections, scene.path.disable()

    assert simulate(main) == (1, [], 0)


# Buffers


def test_a_peer_that_reads_nothing_is_alive_however_long_it_takes(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, server = await Scene(network).connect()
        server.transport.pause_reading()
        await fill(client)
        await asyncio.sleep(3600)
        alive = client.endings == []
        server.transport.resume_reading()
        await settle()
        client.write(b"x")
        await settle()
        return alive, len(server.got)

    assert simulate(main, FIXED) == (True, BUFFERS + 1)


def test_room_that_nobody_could_tell_of_is_found_by_a_probe(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        server.transport.pause_reading()
        await fill(client)
        effects = silence(scene, "downstream")
        server.transport.resume_reading()
        await asyncio.sleep(5)
        stopped = len(server.got)
        heal(scene, effects)
        await asyncio.sleep(10)
        return stopped, len(server.got)

    assert simulate(main, FIXED) == (TCP.receive_buffer, BUFFERS)


def test_a_long_fat_path_is_not_throttled_by_buffers(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        scene.path.latency = 0.05
        client, server = await scene.connect()
        client.write(b"x" * 20_000_000)
        await asyncio.sleep(2)
        grown = len(server.got)
        await asyncio.sleep(60)
        return grown, len(server.got)

    grown, whole = simulate(main)
    assert grown > 10_000_000  # with 84 kB a round trip it would be 2 MB
    assert whole == 20_000_000
    assert simulate(main, FIXED)[0] <= 21 * TCP.send_buffer


# Options of a socket


def test_a_user_timeout_ends_a_connection_whose_bytes_are_not_acknowledged(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, _ = await scene.connect()
        option(client, socket.TCP_USER_TIMEOUT, 5000)
        silence(scene)
        await asyncio.sleep(100)
        idle = list(client.log)
        began = now()
        client.write(b"x")
        await asyncio.sleep(100)
        return idle, client.log, client.times[-1] - began

    assert simulate(main) == ([], [TIMED_OUT], at_once(RTO + 5))


def test_a_cap_on_the_rto_notices_a_healed_outage_within_it(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        option(client, TCP_RTO_MAX_MS, 1000)
        effects = silence(scene)
        client.write(b"x")
        await asyncio.sleep(10)
        heal(scene, effects)
        await asyncio.sleep(10)
        return server.times[0]

    assert simulate(main) == at_once(10.4)  # after 0.2, 0.6, 1.4, 2.4 ... s


def test_under_a_cap_on_the_rto_fifteen_retries_are_soon_spent(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, _ = await scene.connect()
        option(client, TCP_RTO_MAX_MS, 1000)
        silence(scene)
        client.write(b"x")
        await asyncio.sleep(100)
        return client.log, client.times[-1]

    assert simulate(main) == ([TIMED_OUT], at_once(14.4))  # 0.2 + 0.4 + 0.8 s, and 13 times 1 s


def test_a_socket_tells_how_often_in_a_row_it_has_sent_again_in_vain(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, _ = await scene.connect()
        effects = silence(scene)
        told = [tries_in_vain(client)]
        client.write(b"x")
        for seconds in (0.1, 0.2, 0.4, 0.8):  # tries come after 0.2, 0.6 and 1.4 s
            await asyncio.sleep(seconds)
            told.append(tries_in_vain(client))
        heal(scene, effects)
        await asyncio.sleep(1.4)
        told.append(tries_in_vain(client))
        await asyncio.sleep(0.2)
        return [*told, tries_in_vain(client)]

    assert simulate(main) == [0, 0, 1, 2, 3, 3, 0]


def test_keepalive_finds_out_about_a_silent_path_and_leaves_a_living_one_alone(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        option(client, socket.SO_KEEPALIVE, 1, socket.SOL_SOCKET)
        for name, value in (
            (socket.TCP_KEEPIDLE, 10),
            (socket.TCP_KEEPINTVL, 3),
            (socket.TCP_KEEPCNT, 2),
        ):
            option(client, name, value)
        await asyncio.sleep(1000)
        alive = list(client.log)
        server.write(b"x")
        await settle()
        began = now()
        silence(scene, "downstream")
        await asyncio.sleep(1000)
        return alive, client.log[-1], client.times[-1] - began, server.log

    alive, end, took, server = simulate(main)
    assert (alive, end, server) == ([], TIMED_OUT, [])
    assert took == at_once(10 + 2 * 3)


def test_keepalive_learns_from_a_reset_that_the_peer_is_gone(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, server = await scene.connect()
        client.write(b"unread")
        server.transport.pause_reading()
        await settle()
        effects = silence(scene)
        server.transport.abort()  # its reset is lost
        await settle()
        heal(scene, effects)
        option(client, socket.TCP_KEEPIDLE, 10)
        option(client, socket.SO_KEEPALIVE, 1, socket.SOL_SOCKET)
        await asyncio.sleep(11)
        return client.log, client.times[-1]

    log, when = simulate(main)
    assert (log, when) == ([RESET], at_once(10))


def test_an_option_is_what_was_set_or_linuxs_default(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, _ = await Scene(network).connect()
        option(client, socket.TCP_NODELAY, 0)
        ours: Any = client.transport.get_extra_info("socket")
        return (
            ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
            ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
            (ours.family, ours.type, ours.getpeername()),
        )

    assert simulate(main) == (0, 7200, (socket.AF_INET, socket.SOCK_STREAM, ("proxy", 80)))


def test_an_option_that_is_not_modelled_and_a_value_that_linux_refuses_are_errors(simulate: Simulate) -> None:
    async def main(network: Network) -> None:
        client, _ = await Scene(network).connect()
        with pytest.raises(SimulationError, match="socket option"):
            option(client, socket.SO_SNDBUF, 4096, socket.SOL_SOCKET)
        with pytest.raises(SimulationError, match="file number"):
            client.transport.get_extra_info("socket").fileno()
        with pytest.raises(OSError, match="takes 1000 to 120000, not 999"):
            option(client, TCP_RTO_MAX_MS, 999)

    simulate(main)


# Loss


def test_loss_costs_time_and_never_bytes(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        scene.path.latency = 0.02
        client, server = await scene.connect()
        effect = scene.add("loss", percent=5)
        sent = b""
        for number in range(900):
            message = bytes([number % 251]) * 6000
            client.write(message)
            sent += message
            await asyncio.sleep(1 / 30)
        await asyncio.sleep(10)
        gaps = sorted(b - a for a, b in pairwise(server.times))
        return server.got == sent, effect.bytes / len(sent), gaps[len(gaps) // 2], gaps[-1]

    complete, share, median, longest = simulate(main)
    assert complete
    assert 0.03 < share < 0.07
    assert median == pytest.approx(1 / 30, abs=0.002)
    assert 0.06 < longest < 1


@pytest.mark.parametrize(
    ("draws", "second", "arrives"),
    [
        ((0, 0.9), None, 0.04 + 0.2 + 0.02),  # nothing shows the gap: an RTO
        ((0, 0, 0.9), None, 3 * (0.04 + 0.2) + 0.02),  # lost again: and another, twice as long
        ((0, 0.9), 0.01, 0.01 + 1.25 * 0.04 + 0.02),  # the next message shows it, and is acknowledged
    ],
)
def test_a_lost_packet_costs_a_round_trip_where_later_ones_show_the_gap_and_else_an_rto(
    simulate: Simulate, draws: tuple[float, ...], second: float | None, arrives: float
) -> None:
    async def main(network: Network) -> Any:
        network.rng = Draws(*draws)
        scene = Scene(network)
        scene.path.latency = 0.02
        client, server = await scene.connect()
        began = now()
        scene.add("loss", percent=50)
        client.write(b"x" * 100)
        if second is not None:
            await asyncio.sleep(second)
            client.write(b"y" * 100)
        await asyncio.sleep(5)
        return server.times[0] - began, server.sizes

    took, sizes = simulate(main)
    assert took == pytest.approx(arrives, abs=0.001)
    assert sizes == ([100] if second is None else [200])


def test_a_packet_lost_amid_a_message_delays_it_by_a_round_trip(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        network.rng = Draws(0, 0.9, 0.9)  # the first of three
        scene = Scene(network)
        scene.path.latency = 0.02
        client, server = await scene.connect()
        began = now()
        effect = scene.add("loss", percent=50)
        client.write(b"x" * 4000)
        await asyncio.sleep(5)
        return server.times[0] - began, effect.bytes

    assert simulate(main) == (pytest.approx(1.25 * 0.04 + 0.02, abs=0.001), TCP.segment)


def test_a_path_that_loses_everything_is_silent(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, _ = await scene.connect()
        effect = scene.add("loss", percent=100)
        client.write(b"x")
        await asyncio.sleep(1000)
        with pytest.raises(TimeoutError):
            await scene.connect()
        return client.log, effect.bytes, effect.unanswered

    assert simulate(main) == ([TIMED_OUT], 1, 11)


def test_a_lost_packet_of_a_handshake_is_sent_again(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        scene.add("loss", percent=40)
        took = []
        for _ in range(30):
            began = now()
            await scene.connect()
            took.append(round(now() - began))
        return took

    assert {0, 1, 2} < set(simulate(main))
