"""No secret is in anything that a tracker says: its log, trace, metrics, last line, or the list of processes."""

import asyncio
import contextlib
import signal
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from socket import create_server

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from chaos.commands.sending import send_to
from simulator.pose_sender import CannotSendError
from tests.tracker.conftest import quiet

pytestmark = [pytest.mark.sockets, pytest.mark.commands]

TOKEN, KEY, PASSWORD, QUERY = "tok3n-of-the-wall", "k3y-of-the-wall", "p4ss-of-the-wall", "qu3ry-of-the-wall"
BASIC = b64encode(f"anna:{PASSWORD}".encode()).decode()
SECRETS = (TOKEN, KEY, PASSWORD, QUERY, BASIC)
TRACKER = Path(sys.executable).parent / "tracker"


class Door:
    """Refuses, redirects, breaks off and admits, in turn; keeps what it was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.enough = asyncio.Event()

    def __call__(self, connection: ServerConnection, request: Request) -> Response | None:
        self.shown.append(f"{request.path} {request.headers}")
        turn = len(self.shown)
        if turn > 4:
            self.enough.set()
            return None
        status = [HTTPStatus.FOUND, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.MOVED_PERMANENTLY][turn % 3]
        response = connection.respond(status, f"you said {request.headers}\n")
        if turn % 3 != 1:
            response.headers["Location"] = f"ws://anna:{PASSWORD}@127.0.0.1:1/?token={QUERY}"
        return response


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def port_of(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])


@asynccontextmanager
async def peers() -> AsyncIterator[tuple[Door, int, int]]:
    """Two endpoints at real sockets: one shows the token's door, the other one that of a URL with a password."""
    door = Door()
    async with (
        serve(quiet, "127.0.0.1", 0, process_request=door) as first,
        serve(quiet, "127.0.0.1", 0, process_request=door) as second,
    ):
        yield door, port_of(first), port_of(second)


async def scrape(port: int) -> bytes:
    said = b""
    for path in ("metrics", "healthz", "readyz"):
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            said += await reader.read()
            writer.close()
    return said


@pytest.mark.parametrize("debug", [["--debug"], ["--log-format", "json"]])
async def test_no_secret_is_in_anything_that_a_tracker_says(
    wall_files: tuple[Path, Path, Path], tmp_path: Path, debug: list[str]
) -> None:
    wall, calibration, _ = wall_files
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "headers").write_text(f"X-Key: {KEY}\n")
    trace, metrics = tmp_path / "trace", free_port()
    async with peers() as (door, first, second):
        (tmp_path / "tracker.toml").write_text(
            f"""
            input_websocket_url = "ws://anna:{PASSWORD}@127.0.0.1:{first}/?token={QUERY}"
            output_websocket_url = "ws://127.0.0.1:{second}/?token={QUERY}"
            [timing]
            reconnect_delay = 0.05
            [output]
            token_file = "{tmp_path / "token"}"
            header_file = "{tmp_path / "headers"}"
            """
        )
        process = await asyncio.create_subprocess_exec(
            TRACKER,
            *("run", "--wall", wall, "--calibration", calibration, "--config", tmp_path / "tracker.toml"),
            *("--trace", trace, "--metrics-port", str(metrics), *debug),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(120):
                await door.enough.wait()
                said = [await scrape(metrics), Path(f"/proc/{process.pid}/cmdline").read_bytes()]
                process.send_signal(signal.SIGTERM)
                said += await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
    shown = "".join(door.shown)
    assert all(secret in shown for secret in (TOKEN, KEY, QUERY, BASIC))  # they were in use
    said.append(trace.read_bytes())
    assert all(said[:2])
    assert b"refused" in b"".join(said)
    for secret in SECRETS:
        assert [secret.encode() in text for text in said] == [False] * len(said), secret


@pytest.mark.parametrize(
    "mistake",
    [
        f'input_websocket_url = "ws://anna:{PASSWORD}@wall:99999/?token={QUERY}"',
        f'input_websocket_url = "ws://anna:{PASSWORD}@wall/\\n"',
        f'header = "Authorization: {KEY}"',
        f'header = ["Authorization {KEY}"]',
        f'[output]\nheader = ["X-Key: {KEY}\\nHost: x"]',
    ],
)  # fmt: skip
async def test_no_secret_is_in_what_is_said_of_a_mistake(
    wall_files: tuple[Path, Path, Path], tmp_path: Path, mistake: str
) -> None:
    wall, calibration, _ = wall_files
    config = tmp_path / "tracker.toml"
    urls = 'output_websocket_url = "ws://127.0.0.1:1/"\n'  # fmt: skip
    if "input" not in mistake:
        urls += 'input_websocket_url = "ws://127.0.0.1:1/"\n'  # fmt: skip
    config.write_text(urls + mistake)
    process = await asyncio.create_subprocess_exec(
        TRACKER,
        *("run", "--wall", wall, "--calibration", calibration, "--config", config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 2
    assert len(err.splitlines()) == 1
    for secret in SECRETS:
        assert secret.encode() not in out + err


@pytest.mark.parametrize(
    "url", [f"http://u:{PASSWORD}@wall/?q={QUERY}", f"ws://u:{PASSWORD}@[/", f"ws://u:{PASSWORD}@h:0/"]
)
def test_the_target_of_a_replay_is_refused_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(CannotSendError) as caught:
        send_to(tmp_path / "poses.jsonl", url)
    assert str(caught.value).startswith("--to is ")
    assert PASSWORD not in str(caught.value)
    assert QUERY not in str(caught.value)
