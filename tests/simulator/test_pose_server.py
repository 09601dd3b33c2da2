"""The mock peer's misdeeds, each as a client meets it."""

import asyncio
import json
from collections.abc import Callable
from itertools import repeat
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from simulator import events
from simulator.admission import Refusal
from simulator.controls import Control
from simulator.pose_server import STOP_WITHIN
from simulator.sender import numbered
from tests.simulator.served import Serve, Served, is_answered


def test_a_muted_peer_reads_and_answers_no_ping_until_it_is_healed(served: Serve) -> None:
    async def main(peer: Served) -> None:
        old, input_client = await peer.connect(), await peer.connect("input")
        heal = peer.server.manners["output"].muted.begin(None)
        new = await peer.connect()
        await old.send("hello")
        assert await is_answered(input_client)
        assert [await is_answered(old), await is_answered(new)] == [False, False]
        assert any(isinstance(event, events.Unreadable) for event in peer.seen)
        heal()
        assert await is_answered(old)
        assert peer.misdeeds() == [("mute_pong", "output", 1), ("mute_pong", "output", 3)]

    served(main)


def test_a_peer_that_stops_reading_pushes_back_and_takes_all_of_it_later(served: Serve) -> None:
    async def main(peer: Served) -> None:
        client = await peer.connect()
        heal = peer.server.stop_reading("output")
        late = await peer.connect()
        await late.send("late")
        sending = asyncio.create_task(_send_many(client, 100))
        await asyncio.sleep(5)
        assert not sending.done()
        assert not any(isinstance(event, events.Unreadable) for event in peer.seen)
        heal()
        await sending
        assert await is_answered(client)
        assert sum(isinstance(event, events.Unreadable) for event in peer.seen) == 101
        assert peer.misdeeds() == [("stop_reading", "output", 1), ("stop_reading", "output", 2)]

    served(main)


async def _send_many(client: ClientConnection, count: int) -> None:
    for _ in range(count):
        await client.send("x" * 20_000)


def test_a_refusal_turns_newcomers_away_and_leaves_the_others(served: Serve) -> None:
    async def main(peer: Served) -> None:
        old = await peer.connect()
        heal = peer.server.door.keep("output", Refusal(499))  # not a registered status
        with pytest.raises(InvalidStatus) as refused:
            await peer.connect()
        assert refused.value.response.status_code == 499
        assert "Retry-After" not in refused.value.response.headers
        assert await is_answered(old)
        await peer.connect("input")
        heal()
        await peer.connect()
        assert peer.misdeeds() == [("refuse", "output", 0)]

    served(main)


def test_a_refusal_asks_for_whole_seconds_of_patience_and_says_what_it_asked(served: Serve) -> None:
    async def main(peer: Served) -> None:
        peer.server.door.keep("control", Refusal(503, retry_after=2.1))
        with pytest.raises(InvalidStatus) as refused:
            await peer.connect("control")
        assert refused.value.response.headers["Retry-After"] == "3"
        (event,) = [e for e in peer.seen if isinstance(e, events.Misbehaved)]
        assert (event.link, event.retry_after) == ("control", 3.0)

    served(main)


def test_controls_go_to_everybody_on_the_control_link_or_on_the_input_and_are_reported(
    served: Serve,
) -> None:
    async def main(peer: Served) -> None:
        one, two, feed = [await peer.connect(link) for link in ("control", "control", "input")]
        peer.server.send_control(Control("update_parameters", touch_duration=0.5, nested=True), "control")
        peer.server.send_control(Control("stop"), "input")
        for client in one, two:
            assert await client.recv() == '{"type":"update_parameters","parameters":{"touch_duration":0.5}}'
        assert '{"type":"stop"}' in [await feed.recv() for _ in range(2)]
        offered = [e for e in peer.seen if isinstance(e, events.ControlOffered)]
        assert [(e.link, e.connection, e.kind, e.touch_duration) for e in offered] == [
            ("control", 1, "update_parameters", 0.5),
            ("control", 2, "update_parameters", 0.5),
            ("input", 3, "stop", None),
        ]

    served(main)


def test_a_reply_is_told_from_an_output_and_what_it_says_of_the_rules_is_reported(served: Serve) -> None:
    async def main(peer: Served) -> None:
        client = await peer.connect("output")
        for body in (
            '{"type":"output_paused","stream":"s","seq":1}',
            '{"type":"parameters_updated","touch_duration":0.5,"proximity_threshold":60,"stream":"s","seq":2}',
            '{"session":{"status":"started"},"stream":"s","seq":3}',
        ):
            await client.send(body)
        assert await is_answered(client)
        delivered = [(e.seq, e.reply) for e in peer.seen if isinstance(e, events.Delivered)]
        assert delivered == [(1, "output_paused"), (2, "parameters_updated"), (3, "")]
        (rules,) = [e for e in peer.seen if isinstance(e, events.Parameters)]
        assert (rules.seq, rules.touch_duration, rules.proximity_threshold) == (2, 0.5, 60.0)

    served(main)


