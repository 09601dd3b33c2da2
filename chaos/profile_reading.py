"""A client's profile read from its file, strictly: every key is checked.                                      pure

The format is TOML. An unknown key is an error that names the nearest valid one.
"""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

from chaos.file_values import (
    FileError,
    Problems,
    RefusedFile,
    complaints,
    number,
    one_of,
    only,
    positive,
    subtable,
    switch,
    text,
    toml_tables,
)
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
TABLES: Mapping[str, tuple[str, ...]] = {
    "": ("kind", "identity", "answers", "transforms", "tls", "stop_signal", "scales_itself", "not_judged"),
    "messages": ("template", "format", "size", "rate", "poses"),
    "connection": ("input", "output", "path", "query", "subprotocol", "headers", "token"),
    "opening": tuple(f.name for f in fields(Opening)),
    "limits": tuple(f.name for f in fields(Limits)),
}
"""The keys of a profile, by table; those of a file's top first."""


class ProfileError(RefusedFile):
    """A profile that cannot be used; a line for each thing wrong has the file and line, or the flag, the key and the remedy."""


def parse_profile(text: str, file: Path) -> Profile:
    """The profile that `text` says; `file` is for the error's text. Raises `ProfileError`."""
    try:
        return _profile(toml_tables(text, "a profile"))
    except FileError as error:
        raise ProfileError(*complaints(error, text, file)) from None
    except ValueError as error:  # Python's own for a hexadecimal number too long to print in our text
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
    problems = Problems()
    gather = problems.gather
    plain = Profile()
    gather(None, only, table, [*TABLES[""], *filter(None, TABLES)], "")
    kind = gather(None, one_of, table, "kind", KINDS, "") or plain.kind
    identity = gather(plain.identity, _identity, table, "identity") if "identity" in table else plain.identity
    gather(None, _require_kind, table, kind)
    tables = {
        key: gather({}, subtable, table, key) for key in ("messages", "connection", "opening", "limits")
    }
    messages = tables["messages"]
    path, input_path, output_path, entrance = gather(
        (None, None, None, plain.entrance), _connection, tables["connection"], kind
    )
    profile = Profile(
        kind=kind,
        identity=identity,
        answers=gather(False, switch, table, "answers", ""),
        transforms=gather(False, switch, table, "transforms", ""),
        messages=gather(plain.messages, _messages, messages, numbered=identity is not None),
        rate=gather(None, number, messages, "rate", RATES, "messages."),
        poses=gather(False, switch, messages, "poses", "messages."),
        input_path=path or input_path or plain.input_path,
        output_path=path or output_path or plain.output_path,
        entrance=entrance,
        opening=gather(plain.opening, _opening, tables["opening"]),
        tls=gather(False, switch, table, "tls", ""),
        stop_signal=gather(plain.stop_signal, _stop_signal, table),
        scales_itself=gather(False, switch, table, "scales_itself", ""),
        limits=gather(plain.limits, _limits, tables["limits"]),
        not_judged=gather((), _not_judged, table),
    )
    if profile.poses and profile.rate is not None and not MIN_FPS <= profile.rate <= MAX_FPS:
        text = f"messages.rate is {profile.rate:g}: of poses it must be from {MIN_FPS} to {MAX_FPS}"
        problems.add(FileError(text, "messages", "rate"))
    if not problems.within("kind", "identity", "messages", "transforms"):
        gather(None, _require_identity, profile)
    problems.raise_any()
    return profile


def _stop_signal(table: Mapping[str, object]) -> StopSignal:
    return one_of(table, "stop_signal", get_args(StopSignal), "") or Profile().stop_signal


def _require_kind(table: Mapping[str, object], kind: Kind) -> None:
    """Raises where something is given that a client of this kind does not have."""
    if kind == "receiver" and "identity" in table:
        raise FileError(
            "identity is given, but a receiver sends no messages that could have a number", "identity"
        )
    if "answers" in table and kind != "duplex":
        raise FileError(
            f"answers is given, but kind is {kind!r}: it says whose numbers a duplex sends", "answers"
        )
    if kind == "sender":
        for key in ("messages", "opening"):
            if key in table:
                raise FileError(f"[{key}] is given, but kind is 'sender': the peer sends it nothing", key)


