"""Who takes part in a comparison, and on which engine."""

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.clients import Client, ClientError
from chaos.clients.choose import BUILT_IN, COMMAND, load_client
from chaos.commands.planning import chosen_engines, toxiproxy_is_there
from chaos.commands.speaking import spoken_with
from chaos.commands.usage import UsageError
from chaos.history import Role
from chaos.reports.comparison import distinct, short_name
from chaos.runner import Speech
from chaos.toxiproxy.install import ToxiproxyMissing

ENGINES = ("auto", "sim", "toxiproxy", "kernel")


@dataclass(frozen=True, slots=True)
class Contender:
    """A column to be filled."""

    client: str
    """As `chaos.clients.choose` reads it."""
    heading: str
    engine: str
    role: Role
    speech: Speech | None = None


def chosen_contenders(
    clients: Sequence[str], commands: Sequence[str], engine: str, speech: Speech | None = None
) -> tuple[list[Contender], list[str]]:
    """All that were named, spoken with as `speech` says unless it is the tracker, or, where none was, those that come with the laboratory and can run here.

    Also, in a line each, which of the latter are left out, and why. Raises `ClientError`, `KernelMissing`,
    `ToxiproxyMissing`, `UsageError`.
    """
    if engine not in ENGINES:
        raise UsageError(f"--engine is {engine!r}: choose one of {', '.join(ENGINES)}")
    named = list(dict.fromkeys([*clients, *(f"{COMMAND}{command}" for command in commands)]))
    if engine not in ("sim", "kernel"):
        toxiproxy_is_there()  # a server that was named is insisted on as well
    engines: dict[str, str] = {}
    loaded: dict[str, Client] = {}
    absent: dict[str, list[str]] = {}
    for client in named or BUILT_IN:
        try:
            loaded[client] = load_client(client)
            engines[client] = _engine_for(loaded[client], engine)
        except (ClientError, UsageError, ToxiproxyMissing) as error:
            # What somebody asked for is insisted on.
            if named or (engine == "toxiproxy" and isinstance(error, ToxiproxyMissing)):
                raise
            absent.setdefault(str(error), []).append(client)
    headings = distinct([_heading(client) for client in engines])
    chosen = [
        Contender(client, heading, engines[client], loaded[client].role, _speech(loaded[client], speech))
        for client, heading in zip(engines, headings, strict=True)
    ]
    return chosen, [f"left out: {', '.join(who)}: {why}" for why, who in absent.items()]


def _speech(client: Client, speech: Speech | None) -> Speech | None:
    return None if client.role == "tracker" else spoken_with(client, speech)


def _engine_for(client: Client, asked: str) -> str:
    only = client.real_sockets_only
    (engine,) = chosen_engines("sim" if asked == "auto" and only is None else asked, only)
    return engine


def _heading(client: str) -> str:
    return short_name(client.removeprefix(COMMAND)) if client.startswith(COMMAND) else client
