"""A relay on websocket-client: two apps, each in a thread, that run for ever and reconnect by themselves."""

import queue
import signal
import sys
import threading
import time

import websocket

messages: queue.Queue[str] = queue.Queue(1000)
input_url, output_url = sys.argv[1:]


def on_error(app: websocket.WebSocketApp, error: object) -> None:
    print(f"{app.url}: {error}", file=sys.stderr, flush=True)


input_app = websocket.WebSocketApp(
    input_url, on_message=lambda _, message: messages.put(message), on_error=on_error
)
output_app = websocket.WebSocketApp(output_url, on_error=on_error)


def send() -> None:
    while True:
        message = messages.get()
        while True:
            try:
                # Before that, the library would send into the middle of its own handshake.
                if output_app.sock is not None and output_app.sock.connected:
                    output_app.send(message)
                    break
            except (websocket.WebSocketException, OSError):
                pass
            time.sleep(0.1)


def stop(*_: object) -> None:
    for app in (input_app, output_app):
        app.close(timeout=3)
    sys.exit()


for app in (input_app, output_app):
    forever = {"ping_interval": 60, "ping_timeout": 10, "reconnect": 5}
    threading.Thread(target=app.run_forever, kwargs=forever, daemon=True).start()
threading.Thread(target=send, daemon=True).start()
signal.signal(signal.SIGTERM, stop)
while True:
    time.sleep(60)
