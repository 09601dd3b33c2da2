"""Where a command's results go: files that its options name."""

import os
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import typer

from chaos.commands.marked import replaced
from chaos.commands.run_folders import KEPT, Removed, hold, remove_oldest
from chaos.commands.usage import UsageError
from tracker.full_disk import is_full

_RUNS = Path("runs")


def require_writable(outputs: Mapping[str, str | None]) -> bool:
    """Whether one of the files, by the options that name them, is `-`, stdout.

    Asked before the runs are made, so that what cannot be written is said then. Raises `UsageError`.
    """
    for option, file in outputs.items():
        if file not in (None, "-"):
            path = Path(file)
            if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
                raise UsageError(
                    f"cannot write {option} {file}: choose a file in a folder that exists and can be written to"
                )
    to_stdout = [option for option, file in outputs.items() if file == "-"]
    if len(to_stdout) > 1:
        raise UsageError(f"{' and '.join(to_stdout)} are both -, stdout: write one of them to a file")
    return bool(to_stdout)


def write_output(option: str, to: str | None, content: bytes) -> None:
    """To the file that `option` names, if it names one; `-` is stdout. Raises `UsageError`."""
    if to == "-":
        sys.stdout.buffer.write(content)
    elif to is not None:
        try:
            Path(to).write_bytes(content)
        except OSError as error:
            if is_full(error):
                raise
            raise UsageError(f"cannot write {option} {to}: {error.strerror}: choose another file") from None


def rewritten(into: str, table: str, *, name: str) -> str:
    """The text of the file `into` with the table between its marks of that name. Raises `UsageError`."""
    try:
        return replaced(Path(into).read_text(encoding="utf-8"), table, into, name=name)
    except OSError as error:
        why = error.strerror
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    raise UsageError(f"cannot read --into {into}: {why}: name a file with the two marks")


def records_folder(chosen: Path | None) -> Path:
    """Where the records of the runs go: without a choice a new folder under runs/. It is not made yet."""
    if chosen is not None:
        return chosen
    # The wall clock names the folder; nothing inside depends on it.
    name = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
    folder = _RUNS / name
    number = 2
    while folder.exists():
        folder = _RUNS / f"{name}-{number}"
        number += 1
    return folder


def make_records_folder(folder: Path, *, chosen: bool, keep: int = KEPT) -> None:
    """Make it. Unless somebody chose it, `runs/latest` then leads there, and of `runs/` the newest `keep` stay.

    It is in use until this process ends. What was removed is said on stderr. Raises `UsageError`.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=chosen)  # what passed is in the records
        if not chosen:
            hold(folder)
            pointer = _RUNS / f".latest-{os.getpid()}"
            pointer.symlink_to(folder.name)
            pointer.replace(_RUNS / "latest")
    except OSError as error:
        if is_full(error):
            raise
        raise UsageError(
            f"cannot write records to {error.filename}: {error.strerror}: name a folder with --report or --trace"
        ) from None
    if not chosen:
        _say_removed(remove_oldest(_RUNS, keep), keep)


def _say_removed(removed: Removed, keep: int) -> None:
    if removed.gone:
        names = removed.gone[0].name
        if len(removed.gone) > 1:
            names = f"{len(removed.gone)} folders, {names} to {removed.gone[-1].name}"
        typer.echo(
            f"simtool: removed from {_RUNS}/: {names}; the newest {keep} stay, --keep N keeps more", err=True
        )
    for error in removed.failed:
        typer.echo(f"simtool: cannot remove {error.filename}: {error.strerror}: remove it by hand", err=True)


def on_github(annotations: Iterable[str], summary: str) -> None:
    """In a job of GitHub Actions: the annotations on stderr, the Markdown to the step's summary. Nothing elsewhere."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    for line in annotations:
        typer.echo(line, err=True)
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if place:
        try:
            with Path(place).open("a", encoding="utf-8") as file:
                file.write(summary)
        except OSError as error:
            raise UsageError(
                f"cannot write to GITHUB_STEP_SUMMARY, {place}: {error.strerror}: mend it, or unset it"
            ) from None
