"""A client made with websocket-client, a process of its own under one version of it: `... KIND PORT LOG STYLE`.

Nothing is imported but the library and Python's own, because this runs where nothing else is installed.
"""

import logging
import sys
import threading
import time
from pathlib import Path
from typing import Any

import websocket

KIND, PORT, LOG, STYLE = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4]
URL = f"ws://127.0.0.1:{PORT}/live"
FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"


def trace() -> None:
    """As a program switches it on: on its stderr without times, by its own logging with them, or by both."""
    out = Path(LOG).open("a", buffering=1)  # noqa: SIM115 - as long as the process
    sys.stdout = sys.stderr = out
    if STYLE in ("times", "twice"):
        logging.basicConfig(stream=out, level=logging.INFO, format=FORMAT)
    handler = logging.StreamHandler(out) if STYLE != "times" else logging.NullHandler()
    websocket.enableTrace(True, handler)


def opened(app: Any) -> None:
    sys.stdout.write("opened\n")
    app.send("hello")
    if KIND == "healthy":
        timer = threading.Timer(3.2, app.close)
        timer.daemon = True
        timer.start()


def failed(_: Any, error: Any) -> None:
    sys.stdout.write(f"### error ### {error}\n")


def closed(*_: Any) -> None:
    sys.stdout.write("### closed ###\n")


def main() -> None:
    trace()
    keepalive = {"ping_interval": 2, "ping_timeout": 1} if KIND in ("ping-timeout", "healthy") else {}
    rounds = {"server-died": 8, "refused": 3, "no-upgrade": 2}.get(KIND, 1)
    for _ in range(rounds):
        app = websocket.WebSocketApp(URL, on_open=opened, on_error=failed, on_close=closed)
        app.run_forever(**keepalive)
        time.sleep(0.7)


if __name__ == "__main__":
    main()