def test_garbage_comes_between_the_frames_for_everybody_until_it_is_healed(served: Serve) -> None:
    async def main(peer: Served) -> list[bytes]:
        old = await peer.connect("input")
        heal = peer.server.litter("input", (b"bad %d" % n for n in range(100)), 0.25)
        await asyncio.sleep(0.3)
        new = await peer.connect("input")
        await asyncio.sleep(0.3)
        heal()
        await asyncio.sleep(1)
        assert [data for data in await _received(new) if data.startswith(b"bad")] == [b"bad 1"]
        assert [number for _, _, number in peer.misdeeds()] == [1, 1, 2]
        return await _received(old)

    received = served(main)
    assert [data for data in received if data.startswith(b"bad")] == [b"bad 0", b"bad 1"]
    assert [data for data in received if data.isdigit()][:16] == [b"%d" % n for n in range(16)]


async def _received(client: ClientConnection) -> list[bytes]:
    found = []
    try:
        async with asyncio.timeout(0.25):
            while True:
                found.append(await client.recv(decode=False))
    except (TimeoutError, ConnectionClosed):
        return found


def test_a_burst_sends_faster_and_skips_no_frame_on_the_way_in_or_out(served: Serve) -> None:
    async def main(peer: Served) -> list[float]:
        client = await peer.connect("input")
        receiving = asyncio.create_task(_receive(client, 40))
        await asyncio.sleep(0.95)
        peer.feed.set_pace(10)
        await asyncio.sleep(0.25)
        peer.feed.set_pace(1)
        return await receiving

    # Frame 10 at 1.0 s, as it was due; then one every 10 ms, until frame 31 at 1.21 s; then one every 100 ms.
    times = served(main)
    assert times == pytest.approx([n * 0.1 for n in range(10)] + [1 + n * 0.01 for n in range(21)] + [
        1.21 + n * 0.1 for n in range(9)
    ], abs=2e-3)  # fmt: skip


async def _receive(client: ClientConnection, count: int) -> list[float]:
    times = []
    for number in range(count):
        assert await client.recv(decode=False) == b"%d" % number
        times.append(asyncio.get_running_loop().time())
    return [t - times[0] for t in times]


def test_each_output_is_reported_with_its_pose_and_a_session_when_it_changes(served: Serve) -> None:
    def output(seq: int, status: str, x: float) -> str:
        place = {"x": x, "y": 0.0, "z": 0.0, "visibility": 0.0}
        holds = [{"id": "hold_1", "type": "start", "status": status, "time": None}]
        session = {"status": "started", "holds": holds}
        return json.dumps({"session": session, "pose": [place], "stream": "s", "seq": seq})

    async def main(peer: Served) -> None:
        client = await peer.connect()
        sent = [output(1, "untouched", 1.0), output(2, "untouched", 2.0), output(3, "touched", 3.0)]
        for each in (*sent, sent[0], sent[2]):  # the last two are repeats
            await client.send(each)
        assert await is_answered(client)
        poses = [event.pose for event in peer.seen if isinstance(event, events.Delivered)]
        assert poses == [2.0, 3.0, 4.0, None, None]
        shown = [event for event in peer.seen if isinstance(event, events.SessionShown)]
        assert [(event.seq, event.session.holds[0].status) for event in shown] == [
            (1, "untouched"),
            (3, "touched"),
        ]

    served(main)


def test_a_muted_peer_sends_all_but_pongs(served: Serve) -> None:
    async def main(peer: Served) -> list[bytes]:
        client = await peer.connect("input")
        first = await client.recv(decode=False)
        peer.server.manners["input"].muted.begin(None)
        async with asyncio.timeout(1):
            return [first, await client.recv(decode=False)]

    assert served(main) == [b"0", b"1"]


def test_a_peer_that_was_told_to_stop_reads_nothing_more_when_its_queue_has_run_low(served: Serve) -> None:
    async def main(peer: Served) -> list[int]:
        client = await peer.connect()

        heals: list[Callable[[], None]] = []

        def stop_at_the_first(event: events.AnyPeerEvent) -> None:
            if isinstance(event, events.Unreadable) and event is peer.told(events.Unreadable)[0]:
                heals.append(peer.server.stop_reading("output"))

        peer.react = stop_at_the_first
        for _ in range(40):  # they come together, and are more than the library lets wait
            await client.send("x")
        await asyncio.sleep(1)
        counts = [len(peer.told(events.Unreadable))]
        await client.send("late")
        await asyncio.sleep(5)
        counts.append(len(peer.told(events.Unreadable)))
        heals.pop()()
        await asyncio.sleep(1)
        return [*counts, len(peer.told(events.Unreadable))]

    assert served(main) == [40, 40, 41]


