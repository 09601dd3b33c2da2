"""Requests to a Toxiproxy server, and what its answers mean: the one file that knows the control client.

Of toxiproxy-python only the lowest class is used, and nothing of it shows: what stands above that in the library has no
time-out, lists all proxies before it makes one (a listing can hang), takes a 500 for an answer and cannot change a
toxic.
"""

import math
from collections.abc import Mapping
from typing import Any

from toxiproxy import Toxiproxy
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from chaos.toxiproxy.toxics import ToxiproxyError


def point_to(host: str, port: int) -> None:
    """Where requests go from now on; the library has one address for all of a process."""
    Toxiproxy().update_api_consumer(host, port)


def request(method: str, path: str, body: Mapping[str, object] | None, limit: float) -> tuple[int, bytes]:
    """The status and the server's own words, which the library's errors carry along. Blocks for `limit` seconds at most."""
    # Without this, HTTP_PROXY in the environment would be asked for a loopback address.
    options: dict[str, Any] = {"timeout": limit, "proxies": {"http": "", "all": ""}}
    if body is not None:
        options["json"] = body
    send = {"GET": APIConsumer.get, "POST": APIConsumer.post, "DELETE": APIConsumer.delete}[method]
    try:
        response = send(path, **options)
    except NotFound as error:
        return 404, error.args[0]
    except ProxyExists as error:  # any 409
        return 409, error.args[0]
    except InvalidToxic as error:  # any 400
        return 400, error.args[0]
    return response.status_code, response.content


def remedy(status: int, said: str) -> str:
    """What to do about an answer that is an error."""
    if "address already in use" in said:
        return "free that port, or take another; port 0 takes a free one"
    if status == 503:
        return "a toxic or a client that does not read holds the proxy; let it read, or end the server"
    return {
        "proxy already exists": "take another name, or a server of your own",
        "toxic already exists": "update or remove that one, or give this one a name",
        "proxy not found": "somebody closed it; create it again",
        "toxic not found": "somebody removed it; add it again",
    }.get(said, "that was not foreseen; compare the request with the API of Toxiproxy 2.12")


def read_back(what: str, asked: Mapping[str, object], answer: object) -> None:
    """Raises ToxiproxyError where the server has not what was asked: it passes over what it does not know in silence."""
    has = answer if isinstance(answer, dict) else {}
    for key, value in asked.items():
        now = has.get(key)
        if isinstance(value, float) and isinstance(now, int | float):
            same = math.isclose(value, now, rel_tol=1e-6)  # the server's single precision
        else:
            same = now == value
        if not same:
            raise ToxiproxyError(
                f"{what}: {key} should be {value!r}, and the server has {now!r}: is it another version than 2.12?"
            )


def innermost(error: BaseException) -> str:
    """Of a chain of wrapped errors the first, which is the one that says what happened."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return str(error) or type(error).__name__
