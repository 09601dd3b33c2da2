"""Who plays in a league, read from its file, strictly: every key is checked.                                pure

The format is TOML. An unknown key is an error that names the nearest valid one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.file_values import FileError, only, subtable, subtables, text, toml_tables
from chaos.nearest import unknown_name
from chaos.scenario import PROMISES

_VERSIONED = re.compile(r"(?P<name>@?[^@=]+)(?:==|@=?)v?(?P<version>[^@=]+)")
"""A package as pip, npm, cargo and go name one of a version."""


class LeagueError(ValueError):
    """A league that cannot be played; the text is one line with the file, the key, and the remedy."""


@dataclass(frozen=True, slots=True)
class Language:
    """What the clients of one language have in common. Lines are split into words as a shell does.

    In them stand `{python}`, the interpreter that runs us, `{source}`, the name of the client's file, and
    `{packages}`, as many words as it has.
    """

    name: str
    needs: tuple[str, ...]
    """Programs that must be on PATH."""
    version: str
    """A line whose first line of output says on what the clients run."""
    build: tuple[str, ...]
    """Lines, each run in the client's own folder, where a copy of its file lies."""
    run: str
    """A line that also has `{folder}`, and `{input}` and `{output}` as every command of a client."""


@dataclass(frozen=True, slots=True)
class Member:
    """A client that plays."""

    name: str
    language: Language
    source: Path | None
    """Its file; None: it comes with the laboratory, and has the same name there."""
    packages: tuple[str, ...]
    """With their versions, as the language's package manager names them; the first is the library."""
    library: str
    """The library and its version, for the table."""
    mends: Mapping[str, str]
    """By promise, or by scenario: the setting of the library with which it would be kept, or passed."""


@dataclass(frozen=True, slots=True)
class Player:
    """A member that is ready."""

    member: Member
    client: str
    """As `chaos.clients.choose` reads it."""
    runs_on: str
    """What its language's own program says of itself."""


@dataclass(frozen=True, slots=True)
class League:
    """All of it."""

    scenarios: tuple[str, ...]
    """Those that are played where no others are asked for."""
    members: tuple[Member, ...]

    def chosen(self, names: Iterable[str]) -> "tuple[Member, ...]":
        """The members of these names in the league's order; all of them where none is named. Raises `LeagueError`."""
        known = [member.name for member in self.members]
        wanted = list(names)
        for name in wanted:
            if name not in known:
                raise LeagueError(f"no client {name!r} plays in the league: {unknown_name(name, known)}")
        return tuple(member for member in self.members if not wanted or member.name in wanted)


def parse_league(written: str, file: Path) -> League:
    """The league as it is written in `file`; sources lie beside that. Raises `LeagueError`."""
    try:
        return _league(toml_tables(written, "a league"), file.parent)
    except FileError as error:
        raise LeagueError(f"{file}: {error}") from None


def _league(table: Mapping[str, object], folder: Path) -> League:
    only(table, ["scenarios", "languages", "clients"], "")
    languages = {
        name: _language(name, subtable(subtable(table, "languages"), name))
        for name in subtable(table, "languages")
    }
    scenarios = _texts(table, "scenarios", "")
    members = [
        _member(entry, languages, folder, scenarios) for entry in subtables(table, "clients", "client")
    ]
    for place, member in enumerate(members):
        if member.name in [other.name for other in members[:place]]:
            raise FileError(f"two clients are named {member.name!r}: rename one of them")
    return League(scenarios, tuple(members))


def _language(name: str, table: Mapping[str, object]) -> Language:
    where = f"languages.{name}."
    only(table, ["needs", "version", "build", "run"], where)
    run = text(table, "run", "the line that starts a client, with {folder}, {input} and {output}", where)
    for place in ("{input}", "{output}"):
        if place not in run:
            raise FileError(f"{where}run has no {place}: put it where the client takes that URL")
    return Language(
        name,
        _texts(table, "needs", where),
        text(table, "version", 'a line that says the version, as in "node --version"', where),
        _texts(table, "build", where),
        run,
    )


def _member(
    table: Mapping[str, object], languages: Mapping[str, Language], folder: Path, scenarios: Sequence[str]
) -> Member:
    only(table, ["name", "language", "source", "packages", "library", "mends"], "clients.")
    name = text(table, "name", "a name of its own", "clients.")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise FileError(
            f"clients.name is {name!r}: small letters, digits and hyphens, as it names a folder too"
        )
    where = f"clients.{name}."
    spoken = text(table, "language", "one of those that the file has under languages", where)
    if spoken not in languages:
        raise FileError(f"{where}language is {spoken!r}: {unknown_name(spoken, languages)}")
    packages = _texts(table, "packages", where)
    source = folder / text(table, "source", "the path of its file", where) if "source" in table else None
    mends = subtable(table, "mends")
    only(mends, [*PROMISES, *scenarios], f"{where}mends.")
    return Member(
        name,
        languages[spoken],
        source,
        packages,
        _library(table, packages, where),
        {broken: text(mends, broken, "what would mend it", f"{where}mends.") for broken in mends},
    )


def _library(table: Mapping[str, object], packages: tuple[str, ...], where: str) -> str:
    for package in packages:
        if _VERSIONED.fullmatch(package) is None:
            raise FileError(
                f"{where}packages has {package!r} without a version: pin it, as in ws@8.18.0 or tornado==6.5"
            )
    if "library" in table or not packages:
        return text(table, "library", "its name, as there are no packages", where)
    found = _VERSIONED.fullmatch(packages[0])
    assert found is not None, "each package has a version"
    return f"{found['name']} {found['version']}"


def _texts(table: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
    """A list of texts; empty where the key is not there."""
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
        raise FileError(f"{where}{key} is {values!r}: it must be a list of texts in quotes")
    return tuple(values)
