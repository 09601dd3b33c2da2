"""Traces of every kind, read as the tracker's events: its own, the laboratory's records, and others' logs.

A trace is never held in memory, whatever its size. What is cut off or corrupt is left out, and said.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

import msgspec

from chaos import history
from chaos.answer import Answer
from chaos.history import HistoryEvent, SocketsSeen
from chaos.traces.files import TraceError, first_bytes, open_lines
from chaos.traces.log_events import as_events
from chaos.traces.log_kinds import KINDS, LogName, kind_of
from chaos.traces.log_survey import Survey
from chaos.traces.problems import Problems
from chaos.traces.wire import Entry
from tracker.trace_format import BEGINNING, Payload, restored

__all__ = ["Anchor", "Format", "Header", "Problems", "Trace", "TraceError", "open_trace"]

Format = Literal["auto", "trace", "websockets-log", "websocket-client-log", "har"]
Kind = Literal["trace", "history"] | LogName

TRACE_SCHEMAS = ("tracker.trace/1", "tracker.trace/2")
RECORD_SCHEMAS = tuple(dict.fromkeys(("simtool.history/1", history.SCHEMA)))

_PART = re.compile(r"(?P<base>.+?)(?:\.\d+)?(?:\.gz)?$")
_PAYLOAD = b'{"event":"payload"'
_UNKNOWN_KIND = "at `$.event`"  # how the decoder words it
_VERSIONS = ("tracker", "websockets", "python", "host", "loop")


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the wall clock said at loop time `t`."""

    t: float
    epoch_ms: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]
    utc_offset_s: Annotated[int, msgspec.Meta(gt=-86_400, lt=86_400)] | None = None
    """Of the host's local time; None: it is not known."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a trace says about itself; what its kind has not is None or empty."""

    schema: str
    stream: str | None = None
    part: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the tracker, the library, Python, the host's system and its event loop."""
    config: Mapping[str, Any] | None = None
    """The tracker's configuration as JSON shows it; durations in seconds of the trace's clock."""
    rules: Mapping[str, Any] | None = None
    """The touch rule, and what the outputs were asked to hold."""
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    payloads: bool = False
    """Whether the input's messages were kept."""
    anchor: Anchor | None = None
    keepalive: Mapping[str, float] = field(default_factory=dict)
    """What a log of the library shows of its `ping_interval` and `ping_timeout`, in seconds."""
    scenario: str | None = None
    engine: str | None = None
    client: str = "tracker"
    role: history.Role = "tracker"
    numbering: history.Numbering = "relayed"
    not_judged: tuple[str, ...] = ()
    """Of the client; only a tracker reports what it does."""
    seed: int | None = None
    preset: str | None = None
    sockets_seen: SocketsSeen = "none"
    as_run: str | None = None
    """Of a record of a run: its scenario, as a file would say it; older ones have none."""
    time_scale: float = 1.0
    """Of a record of a run: scenario seconds that passed in one second."""
    scales_itself: bool = True
    """Whether its client divided its own durations by that."""
    reference: tuple[Answer, ...] = ()
    others: tuple[tuple[Answer, ...], ...] = ()

    def content(self, name: str) -> bytes | None:
        """The wall's SVG (`wall`), its `calibration` or its `route`; None where only a digest was kept, or nothing."""
        kept = self.files.get(name, {})
        return restored(kept.get("text"), kept.get("base64"))


class Trace:
    """An opened trace. Each pass over it reads the files anew; `problems` are those of the last pass."""

    def __init__(
        self,
        kind: Kind,
        paths: list[Path],
        header: Header,
        *,
        found: Iterable[str] = (),
        surveyed: Survey | None = None,
    ) -> None:
        self.kind = kind
        self.surveyed = surveyed
        """What a first look through a log found; None for what is no log."""
        self.paths = paths
        """Its parts, the oldest first."""
        self.header = header
        self._found = list(found)
        self._problems = Problems()

    @property
    def path(self) -> Path:
        """The newest part."""
        return self.paths[-1]

    @property
    def problems(self) -> list[str]:
        """What is incomplete about it, a line each, complete after a pass over the events."""
        return [*self._found, *self._problems]

    def events(self, *, each: Callable[[Entry], None] | None = None) -> Iterator[HistoryEvent]:
        """Every event, in order. Those of the peer and the laboratory are in a laboratory's record only.

        `each` is called with every entry of a log as it is read, so that one pass serves two ends.
        """
        self._problems = Problems()
        if self.surveyed is not None:
            entries = self.entries()
            return as_events(self.surveyed, entries if each is None else _shown(entries, each))
        return (event for event in self._decoded() if not isinstance(event, Payload))

    def entries(self) -> Iterator[Entry]:
        """What a log says, line by line; nothing for what is no log."""
        self._problems = Problems()
        if self.surveyed is None or self.kind in ("trace", "history"):
            return iter(())
        return KINDS[cast(LogName, self.kind)].entries(self.surveyed, self.path, self._problems)

    def payloads(self) -> Iterator[Payload]:
        """The messages that the input and the control link brought, where they were kept."""
        self._problems = Problems()
        if self.surveyed is not None:
            return iter(())
        return (event for event in self._decoded(payloads=True) if isinstance(event, Payload))

    def _decoded(self, *, payloads: bool = False) -> Iterator[HistoryEvent | Payload]:
        decode = msgspec.json.Decoder(HistoryEvent | Payload).decode
        for path in self.paths:
            for number, line, ended in open_lines(path, self._problems):
                if line.startswith(_PAYLOAD) and not payloads:
                    continue  # it would be decoded for nothing
                if not line:
                    continue
                try:
                    yield decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    if not self._is_explained(line, error, f"{path.name}:{number}", ended=ended):
                        return

    def _is_explained(self, line: bytes, error: Exception, place: str, *, ended: bool) -> bool:
        """Note what a line that is no event is; False where what follows belongs to another run."""
        header = _object(line)
        if "schema" in header:
            if header.get("stream") == self.header.stream:
                return True
            self._problems.add("another run begins in the middle: it is left out; split the file", place)
            return False
        if not ended:
            self._problems.add("the last line is cut off and left out", place)
        elif _UNKNOWN_KIND in str(error) and isinstance(header.get("event"), str):
            self._problems.add("{n} events of kinds that this version does not know skipped", place)
        else:
            self._problems.add("{n} corrupt lines skipped", place)
        return True


