"""Five profiles, each with a client that keeps its promises and one that does not, on virtual time."""

from pathlib import Path

import pytest

from chaos import catalogue
from chaos.clients.choose import load_client
from chaos.commands.planning import for_client, make_plans
from chaos.commands.speaking import load_profile
from chaos.made_twice import perform_twice
from chaos.reports.results import RunResult
from chaos.runner import Plan, Speech, perform

pytestmark = pytest.mark.scenarios

PROFILES = Path(__file__).parents[2] / "examples" / "profiles"
BROKEN = "tests.chaos.broken_profiles"
GOOD = {
    "chat": "examples.profiles.chat:chat",
    "ticker": "examples.profiles.ticker:read",
    "meter": "examples.profiles.meter:measure",
    "versioned": "examples.profiles.versioned:relay",
    "samples": "examples.profiles.samples:relay",
}
"""Those that do it right, by the name of their profile."""


def plan(profile: str, client: str, scenario: str, folder: Path) -> Plan:
    if profile == "ticker":
        pytest.importorskip("trustme", reason="a certificate is made with it")
    speech = Speech(load_profile(PROFILES / f"{profile}.toml"))
    found, _ = for_client({scenario: catalogue.find(scenario)}, load_client(client).role, speech)
    (made,) = make_plans(found, ["sim"], [0], client=client, time_scale=1.0, folder=folder, speech=speech)
    return made


def failed(result: RunResult) -> dict[str, str]:
    return {check.name: check.observed for check in result.checks if check.verdict == "fail"}


def test_every_profile_of_the_examples_is_here() -> None:
    assert {file.stem for file in PROFILES.glob("*.toml")} == set(GOOD)


@pytest.mark.parametrize("scenario", ["steady", "reset", "server-restart", "silent-pong", "clean-drop"])
@pytest.mark.parametrize("profile", GOOD)
def test_a_client_that_keeps_its_promises_passes(profile: str, scenario: str, tmp_path: Path) -> None:
    result = perform(plan(profile, GOOD[profile], scenario, tmp_path))
    assert (result.verdict, result.troubles()) == ("pass", ())
    assert result.measures["delivered"] > 100 or profile == "ticker"


@pytest.mark.parametrize(
    ("profile", "client", "scenario", "promise", "seen"),
    [
        ("chat", "chat_that_keeps_nothing", "reset", "no-loss", "lost, the first is"),
        ("ticker", "ticker_that_subscribes_once", "server-restart", "recover", "no delivery after restart"),
        ("meter", "meter_that_says_all_twice", "steady", "dedup-safe", "wrong, the first is 1"),
        (
            *("versioned", "versioned_that_comes_back_with_the_old_version", "server-restart"),
            *("recover", "no delivery after restart"),
        ),
        ("samples", "samples_that_never_reconnect", "server-restart", "recover", "no delivery after restart"),
    ],
)
def test_a_client_that_breaks_one_fails_for_that(
    profile: str, client: str, scenario: str, promise: str, seen: str, *, tmp_path: Path
) -> None:
    result = perform(plan(profile, f"{BROKEN}:{client}", scenario, tmp_path))
    found = failed(result)
    assert set(found) == {promise}
    assert seen in found[promise]


@pytest.mark.parametrize("profile", GOOD)
def test_a_run_is_the_same_twice_whatever_is_spoken(profile: str, tmp_path: Path) -> None:
    assert perform_twice(plan(profile, GOOD[profile], "server-restart", tmp_path)).difference is None
