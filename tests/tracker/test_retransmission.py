"""An outage that heals while a link is waited for costs no connection, as far as TCP lets it be known in time."""

import asyncio
import socket
import sys
from typing import Any

import pytest

from simulator.network import Network
from tests.tracker.conftest import Reading, endpoint, linked, quiet, talkative, virtual
from tracker import events
from tracker.retransmission import LONGEST_PAUSE, TCP_RTO_MAX_MS, Retransmission


class Transport(asyncio.BaseTransport):
    """One whose kernel gives these answers to how many tries were in vain."""

    def __init__(self, *answers: int | OSError) -> None:
        super().__init__({"socket": self})
        self.answers = list(answers)
        self.told: list[tuple[int, int, int]] = []

    def setsockopt(self, *what: int) -> None:
        self.told.append(what)  # type: ignore[arg-type]

    def getsockopt(self, *what: int) -> bytes:
        assert what == (socket.IPPROTO_TCP, socket.TCP_INFO, 3)
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return bytes([1, 0, answer])


class Old(Transport):
    """A kernel before Linux 6.15."""

    def setsockopt(self, *_: int) -> None:
        raise OSError(92, "Protocol not available")


linux = pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that tells")


@linux
def test_tcp_is_told_to_try_again_once_a_second_at_least() -> None:
    transport = Transport()
    Retransmission(transport)
    assert transport.told == [(socket.IPPROTO_TCP, TCP_RTO_MAX_MS, LONGEST_PAUSE)]


@linux
def test_what_was_sent_again_in_vain_got_through_once_it_is_acknowledged() -> None:
    transport = Transport(0, 0, 1, 2, 3, 0, 0, 2, 1)
    retransmission = Retransmission(transport)
    told = [retransmission.got_through() for _ in range(9)]
    assert told == [False, False, False, False, False, True, False, False, True]


@linux
def test_a_socket_that_is_closed_says_nothing_of_the_path() -> None:
    retransmission = Retransmission(Transport(3, OSError(9, "Bad file descriptor")))
    assert [retransmission.got_through(), retransmission.got_through()] == [False, False]


@linux
def test_a_kernel_that_takes_no_longest_pause_tells_all_the_same() -> None:
    retransmission = Retransmission(Old(2, 0))
    assert [retransmission.got_through(), retransmission.got_through()] == [False, True]


def test_a_transport_without_a_socket_says_nothing() -> None:
    assert not Retransmission(asyncio.BaseTransport()).got_through()


@linux
def test_this_kernel_counts_no_tries_of_a_connection_that_is_well() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as end,
    ):
        retransmission = Retransmission(asyncio.BaseTransport({"socket": end}))
        end.send(b"x")
        assert not retransmission.got_through()
        assert retransmission._tries_in_vain() == 0


# On virtual time: a round trip of 0.1 s, so that the RTO is 0.3 s, and would grow to 0.6, 1.2 and 2.4 s


@pytest.mark.parametrize("direction", ["both", "upstream", "downstream"])
@pytest.mark.parametrize("peer", [quiet, talkative])
@pytest.mark.parametrize("pace", ["slow", "quick"])
@virtual
async def test_an_outage_of_2400_ms_that_heals_costs_no_connection(
    network: Network, direction: str, peer: Any, pace: str
) -> None:
    traffic = Reading()
    traffic.urgent = pace == "quick"
    async with endpoint(network, peer) as way, linked(traffic) as (_, record):
        for moment in (5.0, 15.3, 25.5, 35.7):
            await asyncio.sleep(moment - asyncio.get_running_loop().time())
            ways = ("upstream", "downstream") if direction == "both" else (direction,)
            stalls = [(way.add("stall", each, {}), each) for each in ways]
            await asyncio.sleep(2.4)
            for stall in stalls:
                way.remove(*stall)
        await asyncio.sleep(10)
    assert record.of(events.Suspected)  # so the outages were felt
    assert not record.of(events.Died)
