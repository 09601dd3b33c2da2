"""The tracker's token file in a run in which its credentials expire."""

from pathlib import Path

from simulator.admission import NUMBERED


class Tokens:
    """Whoever issues them, and the file that the tracker reads. Numbers rise; as it begins, the first is in the file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._issued = self._written = 0
        self.write(self.issue())

    def issue(self) -> int:
        """The number of a new token, which nobody has yet."""
        self._issued += 1
        return self._issued

    def write(self, number: int) -> None:
        """Put this token into the file, or the newest that was in it, if that is newer."""
        self._written = max(number, self._written)
        self.file.write_text(f"{NUMBERED}{self._written}\n", encoding="utf-8")

    def spoil(self) -> None:
        """Empty the file, as a refresh does that fails half-way."""
        self.file.write_text("", encoding="utf-8")
