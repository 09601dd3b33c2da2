"""Whatever a peer sends, on whichever link: it is counted, said at a bounded rate, skipped, and the work goes on."""

import asyncio
import contextlib
import logging
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from simulator.climber import generate_climb
from simulator.network import Network
from tests.tracker import hostile
from tests.tracker.conftest import (
    Record,
    Sink,
    endpoint,
    outputs,
    pipeline_of,
    quiet,
    running_with,
    virtual,
)
from tracker import events
from tracker.app import Tracker
from tracker.config import Confirm
from tracker.logs import EventLog
from tracker.messages import BadMessage, decode_control, decode_input, encode_ack

WallFiles = tuple[Path, Path, Path]
CLIMB = generate_climb(7)

# The same examples in every run, so that a red build is red for its reason.
examples = settings(derandomize=True, max_examples=100)


class Says:
    """A peer that says these to whoever comes, as text and as binary in turn, then `last` when it is told to."""

    def __init__(self, batch: list[bytes]) -> None:
        self.batch = batch
        self.last: asyncio.Queue[bytes] = asyncio.Queue()

    async def __call__(self, connection: ServerConnection) -> None:
        async def talk() -> None:
            with contextlib.suppress(ConnectionClosed):
                for number, body in enumerate(self.batch):
                    await connection.send(body, text=number % 2 == 0)
                while True:
                    await connection.send(await self.last.get(), text=True)

        talking = asyncio.create_task(talk(), name="the hostile peer talks")
        await quiet(connection)
        talking.cancel()
        await asyncio.wait([talking])


class Lines(logging.Handler):
    """What is said of the events, line by line."""

    def __init__(self, tracker: Tracker) -> None:
        super().__init__()
        self.said: list[str] = []
        logger = logging.Logger("a test's own", logging.INFO)  # noqa: LOG001 - forgotten with its tracker
        logger.addHandler(self)
        tracker._observers += (EventLog(logger).observe,)

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    @property
    def rejected(self) -> Counter[str]:
        """How many rejected messages they tell of, by reason."""
        told: Counter[str] = Counter()
        for line in self.said:
            if found := re.match(r"rejected link=\w+ reason=(\S+)", line):
                count = re.search(r" (?:times|others_of_its_kind)=(\d+) within=[\d.]+$", line)
                told[found[1]] += int(count[1]) if count else 1
        return told


def refusals(batch: list[bytes], decode: Callable[[bytes], object]) -> Counter[str]:
    """How many of these are refused, and why."""
    found: Counter[str] = Counter()
    for body in batch:
        try:
            decode(body)
        except BadMessage as bad:
            found[bad.reason] += 1
    return found


def counted(record: Record, link: str) -> Counter[str]:
    return Counter(event.reason for event in record.of(events.Rejected, link))


@examples
@given(batch=hostile.batches)
def test_no_message_of_the_input_stops_the_tracker_and_each_is_accounted_for(
    wall_files: WallFiles, batch: list[bytes]
) -> None:
    @virtual
    async def meet(network: Network) -> None:
        sink, camera = Sink(), Says(batch)
        async with (
            endpoint(network, camera, host="input"),
            endpoint(network, sink, host="output"),
            running_with(pipeline_of(wall_files))() as (tracker, record, outcome),
        ):
            lines = Lines(tracker)
            camera.last.put_nowait(CLIMB.frame(0))
            await record.until(events.Received, lambda event: event.sequence == 0)
            await asyncio.sleep(1)
        refused = refusals(batch, decode_input)
        assert counted(record, "input") == refused
        assert lines.rejected == refused
        received, resets = record.of(events.Received), record.of(events.SessionReset)
        assert refused.total() + len(received) + len(resets) == len(batch) + 1
        assert [output["seq"] for output in outputs(sink)] == list(range(1, len(received) + 1))
        assert len(record.of(events.Connected, "input")) == 1
        assert outcome.result().undelivered == 0

    meet(network=Network(Random(1)))


@examples
@given(batch=st.lists(hostile.controls | hostile.messages, min_size=1, max_size=15))
def test_no_message_of_the_control_socket_stops_the_tracker_and_each_is_accounted_for(
    wall_files: WallFiles, batch: list[bytes]
) -> None:
    @virtual
    async def meet(network: Network) -> None:
        sink, camera, commander = Sink(), Says([]), Says([*batch, b'{"type":"resume_output"}'])
        async with (
            endpoint(network, camera, host="input"),
            endpoint(network, commander, host="control"),
            endpoint(network, sink, host="output"),
            running_with(pipeline_of(wall_files))(control_url="ws://control:80/") as (
                tracker,
                record,
                outcome,
            ),
        ):
            lines = Lines(tracker)
            await asyncio.sleep(2)
            camera.last.put_nowait(CLIMB.frame(0))
            await record.until(events.Received)
            await asyncio.sleep(1)
        refused = refusals(batch, decode_control)
        found = counted(record, "control")
        # What can be decoded may still have parameters that make no sense: that is the session's to judge.
        judged = ("bad-parameters", "nothing-asked")
        assert found - refused == Counter({reason: found[reason] for reason in judged if found[reason]})
        assert lines.rejected == found
        replies = [output["type"] for output in outputs(sink) if "type" in output]
        answered = [event.answered for event in record.of(events.Rejected, "control")].count(True)
        assert replies.count("control_refused") == answered
        replies = [kind for kind in replies if kind != "control_refused"]
        resets = record.of(events.SessionReset, "control")
        assert found.total() + len(replies) + len(resets) == len(batch) + 1
        assert [output["seq"] for output in outputs(sink) if "session" in output and "type" not in output]
        assert len(record.of(events.Connected, "control")) == 1
        assert outcome.result().undelivered == 0

    meet(network=Network(Random(1)))


@pytest.mark.parametrize("confirm", ["pong", "ack"])
@examples
@given(batch=st.lists(hostile.acks | hostile.messages, min_size=1, max_size=15))
def test_nothing_that_the_outputs_peer_sends_back_stops_the_tracker_or_loses_an_output(
    wall_files: WallFiles, confirm: Confirm, batch: list[bytes]
) -> None:
    @virtual
    async def meet(network: Network) -> None:
        camera, sink = Says([CLIMB.frame(number) for number in range(3)]), Answers(batch)
        async with (
            endpoint(network, camera, host="input"),
            endpoint(network, sink, host="output"),
            running_with(pipeline_of(wall_files))(confirm=confirm) as (_, record, outcome),
        ):
            await asyncio.sleep(1)
            camera.last.put_nowait(CLIMB.frame(3))
            await asyncio.sleep(1)
        assert [output["seq"] for output in outputs(sink)] == [1, 2, 3, 4]
        assert len(record.of(events.Connected, "output")) == 1
        assert record.of(events.Rejected) == []
        assert outcome.result().undelivered == 0

    meet(network=Network(Random(1)))


class Answers(Sink):
    """A sink that sends all these back to its first output, and acknowledges what it got, late."""

    def __init__(self, batch: list[bytes]) -> None:
        super().__init__()
        self.batch = batch

    async def __call__(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                self.got.append(await connection.recv(decode=False))
                for body in self.batch if len(self.got) == 1 else ():
                    await connection.send(body, text=True)
                await connection.send(encode_ack("test", len(self.got)), text=True)
