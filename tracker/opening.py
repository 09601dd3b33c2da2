"""One attempt to open a connection: the library's `connect`, with its redirects under control.

The library follows up to ten redirects, to whatever origin. A redirect within the origin is followed here too; one to
another is followed only where that is allowed, and then nobody there is shown what was meant for the first.
"""

import asyncio
from collections.abc import Callable
from importlib.metadata import version
from urllib.parse import urljoin, urlsplit, urlunsplit

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, InvalidURI
from websockets.uri import WebSocketURI, parse_uri

from tracker.access import Access, Papers
from tracker.config import Timing, redacted
from tracker.connection import LinkConnection

MAX_FRAME_BYTES = 64 * 2**20
"""A larger message ends the connection with 1009; a smaller bad one is read and skipped."""
MOST_REDIRECTS = 5
"""In one attempt."""
NEXT_ADDRESS = 0.25
"""Seconds after which the next of a host's addresses is tried beside the one before it, which may be dead (RFC 8305,
section 5)."""
USER_AGENT = f"pose-session-tracker/{version('pose-session-tracker')}"

_REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})
_SCHEMES = {"http": "ws", "https": "wss"}  # a handshake is an HTTP request, and so is it sent elsewhere


class RedirectRefused(Exception):
    """A redirect that is not followed; its text is one line, without credentials."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"HTTP {status} {why}")
        self.status = status


class Opening(connect):
    """Await it for the open connection. `redirected` is told each URL that is followed, fit for logs."""

    def __init__(
        self,
        url: str,
        access: Access,
        papers: Papers,
        *,
        timing: Timing,
        redirected: Callable[[str], None],
    ) -> None:
        """Raises `AccessError`."""
        self._access = access
        self._redirected = redirected
        self._redirects = 0
        super().__init__(
            url,
            create_connection=LinkConnection,
            additional_headers=list(papers.headers),
            open_timeout=timing.open_timeout,
            close_timeout=timing.close_timeout,
            ping_interval=None,
            max_size=MAX_FRAME_BYTES,
            compression=None,
            proxy=None,
            user_agent_header=USER_AGENT,
        )
        if isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
            # uvloop's has no such argument, and tries one address after another.
            self.create_connection_kwargs["happy_eyeballs_delay"] = NEXT_ADDRESS
        self._use_tls(secure=self.ws_uri.secure, to_show=True)

    def _use_tls(self, *, secure: bool, to_show: bool) -> None:
        context = self._access.tls(to_show=to_show) if secure else None
        self.create_connection_kwargs.pop("ssl", None)
        if context is not None:
            self.create_connection_kwargs["ssl"] = context

    def process_redirect(self, exc: Exception) -> Exception | str:
        """See the library: where to go on, or what the attempt failed for."""
        if not isinstance(exc, InvalidStatus) or exc.response.status_code not in _REDIRECTS:
            return exc
        locations = exc.response.headers.get_all("Location")
        if not locations:
            return exc
        try:
            return self._follow(exc.response.status_code, locations[0])
        except RedirectRefused as refused:
            return refused

    def _follow(self, status: int, location: str) -> str:
        try:
            target = _joined(self.uri, location)
            there = parse_uri(target)
        except (InvalidURI, ValueError):
            raise RedirectRefused(status, "to what is no WebSocket URL") from None
        shown = redacted(target)
        self._redirects += 1
        if self._redirects > MOST_REDIRECTS:
            raise RedirectRefused(status, f"to {shown}, after {MOST_REDIRECTS} others in a row")
        if _origin(there) != _origin(self.ws_uri):
            if self.ws_uri.secure and not there.secure:
                raise RedirectRefused(status, f"to {shown}, which is not encrypted: that is never followed")
            if not self._access.allow_redirects:
                raise RedirectRefused(
                    status, f"to {shown}, another origin: give that URL, or allow it with --allow-redirects"
                )
            self.additional_headers = None
            self._use_tls(secure=there.secure, to_show=False)
        self._redirected(shown)
        return target


def _joined(url: str, location: str) -> str:
    """The URL to which `location` leads from `url`; within the origin its user and password go along."""
    if not location.isprintable() or " " in location:
        raise ValueError("a space or a control character in a URL")
    here, there = urlsplit(url), urlsplit(urljoin(url, location))
    there = there._replace(scheme=_SCHEMES.get(there.scheme, there.scheme), fragment="")
    if "@" not in there.netloc and "@" in here.netloc:
        user = here.netloc.rpartition("@")[0]
        with_user = there._replace(netloc=f"{user}@{there.netloc}")
        if _origin(parse_uri(urlunsplit(with_user))) == _origin(parse_uri(url)):
            there = with_user
    return urlunsplit(there)


def _origin(uri: WebSocketURI) -> tuple[bool, str, int]:
    return uri.secure, uri.host, uri.port
