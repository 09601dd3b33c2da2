import asyncio
import contextlib
import os
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from chaos.history import Broke
from chaos.made_twice import perform_twice
from chaos.runner import (
    Plan,
    WorkerDiedError,
    make_history,
)
from chaos.workers import perform_all
from tests.chaos.histories import scenario


def plan(folder: Path) -> Plan:
    return Plan(scenario(stresses=["no-loss"]), "toxiproxy", 0, 10.0, folder)


# What a client may do to the laboratory


class UnheardError(BaseException):
    """No Exception, and nobody's business."""


async def leaves(_input_url: str, _output_url: str) -> None:
    raise SystemExit(0)


async def is_unheard_of(_input_url: str, _output_url: str) -> None:
    raise UnheardError("of")


async def says_much(_input_url: str, _output_url: str) -> None:
    raise ValueError("first\n\n  second\tline")


async def cannot_be_stopped(_input_url: str, _output_url: str) -> None:
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


@pytest.mark.parametrize(
    ("client", "what"),
    [
        (leaves, "SystemExit: 0"),
        (is_unheard_of, "UnheardError: of"),
        (says_much, "ValueError: first second line"),
        # What it keeps waiting for ever is never tidied up.
        pytest.param(
            cannot_be_stopped,
            "TimeoutError: it did not stop within 15 s",
            marks=pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning"),
        ),
    ],
)
def test_a_client_cannot_take_the_laboratory_with_it(client: object, what: str, tmp_path: Path) -> None:
    named = f"{__name__}:{getattr(client, '__name__', '')}"
    history = make_history(Plan(scenario(stresses=["no-loss"]), "sim", 0, 10.0, tmp_path, named))
    first = next(history.of(Broke))
    assert (first.who, first.what) == ("client", what)


async def goes_by_the_order_of_a_set(input_url: str, output_url: str) -> None:
    names = {f"hold-{number}" for number in range(1000)}
    await asyncio.sleep(int(next(iter(names)).removeprefix("hold-")) / 1000)
    async with connect(input_url, proxy=None) as inlet, connect(output_url, proxy=None) as outlet:
        async for message in inlet:
            await outlet.send(message)


def test_a_run_that_depends_on_the_order_of_a_set_differs(tmp_path: Path) -> None:
    named = f"{__name__}:{goes_by_the_order_of_a_set.__name__}"
    twice = perform_twice(Plan(scenario(stresses=["no-loss"]), "sim", 0, 10.0, tmp_path, named))
    assert "event 0 is {" in (twice.difference or "")


def dies(_: Plan) -> None:
    os._exit(7)


def test_a_worker_that_dies_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(WorkerDiedError, match="after 0 of 1: it was killed"):
        perform_all([plan(tmp_path)], dies, jobs=1, done=print)
