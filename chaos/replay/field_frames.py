"""The frames of a trace that kept them, as a recording that a scenario can show."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from chaos.scenario import Workload
from chaos.traces.reading import Trace
from simulator.recording import RecordingError, write_recording
from tracker.messages import BadMessage, Pose, decode_input
from tracker.timestamps import Clock
from tracker.user_files import write_private

_FILES = {"wall": "svg", "calibration": "json", "route": "json"}


def kept_frames(trace: Trace, folder: Path, stem: str, *, since: float, until: float) -> Workload | None:
    """Write the poses from `since` to `until`, in the trace's time, and their wall's files into `folder`.

    None where the trace kept no frames, or not all that goes with them.
    """
    if not trace.header.payloads:
        return None
    contents = {name: trace.header.content(name) for name in _FILES}
    if None in contents.values():
        return None
    recording = folder / f"{stem}.jsonl.gz"
    try:
        if not write_recording(recording, _poses(trace, since, until)):
            return None
    except RecordingError:
        return None
    for name, content in contents.items():
        write_private(folder / f"{stem}.{name}.{_FILES[name]}", content or b"")
    return beside(Workload(recording=recording), folder, stem)


def beside(workload: Workload, folder: Path, stem: str) -> Workload:
    """The workload with the recording and its wall's files by these names, in this folder."""
    return replace(
        workload,
        recording=folder / f"{stem}.jsonl.gz",
        wall=folder / f"{stem}.wall.svg",
        calibration=folder / f"{stem}.calibration.json",
        route=folder / f"{stem}.route.json",
    )


def _poses(trace: Trace, since: float, until: float) -> Iterator[bytes]:
    """Good poses whose timestamps rise: what the climb is made of."""
    newest = 0.0
    clock = Clock()
    for payload in trace.payloads():
        if payload.t > until:
            return
        data = payload.data
        if payload.link != "input" or data is None or payload.t < since:
            continue
        try:
            message = decode_input(data, clock)
        except BadMessage:
            continue  # the inference brings garbage back as a fault
        if isinstance(message, Pose) and message.timestamp > newest:
            newest = message.timestamp
            yield data
