"""What is in force, however often and in whatever order it began and ends.                                       pure"""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Standing(Generic[T]):
    """Values that began and have not ended. True while there is one; of several at once the latest begun counts."""

    def __init__(self) -> None:
        self._values: dict[object, T] = {}

    def begin(self, value: T) -> Callable[[], None]:
        """Put `value` into force; what is returned ends it, and does nothing when called again."""
        key = object()
        self._values[key] = value

        def end() -> None:
            self._values.pop(key, None)

        return end

    def __bool__(self) -> bool:
        return bool(self._values)

    @property
    def latest(self) -> T | None:
        """What began last of those in force; None where there is none."""
        return next(reversed(self._values.values()), None)

    @property
    def newest_first(self) -> tuple[T, ...]:
        """All that is in force."""
        return tuple(reversed(self._values.values()))
