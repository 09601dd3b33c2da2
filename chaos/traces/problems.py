"""What was met on the way through a trace and left out, in a few lines however often it was met.                 pure"""

from collections.abc import Iterator

SHOWN = 5
"""Places that a problem names; the rest is counted."""


class Problems:
    """What was met on the way and left out, by kind: counted, the first places named."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._places: dict[str, list[str]] = {}

    def add(self, kind: str, place: str = "", count: int = 1) -> None:
        """One more of a kind, a phrase with `{n}` where the number belongs."""
        self._counts[kind] = self._counts.get(kind, 0) + count
        places = self._places.setdefault(kind, [])
        if place and len(places) < SHOWN:
            places.append(place)

    def __iter__(self) -> Iterator[str]:
        for kind, count in self._counts.items():
            places = ", ".join(self._places[kind])
            more = ", ..." if places and count > len(self._places[kind]) else ""
            yield kind.replace("{n}", str(count)) + (f": {places}{more}" if places else "")

    def __len__(self) -> int:
        return len(self._counts)