def _identity(table: Mapping[str, object], key: str) -> ByPath | ByPattern | None:
    written = text(table, key, 'a path such as "data.sequence", a "/regular expression/", or "none"')
    try:
        return read_identity(written)
    except ValueError as error:
        raise FileError(f"{key}: {error}", key) from None


def _require_identity(profile: Profile) -> None:
    """Raises `FileError` where the client is to send on a number that the peer's messages do not have."""
    if profile.identity is None or profile.own_numbers or not profile.sends or profile.poses:
        return
    template = profile.messages.template
    if NUMBER not in template:
        raise FileError(
            f"messages.template has no {NUMBER}, so no message could be told from another: put it where the number"
            ' stands, or say identity = "none"',
            *("messages", "template"),
        )
    example = profile.messages.message(12)
    if not profile.transforms and profile.identity.number_in(example) != 12:
        shown = example[:60].decode(errors="replace")
        raise FileError(
            f"identity is {str(profile.identity)!r}, and there the number is not in what the template makes: {shown!r}:"
            " name its place, or say transforms = true for a client that sends other bodies",
            "identity",
        )


def _messages(table: Mapping[str, object], *, numbered: bool) -> NumberedMessages:
    problems = Problems()
    gather = problems.gather
    gather(None, only, table, TABLES["messages"], "messages.")
    if table.get("poses") is True:
        for key in ("template", "format", "size"):
            if key in table:
                problems.add(_at("messages", key, "is given beside messages.poses: keep one of the two"))
    binary = gather(None, one_of, table, "format", ("text", "binary"), "messages.") == "binary"
    template = FILLER if binary and not numbered else TEMPLATE
    if "template" in table:
        what = "the text of a message, with {n} for its number"
        template = gather(template, text, table, "template", what, "messages.")
    if template.count(FILLER) > 1:
        problems.add(_at("messages", "template", f"has {FILLER} more than once: one of them can be filled"))
    size = gather(None, number, table, "size", (1, MOST_BYTES), "messages.")
    if size is not None and size != int(size):
        problems.add(_at("messages", "size", f"is {size:g}: it must be a whole number of bytes"))
    if size is not None and FILLER not in template:
        why = f"is given, but the template has no {FILLER} that could be longer"
        problems.add(_at("messages", "size", why))
    problems.raise_any()
    if FILLER not in template:
        return NumberedMessages(template, None, binary)
    messages = NumberedMessages(template, SIZE if size is None else int(size), binary)
    if size is not None and messages.shortest > size:
        why = f"is {size:g}: the template alone takes {messages.shortest} bytes: give more"
        raise _at("messages", "size", why)
    return messages


def _at(table: str, key: str, why: str) -> FileError:
    return FileError(f"{table}.{key} {why}", table, key)


def _connection(
    table: Mapping[str, object], kind: Kind
) -> tuple[str | None, str | None, str | None, Entrance]:
    problems = Problems()
    gather = problems.gather
    paths = ("input", "output") if kind == "relay" else ("path",)
    others = [key for key in ("input", "output", "path") if key not in paths]
    for key in others:
        if key in table:
            has = "two links: name input and output" if kind == "relay" else "one link: name its path"
            problems.add(_at("connection", key, f"is given, but a {kind} has {has}"))
    gather(None, only, table, TABLES["connection"], "connection.")
    given = {key: gather(None, _path, table, key) for key in paths}
    if kind == "relay" and (given["input"] or Profile().input_path) == (
        given["output"] or Profile().output_path
    ):
        why = "connection.input and connection.output are the same path: a relay has two links"
        problems.add(FileError(why, "connection", "output"))
    entrance = Entrance(
        gather((), _headers, table), gather("", _query, table), gather(None, _subprotocol, table)
    )
    problems.raise_any()
    return given.get("path"), given.get("input"), given.get("output"), entrance


