"""How a command of this project ends: a mistake is one line on stderr and an exit code, never a traceback."""

import sys
from collections.abc import Mapping
from typing import NoReturn

import typer

EXIT_USAGE = 2
TYPER_INTERRUPTED = 130


def run_command(
    app: typer.Typer, name: str, *, mistakes: Mapping[type[Exception], int], interrupted: int
) -> NoReturn:
    """Run a command line and exit. `mistakes` are the exceptions whose text is for the user, and their exit codes."""
    try:
        code = app(standalone_mode=False)
        if code == TYPER_INTERRUPTED:
            raise KeyboardInterrupt  # noqa: TRY301 - typer has taken one and says it with this code
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(f"{name}: interrupted", err=True)
        sys.exit(interrupted)
    except typer.TyperException as error:
        text = error.format_message() if hasattr(error, "format_message") else str(error)
        if text.strip():  # without any argument the help was shown, and there is no more to say
            typer.echo(f"{name}: {_one_line(text)} ({name} --help says more)", err=True)
        sys.exit(EXIT_USAGE)
    except tuple(mistakes) as error:
        typer.echo(f"{name}: {_one_line(str(error))}", err=True)
        sys.exit(next(code for kind, code in mistakes.items() if isinstance(error, kind)))
    sys.exit(code if isinstance(code, int) else 0)


def _one_line(text: str) -> str:
    """Whatever is quoted in it: a path may hold a line break."""
    return " ".join(text.split())
