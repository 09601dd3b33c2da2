"""What a tracker says of itself when it begins: what runs, on which wall, between which endpoints, and its bounds."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from tracker.config import TrackerConfig, redacted
from tracker.pipeline import Pipeline


def announcement(
    config: TrackerConfig, pipeline: Pipeline, settings: Mapping[str, Any]
) -> dict[str, str | int | float]:
    """The fields of the first line of a log, without a secret; durations in seconds, sizes in bytes."""
    route = settings.get("route_data")
    rules, outbox, timing = pipeline.rules, config.outbox, config.timing
    fields = {
        "version": version("pose-session-tracker"),
        "stream": pipeline.stream,
        "wall": settings["wall"],
        "holds": len(pipeline.wall.holds),
        "calibration": settings["calibration"],
        "route": "none" if not route else "given as JSON" if route.lstrip().startswith("{") else route,
        "input": redacted(config.input_url),
        "output": redacted(config.output_url),
        "control": redacted(config.control_url) if config.control_url else "none",
        "proximity_threshold": rules.proximity_threshold,
        "touch_duration": rules.touch_duration,
        "contact_grace": rules.contact_grace,
        "confirm": config.confirm,
        "overflow": config.overflow,
        "outbox_messages": outbox.messages,
        "outbox_bytes": outbox.bytes,
        "dead_after": 3 * timing.probe_floor,
        "reconnect_cap": timing.reconnect_cap,
        "flush_timeout": timing.flush_timeout,
    }
    for name in ("trace", "state", "metrics_host", "metrics_port"):
        if name in settings:
            fields[name] = settings[name]
    return fields
