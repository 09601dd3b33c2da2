import inspect
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.uri import parse_uri

from tracker import cli
from tracker.config import ConfigError, OutboxLimits, Timing
from tracker.settings import OPTIONS, read_settings, tracker_config

URLS = {
    "input_websocket_url": "ws://127.0.0.1:1/ws/pose/",
    "output_websocket_url": "ws://127.0.0.1:1/ws/holds/",
}


def read(folder: Path, text: str) -> dict[str, Any]:
    path = folder / "tracker.toml"
    path.write_text(text, "utf-8")
    return read_settings(path)


def complaint(folder: Path, text: str) -> str:
    """What is said about a file with this text, without the file's name; it is one line."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    assert said.startswith(f"{folder / 'tracker.toml'}: ")
    return said.removeprefix(f"{folder / 'tracker.toml'}: ")


def refusal(**given_settings: Any) -> str:
    """Why these settings, with two good URLs, make no configuration; it is one line."""
    with pytest.raises(ConfigError) as caught:
        tracker_config({**URLS, **given_settings})
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


# The file


def test_the_file_takes_what_the_command_line_takes() -> None:
    assert set(OPTIONS) == set(inspect.signature(cli.run).parameters) - {"config"}


def test_a_file_with_options_and_both_tables_is_read_as_it_stands(tmp_path: Path) -> None:
    text = 'confirm = "ack"\nproximity_threshold = 40\n[timing]\nprobe_floor = 1\n[outbox]\nmessages = 10\n'
    assert read(tmp_path, text) == {
        "confirm": "ack",
        "proximity_threshold": 40,
        "timing": {"probe_floor": 1},
        "outbox": {"messages": 10},
    }


def test_a_missing_file_is_named_with_the_reason_and_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "absent.toml"
    with pytest.raises(ConfigError) as caught:
        read_settings(path)
    assert str(caught.value) == f"{path}: No such file or directory: name a readable configuration file"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory: name a readable configuration file"):
        read_settings(tmp_path)


def test_a_file_that_is_no_toml_says_where(tmp_path: Path) -> None:
    said = complaint(tmp_path, "confirm = \n")
    assert said.startswith("not TOML (")
    assert "line 1" in said
    assert said.endswith("mend the file")


def test_a_file_that_is_no_utf_8_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "tracker.toml"
    path.write_bytes(b'confirm = "\xff"')
    with pytest.raises(ConfigError, match=r"not TOML \('utf-8'.*mend the file"):
        read_settings(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("reconect_delay = 1", "unknown setting 'reconect_delay': did you mean 'reconnect_delay'?"),
        ("outbox-messages = 1", "unknown setting 'outbox-messages': did you mean 'outbox_messages'?"),
        ("[timings]", "unknown setting 'timings': did you mean 'timing'?"),
        ("[timing]\nprobe_flor = 1", "[timing] unknown setting 'probe_flor': did you mean 'probe_floor'?"),
        ("[outbox]\nmesages = 1", "[outbox] unknown setting 'mesages': did you mean 'messages'?"),
    ],
)
def test_an_unknown_setting_names_the_nearest(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text) == said


def test_an_unknown_setting_that_is_near_to_none_lists_them(tmp_path: Path) -> None:
    said = complaint(tmp_path, '[outbox]\n"q\\nz" = 1')
    assert said == (
        "[outbox] unknown setting 'q\\nz': the known ones are messages, bytes, window_messages, window_bytes"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("confirm = 3", "confirm is 3: it must be str"),
        ("debug = 1", "debug is 1: it must be bool"),
        ("outbox_messages = 1.5", "outbox_messages is 1.5: it must be int"),
        ("outbox_messages = true", "outbox_messages is True: it must be int"),
        ("touch_duration = true", "touch_duration is True: it must be int or float"),
        ('touch_duration = "2\\n"', "touch_duration is '2\\n': it must be int or float"),
        ('[timing]\nprobe_floor = "1s"', "[timing] probe_floor is '1s': it must be int or float"),
        ("[outbox]\nbytes = 1e6", "[outbox] bytes is 1000000.0: it must be int"),
        ("timing = 3", "timing is 3: it must be a table, [timing]"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_what_it_must_be(
    tmp_path: Path, text: str, said: str
) -> None:
    assert complaint(tmp_path, text) == said


# From settings to a configuration


def test_the_file_and_the_command_line_make_one_configuration_and_the_command_line_wins(
    tmp_path: Path,
) -> None:
    text = """
        input_websocket_url = "ws://file/in"
        output_websocket_url = "ws://file/out"
        overflow = "block"
        outbox_messages = 50
        [timing]
        probe_floor = 2.0
        reconnect_delay = 1.0
        [outbox]
        window_messages = 5
    """
    given_there = {"output_websocket_url": "wss://line/out", "outbox_messages": 70, "reconnect_delay": 3.0}
    config = tracker_config({**read(tmp_path, text), **given_there})
    assert (config.input_url, config.output_url) == ("ws://file/in", "wss://line/out")
    assert (config.confirm, config.overflow) == ("pong", "block")
    assert config.outbox == OutboxLimits(messages=70, window_messages=5)
    assert config.timing == Timing(probe_floor=2.0, reconnect_delay=3.0)


def test_an_option_wins_over_the_table_that_holds_the_same_setting(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        "outbox_messages = 7\nreconnect_delay = 2\n[outbox]\nmessages = 8\n[timing]\nreconnect_delay = 3\n",
    )
    config = tracker_config({**URLS, **settings})
    assert (config.outbox.messages, config.timing.reconnect_delay) == (7, 2)


def test_a_first_delay_above_the_default_cap_lifts_the_cap() -> None:
    timing = tracker_config({**URLS, "reconnect_delay": 30.0}).timing
    assert (timing.reconnect_delay, timing.reconnect_cap) == (30.0, 30.0)


def test_a_first_delay_above_a_cap_that_was_given_is_refused() -> None:
    said = refusal(reconnect_delay=30.0, timing={"reconnect_cap": 5.0})
    assert said == "reconnect_cap is 5.0: it must not be below reconnect_delay (30.0)"


def test_the_settings_that_were_read_are_not_changed() -> None:
    settings = {**URLS, "reconnect_delay": 1.0, "outbox_messages": 5, "timing": {}, "outbox": {}}
    tracker_config(settings)
    assert settings["timing"] == settings["outbox"] == {}


@pytest.mark.parametrize("option", list(URLS))
def test_a_missing_endpoint_is_asked_for_with_an_example(option: str) -> None:
    flag = "--" + option.replace("_", "-")
    said = refusal(**{option: None})
    assert said.startswith(f"no {flag} given: name the endpoint, for example {flag} ws://")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://wall/ws/", "scheme isn't ws or wss"),
        ("wall:8765", "scheme isn't ws or wss"),
        ("ws://", "hostname isn't provided"),
        ("ws://wall:99999/", "Port out of range"),
        ("ws://wall/#pose", "fragment identifier is meaningless"),
    ],
)
def test_a_url_that_cannot_be_used_is_shown_with_the_reason_and_the_remedy(url: str, why: str) -> None:
    said = refusal(input_websocket_url=url)
    assert said.startswith(f"--input-websocket-url is {url!r}: ")
    assert why in said
    assert said.endswith(": give a ws:// or wss:// URL")


def test_the_control_endpoint_is_optional_and_checked_where_it_is_given() -> None:
    assert tracker_config(URLS).control_url is None
    assert tracker_config({**URLS, "control_websocket_url": "wss://c/"}).control_url == "wss://c/"
    assert refusal(control_websocket_url="c").startswith("--control-websocket-url is 'c': ")


@given(st.text(min_size=1) | st.text().map("ws://".__add__) | st.text().map("http://\n".__add__))
def test_any_text_is_a_url_or_is_refused_in_one_line(url: str) -> None:
    try:
        assert tracker_config({**URLS, "output_websocket_url": url}).output_url == url
    except ConfigError as error:
        said = str(error)
        assert said.isprintable()
        assert repr(url) in said or "@" in url or "?" in url
        return
    parse_uri(url)


@pytest.mark.parametrize("url", ["http://user:sekret@h/x", "ws://user:sekret@h/#f", "ws://h:x/?token=sekret"])
def test_a_url_that_cannot_be_used_is_refused_without_its_credentials(url: str) -> None:
    assert "sekret" not in refusal(output_websocket_url=url)


@pytest.mark.parametrize("url", ["ws://a..b/", f"ws://{'a' * 70}/", "ws://h/a\nb", "ws://h/a b", "ws://h:0/"])
def test_a_url_that_would_fail_or_lead_elsewhere_is_refused(url: str) -> None:
    assert refusal(output_websocket_url=url).isprintable()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("confirm", "--confirm is 'yes': choose one of pong, ack, none"),
        ("overflow", "--overflow is 'yes': choose one of latest, block, fail"),
    ],
)
def test_a_choice_that_there_is_not_lists_those_that_there_are(option: str, said: str) -> None:
    assert refusal(**{option: "yes"}) == said


def test_limits_and_durations_are_checked_as_everywhere() -> None:
    assert refusal(outbox_messages=0) == "outbox messages is 0: it must be at least 1"
    assert refusal(reconnect_delay=0.0) == "reconnect_delay is 0.0: it must be a positive number of seconds"
