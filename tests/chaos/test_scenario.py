import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.catalogue import load
from chaos.faults import Fault
from chaos.scenario import Expect, Peer, Scenario, ScenarioError, Workload
from chaos.scenario_reading import parse
from tracker.config import ConfigError, OutboxLimits, Timing, TrackerConfig

FILE = Path("folder/half-open.toml")
HEAD = """
name = "half-open"
about = "The link goes silent."
stresses = ["detect", "recover"]
duration = "60s"
"""
FAULT = '[[faults]]\nat = "10s"\nfor = "20s"\non = "output"\nkind = "stall"\n'
CONTROL = '[[controls]]\nat = "8s"\nmessage = "get_status"\n'
CONFIG = TrackerConfig(input_url="ws://a/", output_url="ws://b/")


def refusal(text: str, file: Path = FILE) -> str:
    with pytest.raises(ScenarioError) as caught:
        parse(text, file)
    for line in caught.value.lines:
        assert len(line.splitlines()) == 1
        assert line.startswith(f"{file}: ")
    return str(caught.value)


def test_a_whole_file_is_read_as_it_says() -> None:
    text = HEAD + (
        '[workload]\nfps = 20\nholds = 3\n[client]\nprobe_floor = "1s"\noutbox_messages = 100\nconfirm = "ack"\n'
        '[peer]\nconfirm = "ack"\necho = true\n[expect]\ndetect_within = "8s"\nlongest_silence = 40\n'
        "keeps_connections = true\n" + FAULT
    )
    scenario = parse(text, FILE)
    assert scenario == Scenario(
        name="half-open",
        about="The link goes silent.",
        stresses=("detect", "recover"),
        duration=60.0,
        workload=Workload(fps=20.0, holds=3),
        client=scenario.client,
        peer=Peer(confirm="ack", echo=True),
        faults=(Fault("stall", 10.0, 20.0, "output"),),
        expect=Expect(detect_within=8.0, longest_silence=40.0, keeps_connections=True),
    )


def test_all_tables_may_be_left_out() -> None:
    scenario = parse(HEAD, FILE)
    assert (scenario.workload, scenario.peer, scenario.faults, scenario.expect) == (
        Workload(),
        Peer(),
        (),
        Expect(),
    )
    assert scenario.client.apply_to(CONFIG) == CONFIG


def test_overrides_change_only_what_they_name() -> None:
    text = HEAD + '[client]\nprobe_floor = "1s"\noutbox_window_bytes = 5\noverflow = "block"\n'
    config = parse(text, FILE).client.apply_to(CONFIG)
    assert config.timing == Timing(probe_floor=1.0)
    assert config.outbox == OutboxLimits(window_bytes=5)
    assert (config.overflow, config.confirm, config.input_url) == ("block", "pong", "ws://a/")


def test_overrides_that_do_not_fit_a_configuration_are_its_error() -> None:
    client = parse(HEAD + '[client]\nreconnect_cap = "2s"\n', FILE).client
    slow = TrackerConfig("ws://a/", "ws://b/", timing=Timing(reconnect_delay=3.0))
    with pytest.raises(ConfigError, match="reconnect_cap"):
        client.apply_to(slow)


RECORDED = (
    '[workload]\nrecording = "a.jsonl.gz"\nwall = "b/w.svg"\ncalibration = "c.json"\nroute = "/r.json"\n'
)


def test_a_recording_and_its_wall_are_found_from_the_scenarios_folder() -> None:
    found = parse(HEAD + RECORDED, FILE).workload
    assert (found.recording, found.wall) == (Path("folder/a.jsonl.gz"), Path("folder/b/w.svg"))
    assert (found.calibration, found.route) == (Path("folder/c.json"), Path("/r.json"))


def test_there_may_be_several_clients_with_a_climb_or_with_a_recording() -> None:
    assert parse(HEAD, FILE).workload.clients == 1
    assert parse(HEAD + "[workload]\nclients = 50\n", FILE).workload.clients == 50
    assert parse(HEAD + RECORDED + "clients = 2\n", FILE).workload.clients == 2


def test_resets_come_in_the_order_of_their_times() -> None:
    found = parse(HEAD + '[workload]\nreset_at = ["12s", 4]\n', FILE).workload.reset_at
    assert found == (4.0, 12.0)


def test_a_fault_may_be_in_force_from_the_start_and_then_the_clock_starts_with_the_client() -> None:
    assert parse(HEAD + FAULT.replace('"10s"', '"0s"'), FILE).from_start
    assert not parse(HEAD + FAULT, FILE).from_start


