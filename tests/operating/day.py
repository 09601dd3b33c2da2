"""An operator's day, against real processes: `python -m tests.operating.day` tells what was expected and what was seen.

Exit code 1 if something differs. The steps run side by side, each with a wall, endpoints and trackers of its own.
"""

import asyncio
import json
import re
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import trustme

from simulator.climber import Climb, generate_climb
from tests.operating.account import Chapter
from tests.operating.processes import Endpoints, page, started, touched
from tracker.settings import OPTIONS

SECRET = "s3cret-of-the-wall"  # noqa: S105 - what must not be shown
QUICK = 120
"""Frames a second: a climb then takes a quarter of its time, and its message time stays what it is."""
STARTS = 5
"""Of a supervisor that knows no exit code."""


class Scene:
    """A step's own folder and wall."""

    def __init__(self, folder: Path, climb: Climb, chapter: Chapter) -> None:
        self.folder = folder
        self.climb = climb
        self.chapter = chapter
        self.expect = chapter.expect
        wall, calibration, route = climb.write_files(folder)
        self.wall = [
            "--wall",
            wall,
            "--calibration",
            calibration,
            "--route-data",
            route,
            "--touch-duration",
            0.3,
        ]


async def a_tracker_begins(scene: Scene) -> None:
    """A tracker begins while its endpoints are away, and they come back"""
    port = free_port()
    endpoints = Endpoints(scene.climb, fps=30)
    endpoints.refuses = HTTPStatus.SERVICE_UNAVAILABLE
    async with endpoints.open() as there:
        config, trace = scene.folder / "tracker.toml", scene.folder / "trace"
        config.write_text(
            f'input_websocket_url = "{there.url("in", credentials=f"anna:{SECRET}@")}?token={SECRET}"\n'
            f'output_websocket_url = "{there.url("out")}?key={SECRET}"\n'
        )
        options = ["--config", config, "--metrics-port", port, "--trace", trace, *scene.wall]
        async with started(*options) as tracker:
            first = await tracker.says("starting")
            words = ("version=", "wall=", "holds=", f"input={there.url('in')} ", "outbox_messages=900")
            scene.expect(
                "the first line says what runs", first.string, all(word in first.string for word in words)
            )
            refused = await tracker.says("refused link=output.*503")
            scene.expect(
                "the refusal is said with its status", refused.string, "status=503" in refused.string
            )
            health, readiness = await page(port, "/healthz"), await page(port, "/readyz")
            scene.expect("in health, though nobody is there", health, health == (200, "in health\n"))
            scene.expect(
                "not ready, with the reasons",
                readiness,
                readiness[0] == 503 and "the output link is" in readiness[1],
            )
            endpoints.refuses = None
            await there.shown(lambda output: "session" in output)
            await tracker.says("connected link=input")
            scene.expect("ready, once both are back", *same(await page(port, "/readyz"), (200, "ready\n")))
            _, metrics = await page(port, "/metrics")
            up = [line for line in metrics.splitlines() if line.startswith("tracker_link_up")]
            scene.expect("both links are up in the metrics", up, [line[-3:] for line in up] == ["1.0", "1.0"])
            nowhere = await page(port, "/nowhere")
            scene.expect("404 for the rest", nowhere[0], nowhere[0] == 404)
            shown_in_ps = Path(f"/proc/{tracker.process.pid}/cmdline").read_text()
            code = await tracker.stops()
        scene.expect("an orderly stop delivers everything: exit code 0", code, code == 0)
        texts = {
            "log": "\n".join(tracker.said),
            "trace": trace.read_text(),
            "process list": shown_in_ps,
            "metrics": metrics,
        }
        showing = [name for name, text in texts.items() if SECRET in text]
        scene.expect("no secret in log, trace, process list and metrics", showing or "none", not showing)


async def controls_are_refused(scene: Scene) -> None:
    """Somebody sends controls that make no sense"""
    async with (
        Endpoints(scene.climb, fps=30).open() as there,
        started(*there.urls, "--control-websocket-url", there.url("control"), *scene.wall) as tracker,
    ):
        for order in (
            {"type": "dance"},
            {"type": "update_parameters", "touch_duration": -1},
            {"type": "pause_output"},
            {"type": "get_status"},
        ):
            there.orders.put_nowait(json.dumps(order))
        status = await there.shown(lambda output: output.get("type") == "status_response")
        replies = [output["type"] for output in there.outputs if "type" in output]
        wanted = ["control_refused", "control_refused", "output_paused", "status_response"]
        scene.expect("each gets a reply", *same(replies, wanted))
        links = status.get("links", {})
        scene.expect("the tracker goes on", links, links.get("input") == "open")
        await tracker.says("controlled kind=get_status")
        lines = [line.partition(" tracker ")[2] for line in tracker.said if "link=control reason=" in line]
        scene.expect("a line for each refusal", " / ".join(lines), len(lines) == 2)
        code = await tracker.stops()
        scene.expect("exit code 0", code, code == 0)


