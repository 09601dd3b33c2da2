"""A member of a league made ready to run: its file copied into a folder of its own, its packages installed there."""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from chaos.clients.choose import COMMAND
from chaos.league.members import Language, Member, Player

BUILD_WITHIN = 600.0
"""Seconds that one line of a build may take."""
STAMP = "built"
"""The file of what was built; written last, so that a build that was interrupted is made again."""
SAID = "build.txt"
"""What the lines of the build wrote."""


class CannotBuildError(Exception):
    """What a client needs is not to be had on this machine; the text is one line that says what."""


def made_ready(member: Member, place: Path) -> Player:
    """The member, built in its folder under `place`; one that is built already is left as it is.

    Raises `CannotBuildError`.
    """
    for program in member.language.needs:
        if shutil.which(program) is None:
            raise CannotBuildError(f"there is no program {program!r} on this machine")
    runs_on = _version(member.language)
    if member.source is None:
        return Player(member, member.name, runs_on)
    folder = place / member.name
    source = member.source.read_bytes()
    wanted = hashlib.sha256(repr((source, member.packages, member.language, runs_on)).encode()).hexdigest()
    stamp = folder / STAMP
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / member.source.name).write_bytes(source)
        for line in member.language.build:
            _build(_words(line, member, Path()), folder)
        stamp.write_text(wanted)
    run = shlex.join(_words(member.language.run, member, folder))
    return Player(member, COMMAND + run, runs_on)


def _words(line: str, member: Member, folder: Path) -> list[str]:
    assert member.source is not None, "only what has a file is built and started by a line"
    places = {"{python}": sys.executable, "{source}": member.source.name, "{folder}": str(folder)}
    found: list[str] = []
    for word in shlex.split(line):
        found += member.packages if word == "{packages}" else [_filled(word, places)]
    return found


def _filled(word: str, places: Mapping[str, str]) -> str:
    for place, value in places.items():
        word = word.replace(place, value)
    return word


def _version(language: Language) -> str:
    said = _run(
        [_filled(word, {"{python}": sys.executable}) for word in shlex.split(language.version)], Path()
    )
    return said.splitlines()[0].strip() if said.strip() else language.name


def _build(words: list[str], folder: Path) -> None:
    said = _run(words, folder)
    with (folder / SAID).open("a") as file:
        file.write(f"$ {shlex.join(words)}\n{said}")


def _run(words: list[str], folder: Path) -> str:
    """What it wrote, on stdout and stderr. Raises `CannotBuildError`."""
    line = shlex.join(words)
    try:
        ended = subprocess.run(  # noqa: S603 - a line of the league's own file
            words,
            cwd=folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=BUILD_WITHIN,
            check=False,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise CannotBuildError(f"`{line}` cannot be started: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise CannotBuildError(f"`{line}` took more than {BUILD_WITHIN:g} s") from None
    if ended.returncode != 0:
        last = next((text.strip() for text in reversed(ended.stdout.splitlines()) if text.strip()), "nothing")
        raise CannotBuildError(
            f"`{line}` ended with exit code {ended.returncode}; it last wrote: {last[:200]}"
        )
    return ended.stdout
