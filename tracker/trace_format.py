"""What a trace's lines are: the schema's name, and an input message kept whole.                              pure

`docs/traces.md` is the schema in full.
"""

import hashlib
from base64 import b64decode, b64encode
from typing import Any

from tracker import events

SCHEMA = "tracker.trace/2"
BEGINNING = b'{"schema":"tracker.trace/'
"""Every part of every trace begins with these bytes."""
MAX_PAYLOAD_BYTES = 1_000_000
"""A larger message is noted with its size only."""


class Payload(events.Event, frozen=True, tag="payload"):
    """A message as it came from the input or the control link, before anything was made of it."""

    link: events.LinkName
    size: int
    text: str | None = None
    base64: str | None = None
    """In place of `text` where the bytes are no UTF-8. Neither: the message was too large to be kept."""

    @property
    def data(self) -> bytes | None:
        """The message's bytes; None where it was too large to be kept."""
        return restored(self.text, self.base64)


def payload(t: float, link: events.LinkName, data: bytes) -> Payload:
    """Of a message that came at `t`."""
    if len(data) > MAX_PAYLOAD_BYTES:
        return Payload(t=t, link=link, size=len(data))
    return Payload(t=t, link=link, size=len(data), **written(data))


def document(data: bytes, *, whole: bool) -> dict[str, Any]:
    """One of the wall's files as the header shows it: a digest, and if `whole` its content."""
    digest = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    return {**digest, **written(data)} if whole else digest


def written(data: bytes) -> dict[str, str]:
    """Bytes as JSON can hold them: `text`, or `base64` where they are no UTF-8."""
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()}


def restored(text: str | None, base64: str | None) -> bytes | None:
    """What `written` was given; None where nothing was written, or what was is damaged."""
    if text is not None:
        return text.encode()
    try:
        return None if base64 is None else b64decode(base64)
    except ValueError:
        return None
