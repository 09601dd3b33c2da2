"""A climb in progress, kept in a file and taken up again."""

import asyncio
import functools
import logging
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.climber import generate_climb
from tests.tracker.conftest import pipeline_of
from tracker import events, state_file
from tracker.config import ConfigError
from tracker.messages import Pose, decode_input
from tracker.pipeline import Pipeline
from tracker.session import Route, Rules, Session
from tracker.state_file import StateFile
from tracker.state_format import State, Terms, Unusable, fingerprint, read, take_up

WallFiles = tuple[Path, Path, Path]
NOW = 1_700_000_000_000.0
HOLDS = ["start_a", "b", "c", "finish_d"]

# What a session can be told: a frame with contacts after so many milliseconds, or a reset.
frames = st.tuples(
    st.sampled_from([0.0, 33.0, 250.0, 251.0, 700.0, -500.0, -5000.0]),
    st.lists(st.integers(0, len(HOLDS) - 1), max_size=3, unique=True),
)
told = st.lists(frames | st.just("reset"), max_size=60)
routes = st.none() | st.just(Route({"b": "start", "c": "finish"}))


def session(route: Route | None) -> Session:
    return Session(HOLDS, rules=Rules(touch_duration=0.5), route=route)


def tell(one: Session, words: list[Any], *, since: float = NOW) -> list[Any]:
    """What it makes of them, step by step."""
    answers, now = [], since
    for word in words:
        if word == "reset":
            one.reset()
        else:
            now += word[0]
            answers.append(one.step(now, word[1]))
        answers.append(one.snapshot())
    return answers


@given(before=told, after=told, route=routes)
def test_a_session_that_was_remembered_goes_on_as_the_one_that_it_was(
    before: list[Any], after: list[Any], route: Route | None
) -> None:
    first, second = session(route), session(route)
    tell(first, before)
    memory = first.remember()
    second.recall(msgspec.json.decode(msgspec.json.encode(memory), type=type(memory)))
    assert second.remember() == memory
    assert second.snapshot() == first.snapshot()
    assert second.touched == first.touched
    assert tell(second, after, since=NOW + 1000) == tell(first, after, since=NOW + 1000)


@functools.cache
def poses() -> list[Pose]:
    climb = generate_climb(7)
    found = [decode_input(climb.frame(number)) for number in range(600)]
    return [pose for pose in found if isinstance(pose, Pose)]


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 599), reset=st.booleans())
def test_a_climb_that_was_cut_anywhere_has_the_result_of_one_that_was_not(
    wall_files: WallFiles,
    cut: int,
    reset: bool,  # noqa: FBT001 - hypothesis hands it in by name
) -> None:
    whole, first, second = (pipeline_of(wall_files) for _ in range(3))
    steps = poses()
    for pose in steps[:cut]:
        whole.step(pose)
        first.step(pose)
    if reset:
        whole.reset()
        first.reset()
    take_up(saved(first), second, now_ms=NOW, max_age=300)
    for pose in steps[cut:]:
        assert second.step(pose) == whole.step(pose)
    assert second.snapshot() == whole.snapshot()


def saved(pipeline: Pipeline, *, begun_with: Terms | None = None) -> State:
    """The state of a tracker at `NOW`, as a file gives it back."""
    terms = Terms.of(pipeline)
    state = State(
        saved_ms=NOW,
        wall=fingerprint(pipeline.wall),
        begun_with=begun_with or terms,
        in_force=terms,
        climb=pipeline.remember(),
    )
    return read(msgspec.json.encode(state))


# What is taken up


@pytest.mark.parametrize(
    ("later", "why"),
    [
        (300.5, "it is 300 s old, and --state-max-age is 300"),
        (-301, "it is 301 s ahead of this machine's clock, and --state-max-age is 300"),
    ],
)
def test_a_climb_of_another_time_is_not_taken_up(pipeline: Pipeline, later: float, why: str) -> None:
    with pytest.raises(Unusable) as caught:
        take_up(saved(pipeline), pipeline, now_ms=NOW + 1000 * later, max_age=300)
    assert str(caught.value) == why


