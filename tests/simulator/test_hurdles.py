"""What looks at each segment: sizes, bursts of loss, queues, idle time, and addresses that are not the client's any more."""

import asyncio

import pytest

from simulator.channel import LATENCY
from simulator.network import Network
from simulator.tcp import Tcp
from tests.simulator.conftest import Simulate
from tests.simulator.ends import FIN, RESET, RTO, Scene, at_once, now, option, settle

CLOSED = ("lost", None)


# A black hole for what is large


def test_what_is_small_passes_a_path_that_loses_what_is_large(simulate: Simulate) -> None:
    async def main(network: Network) -> bytes:
        scene = Scene(network)
        scene.add("cut_after", bytes=100)
        client, server = await scene.connect()
        client.write(b"x" * 100)
        await settle()
        return bytes(server.got)

    assert simulate(main) == b"x" * 100


def test_what_is_large_never_passes_and_all_that_follows_waits_for_it(simulate: Simulate) -> None:
    async def main(network: Network) -> tuple[int, int]:
        scene = Scene(network)
        effect = scene.add("cut_after", bytes=100)
        client, server = await scene.connect()
        client.write(b"x" * 101)
        client.write(b"small")
        await asyncio.sleep(60)
        assert effect.silenced == [pytest.approx(2 * LATENCY)]
        return len(server.got), effect.bytes

    assert simulate(main) == (0, 101)


def test_what_was_too_large_comes_with_the_next_try_once_the_path_is_wide_again(simulate: Simulate) -> None:
    async def main(network: Network) -> tuple[float, bytes]:
        scene = Scene(network)
        effect = scene.add("cut_after", bytes=100)
        client, server = await scene.connect()
        began = now()
        client.write(b"x" * 200)
        await asyncio.sleep(1)
        scene.path.remove(effect, "upstream")
        await asyncio.sleep(1)
        return server.times[0] - began, bytes(server.got)

    # After 0.2, 0.6 and 1.4 s; the last is the first to find it healed.
    assert simulate(main) == (at_once(RTO * 7), b"x" * 200)


def test_a_narrow_rate_does_not_cut_what_is_large_into_what_passes(simulate: Simulate) -> None:
    async def main(network: Network) -> int:
        scene = Scene(network)
        scene.add("bandwidth", rate=1)
        scene.add("cut_after", bytes=1000)
        client, server = await scene.connect()
        client.write(b"x" * 1001)
        await asyncio.sleep(30)
        return len(server.got)

    assert simulate(main) == 0


# A burst of loss


@pytest.mark.parametrize(("losses", "silence"), [(1, RTO), (2, 3 * RTO), (3, 7 * RTO)])
def test_a_burst_is_a_silence_of_rtos_that_double_and_then_all_of_it_comes(
    simulate: Simulate, losses: int, silence: float
) -> None:
    async def main(network: Network) -> tuple[float, bytes]:
        scene = Scene(network)
        scene.add("rto", losses=losses)
        client, server = await scene.connect()
        began = now()
        for number in range(10):
            client.write(bytes([number]))
            await asyncio.sleep(0.01)
        await asyncio.sleep(10)
        return server.times[0] - began, bytes(server.got)

    assert simulate(main) == (at_once(silence), bytes(range(10)))


def test_a_burst_strikes_each_connection_once(simulate: Simulate) -> None:
    async def main(network: Network) -> list[float]:
        scene = Scene(network)
        scene.add("rto", losses=1)
        took = []
        for _ in range(2):
            client, server = await scene.connect()
            for _ in range(2):
                began = now()
                client.write(b"x")
                await asyncio.sleep(2)
                took.append(server.times[-1] - began)
        return took

    assert simulate(main) == [at_once(RTO), at_once(0), at_once(RTO), at_once(0)]


def test_a_burst_that_is_healed_loses_no_more(simulate: Simulate) -> None:
    async def main(network: Network) -> float:
        scene = Scene(network)
        effect = scene.add("rto", losses=10)
        client, server = await scene.connect()
        began = now()
        client.write(b"x")
        await asyncio.sleep(0.5)
        scene.path.remove(effect, "upstream")
        await asyncio.sleep(2)
        return server.times[0] - began

    assert simulate(main) == at_once(3 * RTO)


