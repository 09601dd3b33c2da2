"""A recording sent to a server, on virtual time, over the network in memory."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from chaos.commands.sending import TrackerRetries
from simulator.loop import VirtualLoop
from simulator.network import Network
from simulator.pose_sender import CannotSendError, PosesToSend, Totals, opened, send_poses
from simulator.recording import write_recording

URL = "ws://127.0.0.1:9000/ws/pose/"
START = 1_763_062_977_000

Handler = Callable[[ServerConnection], Awaitable[None]]


def recording(folder: Path, *timestamps: Any) -> Path:
    path = folder / "poses.jsonl"
    write_recording(
        path, (b'{"type":"pose","landmarks":[0],"timestamp":%s}' % str(t).encode() for t in timestamps)
    )
    return path


def on_virtual_time(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Network(Random(1)))) as runner:
        runner.run(main())


async def played(plan: PosesToSend, said: list[str] | None = None) -> Totals:
    totals = Totals()
    say = (lambda _: None) if said is None else said.append
    await send_poses(plan, opened(plan), totals, retries=TrackerRetries(Random(1)), say=say)
    return totals


class Arrivals:
    """A server's handler that notes when each message came."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.messages: list[str] = []

    async def __call__(self, connection: ServerConnection) -> None:
        async for message in connection:
            self.times.append(asyncio.get_running_loop().time())
            self.messages.append(str(message))

    @property
    def gaps(self) -> list[float]:
        return [round(b - a, 3) for a, b in zip(self.times, self.times[1:], strict=False)]


@pytest.mark.parametrize(
    "timestamps",
    [
        (START, START + 40, START + 540),
        (START / 1000, START / 1000 + 0.04, START / 1000 + 0.54),
        tuple(f'"2025-11-13T19:42:57.{ms}Z"' for ms in ("000", "040", "540")),
    ],
    ids=["milliseconds", "seconds", "ISO"],
)
@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_messages_leave_at_the_recorded_pace(
    tmp_path: Path, timestamps: tuple[Any, ...], speed: float
) -> None:
    arrivals = Arrivals()

    async def run() -> None:
        async with serve(arrivals, "127.0.0.1", 9000):
            await asyncio.sleep(50)  # the loop's clock is no part of the recording's
            totals = await played(PosesToSend(recording(tmp_path, *timestamps), URL, speed))
        assert (totals.sent, totals.connections, totals.closed) == (3, 1, True)
        assert totals.latest < 0.001
        assert totals.seconds == pytest.approx(0.54 / speed, abs=0.001)

    on_virtual_time(run)
    assert arrivals.gaps == [0.04 / speed, 0.5 / speed]


def test_a_message_that_met_the_end_of_a_connection_is_sent_over_the_next(tmp_path: Path) -> None:
    arrivals = Arrivals()
    said: list[str] = []

    async def first_then_none(connection: ServerConnection) -> None:
        if not arrivals.messages:
            arrivals.messages.append(str(await connection.recv()))
            await connection.close(1012)
            return
        await arrivals(connection)

    async def run() -> None:
        async with serve(first_then_none, "127.0.0.1", 9000):
            totals = await played(
                PosesToSend(recording(tmp_path, START, START + 5000, START + 5040), URL), said
            )
        assert (totals.sent, totals.connections) == (3, 2)

    on_virtual_time(run)
    assert [message[-14:-1] for message in arrivals.messages] == [str(START + n) for n in (0, 5000, 5040)]
    assert arrivals.gaps == [0.04]
    assert [line.partition(";")[0] for line in said] == [
        "connected to ws://127.0.0.1:9000/ws/pose/",
        "the connection ended (1012)",
        "connected to ws://127.0.0.1:9000/ws/pose/",
    ]


def test_while_nobody_listens_it_tries_again_with_a_pause(tmp_path: Path) -> None:
    arrivals = Arrivals()

    async def run() -> None:
        playing = asyncio.create_task(played(PosesToSend(recording(tmp_path, START), URL)))
        await asyncio.sleep(3)
        async with serve(arrivals, "127.0.0.1", 9000):
            totals = await playing
        assert totals.sent == 1
        assert 1 <= totals.refusals <= 20

    on_virtual_time(run)


def test_a_server_that_refuses_for_good_ends_it(tmp_path: Path) -> None:
    async def refuse(connection: ServerConnection, _: Request) -> Response:
        return connection.respond(404, "no\n")

    async def run() -> None:
        async with serve(Arrivals(), "127.0.0.1", 9000, process_request=refuse):
            totals = await played(PosesToSend(recording(tmp_path, START), URL))
        assert totals.refused_for_good == "HTTP 404: there is nothing at this path: check the URL"
        assert totals.sent == 0

    on_virtual_time(run)


def test_what_the_server_sends_is_read_however_much_it_is(tmp_path: Path) -> None:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            for _ in range(20):
                await connection.send(message)

    async def run() -> None:
        async with serve(echo, "127.0.0.1", 9000):
            totals = await played(PosesToSend(recording(tmp_path, *range(START, START + 60_000, 100)), URL))
        assert (totals.sent, totals.connections) == (600, 1)
        assert totals.heard > 10_000

    on_virtual_time(run)


def test_a_loop_goes_on_until_it_is_cancelled_and_then_closes(tmp_path: Path) -> None:
    arrivals = Arrivals()
    codes = []

    async def note_the_end(connection: ServerConnection) -> None:
        await arrivals(connection)
        codes.append(connection.close_code)

    async def run() -> None:
        plan = PosesToSend(recording(tmp_path, START, START + 100), URL, loop=True)
        async with serve(note_the_end, "127.0.0.1", 9000):
            playing = asyncio.create_task(played(plan))
            await asyncio.sleep(1.05)
            playing.cancel()
            await asyncio.wait([playing])
        assert playing.cancelled()

    on_virtual_time(run)
    assert arrivals.gaps == [0.1] * 10
    assert codes == [1001]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"speed": 0.0}, "--speed is 0: it must be a positive number, 1 for the recorded pace"),
        ({"url": "http://x"}, "--to is 'http://x': scheme isn't ws or wss: give a ws:// or wss:// URL"),
        ({"path": Path("absent.jsonl")}, "absent.jsonl: cannot be opened"),
        ({"path": Path("/dev/zero")}, "it is a device, and not a regular file"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_one_line(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    asked = {"path": recording(tmp_path, START), "url": URL, **change}
    with pytest.raises(CannotSendError) as caught:
        opened(PosesToSend(**asked))
    assert said in str(caught.value)


def test_a_recording_that_is_broken_in_the_middle_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    path = recording(tmp_path, START, START + 1)
    path.write_bytes(path.read_bytes() + b"{oops\n")
    with pytest.raises(CannotSendError, match=r"poses.jsonl:3:"):
        opened(PosesToSend(path, URL))
