"""What a replay found, for a person: the story, the faults, the two sequences side by side, one verdict."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chaos.diagnosis.findings import Diagnosis
from chaos.durations import clock
from chaos.replay.alignment import TOLERANCE, TOLERATED_SHARE, Comparison, Row
from chaos.replay.building import ReplayScenario
from chaos.replay.narrative import Line
from chaos.replay.playing import Outcome
from chaos.replay.same_findings import FindingRow
from chaos.timeline.observed import Change
from chaos.traces.reading import Anchor

WORTH_TELLING = 0.1
"""Seconds below which two outcomes are the same to whoever waits."""
DAY = 86_400.0
MOST_ROWS = 24
"""Rows of the comparison that are shown, around the first that has no match."""
BEFORE = 8
"""Rows that are shown before it."""
TONES = {"good": "green", "bad": "red", "plain": ""}
VERDICTS = {"reproduced": "green", "partly": "yellow", "not": "red", "no-evidence": "yellow"}
SAID = {
    "reproduced": "reproduced: what happened in the field happens again",
    "partly": "partly reproduced: some of it happens again",
    "not": "not reproduced: the field's trouble does not happen again",
    "no-evidence": "no evidence: no trouble of the field could be compared, only connections that opened",
}


def _table() -> Table:
    return Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, header_style="bold", pad_edge=False
    )


def _plain() -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)


def story(out: Console, lines: Sequence[Line], *, began: float, anchor: Anchor | None) -> None:
    """The narrative, with times since the begin and, where the trace has an anchor, of the wall clock."""
    shown = _plain()
    shown.add_column(justify="right", no_wrap=True)
    if anchor is not None:
        shown.add_column(no_wrap=True, style="dim")
    shown.add_column(overflow="fold")
    dated = bool(lines) and lines[-1].t - began > DAY
    for line in lines:
        row = [Text(f"+{clock(max(0.0, line.t - began))}")]
        if anchor is not None:
            row.append(Text(wall_clock(anchor, line.t, dated=dated)))
        shown.add_row(*row, Text(line.text, style=TONES[line.tone]))
    out.print(shown)


def wall_clock(anchor: Anchor, t: float, *, dated: bool) -> str:
    """The host's local time of loop time `t`; UTC, and said so, where the host's offset is not known."""
    zone = UTC if anchor.utc_offset_s is None else timezone(timedelta(seconds=anchor.utc_offset_s))
    try:
        moment = datetime.fromtimestamp(anchor.epoch_ms / 1000 + t - anchor.t, zone)
    except (ValueError, OverflowError, OSError):
        return "no date"  # a damaged line can name any time
    day = f"{moment:%m-%d} " if dated else ""
    return f"{day}{moment:%H:%M:%S}" + ("Z" if anchor.utc_offset_s is None else "")


def figures(out: Console, totals: Sequence[tuple[str, str]]) -> None:
    """The totals, a line each."""
    shown = _plain()
    shown.add_column(style="dim", no_wrap=True)
    shown.add_column(overflow="fold")
    for name, text in totals:
        shown.add_row(Text(name), Text(text))
    out.print(shown)


def diagnosis(out: Console, made: ReplayScenario, found: Diagnosis) -> None:
    """The faults that explain it, each with its reason; then what stays open."""
    shown = _plain()
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for fault, finding in made.faults:
        reason = Text.assemble(str(fault), (f"\n{finding.why}", "dim"))
        shown.add_row(Text(finding.certainty), reason)
    if found.echo:
        shown.add_row(
            Text("certain"), Text("the peer sends every message back to its sender, all along (peer.echo)")
        )
    if shown.row_count:
        out.print(shown)
    else:
        out.print("no fault is needed to explain it")
    for prefix, texts in (("not known", found.unknown), ("not replayed", made.left_out)):
        for text in texts:
            out.print(Text(f"{prefix}: {text}", style="yellow"))


def assumed(out: Console, made: ReplayScenario, found: Diagnosis) -> None:
    """What is done to the client in the replay of a log: faults that would look like it, and not what is known."""
    for fault, _ in made.faults:
        out.print(Text(str(fault)))
    if found.echo:
        out.print(Text("the peer sends every message back to its sender (peer.echo)"))
    if not made.faults and not found.echo:
        out.print("no fault: none that a scenario can hold explains this log")
    for text in made.left_out:
        out.print(Text(f"not replayed: {text}", style="yellow"))


def side_by_side(out: Console, comparison: Comparison, *, drawn: bool) -> None:
    """The link events of field and replay, matched or not. Times are the scenario's."""
    shown = _table()
    shown.add_column("link", no_wrap=True)
    shown.add_column("field", justify="right", no_wrap=True)
    shown.add_column("", overflow="fold")
    shown.add_column("replay", justify="right", no_wrap=True)
    shown.add_column("", overflow="fold")
    shown.add_column("differs", justify="right", no_wrap=True)
    rows = _around_the_first_difference(comparison.rows)
    for row in rows:
        shown.add_row(*_cells(row))
    out.print(shown)
    if len(rows) < len(comparison.rows):
        hidden = len(comparison.rows) - len(rows)
        out.print(Text(f"{hidden} more rows are not shown; --json has them", style="dim"))
    for pair in comparison.findings or ():
        if not pair.matched:
            out.print(Text(_unmatched(pair), style="red" if pair.counts else "yellow"))
    if comparison.cut:
        out.print(Text(f"{comparison.cut} more events were not compared", style="yellow"))
    more = " and the back-off delays that could have been drawn" if drawn else ""
    out.print(
        Text(
            f"tolerance: the larger of {TOLERANCE:g} s and {TOLERATED_SHARE:.0%} of the time since the link was last"
            f" healthy{more}",
            style="dim",
        )
    )


