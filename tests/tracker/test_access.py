"""How a tracker gets in: tokens, headers, certificates, redirects; on virtual time."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from simulator.network import Network
from tests.tracker.conftest import Reading, delays_of, endpoint, exactly, linked, quiet, virtual
from tracker import events
from tracker.access import Access, AccessError, accesses, on_the_command_line
from tracker.config import ConfigError
from tracker.link import RENEWAL_LOOK, RENEWAL_PATIENCE
from tracker.opening import MOST_REDIRECTS
from tracker.states import LinkState

SECRET = "s3cret-of-the-wall"  # noqa: S105 - no real one


class Door:
    """An endpoint that admits whoever shows the right token, and keeps what it was shown."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.shown: list[tuple[float, str | None]] = []

    def __call__(self, connection: ServerConnection, request: Request) -> Response | None:
        shown = request.headers.get("Authorization")
        self.shown.append((asyncio.get_running_loop().time(), shown))
        if shown == f"Bearer {self.token}":
            return None
        return connection.respond(HTTPStatus.UNAUTHORIZED, "no\n")


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


# Tokens and headers


@virtual
async def test_the_token_of_a_file_is_shown_to_the_endpoint(network: Network, tmp_path: Path) -> None:
    door = Door(SECRET)
    access = Access(token_file=written(tmp_path / "token", f"{SECRET}\n"), header=("X-Wall: north",))
    async with (
        endpoint(network, quiet, process_request=door),
        linked(Reading(), access=access) as (_, record),
    ):
        await record.until(events.Connected)
    assert door.shown[0][1] == f"Bearer {SECRET}"


@virtual
async def test_headers_come_from_the_line_and_from_a_file(network: Network, tmp_path: Path) -> None:
    got: list[Request] = []

    def look(_connection: ServerConnection, request: Request) -> None:
        got.append(request)

    file = written(tmp_path / "headers", "X-Key: abc def\n\nX-Room:7\n")
    access = Access(header=("X-Wall: north",), header_file=file)
    async with (
        endpoint(network, quiet, process_request=look),
        linked(Reading(), access=access) as (_, record),
    ):
        await record.until(events.Connected)
    shown = {name: value for name, value in got[0].headers.raw_items() if name.startswith("X-")}
    assert shown == {"X-Wall": "north", "X-Key": "abc def", "X-Room": "7"}


