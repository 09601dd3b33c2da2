"""When to say that the display shows the past: once, again when it is far worse, and when it is over.        pure"""

SAID_FROM = 2.0
"""Seconds: a display that is less far behind is not worth a line."""
SAID_AGAIN_FROM = 10.0
CAUGHT_UP = 1.0


class Lateness:
    """Is told how far behind the display is, and says what is news of that."""

    def __init__(self) -> None:
        self._next = SAID_FROM
        self._worst = 0.0

    def news(self, behind: float) -> str | None:
        """A sentence, where there is something to say of it. `behind` is in seconds."""
        if behind >= self._next:
            self._next = SAID_AGAIN_FROM if behind < SAID_AGAIN_FROM else 2 * behind
            self._worst = behind
            return f"the display is {behind:.0f} s behind"
        if self._worst and behind < CAUGHT_UP:
            worst, self._worst, self._next = self._worst, 0.0, SAID_FROM
            return f"the display has caught up; it was {worst:.0f} s behind"
        if self._worst:
            self._worst = max(self._worst, behind)
        return None