def _around_the_first_difference(rows: Sequence[Row]) -> Sequence[Row]:
    first = next((place for place, row in enumerate(rows) if row.counts and not row.matched), 0)
    begin = max(0, min(first - BEFORE, len(rows) - MOST_ROWS))
    return rows[begin : begin + MOST_ROWS]


def _unmatched(row: FindingRow) -> str:
    found = row.finding
    where = "" if found.on is None else f" on the {found.on}"
    when = "from the start" if found.from_start else f"at {found.begin:.1f} s"
    if row.field is not None:
        return f"explains the field and not the replay: {found.kind}{where} {when}: {found.why}"
    return f"explains the replay and not the field: {found.kind}{where} {when}: {found.why}"


def _cells(row: Row) -> list[Text]:
    style = "" if row.matched else "yellow" if row.difference is not None or not row.counts else "red"
    cells = [Text(row.entry.link)]
    for side in (row.field, row.replay):
        cells += [
            Text("-" if side is None else f"{side.t:.2f} s"),
            Text("" if side is None else side.text, style=style),
        ]
    if row.difference is None:
        cells.append(Text("no match" if row.counts else "a passing doubt", style=style))
    else:
        cells.append(Text(f"{row.difference + 0.0:+.2f} s".replace("-0.00", "+0.00"), style=style))
    return cells


def verdict(out: Console, comparison: Comparison) -> None:
    """One line."""
    out.print(
        Text.assemble(
            (SAID[comparison.verdict], f"bold {VERDICTS[comparison.verdict]}"),
            f" ({comparison.matched} of {comparison.expected} events in order and in time{_of_findings(comparison)})",
        )
    )


def _of_findings(comparison: Comparison) -> str:
    if comparison.findings is None:
        return "; what explains them was not compared, as this client writes no trace"
    if not comparison.findings:
        return ""
    expected = [row for row in comparison.findings if row.field is not None and row.counts]
    again = sum(row.matched for row in expected)
    return f"; {again} of {len(expected)} findings inferred again from the replay's own trace"


def instead(out: Console, comparison: Comparison, field: Outcome, replay: Outcome, *, what: str) -> None:
    """What would have been different, a line each."""
    troubles = (row.field for row in comparison.rows if row.field is not None and row.field.trouble)
    first = next((entry for entry in troubles if entry.what.kind is not Change.SUSPECTED), None)
    out.print(Text(f"with {what}:", style="bold"))
    if first is not None:
        again = any(row.field == first and row.replay is not None for row in comparison.rows)
        text = f"  the field's first trouble ({first.link}: {first.what}) {'comes again' if again else 'does not occur'}"
        out.print(Text(text))
    for name, before, after in (
        ("recovered in ", field.recovered, replay.recovered),
        ("a dead link given up after ", field.detected, replay.detected),
        ("longest time without anything new: ", field.silence, replay.silence),
    ):
        if max(before or 0.0, after or 0.0) >= WORTH_TELLING:
            out.print(Text(f"  {name}{_seconds(after)}{_instead(after, before)}"))
    connections = f"{replay.connections} connection{'s' if replay.connections != 1 else ''}"
    same = replay.connections == field.connections
    other = ", as in the field" if same else f" instead of {field.connections}"
    out.print(Text(f"  {connections}{other}"))


def _instead(after: float | None, before: float | None) -> str:
    if before is None:
        return "; in the field it did not come to that"
    if after is not None and abs(after - before) < WORTH_TELLING:
        return ", as in the field"
    return f" instead of {_seconds(before)}"


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "- (it did not come to that)"
    return f"{seconds:.1f} s" if seconds >= 0.05 else "no time"
