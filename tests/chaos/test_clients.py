"""A client by its name: what is found, and one line for each mistake."""

import sys
from pathlib import Path

import pytest

from chaos.clients import ClientError
from chaos.clients.choose import BUILT_IN, COMMAND, file_name, load_client
from chaos.runner import Plan
from tests.chaos.histories import scenario

MODULE = """
import asyncio
async def relay(input_url, output_url): await asyncio.sleep(3600)
async def watch(input_url, output_url): await asyncio.sleep(3600)
watch.role = "receiver"
async def odd(input_url, output_url): pass
odd.role = "reciever"
async def alone(url): pass
async def none(): pass
def plain(input_url, output_url): pass
number = 3
class Whole:
    name, role, real_sockets_only, scales_itself = "whole", "relay", None, True
    async def run(self, assignment): pass
    def settings(self, overrides): return {}
class Async:
    async def __call__(self, input_url, output_url): pass
class Half:
    async def run(self, assignment): pass
class Plain(Whole):
    def run(self, assignment): pass
class Idle(Whole):
    async def run(self): pass
class Fixed(Whole):
    settings = {}
class Shy(Whole):
    def settings(self): return {}
class Numbered(Whole):
    name = 7
whole, called, half, unasync = Whole(), Async(), Half(), Plain()
idle, fixed, shy, numbered = Idle(), Fixed(), Shy(), Numbered()
"""


PACKAGES = {"aiohttp": "aiohttp", "websocket-client": "websocket"}
"""Clients that need what the laboratory does without, and what they import."""


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "broken.py").write_text("raise ValueError('no luck')")
    (tmp_path / "script.py").write_text("raise SystemExit(4)")
    (tmp_path / "unwritten.py").write_text("def (:")
    (tmp_path / "needy.py").write_text("import no_such_thing")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("mine", "broken", "script", "unwritten", "needy"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_built_in_client_knows_its_name(name: str) -> None:
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])
    assert load_client(name).name == name


@pytest.mark.parametrize("name", PACKAGES)
def test_a_client_whose_package_is_absent_says_how_to_get_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("chaos.clients.aiohttp_relay", "chaos.clients.websocket_client_relay"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    with pytest.raises(
        ClientError, match=rf"{name}.*not installed: pip install 'pose-session-tracker\[clients\]'"
    ):
        load_client(name)


@pytest.mark.parametrize(
    ("where", "role"),
    [
        ("mine:relay", "relay"),
        ("mine:watch", "receiver"),
        ("mine:called", "relay"),
        ("mine:whole", "relay"),
        ("mine:alone", "relay"),
    ],
)
def test_a_users_client_is_found_in_the_current_directory(where: str, role: str) -> None:
    client = load_client(where)
    assert (client.name, client.role) == ("whole" if where == "mine:whole" else where, role)


@pytest.mark.parametrize(
    ("named", "complaint"),
    [
        ("traker", "did you mean 'tracker'?"),
        ("mine:", "write it as module:attr"),
        ("absent:relay", "no module 'absent'"),
        ("needy:relay", "needs 'no_such_thing', which is not installed"),
        ("broken:relay", "importing broken failed: ValueError: no luck"),
        ("mine:rely", "mine has no 'rely'; async functions there are: relay, watch, odd, alone, none"),
        ("mine:plain", "is not async"),
        ("mine:number", "is 3, which cannot be called"),
        ("mine:none", "cannot be called with (input_url, output_url)"),
        ("mine:idle", "run() cannot be called with (assignment)"),
        ("mine:shy", "settings() cannot be called with (overrides)"),
        ("mine:fixed", "its settings a function"),
        ("mine:numbered", "its name must be a text"),
        ("mine.py:relay", "'mine.py' is no module"),
        ("../mine:relay", "'../mine' is no module"),
        (".mine:relay", "'.mine' is no module"),
        ("script:relay", "importing script failed: SystemExit: 4"),
        ("unwritten:relay", "importing unwritten failed: SyntaxError"),
        ("mine:odd", "its role is 'reciever': it must be 'relay' or 'receiver'"),
        ("mine:Whole", "is a class"),
        ("mine:half", "no name, role, real_sockets_only, scales_itself, settings"),
        ("mine:unasync", "its run() is not async"),
        (f"{COMMAND}", "the command is empty"),
        (f"{COMMAND}no-such-program x", "there is no program 'no-such-program'"),
        (f"{COMMAND}python 'x", "mend its quotes"),
    ],
)
def test_a_client_that_cannot_be_used_is_one_line_that_says_why(named: str, complaint: str) -> None:
    with pytest.raises(ClientError) as raised:
        load_client(named)
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_record_is_named_after_the_client_unless_it_is_the_tracker() -> None:
    def named(client: str) -> str:
        return Plan(scenario(), "sim", 3, 10.0, Path(), client).record.name

    assert named("tracker") == "literal.sim.3.jsonl"
    assert named("mine:relay") == "literal.sim.mine-relay.3.jsonl"
    assert named("$ node ../a b.mjs {input}").startswith("literal.sim.node-..-a-b.mjs-input-")
    assert file_name("$ //").isalnum()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"$ {'x' * 60} one", f"$ {'x' * 60} other"),
        ("$ node a.mjs {input}", "$ node  a.mjs {input}"),
        (f"{'m' * 60}:one", f"{'m' * 60}:other"),
    ],
)
def test_two_clients_have_each_its_own_files_however_alike_they_are(one: str, other: str) -> None:
    assert file_name(one) != file_name(other)
    assert file_name(one) == file_name(one)
