"""What the parsers are fed: good files with a few bytes changed, cut out, doubled or put in; and how that is counted.

A test of a parser is `@fuzz @given(spoilt(GOOD, ...))`, and calls `read`, which takes the parser's own exception for
an answer and no other. `make test` feeds a tenth of what `make fuzz` feeds.
"""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

T = TypeVar("T")

INPUTS = 10_000
"""What `make fuzz` feeds each parser."""

_SHARE = 1 if settings.get_current_profile_name() == "fuzz" else 10

fuzz = settings(
    max_examples=INPUTS // _SHARE,
    deadline=None,
    derandomize=_SHARE > 1,  # a red CI is then red again here; `make fuzz` finds new ones
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)

# Each once made some parser of some project fall over.
_PIECES = (
    *(b"", b"\n", b"\r\n", b"\0", b"\x1b[2J", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff", b"\xe2\x80\xae", b"\xed\xa0\x80"),
    *(b"{", b"}", b"[", b"]", b"<", b">", b'"', b"'", b"\\", b"&", b",", b":", b"=", b"[/red]", b"%s", b"{0}", b"-"),
    *(b"0", b"-1", b"1e400", b"-1e-400", b"NaN", b"Infinity", b"9" * 30, b"9" * 5000, b"300.", b"true", b"null", b"0x10"),
    *(b"[" * 2000, b"{" * 2000, b'{"a":' * 2000, b"a" * 3000, b"2025-11-16T19:30:45.123+05:30", b"9999-12-31T23:59:59Z"),
)  # fmt: skip


_WORDS = re.compile(rb'"[^"]*"|[-+.\w]+')
"""Names, numbers and texts: where a change goes deeper than the format's own marks."""


class Shortened(bytes):
    """Bytes of which a failure shows the begin."""

    def __repr__(self) -> str:
        return f"{bytes(self[:4000])!r}" + (f" ... {len(self)} bytes" if len(self) > 4000 else "")


@st.composite
def spoilt(draw: st.DrawFn, *good: bytes, pieces: tuple[bytes, ...] = ()) -> bytes:
    """One of the good files after one to four changes; `pieces` are put in beside those that suit every format."""
    data = draw(st.sampled_from(good))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(data)))
        if draw(st.booleans()) and (word := _WORDS.search(data, begin)):
            begin, end = word.span()
        else:
            end = min(len(data), begin + draw(st.sampled_from((0, 0, 1, 1, 2, 5, 20, 200))))
        piece = draw(st.sampled_from(_PIECES + pieces))
        match draw(st.sampled_from(("replace", "replace", "double", "cut", "byte"))):
            case "replace":
                data = data[:begin] + piece + data[end:]
            case "double":
                data = data[:end] + data[begin:end] + data[end:]
            case "cut":
                data = data[:begin]
            case "byte":
                data = data[:begin] + bytes([draw(st.integers(0, 255))]) + data[begin + 1 :]
    return Shortened(data)


class TooManyCalls(AssertionError):
    """What was to be done in so many steps took more."""


@contextmanager
def bounded(calls: int) -> Iterator[None]:
    """Within it at most so many functions may be called, of Python or of C: a time-out that no machine's load moves."""
    left = calls

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal left
        if event in ("call", "c_call"):
            left -= 1
            if left < 0:
                raise TooManyCalls(f"more than {calls} calls")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)


def read(parse: Callable[[], T], refusal: type[Exception], *, calls: int) -> T | None:
    """What `parse` makes of its input; None where it refuses it, by no other exception, with a reason."""
    try:
        with bounded(calls):
            return parse()
    except refusal as refused:
        reason = str(refused)
    assert reason.strip()
    return None
