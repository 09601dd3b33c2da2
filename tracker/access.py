"""How a tracker gets in at an endpoint: whom it trusts, who it says it is, and whether it lets itself be sent elsewhere.

Secrets come from files or from the environment, and are read anew for each attempt. None is ever logged, traced or
shown: an error names the file, and never what is in it.
"""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

from tracker.config import ConfigError
from tracker.events import LinkName
from tracker.user_files import read_whole

MOST_BYTES = 1_000_000
"""Of a file with a token, headers or certificates."""
THE_HANDSHAKES_OWN = frozenset(
    {"host", "upgrade", "connection", "content-length", "transfer-encoding", "sec-websocket-key"}
)

_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?")

_TOKENS = frozenset({"token_file", "token_env"})

Header = tuple[str, str]


class AccessError(ConfigError):
    """A file or variable that gives no access; one complete line, without a secret in it."""


@dataclass(frozen=True, slots=True)
class Papers:
    """What is shown in one attempt."""

    headers: tuple[Header, ...] = field(default=(), repr=False)
    certificate: bytes = field(default=b"", repr=False)
    """What the client's certificate and key were when they were read."""


@dataclass(frozen=True, slots=True)
class Access:
    """Of one endpoint. Raises `ConfigError` for what does not go together."""

    ca_file: str | None = None
    """PEM: the authorities that are trusted, in place of the system's."""
    cert_file: str | None = None
    """PEM: the client's own certificate, with its chain; the key too, unless there is a `key_file`."""
    key_file: str | None = None
    token_file: str | None = None
    """Its text is sent as `Authorization: Bearer`."""
    token_env: str | None = None
    """The name of the environment's variable that holds the token."""
    header: tuple[str, ...] = field(default=(), repr=False)
    """Further headers of the handshake, each `Name: value`."""
    header_file: str | None = None
    """The same, one a line."""
    allow_redirects: bool = False
    """Follow a redirect to another origin; nothing of the above but `ca_file` goes along."""

    def __post_init__(self) -> None:
        if self.key_file is not None and self.cert_file is None:
            raise ConfigError("--key-file without a certificate: name it too, --cert-file FILE")
        if self.token_file is not None and self.token_env is not None:
            raise ConfigError("there is a --token-file and a --token-env: give one of them")
        for line in self.header:
            _header(line, "--header")

    @property
    def renewable(self) -> bool:
        """Whether what is shown may be another tomorrow, because it comes from a file."""
        return any(file is not None for file in (self.token_file, self.header_file, self.cert_file))

    def papers(self) -> Papers:
        """Read what is to be shown. Raises `AccessError`."""
        headers = [_header(line, "--header") for line in self.header]
        if self.header_file is not None:
            lines = _text(self.header_file, "--header-file").splitlines()
            headers += [_header(line, f"--header-file {self.header_file}") for line in lines if line.strip()]
        token = self._token()
        if token is not None:
            headers.append(("Authorization", f"Bearer {token}"))
        names = [name.lower() for name, _ in headers]
        for name in names:
            if names.count(name) > 1:
                raise AccessError(f"the header {name} is given more than once: give one of them")
        files = [("--cert-file", self.cert_file), ("--key-file", self.key_file)]
        certificate = b"".join(_bytes(file, option) for option, file in files if file is not None)
        return Papers(tuple(headers), certificate)

    def _token(self) -> str | None:
        if self.token_env is not None:
            token = os.environ.get(self.token_env, "").strip()
            if not token:
                raise AccessError(
                    f"--token-env {self.token_env}: there is no such variable, or it is empty: set it"
                )
            return _printable(token, f"--token-env {self.token_env}")
        if self.token_file is None:
            return None
        token = _text(self.token_file, "--token-file").strip()
        if not token:
            raise AccessError(f"--token-file {self.token_file}: it is empty: write the token into it")
        return _printable(token, f"--token-file {self.token_file}")

    def tls(self, *, to_show: bool = True) -> ssl.SSLContext | None:
        """The context of a wss:// connection; None where the usual one will do. `to_show` False leaves the client's
        certificate out. Raises `AccessError`.
        """
        if self.ca_file is None and (self.cert_file is None or not to_show):
            return None
        try:
            authorities = None if self.ca_file is None else _text(self.ca_file, "--ca-file")
            context = ssl.create_default_context(cadata=authorities)
        except (ssl.SSLError, ValueError):
            raise AccessError(
                f"--ca-file {self.ca_file}: it holds no certificate in PEM: name the authority's file"
            ) from None
        if self.cert_file is not None and to_show:
            self._show_certificate(context)
        return context

    def _show_certificate(self, context: ssl.SSLContext) -> None:
        def no_password() -> str:
            raise AccessError(
                f"--key-file {self.key_file or self.cert_file}: the key is encrypted, and nobody is there to be asked:"
                " store it without a password, readable for the tracker alone"
            )

        assert self.cert_file is not None, "there is a certificate to show"
        try:
            context.load_cert_chain(self.cert_file, self.key_file, password=no_password)
        except OSError:
            raise AccessError(
                f"--cert-file {self.cert_file}: it holds no certificate in PEM with its key:"
                " name both (--cert-file, --key-file)"
            ) from None