def test_an_echo_goes_to_everybody_and_to_the_sender_too(served: Serve) -> None:
    async def main(peer: Served) -> list[str | bytes]:
        peer.server.manners["output"].echoes.begin(None)
        one, two = await peer.connect(), await peer.connect()
        await one.send("hello")
        async with asyncio.timeout(1):
            return [await one.recv(), await two.recv()]

    assert served(main) == ["hello", "hello"]


def test_a_message_in_fragments_is_one_delivery(served: Serve) -> None:
    async def main(peer: Served) -> Any:
        client = await peer.connect()
        await client.send(['{"type":"output_paused",', '"stream":"s",', '"seq":1}'])
        assert await is_answered(client)
        return [(e.seq, e.size) for e in peer.told(events.Delivered)], peer.told(events.Unreadable)

    assert served(main) == ([(1, len('{"type":"output_paused","stream":"s","seq":1}'))], [])


def test_a_peer_that_dies_while_it_processes_a_message_has_not_acknowledged_it(served: Serve) -> None:
    async def main(peer: Served) -> None:
        client = await peer.connect()
        peer.react = lambda event: peer.server.abort() if isinstance(event, events.Delivered) else None
        await client.send('{"type":"output_paused","stream":"s","seq":1}')
        with pytest.raises(ConnectionClosed):
            await client.recv()

    served(main, confirm="ack")


def test_each_client_numbers_its_outputs_for_itself(served: Serve) -> None:
    async def main(peer: Served) -> list[tuple[int, bool]]:
        for query in (numbered("", 1), numbered("", 2), numbered("", 1)):
            client = await peer.connect(query=query)
            await client.send('{"type":"output_paused","stream":"s","seq":1}')
            assert await is_answered(client)
        return [(event.connection, event.repeat) for event in peer.told(events.Delivered)]

    assert served(main) == [(1, False), (2, False), (3, True)]


def test_a_client_of_the_feed_that_leaves_between_two_frames_is_gone_at_once(served: Serve) -> None:
    async def main(peer: Served) -> list[tuple[str, int]]:
        client = await peer.connect("input")
        await client.recv()
        await client.close(1001)
        await asyncio.sleep(1)
        return [(event.by, event.code) for event in peer.told(events.Ended)]

    assert served(main, interval=3600) == [("client", 1001)]


def test_a_close_that_the_peer_began_is_its_own_though_the_client_answered_it(served: Serve) -> None:
    async def main(peer: Served) -> list[tuple[str, int]]:
        client = await peer.connect()
        await peer.server.close_link("output", 1011)
        await client.wait_closed()
        await asyncio.sleep(1)
        return [(event.by, event.code) for event in peer.told(events.Ended)]

    assert served(main) == [("peer", 1011)]


def test_a_client_that_does_not_read_delays_the_stop_of_the_peer_by_seconds_only(served: Serve) -> None:
    async def main(peer: Served) -> float:
        client = await peer.connect("input")
        client.transport.pause_reading()
        peer.server.litter("input", repeat(b"x" * 1_000_000), 0.1)
        await asyncio.sleep(2)
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(600):
            await peer.server.stop()
        return asyncio.get_running_loop().time() - began

    assert served(main) <= STOP_WITHIN + 0.1


def test_an_end_tells_how_many_pings_came_over_the_connection(served: Serve) -> None:
    async def main(peer: Served) -> list[events.Ended]:
        for pings in (0, 2):
            client = await peer.connect()
            for _ in range(pings):
                await (await client.ping())
            await client.close()
        await asyncio.sleep(1)
        return peer.told(events.Ended)

    ends = served(main)
    assert [(end.pings, end.untaken) for end in ends] == [(0, 0.0), (2, 0.0)]


def test_an_end_tells_for_how_long_nothing_was_taken_of_what_the_peer_sent(served: Serve) -> None:
    async def main(peer: Served) -> events.Ended:
        client = await peer.connect()
        peer.server.manners["output"].echoes.begin(None)
        for _ in range(200):
            await client.send(bytes(100_000))  # what comes back is not read
        await asyncio.sleep(10)
        client.transport.abort()
        await asyncio.sleep(1)
        (ended,) = peer.told(events.Ended)
        return ended

    assert 10 <= served(main).untaken < 12