# A queue before a rate


def test_the_round_trip_grows_with_what_waits_in_the_queue(simulate: Simulate) -> None:
    async def main(network: Network) -> list[float]:
        scene = Scene(network)
        scene.add("bufferbloat", rate=100, buffer=500)
        client, server = await scene.connect()
        took = []
        for before in (0, 10_000, 40_000):
            client.write(b"x" * before)
            began = now()
            client.write(b"!")
            await asyncio.sleep(2)
            took.append(server.times[-1] - began)
        return took

    assert simulate(main) == [at_once(0), at_once(0.1), at_once(0.4)]


def test_what_finds_no_room_in_the_queue_is_lost_and_sent_again(simulate: Simulate) -> None:
    async def main(network: Network) -> tuple[bytes, int]:
        scene = Scene(network)
        scene.add("bufferbloat", rate=100, buffer=20)
        client, server = await scene.connect()
        for number in range(60):
            client.write(bytes([number]) * 1000)
        stream = client.transport._out
        await settle()
        lost = sum(len(segment.data) for segment in stream._lost)  # type: ignore[attr-defined]
        await asyncio.sleep(10)
        return bytes(server.got), lost

    got, lost = simulate(main)
    assert got == b"".join(bytes([number]) * 1000 for number in range(60))
    assert lost == 40_000


def test_an_acknowledgement_waits_behind_the_data_of_its_direction(simulate: Simulate) -> None:
    async def main(network: Network) -> float:
        scene = Scene(network)
        scene.add("bufferbloat", "downstream", rate=10, buffer=500)
        client, server = await scene.connect()
        server.write(b"x" * 10_000)
        await settle()
        return client.transport._out._back.delay  # type: ignore[attr-defined,no-any-return]

    assert simulate(main) == pytest.approx(1, abs=0.15)


def test_of_what_is_larger_than_the_room_that_is_left_the_begin_passes_and_the_rest_is_sent_again(
    simulate: Simulate,
) -> None:
    async def main(network: Network) -> bytes:
        scene = Scene(network)
        scene.add("bufferbloat", rate=100, buffer=20)
        client, server = await scene.connect()
        client.write(b"a" * 1000)
        client.write(b"b" * 30_000)
        client.write(b"c")
        await asyncio.sleep(10)
        return bytes(server.got)

    assert simulate(main) == b"a" * 1000 + b"b" * 30_000 + b"c"


# Idle connections


