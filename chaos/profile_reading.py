"""A client's profile read from its file, strictly: every key is checked.                                      pure

The format is TOML. An unknown key is an error that names the nearest valid one.
"""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

from chaos.file_values import FileError, number, one_of, only, positive, subtable, switch, text, toml_tables
from chaos.nearest import unknown_name
from chaos.profile import KINDS, Kind, Limits, Profile, StopSignal
from chaos.scenario import PROMISES
from simulator.climber import MAX_FPS, MIN_FPS
from simulator.entrance import Entrance, Opening
from simulator.identity import ByPath, ByPattern, read_identity
from simulator.numbered import FILLER, NUMBER, SIZE, TEMPLATE, NumberedMessages

MOST_BYTES = 1_000_000
"""Of a message that the peer sends."""
RATES = 0.1, 1000
"""Messages a second."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A name as HTTP has it (RFC 9110, section 5.6.2)."""
_KEYS = (
    *("kind", "identity", "answers", "transforms", "tls", "stop_signal", "scales_itself", "not_judged"),
    *("messages", "connection", "opening", "limits"),
)


class ProfileError(ValueError):
    """A profile that cannot be used; the text is one line with the file or flag, the key, and the remedy."""


def parse_profile(text: str, file: Path) -> Profile:
    """The profile that `text` says; `file` is for the error's text. Raises `ProfileError`."""
    try:
        return _profile(toml_tables(text, "a profile"))
    except ValueError as error:
        raise ProfileError(f"{file}: {error}") from None


def with_flags(
    profile: Profile, *, kind: str | None = None, identity: str | None = None, poses: bool = False
) -> Profile:
    """The profile with what the command line says in place of it. Raises `ProfileError`."""
    try:
        if kind is not None:
            chosen = one_of({"--kind": kind}, "--kind", KINDS, "")
            profile = replace(profile, kind=chosen or profile.kind)
        if identity is not None:
            found = _identity({"--identity": identity}, "--identity")
            plain = profile.messages == NumberedMessages()
            # Of our own messages we know the place of the number: who has it elsewhere sends other bodies.
            transforms = profile.transforms or (plain and found != Profile().identity)
            profile = replace(profile, identity=found, transforms=transforms)
        if poses:
            profile = replace(profile, poses=True)
        _require_identity(profile)
    except FileError as error:
        raise ProfileError(str(error)) from None
    return profile


# One function a table, in the order of the file


def _profile(table: Mapping[str, object]) -> Profile:
    only(table, _KEYS, "")
    kind = one_of(table, "kind", KINDS, "") or Profile().kind
    identity = _identity(table, "identity") if "identity" in table else Profile().identity
    if kind == "receiver" and "identity" in table:
        raise FileError("identity is given, but a receiver sends no messages that could have a number")
    if "answers" in table and kind != "duplex":
        raise FileError(f"answers is given, but kind is {kind!r}: it says whose numbers a duplex sends")
    messages = subtable(table, "messages")
    if kind == "sender":
        for key in ("messages", "opening"):
            if key in table:
                raise FileError(f"[{key}] is given, but kind is 'sender': the peer sends it nothing")
    path, input_path, output_path, entrance = _connection(subtable(table, "connection"), kind)
    profile = Profile(
        kind=kind,
        identity=identity,
        answers=switch(table, "answers", ""),
        transforms=switch(table, "transforms", ""),
        messages=_messages(messages, numbered=identity is not None),
        rate=number(messages, "rate", RATES, "messages."),
        poses=switch(messages, "poses", "messages."),
        input_path=path or input_path or Profile().input_path,
        output_path=path or output_path or Profile().output_path,
        entrance=entrance,
        opening=_opening(subtable(table, "opening")),
        tls=switch(table, "tls", ""),
        stop_signal=one_of(table, "stop_signal", get_args(StopSignal), "") or Profile().stop_signal,
        scales_itself=switch(table, "scales_itself", ""),
        limits=_limits(subtable(table, "limits")),
        not_judged=_not_judged(table),
    )
    if profile.poses and profile.rate is not None and not MIN_FPS <= profile.rate <= MAX_FPS:
        raise FileError(f"messages.rate is {profile.rate:g}: of poses it must be from {MIN_FPS} to {MAX_FPS}")
    _require_identity(profile)
    return profile


def _identity(table: Mapping[str, object], key: str) -> ByPath | ByPattern | None:
    written = text(table, key, 'a path such as "data.sequence", a "/regular expression/", or "none"')
    try:
        return read_identity(written)
    except ValueError as error:
        raise FileError(f"{key}: {error}") from None


def _require_identity(profile: Profile) -> None:
    """Raises `FileError` where the client is to send on a number that the peer's messages do not have."""
    if profile.identity is None or profile.own_numbers or not profile.sends or profile.poses:
        return
    template = profile.messages.template
    if NUMBER not in template:
        raise FileError(
            f"messages.template has no {NUMBER}, so no message could be told from another: put it where the number"
            ' stands, or say identity = "none"'
        )
    example = profile.messages.message(12)
    if not profile.transforms and profile.identity.number_in(example) != 12:
        shown = example[:60].decode(errors="replace")
        raise FileError(
            f"identity is {str(profile.identity)!r}, and there the number is not in what the template makes: {shown!r}:"
            " name its place, or say transforms = true for a client that sends other bodies"
        )


