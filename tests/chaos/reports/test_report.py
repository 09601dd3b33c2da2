from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from chaos.judging.verdicts import Check, Verdict
from chaos.reports.report import Watching, console, summary
from chaos.reports.results import RunResult
from chaos.reports.results_table import common_preset, explain, show_results
from tests.chaos.runs import RUN, measured, run


def paper(width: int = 110, *, terminal: bool = False) -> Console:
    return Console(
        file=StringIO(),
        width=width,
        no_color=True,
        highlight=False,
        force_terminal=terminal,
        color_system=None,
    )


def text(on: Console) -> str:
    assert isinstance(on.file, StringIO)
    return on.file.getvalue()


def shown(*results: RunResult, width: int = 110, terminal: bool = False) -> list[str]:
    on = paper(width, terminal=terminal)
    show_results(on, results)
    return [line.rstrip() for line in text(on).splitlines() if line.strip()]


def explained(*results: RunResult) -> str:
    on = paper()
    explain(on, results)
    return text(on)


def columns(line: str) -> list[str]:
    return [cell for cell in line.split("  ") if cell.strip()]


def test_the_table_has_a_row_a_run_and_fits_its_width() -> None:
    lines = shown(RUN, run("fail", scenario="reset"))
    assert [cell.strip() for cell in columns(lines[0])] == [
        "scenario",
        "engine",
        "verdict",
        "lost",
        "repeated",
        "reordered",
        "detected",
        "recovered",
        "longest silence",
    ]
    assert [cell.strip() for cell in columns(lines[2])] == [
        "half-open-output",
        "toxiproxy",
        "pass",
        "1",
        "22",
        "3",
        "3.80 s",
        "-",
        "23.50 s",
    ]
    assert len(lines) == 4
    assert "fail" in lines[3]
    assert max(map(len, lines)) <= 110


def test_the_table_fits_its_width_with_the_longest_names() -> None:
    widest = run("unknown", scenario="latency-below-limit")
    lines = shown(widest)
    assert len(lines) == 3
    assert lines[0].endswith("longest silence")


LONGEST = run(
    scenario="stop-with-a-full-buffer",
    measures=measured(detect_s=3.8, recover_s=12.5, longest_silence_s=602.77),
)


def test_at_80_columns_headings_and_cells_are_whole_and_what_had_no_room_is_named() -> None:
    lines = shown(LONGEST, width=80, terminal=True)
    assert max(map(len, lines)) <= 80
    assert [cell.strip() for cell in columns(lines[0])] == [
        *("scenario", "engine", "verdict", "lost", "detected", "recovered"),
    ]
    assert [cell.strip() for cell in columns(lines[2])] == [
        *("stop-with-a-full-buffer", "toxiproxy", "pass", "1", "3.80 s", "12.50 s"),
    ]
    assert lines[3] == "no room at this width for: repeated, reordered, longest silence"


def test_at_120_columns_there_is_room_for_all() -> None:
    lines = shown(LONGEST, width=120, terminal=True)
    assert len(lines) == 3
    assert lines[0].endswith("longest silence")
    assert lines[2].endswith("602.77 s")


@pytest.mark.parametrize("width", [20, 40])
def test_on_the_narrowest_terminal_no_text_of_a_cell_is_cut(width: int) -> None:
    lines = shown(LONGEST, width=width, terminal=True)
    assert "\N{HORIZONTAL ELLIPSIS}" not in "".join(lines)


def test_off_a_terminal_the_table_is_whole_however_wide() -> None:
    name = "a-scenario-of-ones-own-with-a-name-that-is-rather-longer-than-those-of-the-catalogue"
    lines = shown(run(scenario=name))
    assert len(lines) == 3
    assert lines[2].startswith(f"{name}  toxiproxy")
    assert lines[0].endswith("longest silence")


def test_several_seeds_add_up_to_a_row_with_the_worst_verdict_and_figures() -> None:
    runs = [run(seed=seed) for seed in range(19)]
    bad = run("fail", seed=19, measures=measured(lost=5))
    lines = shown(*runs, bad)
    assert [cell.strip() for cell in columns(lines[0])][2:5] == ["verdict", "passed", "lost"]
    assert [cell.strip() for cell in columns(lines[2])][2:5] == ["fail", "19 of 20", "5"]
    assert len(lines) == 3


def test_how_many_passed_is_a_column_only_where_there_are_several_seeds() -> None:
    assert "passed" not in shown(RUN, run(scenario="reset"))[0]


def test_seeds_that_failed_alike_are_explained_once_and_listed() -> None:
    lost = Check("no-loss", "fail", "all", "3 lost")
    late = Check("detect", "fail", "within 5 s", "after 9 s")
    said = explained(
        run(seed=0), run("fail", lost, seed=1), run("fail", late, seed=2), run("fail", lost, seed=3)
    )
    assert "fail  half-open-output on toxiproxy, 2 of 4 seeds: 1, 3; the first of them:" in said
    assert "fail  half-open-output on toxiproxy, seed 2" in said
    assert said.count("no-loss\n") == 1
    many = [run("fail", lost, seed=seed) for seed in range(15)]
    assert "15 of 15 seeds: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 ...;" in explained(*many)


