"""What `tracker check` says of a wall's files and of a configuration."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tracker.config import TrackerConfig, redacted
from tracker.pipeline import Pipeline


def check_lines(
    pipeline: Pipeline, settings: Mapping[str, Any], *, config: Path | None, endpoints: TrackerConfig | None
) -> Iterator[str]:
    """Yield the lines: what there is, then a warning for each doubt."""
    wall = pipeline.wall
    if endpoints is not None:
        yield f"config       {config}: input {redacted(endpoints.input_url)}, output {redacted(endpoints.output_url)}"
        if endpoints.control_url is not None:
            yield f"             controls {redacted(endpoints.control_url)}"
    yield f"wall         {settings['wall']}: {len(wall.holds)} holds, {wall.width:g} x {wall.height:g} wall units"
    if wall.left_out:
        yield f"no hold      {wall.left_out_line}"
    percent = pipeline.calibration.hand_extension_percent
    yield f"calibration  {settings['calibration']}: hands extend {percent:g} %"
    yield from _route_lines(pipeline)
    for doubt in pipeline.doubts():
        yield f"warning      {doubt}"


def _route_lines(pipeline: Pipeline) -> Iterator[str]:
    if pipeline.route is None:
        finish = [hold["id"] for hold in pipeline.snapshot()["holds"] if hold["type"] == "finish"]
        ends = f"a session completes with {', '.join(finish[:5])}" if finish else "no session completes"
        yield f"route        none: hold types come from the ids' prefixes, and {ends}"
        return
    for kind in ("start", "normal", "finish"):
        ids = [hold for hold, its_kind in pipeline.route.holds.items() if its_kind == kind]
        yield f"route        {kind + ':':8}{', '.join(ids) or '-'}"
