"""A tracker's parts, made of its settings."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from tracker.config import ConfigError, TrackerConfig
from tracker.files import load_calibration, load_route, load_wall
from tracker.pipeline import Pipeline
from tracker.session import Rules
from tracker.trace import Recorder
from tracker.trace_parts import Bounds
from tracker.user_files import read_whole


def recorder_of(config: TrackerConfig, pipeline: Pipeline, settings: dict[str, Any]) -> Recorder:
    """The flight recorder of a run. Raises `ConfigError`."""
    bounds = {name: settings[f"trace_{name}"] for name in ("bytes", "files") if f"trace_{name}" in settings}
    files = {name: read_whole(settings[name]) for name in ("wall", "calibration")}
    route = settings.get("route_data")
    if route:
        files["route"] = route.encode() if route.lstrip().startswith("{") else read_whole(route)
    return Recorder(
        Path(settings["trace"]),
        config,
        stream=pipeline.stream,
        bounds=Bounds(**bounds),
        rules={
            **asdict(pipeline.rules),
            "stream_landmarks": settings.get("stream_landmarks", True),
            "stream_svg_only": settings.get("stream_svg_only", False),
        },
        files=files,
        payloads=settings.get("trace_payloads", False),
    )


def pipeline_of(settings: dict[str, Any], stream: str) -> Pipeline:
    """The pipeline, with the wall's files read. Raises `ConfigError`."""
    for name in ("wall", "calibration"):
        if not settings.get(name):
            raise ConfigError(
                f"no --{name} given: name the wall's {'SVG' if name == 'wall' else 'calibration JSON'}"
            )
    rules = {
        key: float(settings[key])
        for key in ("proximity_threshold", "touch_duration", "contact_grace")
        if settings.get(key) is not None
    }
    return Pipeline(
        load_wall(Path(settings["wall"])),
        load_calibration(Path(settings["calibration"])),
        route=load_route(settings["route_data"]) if settings.get("route_data") else None,
        rules=Rules(**rules),
        stream=stream,
        landmarks=settings.get("stream_landmarks", True),
        svg_only=settings.get("stream_svg_only", False),
    )