def test_a_failure_is_explained_by_what_was_expected_and_what_was_observed() -> None:
    lost = Check("no-loss", "fail", "all 900 at the peer", "3 lost: seq 4, 5, 6")
    assert [line.rstrip() for line in explained(run("fail", lost)).splitlines()] == [
        "fail  half-open-output on toxiproxy, seed 7",
        "  no-loss",
        "    expected  all 900 at the peer",
        "    observed  3 lost: seq 4, 5, 6",
        "    usually   send() returning was taken for delivery: what was on its way when the connection ended is not",
        "              sent again",
        "    read on   simtool explain no-loss; docs/design.md#the-outbox-how-nothing-is-lost",
        "    record    runs/now/half-open-output.toxiproxy.7.jsonl",
        "    command   simtool chaos half-open-output --engine toxiproxy --seed 7",
    ]


def test_a_trace_that_no_command_here_made_is_explained_without_one() -> None:
    assert "command" not in explained(run("fail", command_line=None))


def test_what_passed_is_not_explained() -> None:
    assert explained(RUN) == ""


def test_brackets_in_texts_are_shown_and_not_taken_for_markup() -> None:
    odd = Check("[/odd]", "unknown", "close codes [1001]", "close codes [], [bold]x[/nonsense] [/]")
    said = explained(run("unknown", odd, scenario="[red]a[/]", record="runs/[x]/[/y].jsonl"))
    for literal in (
        "[/odd]",
        "codes [1001]",
        "codes [], [bold]x[/nonsense] [/]",
        "[red]a[/]",
        "runs/[x]/[/y]",
    ):
        assert literal in said
    assert "[red]a[/]" in shown(run(scenario="[red]a[/]"))[2]


def test_the_path_of_a_record_is_not_broken_over_lines() -> None:
    path = "runs/" + "deep/" * 40 + "a.jsonl"
    assert path in explained(run("fail", record=path))


@pytest.mark.parametrize(
    ("verdicts", "line"),
    [
        (["pass", "pass"], "2 pass"),
        (["pass", "fail", "unknown"], "1 pass, 1 fail, 1 unknown"),
        (["unknown"], "0 pass, 1 unknown"),
        ([], "0 pass"),
    ],
)
def test_the_last_line_counts_the_verdicts(verdicts: list[Verdict], line: str) -> None:
    assert summary([run(verdict) for verdict in verdicts]).plain == line


def test_off_a_terminal_progress_is_a_line_a_run_with_engine_client_and_seed() -> None:
    on = paper()
    with Watching(on, 2) as watching:
        watching.done(RUN)
        watching.done(run("fail", scenario="[x]"))
    assert text(on).splitlines() == [
        "[1/2] pass    half-open-output on toxiproxy, tracker, seed 7 (6.2 s)",
        "[2/2] fail    [x] on toxiproxy, tracker, seed 7 (6.2 s)",
    ]


def test_on_a_narrow_terminal_progress_stays_on_one_line() -> None:
    on = paper(60, terminal=True)
    with Watching(on, 2) as watching:
        watching.done(
            run(scenario="stop-with-a-full-buffer", client="examples.a-client-with-a-long-name:relay")
        )
    lines = Text.from_ansi(text(on)).plain.splitlines()  # the last of them is drawn at the end
    drawn = [line for line in lines if "stop-with-a-full-buffer" in line]
    assert drawn
    assert all("1/2" in line for line in drawn)


def test_where_it_is_known_how_long_all_takes_progress_says_how_many_minutes_are_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr("chaos.reports.report.time.monotonic", lambda: now[0])
    on = paper()
    with Watching(on, 4, expected=1200) as watching:
        for elapsed in (300.0, 400.0, 1500.0, 2000.0):
            now[0] = 1000 + elapsed
            watching.done(RUN)
    assert [line.split("(")[1] for line in text(on).splitlines()] == [
        "6.2 s, some 15 min left)",
        "6.2 s, some 13 min left)",
        "6.2 s, some 5 min left)",  # late: a quarter of the runs is still to come
        "6.2 s)",
    ]


def test_off_a_terminal_the_console_is_plain_and_wide(capsys: pytest.CaptureFixture[str]) -> None:
    made = console(stderr=True)
    assert made.width == 110
    made.print(summary([RUN]))
    assert capsys.readouterr().err == "1 pass\n"


def test_a_preset_that_all_runs_share_is_told_once_and_several_have_a_column() -> None:
    shared = [run(preset="lossy-wifi"), run(preset="lossy-wifi")]
    assert common_preset(shared) == "lossy-wifi"
    assert "preset" not in " ".join(shown(*shared))
    mixed = [run(preset="lossy-wifi"), run()]
    assert common_preset(mixed) is None
    assert "preset" in " ".join(shown(*mixed))
    assert [columns(line)[2].strip() for line in shown(*mixed)[-2:]] == ["lossy-wifi", "-"]


def test_what_did_not_pass_is_explained_with_its_preset() -> None:
    assert "half-open-output on toxiproxy, preset 3g, seed 7" in explained(run("fail", preset="3g"))
