import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.config import ConfigError
from tracker.files import load_route
from tracker.messages import iso_time
from tracker.session import Route, RouteError, Rules, Session, parse_route

IDS = ["hold_1", "hold_2", "hold_59"]
T = 1_760_000_000_000


def session(rules: Rules | None = None, route: Route | None = None, ids: list[str] | None = None) -> Session:
    return Session(IDS if ids is None else ids, rules=rules or Rules(), route=route)


def hold(climb: Session, index: int) -> dict[str, Any]:
    state: dict[str, Any] = climb.snapshot()["holds"][index]
    return state


def climb_in_contact(climb: Session, *times: int, index: int = 0) -> list[int]:
    """Step frames that are all in contact with one hold; return the times at which it became touched."""
    return [t for t in times if index in climb.step(T + t, [index])]


def test_contact_for_the_whole_duration_is_a_touch_at_the_completing_frame() -> None:
    climb = session()
    assert climb_in_contact(climb, *range(0, 3000, 200)) == [2000]
    assert hold(climb, 0) == {
        "id": "hold_1",
        "type": "normal",
        "status": "touched",
        "time": iso_time(T + 2000),
    }


def test_a_duration_that_is_no_whole_binary_fraction_is_met_exactly_on_time() -> None:
    assert climb_in_contact(session(Rules(touch_duration=2.007)), *range(0, 2001, 250), 2006, 2007) == [2007]


def test_a_touch_duration_of_0_is_a_touch_at_first_contact() -> None:
    assert climb_in_contact(session(Rules(touch_duration=0)), 7) == [7]


def test_contact_survives_a_gap_of_exactly_the_grace() -> None:
    assert climb_in_contact(session(), *range(0, 2001, 250)) == [2000]


def test_a_longer_gap_breaks_contact_and_counts_for_nothing() -> None:
    assert climb_in_contact(session(), *range(0, 1900, 100), 2151, 3900, *range(4000, 7000, 250)) == [6000]


def test_a_gap_without_any_frame_is_not_contact() -> None:
    assert climb_in_contact(session(), 0, 2000, 4000) == []


def test_frames_without_contact_do_not_break_contact_within_the_grace() -> None:
    climb = session()
    for t in range(0, 2001, 100):
        new = climb.step(T + t, [0] if t % 200 == 0 else [])
    assert new == (0,)


def test_holds_are_timed_each_for_itself() -> None:
    climb = session(Rules(touch_duration=0.2))
    assert climb.step(T, [0]) == ()
    assert climb.step(T + 100, [0, 1]) == ()
    assert climb.step(T + 200, [0, 1]) == (0,)
    assert climb.step(T + 300, [0, 1]) == (1,)


def test_a_touched_hold_stays_so_with_its_first_time() -> None:
    climb = session(Rules(touch_duration=0))
    assert climb_in_contact(climb, 0, 10_000, 20_000) == [0]
    assert hold(climb, 0)["time"] == iso_time(T)


def test_a_late_frame_counts_for_nothing() -> None:
    climb = session(Rules(touch_duration=0.2))
    climb.step(T, [0])
    climb.step(T + 999, [])
    assert climb.step(T, [0]) == ()
    assert climb.step(T + 1000, [0]) == ()
    assert climb.step(T + 1200, [0]) == (0,)


def test_a_late_frame_neither_breaks_nor_moves_a_run() -> None:
    climb = session(Rules(touch_duration=0.4))
    assert climb_in_contact(climb, 0, 200, 100, 400) == [400]


def test_a_clock_set_back_ends_the_run_and_time_goes_on_from_there() -> None:
    climb = session(Rules(touch_duration=0.4))
    assert climb_in_contact(climb, 5000, 5200, 4200, 4400, 4600) == [4600]


def test_a_late_frame_is_not_the_newest_of_those_after_it() -> None:
    climb = session(Rules(touch_duration=0))
    climb.step(T + 900, [])
    assert climb.step(T, [0]) == ()
    assert climb.step(T + 500, [0]) == ()  # late too, although it came after the other in both ways


def test_a_clock_set_back_leaves_the_start_of_the_session_and_its_touches() -> None:
    climb = session(Rules(touch_duration=0))
    climb.step(T + 5000, [0])
    climb.step(T, [])
    assert climb.snapshot()["startTime"] == iso_time(T + 5000)
    assert hold(climb, 0)["time"] == iso_time(T + 5000)


def test_one_wild_timestamp_in_the_future_does_not_stop_the_session() -> None:
    climb = session(Rules(touch_duration=0.4))
    assert climb_in_contact(climb, 0, 10**12, 200, 400, 600) == [600]


def test_a_frame_of_the_same_time_counts() -> None:
    climb = session(Rules(touch_duration=0))
    climb.step(T, [])
    assert climb.step(T, [0]) == (0,)


def test_the_session_starts_with_its_first_frame() -> None:
    climb = session()
    assert climb.snapshot()["startTime"] is None
    climb.step(T + 5, [])
    climb.step(T + 50, [])
    assert climb.snapshot()["startTime"] == iso_time(T + 5)


