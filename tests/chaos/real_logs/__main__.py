"""Makes the logs of `tests/chaos/data/real` anew: real processes of three versions of the library, and real faults.

Takes some minutes, and wants pip and its index for the versions that are not installed.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.chaos.real_logs.kinds import DATA, KINDS, VERSIONS
from tests.chaos.real_logs.performances import perform
from tests.chaos.real_logs.processes import ACTOR, EXAMPLES, Run


def install(version: str, folder: Path) -> Path:
    """The library alone, in a folder of its own."""
    target = folder / version
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--target", str(target), f"websockets=={version}.*"], check=True)
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
        libraries = {version: install(version, folder) for version in VERSIONS}
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


asyncio.run(main())
