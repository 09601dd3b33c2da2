"""The console script `simtool`: what takes long to import comes after what catches an interrupt."""

import sys

from tracker.extras import how_to_get

EXIT_ABSENT = 3


def main() -> None:
    """Run the command line; an interrupt, and an extra that is not installed, are one line from the first moment on."""
    try:
        try:
            from chaos.commands.cli import main as command  # noqa: PLC0415 - see the module
        except ModuleNotFoundError as error:
            if (why := how_to_get(error.name)) is None:
                raise
            sys.stderr.write(f"simtool: {why}\n")
            sys.exit(EXIT_ABSENT)
        command()
    except KeyboardInterrupt:
        sys.stderr.write("simtool: interrupted\n")
        sys.exit(130)