def test_what_runs_in_the_simulation_only_says_why() -> None:
    text = HEAD.replace("duration", 'sim_only = "it blocks the loop"\nduration')
    assert parse(text, FILE).sim_only == "it blocks the loop"
    assert parse(HEAD, FILE).sim_only is None


def test_there_is_a_control_link_where_something_is_sent_over_it() -> None:
    assert parse(HEAD, FILE).links == ("input", "output")
    assert parse(HEAD + CONTROL + 'on = "input"', FILE).links == ("input", "output")
    assert parse(HEAD + CONTROL, FILE).links == ("input", "output", "control")
    assert parse(HEAD + CONTROL + FAULT.replace('"output"', '"control"'), FILE).faults[0].on == "control"


def test_how_a_run_ends_goes_with_what_ends_it() -> None:
    stopped = HEAD + CONTROL.replace("get_status", "stop")
    assert parse(f'{stopped}[expect]\nends = "stop-control"\n', FILE).expect.ends == "stop-control"
    assert parse(f'{stopped}on = "input"\n', FILE).expect.ends is None
    full = HEAD + '[client]\noverflow = "fail"\n'
    assert parse(f'{full}[expect]\nends = "outbox-full"\n', FILE).expect.ends == "outbox-full"
    assert parse(full, FILE).expect.ends is None


def test_a_scenario_travels_to_another_process() -> None:
    scenario = parse(HEAD + '[client]\nprobe_floor = "1s"\n' + FAULT, FILE)
    assert pickle.loads(pickle.dumps(scenario)) == scenario  # noqa: S301 - our own bytes