def test_an_idle_connection_gets_fin_on_both_sides(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        scene = Scene(network)
        scene.path.cut_idle(2000, silently=False)
        began = now()
        client, server = await scene.connect()
        await asyncio.sleep(3)
        return client.endings, server.endings, client.times[0] - began

    assert simulate(main) == ([FIN, CLOSED], [FIN, CLOSED], at_once(2))


@pytest.mark.parametrize("talks", ["client", "server"])
def test_a_word_in_either_direction_keeps_the_connection(simulate: Simulate, talks: str) -> None:
    async def main(network: Network) -> object:
        scene = Scene(network)
        hop = scene.path.cut_idle(2000, silently=False)
        client, server = await scene.connect()
        for _ in range(5):
            await asyncio.sleep(1.9)
            (client if talks == "client" else server).write(b".")
        return client.endings, hop.idle, hop.watched

    assert simulate(main) == ([], at_once(1.9), 1)


def test_a_probe_of_tcps_keepalive_keeps_the_connection(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        import socket  # noqa: PLC0415

        scene = Scene(network)
        scene.path.cut_idle(2000, silently=False)
        client, _ = await scene.connect()
        option(client, socket.TCP_KEEPIDLE, 1)
        option(client, socket.TCP_KEEPINTVL, 1)
        option(client, socket.SO_KEEPALIVE, 1, socket.SOL_SOCKET)
        await asyncio.sleep(20)
        return client.endings

    assert simulate(main) == []


def test_idle_time_counts_from_the_begin_of_the_fault(simulate: Simulate) -> None:
    async def main(network: Network) -> float:
        scene = Scene(network)
        client, _ = await scene.connect()
        await asyncio.sleep(5)
        began = now()
        scene.path.cut_idle(2000, silently=False)
        await asyncio.sleep(3)
        return client.times[0] - began

    assert simulate(main) == at_once(2)


def test_a_forgotten_connection_hears_nothing_any_more_until_the_hop_is_there_no_longer(
    simulate: Simulate,
) -> None:
    async def main(network: Network) -> object:
        scene = Scene(network)
        hop = scene.path.cut_idle(2000, silently=True)
        client, server = await scene.connect()
        await asyncio.sleep(3)
        client.write(b"hello?")
        server.write(b"hello!")
        await asyncio.sleep(5)
        silent = client.log + server.log
        scene.path.forget_hop(hop)
        await settle()
        return silent, client.endings, server.endings, len(hop.silenced), hop.ends

    assert simulate(main) == ([], [RESET], [RESET], 1, 1)


def test_a_hop_that_goes_leaves_alone_what_it_had_not_cut(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        scene = Scene(network)
        hop = scene.path.cut_idle(2000, silently=True)
        client, server = await scene.connect()
        await asyncio.sleep(1)
        scene.path.forget_hop(hop)
        await asyncio.sleep(10)
        client.write(b"well")
        await settle()
        return client.endings, bytes(server.got)

    assert simulate(main) == ([], b"well")


def test_of_two_hops_the_less_patient_one_cuts(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        scene = Scene(network)
        patient, hasty = scene.path.cut_idle(9000, silently=True), scene.path.cut_idle(1000, silently=True)
        client, _ = await scene.connect()
        await asyncio.sleep(5)
        scene.path.forget_hop(patient)
        still = list(client.log)
        scene.path.forget_hop(hasty)
        await settle()
        return still, client.endings

    assert simulate(main) == ([], [RESET])


# Half an end


def test_a_fin_on_the_way_down_leaves_the_way_up_open(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        scene = Scene(network, keep_open=True)
        client, server = await scene.connect()
        effect = scene.path.half_close("downstream")
        await settle()
        client.write(b"up")
        server.write(b"down")
        await settle()
        return client.log, bytes(server.got), server.endings, effect.ends, effect.bytes

    assert simulate(main) == ([FIN], b"up", [], 1, 4)


def test_who_answers_half_an_end_with_an_end_of_its_own_is_heard(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        scene = Scene(network)
        client, server = await scene.connect()
        scene.path.half_close("downstream")
        await settle()
        return client.endings, server.endings, scene.path.connections

    assert simulate(main) == ([FIN, CLOSED], [FIN, CLOSED], [])


def test_half_an_end_is_for_those_who_are_there(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        scene = Scene(network)
        scene.path.half_close("downstream")
        client, server = await scene.connect()
        server.write(b"down")
        await settle()
        return bytes(client.got)

    assert simulate(main) == b"down"


# Another address


def test_the_next_packet_from_another_address_is_answered_by_a_reset_and_the_peer_hears_nothing(
    simulate: Simulate,
) -> None:
    async def main(network: Network) -> object:
        scene = Scene(network)
        client, server = await scene.connect()
        effect = scene.path.rebind()
        server.write(b"to the old address")
        await asyncio.sleep(5)
        before = list(client.log)
        client.write(b"from the new one")
        await settle()
        return before, client.endings, server.log, effect.ends

    assert simulate(main) == ([], [RESET], [], 1)


def test_a_connection_that_is_made_after_the_address_changed_is_fine(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        scene = Scene(network)
        await scene.connect()
        scene.path.rebind()
        client, server = await scene.connect()
        client.write(b"new")
        await settle()
        return bytes(server.got), client.endings

    assert simulate(main) == (b"new", [])


def test_an_address_that_changes_twice_ends_a_connection_once(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        scene = Scene(network)
        await scene.connect()
        return scene.path.rebind().ends, scene.path.rebind().ends

    assert simulate(main) == (1, 0)


def test_the_peer_of_a_client_with_another_address_gives_up_when_its_kernel_does(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        scene = Scene(network)
        client, server = await scene.connect()
        scene.path.rebind()
        client.write(b"x")
        server.write(b"x")
        await asyncio.sleep(100)
        return server.endings, scene.path.connections

    assert simulate(main, Tcp(retries=3)) == ([("lost", "TimeoutError")], [])
