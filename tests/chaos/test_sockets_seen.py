"""What the network sees of a client's sockets: attempts and ends, whatever the client reports of them."""

from pathlib import Path

import pytest

from chaos import catalogue
from chaos.engines.proxy_sockets import PortWatch
from chaos.history import Attempted, History, SocketClosed
from chaos.kinds import Link
from chaos.runner import Plan, make_history
from tracker import events


@pytest.fixture(params=["sim", pytest.param("toxiproxy", marks=pytest.mark.toxiproxy)])
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def made(scenario: str, engine: str) -> History:
    return make_history(Plan(catalogue.find(scenario), engine, 0, 10.0, Path()))


@pytest.mark.scenarios
def test_each_attempt_of_a_client_is_seen_and_so_is_the_moment_at_which_it_gives_a_connection_up(
    engine: str,
) -> None:
    history = made("half-open-input", engine)
    begun = [event.t for event in history.of(events.Connecting) if event.link == "input"]
    seen = [event.t for event in history.of(Attempted) if event.link == "input"]
    assert len(begun) == len(seen)
    assert all(0 <= late < 1 for late in (b - a for a, b in zip(begun, seen, strict=True)))
    died = history.first(events.Died)
    assert died is not None
    gone = next(event.t for event in history.of(SocketClosed) if event.t >= died.t)
    assert gone - died.t < 1


@pytest.mark.scenarios
@pytest.mark.parametrize(
    ("scenario", "by"),
    [("half-open-output", {"client"}), ("reset", {"network"}), ("refused-start", {"network"})],
)
def test_it_is_known_who_ended_a_connection_or_an_attempt(scenario: str, by: set[str]) -> None:
    assert {event.by for event in made(scenario, "sim").of(SocketClosed)} == by


@pytest.mark.scenarios
def test_virtual_time_sees_attempts_that_are_turned_away() -> None:
    history = made("refused-start", "sim")
    assert history.sockets_seen == "all"
    assert len(list(history.of(Attempted))) == len(list(history.of(events.Connecting))) > 10


@pytest.mark.scenarios
@pytest.mark.toxiproxy
def test_behind_a_proxy_what_is_turned_away_is_not_seen_and_the_record_says_so() -> None:
    history = made("refused-start", "toxiproxy")
    assert history.sockets_seen == "accepted"
    assert len(list(history.of(Attempted))) < len(list(history.of(events.Connecting)))


class Heard:
    """What a watch tells."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def attempted(self, link: Link, client: int) -> None:
        del client
        self.told.append(f"{link} attempted")

    def closed(self, link: Link, client: int, *, by_client: bool) -> None:
        del client
        self.told.append(f"{link} closed by the {'client' if by_client else 'network'}")


def watched(*looks: dict[int, bool | None]) -> list[str]:
    heard, found = Heard(), iter(looks)
    watch = PortWatch("input", lambda: next(found), heard)
    for _ in looks:
        watch.look()
    return heard.told


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ([{}, {7: None}, {7: None}], ["input attempted"]),
        ([{7: None}, {7: True}, {7: True}, {}], ["input attempted", "input closed by the client"]),
        ([{7: None}, {}], ["input attempted", "input closed by the client"]),
        ([{7: None}, {7: False}, {}], ["input attempted", "input closed by the network"]),
        ([{7: None}, {7: None, 8: None}], ["input attempted", "input attempted"]),
        ([{7: True}, {}], ["input attempted", "input closed by the client"]),
    ],
    ids=["open", "fin", "rst", "closed by the proxy", "two", "gone before the first look"],
)
def test_a_proxys_socket_tells_who_ended_the_connection(
    looks: list[dict[int, bool | None]], told: list[str]
) -> None:
    assert watched(*looks) == told
