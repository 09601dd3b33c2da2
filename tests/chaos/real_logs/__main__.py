"""Makes the logs of `tests/chaos/data/real` anew: real processes of several versions of two libraries, and real faults.

Takes some minutes, and wants pip and its index for the versions that are not installed.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.chaos.real_logs import websocket_client
from tests.chaos.real_logs.kinds import DATA, KINDS, VERSIONS, WEBSOCKET_CLIENT_KINDS
from tests.chaos.real_logs.performances import evenings_of_the_tracker, perform
from tests.chaos.real_logs.processes import ACTOR, EXAMPLES, Run


def install(library: str, version: str, folder: Path, *beside: str) -> Path:
    """The library alone, in a folder of its own, and what a version of it needs beside it."""
    target = folder / f"{library}-{version}"
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--target", str(target), f"{library}=={version}.*", *beside], check=True)
    return target


def without_places(log: bytes, scratch: str) -> bytes:
    """Tracebacks name files; where those lie on this machine is nobody's business."""
    library = Path(asyncio.__file__).parents[2]
    for place, stand_in in (
        (scratch, ""),
        (str(ACTOR.parent), "/app"),
        (str(EXAMPLES), "/app"),
        (str(library), "/usr/lib"),
    ):
        log = log.replace(place.encode(), stand_in.encode())
    return log


async def main() -> None:
    wanted = sys.argv[1:]
    DATA.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        libraries = {version: install("websockets", version, folder) for version in VERSIONS}
        for kind, sides in KINDS.items():
            if wanted and kind not in wanted:
                continue
            runs = [Run(kind, version, library, folder) for version, library in libraries.items()]
            await asyncio.gather(*(perform(run) for run in runs))
            for run in runs:
                for side in sides:
                    target = DATA / run.log(side).name
                    target.write_bytes(without_places(run.log(side).read_bytes(), scratch))
            sys.stdout.write(f"{kind}\n")
        if not wanted or "tracker" in wanted:
            await evenings_of_the_tracker(folder)
        await websocket_clients(wanted, folder, scratch)


async def websocket_clients(wanted: list[str], folder: Path, scratch: str) -> None:
    """The same of websocket-client, asked for as `websocket-client-KIND`."""
    libraries = {
        version: install("websocket-client", version, folder, *(["six"] if version < "1" else []))
        for version in websocket_client.STYLES
    }
    for kind in WEBSOCKET_CLIENT_KINDS:
        name = f"websocket-client-{kind}"
        if wanted and name not in wanted:
            continue
        logs = {version: folder / f"{name}-{version}.log" for version in websocket_client.STYLES}
        await asyncio.gather(
            *(websocket_client.perform(kind, v, libraries[v], log) for v, log in logs.items())
        )
        for log in logs.values():
            (DATA / log.name).write_bytes(without_places(log.read_bytes(), scratch))
        sys.stdout.write(f"{name}\n")


asyncio.run(main())
