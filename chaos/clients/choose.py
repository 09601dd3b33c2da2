"""A client by its name, by where a Python program keeps it, or by the command that starts it.

How a client is named is plain data, so that it travels to a worker: a name of `BUILT_IN`, `module:attr`, or
`$ command line`.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from chaos.clients import Client, ClientError
from chaos.clients.command import CommandClient
from chaos.clients.incident import IncidentAfter, IncidentBefore
from chaos.clients.tracker import TrackerClient
from chaos.clients.user import load_user_client
from chaos.clients.websockets_iterator import WebsocketsIterator
from chaos.nearest import unknown_name

DEFAULT = TrackerClient.name
LONGEST = 60
"""Characters of a client's name in the name of a file."""
COMMAND = "$ "
"""What a command line begins with in a plan."""

BUILT_IN: Mapping[str, Callable[[], Client]] = MappingProxyType(
    {
        TrackerClient.name: TrackerClient,
        IncidentBefore.name: IncidentBefore,
        IncidentAfter.name: IncidentAfter,
        WebsocketsIterator.name: WebsocketsIterator,
        "aiohttp": lambda: _optional("aiohttp", "chaos.clients.aiohttp_relay", "AiohttpRelay"),
        "websocket-client": lambda: _optional(
            "websocket-client", "chaos.clients.websocket_client_relay", "WebsocketClientRelay"
        ),
    }
)
"""The clients that come with the laboratory."""


def load_client(named: str, output: Path = Path(), *, scales_itself: bool = False) -> Client:
    """A fresh client. What a command writes goes to the file `output`; whether it scales itself, somebody has to say.

    Raises `ClientError`.
    """
    if named in BUILT_IN:
        return BUILT_IN[named]()
    if named.startswith(COMMAND):
        return CommandClient(named.removeprefix(COMMAND), output, scales_itself=scales_itself)
    if ":" in named:
        return load_user_client(named)
    raise ClientError(
        f"no client {named!r}: {unknown_name(named, BUILT_IN)}; or name one of your own as module:attr"
    )


def is_users_own(named: str) -> bool:
    """Whether it is Python code of the user's, which runs in our process."""
    return named not in BUILT_IN and not named.startswith(COMMAND)


def _optional(package: str, module: str, attr: str) -> Client:
    """A client on a package that the laboratory does without. Raises `ClientError` where it is not there."""
    try:
        client: Client = getattr(import_module(module), attr)()
    except ModuleNotFoundError as error:
        raise ClientError(
            f"client {package!r} needs {error.name!r}, which is not installed: pip install 'pose-session-tracker[clients]'"
        ) from None
    return client


def file_name(named: str) -> str:
    """A client's name for use in the name of a file: one of its own for each client, however alike two of them are."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", named).strip("-.")
    if len(plain) <= LONGEST and not named.startswith(COMMAND):
        return plain
    digest = hashlib.sha256(named.encode()).hexdigest()[:8]
    return f"{plain[:LONGEST]}-{digest}".removeprefix("-")
