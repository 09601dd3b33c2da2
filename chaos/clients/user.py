"""A client that somebody wrote: `module:attr`, importable from the current directory."""

import importlib
import inspect
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, get_args

from chaos.clients import Assignment, Client, ClientError
from chaos.clients.printed import printed_to_stderr
from chaos.clients.relay import Relay
from chaos.history import Role
from chaos.own_frame import own_frame

RelayFunction = Callable[[str, str], Awaitable[None]]
"""What a user writes: reads the first URL, sends each message on to the second, until it is cancelled."""

ROLES: tuple[Role, ...] = tuple(role for role in get_args(Role) if role != "tracker")

_HAS = ("name", "role", "real_sockets_only", "scales_itself", "settings")
"""What an object must have, beside `run`."""


def load_user_client(where: str) -> Client:
    """The client at `module:attr`: an async function of two URLs, or of one for a client with one link, or an object that fulfils `Client`.

    Raises `ClientError`.
    """
    module_name, _, attr = where.partition(":")
    if not module_name or not attr:
        raise ClientError(
            f"client {where!r}: write it as module:attr, as in relay:relay for relay() in relay.py"
        )
    if module_name.endswith(".py") or not all(map(str.isidentifier, module_name.split("."))):
        raise ClientError(
            f"client {where!r}: {module_name!r} is no module: name it as Python imports it, as in relay:relay for"
            " relay() in relay.py, from the folder that it is in"
        )
    module = _import(module_name, where)
    try:
        found = getattr(module, attr)
    except AttributeError:
        functions = [name for name, value in vars(module).items() if inspect.iscoroutinefunction(value)]
        there = (
            f"async functions there are: {', '.join(functions)}"
            if functions
            else "there is no async function"
        )
        raise ClientError(f"client {where!r}: {module_name} has no {attr!r}; {there}") from None
    if inspect.isclass(found):
        raise ClientError(f"client {where!r} is a class: name an object of it, or an async function")
    if hasattr(found, "run"):
        return _object(found, where)
    return _function(found, where)


def _import(name: str, where: str) -> Any:
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        with printed_to_stderr():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise ClientError(
                f"client {where!r}: no module {error.name!r} in {here} or among the installed ones"
            ) from None
        raise ClientError(f"client {where!r}: {name} needs {error.name!r}, which is not installed") from None
    except (Exception, SystemExit) as error:  # one that is a script may end us with itself
        raise ClientError(
            f"client {where!r}: importing {name} failed: {type(error).__name__}: {error}{_at(error)}"
        ) from error


def _at(error: BaseException) -> str:
    place = own_frame(error)
    return f", at {place}" if place else ""


def _object(found: Any, where: str) -> Client:
    missing = [name for name in _HAS if not hasattr(found, name)]
    if missing:
        raise ClientError(
            f"client {where!r} has run(), but no {', '.join(missing)}: see Client in chaos/clients/__init__.py"
        )
    if not inspect.iscoroutinefunction(found.run):
        raise ClientError(f"client {where!r}: its run() is not async: write it with `async def`")
    if not isinstance(found.name, str) or not callable(found.settings):
        raise ClientError(f"client {where!r}: its name must be a text, and its settings a function")
    _accepts(found.run, where, "run()", "(assignment)")
    _accepts(found.settings, where, "settings()", "(overrides)")
    _role(found.role, where, get_args(Role))
    client: Client = found
    return client


def _function(found: Any, where: str) -> Client:
    call = found if inspect.isroutine(found) else getattr(type(found), "__call__", None)  # noqa: B004 - it may be async
    if not inspect.iscoroutinefunction(call):
        what = "is not async" if callable(found) else f"is {found!r:.60}, which cannot be called"
        raise ClientError(
            f"client {where!r} {what}: write it as `async def relay(input_url: str, output_url: str)`"
        )
    role = _role(getattr(found, "role", "relay"), where, ROLES)
    if _takes(found, 1) and not _takes(found, 2):
        return _UserOfOneLink(where, role, found)
    _accepts(found, where, "it", "(input_url, output_url)")
    return _UserRelay(where, role, found)


def _takes(call: Callable[..., Any], arguments: int) -> bool:
    try:
        inspect.signature(call).bind(*[""] * arguments)
    except TypeError:
        return False
    return True


def _accepts(call: Callable[..., Any], where: str, what: str, parameters: str) -> None:
    """Raises `ClientError` for a function that cannot be called with as many arguments as `parameters` names."""
    try:
        inspect.signature(call).bind(*parameters.split(","))
    except TypeError as error:
        raise ClientError(f"client {where!r}: {what} cannot be called with {parameters}: {error}") from None


def _role(given: Any, where: str, roles: tuple[Role, ...]) -> Role:
    for role in roles:
        if given == role:
            return role
    raise ClientError(f"client {where!r}: its role is {given!r}: it must be {' or '.join(map(repr, roles))}")


class _UserRelay(Relay):
    scales_itself = False  # nobody tells it

    def __init__(self, name: str, role: Role, function: RelayFunction) -> None:
        self.name = name
        self.role = role
        self._function = function

    async def relay(self, assignment: Assignment) -> None:
        await self._function(assignment.input_url, assignment.output_url)


class _UserOfOneLink(Relay):
    scales_itself = False  # nobody tells it

    def __init__(self, name: str, role: Role, function: Callable[[str], Awaitable[None]]) -> None:
        self.name = name
        self.role = role
        self._function = function

    async def relay(self, assignment: Assignment) -> None:
        """Raises `ClientError` where there are two links."""
        if assignment.input_url != assignment.output_url:
            raise ClientError("it takes one URL, and a relay has two: say which --kind of client it is")
        await self._function(assignment.output_url)
