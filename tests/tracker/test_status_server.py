"""What a tracker answers to whoever watches it, on virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from simulator.climber import Climb
from simulator.network import Network
from tests.tracker.conftest import (
    Commander,
    Record,
    Running,
    camera,
    endpoint,
    exactly,
    lead,
    machine,
    quiet,
    silent,
    virtual,
)
from tracker import events
from tracker.app import Tracker
from tracker.config import ConfigError
from tracker.heartbeat import BEAT, Heartbeat
from tracker.metrics import MOST_BEHIND, MOST_BUGS, MOST_LAG, SelfReport
from tracker.status_server import MOST_AT_ONCE, MOST_BYTES, PATIENCE, answering
from tracker.vitals import Vitals

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"
Metrics = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Watched:
    """A tracker that answers at tracker:9100."""

    def __init__(self, tracker: Tracker, record: Record, vitals: Vitals) -> None:
        self.tracker = tracker
        self.record = record
        self.vitals = vitals

    async def says(self, request: str) -> str:
        """The whole answer to these bytes."""
        reader, writer = await asyncio.open_connection("tracker", 9100)
        writer.write(request.encode())
        try:
            return (await reader.read()).decode()
        finally:
            writer.close()

    async def page(self, path: str) -> tuple[int, list[str]]:
        """Status, and the lines of the body."""
        head, _, body = (await self.says(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).partition("\r\n\r\n")
        return int(head.split()[1]), body.splitlines()

    async def metrics(self) -> Metrics:
        _, lines = await self.page("/metrics")
        families = text_string_to_metric_families("\n".join(lines) + "\n")
        return {
            (sample.name, tuple(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }


@asynccontextmanager
async def watched(running: Running, **config: object) -> AsyncIterator[Watched]:
    async with running(**config) as (tracker, record, _):
        vitals = Vitals(confirm=tracker._config.confirm)
        tracker._observers = (*tracker._observers, vitals.observe)
        loop = asyncio.get_running_loop()
        heartbeat = Heartbeat()
        beating = loop.create_task(heartbeat.run(), context=machine().context())
        report = SelfReport(tracker, vitals, heartbeat, since=loop.time())
        async with answering("tracker", 9100, report):
            yield Watched(tracker, record, vitals)
        beating.cancel()


# Which pages there are


@virtual
async def test_there_are_three_pages_and_everything_else_is_not_found(
    network: Network, running: Running
) -> None:
    async with watched(running) as there:
        assert (await there.page("/metrics"))[0] == 200
        assert (await there.page("/healthz?verbose=1"))[0] == 200
        for path in ("/", "/metrics/", "/readyz/x", "/etc/passwd", "*"):
            assert await there.page(path) == (404, ["there are /metrics, /healthz, /readyz"])


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "get", "BREW"])
def test_a_page_can_be_read_and_nothing_else(network: Network, running: Running, method: str) -> None:
    @virtual
    async def test(network: Network) -> None:
        async with watched(running) as there:
            answer = await there.says(f"{method} /healthz HTTP/1.1\r\n\r\n")
        assert answer.startswith("HTTP/1.1 405 Method Not Allowed\r\n")
        assert "\r\nAllow: GET, HEAD\r\n" in answer

    test(network=network)


@virtual
async def test_head_is_get_without_the_body(network: Network, running: Running) -> None:
    async with watched(running) as there:
        whole = await there.says("GET /healthz HTTP/1.1\r\n\r\n")
        head = await there.says("HEAD /healthz HTTP/1.1\r\n\r\n")
    assert whole == f"{head}in health\n"
    assert head.endswith("Content-Length: 10\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n")


# What one guest may cost


@virtual
async def test_what_is_no_request_is_said(network: Network, running: Running) -> None:
    async with watched(running) as there:
        for request in ("hello\r\n\r\n", "GET /metrics\r\n\r\n", "GET /metrics HTTP/2\r\n\r\n", "\r\n\r\n"):
            assert (await there.says(request)).startswith("HTTP/1.1 400 Bad Request\r\n")


@virtual
async def test_headers_without_end_are_read_up_to_the_bound(network: Network, running: Running) -> None:
    async with watched(running) as there:
        answer = await there.says("GET /metrics HTTP/1.1\r\n" + "a: b\r\n" * MOST_BYTES)
    assert answer.startswith("HTTP/1.1 431 ")


@virtual
async def test_a_guest_who_says_nothing_is_shown_out(network: Network, running: Running) -> None:
    async with watched(running) as there:
        began = asyncio.get_running_loop().time()
        assert await there.says("GET /metrics HTTP/1.1\r\n") == ""
        assert PATIENCE <= asyncio.get_running_loop().time() - began < PATIENCE + 0.001


@virtual
async def test_one_guest_too_many_is_turned_away_and_the_others_are_served(
    network: Network, running: Running
) -> None:
    async with watched(running) as there:
        slow = [await asyncio.open_connection("tracker", 9100) for _ in range(MOST_AT_ONCE)]
        assert (await there.page("/healthz")) == (503, ["too many requests at once"])
        slow[0][1].write(b"GET /healthz HTTP/1.1\r\n\r\n")
        assert (await slow[0][0].read()).endswith(b"in health\n")
        assert (await there.page("/healthz")) == (200, ["in health"])
        for _, writer in slow:
            writer.close()


@virtual
async def test_a_port_that_is_taken_is_the_users_to_mend(network: Network, running: Running) -> None:
    async with watched(running) as there:
        report = SelfReport(there.tracker, there.vitals, Heartbeat(), since=0.0)
        with pytest.raises(ConfigError, match=r"--metrics-port 9100 at tracker: .*choose a free port"):
            async with answering("tracker", 9100, report):
                raise AssertionError("nobody can listen there twice")
        with pytest.raises(ConfigError, match="--metrics-port is 70000: choose one from 1 to 65535"):
            async with answering("tracker", 70000, report):
                raise AssertionError("there is no such port")


# Health


@virtual
async def test_endpoints_that_are_away_are_no_ailment(network: Network, running: Running) -> None:
    lead(network, "input")
    lead(network, "output")
    async with watched(running) as there:
        await asyncio.sleep(60)
        assert await there.page("/healthz") == (200, ["in health"])
        status, lines = await there.page("/readyz")
    assert (status, lines[0]) == (503, "not ready")
    assert [line.rpartition(" ")[0] for line in lines[1:]] == ["the input link is", "the output link is"]


@virtual
async def test_a_loop_that_is_late_is_an_ailment(network: Network, running: Running) -> None:
    async with watched(running) as there:
        await asyncio.sleep(BEAT / 2)
        machine().block(MOST_LAG + 2 * BEAT)  # the heart stands still, and this test's server does not
        await asyncio.sleep(MOST_LAG + 1.9 * BEAT)
        status, lines = await there.page("/healthz")
        assert (status, lines) == (
            503,
            ["not in health", f"the event loop is {MOST_LAG + 1.4 * BEAT:.1f} s late"],
        )
        await asyncio.sleep(2 * BEAT)
        assert await there.page("/healthz") == (200, ["in health"])


@virtual
async def test_a_bug_that_lets_no_frame_through_is_an_ailment(
    network: Network, climb: Climb, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, quiet, host="output"),
        watched(running) as there,
    ):
        with monkeypatch.context() as broken:
            broken.setattr(there.tracker._pipeline, "step", lambda _: 1 / 0)
            await there.record.until(events.Rejected, count=MOST_BUGS)
            status, lines = await there.page("/healthz")
            assert (status, lines[0]) == (503, "not in health")
        await there.record.until(events.Accepted)
        assert await there.page("/healthz") == (200, ["in health"])


# Readiness


@virtual
async def test_both_links_make_it_ready_and_either_alone_does_not(
    network: Network, climb: Climb, running: Running
) -> None:
    async with (
        endpoint(network, camera(climb), host="input") as way_in,
        endpoint(network, quiet, host="output") as way_out,
        watched(running) as there,
    ):
        assert (await there.page("/readyz"))[0] == 503
        await asyncio.sleep(1)
        assert await there.page("/readyz") == (200, ["ready"])
        for way, link in ((way_in, "input"), (way_out, "output")):
            way.disable()
            await asyncio.sleep(1)
            status, lines = await there.page("/readyz")
            assert (status, lines[0], len(lines)) == (503, "not ready", 2)
            assert lines[1].startswith(f"the {link} link is ")
            way.enable()
            await asyncio.sleep(10)
            assert await there.page("/readyz") == (200, ["ready"])


@virtual
async def test_a_link_in_doubt_is_not_ready_before_it_is_given_up(
    network: Network, climb: Climb, running: Running
) -> None:
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, silent, host="output"),
        watched(running) as there,
    ):
        await there.record.until(events.Suspected)
        assert await there.page("/readyz") == (503, ["not ready", "the output link is suspect"])


@virtual
async def test_a_paused_output_and_a_stop_are_not_ready(
    network: Network, climb: Climb, running: Running
) -> None:
    commander = Commander()
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, quiet, host="output"),
        endpoint(network, commander, host="control"),
        watched(running, control_url="ws://control:80/") as there,
    ):
        await asyncio.sleep(1)
        commander.say("pause_output")
        await there.record.until(events.Controlled)
        assert await there.page("/readyz") == (503, ["not ready", "the output is paused by a control"])
        commander.say("resume_output")
        await there.record.until(events.Controlled, count=2)
        assert await there.page("/readyz") == (200, ["ready"])
        there.tracker.stop("test")
        assert "the tracker is stopping" in (await there.page("/readyz"))[1]


@virtual
async def test_a_display_far_behind_is_not_ready(network: Network, climb: Climb, running: Running) -> None:
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, quiet, host="output") as way,
        watched(running) as there,
    ):
        await asyncio.sleep(1)
        way.disable()
        await asyncio.sleep(MOST_BEHIND + 2)
        assert "the display is 12 s behind" in (await there.page("/readyz"))[1]


# Metrics


@virtual
async def test_the_metrics_tell_what_happened(network: Network, climb: Climb, running: Running) -> None:
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, quiet, host="output") as way,
        watched(running) as there,
    ):
        await asyncio.sleep(5)
        for connection in tuple(way.connections):
            connection.reset()
        await there.record.until(events.Connected, lambda event: event.link == "output", count=2)
        await asyncio.sleep(5)
        seen = await there.metrics()
    output = (("link", "output"),)
    assert seen["tracker_link_up", output] == 1
    assert seen["tracker_link_state", (*output, ("state", "open"))] == 1
    assert seen["tracker_link_state", (*output, ("state", "waiting"))] == 0
    assert seen["tracker_link_round_trip_seconds", output] == exactly(0.1)
    assert seen["tracker_link_connections_total", output] == 2
    assert seen["tracker_link_closes_total", (*output, ("code", "1006"), ("by", "network"))] == 1
    assert seen["tracker_frames_received_total", (("link", "input"),)] > 250
    assert 0 <= seen["tracker_last_frame_age_seconds", (("link", "input"),)] < 0.04
    assert seen["tracker_outputs_repeated_total", output] > 0
    assert 0 < seen["tracker_queue_oldest_age_seconds", output] < 0.5


@virtual
async def test_the_metrics_keep_to_prometheus_conventions(network: Network, running: Running) -> None:
    async with watched(running, control_url="ws://control:80/") as there:
        _, lines = await there.page("/metrics")
    for family in text_string_to_metric_families("\n".join(lines) + "\n"):
        assert family.name.startswith("tracker_")
        assert family.documentation.endswith(".")
        unit = family.name.rpartition("_")[2]
        assert unit not in {
            "milliseconds",
            "ms",
            "minutes",
            "kilobytes",
            "count",
            "total",
            "counter",
            "gauge",
        }
        for sample in family.samples:
            assert (family.type == "counter") == sample.name.endswith("_total")


@virtual
async def test_the_document_for_operators_lists_each_metric(network: Network, running: Running) -> None:
    async with watched(running) as there:
        report = SelfReport(there.tracker, there.vitals, Heartbeat(), since=0.0)
        families = list(report.families(0.0))
    text = OPERATING.read_text("utf-8")
    table = text.partition("<!-- metrics: begin -->\n")[2].partition("<!-- metrics: end -->")[0]
    rows = [f"| `{family.name}` | {family.kind} | {family.help} |" for family in families]
    assert table == "\n".join(["| metric | kind | what it tells |", "|---|---|---|", *rows, ""])
