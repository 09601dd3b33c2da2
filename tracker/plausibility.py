"""What of a wall's files is allowed and yet hardly meant: holds nowhere, a calibration the wrong way round.     pure"""

from collections.abc import Iterator, Mapping, Sequence

from tracker.calibration import Calibration
from tracker.contact import Box, Hold
from tracker.session import HoldType
from tracker.wall import Wall

FAR = 3.0
"""A corner of the image so many walls away from the wall is hardly meant."""
POINT = 0.001
"""An image that covers no more of the wall is hardly meant either."""
NEAR = 1.0
"""A reading of the calibration that puts all corners of the image so near is perhaps meant."""
_BEYOND = 0.1
"""A camera sees a hand so far outside of its image: MediaPipe guesses on."""

_Row = tuple[float, float, float]
_Matrix = tuple[_Row, _Row, _Row]
_CORNERS = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
_IMAGES = (
    (1920, 1080),
    (1080, 1920),
    (1280, 720),
    (720, 1280),
    (640, 480),
    (480, 640),
    (3840, 2160),
    (2160, 3840),
)


def doubts(
    wall: Wall, calibration: Calibration, types: Mapping[str, HoldType], *, with_route: bool
) -> tuple[str, ...]:
    """Return a line for each doubt; empty where nothing is strange. `types` are those of the holds."""
    return (
        *_holds_off_the_wall(wall),
        *(
            tuple(_corners_far_away(wall, calibration.matrix))
            or _holds_out_of_sight(wall, calibration.matrix)
        ),
        *_no_end(wall, calibration.matrix, types, with_route=with_route),
    )


def _holds_off_the_wall(wall: Wall) -> Iterator[str]:
    left, top = wall.origin
    off = [
        hold
        for hold in wall.holds
        if hold.box[2] < left
        or hold.box[0] > left + wall.width
        or hold.box[3] < top
        or hold.box[1] > top + wall.height
    ]
    if off:
        x, y = _middle(off[0].box)
        yield (
            f"{_some(off, wall.holds)} outside of the wall, which is {wall.width:g} x {wall.height:g} from {left:g},"
            f" {top:g}: {off[0].id} is around {x:g}, {y:g}; correct the viewBox or the drawing"
        )


def _corners_far_away(wall: Wall, matrix: _Matrix) -> Iterator[str]:
    places = [_mapped(matrix, corner) for corner in _CORNERS]
    inside = [place for place in places if place is not None and _away(place) <= FAR]
    if len(inside) == len(_CORNERS) and abs(_area(inside)) > POINT:
        return
    where = "nearly one place of it" if len(inside) == len(_CORNERS) else "far outside of it"
    shown = ", ".join("infinity" if place is None else f"{place[0]:.3g} {place[1]:.3g}" for place in places)
    yield (
        f"the calibration maps the image's corners to {shown}, and the wall is 0..1: {where}"
        f"{_perhaps(wall, matrix)}"
    )


def _perhaps(wall: Wall, matrix: _Matrix) -> str:
    """What the calibration may be instead, by trying it."""
    fitting = list(dict.fromkeys(_readings(wall, matrix)))
    if not fitting:
        return "; it fits neither in pixels nor inverted: calibrate again"
    return f"; perhaps it is {' or '.join(fitting)}, for so it would fit"


def _readings(wall: Wall, matrix: _Matrix) -> Iterator[str]:
    units = (wall.width, wall.height)
    inverse = _inverse(matrix)
    for tried, inverted in ((matrix, ""), (inverse, "inverted (from the wall to the image)")):
        if tried is None:
            continue
        joined = f"{inverted} and " if inverted else ""
        if inverted and _fits(tried):
            yield inverted
        if any(_fits(_scaled(tried, columns=image)) for image in _IMAGES):
            yield f"{joined}in pixels of the image"
        if _fits(_scaled(tried, rows=units)):
            yield f"{joined}in wall units"
        if any(_fits(_scaled(tried, columns=image, rows=units)) for image in _IMAGES):
            yield f"{joined}in pixels of the image and in wall units"