async def the_display_is_slow(scene: Scene) -> None:
    """The display stops reading for some seconds"""
    async with Endpoints(scene.climb, fps=30).open() as there:
        async with started(*there.urls, *scene.wall) as tracker:
            await there.shown(lambda output: "session" in output)
            there.reads.clear()
            behind = await tracker.says(r"the display is \d+ s behind")
            scene.expect("it is said that the display is behind", behind[0], met=True)
            await tracker.says("died link=output|closed link=output")
            there.reads.set()
            caught_up = await tracker.says("the display has caught up.*")
            scene.expect("it is said when it has caught up", caught_up[0], met=True)
            code = await tracker.stops()
        seqs = sorted({output["seq"] for output in there.outputs})
        scene.expect(
            "every output arrived",
            f"{len(seqs)}, up to number {seqs[-1]}",
            seqs == list(range(1, seqs[-1] + 1)),
        )
        scene.expect("exit code 0", code, code == 0)


async def a_supervisor_insists(scene: Scene) -> None:
    """An endpoint answers 401, and a supervisor starts the tracker again and again, with the recorder on"""
    trace = scene.folder / "trace"
    async with Endpoints(scene.climb, fps=QUICK).open() as there:
        options = [*there.urls, "--trace", trace, *scene.wall]
        async with started(*options) as tracker:
            await there.shown(touched)
            async with started(*options) as second:
                code = await second.ends()
            line = second.said[-1]
            scene.expect(
                "a second tracker on the trace: one line, exit code 2",
                f"{code}: {line}",
                code == 2 and "another tracker writes it" in line,
            )
            await tracker.stops()
        stream = header(trace)["stream"]
        there.refuses = HTTPStatus.UNAUTHORIZED
        codes = []
        for _ in range(STARTS):
            async with started(*options) as tracker:
                codes.append(await tracker.ends())
    scene.expect(
        "each start ends with exit code 3, which a unit does not restart", *same(codes, [3] * STARTS)
    )
    scene.expect("why is said", tracker.said[-1], "refused for good (HTTP 401)" in tracker.said[-1])
    kept = sorted(path.name for path in scene.folder.glob("trace*"))
    scene.expect("two files, for all those starts", *same(kept, ["trace", "trace.1"]))
    older = scene.folder / "trace.1"
    recorded = header(older)["stream"] == stream and '"event":"touched"' in older.read_text()
    scene.expect("the recorded run is still there, with its touches", stream, recorded)
    replaced = header(trace)["replaced"]
    scene.expect("how many starts reached nothing is counted", *same(replaced, STARTS - 1))


async def a_tracker_is_killed(scene: Scene) -> None:
    """kill -9 in the middle of a climb, with --state"""
    state = scene.folder / "state"
    async with Endpoints(scene.climb, fps=QUICK).open() as there:
        options = [*there.urls, "--state", state, *scene.wall]
        async with started(*options) as tracker:
            before = await there.shown(lambda output: len(touched(output)) >= 2)
            await until(lambda: touched(before).keys() <= kept_in(state))
            tracker.process.send_signal(signal.SIGKILL)
            await tracker.ends()
        count = len(there.outputs)
        async with started(*options) as tracker:
            said = await tracker.says("the session goes on.*")
            scene.expect("it is said that the session goes on", said[0], met=True)
            after = await there.shown(lambda output: output.get("stream") != before["stream"], since=count)
            kept = touched(before).items() <= touched(after).items()
            scene.expect("touched holds and their times are as they were", touched(after), kept)
            starts = [output["session"]["startTime"] for output in (before, after)]
            scene.expect("so is the session's start", *same(starts[1], starts[0]))
            more = await there.shown(lambda output: len(touched(output)) > len(touched(after)), since=count)
            scene.expect("the climb goes on", f"{len(touched(more))} holds", met=True)
            await tracker.stops()
        other = generate_climb(8).write_files(scene.folder / "other")
        async with started(
            *there.urls, "--state", state, "--wall", other[0], "--calibration", other[1]
        ) as tracker:
            said = await tracker.says("the state in .*")
            scene.expect("a state of another wall is not taken up", said[0], "another wall" in said[0])
            await tracker.says("connected link=output")
            await tracker.stops()


