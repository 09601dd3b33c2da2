"""What is run of a scenario against a client that is not the tracker."""

from dataclasses import replace

import pytest

from chaos import catalogue
from chaos.adaptation import NotForThisClient, adapted, judged_of, profile_for
from chaos.profile import KINDS, Kind, Limits, Profile
from chaos.scenario import PROMISES
from simulator.identity import ByPath

CATALOGUE = catalogue.everything()


def reason(name: str, profile: Profile) -> str:
    with pytest.raises(NotForThisClient) as caught:
        adapted(catalogue.find(name), profile)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_no_fault_strikes_a_link_that_the_client_does_not_have(kind: Kind) -> None:
    profile = Profile(kind=kind)
    run = 0
    for scenario in CATALOGUE:
        try:
            made = adapted(scenario, profile)
        except NotForThisClient:
            continue
        run += 1
        assert all(fault.on is None or fault.on in profile.links for fault in made.faults), scenario.name
        assert bool(made.faults) == bool(scenario.faults)
        assert not made.controls
        assert len(set(map(str, made.faults))) == len(made.faults)
    assert run >= len(CATALOGUE) - 10


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("control-link-cuts", "relay", "its faults strike the control link, which only the tracker has"),
        ("control-messages", "duplex", "it is about controls, which only the tracker takes"),
        ("echo-backlog", "receiver", "it sends nothing that could be echoed"),
        ("crowded-pongs", "receiver", "it sends nothing that could be echoed"),
        ("cut-mid-frame", "receiver", "it sends too little to reach a limit of bytes"),
        (
            "stop-while-full",
            "receiver",
            "of such a client clean-stop, bounded and in-order cannot be judged, or shall not be",
        ),
        ("burst", "sender", "the peer sends it nothing that could come faster"),
    ],
)
def test_a_scenario_that_would_say_nothing_is_left_out_with_its_reason(
    name: str, kind: Kind, why: str
) -> None:
    assert reason(name, Profile(kind=kind)) == why


def test_a_scenario_all_of_whose_promises_are_out_of_the_question_is_left_out() -> None:
    profile = Profile(kind="receiver", not_judged=("polite",))
    assert reason("handshake-401", profile) == "of such a client polite cannot be judged, or shall not be"


def test_what_struck_both_links_strikes_the_only_one_once() -> None:
    made = adapted(catalogue.find("latency-below-limit"), Profile(kind="duplex"))
    assert [(fault.kind, fault.on) for fault in made.faults] == [("latency", "output")]


def test_a_relay_meets_the_faults_as_they_are_written() -> None:
    scenario = catalogue.find("half-open-input")
    made = adapted(scenario, Profile())
    assert made == replace(scenario, stresses=made.stresses)


def test_what_is_stressed_is_what_can_be_judged() -> None:
    assert judged_of(Profile(), PROMISES) == tuple(p for p in PROMISES if p not in ("bounded", "same-climb"))
    by_number = {"no-loss", "in-order", "intact", "dedup-safe"}
    for profile in (Profile(kind="receiver"), Profile(identity=None)):
        assert not by_number.intersection(judged_of(profile, PROMISES))
    assert "clean-stop" not in judged_of(Profile(not_judged=("clean-stop",)), PROMISES)


def test_the_clients_own_limits_take_the_place_of_those_that_the_scenario_sets() -> None:
    profile = Profile(limits=Limits(detect_within=45.0, recover_within=70.0, longest_silence=80.0))
    outage = adapted(catalogue.find("half-open-output"), profile).expect
    assert (outage.detect_within, outage.recover_within, outage.longest_silence) == (45.0, 70.0, None)
    calm = adapted(catalogue.find("burst"), profile).expect
    assert (calm.recover_within, calm.longest_silence) == (70.0, 80.0)


def test_a_burst_is_as_many_times_as_fast_at_another_rate() -> None:
    made = adapted(catalogue.find("burst"), Profile(rate=10.0))
    assert made.workload.fps == 10.0
    assert {fault.attributes["fps"] for fault in made.faults} == {30}


def test_resets_of_a_climb_go_along_with_poses_only() -> None:
    scenario = catalogue.find("reset-during-outage")
    assert adapted(scenario, Profile()).workload.reset_at == ()
    assert adapted(scenario, Profile(poses=True)).workload.reset_at == scenario.workload.reset_at


def test_without_a_profile_a_client_is_what_its_role_says() -> None:
    assert profile_for("tracker", None).poses
    assert profile_for("receiver", None) == Profile(kind="receiver")
    assert profile_for("relay", Profile(identity=ByPath("id"))).identity == ByPath("id")
