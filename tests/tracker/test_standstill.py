"""A machine that stood still for long, on virtual time: how that is noticed, and what a link makes of it."""

import asyncio
from collections.abc import Callable

import pytest

from simulator.network import Network
from tests.tracker.conftest import (
    LATENCY,
    Reading,
    endpoint,
    exactly,
    lead,
    linked,
    machine,
    quiet,
    silent,
    virtual,
)
from tracker import events
from tracker.config import Timing
from tracker.link import Link
from tracker.reconnect import RETRY_AFTER_LIMIT
from tracker.standstill import Standstill, watch

TIMING = Timing()
HOUR = 3600.0


async def noticed(happens: Callable[[], None], *, at_least: float = 12.0) -> list[Standstill]:
    """What is noticed of what happens at 3.2 s, by somebody who looks every half second."""
    seen: list[Standstill] = []
    watching = asyncio.get_running_loop().create_task(
        watch(0.5, at_least, seen.append), context=machine().context()
    )
    await asyncio.sleep(3.2)
    happens()
    await asyncio.sleep(2 * HOUR)
    watching.cancel()
    return seen


@virtual
async def test_a_suspend_that_the_loops_clock_has_missed_is_noticed(network: Network) -> None:
    del network
    seen = await noticed(lambda: machine().suspend(60, clock_stops=True))
    assert seen == [(exactly(3.0), exactly(60.0), exactly(60.0))]


@virtual
async def test_a_program_that_was_stopped_is_noticed_by_its_own_timers(network: Network) -> None:
    del network
    seen = await noticed(lambda: machine().block(60))
    assert seen == [(exactly(3.0), exactly(59.7), 0.0)]


@virtual
async def test_a_shorter_standstill_is_none(network: Network) -> None:
    del network
    assert await noticed(lambda: machine().suspend(11.9, clock_stops=True)) == []


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
@virtual
async def test_a_wall_clock_that_is_set_is_no_standstill(network: Network, seconds: float) -> None:
    del network

    def set_clock() -> None:
        machine().ahead += seconds

    assert await noticed(set_clock) == []


def wake(link: Link, *, after: float = 60.0) -> None:
    """Tell it, as its tracker would, that the machine stood still until now."""
    now = asyncio.get_running_loop().time()
    asyncio.get_running_loop().call_soon(
        link.woke, Standstill(now - 0.5, after, after), context=machine().context()
    )


@virtual
async def test_a_connection_that_does_not_answer_a_machine_that_woke_is_given_up_at_its_first_deadline(
    network: Network,
) -> None:
    async with endpoint(network, quiet) as way, linked(Reading()) as (link, record):
        await asyncio.sleep(5.5)
        way.forsake(silent=True)
        wake(link)
        died = await record.until(events.Died)
        assert died.t == exactly(5.5 + TIMING.probe_floor)
        assert [(event.t, event.seconds) for event in record.of(events.Lagged)] == [(exactly(5.5), 60.0)]
        assert (await record.until(events.Connected, count=2)).t < 5.5 + 3.0


@virtual
async def test_a_connection_that_did_not_outlast_a_standstill_is_no_failure_of_the_peers(
    network: Network,
) -> None:
    timing = Timing(reconnect_delay=0.5, reconnect_cap=10_000.0)
    way = lead(network, "peer")
    way.down = True
    async with endpoint(network, quiet) as way, linked(Reading(), timing=timing) as (link, record):
        way.down = True
        while (await record.until(events.Waiting, count=len(record.of(events.Waiting)) + 1)).delay < 20:
            pass
        way.down = False
        opened = await record.until(events.Connected)
        await asyncio.sleep(1)  # it is far from stable
        way.forsake(silent=True)
        wake(link)
        again = await record.until(events.Connected, count=2)
        assert again.t < opened.t + 1 + 3


@virtual
async def test_a_connection_that_answers_a_machine_that_woke_lives(network: Network) -> None:
    async with endpoint(network, quiet), linked(Reading()) as (link, record):
        await asyncio.sleep(5.5)
        wake(link)
        await asyncio.sleep(60)
        assert len(record.of(events.Connected)) == 1
        assert exactly(5.5) in [event.t for event in record.of(events.Probed)]


@virtual
async def test_a_machine_that_woke_waits_out_no_delay_of_before(network: Network) -> None:
    timing = Timing(reconnect_delay=0.5, reconnect_cap=100.0)
    lead(network, "peer").down = True
    async with linked(Reading(), timing=timing) as (link, record):
        waiting = await record.until(events.Waiting)
        while waiting.delay < 20:
            waiting = await record.until(events.Waiting, count=len(record.of(events.Waiting)) + 1)
        await asyncio.sleep(10)
        woke = asyncio.get_running_loop().time()
        tries = len(record.of(events.Connecting))
        wake(link)
        again = await record.until(events.Connecting, count=tries + 1)
        assert again.t <= woke + timing.reconnect_delay
        announced = record.of(events.Waiting)[-1]
        assert again.t == exactly(announced.t + announced.delay)
        assert again.attempt == tries + 1  # it has failed no less often for that


@virtual
async def test_an_attempt_that_hangs_is_made_anew_by_a_machine_that_woke(network: Network) -> None:
    way = lead(network, "peer")
    way.add("stall", "upstream", {})
    async with linked(Reading()) as (link, record):
        await asyncio.sleep(2)
        wake(link)
        refused = await record.until(events.Refused)
        assert (refused.t, refused.cause) == (exactly(2.0), events.RefusalCause.TIMED_OUT)
        assert (await record.until(events.Connecting, count=2)).t <= 2 + TIMING.reconnect_delay


@virtual
async def test_an_attempt_that_began_after_the_standstill_goes_on(network: Network) -> None:
    async with endpoint(network, silent) as way:
        way.add("stall", "downstream", {})
        async with linked(Reading()) as (link, record):
            await asyncio.sleep(0.3)
            wake(link)  # it was seen to run half a second ago, before the attempt began
            refused = await record.until(events.Refused)
            assert refused.t == exactly(TIMING.open_timeout)


@virtual
async def test_patience_that_the_peer_asked_for_is_kept_by_a_machine_that_woke(network: Network) -> None:
    async with (
        endpoint(network, quiet, process_request=_later),
        linked(Reading()) as (link, record),
    ):
        await record.until(events.Waiting)
        await asyncio.sleep(1)
        wake(link)
        again = await record.until(events.Connecting, count=2)
        assert again.t >= 30 - 4 * LATENCY
    assert RETRY_AFTER_LIMIT > 30


def _later(connection: object, _: object) -> object:
    response = connection.respond(503, "later\n")  # type: ignore[attr-defined]
    response.headers["Retry-After"] = "30"
    return response
