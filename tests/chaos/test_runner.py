from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos import runner
from chaos.history import History, StoodStill
from chaos.runner import AGAIN_AT_MOST, Plan, perform
from tests.chaos.histories import STEADY, accepted, connected, delivered, record, scenario, sent

SEQS = (1, 2, 3)
SOUND = record(STEADY, connected(), accepted(*SEQS), sent(*SEQS), delivered(*SEQS))
UNPROVEN = record(
    STEADY, connected(), accepted(*SEQS), sent(*SEQS), delivered(1), StoodStill(t=2.5, seconds=5.2)
)
"""The last two are still in flight, perhaps because the machine stood still."""


def making(histories: Iterator[History], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "make_history", lambda _: next(histories))


def plan(folder: Path) -> Plan:
    return Plan(scenario(stresses=["no-loss"]), "toxiproxy", 0, 10.0, folder)


def test_a_run_that_proves_nothing_because_the_machine_stood_still_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    making(iter([UNPROVEN, SOUND]), monkeypatch)
    result = perform(plan(tmp_path))
    assert (result.verdict, result.again) == ("pass", 1)
    assert Path(result.record).read_bytes() == b"".join(SOUND.lines())


def test_it_is_unknown_where_the_machine_never_comes_to_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    making(iter([UNPROVEN] * (AGAIN_AT_MOST + 1)), monkeypatch)
    result = perform(plan(tmp_path))
    assert (result.verdict, result.again) == ("unknown", AGAIN_AT_MOST)


def test_what_is_unknown_for_another_reason_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    making(iter([record(STEADY, connected())]), monkeypatch)
    assert perform(plan(tmp_path)).again == 0