@virtual
async def test_a_token_that_was_renewed_before_the_refusal_is_tried_at_once_after_the_back_off(
    network: Network, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    door = Door("new")

    def renew_and_refuse(connection: ServerConnection, request: Request) -> Response | None:
        file.write_text("new")
        return door(connection, request)

    access = Access(token_file=written(file, "old"))
    async with (
        endpoint(network, quiet, process_request=renew_and_refuse),
        linked(Reading(), access=access) as (link, record),
    ):
        await record.until(events.Connected)
        assert link.state is LinkState.OPEN
    assert [shown for _, shown in door.shown] == ["Bearer old", "Bearer new"]
    refused, again = record.of(events.Refused)[0], record.of(events.Connecting)[1]
    assert not refused.fatal
    assert again.t == exactly(refused.t + delays_of(1)[0])


@virtual
async def test_the_same_token_is_shown_again_once_a_minute_and_a_renewed_one_within_a_second(
    network: Network, tmp_path: Path
) -> None:
    door = Door("new")
    access = Access(token_file=written(tmp_path / "token", "old"))
    async with (
        endpoint(network, quiet, process_request=door),
        linked(Reading(), access=access) as (_, record),
    ):
        await asyncio.sleep(600)
        refused = record.of(events.Refused)
        assert 9 <= len(refused) <= 10
        assert all(later.t - earlier.t >= RENEWAL_PATIENCE for earlier, later in pairwise(refused))
        await asyncio.sleep(30)
        renewed = asyncio.get_running_loop().time()
        written(tmp_path / "token", "new")
        connected = await record.until(events.Connected)
        assert connected.t < renewed + RENEWAL_LOOK + 1


@virtual
async def test_a_token_that_cannot_be_renewed_is_refused_for_good(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WALL_TOKEN", SECRET)
    door = Door("another")
    async with (
        endpoint(network, quiet, process_request=door),
        linked(Reading(), access=Access(token_env="WALL_TOKEN")) as (link, record),  # noqa: S106 - a name
    ):
        refused = await record.until(events.Refused)
        await asyncio.sleep(60)
        assert link.state is LinkState.FAILED
    assert refused.fatal
    assert [shown for _, shown in door.shown] == [f"Bearer {SECRET}"]
    assert link.refusal is not None
    assert SECRET not in link.refusal


@virtual
async def test_a_path_that_is_not_there_is_refused_for_good_with_any_token(
    network: Network, tmp_path: Path
) -> None:
    access = Access(token_file=written(tmp_path / "token", SECRET))
    async with (
        endpoint(network, quiet, process_request=lambda c, _: c.respond(HTTPStatus.NOT_FOUND, "no\n")),
        linked(Reading(), access=access) as (_, record),
    ):
        assert (await record.until(events.Refused)).fatal


@virtual
async def test_a_token_file_that_is_gone_for_a_while_costs_attempts_and_not_the_tracker(
    network: Network, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    access = Access(token_file=str(file))
    door = Door(SECRET)
    async with (
        endpoint(network, quiet, process_request=door),
        linked(Reading(), access=access) as (_, record),
    ):
        refused = await record.until(events.Refused, count=3)
        written(file, SECRET)
        await record.until(events.Connected)
    assert refused.why == f"--token-file {file}: No such file or directory: name a readable file"
    assert not refused.fatal
    assert len(door.shown) == 1


# What does not go together, or is no token


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"key_file": "k"}, "--key-file without a certificate"),
        ({"token_file": "t", "token_env": "T"}, "give one of them"),
        ({"header": (f"Authorization {SECRET}",)}, "a header is no 'Name: value'"),
        ({"header": (f"X-Key: {SECRET}\r\nHost: evil",)}, "printable ASCII on one line"),
        ({"header": ("Host: elsewhere",)}, "belongs to the handshake itself"),
        ({"header": ("Sec-WebSocket-Protocol: x",)}, "belongs to the handshake itself"),
        ({"token_env": "NO_SUCH_VARIABLE"}, "there is no such variable"),
        ({"token_file": "EMPTY"}, "it is empty"),
        ({"token_file": "TWO"}, "one word of printable ASCII"),
        ({"token_file": "/dev/zero"}, "it is a device"),
        ({"token_file": "TWO", "header": ("authorization: x",)}, "one word"),
        ({"token_file": "ONE", "header": (f"authorization: {SECRET}",)}, "more than once"),
        ({"ca_file": "ONE"}, "no certificate in PEM"),
        ({"cert_file": "ONE"}, "no certificate in PEM with its key"),
    ],
)
def test_what_gives_no_access_is_one_line_without_the_secret(
    tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    names = {
        "EMPTY": written(tmp_path / "empty", " \n"),
        "TWO": written(tmp_path / "two", f"{SECRET} {SECRET}"),
        "ONE": written(tmp_path / "one", SECRET),
    }
    given = {
        key: names.get(value, value) if isinstance(value, str) else value for key, value in given.items()
    }
    with pytest.raises(ConfigError) as caught:
        accesses({**given, "output_websocket_url": "wss://wall/"})
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_endpoints_own_table_says_what_it_is_shown() -> None:
    found = accesses({"token_env": "ALL", "ca_file": "ca", "output": {"token_file": "mine"}})
    assert (found["input"].token_env, found["input"].token_file) == ("ALL", None)
    assert (found["output"].token_env, found["output"].token_file, found["output"].ca_file) == (
        None,
        "mine",
        "ca",
    )


def test_nothing_that_is_shown_is_in_the_text_of_an_access_or_its_papers(tmp_path: Path) -> None:
    access = Access(token_file=written(tmp_path / "t", SECRET), header=(f"X-Key: {SECRET}",))
    assert SECRET not in f"{access!r} {access.papers()!r}"


def test_a_password_beside_a_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a password, and there is a token too"):
        accesses({"token_file": written(tmp_path / "t", "x"), "input_websocket_url": "ws://u:p@wall/"})


def test_what_the_list_of_processes_would_show_is_warned_of() -> None:
    given = {"output_websocket_url": f"ws://u:{SECRET}@wall/", "header": [f"Authorization: Basic {SECRET}"]}
    said = on_the_command_line(given)
    assert [line.partition(",")[0] for line in said] == [
        "--output-websocket-url has a password",
        "--header has credentials",
    ]
    assert SECRET not in "".join(said)
    assert on_the_command_line({"output_websocket_url": "ws://wall/@x", "header": ["X-Room: 7"]}) == []


# Certificates


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls_server(authority: trustme.CA, name: str = "peer", **options: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **options).configure_cert(context)
    return context


def pem(path: Path, *blobs: trustme.Blob) -> str:
    path.write_bytes(b"".join(blob.bytes() for blob in blobs))
    return str(path)


@virtual
async def test_an_endpoint_whose_authority_is_named_is_trusted(
    network: Network, tmp_path: Path, authority: trustme.CA
) -> None:
    access = Access(ca_file=pem(tmp_path / "ca.pem", authority.cert_pem))
    async with (
        endpoint(network, quiet, ssl=tls_server(authority)),
        linked(Reading(), "wss://peer:80/", access=access) as (_, record),
    ):
        await record.until(events.Connected)


YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "options", "known", "said"),
    [
        ("peer", {}, False, "name the authority's file, --ca-file"),
        ("other", {}, True, "for another name"),
        ("peer", {"not_before": YESTERDAY - timedelta(days=1), "not_after": YESTERDAY}, True, "has expired"),
    ],
)
@virtual
async def test_a_certificate_that_is_not_valid_is_refused_for_good_with_what_to_do(  # noqa: PLR0917
    network: Network,
    tmp_path: Path,
    authority: trustme.CA,
    name: str,
    options: dict[str, Any],
    known: bool,  # noqa: FBT001 - a parameter of the test
    said: str,
) -> None:
    access = Access(ca_file=pem(tmp_path / "ca.pem", authority.cert_pem)) if known else Access()
    async with (
        endpoint(network, quiet, ssl=tls_server(authority, name, **options)),
        linked(Reading(), "wss://peer:80/", access=access) as (link, record),
    ):
        assert (await record.until(events.Refused)).fatal
        await asyncio.sleep(1)
    assert link.refusal is not None
    assert said in link.refusal


