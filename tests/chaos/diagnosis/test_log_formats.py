"""One connection is one connection, whatever a logging format or another program puts around the library's lines."""

import json
from datetime import datetime, timedelta

import pytest

from chaos.diagnosis.endings import End
from tests.chaos.logs import BEGIN, Log, told, understood


def threads(at: datetime, _: str, message: str) -> str:
    """As the client for threads logs: who sends, who receives, and who pings are three threads."""
    who = "MainThread" if message[0] in ">=" else "Thread-1 (recv_events)"
    if "PING" in message or "sent keepalive" in message:
        who = "Thread-2 (keepalive)"
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03} [{who}] {message}"


def one_connection() -> Log:
    log = Log().opens(0).sends(0.1).gets(0.2).pings(20, "01 02").peer_closes(25, "1001 (going away)")
    return log.opens(30).pings(50, "01 03")


def logged_twice(at: datetime, logger: str, message: str) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} DEBUG {message}\nDEBUG:{logger}:{message}"


def with_a_place(at: datetime, logger: str, message: str) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} - {logger} - DEBUG - {message} (protocol.py:757)"


def with_function_and_worker(at: datetime, _: str, message: str) -> str:
    function = "send_frame" if message[0] == ">" else "recv_frame" if message[0] == "<" else "keepalive"
    return f"{at:%Y-%m-%dT%H:%M:%S} worker-4 [{function}:{len(message)}] {message}"


def as_json(at: datetime, logger: str, message: str) -> str:
    return json.dumps({"ts": at.timestamp(), "level": "debug", "logger": logger, "msg": message})


