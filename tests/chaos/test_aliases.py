import pytest

from chaos import catalogue
from chaos.aliases import _MEANT, meant_by
from chaos.judging.hints import HINTS
from chaos.kinds import KINDS
from chaos.nearest import unknown_name
from chaos.presets import PRESETS
from chaos.scenario import ScenarioError, on_preset

THERE = {*KINDS, *catalogue.names(), *PRESETS, *HINTS}


@pytest.mark.parametrize("words", list(_MEANT))
def test_each_word_of_the_field_leads_to_what_there_is(words: tuple[str, ...]) -> None:
    assert set(_MEANT[words]) <= THERE


def test_no_word_stands_in_two_lines() -> None:
    words = [word for line in _MEANT for word in line]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("packetloss", "loss"),
        ("packet-loss", "loss"),
        ("Packet Loss", "loss"),
        ("jitter", "latency"),
        ("lag", "latency"),
        ("disconnect", "down"),
        ("timeouts", "timeout"),
        ("throttle", "bandwidth"),
        ("partition", "stall"),
        ("corrupt", "garbage"),
    ],
)
def test_a_fault_of_another_tools_name_is_known(word: str, kind: str) -> None:
    assert f"did you mean {kind!r}" in unknown_name(word, KINDS)


def test_of_several_that_may_be_meant_all_are_named() -> None:
    assert unknown_name("wifi", PRESETS) == "did you mean 'venue-wifi' or 'lossy-wifi'?"


def test_what_nobody_knows_means_nothing() -> None:
    assert meant_by("zzz") == ()
    assert meant_by("") == ()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("packetloss", "did you mean 'lossy-link'?"),
        ("restet", "did you mean 'reset'?"),
        ("loss", "it is a kind of fault, which strikes in lossy-link"),
        ("stall", "and others"),
        ("dedup-safe", "it is a promise, which is under stress in"),
        ("zzz", "`simtool list` has them all"),
    ],
)
def test_a_word_that_is_no_scenario_leads_to_one(word: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        catalogue.find(word)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_network_of_another_name_is_known() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'lte'"):
        on_preset(catalogue.find("steady"), "4G")