@virtual
async def test_a_certificate_that_is_not_valid_yet_is_waited_for(
    network: Network, tmp_path: Path, authority: trustme.CA
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    context = tls_server(authority, not_before=tomorrow, not_after=tomorrow + timedelta(days=1))
    access = Access(ca_file=pem(tmp_path / "ca.pem", authority.cert_pem))
    async with (
        endpoint(network, quiet, ssl=context),
        linked(Reading(), "wss://peer:80/", access=access) as (_, record),
    ):
        assert not (await record.until(events.Refused, count=2)).fatal


@pytest.mark.parametrize("shows", [True, False])
@virtual
async def test_an_endpoint_that_wants_a_certificate_gets_the_trackers(
    network: Network,
    tmp_path: Path,
    authority: trustme.CA,
    shows: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    context = tls_server(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    mine = authority.issue_cert("tracker")
    shown = {
        "cert_file": pem(tmp_path / "cert.pem", *mine.cert_chain_pems),
        "key_file": pem(tmp_path / "key.pem", mine.private_key_pem),
    }
    access = Access(ca_file=pem(tmp_path / "ca.pem", authority.cert_pem), **(shown if shows else {}))
    async with (
        endpoint(network, quiet, ssl=context),
        linked(Reading(), "wss://peer:80/", access=access) as (_, record),
    ):
        if shows:
            await record.until(events.Connected)
        else:
            await record.until(events.Refused, count=2)


def test_a_key_with_a_password_asks_nobody(tmp_path: Path, authority: trustme.CA) -> None:
    from cryptography.hazmat.primitives import serialization as forms  # noqa: PLC0415 - comes with trustme

    mine = authority.issue_cert("tracker")
    key = forms.load_pem_private_key(mine.private_key_pem.bytes(), None).private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.BestAvailableEncryption(b"x")
    )
    (tmp_path / "key.pem").write_bytes(key)
    access = Access(
        cert_file=pem(tmp_path / "cert.pem", *mine.cert_chain_pems), key_file=str(tmp_path / "key.pem")
    )
    with pytest.raises(AccessError, match="the key is encrypted"):
        access.tls()


# Redirects


def to(location: str, status: HTTPStatus = HTTPStatus.FOUND) -> Callable[[ServerConnection, Request], Any]:
    def redirect(connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/there":
            return None
        response = connection.respond(status, "there\n")
        response.headers["Location"] = location
        return response

    return redirect


@pytest.mark.parametrize("location", ["/there", "there", "ws://peer:80/there", "http://peer/there"])
@virtual
async def test_a_redirect_within_the_origin_is_followed_and_told(network: Network, location: str) -> None:
    async with endpoint(network, quiet, process_request=to(location)), linked(Reading()) as (_, record):
        await record.until(events.Connected)
        assert [event.to.removesuffix("there") for event in record.of(events.Redirected)] in (
            ["ws://peer:80/"],
            ["ws://peer/"],
        )


@contextmanager
def nobody_is_shown_anything(shown: list[Request]) -> Iterator[None]:
    yield
    for request in shown:
        assert not {"authorization", "x-key", "cookie"} & {
            name.lower() for name, _ in request.headers.raw_items()
        }


@virtual
async def test_a_redirect_to_another_origin_is_refused_and_its_place_is_told(network: Network) -> None:
    elsewhere: list[Request] = []
    location = f"ws://anna:{SECRET}@elsewhere:80/there?token={SECRET}"
    async with (
        endpoint(
            network, quiet, host="elsewhere", process_request=lambda _, request: elsewhere.append(request)
        ),
        endpoint(network, quiet, process_request=to(location)),
        linked(Reading()) as (_, record),
    ):
        refused = await record.until(events.Refused, count=2)
    assert refused.why == (
        "HTTP 302 to ws://elsewhere:80/there, another origin: give that URL, or allow it with --allow-redirects"
    )
    assert (refused.status, refused.fatal) == (302, False)
    assert elsewhere == []


@virtual
async def test_a_redirect_that_is_allowed_takes_no_secret_along(network: Network, tmp_path: Path) -> None:
    elsewhere: list[Request] = []
    access = Access(
        token_file=written(tmp_path / "token", SECRET), header=(f"X-Key: {SECRET}",), allow_redirects=True
    )
    with nobody_is_shown_anything(elsewhere):
        async with (
            endpoint(
                network, quiet, host="elsewhere", process_request=lambda _, request: elsewhere.append(request)
            ),
            endpoint(network, quiet, process_request=to("ws://elsewhere:80/there")),
            linked(Reading(), access=access) as (_, record),
        ):
            await record.until(events.Connected)
    assert len(elsewhere) == 1
    assert [event.to for event in record.of(events.Redirected)] == ["ws://elsewhere:80/there"]


@virtual
async def test_a_redirect_from_wss_to_ws_is_never_followed(
    network: Network, tmp_path: Path, authority: trustme.CA
) -> None:
    access = Access(ca_file=pem(tmp_path / "ca.pem", authority.cert_pem), allow_redirects=True)
    async with (
        endpoint(network, quiet, ssl=tls_server(authority), process_request=to("ws://peer:80/there")),
        linked(Reading(), "wss://peer:80/", access=access) as (_, record),
    ):
        refused = await record.until(events.Refused)
    assert refused.why == "HTTP 302 to ws://peer:80/there, which is not encrypted: that is never followed"


@virtual
async def test_redirects_in_a_circle_end_after_five(network: Network) -> None:
    async with endpoint(network, quiet, process_request=to("/round")), linked(Reading()) as (_, record):
        refused = await record.until(events.Refused)
        assert len(record.of(events.Redirected)) == MOST_REDIRECTS
    assert refused.why == "HTTP 302 to ws://peer:80/round, after 5 others in a row"


@pytest.mark.parametrize(
    "location", ["mailto:x", "ftp://peer/", "ws://[", "ws://peer:99999/", "ws://peer/a b"]
)
@virtual
async def test_a_redirect_to_nowhere_is_one_more_refusal(network: Network, location: str) -> None:
    async with endpoint(network, quiet, process_request=to(location)), linked(Reading()) as (_, record):
        refused = await record.until(events.Refused)
    assert refused.why == "HTTP 302 to what is no WebSocket URL"


@virtual
async def test_the_password_of_a_url_goes_along_within_its_origin_and_not_beyond(network: Network) -> None:
    shown: list[tuple[str, str | None]] = []

    def look(connection: ServerConnection, request: Request) -> Response | None:
        shown.append((request.path, request.headers.get("Authorization")))
        answer: Response | None = to("http://peer/there")(connection, request)
        return answer

    async with (
        endpoint(network, quiet, process_request=look),
        linked(Reading(), f"ws://anna:{SECRET}@peer:80/") as (_, record),
    ):
        await record.until(events.Connected)
    assert [path for path, _ in shown] == ["/", "/there"]
    assert shown[0][1] == shown[1][1] is not None
    assert SECRET not in str(record)
