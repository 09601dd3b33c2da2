"""Which findings are one."""

from dataclasses import replace

from chaos.faults import Fault
from chaos.hunt.findings import Finding, settings_of, with_one_more
from chaos.scenario import ClientOverrides, Peer, Scenario, Workload
from tests.chaos.histories import fault


def world(*faults: Fault, **settings: object) -> Scenario:
    made = Scenario("hunted", "-", ("no-loss",), 60.0, Workload("lean", 10.0), faults=faults)
    return replace(made, **settings)  # type: ignore[arg-type]


def finding(promise: str, *faults: Fault, **settings: object) -> Finding:
    return Finding(promise, "1 lost", 7, world(*faults, **settings), 4, 20, minimal=True)


DOWN, ECHO = fault("down", 10.0, 5.0), fault("echo", 10.0, 5.0)


def test_a_world_that_has_all_of_a_finding_and_more_shows_the_same_thing() -> None:
    known = finding("no-loss", DOWN)
    assert known.explains("no-loss", world(ECHO, replace(DOWN, at=30.0)))
    assert not known.explains("no-loss", world(ECHO))
    assert not known.explains("in-order", world(DOWN))


def test_a_fault_that_must_come_twice_is_not_there_when_it_comes_once() -> None:
    assert not finding("no-loss", DOWN, DOWN).explains("no-loss", world(DOWN, ECHO))


def test_what_breaks_without_any_fault_explains_every_world() -> None:
    assert finding("no-loss").explains("no-loss", world(DOWN))


def test_a_setting_that_is_needed_must_be_there_too() -> None:
    known = finding("no-loss", DOWN, client=ClientOverrides(outbox={"messages": 1}))
    assert not known.explains("no-loss", world(DOWN))
    assert known.explains("no-loss", world(DOWN, client=ClientOverrides(outbox={"messages": 30})))


def test_two_of_one_promise_kind_and_setting_are_one_seen_twice() -> None:
    found = with_one_more([finding("no-loss", DOWN)], finding("no-loss", replace(DOWN, at=20.0)))
    assert [each.sightings for each in found] == [2]
    assert len(with_one_more(found, finding("no-loss", ECHO))) == 2


def test_it_is_named_after_its_promise_and_its_kinds() -> None:
    assert finding("no-loss", fault("reset_peer", 10.0, 5.0), ECHO).name == "no-loss-under-echo-reset-peer"
    assert finding("polite").name == "polite-undisturbed"


def test_all_that_is_not_as_by_default_is_a_setting() -> None:
    client = ClientOverrides({"stable_after": 1.0}, {"messages": 3}, "ack", "block")
    workload = Workload("lean", 10.0, reset_at=(5.0,))
    told = settings_of(world(client=client, peer=Peer("ack", echo=True), workload=workload, schedule=3))
    assert told == ("stable_after", "messages", "confirm", "overflow", "echo", "schedule", "resets")