OPTIONS: dict[str, type] = {
    f.name: bool if f.name == "allow_redirects" else list if f.name == "header" else str
    for f in fields(Access)
}
"""The fields of `Access` as settings, at the top of a file for all endpoints, and in a table for one."""


def accesses(settings: Mapping[str, Any]) -> dict[LinkName, Access]:
    """Of each endpoint: what is given for all, but for what its own table says. Raises `ConfigError`."""
    found: dict[LinkName, Access] = {}
    for link in get_args(LinkName):
        own = settings.get(link, {})
        replaced = _TOKENS if _TOKENS & own.keys() else frozenset()
        given = {name: settings[name] for name in OPTIONS if name in settings and name not in replaced} | own
        given["header"] = tuple(given.get("header", ()))
        found[link] = access = Access(**given)
        url = settings.get(f"{link}_websocket_url")
        if url:
            papers = access.papers()
            if _has_password(url) and any(name.lower() == "authorization" for name, _ in papers.headers):
                raise ConfigError(
                    f"the {link} URL has a password, and there is a token too: give one of them"
                )
            access.tls()
    return found


def on_the_command_line(given: Mapping[str, Any]) -> list[str]:
    """What every user of this machine can read in the list of processes, a line each, without the secret."""
    urls = [
        f"--{name.replace('_', '-')}"
        for name, url in given.items()
        if name.endswith("_url") and _has_password(url)
    ]
    secrets = [*(f"{option} has a password" for option in urls)]
    if any(
        line.partition(":")[0].strip().lower() in ("authorization", "cookie")
        for line in given.get("header", ())
    ):
        secrets.append("--header has credentials")
    return [
        f"{secret}, which every user of this machine can read in the list of processes:"
        " give it in a file (--config, --token-file, --header-file)"
        for secret in secrets
    ]


def _has_password(url: str) -> bool:
    return "@" in url.partition("://")[2].partition("/")[0]


def _header(line: str, where: str) -> Header:
    name, colon, value = line.partition(":")
    name, value = name.strip(), value.strip()
    if not colon or not _NAME.fullmatch(name):
        raise AccessError(
            f"{where}: a header is no 'Name: value': mend it"
        )  # not shown, for it may be a secret
    if not _VALUE.fullmatch(value):
        raise AccessError(f"{where}: the value of {name} must be printable ASCII on one line: mend it")
    if name.lower() in THE_HANDSHAKES_OWN or name.lower().startswith("sec-websocket-"):
        raise AccessError(f"{where}: {name} belongs to the handshake itself: leave it out")
    return name, value


def _printable(token: str, where: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise AccessError(f"{where}: a token is one word of printable ASCII: mend it")
    return token


def _text(path: str, option: str) -> str:
    try:
        return _bytes(path, option).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise AccessError(f"{option} {path}: it is no text: name another file") from None


def _bytes(path: str, option: str) -> bytes:
    try:
        return read_whole(Path(path), most=MOST_BYTES)
    except OSError as error:
        raise AccessError(f"{option} {path}: {error.strerror}: name a readable file") from None
