"""The scenarios that come with the laboratory, by name."""

from importlib.resources import as_file, files
from pathlib import Path

from chaos.kinds import KINDS
from chaos.nearest import nearest, unknown_name
from chaos.scenario import PROMISES, Scenario, ScenarioError
from chaos.scenario_reading import parse
from chaos.text_files import text_of

FEW = 5
"""Scenarios that an error names."""
_FOLDER = files("chaos") / "scenarios"
_ORDER = (
    *("steady", "latency-below-limit", "latency-spike", "latency-ramp", "lossy-link", "short-outages"),
    "loss-bursts",
    *("half-open-output", "unreachable-output", "half-open-input"),
    *("idle-links", "forgotten-by-nat", "mtu-black-hole"),
    *("one-way-upstream", "one-way-downstream", "swallowing-proxy"),
    *("reset", "new-address", "clean-drop", "half-closed", "flapping", "stable-then-cut", "long-outage"),
    *("silent-is-not-stable", "lost-on-the-way-out", "lost-acks", "acks-without-pongs", "fire-and-forget"),
    *("small-outbox", "only-touches-left", "block-when-full", "outbox-full-ends", "narrow-window"),
    *("slow-link", "bufferbloat", "crowded-input", "full-buffer"),
    *("stalled-reader", "cut-mid-frame", "sliced", "slow-close"),
    *(
        "echo-backlog",
        "crowded-pongs",
        "silent-pong",
        "wrong-pong",
        "fragments",
        "close-codes",
        "accept-then-close",
    ),
    *("refused-start", "handshake-503", "retry-after", "retry-after-date", "retry-after-hours"),
    *("retry-after-nonsense", "no-answer", "trickled-handshake", "late-accept"),
    *("redirects", "token-expires", "rolling-restart"),
    *("name-look-ups", "dead-first-address"),
    *("handshake-401", "handshake-403", "handshake-404"),
    *("slow-handshake", "server-restart"),
    *("garbage-input", "large-messages", "huge-messages", "refused-as-too-large", "compression"),
    *("burst", "blocked-loop", "suspended", "clock-set", "lid-opened-elsewhere"),
    *("poison-message", "control-messages", "control-link-cuts"),
    *("reset-during-outage", "reconnect-herd"),
    *("stop", "stop-under-fault", "stop-without-input"),
    *("stop-over-a-slow-link", "stop-while-full", "stop-with-a-full-buffer"),
)


def names() -> tuple[str, ...]:
    """Every name in the catalogue, like beside like: delays, silence, ends, slowness, the peer, the client."""
    there = {entry.name.removesuffix(".toml") for entry in _FOLDER.iterdir() if entry.name.endswith(".toml")}
    return (*(name for name in _ORDER if name in there), *sorted(there.difference(_ORDER)))


def find(name_or_file: str) -> Scenario:
    """The scenario of this name in the catalogue or, for a text with a slash or the ending .toml, in this file.

    Raises ScenarioError; for an unknown name it says the nearest.
    """
    return parse(*source(name_or_file))


def source(name_or_file: str) -> tuple[str, Path]:
    """Its text as it was written, comments included, and its file. Raises ScenarioError, as `find` does."""
    if "/" in name_or_file or name_or_file.endswith(".toml"):
        return _text(Path(name_or_file)), Path(name_or_file)
    known = names()
    if name_or_file not in known:
        raise ScenarioError(
            f"{name_or_file!r} is no scenario: {_instead(name_or_file)}"
            " (a file of your own is named with its ending, .toml)"
        )
    with as_file(_FOLDER / f"{name_or_file}.toml") as file:
        return _text(file), file


def with_kind(kind: str) -> tuple[str, ...]:
    """The names of the scenarios in which a fault of this kind strikes."""
    return tuple(each.name for each in everything() if any(fault.kind == kind for fault in each.faults))


def stressing(promise: str) -> tuple[str, ...]:
    """The names of the scenarios that put this promise under stress."""
    return tuple(each.name for each in everything() if promise in each.stresses)


def _instead(word: str) -> str:
    """Where a word leads that is no scenario's name."""
    if word in KINDS:
        return f"it is a kind of fault, which strikes in {_few(with_kind(word))}"
    if word in PROMISES:
        return f"it is a promise, which is under stress in {_few(stressing(word))}"
    return unknown_name(word, names()) if nearest(word, names()) else "`simtool list` has them all"


def _few(scenarios: tuple[str, ...]) -> str:
    return ", ".join(scenarios[:FEW]) + (" and others" if len(scenarios) > FEW else "") or "no scenario yet"


def everything() -> tuple[Scenario, ...]:
    """The whole catalogue, in the order of `names`."""
    return tuple(find(name) for name in names())


def load(file: Path) -> Scenario:
    """The scenario in `file`. Raises ScenarioError, also for a file that cannot be read."""
    return parse(_text(file), file)


def _text(file: Path) -> str:
    return text_of(file, "a scenario's TOML file", ScenarioError)
