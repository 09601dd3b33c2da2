"""How a command of this project begins and ends: -h and --version; a mistake is one line on stderr, never a traceback."""

import os
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Annotated, NoReturn, Protocol, runtime_checkable

import typer

from tracker.full_disk import is_full
from tracker.printable import on_one_line
from tracker.terminal import filter_standard_streams

EXIT_USAGE = 2
EXIT_DISK_FULL = 4
TYPER_INTERRUPTED = 130


def new_app(name: str, about: str) -> typer.Typer:
    """A command line without commands yet: it and they know -h beside --help, and it says its --version."""
    app = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def say_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
        if asked:
            typer.echo(f"{name} {version('pose-session-tracker')}")
            raise typer.Exit

    @app.callback(help=about)
    def _(
        *,
        version: Annotated[
            bool,
            typer.Option("--version", callback=say_version, is_eager=True, help="Say which version this is."),
        ] = False,
    ) -> None: ...

    return app


@runtime_checkable
class InLines(Protocol):
    """A mistake that is several, such as all that is wrong with a file: a line for each."""

    @property
    def lines(self) -> tuple[str, ...]: ...


def run_command(
    app: typer.Typer, name: str, *, mistakes: Mapping[type[Exception], int], interrupted: int
) -> NoReturn:
    """Run a command line and exit. `mistakes` are the exceptions whose text is for the user, and their exit codes."""
    filter_standard_streams()
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
        if code == TYPER_INTERRUPTED:
            raise KeyboardInterrupt  # noqa: TRY301 - typer has taken one and says it with this code
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(f"{name}: interrupted", err=True)
        sys.exit(interrupted)
    except OSError as error:
        if not is_full(error):
            raise
        typer.echo(
            f"{name}: the disk is full ({error.strerror}): what was finished before is whole; make room and run it again",
            err=True,
        )
        _close_stdout()
        sys.exit(EXIT_DISK_FULL)
    except typer.TyperException as error:
        text = error.format_message() if hasattr(error, "format_message") else str(error)
        if text.strip():  # without any argument the help was shown, and there is no more to say
            typer.echo(f"{name}: {on_one_line(text)} ({name} --help says more)", err=True)
        sys.exit(EXIT_USAGE)
    except tuple(mistakes) as error:
        for line in error.lines if isinstance(error, InLines) else (str(error),):
            typer.echo(f"{name}: {on_one_line(line)}", err=True)
        sys.exit(next(code for kind, code in mistakes.items() if isinstance(error, kind)))
    sys.exit(code if isinstance(code, int) else 0)


def _close_stdout() -> None:
    """What is left in its buffer cannot be written, and Python would say so once more at its end."""
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - a device
        os.dup2(nothing.fileno(), sys.stdout.fileno())
