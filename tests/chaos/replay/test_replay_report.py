"""What a person reads of a replay."""

from io import StringIO

import pytest
from rich.console import Console

from chaos.replay.alignment import CONNECTED, Entry, Happening, compare
from chaos.replay.narrative import Line
from chaos.replay.playing import Outcome
from chaos.replay.replay_report import instead, story
from chaos.timeline.observed import Change
from chaos.traces.reading import Anchor

ANCHOR = Anchor(t=0.0, epoch_ms=1_700_000_000_000, utc_offset_s=3600)


def console() -> tuple[Console, StringIO]:
    text = StringIO()
    return Console(file=text, width=100), text


def test_a_day_s_story_tells_the_hour_and_a_longer_one_the_date_too() -> None:
    out, text = console()
    story(out, [Line(10.0, "so"), Line(3600.0, "and so")], began=0.0, anchor=ANCHOR)
    assert "23:13:30  so" in text.getvalue()
    assert "11-1" not in text.getvalue()
    story(out, [Line(10.0, "so"), Line(90_000.0, "and so")], began=0.0, anchor=ANCHOR)
    assert "11-14 23:13:30  so" in text.getvalue()
    assert "11-16 00:13:20  and so" in text.getvalue()


def test_a_time_without_the_host_s_offset_is_said_to_be_universal() -> None:
    out, text = console()
    story(out, [Line(10.0, "so")], began=0.0, anchor=Anchor(0.0, 1_700_000_000_000))
    assert "22:13:30Z  so" in text.getvalue()


@pytest.mark.parametrize(
    ("replay", "said"),
    [
        (
            Outcome(1.3, 1.2, 20.0, 3),
            ["recovered in 1.2 s instead of 41.0 s", "3 connections, as in the field"],
        ),
        (Outcome(None, 41.0, 20.0, 2), ["given up after - (it did not come to that) instead of 3.7 s"]),
        (
            Outcome(None, 41.0, 20.0, 2),
            ["recovered in 41.0 s, as in the field", "2 connections instead of 3"],
        ),
    ],
)
def test_other_settings_are_told_by_what_they_change(replay: Outcome, said: list[str]) -> None:
    out, text = console()
    field = Outcome(3.7, 41.0, 20.0, 3)
    died = [Entry(0, "output", CONNECTED), Entry(10, "output", Happening(Change.DIED))]
    instead(out, compare(died, died[:1]), field, replay, what="these settings")
    for line in [*said, "the field's first trouble (output: died) does not occur"]:
        assert line in text.getvalue()


def test_a_time_that_no_calendar_has_is_no_date() -> None:
    out, text = console()
    story(out, [Line(1e15, "so")], began=0.0, anchor=ANCHOR)
    assert "no date  so" in text.getvalue()