def open_trace(path: str | Path, *, format: Format = "auto") -> Trace:  # noqa: A002 - the option's name
    """Open a tracker's trace (all parts of its run that are there), a laboratory's record, or a log of a kind that can be told.

    Raises `TraceError`, one line, for a file that is none of these or of a version that is not understood.
    """
    path = Path(path)
    if format not in get_args(Format):
        raise TraceError(f"--format is {format!r}: choose one of {', '.join(get_args(Format))}")
    if format == "har" or (format == "auto" and KINDS["har"].is_one(path)):
        return _opened_log(path, "har")  # before its first line is looked for: it may be all one line
    problems = Problems()
    with closing(open_lines(path, problems)) as lines:
        first = next((line for _, line, _ in lines if line.strip()), b"")
    if not first:
        said = "; ".join(problems)
        raise TraceError(
            f"{path}: {said or 'it is empty'}: nothing was recorded, or it is not the file you mean"
        )
    if format in ("websockets-log", "websocket-client-log"):
        return _opened_log(path, cast(LogName, format))
    header = _object(first)
    schema = header.get("schema")
    if schema in TRACE_SCHEMAS:
        return _opened_trace(path, _header(path, header))
    if schema in RECORD_SCHEMAS:
        return Trace("history", [path], _header(path, header))
    if isinstance(schema, str):
        raise TraceError(_wrong_schema(path, schema))
    if first.startswith(BEGINNING):
        raise TraceError(f"{path}: its first line, the header, is cut off: without it nothing can be told")
    if format == "auto" and (kind := kind_of(path)) is not None:
        return _opened_log(path, kind)
    raise TraceError(f"{path}: not a trace: {_looks_like(path, first, header)}")


# A tracker's trace, in parts


def _opened_trace(path: Path, header: Header) -> Trace:
    parts = {header.part: path}
    if header.part is not None:
        found = _PART.match(path.name)
        assert found is not None, "the pattern takes any name"
        for other in sorted(path.parent.glob("*")):
            matched = _PART.match(other.name)
            if other != path and matched and matched["base"] == found["base"] and other.is_file():
                part = _part_of(other, header.stream)
                if part is not None:
                    parts.setdefault(part, other)
    numbers = sorted(number for number in parts if number is not None)
    missing = numbers[-1] - len(numbers) if numbers else 0
    said = []
    if missing:
        first = next(n for n in count(1) if n not in parts)
        shown = f"part {first}" if missing == 1 else f"{missing} parts, the first is {first}"
        said.append(f"{shown} of {numbers[-1]}: not there, rotated out or not copied; events are missing")
    return Trace("trace", [parts[n] for n in numbers] or [path], header, found=said)


def _part_of(path: Path, stream: str | None) -> int | None:
    """The number of a file's part, if it is one of this run."""
    try:
        with closing(open_lines(path, Problems())) as lines:
            header = _object(next((line for _, line, _ in lines), b""))
    except TraceError:
        return None
    part = header.get("part")
    return part if header.get("stream") == stream and isinstance(part, int) and part > 0 else None


class _Tables(msgspec.Struct):
    """What of a configuration is worked with, and must be what it should be."""

    timing: dict[str, float] = {}
    outbox: dict[str, float] = {}


class _Kept(msgspec.Struct):
    """The same of a kept file."""

    text: str | None = None
    base64: str | None = None


