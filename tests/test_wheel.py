"""The wheel by itself, far from this folder: each command works, or says which extra it lacks."""

import fcntl
import os
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions, requires
from pathlib import Path

import pytest

from tracker.extras import EXTRAS, how_to_get

pytestmark = pytest.mark.commands

ROOT = Path(__file__).parents[1]
NAME = "pose-session-tracker"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run of the tests, where what one worker has made is there for the others."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "of-the-wheel"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "lab" / "ready").exists():
            make(folder)
    return folder


def make(folder: Path) -> None:
    """The wheel, and two environments: with what the package asks for, and with the laboratory's extra."""
    # Not built from here: setuptools writes into the folder that it builds from.
    source = folder / "source"
    source.mkdir()
    for part in ("tracker", "simulator", "chaos", "pyproject.toml", "README.md", "LICENSE"):
        subprocess.run(["cp", "-r", ROOT / part, source], check=True)
    words = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    wheel = next(folder.glob("*.whl"))
    install(folder / "bare", wheel, [])
    install(folder / "lab", wheel, ["lab"])


def needed(name: str, extras: Sequence[str] = ()) -> set[str]:
    """The distributions, all that they need included, that come with one and its extras."""
    found: set[str] = set()
    for line in requires(name) or []:
        asked = re.match(r"[\w.-]+(?:\[[\w,-]*\])?", line)
        marker = re.search(r"extra == .([\w-]+).", line)
        if asked is None or (marker is not None and marker[1] not in extras):
            continue
        package, _, of_it = asked[0].removesuffix("]").partition("[")
        try:
            distribution(package)
        except PackageNotFoundError:
            continue  # for another machine
        found |= {package, *needed(package, of_it.split(","))}
    return found


def install(place: Path, wheel: Path, extras: Sequence[str]) -> None:
    """A fresh environment with the wheel and what it asks for."""
    venv.create(place, with_pip=False, symlinks=True)
    words = ("--python", place / "bin" / "python", "install", "--quiet", "--no-deps", "--no-index", wheel)
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    packages = next(place.glob("lib/python*/site-packages"))
    for name in needed(NAME, extras):
        files = distribution(name).files or []
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    (place / "away").mkdir()
    (place / "ready").touch()


def running(place: Path) -> Run:
    """How a command of that environment is run, without what this machine offers besides."""

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        away = place / "away"
        env = {"HOME": str(away), "PATH": "/usr/bin:/bin", "NO_COLOR": "1", "COLUMNS": "120"}
        command = (place / "bin" / words[0], *words[1:])
        return subprocess.run(command, cwd=away, env=env, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def bare(shared: Path) -> Run:
    return running(shared / "bare")


@pytest.fixture
def lab(shared: Path) -> Run:
    return running(shared / "lab")


def plain(name: str) -> str:
    return name.lower().replace("_", "-")


def test_the_table_of_extras_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    distributions = packages_distributions()
    for extra, lines in project["optional-dependencies"].items():
        if extra in {"dev", "cluster"}:  # the second is not there for development, and named like its module
            continue
        for line in lines:
            package = plain(re.split(r"[^\w.-]", line)[0])
            modules = {module for module, names in distributions.items() if package in map(plain, names)}
            assert modules & set(EXTRAS[extra]), f"{package} of the extra {extra} is not in the table"


def test_what_no_extra_brings_is_not_explained() -> None:
    assert how_to_get("json.nothing") is None
    assert how_to_get(None) is None


@pytest.mark.parametrize(
    "words", [("tracker",), ("tracker", "run"), ("tracker", "check"), ("tracker", "solve")]
)
def test_the_tracker_helps_by_itself(bare: Run, words: tuple[str, ...]) -> None:
    done = bare(*words, "-h")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: " + " ".join(words) in done.stdout
    assert "--help" in done.stdout


def test_the_tracker_works_by_itself(bare: Run, tmp_path: Path) -> None:
    from simulator.climber import generate_climb  # noqa: PLC0415 - needs the laboratory

    wall, calibration, route = map(str, generate_climb(3, holds=3).write_files(tmp_path))
    assert bare("tracker", "--version").stdout == f"tracker {distribution(NAME).version}\n"
    files = ("--wall", wall, "--calibration", calibration, "--route-data", route)
    done = bare("tracker", "check", *files)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "words", [("list",), ("chaos", "steady"), ("try", "--client", "tracker"), ("--version",)]
)
def test_the_laboratory_says_in_one_line_which_extra_it_lacks(bare: Run, words: tuple[str, ...]) -> None:
    done = bare("simtool", *words)
    assert re.fullmatch(r"simtool: needs \w+, which is not installed: pip install '.*\[lab\]'\n", done.stderr)
    assert (done.returncode, done.stdout) == (3, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--version",), "simtool "),
        (("-h",), "Usage: simtool"),
        (("toxiproxy", "-h"), "Usage: simtool toxiproxy"),
        (("list",), "half-open-output"),
        (("try", "--client", "websockets-iterator", "--engine", "sim"), "client websockets-iterator"),
        (("compare", "steady", "--client", "tracker", "--engine", "sim"), "1 pass"),
    ],
)
def test_with_the_extra_the_laboratory_works(lab: Run, words: tuple[str, ...], says: str) -> None:
    done = lab("simtool", *words)
    assert says in done.stdout
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("chaos", "reset", "--client", "aiohttp"), "[clients]", 2),
        (("chaos", "reset", "--engine", "toxiproxy"), "simtool toxiproxy install", 3),
        (("toxiproxy", "path"), "simtool toxiproxy install", 3),
        (("league",), "league", 2),
        (("check", "nothing.jsonl"), "nothing.jsonl", 2),
        (("replay", "nothing.jsonl"), "nothing.jsonl", 2),
    ],
)
def test_what_it_still_lacks_is_one_line_with_the_remedy(
    lab: Run, words: tuple[str, ...], says: str, code: int
) -> None:
    done = lab("simtool", *words)
    assert says in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.returncode == code


def test_a_profile_over_tls_says_which_extra_it_lacks(lab: Run, tmp_path: Path) -> None:
    profile = tmp_path / "profile.toml"
    profile.write_text("tls = true\n")
    words = ("chaos", "steady", "--client", "websockets-iterator", "--profile", profile, "--engine", "sim")
    done = lab("simtool", *words)
    assert "pip install 'pose-session-tracker[tls]'" in done.stderr
    assert done.returncode == 3


def test_a_newcomer_is_explained_words_and_given_a_scenario(lab: Run, tmp_path: Path) -> None:
    assert lab("simtool", "explain", "packetloss").stdout.startswith("packetloss is no name here; see loss")
    mine = tmp_path / "mine.toml"
    assert lab("simtool", "new", mine).returncode == 0
    done = lab("simtool", "chaos", mine, "--engine", "sim")
    assert (done.returncode, "1 pass" in done.stdout) == (0, True), done.stdout + done.stderr