def test_a_reset_untouches_all_ends_runs_and_starts_anew() -> None:
    climb = session(Rules(touch_duration=0.2))
    climb_in_contact(climb, 0, 200)
    climb_in_contact(climb, 200, index=1)
    climb.reset()
    assert climb.snapshot()["startTime"] is None
    assert hold(climb, 0)["status"] == "untouched"
    assert climb.step(T + 100, [0]) == ()  # late, and so not the start either
    assert climb.snapshot()["startTime"] is None
    assert climb.step(T + 400, [0, 1]) == ()
    assert climb.snapshot()["startTime"] == iso_time(T + 400)
    assert climb.step(T + 600, [0]) == (0,)


def test_a_session_completes_when_every_finish_hold_is_touched() -> None:
    route = Route({"hold_1": "finish", "hold_2": "normal", "hold_59": "finish"})
    climb = session(Rules(touch_duration=0), route)
    climb.step(T, [2])
    assert (climb.snapshot()["status"], climb.snapshot()["endTime"]) == ("started", None)
    climb.step(T + 10, [0])
    climb.step(T + 20, [1])
    assert (climb.snapshot()["status"], climb.snapshot()["endTime"]) == ("completed", iso_time(T + 10))
    climb.reset()
    assert (climb.snapshot()["status"], climb.snapshot()["endTime"]) == ("started", None)


def test_a_route_without_finish_never_completes() -> None:
    climb = session(Rules(touch_duration=0), Route({"hold_1": "start"}))
    climb.step(T, [0])
    assert climb.snapshot()["status"] == "started"


def test_with_a_route_other_holds_stay_untouched() -> None:
    climb = session(Rules(touch_duration=0), Route({"hold_2": "start"}))
    assert climb.step(T, [0, 1]) == (1,)
    assert hold(climb, 0) == {"id": "hold_1", "type": "normal", "status": "untouched", "time": None}
    assert hold(climb, 1)["type"] == "start"


def test_without_a_route_the_type_is_in_the_prefix_of_the_id() -> None:
    climb = session(Rules(touch_duration=0), ids=["start_1", "hold_2", "finish_3"])
    assert [state["type"] for state in climb.snapshot()["holds"]] == ["start", "normal", "finish"]
    climb.step(T, [2])
    assert climb.completed


def test_a_change_of_rules_or_route_keeps_what_is_touched() -> None:
    climb = session(Rules(touch_duration=0), Route({"hold_1": "normal", "hold_2": "finish"}))
    climb.step(T, [0])
    climb.change(rules=Rules(touch_duration=9), route=Route({"hold_1": "finish"}))
    assert hold(climb, 0)["status"] == "touched"
    assert climb.snapshot()["endTime"] == iso_time(T)
    assert climb.step(T + 100, [1]) == ()


def test_a_change_that_is_refused_changes_nothing() -> None:
    climb = session(Rules(touch_duration=0), Route({"hold_2": "start"}))
    before = climb.snapshot(), climb.rules, climb.revision
    with pytest.raises(RouteError):
        climb.change(rules=Rules(touch_duration=9), route=Route({"hold_7": "start"}))
    assert before == (climb.snapshot(), climb.rules, climb.revision)


@dataclass
class Obvious:
    """The rule in the slowest way: every frame is kept, and every touch looks back over all of them."""

    rules: Rules
    frames: list[tuple[int, frozenset[int]]] = field(default_factory=list)
    newest: int | None = None
    start: int | None = None
    touched: dict[int, int] = field(default_factory=dict)

    def step(self, now: int, contacts: frozenset[int]) -> set[int]:
        if self.newest is not None and now < self.newest:
            if self.newest - now < 1000:
                return set()
            self.frames = []
        self.newest = now
        self.start = now if self.start is None else self.start
        self.frames.append((now, contacts))
        new = {hold for hold in contacts if hold not in self.touched and self.held(hold, now)}
        self.touched.update(dict.fromkeys(new, now))
        return new

    def held(self, hold: int, now: int) -> bool:
        """Whether some earlier contact is linked to now by steps that are all within the grace."""
        times = [t for t, contacts in self.frames if hold in contacts]
        for k, first in enumerate(times):
            linked = all(
                b - a <= self.rules.contact_grace * 1000
                for a, b in zip(times[k:], times[k + 1 :], strict=False)
            )
            if linked and now - first >= self.rules.touch_duration * 1000:
                return True
        return False

    def reset(self) -> None:
        self.frames, self.start, self.touched = [], None, {}


contacts = st.frozensets(st.integers(0, 2))
# Steps around the numbers that decide: the grace (250), late or set back (1000), and the duration (500).
steps = st.sampled_from(
    [0, 1, 33, 100, 249, 250, 251, 500, 2000, -1, -250, -999, -1000, -1001, -5000]
) | st.integers(-1200, 600)
events = st.lists(
    st.none() | st.tuples(steps, contacts) | st.tuples(st.integers(0, 260), st.just({0, 1})), max_size=40
)


