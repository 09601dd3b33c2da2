"""`simtool new`: a scenario of one's own to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from chaos import catalogue
from chaos.commands.usage import UsageError
from chaos.glossary.starting import renamed, starting_scenario
from chaos.scenario import NAME
from chaos.scenario_reading import parse


def new(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.toml", help="Where to write it; it must not be there.")
    ],
    *,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="NAME|FILE", help="A scenario to begin with, in place of a commented one."
        ),
    ] = None,
) -> None:
    """Write a scenario to begin with: commented, and it runs as it is."""
    name = file.stem
    if file.suffix != ".toml" or not NAME.fullmatch(name):
        raise UsageError(
            f"cannot write {file}: a scenario's file is named in lower-case words joined by hyphens, and ends in .toml,"
            " as in slow-lift.toml"
        )
    written = starting_scenario(name) if from_ is None else renamed(catalogue.source(from_)[0], name)
    parse(written, file)  # one that cannot be read is told before anything is written
    try:
        with file.open("x", encoding="utf-8") as to:
            to.write(written)
    except FileExistsError:
        raise UsageError(f"{file} is there already: name another file, or remove it first") from None
    except OSError as error:
        raise UsageError(
            f"cannot write {file}: {error.strerror}: name a file in a folder that exists"
        ) from None
    typer.echo(f"wrote {file}: run it with `simtool chaos {file} --engine sim`", err=True)
