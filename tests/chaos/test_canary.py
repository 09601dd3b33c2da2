"""A machine that stands still is noticed, and a client that holds up the event loop is not taken for it."""

import asyncio
import signal
import time

import pytest

from chaos.engines.canary import canary
from chaos.engines.toxiproxy import through
from chaos.toxiproxy.server import ToxiproxyServer

pytestmark = pytest.mark.toxiproxy

PAUSE = 0.4
"""Seconds, the subject of each test."""


async def test_a_server_process_that_stands_still_is_noticed_with_its_time(server: ToxiproxyServer) -> None:
    noticed: list[float] = []
    heard = asyncio.Event()

    def notice(seconds: float) -> None:
        noticed.append(seconds)
        if seconds >= PAUSE:
            heard.set()

    assert server._process is not None
    async with canary(through(server), patience=PAUSE / 4, notice=notice):
        server._process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(PAUSE)
        server._process.send_signal(signal.SIGCONT)
        async with asyncio.timeout(5):
            await heard.wait()
    assert max(noticed) >= PAUSE


async def test_an_event_loop_that_is_held_up_is_not_the_machine(server: ToxiproxyServer) -> None:
    noticed: list[float] = []
    async with canary(through(server), patience=PAUSE / 4, notice=noticed.append):
        time.sleep(PAUSE)  # noqa: ASYNC251 - it is the mistake
    await asyncio.sleep(0)
    assert all(seconds < PAUSE for seconds in noticed)


async def test_a_server_that_is_gone_ends_the_trickle(server: ToxiproxyServer) -> None:
    assert server._process is not None
    async with asyncio.timeout(5), canary(through(server), patience=PAUSE, notice=lambda _: None):
        server._process.kill()
        await server._process.wait()
