import pytest

from simulator.content import checksum

FRAME = b'{"sequence":7,"landmarks":[{"x":0.25,"y":1.0,"name":"\xc3\xa9"}]}'


@pytest.mark.parametrize(
    "spelt",
    [
        b'{"sequence": 7, "landmarks": [{"x": 0.25, "y": 1.0, "name": "\\u00e9"}]}',
        b'{"landmarks":[{"y":1,"name":"\xc3\xa9","x":2.5e-1}],"sequence":7}',
    ],
    ids=["blanks and escapes", "another order, and 1 for 1.0"],
)
def test_a_body_that_says_the_same_has_the_same_checksum(spelt: bytes) -> None:
    assert checksum(spelt) == checksum(FRAME)


@pytest.mark.parametrize(
    "other",
    [FRAME.replace(b"0.25", b"0.26"), FRAME.replace(b"7", b"8"), FRAME[:-1], b"", b"\xff"],
    ids=["a number", "another number", "cut", "empty", "binary"],
)
def test_a_body_that_says_something_else_has_another(other: bytes) -> None:
    assert checksum(other) != checksum(FRAME)
    assert checksum(other)


def test_a_body_that_is_nested_too_deeply_is_taken_as_it_is() -> None:
    assert checksum(b"[" * 100_000) != checksum(b"[" * 100_001)
