"""Which numbers have been seen.                                                                           pure"""

from bisect import bisect_right


class Seen:
    """A set of whole numbers kept as runs: its size grows with the gaps between them, not with their count."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def add(self, number: int) -> bool:
        """Add a number; whether it is new."""
        firsts, lasts = self._firsts, self._lasts
        after = bisect_right(firsts, number)  # the first run that begins behind the number
        if after and number <= lasts[after - 1]:
            return False
        extends = after > 0 and lasts[after - 1] == number - 1
        precedes = after < len(firsts) and firsts[after] == number + 1
        if extends and precedes:
            lasts[after - 1] = lasts.pop(after)
            del firsts[after]
        elif extends:
            lasts[after - 1] = number
        elif precedes:
            firsts[after] = number
        else:
            firsts.insert(after, number)
            lasts.insert(after, number)
        return True