def test_a_multi_line_about_becomes_one_line() -> None:
    assert parse(HEAD.replace('"The link goes silent."', '"""The link\n  goes silent."""'), FILE).about == (
        "The link goes silent."
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("name = \n", ["line 1, column 8", "TOML"]),
        (HEAD + "[[faults]]\nat = [", ["line 7", "TOML"]),
        ("a = " + "[" * 5000, ["nested too deeply"]),
        ("a = " + "1" * 5000, ["not valid TOML"]),
        (HEAD.replace('"60s"', "0x" + "f" * 5000), ["4300 digits"]),
        (HEAD + "durations = 5", ["'durations'", "did you mean 'duration'?"]),
        (HEAD.replace('name = "half-open"', ""), ["'name' is missing"]),
        (HEAD.replace('"half-open"', '"other"'), ["'other'", "'half-open.toml'", "the same"]),
        (HEAD.replace('"half-open"', '"Half Open"'), ["'Half Open'", "lower-case"]),
        (HEAD.replace('"The link goes silent."', '" "'), ["about is ' '"]),
        (HEAD.replace('["detect", "recover"]', "[]"), ["stresses is []"]),
        (HEAD.replace('"detect", ', '"detct", '), ["'detct'", "did you mean 'detect'?"]),
        (HEAD.replace('"detect", ', '"recover", '), ["'recover' twice"]),
        (HEAD.replace('"detect", ', "[1], "), ["[1]", "no promise"]),
        (HEAD.replace('duration = "60s"', ""), ["'duration' is missing"]),
        (HEAD.replace('"60s"', '"1 minute"'), ["duration: '1 minute'"]),
        (HEAD.replace('"60s"', "0"), ["duration is 0"]),
        (HEAD + "[workload]\nfpss = 3", ["'workload.fpss'", "did you mean 'fps'?"]),
        (HEAD + "[workload]\nfps = 0", ["workload.fps is 0"]),
        (HEAD + "[workload]\nfps = nan", ["workload.fps is nan"]),
        (HEAD + "[workload]\nholds = 2.5", ["workload.holds is 2.5", "whole number"]),
        (HEAD + "[workload]\nholds = true", ["workload.holds is True"]),
        (HEAD + "[workload]\nclients = 0", ["workload.clients is 0", "from 1 to 100"]),
        (HEAD + "[workload]\nclients = 101", ["workload.clients is 101"]),
        (HEAD + "[workload]\nclients = 2.0", ["workload.clients is 2.0", "whole number"]),
        (HEAD + "[workload]\nclients = true", ["workload.clients is True"]),
        (HEAD + "[workload]\nclient = 2", ["'workload.client'", "did you mean 'clients'?"]),
        (HEAD + '[workload]\nrecording = "x.jsonl"\nholds = 3', ["workload.holds", "workload.recording"]),
        (HEAD + RECORDED.replace("route", "rout"), ["'workload.rout'", "did you mean 'route'?"]),
        (HEAD + '[workload]\nrecording = "x.jsonl"', ["'workload.wall' is missing"]),
        (HEAD + '[workload]\nroute = "x.json"', ["workload.route", "without workload.recording"]),
        (HEAD + "[workload]\nreset_at = 4", ["workload.reset_at is 4", "list"]),
        (HEAD + '[workload]\nreset_at = ["1 s"]', ["workload.reset_at: '1 s'"]),
        (HEAD + "[workload]\nreset_at = [1]", ["reset_at has 1s", "2s or later"]),
        (HEAD + "[workload]\nreset_at = [60]", ["reset_at has 1m", "ends at 1m"]),
        ("sim_only = true" + HEAD, ["sim_only is True", "reason"]),
        (HEAD + "[[faults]]\nat = 0\nkind = 'close'\ncode = 1000", ["close", "no connection yet"]),
        (HEAD + "workload = 3", ["workload is 3", "[workload]"]),
        (HEAD + "[client]\nprobe_flor = 1", ["'client.probe_flor'", "did you mean 'probe_floor'?"]),
        (HEAD + "[client]\noutbox_message = 1", ["did you mean 'outbox_messages'?"]),
        (HEAD + '[client]\noutbox_messages = "9"', ["client.outbox_messages is '9'"]),
        (HEAD + "[client]\noutbox_messages = 0", ["client.outbox_messages is 0", "from 1 to"]),
        (HEAD + '[client]\nprobe_floor = "8s"', ["client: probe_ceiling", "three times"]),
        (HEAD + '[client]\nprobe_floor = "soon"', ["client.probe_floor: 'soon'"]),
        (HEAD + '[client]\noverflow = "latst"', ["client.overflow is 'latst'", "did you mean 'latest'?"]),
        (HEAD + '[client]\nconfirm = "ack"', ["client.confirm", "peer.confirm"]),
        (HEAD + '[peer]\nconfirm = "none"', ["peer.confirm is 'none'"]),
        (HEAD + '[peer]\necho = "yes"', ["peer.echo is 'yes'"]),
        (HEAD + "[expect]\ndetect_in = 1", ["'expect.detect_in'", "did you mean 'detect_within'?"]),
        (HEAD + "[expect]\ndetect_within = 0", ["expect.detect_within is 0"]),
        (HEAD + FAULT.replace("[[", "[").replace("]]", "]"), ["[[faults]]"]),
        (HEAD + FAULT + FAULT.replace("stall", "stal"), ["fault 2", "did you mean 'stall'?"]),
        (HEAD + FAULT.replace('"10s"', '"1.9s"'), ["fault 1: stall", "1.9s", "2s or later"]),
        (HEAD + FAULT.replace('"10s"', '"60s"'), ["begins at 1m", "lengthen duration"]),
        (HEAD + FAULT.replace('"20s"', '"51s"'), ["ends at 61s", "lengthen duration"]),
        (HEAD + FAULT.replace('"20s"', '"45.5s"'), ["ends at 55.5s", "'recover'", "5s or more"]),
        (HEAD + FAULT.replace('for = "20s"', ""), ["never ends", "'recover'"]),
        (
            HEAD + 2 * '[[faults]]\nat = 10\nfor = 5\nkind = "refuse"\n',
            ["refuse on output", "at once", "let one end"],
        ),
        (HEAD + FAULT + 'every = "25s"\ntimes = 3', ["begins at 1m"]),
        (
            HEAD + FAULT.replace('"output"', '"control"'),
            ["stall on control", "no control link", "[[controls]]"],
        ),
        (HEAD + CONTROL.replace("[[", "[").replace("]]", "]"), ["[[controls]]"]),
        (HEAD + CONTROL + CONTROL.replace("get_s", "gets"), ["control 2", "did you mean 'get_status'?"]),
        (HEAD + CONTROL.replace('"8s"', '"1s"'), ["control 1: get_status", "1s", "2s or later"]),
        (HEAD + CONTROL.replace('"8s"', '"60s"'), ["control 1: get_status", "ends at 1m"]),
        (HEAD + CONTROL.replace("get_status", "stop"), ["a stop", 'expect.ends = "stop-control"']),
        (HEAD + '[expect]\nends = "stop-control"', ["'stop-control'", "no stop"]),
        (HEAD + '[expect]\nends = "outbox-full"', ["'outbox-full'", "'latest'", '"fail"']),
        (HEAD + '[expect]\nends = "refused"', ["expect.ends is 'refused'"]),
        (HEAD + "[expect]\nends = 3", ["expect.ends is 3"]),
    ],
)
def test_a_refused_scenario_names_the_file_the_key_and_the_remedy(text: str, parts: list[str]) -> None:
    error = refusal(text)
    assert [part for part in parts if part not in error] == []


