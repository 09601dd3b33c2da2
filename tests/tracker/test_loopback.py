"""What only reality can show: a tracker on real loopback sockets, eight times as fast as in the field."""

import shutil
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from simulator import events as peer
from simulator.climber import Climb
from simulator.feeds import LiveFeed
from simulator.paths import FEED_PATH, SINK_PATH
from simulator.pose_server import PoseServer
from tests.tracker.conftest import Record, Running, quiet, seqs, silent
from tracker import events
from tracker.config import Timing

pytestmark = pytest.mark.sockets

QUICK = Timing().scaled(1 / 8)
"""The default ratios, eight times as fast: a link is then given up after 0.45 s, longer than a busy machine pauses."""


@asynccontextmanager
async def pose_server(climb: Climb) -> AsyncIterator[tuple[PoseServer, Record, str, str]]:
    """The mock peer, its record and its two URLs."""
    record = Record()
    server = PoseServer(LiveFeed(climb.frame, interval=1 / 200), report=record.note)
    port = await server.start()
    try:
        yield server, record, f"ws://127.0.0.1:{port}{FEED_PATH}", f"ws://127.0.0.1:{port}{SINK_PATH}"
    finally:
        server.abort()
        await server.stop()


@asynccontextmanager
async def listening(
    converse: Callable[[ServerConnection], Awaitable[None]], **options: Any
) -> AsyncIterator[str]:
    """Host and port of a WebSocket endpoint of the test's own making."""
    quick = {"close_timeout": 0.1, "ping_interval": None, "compression": None}
    async with serve(converse, "127.0.0.1", 0, **quick, **options) as server:
        yield f"127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def test_a_restart_of_the_server_loses_and_reorders_nothing(climb: Climb, running: Running) -> None:
    async with pose_server(climb) as (server, there, source, sink):
        async with running(source, sink, timing=QUICK) as (_, record, outcome):
            await there.until(peer.Delivered, count=50)
            await server.go_away(1012)
            await record.until(events.Refused)
            await server.come_back()
            await record.until(events.Connected, lambda event: event.link == "output", count=2)
            await there.until(peer.Delivered, count=100)
        assert [event.seq for event in there.of(peer.Delivered) if not event.repeat] == seqs(record)
    assert outcome.result().undelivered == 0
    assert record.of(events.Closed)[-1].code == 1001


async def test_a_reset_by_the_kernel_loses_and_reorders_nothing(climb: Climb, running: Running) -> None:
    async with pose_server(climb) as (server, there, source, sink):
        async with running(source, sink, timing=QUICK) as (_, record, outcome):
            await there.until(peer.Delivered, count=50)
            for connection in server.connections():
                # Closing a socket that does not linger sends RST.
                raw: socket.socket = connection.transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.transport.abort()
            closed = await record.until(events.Closed, lambda event: event.link == "output")
            await record.until(events.Connected, lambda event: event.link == "output", count=2)
            await there.until(peer.Delivered, count=100)
        assert [event.seq for event in there.of(peer.Delivered) if not event.repeat] == seqs(record)
    assert (closed.code, closed.by) == (1006, "network")
    assert outcome.result().undelivered == 0


async def test_a_dead_peer_is_given_up_within_the_bound(climb: Climb, running: Running) -> None:
    async with pose_server(climb) as (_, _t, source, _s), listening(silent) as dead:
        async with running(source, f"ws://{dead}/", timing=QUICK) as (_, record, outcome):
            died = await record.until(events.Died, lambda event: event.link == "output")
            first = record.of(events.Probed, "output")[0]
        assert 3 * QUICK.probe_floor <= died.t - first.t < 3 * QUICK.probe_floor + 0.3
    assert outcome.result().undelivered == len(seqs(record)) > 0


async def test_a_loop_that_stood_still_costs_no_connection(climb: Climb, running: Running) -> None:
    async with pose_server(climb) as (_, there, source, sink):
        async with running(source, sink, timing=QUICK) as (_, record, _o):
            await there.until(peer.Delivered, count=50)
            time.sleep(4 * QUICK.probe_floor)  # noqa: ASYNC251 - that is the experiment
            delivered = len(there.of(peer.Delivered))
            await there.until(peer.Delivered, count=delivered + 50)
        assert len(record.of(events.Connected)) == 2
    assert record.of(events.Lagged)


async def test_a_certificate_that_is_not_valid_here_is_a_refusal_for_good(
    climb: Climb, running: Running, tmp_path: Path
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=elsewhere"
    subprocess.run(  # noqa: ASYNC221 - before anything runs
        [openssl, *words.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with pose_server(climb) as (_, _t, source, _s), listening(quiet, ssl=context) as secure:
        async with running(source, f"wss://{secure}/") as (_, record, outcome):
            await outcome
        assert len(record.of(events.Connecting, "output")) == 1
    failure = outcome.result().failure
    assert failure is not None
    assert failure.startswith(f"output endpoint wss://{secure}/ refused for good (")
    assert "name the authority's file, --ca-file" in failure