async def certificates(scene: Scene) -> None:
    """wss with an authority of one's own, and with a certificate that has expired"""
    authority = trustme.CA()
    ca_file = scene.folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    good = tls_of(authority.issue_cert("localhost"))
    async with Endpoints(scene.climb, fps=30).open(tls=good) as there:
        async with started(*there.urls, "--ca-file", ca_file, *scene.wall) as tracker:
            await there.shown(lambda output: "session" in output)
            code = await tracker.stops()
            scene.expect(
                "the own authority is trusted", f"{len(there.outputs)} outputs, exit code {code}", code == 0
            )
        await refused_for_good(scene, "an unknown authority", "authority|signed", *there.urls, *scene.wall)
    expired = tls_of(authority.issue_cert("localhost", not_after=datetime.now(UTC) - timedelta(days=1)))
    async with Endpoints(scene.climb, fps=30).open(tls=expired) as there:
        options = [*there.urls, "--ca-file", ca_file, *scene.wall]
        await refused_for_good(scene, "a certificate that has expired", "expired", *options)


async def refused_for_good(scene: Scene, what: str, word: str, *options: object) -> None:
    async with started(*options) as tracker:
        code = await tracker.ends()
    line = tracker.said[-1]
    scene.expect(
        f"{what}: one line that says so, exit code 3", f"{code}: {line}", code == 3 and re.search(word, line)
    )


async def a_token_expires(scene: Scene) -> None:
    """The display's token expires, and the file with the new one comes some time later"""
    old, new = f"old-{SECRET}", f"new-{SECRET}"
    token_file = scene.folder / "token"
    token_file.write_text(old)
    async with Endpoints(scene.climb, fps=30).open() as there:
        there.token = old
        async with started(*there.urls, "--token-file", token_file, *scene.wall) as tracker:
            await there.shown(lambda output: "session" in output)
            there.token = new
            there.drop()
            refused = await tracker.says("refused link=output.*401")
            scene.expect(
                "a refusal that a new token may mend is no end",
                refused.string,
                "fatal=False" in refused.string,
            )
            token_file.write_text(new)
            count = len(there.outputs)
            await there.shown(lambda output: "session" in output, since=count)
            scene.expect(
                "the new token is read, and outputs come again", f"{len(there.outputs)} outputs", met=True
            )
            code = await tracker.stops()
        seqs = {output["seq"] for output in there.outputs}
        scene.expect("every output arrived", f"up to number {max(seqs)}", len(seqs) == max(seqs))
        scene.expect("exit code 0", code, code == 0)
        scene.expect("no token in the log", "none", SECRET not in "\n".join(tracker.said))


STEPS: tuple[tuple[Callable[[Scene], Awaitable[None]], str], ...] = (
    (a_tracker_begins, "trace"),
    (controls_are_refused, "control_websocket_url"),
    (the_display_is_slow, "overflow"),
    (a_supervisor_insists, "trace"),
    (a_tracker_is_killed, "state"),
    (certificates, "ca_file"),
    (a_token_expires, "token_file"),
)
"""Each with the option of `tracker run` that it is about; a tracker without that has no such step."""


def same(seen: object, expected: object) -> tuple[object, bool]:
    return seen, seen == expected


def kept_in(state: Path) -> set[str]:
    """The touched holds of a state that is on the disk."""
    return set(json.loads(state.read_bytes())["climb"]["session"]["touched"])


def header(trace: Path) -> dict[str, Any]:
    with trace.open() as lines:
        found: dict[str, Any] = json.loads(lines.readline())
    return found


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def tls_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.005)


async def lived(folder: Path) -> list[Chapter]:
    """Live the day; a chapter for each step."""
    climb = generate_climb(7)

    async def live(step: Callable[[Scene], Awaitable[None]]) -> Chapter:
        chapter = Chapter(str(step.__doc__))
        try:
            await step(Scene(folder / step.__name__, climb, chapter))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other steps have their own to tell
            chapter.expect("the step comes to its end", f"{type(error).__name__}: {error}", met=False)
        return chapter

    return list(await asyncio.gather(*(live(step) for step, option in STEPS if option in OPTIONS)))


def main() -> None:
    """Tell the day; exit code 1 if something differs."""
    with tempfile.TemporaryDirectory() as folder:
        chapters = asyncio.run(lived(Path(folder)))
    for chapter in chapters:
        sys.stdout.write(f"{chapter.told()}\n\n")
    differ = sum(chapter.differs for chapter in chapters)
    left_out = [str(step.__doc__) for step, option in STEPS if option not in OPTIONS]
    sys.stdout.write(f"{len(chapters)} steps, {differ} differ; left out: {'; '.join(left_out) or 'none'}\n")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
