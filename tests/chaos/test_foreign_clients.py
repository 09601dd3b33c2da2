"""Clients that report nothing, on virtual time: what they are known to do wrong, and nothing else."""

import sys
from functools import partial
from pathlib import Path

import pytest

from chaos import catalogue
from chaos.engines import sim
from chaos.engines.watchdog import Watchdog
from chaos.judging.verdicts import Check
from chaos.made_twice import perform_twice
from chaos.reports.results import RunResult
from chaos.runner import Plan, perform

pytestmark = pytest.mark.scenarios

INCIDENT = ("incident-before", "incident-after")


def plan(scenario: str, client: str, folder: Path = Path()) -> Plan:
    return Plan(catalogue.find(scenario), "sim", 0, 10.0, folder, client)


def failed(result: RunResult) -> dict[str, Check]:
    return {check.name: check for check in result.checks if check.verdict == "fail"}


@pytest.mark.parametrize("client", ["incident-after", "websockets-iterator", "examples.relay:relay"])
def test_while_nothing_goes_wrong_a_sound_client_passes(client: str, tmp_path: Path) -> None:
    result = perform(plan("steady", client, tmp_path))
    assert (result.verdict, result.troubles()) == ("pass", ())
    assert (result.client, result.measures["delivered"] > 1000) == (client, True)


def test_the_incident_had_a_second_connection_beside_the_first_before_anything_went_wrong(
    tmp_path: Path,
) -> None:
    result = perform(plan("steady", "incident-before", tmp_path))
    assert {name: check.observed for name, check in failed(result).items()} == {
        "single": "2 at once on output, for 15.3 s from 25.0 s on"
    }


@pytest.mark.parametrize("client", INCIDENT)
def test_the_incident_who_never_reads_what_is_echoed_kills_its_own_link(client: str, tmp_path: Path) -> None:
    result = perform(plan("echo-backlog", client, tmp_path))
    assert "1011 keepalive ping timeout by the client on output" in failed(result)["no-false-kill"].observed
    assert "in-order" in failed(result)


def test_the_fixed_client_fell_silent_for_ten_seconds(tmp_path: Path) -> None:
    result = perform(plan("echo-backlog", "incident-after", tmp_path))
    assert 9.0 < result.measures["longest_silence_s"] < 11.0


@pytest.mark.parametrize("client", INCIDENT)
def test_what_the_incidents_clients_had_handed_over_is_lost_with_the_link(
    client: str, tmp_path: Path
) -> None:
    result = perform(plan("reset", client, tmp_path))
    assert "no-loss" in failed(result)
    assert result.measures["lost"] > 0


def test_a_close_with_1000_on_the_input_sends_the_fixed_client_into_a_rush(tmp_path: Path) -> None:
    (tmp_path / "rush.toml").write_text(
        'name = "rush"\nabout = "-"\nstresses = ["polite"]\nduration = "12s"\n'
        '[[faults]]\nat = "3s"\nfor = "3s"\non = "input"\nkind = "accept_then_close"\ncode = 1000\n'
        '[[faults]]\nat = "3.1s"\non = "input"\nkind = "close"\ncode = 1000\n'
    )
    result = perform(plan(str(tmp_path / "rush.toml"), "incident-after", tmp_path))
    assert "polite" in failed(result)
    assert result.measures["connections"] > 500


def test_the_librarys_iterator_does_not_back_off_where_each_connect_succeeds(tmp_path: Path) -> None:
    (tmp_path / "short.toml").write_text(
        'name = "short"\nabout = "-"\nstresses = ["polite"]\nduration = "5s"\n'
        '[[faults]]\nat = "3s"\nfor = "200ms"\non = "output"\nkind = "accept_then_close"\ncode = 1000\n'
        '[[faults]]\nat = "3s"\non = "output"\nkind = "close"\ncode = 1000\n'
    )
    result = perform(plan(str(tmp_path / "short.toml"), "websockets-iterator", tmp_path))
    assert set(failed(result)) == {"polite"}


def test_a_relay_that_reads_what_is_echoed_keeps_its_link(tmp_path: Path) -> None:
    assert perform(plan("echo-backlog", "websockets-iterator", tmp_path)).verdict == "pass"


@pytest.mark.parametrize("client", ["incident-after", "websockets-iterator", "examples.relay:relay"])
def test_the_record_of_a_foreign_client_is_the_same_twice(client: str) -> None:
    """Also where it, or its library, draws its delays from `random` itself."""
    assert perform_twice(plan("clean-drop", client)).difference is None


