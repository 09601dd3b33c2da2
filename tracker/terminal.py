"""The standard streams of a command: whatever text is written to them goes through the filter of `printable`."""

import sys
from typing import Any, TextIO, cast

from tracker.printable import printable


class PrintableStream:
    """A text stream that shows all and obeys nothing. What has a filter of its own may write to `unfiltered`."""

    def __init__(self, unfiltered: TextIO) -> None:
        self.unfiltered = unfiltered

    def write(self, text: str) -> int:
        """As a stream's."""
        self.unfiltered.write(printable(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unfiltered, name)


def filter_standard_streams() -> None:
    """From now on, in this process."""
    sys.stdout = cast(TextIO, _filtered(sys.stdout))
    sys.stderr = cast(TextIO, _filtered(sys.stderr))


def _filtered(stream: Any) -> Any:
    return stream if stream is None or isinstance(stream, PrintableStream) else PrintableStream(stream)


def unfiltered(stream: TextIO) -> TextIO:
    """The stream under the filter, for whoever filters what it writes."""
    return stream.unfiltered if isinstance(stream, PrintableStream) else stream
