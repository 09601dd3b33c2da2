"""How a client is spoken with, from the command line on."""

import shlex
import sys
from pathlib import Path

import pytest

from chaos import catalogue
from chaos.clients.choose import COMMAND, load_client
from chaos.commands.planning import for_client, make_plans
from chaos.commands.speaking import chosen_speech, load_profile, spoken_with
from chaos.commands.usage import UsageError
from chaos.profile import Profile
from chaos.profile_reading import ProfileError
from simulator.identity import ByPath


def test_where_nothing_is_said_the_role_decides() -> None:
    assert chosen_speech(None, kind=None, identity=None, poses=False) is None


def test_flags_take_the_place_of_what_a_file_says_and_are_kept_for_the_next_time(tmp_path: Path) -> None:
    file = tmp_path / "client.toml"
    file.write_text('kind = "duplex"\nidentity = "id"\n')
    speech = chosen_speech(file, kind="sender", identity=None, poses=False)
    assert speech is not None
    assert speech.profile == Profile(kind="sender", identity=ByPath("id"))
    (plan,) = make_plans(
        {"steady": catalogue.find("steady")},
        ["sim"],
        [0],
        client="mine:relay",
        time_scale=1.0,
        folder=Path("runs"),
        speech=speech,
    )
    words = shlex.split(plan.command_line)
    assert words[words.index("--profile") : words.index("--profile") + 4] == [
        *("--profile", str(file)),
        *("--kind", "sender"),
    ]


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        ProfileError, match="no such file or directory; give the path of a profile's TOML file"
    ):
        load_profile(tmp_path / "absent.toml")
    odd = tmp_path / "odd.toml"
    odd.write_bytes(b"\xff")
    with pytest.raises(ProfileError, match="byte 0 is not UTF-8"):
        load_profile(odd)


def test_the_tracker_needs_no_profile() -> None:
    tracker = load_client("tracker")
    assert spoken_with(tracker, None) is None
    speech = chosen_speech(None, kind="duplex", identity=None, poses=False)
    with pytest.raises(UsageError, match="--kind duplex: the tracker is known"):
        spoken_with(tracker, speech)


def test_a_command_that_wants_the_wall_is_sent_poses() -> None:
    command = load_client(f"{COMMAND}{sys.executable} client.py {{input}} {{output}} --wall {{wall}}")
    speech = spoken_with(command, None)
    assert speech is not None
    assert speech.profile.poses
    plain = load_client(f"{COMMAND}{sys.executable} client.py {{input}} {{output}}")
    assert spoken_with(plain, None) is None


def test_scenarios_that_say_nothing_of_a_client_are_left_out_with_the_reason() -> None:
    scenarios = {name: catalogue.find(name) for name in ("steady", "burst")}
    speech = chosen_speech(None, kind="sender", identity=None, poses=False)
    found, left_out = for_client(scenarios, "relay", speech)
    assert list(found) == ["steady"]
    assert left_out == {"burst": "the peer sends it nothing that could come faster"}
    assert for_client(scenarios, "tracker", None) == (scenarios, {})


def test_what_is_not_judged_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    speech = chosen_speech(None, kind=None, identity="none", poses=False)
    for_client({"steady": catalogue.find("steady")}, "relay", speech)
    said = (
        "simtool: not judged: no-loss, in-order, intact and dedup-safe, because its messages have no number\n"
    )
    assert capsys.readouterr().err == said