# One that somebody wrote


RELAY = """
import asyncio
import contextlib
from websockets.asyncio.client import connect

async def relay(input_url, output_url):
    async with connect(input_url) as source, connect(output_url) as sink:
        async for message in source:
            await sink.send(message)

async def watch(input_url, output_url):
    async with connect(input_url) as source:
        async for message in source:
            pass
watch.role = "receiver"

async def threads(input_url, output_url):
    await asyncio.to_thread(print)

async def threads_in_silence(input_url, output_url):
    while True:
        with contextlib.suppress(Exception):
            await threads(input_url, output_url)
        await asyncio.sleep(1)

async def threads_in_other_words(input_url, output_url):
    try:
        await threads(input_url, output_url)
    except Exception:
        raise KeyError("hold") from None

async def reads_nothing(input_url, output_url):
    source = await connect(input_url, ping_interval=None)
    await source.wait_closed()
reads_nothing.role = "receiver"

async def spins(input_url, output_url):
    async with connect(input_url) as source:
        await source.recv()
        while True:
            with contextlib.suppress(Exception):
                pass

async def has_its_own_query(input_url, output_url):
    await relay(f"{input_url}room/9?client=4711", f"{output_url}?client=4712&token=a")

async def quits(input_url, output_url):
    async with connect(input_url) as source:
        await source.recv()

async def crashes(input_url, output_url):
    raise KeyError("hold")

async def stays(input_url, output_url):
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await relay(input_url, output_url)
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "someones.py").write_text(RELAY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "someones", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", ["relay", "watch"])
def test_a_users_coroutine_is_judged_like_any_client(name: str, mine: Path) -> None:
    result = perform(plan("steady", f"someones:{name}", mine))
    if name == "watch":  # of what steady stresses, two promises are about a client that sends nothing
        assert {check.name for check in result.checks} == {
            "valid-run",
            "no-false-kill",
            "single",
            "clean-stop",
            "silence",
        }
    assert (result.verdict, result.troubles()) == ("pass", ())


def test_a_users_relay_that_does_not_reconnect_fails_where_the_link_is_cut(mine: Path) -> None:
    result = perform(plan("reset", "someones:relay", mine))
    assert result.verdict == "fail"
    assert "ConnectionClosed" in failed(result)["valid-run"].observed


@pytest.mark.parametrize(
    ("name", "complaint"), [("quits", "an end that nobody had asked for"), ("crashes", "KeyError: 'hold'")]
)
def test_a_client_that_does_not_last_is_told_with_its_reason(name: str, complaint: str, mine: Path) -> None:
    result = perform(plan("steady", f"someones:{name}", mine))
    assert complaint in failed(result)["valid-run"].observed


@pytest.mark.parametrize("name", ["threads", "threads_in_silence", "threads_in_other_words"])
def test_what_cannot_be_simulated_is_said_first_whatever_the_client_makes_of_it(
    name: str, mine: Path
) -> None:
    result = perform(plan("steady", f"someones:{name}", mine))
    (check,) = result.checks
    assert result.verdict == "unknown"
    assert "an executor" in check.observed
    assert "run it with --engine toxiproxy" in check.observed


def test_a_client_that_holds_its_connection_and_reads_nothing_fails_where_it_has_to_come_back(
    mine: Path,
) -> None:
    result = perform(plan("clean-drop", "someones:reads_nothing", mine))
    assert "no delivery after" in failed(result)["recover"].observed


def test_a_client_whose_callback_never_returns_is_ended_and_named_with_its_place(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sim, "Watchdog", partial(Watchdog, ticks=2, every=0.05))
    result = perform(plan("steady", "someones:spins", mine))
    complaint = failed(result)["valid-run"].observed
    assert "the client failed" in complaint
    assert "a callback did not return for 0.1 s of real time" in complaint
    assert "spins in someones.py line" in complaint


def test_a_query_and_the_rest_of_a_path_are_the_clients_own(mine: Path) -> None:
    result = perform(plan("steady", "someones:has_its_own_query", mine))
    assert (result.verdict, result.troubles()) == ("pass", ())


def test_a_client_that_answers_to_no_cancellation_has_failed_and_is_left_behind(mine: Path) -> None:
    result = perform(plan("steady", "someones:stays", mine))
    assert result.verdict == "fail"
    assert (
        failed(result)["valid-run"].observed == "the client failed: TimeoutError: it did not stop within 15 s"
    )
