"""Plain numbered messages, as the mock peer sends them to a client that wants no poses.                       pure"""

from dataclasses import dataclass, replace
from functools import lru_cache

NUMBER, FILLER = "{n}", "{filler}"
"""What a template has in place of the number, and of what makes the message as long as it should be."""
TEMPLATE = '{"sequence": {n}, "filler": "{filler}"}'
SIZE = 2036
"""Bytes of a pose, so that what a scenario says of buffers and rates holds for these messages too."""
LEAST = 16
"""Bytes of a short message that is nothing but filler."""
_PERIOD = 4099


@dataclass(frozen=True, slots=True)
class NumberedMessages:
    """Message `n` is the template with its number and its filler; always the same for the same `n`."""

    template: str = TEMPLATE
    size: int | None = SIZE
    """Bytes of a whole message; None: as long as the template makes it, which then has no filler."""
    binary: bool = False
    """Whether it travels as a binary message. One that is nothing but filler is then any bytes, and no text."""

    def message(self, n: int) -> bytes:
        """The body of message `n`."""
        body = self.template.replace(NUMBER, str(n)).encode()
        place = FILLER.encode()
        if self.size is None:
            return body
        missing = max(0, self.size - len(body) + len(place))
        return body.replace(place, self._filler(n, missing), 1)

    def short(self) -> "NumberedMessages":
        """The same with as little filler as it takes, some bytes where they are nothing but filler."""
        least = LEAST if self.template == FILLER else self.shortest
        return self if self.size is None else replace(self, size=min(self.size, least))

    @property
    def shortest(self) -> int:
        """Bytes of message 0 without a filler."""
        return len(self.template.replace(NUMBER, "0").replace(FILLER, "").encode())

    def _filler(self, n: int, size: int) -> bytes:
        begin = n * 37 % _PERIOD
        return _noise(size // _PERIOD + 2, self.binary and self.template == FILLER)[begin : begin + size]


@lru_cache(maxsize=8)
def _noise(periods: int, any_bytes: bool) -> bytes:  # noqa: FBT001 - a key of the cache
    """Bytes that follow no short rule, again and again: any, or letters."""
    letters = b"abcdefghijklmnopqrstuvwxyz"
    period = (i * i * 31 // 7 + i * 17 for i in range(_PERIOD))
    once = bytes(value % 256 if any_bytes else letters[value % 26] for value in period)
    return once * periods