def _header(path: Path, found: Mapping[str, Any]) -> Header:
    try:
        anchor = found.get("anchor")
        msgspec.convert(found.get("config", found.get("settings")), _Tables | None)
        msgspec.convert(found.get("files", {}), dict[str, _Kept])
        return Header(
            schema=found["schema"],
            stream=msgspec.convert(found.get("stream"), str | None),
            part=msgspec.convert(found.get("part"), Annotated[int, msgspec.Meta(ge=1)] | None),
            versions={name: str(found[name]) for name in _VERSIONS if name in found},
            config=msgspec.convert(found.get("config", found.get("settings")), dict[str, Any] | None),
            rules=msgspec.convert(found.get("rules"), dict[str, Any] | None),
            files=msgspec.convert(found.get("files", {}), dict[str, dict[str, Any]]),
            payloads=found.get("payloads") is True,
            anchor=None if anchor is None else msgspec.convert(anchor, Anchor),
            scenario=msgspec.convert(found.get("scenario"), str | None),
            engine=msgspec.convert(found.get("engine"), str | None),
            client=str(found.get("client", "tracker")),
            role=msgspec.convert(found.get("role", "tracker"), history.Role),
            numbering=msgspec.convert(found.get("numbering", "relayed"), history.Numbering),
            not_judged=msgspec.convert(found.get("not_judged", ()), tuple[str, ...]),
            seed=msgspec.convert(found.get("seed"), int | None),
            preset=msgspec.convert(found.get("preset"), str | None),
            as_run=msgspec.convert(found.get("as_run"), str | None),
            time_scale=msgspec.convert(found.get("time_scale", 1.0), float),
            scales_itself=msgspec.convert(found.get("scales_itself", True), bool),
            sockets_seen=msgspec.convert(found.get("sockets_seen", "none"), SocketsSeen),
            reference=_answers(found, "reference", tuple[Answer, ...]),
            others=_answers(found, "others", tuple[tuple[Answer, ...], ...]),
        )
    except msgspec.ValidationError as error:
        raise TraceError(
            f"{path}: its header makes no sense ({error}): it was changed by hand or damaged"
        ) from None


def _answers(found: Mapping[str, Any], name: str, kind: Any) -> Any:
    """None in records of the first schema, which hold touches in their place."""
    return () if found["schema"] == RECORD_SCHEMAS[0] else msgspec.convert(found.get(name, ()), kind)


# A log


def _opened_log(path: Path, kind: LogName) -> Trace:
    survey = KINDS[kind].survey(path)
    dated = survey.epoch is not None and not survey.absurd
    anchor = Anchor(0.0, round((survey.epoch or 0.0) * 1000), 0) if dated else None
    client = survey.writer.value
    versions = {} if survey.library is None else {client: survey.library}
    keepalive = {
        name: value
        for name in ("ping_interval", "ping_timeout")
        if (value := getattr(survey, name)) is not None
    }
    header = Header(kind, versions=versions, anchor=anchor, keepalive=keepalive, client=client)
    return Trace(kind, [path], header, surveyed=survey)


def _shown(entries: Iterator[Entry], each: Callable[[Entry], None]) -> Iterator[Entry]:
    for entry in entries:
        each(entry)
        yield entry


# What is no trace


def _object(line: bytes) -> dict[str, Any]:
    """The JSON object that a line is; empty if it is none."""
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _wrong_schema(path: Path, schema: str) -> str:
    name, _, version = schema.partition("/")
    known = [s for s in (*TRACE_SCHEMAS, *RECORD_SCHEMAS) if s.startswith(f"{name}/")]
    if known:
        return f"{path}: its schema is {schema[:60]}, and this version reads {', '.join(known)}: use a newer simtool"
    if name == "simtool.chaos":
        return (
            f"{path}: these are results; the records that they were judged by lie beside them, one file a run"
        )
    return f"{path}: its schema is {schema[:60]!r}: not a trace (version {version[:20] or 'unknown'})"


_MAGIC: Mapping[bytes, str] = {
    b"\xd4\xc3\xb2\xa1": "it is a packet capture",
    b"\xa1\xb2\xc3\xd4": "it is a packet capture",
    b"\x0a\x0d\x0d\x0a": "it is a packet capture",
    b"<": "it looks like XML or HTML",
}


def _looks_like(path: Path, first: bytes, header: Mapping[str, Any]) -> str:
    start = first_bytes(path, 512)
    for magic, said in _MAGIC.items():
        if start.startswith(magic):
            return said
    if header:
        return _other_json(header)
    if b"\0" in start or sum(byte < 9 or 13 < byte < 32 for byte in start) > len(start) / 20:
        return "it is binary data"
    shown = first[:40].decode(errors="replace")
    return f"it is text of another kind, beginning {shown!r}; a log needs lines or exceptions of the websockets library"


def _other_json(header: Mapping[str, Any]) -> str:
    if "landmarks" in header or header.get("type") == "pose":
        return "it looks like a recording of poses; to send it to a server: simtool replay FILE --to ws://..."
    if "event" in header:
        return "it has events but no header: its first line is missing"
    return "it is JSON of another kind; a trace begins with a line that names its schema"
