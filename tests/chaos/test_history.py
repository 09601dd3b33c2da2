import json
from typing import get_args

import msgspec
import pytest

from chaos.answer import Answer, SessionFrom
from chaos.history import (
    _SECONDS,
    AnyLabEvent,
    Began,
    Healed,
    HistoryEvent,
    Reached,
    Reported,
    in_scenario_time,
)
from simulator.events import AnyPeerEvent
from tests.chaos.histories import STEADY, accepted, broke, connected, delivered, record, stopping
from tracker import events
from tracker.events import AnyEvent
from tracker.messages import SessionState

KINDS = (*get_args(AnyEvent), *get_args(AnyPeerEvent), *get_args(AnyLabEvent))


def test_no_two_kinds_of_event_have_the_same_name() -> None:
    names = [kind.__struct_config__.tag for kind in KINDS]
    assert len(set(names)) == len(names) == 49


def test_every_figure_of_an_event_that_is_no_duration_is_known_by_name() -> None:
    """A new field of float type must be decided on: is it scaled, or not?"""
    floats = {f.name for kind in KINDS for f in msgspec.structs.fields(kind) if f.type is float}
    assert floats - _SECONDS == {"timestamp", "time", "planned"}  # message times, and scenario time already


def test_times_and_durations_become_scenario_time_and_nothing_else_changes() -> None:
    raw: list[HistoryEvent] = [
        events.Connected(t=100.5, link="output", connection=1, took=0.25),
        events.Died(t=101.0, link="output", connection=1, cause="silent", silence=0.375),
        events.Waiting(t=101.0, link="output", delay=0.05),
        events.Answered(t=101.5, link="input", number=7, rtt=0.01),
        events.Lagged(t=101.5, link="input", seconds=0.2),
        events.Touched(t=102.0, hold="hold_1", time=1761934987500.0),
        events.Received(t=102.0, timestamp=1761934987500.0, sequence=5),
        Began(t=103.0, fault=0, planned=30.0),
        Reported(t=103.0, client=7, report=events.Waiting(t=103.0, link="input", delay=0.05)),
    ]
    assert in_scenario_time(raw, began=100.0, scale=10.0) == (
        events.Connected(t=5.0, link="output", connection=1, took=2.5),
        events.Died(t=10.0, link="output", connection=1, cause="silent", silence=3.75),
        events.Waiting(t=10.0, link="output", delay=0.5),
        events.Answered(t=15.0, link="input", number=7, rtt=0.1),
        events.Lagged(t=15.0, link="input", seconds=2.0),
        events.Touched(t=20.0, hold="hold_1", time=1761934987500.0),
        events.Received(t=20.0, timestamp=1761934987500.0, sequence=5),
        Began(t=30.0, fault=0, planned=30.0),
        Reported(t=30.0, client=7, report=events.Waiting(t=30.0, link="input", delay=0.5)),
    )


def test_at_scale_1_from_0_nothing_changes() -> None:
    history = record(STEADY, connected(), accepted(1, 2), delivered(1, 2), stopping(9.0))
    assert in_scenario_time(history.events, began=0.0, scale=1.0) == history.events


def test_the_record_is_a_header_and_an_event_a_line_and_can_be_read_back() -> None:
    history = record(
        STEADY,
        connected(),
        accepted(1),
        delivered(1, repeat=True),
        Began(t=5.0, fault=0, planned=5.0),
        Healed(t=6.0, fault=0, planned=6.0),
        broke("client", t=7.0),
        settings={"confirm": "pong", "timing": {"flush_timeout": 5.0}},
        reference=(Answer((2.5,), (SessionFrom(0, SessionState("started")),)),),
    )
    header, *lines = history.lines()
    assert json.loads(header) == {
        "schema": "simtool.history/2",
        "scenario": "literal",
        "engine": "sim",
        "client": "tracker",
        "role": "tracker",
        "seed": 0,
        "reference": [
            {
                "poses": [2.5],
                "sessions": [
                    {
                        "output": 0,
                        "session": {"status": "started", "startTime": None, "endTime": None, "holds": []},
                    }
                ],
            }
        ],
        "settings": {"confirm": "pong", "timing": {"flush_timeout": 5.0}},
    }
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in (header, *lines))
    decode = msgspec.json.Decoder(HistoryEvent).decode
    assert tuple(decode(line) for line in lines) == history.events


def test_events_are_found_by_kind_and_phases_by_name() -> None:
    history = record(STEADY, accepted(1, 2, 3), Reached(t=8.0, phase="settled"))
    assert [event.seq for event in history.of(events.Accepted)] == [1, 2, 3]
    second = history.first(events.Accepted, lambda event: event.seq > 1)
    assert second is not None
    assert second.seq == 2
    assert history.first(events.Displaced) is None
    assert history.phase("settled") == pytest.approx(8.0)
    assert history.phase("stopped") is None
