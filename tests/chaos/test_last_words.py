"""The line with the error, from what programs of five languages write when they crash."""

import pytest

from chaos.clients.last_words import error_line

NODE = """up
/srv/node_modules/ws/lib/websocket.js:446
      throw new Error('WebSocket is not open: readyState 0 (CONNECTING)');
      ^

Error: WebSocket is not open: readyState 0 (CONNECTING)
    at WebSocket.send (/srv/node_modules/ws/lib/websocket.js:446:13)
    at Receiver.startLoop (/srv/node_modules/ws/lib/receiver.js:190:16)

Node.js v20.20.2
"""
PYTHON = """Traceback (most recent call last):
  File "relay.py", line 3, in f
    g()
KeyError: 'first'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "relay.py", line 9, in <module>
    raise ValueError("no such room")
ValueError: no such room
"""
GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "relay.py", line 9, in <module>
  |     asyncio.run(main())
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "relay.py", line 5, in main
    |     await read()
    | ConnectionRefusedError: [Errno 111] Connect call failed
    +------------------------------------
"""
GO = """2026/01/01 00:00:00 connected
panic: send on closed channel

goroutine 18 [running]:
main.pump(0xc000012345)
\t/srv/main.go:41 +0x1d
exit status 2
"""
JAVA = """Exception in thread "main" java.lang.IllegalStateException: Output closed
\tat java.net.http/jdk.internal.net.http.websocket.WebSocketImpl.send(WebSocketImpl.java:200)
\tat Relay.main(Relay.java:30)
"""
RUST = """thread 'main' panicked at src/main.rs:14:22:
called `Result::unwrap()` on an `Err` value: ConnectionClosed
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""


@pytest.mark.parametrize(
    ("written", "line"),
    [
        (NODE, "Error: WebSocket is not open: readyState 0 (CONNECTING)"),
        (PYTHON, "ValueError: no such room"),
        (GROUP, "ConnectionRefusedError: [Errno 111] Connect call failed"),
        (GO, "panic: send on closed channel"),
        (JAVA, 'Exception in thread "main" java.lang.IllegalStateException: Output closed'),
        (
            RUST,
            "thread 'main' panicked at src/main.rs:14:22: called `Result::unwrap()` on an `Err` value: ConnectionClosed",
        ),
        ("connected\nan Error: that was survived\nbye\n", None),
        ("", None),
    ],
)
def test_the_line_with_the_error_is_found_among_the_stack(written: str, line: str | None) -> None:
    assert error_line(written) == line
