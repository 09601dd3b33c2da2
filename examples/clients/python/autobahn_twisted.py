"""A relay on autobahn and Twisted: protocols, and the factory of Twisted that reconnects with a growing delay."""

import sys
from collections import deque

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol, connectWS
from twisted.internet import reactor, task
from twisted.internet.protocol import ReconnectingClientFactory

waiting: deque[tuple[bytes, bool]] = deque()


class Link(WebSocketClientProtocol):
    def onOpen(self) -> None:
        self.factory.resetDelay()
        self.factory.link = self
        if self.factory is output_link:
            flush()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.factory is input_link:
            waiting.append((payload, isBinary))
            flush()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.factory.link = None


class Links(WebSocketClientFactory, ReconnectingClientFactory):
    protocol = Link
    link: Link | None = None
    maxDelay = 10


def flush() -> None:
    while waiting and output_link.link is not None:
        output_link.link.sendMessage(*waiting.popleft())


def say_goodbye() -> object:
    for links in (input_link, output_link):
        links.stopTrying()
        if links.link is not None:
            links.link.sendClose(1000)
    return task.deferLater(reactor, 1.0, lambda: None)  # the shutdown waits for it


input_link, output_link = Links(sys.argv[1]), Links(sys.argv[2])
connectWS(input_link)
connectWS(output_link)
reactor.addSystemEventTrigger("before", "shutdown", say_goodbye)
reactor.run()  # which ends at SIGTERM
