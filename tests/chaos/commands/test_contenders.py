"""Who is compared on which engine: what was named is insisted on, what was not is left out and told."""

import sys

import pytest

from chaos.clients import ClientError
from chaos.clients.choose import BUILT_IN
from chaos.commands.contenders import Contender, chosen_contenders
from chaos.commands.usage import UsageError
from chaos.toxiproxy.install import ToxiproxyMissing

ON_REAL_SOCKETS = ("aiohttp", "websocket-client")


@pytest.fixture
def with_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOXIPROXY_URL", "http://127.0.0.1:8474")


@pytest.fixture
def without_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOXIPROXY_URL", raising=False)
    monkeypatch.setattr("chaos.commands.planning.find_server", lambda _: None)


@pytest.mark.usefixtures("with_server")
def test_each_runs_on_virtual_time_where_it_can_and_else_on_real_sockets() -> None:
    chosen, left_out = chosen_contenders([], [], "auto")
    assert {each.client: each.engine for each in chosen} == {
        client: "toxiproxy" if client in ON_REAL_SOCKETS else "sim" for client in BUILT_IN
    }
    assert left_out == []


@pytest.mark.usefixtures("with_server")
def test_all_can_run_on_real_sockets() -> None:
    chosen, _ = chosen_contenders([], [], "toxiproxy")
    assert [(each.client, each.engine) for each in chosen] == [(client, "toxiproxy") for client in BUILT_IN]


def test_clients_and_commands_are_columns_in_the_order_named_each_once(with_server: None) -> None:
    del with_server
    line = f"{sys.executable} relay.py {{input}}"
    chosen, _ = chosen_contenders(["tracker", "incident-after", "tracker"], [line, f"{line} --fast"], "auto")
    program = sys.executable.rpartition("/")[2]
    assert chosen == [
        Contender("tracker", "tracker", "sim", "tracker"),
        Contender("incident-after", "incident-after", "sim", "relay"),
        Contender(f"$ {line}", f"{program} relay.py", "toxiproxy", "relay"),
        Contender(f"$ {line} --fast", f"{program} relay.py (2)", "toxiproxy", "relay"),
    ]


@pytest.mark.usefixtures("without_server")
def test_without_a_server_those_on_real_sockets_are_left_out_in_one_line() -> None:
    chosen, left_out = chosen_contenders([], [], "auto")
    assert [each.client for each in chosen] == [
        client for client in BUILT_IN if client not in ON_REAL_SOCKETS
    ]
    (line,) = left_out
    assert line.startswith("left out: aiohttp, websocket-client: ")
    assert "simtool toxiproxy install" in line


@pytest.mark.usefixtures("without_server")
@pytest.mark.parametrize(("clients", "engine"), [(["tracker", "aiohttp"], "auto"), ([], "toxiproxy")])
def test_without_a_server_what_was_asked_for_cannot_be_left_out(clients: list[str], engine: str) -> None:
    with pytest.raises(ToxiproxyMissing):
        chosen_contenders(clients, [], engine)


def test_a_server_that_was_named_and_is_not_there_is_insisted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOXIPROXY_URL", raising=False)
    monkeypatch.setenv("TOXIPROXY_SERVER", "/no/such/server")
    with pytest.raises(ToxiproxyMissing, match="TOXIPROXY_SERVER is '/no/such/server', which does not exist"):
        chosen_contenders([], [], "auto")


def test_on_virtual_time_alone_those_on_real_sockets_are_left_out_with_their_reasons() -> None:
    chosen, left_out = chosen_contenders([], [], "sim")
    assert {each.engine for each in chosen} == {"sim"}
    assert [line.split(": ")[1] for line in left_out] == list(ON_REAL_SOCKETS)
    assert "its threads run in real time" in left_out[1]
    with pytest.raises(UsageError, match="cannot run on virtual time"):
        chosen_contenders(["aiohttp"], [], "sim")


@pytest.mark.usefixtures("with_server")
def test_a_client_whose_package_is_absent_is_left_out_unless_it_was_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "chaos.clients.aiohttp_relay", raising=False)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    chosen, left_out = chosen_contenders([], [], "auto")
    assert [each.client for each in chosen] == [client for client in BUILT_IN if client != "aiohttp"]
    assert "left out: aiohttp: client 'aiohttp' needs 'aiohttp', which is not installed" in left_out[0]
    with pytest.raises(ClientError, match="not installed"):
        chosen_contenders(["aiohttp"], [], "auto")


def test_an_engine_that_would_give_two_columns_a_client_is_refused() -> None:
    with pytest.raises(UsageError, match="--engine is 'all': choose one of auto, sim, toxiproxy"):
        chosen_contenders([], [], "all")