def _messages(table: Mapping[str, object], *, numbered: bool) -> NumberedMessages:
    only(table, ["template", "format", "size", "rate", "poses"], "messages.")
    if table.get("poses") is True:
        for key in ("template", "format", "size"):
            if key in table:
                raise FileError(f"messages.{key} is given beside messages.poses: keep one of the two")
    binary = one_of(table, "format", ("text", "binary"), "messages.") == "binary"
    template = FILLER if binary and not numbered else TEMPLATE
    if "template" in table:
        template = text(table, "template", "the text of a message, with {n} for its number", "messages.")
    if template.count(FILLER) > 1:
        raise FileError(f"messages.template has {FILLER} more than once: one of them can be filled")
    size = number(table, "size", (1, MOST_BYTES), "messages.")
    if size is not None and size != int(size):
        raise FileError(f"messages.size is {size:g}: it must be a whole number of bytes")
    if FILLER not in template:
        if size is not None:
            raise FileError(f"messages.size is given, but the template has no {FILLER} that could be longer")
        return NumberedMessages(template, None, binary)
    messages = NumberedMessages(template, SIZE if size is None else int(size), binary)
    if size is not None and messages.shortest > size:
        raise FileError(
            f"messages.size is {size:g}: the template alone takes {messages.shortest} bytes: give more"
        )
    return messages


def _connection(
    table: Mapping[str, object], kind: Kind
) -> tuple[str | None, str | None, str | None, Entrance]:
    paths = ("input", "output") if kind == "relay" else ("path",)
    for key in ("input", "output", "path"):
        if key in table and key not in paths:
            has = "two links: name input and output" if kind == "relay" else "one link: name its path"
            raise FileError(f"connection.{key} is given, but a {kind} has {has}")
    only(table, [*paths, "query", "subprotocol", "headers", "token"], "connection.")
    given = {key: _path(table, key) for key in paths}
    if kind == "relay" and (given["input"] or Profile().input_path) == (
        given["output"] or Profile().output_path
    ):
        raise FileError("connection.input and connection.output are the same path: a relay has two links")
    subprotocol = None
    if "subprotocol" in table:
        subprotocol = text(table, "subprotocol", 'the name of one, as in "chat.v2"', "connection.")
        if not _TOKEN.fullmatch(subprotocol):
            raise FileError(f"connection.subprotocol is {subprotocol!r}: it must be one word as HTTP has it")
    query = ""
    if "query" in table:
        query = text(table, "query", 'pairs, as in "room=7&user=me"', "connection.").removeprefix("?")
        if not re.fullmatch(r"[\x21-\x22\x24-\x7e]+", query):
            raise FileError(f"connection.query is {query!r}: write it as in a URL, without spaces and #")
    entrance = Entrance(_headers(table), query, subprotocol)
    return given.get("path"), given.get("input"), given.get("output"), entrance


def _path(table: Mapping[str, object], key: str) -> str | None:
    if key not in table:
        return None
    path = text(table, key, 'a path, as in "/chat"', "connection.")
    if not re.fullmatch(r"/[\x21-\x22\x24-\x3e\x40-\x7e]*", path):
        raise FileError(
            f"connection.{key} is {path!r}: it must begin with / and have no spaces, ? and #; what follows a ? is"
            " connection.query"
        )
    return path


def _headers(table: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    headers = table.get("headers", {})
    if not isinstance(headers, dict):
        raise FileError(
            f"connection.headers is {headers!r}: it must be a table, as in {{ X-Api-Key = 'secret' }}"
        )
    found = []
    for name in headers:
        value = text(headers, name, "the header's value", "connection.headers.")
        if not _TOKEN.fullmatch(name):
            raise FileError(
                f"connection.headers has {name!r}, which is no header's name: letters, digits and hyphens"
            )
        found.append((name, _one_line(value, f"connection.headers.{name}")))
    if "token" in table:
        token = text(table, "token", "what stands behind Bearer", "connection.")
        if any(name.lower() == "authorization" for name, _ in found):
            raise FileError("connection.token is given beside the header Authorization: keep one of the two")
        found.append(("Authorization", f"Bearer {_one_line(token, 'connection.token')}"))
    return tuple(found)


def _one_line(value: str, where: str) -> str:
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise FileError(f"{where} is {value!r}: it must be one line of ASCII without spaces around it")
    return value


def _opening(table: Mapping[str, object]) -> Opening:
    only(table, [f.name for f in fields(Opening)], "opening.")
    said = {
        key: text(table, key, what, "opening.") if key in table else None
        for key, what in {
            "greeting": "what the peer says first",
            "subscription": "a regular expression that a client's first message matches",
            "answer": "what the peer says to a subscription",
        }.items()
    }
    if said["subscription"] is not None:
        try:
            re.compile(said["subscription"])
        except re.error as error:
            raise FileError(
                f"opening.subscription is {said['subscription']!r}: no regular expression: {error}"
            ) from None
    elif said["answer"] is not None:
        raise FileError("opening.answer is given without opening.subscription: say what it answers")
    return Opening(**said)


def _limits(table: Mapping[str, object]) -> Limits:
    names = [f.name for f in fields(Limits)]
    only(table, names, "limits.")
    return Limits(**{name: positive(table, name, "limits.") for name in names})


def _not_judged(table: Mapping[str, object]) -> tuple[str, ...]:
    names = table.get("not_judged", [])
    if not isinstance(names, list):
        raise FileError(f'not_judged is {names!r}: it must be a list of promises, as in ["clean-stop"]')
    for name in names:
        if name not in PROMISES:
            raise FileError(
                f"not_judged has {name!r}, which is no promise: {unknown_name(str(name), PROMISES)}"
            )
    return tuple(names)
