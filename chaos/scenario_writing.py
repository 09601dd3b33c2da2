"""A scenario written as TOML: `scenario_reading.parse` reads back exactly what was written.                          pure"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from chaos.controls import TimedControl
from chaos.durations import format_duration
from chaos.faults import Fault
from chaos.kinds import Value
from chaos.scenario import LEAN_FPS, ONLY_VIRTUAL, Expect, Peer, Scenario, Workload

WIDTH = 108
"""Characters of a comment's line."""


def write(
    scenario: Scenario,
    *,
    folder: Path | None = None,
    comments: Mapping[int, str] | None = None,
    remark: str = "",
) -> str:
    """The file's text. `comments` says something about faults, by their place, and `remark` about the whole; a recording
    is named as seen from `folder`.

    Repeated faults are written out one by one. Defaults are left out.
    """
    lines = [
        *_wrapped(remark),
        f"name = {_quoted(scenario.name)}",
        f"about = {_quoted(scenario.about)}",
        f"stresses = {_listed(scenario.stresses)}",
        f"duration = {_duration(scenario.duration)}",
        *(
            []
            if scenario.sim_only is None or _follows(scenario)
            else [f"sim_only = {_quoted(scenario.sim_only)}"]
        ),
        *([] if scenario.schedule is None else [f"schedule = {scenario.schedule}"]),
        *([] if scenario.preset is None else [f"preset = {_quoted(scenario.preset)}"]),
        *_table("workload", _workload(scenario.workload, folder)),
        *_table("peer", _peer(scenario.peer)),
        *_table("client", _client(scenario)),
    ]
    for place, fault in enumerate(scenario.faults):
        comment = (comments or {}).get(place, "")
        lines += ["", *_wrapped(comment), "[[faults]]", *_fault(fault)]
    for control in scenario.controls:
        lines += ["", "[[controls]]", *_control(control)]
    lines += _table("expect", _expect(scenario.expect))
    return "\n".join(lines) + "\n"


def _follows(scenario: Scenario) -> bool:
    """Whether the reason why it is for virtual time alone is that of its schedule."""
    return scenario.schedule is not None and scenario.sim_only == ONLY_VIRTUAL


def _table(name: str, entries: Sequence[str]) -> list[str]:
    return ["", f"[{name}]", *entries] if entries else []


def _workload(workload: Workload, folder: Path | None) -> list[str]:
    default = Workload()
    lines = []
    for key in ("recording", "wall", "calibration", "route"):
        path: Path | None = getattr(workload, key)
        if path is not None:
            inside = folder is not None and path.is_relative_to(folder)
            lines.append(f"{key} = {_quoted(str(path.relative_to(folder) if inside and folder else path))}")
    if workload.kind != default.kind:
        lines.append(f"kind = {_quoted(workload.kind)}")
    if workload.fps != (LEAN_FPS if workload.kind == "lean" else default.fps):
        lines.append(f"fps = {workload.fps!r}")
    if workload.holds != default.holds:
        lines.append(f"holds = {workload.holds}")
    if workload.reset_at:
        lines.append(f"reset_at = [{', '.join(map(_duration, workload.reset_at))}]")
    if workload.clients != default.clients:
        lines.append(f"clients = {workload.clients}")
    return lines


def _peer(peer: Peer) -> list[str]:
    lines = []
    if peer.confirm != Peer().confirm:
        lines.append(f"confirm = {_quoted(peer.confirm)}")
    if peer.echo:
        lines.append("echo = true")
    return lines


def _client(scenario: Scenario) -> list[str]:
    client = scenario.client
    lines = [f"{key} = {_duration(seconds)}" for key, seconds in client.timing.items()]
    lines += [f"outbox_{key} = {count}" for key, count in client.outbox.items()]
    if client.confirm is not None:
        lines.append(f"confirm = {_quoted(client.confirm)}")
    if client.overflow is not None:
        lines.append(f"overflow = {_quoted(client.overflow)}")
    return lines


def _fault(fault: Fault) -> Iterator[str]:
    yield f"at = {_duration(fault.at)}"
    if fault.duration is not None and fault.spec.lasts != "never":
        yield f"for = {_duration(fault.duration)}"
    if fault.on is not None:
        yield f"on = {_quoted(fault.on)}"
    yield f"kind = {_quoted(fault.kind)}"
    if fault.direction != "both":
        yield f"direction = {_quoted(fault.direction)}"
    if fault.toxicity != 1:
        yield f"toxicity = {fault.toxicity!r}"
    for name, value in fault.attributes.items():
        if value != fault.spec.attributes[name].default:
            yield f"{name} = {_value(value)}"


def _control(control: TimedControl) -> Iterator[str]:
    message = control.message
    yield f"at = {_duration(control.at)}"
    if control.on != "control":
        yield f"on = {_quoted(control.on)}"
    yield f"message = {_quoted(message.kind)}"
    if message.proximity_threshold is not None:
        yield f"proximity_threshold = {message.proximity_threshold!r}"
    if message.touch_duration is not None:
        yield f"touch_duration = {_duration(message.touch_duration)}"
    if message.nested:
        yield "nested = true"


def _expect(expect: Expect) -> list[str]:
    given = {
        "detect_within": expect.detect_within,
        "recover_within": expect.recover_within,
        "longest_silence": expect.longest_silence,
    }
    lines = [f"{key} = {_duration(seconds)}" for key, seconds in given.items() if seconds is not None]
    if expect.ends is not None:
        lines.append(f"ends = {_quoted(expect.ends)}")
    return [*lines, "keeps_connections = true"] if expect.keeps_connections else lines


# Values


def _value(value: Value) -> str:
    if isinstance(value, int):
        return str(value)
    return _quoted(value) if isinstance(value, str) else _listed(value)


def _listed(texts: Sequence[str]) -> str:
    return "[" + ", ".join(map(_quoted, texts)) + "]"


def _quoted(text: str) -> str:
    # TOML's basic strings are JSON's, but for the control character 127.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _duration(seconds: float) -> str:
    return _quoted(format_duration(seconds))


def _wrapped(comment: str) -> list[str]:
    """A comment of one or more lines; whatever it quotes, no line break gets out of it."""
    lines, line = [], ""
    for word in "".join(c if c.isprintable() else " " for c in comment).split():
        if line and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [f"# {text}" for text in [*lines, line] if text]
