"""What a run came through, on literal records."""

from chaos.hunt.reached import Place, Reached, all_places, places
from tests.chaos.histories import (
    closed,
    connected,
    connecting,
    fault,
    record,
    scenario,
    waiting,
)
from tracker import events


def test_faults_that_overlap_are_a_pair_and_those_that_follow_each_other_are_none() -> None:
    world = scenario(fault("down", 10.0, 5.0), fault("echo", 12.0, 5.0), fault("stall", 30.0, 1.0))
    found = places(record(), world)
    assert {place.what for place in found if place.family == "kinds"} == {"down", "echo", "stall"}
    assert {place.what for place in found if place.family == "pairs"} == {"down + echo"}


def test_the_steps_of_a_link_its_attempts_and_its_ends_are_told() -> None:
    history = record(
        connecting(0.0), connected(0.1), closed(10.0, "peer"), waiting(10.0, 1.0), connecting(11.0)
    )
    found = places(history, scenario())
    assert Place("transitions", "output: connected -> closed") in found
    assert Place("transitions", "output: waiting -> connecting") in found
    assert Place("ends", "output: by the peer") in found
    assert Place("back-off", "output: attempt 1") in found


def test_an_output_that_came_back_to_the_outbox_and_one_that_gave_way_are_told() -> None:
    lost = events.Closed(t=10.0, link="output", connection=1, code=1006, by="network", unconfirmed=3)
    history = record(connected(0.1), lost, events.Displaced(t=11.0, seq=4), connected(12.0, 2))
    found = {place.what for place in places(history, scenario()) if place.family == "outbox"}
    assert found == {"requeued", "displaced", "displaced while disconnected"}


def test_every_place_that_a_run_reaches_is_one_that_was_known() -> None:
    history = record(connecting(0.0), connected(0.1), closed(10.0), waiting(10.0, 1.0), connecting(11.0))
    assert places(history, scenario(fault("down", 10.0, 5.0))) <= set(all_places())


def test_the_summary_names_the_rarest_and_what_was_never_reached() -> None:
    everything = [Place("kinds", kind) for kind in ("down", "echo", "stall")]
    reached = Reached()
    for kinds in (("down", "echo"), ("down",)):
        reached = reached.and_one(frozenset(Place("kinds", kind) for kind in kinds))
    family, there, known, rarest, never = reached.summary(everything)[0]
    assert (family, there, known, rarest, never) == ("kinds", 2, 3, "echo, 1 times", ["stall"])
    assert reached.runs == 2
