"""What a message says, however it is spelt.                                                                   pure"""

import zlib
from typing import Any

import msgspec


def checksum(body: bytes) -> int:
    """Equal for two bodies of JSON that hold the same, whatever their blanks, escapes and order of keys, and whether a
    whole number has a decimal point; of other bodies, a checksum of the bytes. Never raises; never 0.
    """
    try:
        plain = msgspec.json.encode(_plain(msgspec.json.decode(body)), order="sorted")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        plain = body
    return zlib.crc32(plain) or 1


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
