"""One proxy of a Toxiproxy server, with its toxics."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from chaos.nearest import unknown_name
from chaos.toxiproxy.api import read_back
from chaos.toxiproxy.toxics import Toxic, ToxiproxyError


class Api(Protocol):
    """The server, as its proxies see it."""

    async def call(self, method: str, path: str, what: str, body: Mapping[str, object] | None = None) -> Any:
        """See `ToxiproxyServer.call`."""

    def forget(self, handle: "ProxyHandle") -> None:
        """For a handle that has closed."""


class ProxyHandle:
    """One proxy of a server. Clients connect to `host`:`port`, which stay the same until it is closed."""

    def __init__(self, server: Api, name: str, upstream: str, host: str, port: int) -> None:
        self.name = name
        self.upstream = upstream
        self.host = host
        self.port = port
        self._server = server
        self._path = f"/proxies/{name}"
        self._toxics: dict[str, Toxic] = {}
        self._closed = False

    @property
    def toxics(self) -> Mapping[str, Toxic]:
        """What was added here and not removed, by name, as last set."""
        return dict(self._toxics)

    async def add(self, toxic: Toxic, name: str | None = None) -> str:
        """Puts the toxic at the end of its direction's chain, and returns its name: `latency_upstream`, say."""
        name = name or f"{toxic.kind}_{toxic.stream}"
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            raise ToxiproxyError(f"add toxic {name!r}: a name is made of letters, digits, '_', '.' and '-'")
        await self._set(f"add toxic {name!r} to proxy {self.name!r}", "", name, toxic)
        return name

    async def update(self, name: str, attributes: Mapping[str, float]) -> Toxic:
        """Changes some attributes, or `toxicity`, of a toxic added here; the others stay. Returns it as it is now."""
        what = f"update toxic {name!r} of proxy {self.name!r}"
        toxic = self._known(what, name)
        valid = [*toxic.attributes, "toxicity"]
        for key in attributes:
            if key not in valid:
                raise ToxiproxyError(
                    f"{what}: {key!r} is no attribute of {toxic.kind}: {unknown_name(key, valid)}"
                )
        changed: Toxic = replace(toxic, **attributes)  # type: ignore[arg-type]  # names checked above, values by __post_init__
        # POST does what PATCH does, and the library has no PATCH.
        await self._set(what, f"/{name}", name, changed)
        return changed

    async def remove(self, name: str) -> None:
        """Removes a toxic. Can take as long as its own timeout (reset_peer), or fail at the deadline.

        After a failure at the deadline the toxic may be there or not, and the proxy answers nothing more until
        what holds it lets go: a client that does not read, mostly.
        """
        what = f"remove toxic {name!r} of proxy {self.name!r}"
        self._known(what, name)
        await self._server.call("DELETE", f"{self._path}/toxics/{name}", what)
        del self._toxics[name]

    async def disable(self) -> None:
        """FIN to every connection, then refusal of new ones. The toxics stay.

        Where something holds the proxy, this and `enable` take effect, and still fail at the deadline: the
        server acts, and then waits for what it must list in its answer.
        """
        await self._enabled(f"disable proxy {self.name!r}", value=False)

    async def enable(self) -> None:
        """Listens again, on the same port."""
        await self._enabled(f"enable proxy {self.name!r}", value=True)

    async def close(self) -> None:
        """Removes the proxy; its connections end. A second time it does nothing."""
        if self._closed:
            return
        await self._server.call("DELETE", self._path, f"close proxy {self.name!r}")
        self._closed = True
        self._server.forget(self)

    async def _set(self, what: str, path: str, name: str, toxic: Toxic) -> None:
        asked: dict[str, object] = {
            "name": name,
            "type": toxic.kind,
            "stream": toxic.stream,
            "toxicity": toxic.toxicity,
            "attributes": toxic.attributes,
        }
        read_back(what, asked, await self._server.call("POST", f"{self._path}/toxics{path}", what, asked))
        self._toxics[name] = toxic

    async def _enabled(self, what: str, *, value: bool) -> None:
        answer = await self._server.call("POST", self._path, what, {"enabled": value})
        host = f"[{self.host}]" if ":" in self.host else self.host
        read_back(what, {"enabled": value, "listen": f"{host}:{self.port}"}, answer)

    def _known(self, what: str, name: str) -> Toxic:
        if name not in self._toxics:
            there = f"it has {', '.join(self._toxics)}" if self._toxics else "it has none"
            raise ToxiproxyError(f"{what}: no toxic of this name was added here: {there}")
        return self._toxics[name]
