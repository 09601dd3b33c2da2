"""TLS on virtual time: asyncio's own, with certificates of a private authority."""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from simulator.loop import VirtualLoop
from simulator.network import Network

trustme = pytest.importorskip("trustme", reason="certificates are made with it")
Simulate = Callable[[Callable[[Network], Awaitable[Any]]], Any]


@pytest.fixture(scope="module")
def authority() -> Any:
    return trustme.CA(key_type=trustme.KeyType.RSA)


@pytest.fixture(scope="module")
def server_side(authority: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("peer.example", key_type=trustme.KeyType.RSA).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def client_side(authority: Any) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


def test_messages_of_any_size_pass_both_ways(
    server_side: ssl.SSLContext, client_side: ssl.SSLContext, simulate: Simulate
) -> None:
    async def main(_: Network) -> None:
        async with (
            serve(echo, "peer.example", 443, ssl=server_side),
            connect("wss://peer.example/", ssl=client_side, proxy=None) as client,
        ):
            for size in (0, 1, 70_000, 900_000):
                await client.send("x" * size)
                assert len(await client.recv()) == size

    simulate(main)


def test_a_certificate_of_nobody_known_or_for_another_name_is_refused(
    server_side: ssl.SSLContext, client_side: ssl.SSLContext, simulate: Simulate
) -> None:
    async def main(_: Network) -> None:
        async with (
            serve(echo, "peer.example", 443, ssl=server_side),
            serve(echo, "other", 443, ssl=server_side),
        ):
            with pytest.raises(ssl.SSLCertVerificationError):
                await connect("wss://peer.example/", proxy=None)
            with pytest.raises(ssl.SSLCertVerificationError, match="other"):
                await connect("wss://other/", ssl=client_side, proxy=None)
            await asyncio.sleep(1)  # all four ends are over

    simulate(main)


def test_who_speaks_no_tls_to_a_server_that_does_gets_no_answer(
    server_side: ssl.SSLContext, simulate: Simulate
) -> None:
    async def main(_: Network) -> None:
        async with serve(echo, "peer.example", 443, ssl=server_side):
            with pytest.raises(Exception, match="did not receive a valid HTTP response"):
                await connect("ws://peer.example:443/", proxy=None)

    simulate(main)


def test_every_run_takes_the_same_time_and_bytes(
    server_side: ssl.SSLContext, client_side: ssl.SSLContext
) -> None:
    def run() -> list[float]:
        moments: list[float] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            async with (
                serve(echo, "peer.example", 443, ssl=server_side),
                connect("wss://peer.example/", ssl=client_side, proxy=None) as client,
            ):
                for _ in range(20):
                    await client.send("x" * 20_000)
                    await client.recv()
                    moments.append(loop.time())
            await asyncio.sleep(1)  # both ends are over

        loop = VirtualLoop(Network(random.Random(1)))
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(main())
        return moments

    assert run() == run()


def test_an_abort_ends_the_connection_below_it(
    server_side: ssl.SSLContext, client_side: ssl.SSLContext, simulate: Simulate
) -> None:
    async def main(_: Network) -> None:
        ended = asyncio.Event()

        async def wait(connection: ServerConnection) -> None:
            await connection.wait_closed()
            ended.set()

        async with serve(wait, "peer.example", 443, ssl=server_side):
            client = await connect("wss://peer.example/", ssl=client_side, proxy=None)
            client.transport.abort()
            async with asyncio.timeout(5):
                await ended.wait()

    simulate(main)
