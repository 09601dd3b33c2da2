"""docs/protocol.md: each example is read with the tracker's own parsers."""

import json
import re
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

from tracker import messages
from tracker.control_replies import refusal
from tracker.messages import BadMessage, decode_ack, decode_control, decode_input, decode_output
from tracker.session import parse_route

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
DECODERS = {"input": decode_input, "control": decode_control, "output": decode_output, "reply": decode_output}


class Example(NamedTuple):
    sort: str
    refused: str
    """The reason, where it is refused."""
    data: bytes


def examples() -> list[Example]:
    found = re.findall(r"```json (\w+)(?: refused: ([\w-]+))?\n(.*?)\n```", PAGE, re.DOTALL)
    return [Example(sort, refused, whole(text).encode()) for sort, refused, text in found]


def whole(text: str) -> str:
    """The page shows the first of 33 landmarks."""
    return re.sub(r"\[(\{[^{}]*\}), \.\.\.\]", lambda one: f"[{', '.join([one[1]] * 33)}]", text)


@pytest.mark.parametrize(
    "example", [each for each in examples() if each.sort in DECODERS and not each.refused]
)
def test_each_example_is_read_as_what_it_is(example: Example) -> None:
    read = DECODERS[example.sort](example.data)
    if example.sort == "reply":
        assert read.type == json.loads(example.data)["type"]  # type: ignore[union-attr]
    elif example.sort == "output":
        assert read.session is not None  # type: ignore[union-attr]


@pytest.mark.parametrize("example", [each for each in examples() if each.refused])
def test_what_is_shown_as_refused_is_refused_for_that_reason(example: Example) -> None:
    with pytest.raises(BadMessage) as caught:
        DECODERS[example.sort](example.data)
    assert caught.value.reason == example.refused


def test_the_ack_is_one() -> None:
    (example,) = (each for each in examples() if each.sort == "ack")
    assert decode_ack(example.data) == messages.Ack("5f0c4a", 13, "ack")


def test_every_control_and_every_sort_of_message_has_an_example() -> None:
    shown = [decode_control(each.data) for each in examples() if each.sort == "control" and not each.refused]
    assert {type(control) for control in shown} == set(get_args(messages.Control))
    assert {each.sort for each in examples()} == {*DECODERS, "ack"}


def test_the_route_of_a_control_is_one() -> None:
    updates = [
        json.loads(each.data) for each in examples() if each.sort == "control" and b'"route"' in each.data
    ]
    assert [parse_route(update["parameters"]["route"]).holds for update in updates] == [{"hold_59": "start"}]


def test_the_refusal_that_is_shown_is_what_the_tracker_answers() -> None:
    (asked,) = (each for each in examples() if each.refused == "unknown-control")
    with pytest.raises(BadMessage) as caught:
        decode_control(asked.data)
    reply = refusal(caught.value, asked.data)
    assert reply is not None
    shown = next(json.loads(each.data) for each in examples() if b"control_refused" in each.data)
    assert {name: shown[name] for name in ("type", *reply.fields)} == {"type": reply.type, **reply.fields}
