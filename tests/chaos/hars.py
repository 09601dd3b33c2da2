"""HAR files in the form of Chrome's export, made entry by entry, for tests: no browser takes part."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BEGIN = 1_779_172_200.0
URL = "wss://shop.example/live?token=secret"
PAGE: dict[str, Any] = {
    "_resourceType": "document",
    "startedDateTime": "2026-05-19T06:29:59.000Z",
    "time": 20,
    "request": {"method": "GET", "url": "https://shop.example/", "headers": []},
    "response": {"status": 200, "statusText": "OK", "headers": [], "content": {"text": "<html>"}},
}


def iso(t: float) -> str:
    return datetime.fromtimestamp(BEGIN + t, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message(way: str, t: float, data: str, opcode: int = 1) -> dict[str, Any]:
    return {"type": way, "time": BEGIN + t, "opcode": opcode, "data": data}


def ticks(begin: float, count: int) -> list[dict[str, Any]]:
    """One message sent, then one a second that comes."""
    came = [message("receive", begin + n + 0.02, f"tick {n}") for n in range(count)]
    return [came[0], message("send", begin + 0.05, "hello"), *came[1:]] if came else []


def entry(
    begin: float,
    lasted: float,
    messages: list[dict[str, Any]] | None = None,
    *,
    status: int = 101,
    url: str = URL,
    error: str | None = None,
) -> dict[str, Any]:
    """A connection, or an attempt; times in seconds."""
    made: dict[str, Any] = {
        "_resourceType": "websocket",
        "startedDateTime": iso(begin),
        "time": lasted * 1000,
        "request": {"method": "GET", "url": url, "headers": [{"name": "Upgrade", "value": "websocket"}]},
        "response": {"status": status, "statusText": "", "headers": []},
    }
    if error is not None:
        made["response"]["_error"] = error
    if messages is not None:
        made["_webSocketMessages"] = messages
    return made


def text(*entries: dict[str, Any]) -> str:
    creator = {"name": "WebInspector", "version": "537.36"}
    return json.dumps({"log": {"version": "1.2", "creator": creator, "pages": [], "entries": entries}})


def written(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "page.har"
    path.write_text(text(*entries))
    return path
