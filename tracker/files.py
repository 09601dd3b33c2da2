"""A wall's files, read: drawing, calibration, route."""

from pathlib import Path

from tracker.calibration import Calibration, CalibrationError, parse_calibration
from tracker.session import Route, RouteError, parse_route
from tracker.user_files import in_utf8, read_whole
from tracker.wall import Wall, WallError, parse_wall


def load_wall(path: str | Path) -> Wall:
    """Read a wall drawing; see `parse_wall`. Raises `WallError`."""
    try:
        data = read_whole(path)  # XML says its encoding itself
    except OSError as error:
        raise WallError(f"wall {path}: {error.strerror}; name a readable SVG file") from None
    try:
        return parse_wall(data)
    except WallError as error:
        raise WallError(f"wall {path}: {error}") from None


def load_calibration(path: str | Path) -> Calibration:
    """Read a calibration file. Raises `CalibrationError`."""
    try:
        data = in_utf8(read_whole(path))
    except OSError as error:
        raise CalibrationError(f"calibration {path}: {error.strerror}; name a readable JSON file") from None
    try:
        return parse_calibration(data)
    except CalibrationError as error:
        raise CalibrationError(f"calibration {path}: {error}") from None


def load_route(source: str | Path) -> Route:
    """Read a route from a file or, where `source` begins with a brace, from JSON text. Raises `RouteError`."""
    if isinstance(source, str) and source.lstrip().startswith("{"):
        return parse_route(source)
    try:
        data = in_utf8(read_whole(source))
    except OSError as error:
        raise RouteError(
            f"route {source}: {error.strerror}; name a readable JSON file, or give JSON"
        ) from None
    try:
        return parse_route(data)
    except RouteError as error:
        raise RouteError(f"route {source}: {error}") from None
