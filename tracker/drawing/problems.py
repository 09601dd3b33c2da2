"""What a drawing is refused for, and how what stands in it is quoted.                                      pure"""

from tracker.config import ConfigError

MAX_POINTS = 600_000
"""Of all outlines together, once their curves are chords. Five thousand round holds have 425,000."""

MAX_CURVES = 200_000
"""Of all outlines together, before; a circle is 16."""


class WallError(ConfigError):
    """A wall drawing that cannot be used; one complete line."""


class PointBudget:
    """How many curves and points a drawing's outlines may still have."""

    def __init__(self) -> None:
        self._left = MAX_POINTS
        self._curves = MAX_CURVES

    def take_curves(self, count: int) -> None:
        """Raise `WallError` where the outlines have more curves than a wall needs; each ends in a point."""
        self._curves -= count
        if self._curves < 0:
            raise WallError(f"its outlines have more than {MAX_CURVES:,} curves; simplify the paths")
        self.take(count)

    def take(self, count: int) -> None:
        """Raise `WallError` where the outlines have more points than a wall needs."""
        self._left -= count
        if self._left < 0:
            raise WallError(
                f"its outlines have more than {MAX_POINTS:,} points, more than a wall of 5,000 holds needs;"
                " simplify the paths"
            )


def named(id_: str) -> str:
    """Return an id as it may be shown: as it is, where that can be mistaken for nothing else."""
    plain = id_.isprintable() and id_ == id_.strip() and "  " not in id_ and 0 < len(id_) <= 60
    return id_ if plain else quoted(id_)


def quoted(text: str, most: int = 60) -> str:
    """Return what stands in a drawing as it may be shown: bounded, and without control characters."""
    return repr(text if len(text) <= most else f"{text[:most]}...")