def _subprotocol(table: Mapping[str, object]) -> str | None:
    if "subprotocol" not in table:
        return None
    subprotocol = text(table, "subprotocol", 'the name of one, as in "chat.v2"', "connection.")
    if not _TOKEN.fullmatch(subprotocol):
        raise _at("connection", "subprotocol", f"is {subprotocol!r}: it must be one word as HTTP has it")
    return subprotocol


def _query(table: Mapping[str, object]) -> str:
    if "query" not in table:
        return ""
    query = text(table, "query", 'pairs, as in "room=7&user=me"', "connection.").removeprefix("?")
    if not re.fullmatch(r"[\x21-\x22\x24-\x7e]+", query):
        raise _at("connection", "query", f"is {query!r}: write it as in a URL, without spaces and #")
    return query


def _path(table: Mapping[str, object], key: str) -> str | None:
    if key not in table:
        return None
    path = text(table, key, 'a path, as in "/chat"', "connection.")
    if not re.fullmatch(r"/[\x21-\x22\x24-\x3e\x40-\x7e]*", path):
        why = "it must begin with / and have no spaces, ? and #; what follows a ? is connection.query"
        raise _at("connection", key, f"is {path!r}: {why}")
    return path


def _headers(table: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    headers = table.get("headers", {})
    if not isinstance(headers, dict):
        why = f"is {headers!r}: it must be a table, as in {{ X-Api-Key = 'secret' }}"
        raise _at("connection", "headers", why)
    found = []
    for name in headers:
        value = text(headers, name, "the header's value", "connection.headers.")
        if not _TOKEN.fullmatch(name):
            why = f"has {name!r}, which is no header's name: letters, digits and hyphens"
            raise _at("connection", "headers", why)
        found.append((name, _one_line(value, f"connection.headers.{name}")))
    if "token" in table:
        token = text(table, "token", "what stands behind Bearer", "connection.")
        if any(name.lower() == "authorization" for name, _ in found):
            why = "is given beside the header Authorization: keep one of the two"
            raise _at("connection", "token", why)
        found.append(("Authorization", f"Bearer {_one_line(token, 'connection.token')}"))
    return tuple(found)


def _one_line(value: str, where: str) -> str:
    if not value.isascii() or not value.isprintable() or value != value.strip():
        why = f"{where} is {value!r}: it must be one line of ASCII without spaces around it"
        raise FileError(why, *where.split("."))
    return value


def _opening(table: Mapping[str, object]) -> Opening:
    problems = Problems()
    problems.gather(None, only, table, TABLES["opening"], "opening.")
    said = {
        key: problems.gather(None, text, table, key, what, "opening.") if key in table else None
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
            why = f"is {said['subscription']!r}: no regular expression: {error}"
            problems.add(_at("opening", "subscription", why))
    elif said["answer"] is not None and "subscription" not in table:
        problems.add(_at("opening", "answer", "is given without opening.subscription: say what it answers"))
    problems.raise_any()
    return Opening(**said)


def _limits(table: Mapping[str, object]) -> Limits:
    problems = Problems()
    problems.gather(None, only, table, TABLES["limits"], "limits.")
    limits = {name: problems.gather(None, positive, table, name, "limits.") for name in TABLES["limits"]}
    problems.raise_any()
    return Limits(**limits)


def _not_judged(table: Mapping[str, object]) -> tuple[str, ...]:
    names = table.get("not_judged", [])
    if not isinstance(names, list):
        why = f'not_judged is {names!r}: it must be a list of promises, as in ["clean-stop"]'
        raise FileError(why, "not_judged")
    problems = Problems()
    for name in names:
        if name not in PROMISES:
            near = unknown_name(str(name), PROMISES)
            problems.add(FileError(f"not_judged has {name!r}, which is no promise: {near}", "not_judged"))
    problems.raise_any()
    return tuple(names)