def test_a_run_that_judges_no_recovery_may_end_under_the_fault() -> None:
    head = HEAD.replace(', "recover"', "")
    assert parse(head + FAULT.replace('for = "20s"', ""), FILE).faults[0].duration is None
    assert parse(head + FAULT.replace('"20s"', '"50s"'), FILE).faults[0].heals_at == 60


def test_the_last_moment_that_leaves_room_for_recovery_is_allowed() -> None:
    assert (
        parse(HEAD + FAULT.replace('"20s"', '"45s"').replace('"10s"', '"10s"'), FILE).faults[0].heals_at == 55
    )


def test_a_missing_file_and_one_that_is_not_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"gone\.toml: no such file"):
        load(tmp_path / "gone.toml")
    (tmp_path / "bad.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ScenarioError, match=r"bad\.toml: byte 8 is not UTF-8"):
        load(tmp_path / "bad.toml")


lines = st.sampled_from([*HEAD.splitlines(), *FAULT.splitlines(), "[client]", "[peer]", "echo = 1", "x"])


# A short alphabet: all of Unicode takes hypothesis seconds to tabulate on a machine where it never ran.
signs = st.text("a1=[]\"'.-# \n\r\x00\x85\u2028é", max_size=30)


@given(st.one_of(signs, st.lists(lines, max_size=14).map("\n".join)))
def test_no_text_raises_anything_but_a_line_for_each_thing_wrong(text: str) -> None:
    told: tuple[str, ...] = (f"{FILE}: ",)
    try:
        parse(text, FILE)
    except ScenarioError as error:
        told = error.lines
    assert told
    for line in told:
        assert line.startswith(f"{FILE}: ")
        assert len(line.splitlines()) == 1


def test_all_that_is_wrong_is_told_at_once_by_line() -> None:
    text = """name = "half-open"
about = "The link goes silent."
stresses = ["detect", "recver", "polte"]
duration = "60s"

[workload]
fps = 1
holds = 99

[client]
probe_floor = 0

# one that is right
[[faults]]
at = "10s"
for = "5s"
on = "input"
kind = "stall"

[[faults]]
at = "10s"
for = "5s"
on = "outptu"
kind = "latency"
jiter = 3

[[faults]]
at = "20s"
fro = "5s"
kind = "packetloss"

[[controls]]
at = "1s"
message = "get_status"

[expects]
detect_within = "5s"
"""
    told = [line.removeprefix(f"{FILE}: line ") for line in refusal(text).splitlines()]
    begins = [
        "3: stresses has 'recver'",
        "3: stresses has 'polte'",
        "7: workload.fps is 1: it must be a number from 5 to 240",
        "8: workload.holds is 99",
        "11: client.probe_floor is 0",
        "20: fault 2: latency: the key 'latency' is missing",
        "23: fault 2: latency: on is 'outptu'",
        "25: fault 2: latency: the key 'jiter' means nothing here: did you mean 'jitter'?",
        "29: fault 3: the key 'fro' means nothing here: did you mean 'for'?",
        "30: fault 3: kind is 'packetloss', which is no kind of fault: did you mean 'loss'?",
        "33: control 1: get_status: it is sent at 1s",
        "36: the key 'expects' means nothing here: did you mean 'expect'?",
    ]
    assert len(told) == len(begins)
    assert [begin for begin, line in zip(begins, told, strict=True) if not line.startswith(begin)] == []


def test_what_is_wrong_with_two_tables_together_is_told_where_each_of_them_is_right() -> None:
    both = '[client]\nconfirm = "ack"\n[expect]\nends = "stop-control"\n'
    assert len(refusal(HEAD + both + FAULT.replace("stall", "stal")).splitlines()) == 3
    assert "sends no acks" not in refusal(HEAD + both.replace('"ack"', '"akc"'))


def test_without_a_duration_no_fault_is_said_to_be_too_late() -> None:
    told = refusal(HEAD.replace('duration = "60s"', "") + FAULT.replace('for = "20s"', ""))
    assert told.splitlines() == [
        f"{FILE}: the key 'duration' is missing: say how long the run takes, as in duration = \"60s\""
    ]


@pytest.mark.parametrize("duration", ['"25h"', "86401", "1e9"])
def test_a_run_lasts_a_day_at_most(duration: str) -> None:
    text = HEAD.replace('duration = "60s"', f"duration = {duration}")
    assert text != HEAD
    with pytest.raises(ScenarioError, match=r"duration is .*: it must be at most 24h"):
        parse(text, FILE)
