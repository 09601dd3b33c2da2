"""What is done to the processes, by kind of trouble."""

import asyncio
import gzip
import signal
import sys
from pathlib import Path

from tests.chaos.real_logs.kinds import DATA
from tests.chaos.real_logs.processes import Run
from tests.chaos.real_logs.stand_ins import (
    answering_with_other_pongs,
    client_that_is_cut,
    client_with_other_pongs,
    idle_proxy,
    web_server,
)

TRACKER = Path(sys.executable).with_name("tracker")


async def frozen(process: asyncio.subprocess.Process, seconds: float) -> None:
    """The process stands still, and goes on."""
    process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    process.send_signal(signal.SIGCONT)


async def wrong_pongs(run: Run) -> None:
    async with answering_with_other_pongs() as port:
        await run.client(port)


async def no_upgrade(run: Run) -> None:
    async with web_server() as port:
        await run.client(port)


async def idle_timeout(run: Run) -> None:
    async with run.process("server"), idle_proxy(run.port) as port:
        await run.client(port)


async def health_check(run: Run) -> None:
    async with run.process("server"):
        for _ in range(3):
            _, writer = await asyncio.open_connection("127.0.0.1", run.port)
            writer.close()
            await asyncio.sleep(2)


async def server_frozen(run: Run) -> None:
    async with run.process("server") as server, run.process("client") as client:
        await asyncio.sleep(3.3)
        server.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(60):
            await client.wait()


async def client_frozen(run: Run) -> None:
    async with run.process("server"), run.process("client") as client:
        await asyncio.sleep(6.2)
        client.send_signal(signal.SIGSTOP)
        await asyncio.sleep(6)
        client.send_signal(signal.SIGCONT)
        await asyncio.sleep(3)


async def wrong_pongs_of_a_client(run: Run) -> None:
    async with run.process("server"):
        await client_with_other_pongs(run.port)
        await asyncio.sleep(1)


async def stream_cut(run: Run) -> None:
    async with run.process("server"):
        await client_that_is_cut(run.port)


async def client_frozen_pinging(run: Run) -> None:
    async with run.process("server") as server, run.process("client") as client:
        await asyncio.sleep(3.5)
        await frozen(server, 4)  # after this the log shows how long the client waits for a Pong
        await asyncio.sleep(4)
        server.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1.2)  # a Ping has left
        client.send_signal(signal.SIGSTOP)
        server.send_signal(signal.SIGCONT)
        await asyncio.sleep(6)
        client.send_signal(signal.SIGCONT)
        await asyncio.sleep(2)


async def server_blocked(run: Run) -> None:
    async with run.process("server"):
        await run.client()
        await asyncio.sleep(7)


async def client_restarted(run: Run) -> None:
    async with run.process("server"):
        async with run.process("client"):
            await asyncio.sleep(5.3)
        await asyncio.sleep(1)
        async with run.process("client"):
            await asyncio.sleep(5)


async def fell_silent(run: Run) -> None:
    async with run.process("server") as server, run.process("client"):
        await asyncio.sleep(4)
        server.send_signal(signal.SIGSTOP)
        await asyncio.sleep(14)


async def two_links_frozen(run: Run) -> None:
    async with run.process("server") as server, run.process("client"):
        await asyncio.sleep(4)
        await frozen(server, 10)
        await asyncio.sleep(3)


async def evening_frozen(run: Run) -> None:
    async with run.pose_server() as server, run.process("client"):
        await asyncio.sleep(6)
        await frozen(server, 10)
        await asyncio.sleep(3)


async def evening_killed(run: Run) -> None:
    async with run.pose_server() as server, run.process("client") as client:
        await asyncio.sleep(6)
        server.kill()
        await server.wait()
        await asyncio.sleep(5)
        async with run.pose_server():
            await asyncio.sleep(8)
            client.kill()


async def server_died(run: Run) -> None:
    async with run.process("client") as client:
        async with run.process("server"):
            await asyncio.sleep(4)
        await asyncio.sleep(4)
        async with run.process("server"):
            await asyncio.sleep(4)
            client.kill()


async def client_and_server(run: Run) -> None:
    async with run.process("server"):
        await run.client()


async def evenings_of_the_tracker(folder: Path) -> None:
    """The mock server stands still for 10 s, and is killed for 5 s: `DATA` gets the tracker's trace of each."""
    for what in ("frozen", "killed"):
        files, trace = folder / what, folder / f"{what}.jsonl"
        files.mkdir()
        run = Run("evening", "tracker", folder, folder)
        async with run.pose_server("--files", str(files)) as server:
            tracker = await asyncio.create_subprocess_exec(
                *(str(TRACKER), "run", "--trace", str(trace), "--wall", str(files / "wall.svg")),
                *("--calibration", str(files / "calibration.json")),
                *("--input-websocket-url", f"ws://127.0.0.1:{run.port}/ws/pose/"),
                *("--output-websocket-url", f"ws://127.0.0.1:{run.port}/ws/holds/"),
            )
            await asyncio.sleep(15)
            if what == "frozen":
                await frozen(server, 10)
                await asyncio.sleep(15)
            else:
                server.kill()
                await server.wait()
                await asyncio.sleep(5)
                async with run.pose_server():
                    await asyncio.sleep(18)
                    tracker.terminate()
                    await tracker.wait()
            if tracker.returncode is None:
                tracker.terminate()
                await tracker.wait()
        target = DATA / f"evening-{what}-tracker.jsonl.gz"
        target.write_bytes(gzip.compress(trace.read_bytes(), mtime=0))


PERFORMANCES = {
    "wrong-pongs": wrong_pongs,
    "no-upgrade": no_upgrade,
    "idle-timeout": idle_timeout,
    "health-check": health_check,
    "server-frozen": server_frozen,
    "client-frozen": client_frozen,
    "wrong-pongs-of-a-client": wrong_pongs_of_a_client,
    "stream-cut": stream_cut,
    "client-frozen-pinging": client_frozen_pinging,
    "server-blocked": server_blocked,
    "client-restarted": client_restarted,
    "fell-silent": fell_silent,
    "two-links-frozen": two_links_frozen,
    "evening-frozen": evening_frozen,
    "evening-killed": evening_killed,
    "server-died": server_died,
    "told-by-the-program": server_died,
}
"""By kind; the others are a client and a server left to themselves."""


async def perform(run: Run) -> None:
    """Make the logs of one kind under one version."""
    await PERFORMANCES.get(run.kind, client_and_server)(run)
