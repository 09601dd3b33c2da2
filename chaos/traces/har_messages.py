"""A message of a HAR's WebSocket as one frame, whoever recorded it.                                                  pure"""

import base64
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from chaos.traces.log_lines import MOST_DATA
from chaos.traces.log_notices import MOST_TEXT
from chaos.traces.log_times import EARLIEST, number_as_time
from chaos.traces.wire import Failing, Frame, Opcode, Said, Way

_OPCODES: dict[int, Opcode] = {0: "CONT", 1: "TEXT", 2: "BINARY", 8: "CLOSE", 9: "PING", 10: "PONG"}


class Message(msgspec.Struct):
    """As it stands in the file; its data is decoded when it is wanted."""

    type: Any = ""
    time: Any = None
    opcode: Any = 1
    data: msgspec.Raw = msgspec.Raw(b'""')


def moment_of(found: object) -> float | None:
    """Seconds since 1970, of a number or of ISO 8601."""
    if isinstance(found, str):
        try:
            moment = datetime.fromisoformat(found)
        except ValueError:
            return None
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    if isinstance(found, int | float) and not isinstance(found, bool) and found >= EARLIEST:
        time = number_as_time(float(found))
        return None if time is None else time.moment
    return None


def said_of(message: Message) -> Said | None:
    """What it says; None for a kind that is not known."""
    way: Way | None = {"send": ">", "sent": ">", "receive": "<", "received": "<", "recv": "<"}.get(  # type: ignore[assignment]
        str(message.type).lower()
    )
    data = _text(message.data)
    if str(message.type).lower() == "error":
        return Failing(None, data[:MOST_TEXT])
    opcode = _OPCODES.get(message.opcode) if isinstance(message.opcode, int) else "TEXT"
    if way is None or opcode is None:
        return None
    if opcode == "CLOSE":
        code, reason = _close(data)
        return Frame(way, opcode, len(data), data[:MOST_DATA], code, reason)
    size = _size_of_base64(data) if opcode in ("BINARY", "CONT") else len(data.encode(errors="replace"))
    return Frame(way, opcode, size, data[:MOST_DATA])


def _text(raw: msgspec.Raw) -> str:
    try:
        found = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return ""
    return found if isinstance(found, str) else bytes(raw).decode(errors="replace")


def _size_of_base64(data: str) -> int:
    """Bytes that it stands for; of what is no base64 its own length."""
    if len(data) % 4:
        return len(data)
    return len(data) // 4 * 3 - data[-2:].count("=")


def _close(data: str) -> tuple[int | None, str]:
    """Code and reason of a Close frame, as text with two bytes in front or in base64."""
    payloads = [data.encode("latin-1", errors="replace")]
    with suppress(ValueError):
        payloads.append(base64.b64decode(data, validate=True))
    for payload in payloads:
        code = int.from_bytes(payload[:2], "big")
        if len(payload) >= 2 and 1000 <= code < 5000:
            return code, payload[2:].decode(errors="replace")
    found = re.search(r"\b([1-4]\d{3})\b(?:[^\w]*(.*))?", data)
    return (int(found[1]), found[2] or "") if found else (None, "")