def as_docker(at: datetime, logger: str, message: str) -> str:
    line = f"DEBUG:{logger}:{message}\n"
    return json.dumps({"log": line, "stream": "stderr", "time": f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z"})


def as_logfmt(at: datetime, logger: str, message: str) -> str:
    quoted = message.replace("\\", "\\\\").replace('"', '\\"')
    return f'time={at:%Y-%m-%dT%H:%M:%SZ} level=debug logger={logger} msg="{quoted}"'


def epoch_milliseconds(at: datetime, logger: str, message: str) -> str:
    return f"{round(at.timestamp() * 1000)} {logger} {message}"


def quoted(at: datetime, logger: str, message: str) -> str:
    return f'{at:%Y-%m-%d %H:%M:%S} {logger} "{message}"'


FORMATS = [
    threads,
    logged_twice,
    with_a_place,
    with_function_and_worker,
    as_json,
    as_docker,
    as_logfmt,
    epoch_milliseconds,
    quoted,
]


@pytest.mark.parametrize("format_", FORMATS)
def test_one_connection_is_one_whatever_stands_around_its_lines(format_: object) -> None:
    found = understood(one_connection().text(format_))  # type: ignore[arg-type] # each is a format
    assert [e.what for e in found.endings] == [End.PEER_CLOSE, End.OPEN]
    first, second = (e.connection for e in found.endings)
    assert (first.path, first.received.messages, first.sent.messages) == ("/live", 1, 1)
    assert (first.pings.answered, second.pings.answered) == (1, 1)
    assert found.endings[0].at is not None
    assert found.endings[0].at.t == pytest.approx(25, abs=1)
    assert found.timeline.ended.t == pytest.approx(50, abs=1)


def test_a_table_with_named_columns_is_read_whatever_their_order() -> None:
    rows = ["message,asctime,name"]
    for line in one_connection().text(as_json).splitlines():
        fields = json.loads(line)
        message = fields["msg"].replace('"', '""')
        rows.append(f'"{message}",{datetime.fromtimestamp(fields["ts"])},{fields["logger"]}')  # noqa: DTZ006
    found = understood("\n".join(rows))
    assert [e.what for e in found.endings] == [End.PEER_CLOSE, End.OPEN]
    assert found.timeline.ended.t == pytest.approx(50, abs=1)


def test_two_endpoints_under_one_logger_are_two_links_with_their_paths() -> None:
    log = Log().opens(0, "/trades").opens(0.5, "/books").gets(1).peer_closes(5, "1001 (going away)")
    found = understood(log.text())
    assert [c.link for c in found.timeline.connections] == ["/trades", "/books"]
    assert told(log.text()).headline.startswith(("/trades: ", "/books: "))


def test_a_line_without_a_time_is_as_of_the_line_before() -> None:
    lines = one_connection().text().splitlines()
    place = next(n for n, line in enumerate(lines) if "PONG" in line)
    lines[place] = lines[place].partition(": ")[2]
    found = understood("\n".join(lines))
    assert [e.what for e in found.endings] == [End.PEER_CLOSE, End.OPEN]
    assert found.endings[0].connection.pings.answered == 1


def test_times_that_are_shown_only_where_they_change_hold_until_then() -> None:
    before = ""
    lines = []
    for line in one_connection().text(lambda at, _, message: f"[{at:%H:%M:%S}] {message}").splitlines():
        time, _, message = line.partition(" ")
        lines.append(f"{time if time != before else ' ' * 10} {message}")
        before = time
    found = understood("\n".join(lines))
    assert [e.what for e in found.endings] == [End.PEER_CLOSE, End.OPEN]
    assert found.timeline.ended.t == 50


def test_dates_that_no_log_can_have_are_used_for_what_passes_between_them() -> None:
    found = understood(one_connection().text(lambda at, _, m: f"1970-01-01 {at:%H:%M:%S} {m}"))
    assert found.timeline.ended.t == 50


def test_a_log_without_times_tells_the_order_and_no_duration() -> None:
    text = one_connection().text(lambda _, logger, message: f"DEBUG:{logger}:{message}")
    found = told(text)
    assert found.headline == "The server closed with 1001 (going away) in line 12"
    assert "how long anything took: the log has no times" in found.unknown
    assert "lasted" not in dict(found.figures)


# Tables


def failing_connection() -> Log:
    """Its trouble stands in a traceback of several lines."""
    log = one_connection()
    return log.say(60, "data transfer failed", "= connection is CLOSED")


TRACEBACK = (
    'Traceback (most recent call last):\n  File "a.py", line 3, in run; x, y\n'
    'ConnectionResetError: [Errno 104] Connection reset by "peer"'
)


def as_table(delimiter: str, *, above: str = "", end: str = "\n") -> str:
    """With a traceback in the cell of the message that failed."""
    rows = [*([above] if above else []), delimiter.join(("Time", "Level", "Message", "Logger"))]
    for t, logger, message in failing_connection().lines:
        whole = f"{message}\n{TRACEBACK}" if message == "data transfer failed" else message
        at = BEGIN + timedelta(seconds=t)
        rows.append(
            delimiter.join(
                (f"{at:%Y-%m-%d %H:%M:%S.%f}", "DEBUG", '"' + whole.replace('"', '""') + '"', logger)
            )
        )
    return end.join(rows) + end


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_cell_of_a_table_may_hold_line_breaks(delimiter: str, end: str) -> None:
    found = understood(as_table(delimiter, end=end))
    assert [e.what for e in found.endings] == [End.PEER_CLOSE, End.RESET]
    error = found.endings[1].connection.error
    assert error is not None
    assert error.text == 'ConnectionResetError: [Errno 104] Connection reset by "peer"'
    assert found.endings[1].connection.pings.answered == 1
    assert found.timeline.ended.t == 60


def test_the_line_that_a_spreadsheet_puts_above_a_table_names_its_delimiter() -> None:
    found = understood(as_table(";", above="sep=;"))
    assert [e.what for e in found.endings] == [End.PEER_CLOSE, End.RESET]


def test_a_table_whose_messages_nobody_quoted_is_read() -> None:
    lines = ["asctime,name,levelname,message"]
    for t, logger, message in one_connection().sends(51, "a, b, c").lines:
        at = BEGIN + timedelta(seconds=t)
        lines.append(f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03},{logger},DEBUG,{message}")
    found = understood("\n".join(lines))
    assert [e.what for e in found.endings] == [End.PEER_CLOSE, End.OPEN]
    assert found.endings[1].connection.sent.words == "'a, b, c'"


def test_a_quote_that_nothing_ends_swallows_no_rest_of_a_log() -> None:
    header, *rows = as_table(",").splitlines()
    unended = f'{BEGIN},DEBUG,"what,app'
    filling = [f"{BEGIN},DEBUG,x,app"] * 8000  # more than a cell can hold
    found = understood("\n".join([header, unended, *filling, *rows]))
    assert [e.what for e in found.endings] == [End.PEER_CLOSE, End.RESET]


@pytest.mark.parametrize("columns", ["@timestamp,@message", "_time,_raw", "Date,Line"])
def test_columns_go_by_the_names_that_log_stores_give_them(columns: str) -> None:
    lines = [columns]
    for t, logger, message in one_connection().lines:
        at = BEGIN + timedelta(seconds=t)
        lines.append(f'"{at:%Y-%m-%dT%H:%M:%S.%fZ}","DEBUG:{logger}:{message}"')
    found = understood("\n".join(lines))
    assert [e.what for e in found.endings] == [End.PEER_CLOSE, End.OPEN]
    assert found.timeline.ended.t == pytest.approx(50, abs=0.1)