def test_a_climb_of_another_wall_or_route_is_not_taken_up(pipeline: Pipeline) -> None:
    state = saved(pipeline)
    with pytest.raises(Unusable, match="of another wall"):
        take_up(msgspec.structs.replace(state, wall="f00"), pipeline, now_ms=NOW, max_age=300)
    terms = msgspec.structs.replace(state.begun_with, route={"hold_1": "start"})
    with pytest.raises(Unusable, match="of another route"):
        take_up(msgspec.structs.replace(state, begun_with=terms), pipeline, now_ms=NOW, max_age=300)


def test_what_a_control_had_set_holds_on_unless_the_settings_were_changed_meanwhile(
    wall_files: WallFiles,
) -> None:
    first, second, third = (pipeline_of(wall_files) for _ in range(3))
    begun_with = Terms.of(first)
    first.update(touch_duration=0.7)
    state = saved(first, begun_with=begun_with)
    take_up(state, second, now_ms=NOW, max_age=300)
    assert second.rules.touch_duration == 0.7
    third.update(touch_duration=1.5)  # as if it had been started with that
    take_up(state, third, now_ms=NOW, max_age=300)
    assert third.rules.touch_duration == 1.5


def test_a_state_that_names_what_there_is_not_changes_nothing(pipeline: Pipeline) -> None:
    state = saved(pipeline)
    before = pipeline.remember()
    memory = msgspec.structs.replace(state.climb.session, touched={"no such hold": 1.0})
    climb = msgspec.structs.replace(state.climb, session=memory)
    with pytest.raises(Unusable, match="damaged"):
        take_up(msgspec.structs.replace(state, climb=climb), pipeline, now_ms=NOW, max_age=300)
    nonsense = msgspec.structs.replace(state.in_force, touch_duration=-1.0)
    with pytest.raises(Unusable, match="damaged"):
        take_up(msgspec.structs.replace(state, in_force=nonsense), pipeline, now_ms=NOW, max_age=300)
    assert pipeline.remember() == before


@given(data=st.binary(max_size=200), at=st.integers(0, 2000), cut=st.integers(0, 2000))
def test_whatever_is_in_a_state_it_is_read_or_unusable(data: bytes, at: int, cut: int) -> None:
    whole = msgspec.json.encode(
        State(
            saved_ms=NOW,
            wall="f00",
            begun_with=(terms := Terms(proximity_threshold=1, touch_duration=1, contact_grace=1, route=None)),
            in_force=terms,
            climb=msgspec.convert({"session": {"touched": {"a": 1.0}}}, type=State.__annotations__["climb"]),
        )
    )
    spoilt = whole[:at] + data + whole[at : max(at, cut)]
    with suppress(Unusable):
        read(spoilt)


# The file


def on_disk(path: Path) -> State:
    return read(path.read_bytes())


async def test_a_touch_is_on_the_disk_at_once_and_for_its_owner_alone(
    tmp_path: Path, pipeline: Pipeline
) -> None:
    path = tmp_path / "state"
    keeper = StateFile(path, pipeline)
    async with keeper.kept():
        assert on_disk(path).climb.session.touched == {}
        for pose in poses():
            if touches := pipeline.step(pose).touched:
                keeper.observe(events.Touched(t=0.0, hold=touches[0].hold_id, time=touches[0].time_ms))
                break
        async with asyncio.timeout(10):
            while not on_disk(path).climb.session.touched:  # noqa: ASYNC110 - a disk tells nobody
                await asyncio.sleep(0.001)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert on_disk(path).climb == pipeline.remember()
    assert sorted(tmp_path.iterdir()) == [path]


async def test_what_changed_last_is_written_at_the_end(tmp_path: Path, pipeline: Pipeline) -> None:
    path = tmp_path / "state"
    async with StateFile(path, pipeline).kept():
        pipeline.step(poses()[0])
    assert on_disk(path).climb == pipeline.remember()