def _holds_out_of_sight(wall: Wall, matrix: _Matrix) -> Iterator[str]:
    unseen = [hold for hold in wall.holds if not _seen(hold, wall, matrix)]
    if not unseen:
        return
    inverse = _inverse(matrix)
    turned = inverse is not None and all(_seen(hold, wall, inverse) for hold in unseen)
    hint = "; perhaps it is inverted: its inverse sees them" if turned else ""
    yield (
        f"{_some(unseen, wall.holds)} outside of the camera's image, as the calibration has it, so that no hand is"
        f" seen there (the first is {unseen[0].id}){hint}"
    )


def _no_end(wall: Wall, matrix: _Matrix, types: Mapping[str, HoldType], *, with_route: bool) -> Iterator[str]:
    finish = [hold for hold in wall.holds if types[hold.id] == "finish"]
    if with_route and not finish:
        yield "the route has no finish hold: no session completes"
    unseen = [hold for hold in finish if not _seen(hold, wall, matrix)]
    if unseen:
        yield f"no session completes: the finish hold {unseen[0].id} is outside of the camera's image"


def _seen(hold: Hold, wall: Wall, matrix: _Matrix) -> bool:
    """Whether the middle or a corner of the hold's box is in the image."""
    inverse = _inverse(matrix)
    if inverse is None:
        return True
    left, top, right, bottom = hold.box
    for x, y in ((left, top), (right, top), (right, bottom), (left, bottom), _middle(hold.box)):
        on_wall = ((x - wall.origin[0]) / wall.width, (y - wall.origin[1]) / wall.height)
        in_image = _mapped(inverse, on_wall)
        if in_image is not None and _away(in_image) <= _BEYOND:
            return True
    return False


def _some(some: Sequence[Hold], of: Sequence[Hold]) -> str:
    return f"{len(some)} of {len(of)} holds {'is' if len(some) == 1 else 'are'}"


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _fits(matrix: _Matrix) -> bool:
    """Whether all corners of the image come near the wall, and not all of them to one place."""
    places = [place for corner in _CORNERS if (place := _mapped(matrix, corner)) is not None]
    if len(places) < len(_CORNERS) or any(_away(place) > NEAR for place in places):
        return False
    return abs(_area(places)) > 0.05


def _area(places: Sequence[tuple[float, float]]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(places, [*places[1:], places[0]], strict=True)) / 2


def _away(place: tuple[float, float]) -> float:
    """How far a place is from the square 0..1, in its sides."""
    return max(0.0, *(max(-value, value - 1) for value in place))


def _mapped(matrix: _Matrix, place: tuple[float, float]) -> tuple[float, float] | None:
    """None: infinity, or beyond it as seen from the image's middle."""
    x, y = place
    u, v, w = (a * x + b * y + c for a, b, c in matrix)
    g, h, i = matrix[2]
    if not w * (g / 2 + h / 2 + i) > 0:
        return None
    return u / w, v / w


def _scaled(
    matrix: _Matrix, *, columns: tuple[float, float] = (1, 1), rows: tuple[float, float] = (1, 1)
) -> _Matrix:
    """The same for an image of so many pixels, onto a wall of so many units."""
    top, middle, bottom = ((a * columns[0], b * columns[1], c) for a, b, c in matrix)
    return _row(top, rows[0]), _row(middle, rows[1]), _row(bottom, 1)


def _row(row: _Row, by: float) -> _Row:
    a, b, c = row
    return a / by, b / by, c / by


def _inverse(m: _Matrix) -> _Matrix | None:
    """Up to scale; None where it would be beyond all bounds."""
    (a, b, c), (d, e, f), (g, h, i) = m
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    if determinant == 0:
        return None
    return (
        _row((e * i - f * h, c * h - b * i, b * f - c * e), determinant),
        _row((f * g - d * i, a * i - c * g, c * d - a * f), determinant),
        _row((d * h - e * g, b * g - a * h, a * e - b * d), determinant),
    )