@given(
    events, st.sampled_from([Rules(touch_duration=0.5), Rules(touch_duration=0, contact_grace=0), Rules()])
)
def test_the_session_does_what_the_obvious_model_does(
    moves: list[tuple[int, frozenset[int]] | None], rules: Rules
) -> None:
    climb, model, now = session(rules), Obvious(rules), T
    for move in moves:
        if move is None:
            climb.reset()
            model.reset()
            continue
        now += move[0]
        assert set(climb.step(now, move[1])) == model.step(now, move[1])
    snapshot = climb.snapshot()
    assert snapshot["startTime"] == (None if model.start is None else iso_time(model.start))
    assert {n: h["time"] for n, h in enumerate(snapshot["holds"]) if h["time"]} == {
        n: iso_time(time) for n, time in model.touched.items()
    }


@given(st.lists(st.tuples(st.integers(0, 400), contacts), max_size=40), st.data())
def test_frames_that_come_twice_change_nothing(
    moves: list[tuple[int, frozenset[int]]], data: st.DataObject
) -> None:
    once, twice, now = session(Rules(touch_duration=0.5)), session(Rules(touch_duration=0.5)), T
    sent = []
    for step, held in moves:
        now += step
        sent.append((now, held))
        once.step(now, held)
        twice.step(now, held)
        again = data.draw(st.sampled_from(sent))
        if now - 1000 < again[0] < now:
            twice.step(*again)
    assert once.snapshot() == twice.snapshot()


@given(events)
def test_the_revision_grows_whenever_the_snapshot_changes(
    moves: list[tuple[int, frozenset[int]] | None],
) -> None:
    climb, now = session(Rules(touch_duration=0.1)), T
    for move in moves:
        before, revision = climb.snapshot(), climb.revision
        if move is None:
            climb.reset()
        else:
            now += move[0]
            climb.step(now, move[1])
        assert climb.revision > revision or climb.snapshot() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"proximity_threshold": 0},
        {"proximity_threshold": float("nan")},
        {"proximity_threshold": float("inf")},
        {"touch_duration": -1},
        {"touch_duration": float("nan")},
        {"contact_grace": -0.1},
        {"contact_grace": float("inf")},
    ],
)
def test_rules_that_make_no_sense_are_refused_by_name_and_value(wrong: dict[str, float]) -> None:
    (name, value), *_ = wrong.items()
    with pytest.raises(ConfigError, match=f"{name} is {value!r}"):
        Rules(**wrong)


def route_json(*holds: tuple[object, object]) -> str:
    return json.dumps(
        {"grade": "", "problem": {"holds": [{"id": name, "type": kind} for name, kind in holds]}}
    )


def test_an_id_may_be_a_number_or_in_full() -> None:
    route = parse_route(route_json(("59", "start"), (1, "normal"), ("hold_2", "finish")))
    assert route == Route({"hold_59": "start", "hold_1": "normal", "hold_2": "finish"})
    session(route=route)


def test_a_route_may_be_text_a_file_or_decoded(tmp_path: Path) -> None:
    text = route_json(("1", "start"))
    file = tmp_path / "route.json"
    file.write_text(text)
    expected = Route({"hold_1": "start"})
    assert load_route("  " + text) == load_route(str(file)) == load_route(file) == expected
    assert parse_route(text) == parse_route(text.encode()) == parse_route(json.loads(text)) == expected


def test_text_from_a_peer_is_never_taken_for_a_path(tmp_path: Path) -> None:
    file = tmp_path / "route.json"
    file.write_text(route_json(("1", "start")))
    with pytest.raises(RouteError, match="not JSON"):
        parse_route(str(file))


def test_every_hold_that_the_wall_lacks_is_named_with_the_nearest() -> None:
    with pytest.raises(RouteError) as caught:
        session(route=parse_route(route_json(("58", "start"), ("1", "normal"), ("hold_5", "finish"))))
    assert "names hold_58, hold_5, which the wall lacks" in str(caught.value)
    assert "hold_59" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ('{"a":' * 50_000, "not JSON"),
        ('{"problem": "\udc80"}', "not JSON"),
        ("{}", "missing required field `problem`"),
        ('{"problem": {}}', "missing required field `holds`"),
        (route_json(), "length >= 1"),
        (route_json(("1", "crux")), "'crux'"),
        (route_json((1.5, "start")), "`$.problem.holds[0].id`"),
        (route_json(("1", "start"), ("hold_1", "finish")), "hold_1 as start and as finish"),
        ("no_such_file.json", "no_such_file.json: No such file"),
        ("zero\0byte", "name a readable JSON file"),
    ],
)
def test_a_broken_route_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(RouteError) as caught:
        load_route(text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_same_hold_twice_in_one_role_is_no_matter() -> None:
    assert parse_route(route_json(("1", "start"), ("hold_1", "start"))) == Route({"hold_1": "start"})