async def taken_up(
    path: Path, pipeline: Pipeline, caplog: pytest.LogCaptureFixture, **options: Any
) -> list[str]:
    """What is said when a tracker begins."""
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="tracker"):
        async with StateFile(path, pipeline, **options).kept():
            pass
    return [record.getMessage() for record in caplog.records]


async def test_what_becomes_of_a_state_is_said(
    tmp_path: Path, wall_files: WallFiles, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state"
    first, second = pipeline_of(wall_files), pipeline_of(wall_files)
    assert await taken_up(path, first, caplog) == []
    async with StateFile(path, first).kept():
        for pose in poses()[:300]:
            first.step(pose)
    holds = len(first.remember().session.touched)
    assert holds > 0
    assert await taken_up(path, second, caplog) == [
        f"the session goes on from {path}: {holds} holds touched, saved 0 s ago"
    ]
    assert second.remember() == first.remember()


@pytest.mark.parametrize("left", [b"", b"\0" * 100, b'{"sch', b'{"schema":"tracker.state/2","x":1}'])
async def test_a_damaged_state_is_said_and_put_aside(
    tmp_path: Path, pipeline: Pipeline, caplog: pytest.LogCaptureFixture, left: bytes
) -> None:
    path = tmp_path / "state"
    path.write_bytes(left)
    assert await taken_up(path, pipeline, caplog) == [
        f"the state in {path} is not taken up, and a session begins: it is damaged"
    ]
    assert (tmp_path / "state.old").read_bytes() == left


async def test_what_is_no_state_is_never_overwritten(tmp_path: Path, pipeline: Pipeline) -> None:
    path = tmp_path / "wall.svg"
    path.write_text("<svg/>")
    with pytest.raises(ConfigError, match=r"holds something else.*choose another --state FILE"):
        async with StateFile(path, pipeline).kept():
            pass
    assert [path.read_text(), *tmp_path.iterdir()] == ["<svg/>", path]


async def test_a_second_tracker_on_the_same_state_is_refused(tmp_path: Path, pipeline: Pipeline) -> None:
    async with StateFile(tmp_path / "state", pipeline).kept():
        with pytest.raises(
            ConfigError, match=rf"another tracker writes it \(process {os.getpid()}\): end that"
        ):
            StateFile(tmp_path / "state", pipeline)


async def test_a_state_is_not_written_through_a_symbolic_link(tmp_path: Path, pipeline: Pipeline) -> None:
    (tmp_path / "state").symlink_to(tmp_path / "target")
    with pytest.raises(ConfigError, match="is a symbolic link, and those are not followed"):
        async with StateFile(tmp_path / "state", pipeline).kept():
            pass
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("age", [0.0, -1.0, float("inf"), float("nan")])
def test_an_age_that_makes_no_sense_is_refused(tmp_path: Path, pipeline: Pipeline, age: float) -> None:
    with pytest.raises(ConfigError, match=r"--state-max-age is .*: it must be a positive number of seconds"):
        StateFile(tmp_path / "state", pipeline, max_age=age)


async def test_a_disk_that_fails_is_said_once_and_tried_again(
    tmp_path: Path,
    pipeline: Pipeline,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "state"
    monkeypatch.setattr(state_file, "PAUSE", 0.0)
    tries = []

    def full(_: Path, data: bytes) -> None:
        tries.append(data)
        raise OSError(28, "No space left on device", str(path))

    keeper = StateFile(path, pipeline)
    async with keeper.kept():
        with monkeypatch.context() as broken:
            broken.setattr(state_file, "_replace", full)
            for pose in poses()[:2]:
                pipeline.step(pose)
                keeper.observe(events.SessionReset(t=0.0, link="input"))
                count = len(tries)
                async with asyncio.timeout(10):
                    while len(tries) == count:  # noqa: ASYNC110 - a disk tells nobody
                        await asyncio.sleep(0.001)
    assert on_disk(path).climb == pipeline.remember()
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"the state cannot be kept in {path}: No space left on device: a crash would lose the climb"
    ]
