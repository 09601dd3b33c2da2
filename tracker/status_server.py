"""HTTP for whoever watches a tracker: `/metrics`, `/healthz`, `/readyz`, and nothing else.

It answers on the tracker's own event loop: that it answers at all is part of the answer. Whoever asks can neither
hold it up nor make it grow: a request has a bound in bytes and in seconds, and their number at a time has one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

from tracker.config import ConfigError
from tracker.exposition import CONTENT_TYPE, exposition
from tracker.metrics import SelfReport

MOST_BYTES = 8192
"""Of a request's line and headers together."""
PATIENCE = 5.0
"""Seconds of the loop's clock that a request and its answer may take."""
MOST_AT_ONCE = 32
"""Connections at a time; those beyond are turned away."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: HTTPStatus
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: str = ""

    def encoded(self, *, head_only: bool = False) -> bytes:
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n"
            f"Cache-Control: no-store\r\n{self.headers}Connection: close\r\n\r\n"
        )
        return head.encode() + (b"" if head_only else self.body)


def _text(status: HTTPStatus, *lines: str, headers: str = "") -> _Answer:
    return _Answer(status, "".join(f"{line}\n" for line in lines).encode(), headers=headers)


@asynccontextmanager
async def answering(host: str, port: int, report: SelfReport) -> AsyncIterator[None]:
    """Answer at `host`:`port` meanwhile. Raises `ConfigError` where nobody can listen there."""
    guests: dict[asyncio.Task[object], asyncio.StreamWriter] = {}

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guest = asyncio.current_task()
        assert guest is not None, "a coroutine always runs in a task"
        guests[guest] = writer
        guest.add_done_callback(guests.pop)
        try:
            async with asyncio.timeout(PATIENCE):
                full = len(guests) > MOST_AT_ONCE
                busy = _text(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests at once").encoded()
                writer.write(busy if full else await _answer(reader, report))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            pass  # whoever asked is slow, or gone
        finally:
            writer.transport.abort()

    if not 1 <= port <= 65535:
        raise ConfigError(f"--metrics-port is {port}: choose one from 1 to 65535")
    try:
        server = await asyncio.start_server(welcome, host, port, limit=MOST_BYTES)
    except OSError as error:
        raise ConfigError(
            f"--metrics-port {port} at {host}: {error.strerror or error}:"
            " choose a free port, and an address of this machine (--metrics-host)"
        ) from None
    try:
        yield
    finally:
        server.close()
        for writer in guests.values():
            writer.transport.abort()  # and not their tasks: those would end as cancelled, which asyncio takes for an error
        if guests:
            await asyncio.wait(tuple(guests))


async def _answer(reader: asyncio.StreamReader, report: SelfReport) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        return _text(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"more than {MOST_BYTES} bytes of headers"
        ).encoded()
    words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return _text(HTTPStatus.BAD_REQUEST, "this is no request of HTTP/1.1").encoded()
    method, target, _ = words
    page = _PAGES.get(target.partition("?")[0])
    if page is None:
        return _text(HTTPStatus.NOT_FOUND, "there are " + ", ".join(_PAGES)).encoded()
    if method not in ("GET", "HEAD"):
        return _text(
            HTTPStatus.METHOD_NOT_ALLOWED, "GET and HEAD only", headers="Allow: GET, HEAD\r\n"
        ).encoded()
    return page(report, asyncio.get_running_loop().time()).encoded(head_only=method == "HEAD")


def _metrics(report: SelfReport, now: float) -> _Answer:
    return _Answer(HTTPStatus.OK, exposition(report.families(now)), CONTENT_TYPE)


def _health(report: SelfReport, now: float) -> _Answer:
    return _verdict("in health", report.ailments(now))


def _readiness(report: SelfReport, now: float) -> _Answer:
    return _verdict("ready", report.hindrances(now))


def _verdict(good: str, reasons: list[str]) -> _Answer:
    if reasons:
        return _text(HTTPStatus.SERVICE_UNAVAILABLE, f"not {good}", *reasons)
    return _text(HTTPStatus.OK, good)


_PAGES: dict[str, Callable[[SelfReport, float], _Answer]] = {
    "/metrics": _metrics,
    "/healthz": _health,
    "/readyz": _readiness,
}
