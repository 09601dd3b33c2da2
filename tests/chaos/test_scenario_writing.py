"""What is written is read back, whatever the scenario."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos import catalogue
from chaos.controls import TimedControl, read_control
from chaos.faults import Fault, FaultError, read_fault
from chaos.kinds import DIRECTIONS, KINDS, Attribute
from chaos.scenario import PROMISES, ClientOverrides, Expect, Peer, Scenario, Workload
from chaos.scenario_reading import parse
from chaos.scenario_writing import WIDTH, write
from simulator.controls import CONTROL_KINDS

seconds = st.integers(1, 20_000).map(lambda ms: ms / 1000)
texts = st.text(min_size=1).map(lambda text: " ".join(text.split())).filter(bool)


def value_of(attribute: Attribute) -> st.SearchStrategy[Any]:
    if attribute.choices and not attribute.several:
        return st.sampled_from(attribute.choices)
    if attribute.choices:
        return st.lists(st.sampled_from(attribute.choices), min_size=1)
    return st.integers(attribute.minimum, attribute.maximum)


@st.composite
def faults(draw: st.DrawFn, kind: str) -> Fault:
    spec = KINDS[kind]
    table: dict[str, object] = {"kind": kind, "at": 2 + draw(seconds)}
    if spec.lasts != "never" and (spec.lasts == "required" or draw(st.booleans())):
        table["for"] = draw(seconds)
    if spec.links:
        table["on"] = draw(st.sampled_from(spec.links))
    if spec.directed:
        table["direction"] = draw(st.sampled_from(DIRECTIONS))
        table["toxicity"] = draw(st.floats(0, 1))
    table |= {name: draw(value_of(attribute)) for name, attribute in spec.attributes.items()}
    try:
        return read_fault(table)[0]
    except FaultError:  # attributes that cannot stand together
        return read_fault({"kind": "down", "at": 3, "for": 1, "on": "output"})[0]


@st.composite
def controls(draw: st.DrawFn) -> TimedControl:
    kind = draw(st.sampled_from(CONTROL_KINDS))
    on = draw(st.sampled_from(["control", "input"])) if kind != "reset_holds" else "control"
    table: dict[str, object] = {"at": 2 + draw(seconds), "message": kind, "on": on}
    if kind == "update_parameters":
        rules = {"touch_duration": seconds, "proximity_threshold": st.floats(0.1, 1e6)}
        chosen = draw(st.sets(st.sampled_from(sorted(rules)), min_size=1))
        table |= {name: draw(rules[name]) for name in sorted(chosen)} | {"nested": draw(st.booleans())}
    return read_control(table)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), unique=True, max_size=4))
    timing = draw(
        st.dictionaries(st.sampled_from(["open_timeout", "write_timeout", "stable_after"]), seconds)
    )
    outbox = draw(st.dictionaries(st.sampled_from(["messages", "bytes"]), st.integers(1, 10**6)))
    peer = Peer(confirm=draw(st.sampled_from(["pong", "ack"])), echo=draw(st.booleans()))
    reset_at = tuple(sorted(2 + t for t in draw(st.lists(seconds, max_size=3))))
    clients = draw(st.integers(1, 100))
    workload = Workload(
        fps=draw(st.integers(5, 60)), holds=draw(st.integers(2, 8)), reset_at=reset_at, clients=clients
    )
    if draw(st.booleans()):
        files = {
            key: Path(f"/somewhere/{draw(texts).replace('/', '_')}.x")
            for key in ("wall", "calibration", "route")
        }
        workload = Workload(
            recording=Path("/somewhere/a climb.jsonl"),
            reset_at=reset_at,
            clients=clients,
            **files,  # type: ignore[arg-type]
        )
    sent = tuple(draw(st.lists(controls(), max_size=4)))
    struck = tuple(draw(faults(kind)) for kind in kinds)
    if any(fault.on == "control" for fault in struck):
        sent = (*sent, read_control({"at": 5, "message": "get_status"}))
    overflow = draw(st.sampled_from([None, "block", "fail"]))
    ends = "outbox-full" if overflow == "fail" else None
    return Scenario(
        name="some-name",
        about=draw(texts),
        stresses=tuple(
            draw(st.lists(st.sampled_from([p for p in PROMISES if p != "recover"]), min_size=1, unique=True))
        ),
        duration=60.0,
        workload=workload,
        client=ClientOverrides(timing=timing, outbox=outbox, overflow=overflow),
        peer=peer,
        faults=struck,
        controls=sent,
        expect=Expect(
            recover_within=draw(st.none() | seconds),
            ends="stop-control" if any(control.stops for control in sent) else ends,
            keeps_connections=draw(st.booleans()),
        ),
        sim_only=draw(st.none() | texts),
    )


@given(scenarios())
def test_what_is_written_reads_back(scenario: Scenario) -> None:
    assert parse(write(scenario), Path("/elsewhere/some-name.toml")) == scenario


@pytest.mark.parametrize("name", catalogue.names())
def test_the_catalogue_reads_back(name: str) -> None:
    scenario = catalogue.find(name)
    assert parse(write(scenario), Path(f"{name}.toml")) == scenario


@given(st.text())
def test_no_comment_breaks_out_of_its_line(comment: str) -> None:
    scenario = catalogue.find("reset")
    text = write(scenario, comments={0: comment})
    assert parse(text, Path("reset.toml")) == scenario
    assert all(line.startswith(("#", "[[")) for line in text.split("\n\n")[1].splitlines()[:1])


def test_a_long_comment_is_wrapped() -> None:
    text = write(catalogue.find("reset"), comments={0: "word " * 100})
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert len(comments) > 1
    assert max(map(len, comments)) <= WIDTH + 2


def test_a_recording_beside_the_file_is_named_without_its_folder() -> None:
    folder = Path("/somewhere")
    files = [folder / name for name in ("a.jsonl", "wall.svg", "c.json", "r.json")]
    scenario = Scenario(
        "x",
        "y",
        ("no-loss",),
        9.0,
        Workload(recording=files[0], wall=files[1], calibration=files[2], route=files[3]),
    )
    assert 'recording = "a.jsonl"' in write(scenario, folder=folder)
