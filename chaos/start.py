"""The console script `simtool`: what takes long to import comes after what catches an interrupt."""

import sys


def main() -> None:
    """Run the command line; an interrupt is one line from the first moment on."""
    try:
        from chaos.commands.cli import main as command  # noqa: PLC0415 - see the module

        command()
    except KeyboardInterrupt:
        sys.stderr.write("simtool: interrupted\n")
        sys.exit(130)
