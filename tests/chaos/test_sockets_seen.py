"""What the network sees of a client's sockets: attempts and ends, whatever the client reports of them."""

import asyncio
from pathlib import Path

import pytest

from chaos import catalogue
from chaos.engines.proxy_sockets import PortWatch
from chaos.engines.syn_watch import SynWatch, can_watch
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
def test_behind_a_proxy_what_is_turned_away_is_seen_by_who_may_see_packets() -> None:
    if not can_watch():
        pytest.skip("packets are shown to root alone")
    history = made("refused-start", "toxiproxy")
    assert history.sockets_seen == "all"
    begun = [(event.link, event.t) for event in history.of(events.Connecting)]
    seen = [(event.link, event.t) for event in history.of(Attempted)]
    assert len(seen) == len(begun) > 10
    assert all(0 <= b - a < 0.5 for (_, a), (_, b) in zip(begun, seen, strict=True))
    refused = [event.t for event in history.of(events.Refused)]
    assert len([event for event in history.of(SocketClosed) if event.t < 12]) == len(refused) > 5


@pytest.mark.scenarios
@pytest.mark.toxiproxy
def test_behind_a_proxy_who_may_see_no_packets_does_not_see_what_is_turned_away_and_the_record_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chaos.engines.proxy_sockets.can_watch", lambda: False)
    history = made("refused-start", "toxiproxy")
    assert history.sockets_seen == "accepted"
    assert len(list(history.of(Attempted))) < len(list(history.of(events.Connecting)))


@pytest.mark.sockets
async def test_each_attempt_at_a_port_is_seen_once_whether_it_is_accepted_or_refused_and_no_other_ports() -> (
    None
):
    if not can_watch():
        pytest.skip("packets are shown to root alone")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    other = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    seen: list[str] = []
    with SynWatch(port, lambda _: seen.append("made"), lambda _: seen.append("refused")).watching():
        for _ in range(3):
            await _connect(port)
            await _connect(other.sockets[0].getsockname()[1])
        server.close()
        await server.wait_closed()
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError):
                await _connect(port)
        await asyncio.sleep(0)  # what is there to be read is read in the loop's next round
        await asyncio.sleep(0)
    assert seen == ["made"] * 3 + ["made", "refused"] * 2
    other.close()


async def _connect(port: int) -> None:
    """And talk, so that more packets go to the port than that of the attempt."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hello")
    await reader.read()
    writer.close()


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


def test_an_attempt_that_a_packet_tells_of_is_told_once_and_is_over_if_no_look_finds_it() -> None:
    heard, found = Heard(), iter([{7: None}, {}])
    watch = PortWatch("input", lambda: next(found), heard)
    watch.attempted(7)
    watch.attempted(8)
    watch.look()
    assert heard.told == ["input attempted", "input attempted", "input closed by the client"]
    watch.attempted(9)
    watch.refused(9)
    watch.refused(9)
    assert heard.told[3:] == ["input attempted", "input closed by the network"]
    watch.look()
    assert heard.told[5:] == ["input closed by the client"]


def test_an_attempt_that_a_look_finds_before_its_packet_is_read_is_told_once() -> None:
    heard, found = Heard(), iter([{7: None}, {7: False}, {7: None}])
    watch = PortWatch("input", lambda: next(found), heard)
    watch.look()
    watch.attempted(7)
    assert heard.told == ["input attempted"]
    watch.look()
    watch.attempted(7)  # anew, from the same port
    watch.look()
    assert heard.told[1:] == ["input closed by the network", "input attempted"]
