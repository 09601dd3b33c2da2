"""The console script `tracker`: what takes long to import comes after what catches an interrupt."""

import signal
import sys


def main() -> None:
    """Run the command line; an interrupt is one line from the first moment on."""
    if sys.argv[1:2] == ["run"] and hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a reload that comes before there is anything to reload
    try:
        from tracker.cli import main as command  # noqa: PLC0415 - see the module

        command()
    except KeyboardInterrupt:
        sys.stderr.write("tracker: interrupted\n")
        sys.exit(1)
