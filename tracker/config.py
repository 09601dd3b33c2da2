"""What a tracker can be told, with the defaults that its promises are measured with.                     pure

Every setting that is a duration lives in `Timing` and is in seconds of the event loop's clock. The touch
rule's durations are not here: they are message time, and belong to the session (`session.Rules`).
"""

import re
from dataclasses import dataclass, fields, replace
from typing import Literal, Self
from urllib.parse import urlsplit

Confirm = Literal["pong", "ack", "none"]
Overflow = Literal["latest", "block", "fail"]
LogFormat = Literal["text", "json"]


class ConfigError(ValueError):
    """A setting that cannot be used; its text is one complete line for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations in seconds. The defaults give up a dead link within 5 s and spare one with a 3 s round trip."""

    open_timeout: float = 10.0
    """TCP connect, TLS and WebSocket handshake together: three round trips, each below 3 s."""
    probe_interval: float = 1.0
    """Between probes while nothing waits for a confirm."""
    barrier_interval: float = 0.2
    """Between probes while messages wait for a confirm."""
    probe_floor: float = 1.2
    """The first deadline of a probe is never shorter; the second is twice as long, so a link that falls
    silent is DEAD after three times this."""
    probe_ceiling: float = 12.0
    """No run of silence or of life without confirms is borne longer, however slow the link was before."""
    write_timeout: float = 4.0
    """How long the write buffer may stay full without a byte leaving it."""
    reconnect_delay: float = 0.5
    """The first back-off is drawn from 0 to this."""
    reconnect_cap: float = 8.0
    """No back-off is drawn from a wider range than 0 to this."""
    stable_after: float = 10.0
    """A connection that lived this long resets the back-off."""
    close_timeout: float = 2.0
    """How long a close handshake may take."""
    flush_timeout: float = 5.0
    """How long an orderly stop waits for confirms before it gives up."""

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if not 0 < value < float("inf"):
                raise ConfigError(f"{f.name} is {value!r}: it must be a positive number of seconds")
        # 0.3 is three times 0.1 to whoever wrote it, though not in binary fractions.
        if self.probe_ceiling < 3 * self.probe_floor * (1 - 1e-9):
            raise ConfigError(
                f"probe_ceiling is {self.probe_ceiling!r}: it must be at least three times probe_floor"
                f" ({self.probe_floor!r}), or no probe gets its second chance"
            )
        if self.reconnect_cap < self.reconnect_delay:
            raise ConfigError(
                f"reconnect_cap is {self.reconnect_cap!r}: it must not be below reconnect_delay ({self.reconnect_delay!r})"
            )

    def scaled(self, factor: float) -> Self:
        """The same ratios on another clock: every duration times `factor`."""
        return replace(self, **{f.name: getattr(self, f.name) * factor for f in fields(self)})


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """How much the outbox holds, and how much of it may be unconfirmed on the wire at once."""

    messages: int = 900
    """Thirty seconds at 30 fps."""
    bytes: int = 32_000_000
    window_messages: int = 128
    """The in-flight window: four seconds at 30 fps, so that a 3 s round trip does not throttle."""
    window_bytes: int = 2_000_000

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if value < 1:
                raise ConfigError(f"outbox {f.name} is {value!r}: it must be at least 1")


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """One tracker: where it listens, where it speaks, and how it behaves when either fails."""

    input_url: str
    output_url: str
    control_url: str | None = None
    confirm: Confirm = "pong"
    overflow: Overflow = "latest"
    outbox: OutboxLimits = OutboxLimits()
    timing: Timing = Timing()


_URL = re.compile(r"[a-z]+://[^\s'\"<>]+", re.IGNORECASE)


def without_credentials(text: str) -> str:
    """A text with every URL in it redacted: an error can quote one, and a redirect's may hold a token."""

    def shown(found: re.Match[str]) -> str:
        try:
            return redacted(found[0])
        except ValueError:
            return f"{found[0].partition('://')[0]}://..."

    return _URL.sub(shown, text)


def redacted(url: str) -> str:
    """The URL without user, password and query, which is where credentials are; fit for logs and traces."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
