"""A relay on the threads of websockets: a blocking connection a link, and a loop around each that connects anew."""

import contextlib
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

RECONNECT_AFTER = 1.0
messages: queue.Queue[str | bytes] = queue.Queue(1000)
in_hand: list[str | bytes] = []  # the message that could not be sent
stopping = threading.Event()
connections: dict[str, ClientConnection] = {}


def read(connection: ClientConnection) -> None:
    for message in connection:
        messages.put(message)


def write(connection: ClientConnection) -> None:
    threading.Thread(target=drain, args=[connection], daemon=True).start()
    while True:
        if not in_hand:
            in_hand.append(messages.get())
        connection.send(in_hand[0])
        in_hand.clear()


def drain(connection: ClientConnection) -> None:
    with contextlib.suppress(WebSocketException):
        deque(connection, maxlen=0)


def keep_connected(url: str, use: Callable[[ClientConnection], None]) -> None:
    while not stopping.is_set():
        with contextlib.suppress(OSError, WebSocketException), connect(url) as connection:
            connections[url] = connection
            use(connection)
        stopping.wait(RECONNECT_AFTER)


def stop(*_: object) -> None:
    stopping.set()
    for connection in connections.values():
        connection.close()
    sys.exit()


for url, use in zip(sys.argv[1:], (read, write), strict=True):
    threading.Thread(target=keep_connected, args=[url, use], daemon=True).start()
signal.signal(signal.SIGTERM, stop)
while True:
    time.sleep(60)
