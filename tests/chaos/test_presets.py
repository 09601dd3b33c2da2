"""Networks that a whole run lies on: their figures, what scenarios make of them, and whole runs on virtual time."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from chaos import catalogue
from chaos.clients.tracker import TrackerClient
from chaos.commands.check import judged
from chaos.faults import Fault, read_fault
from chaos.history import Began, Healed, History
from chaos.kinds import KINDS
from chaos.presets import HEALTHY_ROUND_TRIP, PRESETS
from chaos.reports.results import RunResult
from chaos.runner import Plan, make_history, perform
from chaos.scenario import Scenario, ScenarioError, UnsuitablePreset, on_preset
from chaos.scenario_reading import parse
from chaos.scenario_writing import write
from chaos.traces.reading import open_trace
from tracker import events

CALM = """
name = "calm"
about = "Nothing goes wrong but what the network does."
stresses = ["no-loss", "in-order", "no-false-kill", "same-climb"]
duration = "20s"
"""


def calm(extra: str = "") -> Scenario:
    return parse(CALM + extra, Path("calm.toml"))


# Figures


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_made_of_faults_of_the_vocabulary_on_both_links(name: str) -> None:
    faults = PRESETS[name].faults(60.0, seed=1)
    assert {fault.on for fault in faults} == {"input", "output"}
    for fault in faults:
        assert fault.attributes.keys() == KINDS[fault.kind].attributes.keys()
        for key, value in fault.attributes.items():
            assert isinstance(value, int)
            assert KINDS[fault.kind].attributes[key].minimum <= value


KBIT = 1 / 8
"""KB in a kbit, as the sources give their rates."""


@pytest.mark.parametrize(
    ("name", "round_trip", "down", "up"),
    [
        ("3g", 2 * (0.150 + 0.030), 1600 * KBIT, 768 * KBIT),
        ("lte", 2 * (0.035 + 0.015), None, None),
        ("venue-wifi", 2 * (0.020 + 0.010), None, None),
        ("satellite", 2 * (0.280 + 0.010), None, 3000 * KBIT),
        ("lossy-wifi", 2 * 2 * (0.020 + 0.010) + 2 * 0.5 + 0.2, None, None),
    ],
)
def test_a_presets_figures_are_those_of_its_source(
    name: str, round_trip: float, down: float | None, up: float | None
) -> None:
    preset = PRESETS[name]
    assert preset.round_trip == pytest.approx(round_trip)
    assert (preset.adds_to_detection, preset.adds_to_recovery) == pytest.approx((round_trip, 2 * round_trip))
    assert (preset.down, preset.up) == (down, up)


def test_a_signal_to_a_geostationary_satellite_is_not_faster_than_light() -> None:
    assert 2 * PRESETS["satellite"].latency > 4 * 35_786 / 299_792.458 * 1000


@pytest.mark.parametrize("name", PRESETS)
def test_what_lasts_is_there_before_the_client_and_what_comes_and_goes_ends_in_time(name: str) -> None:
    for fault in PRESETS[name].faults(60.0, seed=1):
        if fault.kind == "stall":
            assert fault.at > 0
            assert fault.heals_at is not None
            assert fault.heals_at < 60.0
        else:
            assert (fault.at, fault.duration) == (0.0, None)


@pytest.mark.parametrize("name", PRESETS)
def test_a_healthy_link_is_healthy_on_every_preset(name: str) -> None:
    assert PRESETS[name].round_trip < HEALTHY_ROUND_TRIP


def test_the_seed_decides_the_stalls_and_each_link_has_its_own() -> None:
    lossy = PRESETS["lossy-wifi"]
    stalls = [(f.on, f.at) for f in lossy.faults(60.0, seed=1) if f.kind == "stall"]
    assert stalls == [(f.on, f.at) for f in lossy.faults(60.0, seed=1) if f.kind == "stall"]
    assert lossy.faults(60.0, seed=1) != lossy.faults(60.0, seed=2)
    assert {at for on, at in stalls if on == "input"}.isdisjoint(at for on, at in stalls if on == "output")


def test_one_round_trip_meets_one_stall_at_most() -> None:
    for seed in range(20):
        for link in ("input", "output"):
            stalls = [
                f for f in PRESETS["lossy-wifi"].faults(300.0, seed) if (f.kind, f.on) == ("stall", link)
            ]
            assert len(stalls) > 300 / (9.0 + 0.5) - 1
            for earlier, later in pairwise(stalls):
                assert later.at - (earlier.heals_at or 0.0) >= HEALTHY_ROUND_TRIP - 0.001


# In a scenario


def test_a_scenario_names_its_preset_and_is_written_with_it() -> None:
    scenario = calm('preset = "3g"\n')
    assert scenario.network is PRESETS["3g"]
    assert parse(write(scenario), Path("calm.toml")) == scenario


def test_a_preset_is_no_fault_of_the_scenario_and_its_clock_starts_in_the_steady_state() -> None:
    scenario = calm('preset = "3g"\n')
    assert scenario.faults == ()
    assert not scenario.from_start


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('"3gg"', "preset is '3gg', which is no preset: did you mean '3g'?"),
        ('"zzz"', "which is no preset: valid are 3g, lte, venue-wifi, satellite, lossy-wifi"),
        ("3", "preset is 3: it must be the name of a network"),
    ],
)
def test_an_unknown_preset_is_an_error_with_the_nearest_valid_one(value: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=r"calm\.toml: ") as refused:
        calm(f"preset = {value}\n")
    assert said in str(refused.value)


def test_a_misspelt_key_is_led_to_preset() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'preset'"):
        calm('presset = "3g"\n')


def test_frames_bursts_and_rates_go_down_together_on_a_narrow_link() -> None:
    (narrow,) = read_fault({"at": "0s", "on": "output", "kind": "bandwidth", "rate": 60})
    slow = replace(calm(), faults=(narrow, catalogue.find("burst").faults[0]))
    paced = on_preset(slow, "3g").paced
    assert paced.workload.fps == pytest.approx(6)
    assert [fault.attributes for fault in paced.faults] == [{"rate": 12}, {"fps": 18}]


def test_elsewhere_a_scenario_stays_what_it_is() -> None:
    scenario = on_preset(catalogue.find("slow-link"), "lte")
    assert scenario.paced == scenario


def test_a_recording_keeps_its_rate() -> None:
    scenario = on_preset(calm(), "3g")
    scenario = replace(scenario, workload=replace(scenario.workload, recording=Path("climb.jsonl")))
    assert scenario.paced is scenario


def test_a_round_trip_that_no_promise_covers_is_refused_with_the_reason() -> None:
    slow = catalogue.find("latency-below-limit")
    assert on_preset(slow, "lte").preset == "lte"
    with pytest.raises(
        UnsuitablePreset, match=r"latency-below-limit does not go with the preset satellite: .* 3\.38 s"
    ):
        on_preset(slow, "satellite")


def test_the_latencies_of_two_links_or_of_two_times_do_not_add_up() -> None:
    def latency(on: str, at: float, lasts: float | None) -> Fault:
        attributes = {"latency": 900, "jitter": 0}
        return Fault("latency", at, lasts, "input" if on == "input" else "output", attributes=attributes)

    def conflict(*faults: Fault) -> str | None:
        return PRESETS["lte"].conflict(faults, duration=60.0, fps=30.0)

    assert conflict(latency("input", 5, None), latency("output", 5, None)) is None
    assert conflict(latency("output", 5, 5), latency("output", 10, 5)) is None
    assert conflict(latency("output", 5, None), latency("output", 10, 5)) is not None


def test_messages_that_fill_a_narrow_link_for_seconds_are_refused_with_the_reason() -> None:
    with pytest.raises(UnsuitablePreset, match="too large take up to 10 s each"):
        on_preset(catalogue.find("garbage-input"), "3g")
    assert on_preset(catalogue.find("poison-message"), "3g").preset == "3g"


def test_an_outage_whose_backlog_needs_longer_than_the_run_is_refused_with_the_reason() -> None:
    with pytest.raises(UnsuitablePreset, match="some 900 outputs wait, for which the way up takes 85 s"):
        on_preset(catalogue.find("long-outage"), "3g")
    assert on_preset(catalogue.find("half-open-output"), "3g").preset == "3g"


# Whole runs


def run(scenario: Scenario, folder: Path, client: str = TrackerClient.name) -> RunResult:
    return perform(Plan(scenario, "sim", 0, 1.0, folder, client))


def history(scenario: Scenario, folder: Path) -> History:
    return make_history(Plan(scenario, "sim", 0, 1.0, folder))


NOT_TOGETHER = {
    ("slow-link", "3g"): "carries an output in 1.4 s",
    ("slow-link", "lossy-wifi"): "is sent again behind all that waits",
    ("latency-spike", "lossy-wifi"): "a round trip takes up to",
}


@pytest.mark.scenarios
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", ["steady", "clean-drop", "half-open-output", "latency-spike", "slow-link"])
def test_a_healthy_tracker_passes_on_every_preset(preset: str, name: str, tmp_path: Path) -> None:
    scenario = catalogue.find(name)
    if (name, preset) in NOT_TOGETHER:
        with pytest.raises(UnsuitablePreset, match=NOT_TOGETHER[name, preset]):
            on_preset(scenario, preset)
        return
    result = run(on_preset(scenario, preset), tmp_path)
    assert (result.verdict, result.troubles(), result.preset) == ("pass", (), preset)
    (network,) = (check for check in result.checks if check.name == "network")
    assert "delays on input: " in network.observed
    assert "delays on output: " in network.observed


@pytest.mark.scenarios
@pytest.mark.parametrize("preset", PRESETS)
def test_the_first_handshake_already_takes_the_presets_round_trip(preset: str, tmp_path: Path) -> None:
    first = history(on_preset(calm(), preset), tmp_path).first(events.Connected)
    network = PRESETS[preset]
    assert first is not None
    # One for TCP and one for WebSocket.
    assert 2 * 2 * (network.latency - network.jitter) / 1000 <= first.took
    assert first.took <= 2 * network.round_trip + 0.1


@pytest.mark.scenarios
def test_the_stalls_of_lossy_wifi_show_as_pauses_and_as_evidence(tmp_path: Path) -> None:
    plain, lossy = run(calm(), tmp_path), run(on_preset(calm(), "lossy-wifi"), tmp_path)
    assert plain.measures["longest_silence_s"] < 0.1 < lossy.measures["longest_silence_s"]
    (network,) = (check for check in lossy.checks if check.name == "network")
    assert "stalls on output: " in network.observed
    assert "bytes lost on the way" in network.observed


@pytest.mark.scenarios
def test_a_preset_that_did_nothing_makes_the_run_unknown(tmp_path: Path) -> None:
    # Nothing listens on either link until after the end, so that there is nothing to delay.
    dead = "".join(f'[[faults]]\nat = "0s"\non = "{link}"\nkind = "down"\n' for link in ("input", "output"))
    scenario = on_preset(replace(calm(dead), stresses=("polite",)), "lte")
    result = run(scenario, tmp_path)
    assert result.verdict == "unknown"
    (network,) = (check for check in result.checks if check.name == "network")
    assert network.observed == "none of: delays on input; delays on output"


@pytest.mark.scenarios
def test_a_connection_lost_to_a_preset_is_lost_without_need(tmp_path: Path) -> None:
    impatient = on_preset(calm('[client]\nprobe_floor = "30ms"\n'), "lossy-wifi")
    result = run(
        replace(impatient, duration=60.0), tmp_path
    )  # long enough for a stall of nearly half a second
    assert result.verdict == "fail"
    assert "no-false-kill" in {check.name for check in result.troubles()}


@pytest.mark.scenarios
@pytest.mark.parametrize("preset", ["3g", "lossy-wifi"])
def test_a_client_that_reports_nothing_is_judged_on_a_preset_too(preset: str, tmp_path: Path) -> None:
    result = run(on_preset(calm(), preset), tmp_path, "websockets-iterator")
    assert (result.verdict, result.troubles()) == ("pass", ())


@pytest.mark.scenarios
def test_the_record_says_the_preset_and_numbers_its_faults_after_the_scenarios(tmp_path: Path) -> None:
    record = history(on_preset(catalogue.find("reset"), "lossy-wifi"), tmp_path)
    assert b'"preset":"lossy-wifi"' in next(record.lines())
    early = [event.fault for event in record.of(Began) if event.planned == 0]
    own = len(catalogue.find("reset").faults)
    assert early
    assert min(early) >= own


@pytest.mark.scenarios
def test_a_peer_that_waits_for_the_end_of_a_connection_holds_up_no_network(tmp_path: Path) -> None:
    scenario = catalogue.find("slow-close")
    record = history(on_preset(scenario, "lossy-wifi"), tmp_path)
    healed = [event for event in record.of(Healed) if event.fault >= len(scenario.faults)]
    assert len(healed) > 10
    assert [event.t for event in healed] == pytest.approx([event.planned for event in healed])


@pytest.mark.scenarios
def test_equal_seeds_make_equal_records_on_a_preset(tmp_path: Path) -> None:
    scenario = on_preset(calm(), "lossy-wifi")
    assert history(scenario, tmp_path).digest() == history(scenario, tmp_path).digest()


@pytest.mark.scenarios
def test_what_the_network_adds_to_the_thresholds_is_said_with_them(tmp_path: Path) -> None:
    result = run(on_preset(catalogue.find("half-open-output"), "satellite"), tmp_path)
    expected = {check.name: check.expected for check in result.checks}
    assert expected["detect"] == "a silent link given up within 5.58 s"
    assert expected["recover"] == "a delivery within 4.16 s of healing"
    steady = run(on_preset(catalogue.find("steady"), "satellite"), tmp_path)
    assert {check.name: check.expected for check in steady.checks}[
        "silence"
    ] == "no 4.16 s without a delivery"


@pytest.mark.scenarios
def test_a_record_is_judged_again_on_its_preset(tmp_path: Path) -> None:
    made = run(on_preset(catalogue.find("reset"), "satellite"), tmp_path)
    again = judged(open_trace(Path(made.record)))
    assert (again.verdict, again.checks, again.preset) == (made.verdict, made.checks, "satellite")


def test_the_command_that_makes_a_run_again_names_its_preset() -> None:
    plan = Plan(on_preset(calm(), "3g"), "sim", 7, 1.0, Path())
    assert plan.command_line == "simtool chaos calm --engine sim --preset 3g --seed 7"
