import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.identity import LARGEST, ByPath, ByPattern, paths_with, read_identity


@pytest.mark.parametrize(
    ("path", "body", "number"),
    [
        ("sequence", {"sequence": 7}, 7),
        ("data.sequence", {"data": {"sequence": 7}}, 7),
        ("events.1.id", {"events": [{"id": 1}, {"id": 2}]}, 2),
        ("0", [5], 5),
        ("id", {"id": "0012"}, 12),
        ("id", {"id": "x12"}, None),
        ("id", {"id": True}, None),
        ("id", {"id": -1}, None),
        ("id", {"id": 1.0}, None),
        ("id", {"id": LARGEST + 1}, None),
        ("id", {"id": "9" * 5000}, None),
        ("id", {"other": 1}, None),
        ("id.deeper", {"id": 1}, None),
        ("1", [5], None),
    ],
)
def test_a_path_leads_to_the_number_in_a_messages_json(path: str, body: object, number: int | None) -> None:
    assert ByPath(path).number_in(json.dumps(body).encode()) == number


def test_a_pattern_finds_the_number_in_text_and_in_bytes_that_are_none() -> None:
    identity = ByPattern(r"id=(\d+);")
    assert identity.number_in(b"type=chat;id=42;text") == 42
    assert identity.number_in(b"\xff\x00id=42;\xfe") == 42
    assert identity.number_in(b"id=;") is None


@given(st.binary())
def test_no_body_makes_it_raise(body: bytes) -> None:
    for identity in (ByPath("a.0"), ByPattern(r"(\d*)")):
        assert identity.number_in(body) is None or body


def test_arrays_deeper_than_any_parsers_stack_have_no_number() -> None:
    assert ByPath("id").number_in(b"[" * 200_000) is None


@pytest.mark.parametrize(
    ("written", "read"),
    [("none", None), ("data.id", ByPath("data.id")), (r"/id=(\d+)/", ByPattern(r"id=(\d+)"))],
)
def test_an_identity_is_written_as_a_path_a_pattern_or_none(written: str, read: object) -> None:
    identity = read_identity(written)
    assert identity == read
    assert identity is None or str(identity) == written


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("", "is no place in a message"),
        ("data..id", "is no place in a message"),
        ("/id=(/", "is no regular expression"),
        (r"/id=\d+/", "has 0 groups"),
        (r"/(i)d=(\d+)/", "has 2 groups"),
    ],
)
def test_what_is_no_identity_is_said_with_the_remedy(written: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_identity(written)


def test_every_place_with_a_number_is_found_the_shortest_first() -> None:
    body = json.dumps({"deep": [{"number": 7}], "id": "8", "text": "x70"}).encode()
    assert paths_with(body) == [("id", 8), ("deep.0.number", 7)]
    assert paths_with(b"\xff") == []
