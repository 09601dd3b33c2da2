"""The mock peer: feeds one link, collects from another or from the same, sends controls, well or badly behaved."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Literal
from weakref import WeakValueDictionary

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from simulator import events, garbage
from simulator.arrivals import Arrivals
from simulator.controls import Control
from simulator.dialect import Dialect
from simulator.door import Door, Visit
from simulator.events import PeerLink, PeerObserver
from simulator.feeds import RESET, Feed
from simulator.manners import Manners
from simulator.paths import link_at
from simulator.peer_connection import MAX_MESSAGE, PeerConnection
from simulator.sender import client_number
from simulator.source import Source
from tracker import messages

STOP_WITHIN = 2.0
"""Seconds that clients get to answer the close handshake when the server stops."""


class PoseServer:
    """Serves one feed, one sink and one source of controls. Behaviour may be changed while it runs.

    `confirm` says where a delivery is recorded: ``pong``, when its frame is parsed; ``ack``, when the sink has
    processed it and acknowledges it. With `echo`, the sink sends every message to all its members, the sender
    included. With `poses`, a delivery says what pose it shows: to read each takes a tenth of a run's time. With
    `contents`, offers and deliveries have a checksum of what they say, so that a client can be held to pass it on. The `dialect` says
    where its links are, what it asks of a client, and how messages look.
    """

    def __init__(
        self,
        feed: Feed,
        *,
        report: PeerObserver,
        confirm: Literal["pong", "ack"] = "pong",
        echo: bool = False,
        poses: bool = False,
        dialect: Dialect | None = None,
        contents: bool = False,
    ) -> None:
        self._dialect = dialect or Dialect()
        self.door = Door()
        """Where handshakes are refused, held up, or led astray."""
        self.manners: dict[PeerLink, Manners] = {link: Manners() for link in self._dialect.paths.values()}
        """How it behaves on the connections of each link."""
        if echo:
            self.manners["output"].echoes.begin(None)
        self._litterers: dict[asyncio.Task[None], None] = {}
        self._closing: dict[asyncio.Task[None], None] = {}
        """Connections that are being drained."""
        self._source = Source(feed, self._dialect, report, contents=contents)
        self._arrivals = Arrivals(self._dialect, report, poses=poses, contents=contents)
        self._report = report
        self._confirm = confirm
        # As sets that keep their order: it shows in the record.
        self._open: dict[PeerLink, dict[PeerConnection, None]] = {
            link: {} for link in self._dialect.paths.values()
        }
        self._met: WeakValueDictionary[int, PeerConnection] = WeakValueDictionary()
        """All that came, for as long as they are there; in that order."""
        self._visits: dict[PeerConnection, None] = {}
        """Connections whose handshake is not answered yet."""
        self._absences = 0
        """How many restarts are under way at once."""
        subprotocol = self._dialect.entrance.subprotocol
        self._subprotocols = None if subprotocol is None else [Subprotocol(subprotocol)]
        self._connections = 0
        self._server: Server | None = None
        self._host = "127.0.0.1"
        self._port = 0
        self._tls: ssl.SSLContext | None = None

    # Its life

    async def start(
        self, host: str = "127.0.0.1", port: int = 0, *, tls: ssl.SSLContext | None = None
    ) -> int:
        """Listen, behind `tls` if it is given; returns the port. Raises `OSError` where the port is taken."""
        self._host = host
        self._tls = tls
        self._server = await serve(
            self._converse,
            host,
            port,
            ssl=tls,
            process_request=self._admit,
            process_response=_impose,
            create_connection=self._meet,  # type: ignore[arg-type]  # it is called, and nothing else
            subprotocols=self._subprotocols,
            compression=None,
            open_timeout=None,
            ping_interval=None,
            close_timeout=1.0,
            max_size=MAX_MESSAGE,
        )
        self._port = next(iter(self._server.sockets)).getsockname()[1]
        return self._port

    def _meet(self, *told: Any, **more: Any) -> PeerConnection:
        connection = PeerConnection(*told, **more)
        self._met[len(self._met) and max(self._met) + 1] = connection
        return connection

    async def stop(self, code: int = 1001) -> None:
        """Close every connection with `code` and stop listening, for good; idempotent."""
        for litterer in self._litterers:
            litterer.cancel()
        await self._leave(code)

    async def _leave(self, code: int) -> None:
        server, self._server = self._server, None
        if server is not None:
            # In an order of our own: that of the library, which keeps a set, is another in each run.
            closing = [asyncio.create_task(connection.close(code)) for connection in self.connections()]
            server.close(code=code)
            for visitor in tuple(self._visits):
                visitor.transport.abort()
            try:
                async with asyncio.timeout(STOP_WITHIN):
                    await server.wait_closed()
            except TimeoutError:
                self.abort()  # a client that does not read holds up its close handshake
                for connection in tuple(self._met.values()):
                    connection.transport.abort()  # and one whose request is lost on the way, the opening one
                await server.wait_closed()
            await asyncio.gather(*closing, *self._closing)

    async def go_away(self, code: int = 1012) -> None:
        """Stop as a restarting server does, until `come_back`; what went away twice comes back after the second."""
        self._absences += 1
        for link in self._dialect.paths.values():
            for connection in self.connections(link):
                self._misbehaved("restart", link, connection.number)
        await self._leave(code)

    async def come_back(self) -> None:
        """Listen again at the same port."""
        self._absences -= 1
        if not self._absences:
            await self.start(self._host, self._port, tls=self._tls)

    def connections(self, link: PeerLink | None = None) -> list[PeerConnection]:
        """The open ones, of one link or of all."""
        links = (link,) if link else tuple(self._dialect.paths.values())
        return [connection for name in links for connection in self._open[name]]

    def reset_holds(self) -> None:
        """Send each client of the feed a reset of its session."""
        members = self._members("input")
        broadcast(members, RESET, text=True)
        for connection in members:
            self._report(events.ResetOffered(t=connection.loop.time(), connection=connection.number))

    def send_control(self, control: Control, link: PeerLink) -> None:
        """Send it to each client of `link`, the control link or the input."""
        members = self._members(link)
        broadcast(members, control.encode(), text=True)
        for connection in members:
            self._report(
                events.ControlOffered(
                    t=connection.loop.time(),
                    link=link,
                    connection=connection.number,
                    kind=control.kind,
                    proximity_threshold=control.proximity_threshold,
                    touch_duration=control.touch_duration,
                )
            )

    def abort(self) -> None:
        """Drop every connection at once."""
        for connection in self.connections():
            connection.transport.abort()

    async def ping(self) -> None:
        """Send a Ping on every connection; whether and when it is answered is reported."""
        for link in self._dialect.paths.values():
            for connection in self._members(link):
                await self._ping_one(connection, link)

    async def _ping_one(self, connection: PeerConnection, link: PeerLink) -> None:
        sent = connection.loop.time()
        self._report(events.Pinged(t=sent, link=link, connection=connection.number))

        def came(pong: "asyncio.Future[float]") -> None:
            if not pong.cancelled() and pong.exception() is None:
                now = connection.loop.time()
                took = now - sent
                self._report(events.PongCame(t=now, link=link, connection=connection.number, took=took))

        with contextlib.suppress(ConnectionClosed):
            asyncio.ensure_future(await connection.ping()).add_done_callback(came)

    # Its misdeeds, each reported; newcomers meet what lasts

    async def close_link(self, link: PeerLink, code: int) -> None:
        """Close every connection of `link` with `code`."""
        closing = self.connections(link)
        for connection in closing:
            self._misbehaved("close", link, connection.number)
        await asyncio.gather(*(connection.close(code) for connection in closing))

    def drain(self, link: PeerLink, code: int, seconds: float) -> Callable[[], None]:
        """Close the present connections of `link` one after the other, spread over `seconds`; newcomers are let be.

        What is returned closes those that are left.
        """
        draining = dict.fromkeys(self.connections(link))
        timers = [
            connection.loop.call_later(
                seconds * place / (len(draining) + 1), self._drain_one, connection, link, code, draining
            )
            for place, connection in enumerate(draining, 1)
        ]

        def end() -> None:
            for timer in timers:
                timer.cancel()
            for connection in tuple(draining):
                self._drain_one(connection, link, code, draining)

        return end

    def _drain_one(
        self, connection: PeerConnection, link: PeerLink, code: int, draining: dict[PeerConnection, None]
    ) -> None:
        del draining[connection]
        if connection not in self._open[link]:
            return
        self._misbehaved("drain", link, connection.number)
        closing = connection.loop.create_task(connection.close(code, "draining"))
        self._closing[closing] = None
        closing.add_done_callback(self._closing.pop)

    def stop_reading(self, link: PeerLink) -> Callable[[], None]:
        """Read nothing more from the sockets of `link`; what is returned lets it read what has piled up, and go on."""
        unread = self.manners[link].unread
        end = unread.begin(None)
        for connection in self.connections(link):
            self._stop_reading(connection, link)

        def read_again() -> None:
            end()
            for connection in self.connections(link):
                if not unread:
                    connection.read_again()

        return read_again

    def litter(self, link: PeerLink, messages: Iterator[bytes], every: float) -> Callable[[], None]:
        """Send the next of `messages` to each connection of `link`, `every` seconds; what is returned ends it."""
        litterer = asyncio.get_running_loop().create_task(self._litter(link, messages, every))
        self._litterers[litterer] = None

        def end() -> None:
            self._litterers.pop(litterer, None)
            litterer.cancel()

        return end

    def shout(self, link: PeerLink, megabytes: int) -> None:
        """Send each connection of `link` one bad message of so many megabytes."""
        members = self._members(link)
        for connection in members:
            self._misbehaved("huge", link, connection.number)
        broadcast(members, garbage.huge(megabytes), text=not self._dialect.binary)

    def bomb(self, link: PeerLink, megabytes: int) -> None:
        """Send each connection of `link` the same, compressed."""
        for connection in self._members(link):
            self._misbehaved("bomb", link, connection.number)
            connection.send_compressed(garbage.bomb(megabytes))

    async def _litter(self, link: PeerLink, messages: Iterator[bytes], every: float) -> None:
        while True:
            await asyncio.sleep(every)
            data = next(messages)
            members = self._members(link)
            for connection in members:
                self._misbehaved("garbage", link, connection.number)
            broadcast(members, data, text=not self._dialect.binary)

    def _stop_reading(self, connection: PeerConnection, link: PeerLink) -> None:
        self._misbehaved("stop_reading", link, connection.number)
        connection.stop_reading()

    # One connection

    async def _converse(self, connection: ServerConnection) -> None:
        assert isinstance(connection, PeerConnection), "the server creates nothing else"
        assert connection.request is not None, "the handshake is done"
        link = link_at(connection.request.path, self._dialect.paths)
        assert link is not None, "the others were not admitted"
        self._connections += 1
        connection.number = self._connections
        connection.client = client_number(connection.request.path)
        self._open[link][connection] = None
        now = connection.loop.time()
        self._report(events.Opened(t=now, link=link, connection=connection.number, client=connection.client))
        manners = connection.manners
        if manners.unread:
            self._stop_reading(connection, link)
        try:
            if (code := manners.closes.latest) is not None:
                self._misbehaved("accept_then_close", link, connection.number)
                await connection.close(code)
            else:
                await self._talk(connection, link)
        finally:
            del self._open[link][connection]
            await connection.wait_closed()
            self._report(_ended(link, connection))

    async def _talk(self, connection: PeerConnection, link: PeerLink) -> None:
        reading = self._collect_from(connection) if link == "output" else self._read_on(connection)
        if link == self._dialect.feeds:
            await self._source.serve(connection, reading)
        else:
            await reading

    async def _read_on(self, connection: PeerConnection) -> None:
        """Nobody should write to this link but to subscribe; reading keeps Pongs and the close frame coming all the same."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                self._note_subscription(await connection.recv(decode=False), connection)

    def _note_subscription(self, body: bytes, connection: PeerConnection) -> None:
        if self._dialect.opening.subscribes(body):
            connection.subscribed.set()

    async def _collect_from(self, connection: PeerConnection) -> None:
        if self._confirm == "pong":
            connection.on_parsed = lambda body: self._arrivals.take(body, connection)
        with contextlib.suppress(ConnectionClosed):
            while True:
                body = await connection.recv(decode=False)
                self._note_subscription(body, connection)
                if self._confirm == "ack":
                    delivered = self._arrivals.take(body, connection)
                    if delivered is not None:
                        await connection.send(messages.encode_ack(*delivered), text=True)
                if connection.manners.echoes:
                    self._misbehaved("echo", "output", connection.number)
                    # Like a hub that serves many: it neither waits for a slow member nor spares the sender.
                    broadcast(self._members("output"), body, text=not self._dialect.binary)

    def _members(self, link: PeerLink) -> list[PeerConnection]:
        # A connection whose transport is closing counts as open until the loop comes round to it.
        return [c for c in self.connections(link) if not c.transport.is_closing()]

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        assert isinstance(connection, PeerConnection), "the server creates nothing else"
        link = link_at(request.path, self._dialect.paths)
        if link is None:
            there = ", ".join(f"the {name} at {path}" for path, name in self._dialect.paths.items())
            return connection.respond(HTTPStatus.NOT_FOUND, f"there is {there}\n")
        self._visits[connection] = None
        try:
            response = await self.door.answer(Visit(connection, request, link, self._report))
        finally:
            del self._visits[connection]
        if response is not None:
            return response
        connection.manners = self.manners[link]
        connection.misbehaves = lambda kind: self._misbehaved(kind, link, connection.number)
        return self._turn_away(connection, request, link)

    def _turn_away(self, connection: ServerConnection, request: Request, link: PeerLink) -> Response | None:
        complaint = self._dialect.entrance.complaint(request.path, request.headers)
        if complaint is None:
            return None
        status, why = complaint
        self._report(
            events.TurnedAway(
                t=connection.loop.time(),
                link=link,
                status=status,
                why=why,
                client=client_number(request.path),
            )
        )
        return connection.respond(HTTPStatus(status), f"{why}\n")

    def _misbehaved(self, kind: str, link: PeerLink, connection: int) -> None:
        now = asyncio.get_running_loop().time()
        self._report(events.Misbehaved(t=now, kind=kind, link=link, connection=connection))


def _impose(connection: ServerConnection, _: Request, response: Response) -> None:
    assert isinstance(connection, PeerConnection), "the server creates nothing else"
    if connection.imposes_compression and "Sec-WebSocket-Extensions" not in response.headers:
        response.headers["Sec-WebSocket-Extensions"] = "permessage-deflate"


def _ended(link: PeerLink, connection: PeerConnection) -> events.Ended:
    protocol = connection.protocol
    received, sent = protocol.close_rcvd, protocol.close_sent
    code, why = 1006, ""
    by: Literal["client", "peer", "network"] = "network"
    if received is not None and protocol.close_rcvd_then_sent is not False:
        code, by, why = received.code, "client", received.reason
    elif sent is not None:
        code, by = sent.code, "peer"
    return events.Ended(
        t=connection.loop.time(),
        link=link,
        connection=connection.number,
        code=code,
        by=by,
        why=why,
        pings=connection.pings,
        untaken=connection.untaken,
    )
