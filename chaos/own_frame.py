"""Where in a user's own files an exception came from."""

import os.path
import site
import sysconfig
import traceback
from functools import lru_cache
from pathlib import Path

_PATHS = ("stdlib", "platstdlib", "purelib", "platlib")


def own_frame(error: BaseException) -> str:
    """The innermost line of the user's own that `error` passed through, as in `relay.py:12`; empty where there is none.

    Not the user's own are the interpreter's library, what is installed, and this project's packages. The path is relative
    to the current directory where the file is below it.
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(os.path.realpath(frame.filename))
        if file.is_file() and not any(file.is_relative_to(folder) for folder in _not_own()):
            here = Path.cwd().resolve()
            shown = file.relative_to(here) if file.is_relative_to(here) else file
            return f"{shown}:{frame.lineno}"
    return ""


@lru_cache(maxsize=1)
def _not_own() -> tuple[Path, ...]:
    ours = Path(__file__).resolve().parent.parent
    installed = [sysconfig.get_path(name) for name in _PATHS]
    installed += [*site.getsitepackages(), site.getusersitepackages()]
    return (
        *(ours / package for package in ("chaos", "simulator", "tracker")),
        *(Path(folder).resolve() for folder in installed),
    )
