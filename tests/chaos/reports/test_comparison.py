from io import StringIO

import pytest
from rich.console import Console

from chaos.reports.comparison import Cell, Column, Comparison, distinct, short_name
from chaos.reports.comparison_report import as_markdown, show
from tests.chaos.runs import failed, measured, run, unknown

RESET = run(scenario="reset", engine="sim", measures=measured(recover_s=0.641))
LOST = failed("no-loss", "7 lost", scenario="reset", seed=8)
OTHER = failed("no-loss", "9 lost", scenario="reset", seed=9)
NOTHING = unknown("evidence", "none of: stall", scenario="reset", seed=10)
ONLY = {"blocked-loop": "blocked-loop: they share one loop"}


def column(*results: object, heading: str = "tracker", engine: str = "sim") -> Column:
    return Column(heading, engine, results, ONLY)  # type: ignore[arg-type]


def test_a_cell_is_a_verdict_and_what_decided_it() -> None:
    assert column(RESET).cell("reset") == Cell("pass", "pass 0.64 s")
    assert column(LOST).cell("reset") == Cell("fail", "fail 7 lost")
    assert column(NOTHING).cell("reset") == Cell("unknown", "unknown no evidence")
    assert column(run(scenario="steady")).cell("steady") == Cell("pass", "pass")


def test_of_several_seeds_a_cell_shows_the_worst_verdict_and_how_often_it_was() -> None:
    slower = run(scenario="reset", measures=measured(recover_s=1.2))
    assert column(RESET, slower).cell("reset").text == "pass 1.20 s"
    assert column(RESET, NOTHING).cell("reset").text == "unknown 1/2 no evidence"
    assert column(RESET, NOTHING, LOST, OTHER).cell("reset").text == "fail 2/4 7 lost"


def test_a_scenario_that_a_client_cannot_run_is_a_dash_with_the_reason() -> None:
    assert column(RESET).cell("blocked-loop") == Cell(None, "-", "blocked-loop: they share one loop")


def test_the_total_counts_cells_and_not_runs_and_not_what_was_not_run() -> None:
    rows = Comparison(("reset", "steady", "blocked-loop"), ())
    assert rows.total(column(RESET, LOST, run(scenario="steady"))) == ("1 pass", "1 fail")
    assert rows.total(column(NOTHING, failed("valid-run", "-", scenario="steady"))) == (
        "0 pass",
        "1 fail",
        "1 unknown",
    )


def test_a_note_stands_once_however_many_cells_it_is_about() -> None:
    both = Comparison(("blocked-loop", "reset"), (column(RESET), column(RESET)))
    assert both.notes() == ("blocked-loop: they share one loop",)


@pytest.mark.parametrize(
    ("command", "heading"),
    [
        ("node examples/relay.mjs {input} {output}", "node relay.mjs"),
        ("./client --in {input} --out {output}", "client"),
        ("python -u 'my dir/relay.py' --fast {input}", "python relay.py"),
        ("python -m my.relay", "python my.relay"),
        ("--odd", "--odd"),
    ],
)
def test_a_commands_heading_is_its_program_and_what_that_runs(command: str, heading: str) -> None:
    assert short_name(command) == heading


def test_equal_headings_are_told_apart() -> None:
    assert distinct(["node a.js", "tracker", "node a.js", "node a.js"]) == [
        "node a.js",
        "tracker",
        "node a.js (2)",
        "node a.js (3)",
    ]


# As it is drawn


SHOWN = Comparison(
    ("reset", "blocked-loop"),
    (
        column(RESET, run(scenario="blocked-loop")),
        column(LOST, heading="websocket-client", engine="toxiproxy"),
    ),
    ("Seed 0.",),
)


def drawn(what: Comparison, width: int = 110, *, terminal: bool = False) -> list[str]:
    to = Console(
        file=StringIO(),
        width=width,
        no_color=True,
        highlight=False,
        force_terminal=terminal,
        color_system=None,
    )
    show(to, what)
    assert isinstance(to.file, StringIO)
    return [line.rstrip() for line in to.file.getvalue().splitlines()]


def test_the_table_says_the_engine_where_it_is_real_and_has_its_notes_underneath() -> None:
    lines = drawn(SHOWN)
    assert lines[0].split("  ")[0] == "scenario"
    assert "tracker" in lines[0]
    assert "websocket-client (toxiproxy)" in lines[0]
    assert lines[2].split() == ["reset", "pass", "0.64", "s", "fail", "7", "lost"]
    assert lines[3].split() == ["blocked-loop", "pass", "-", "[1]"]
    assert lines[5].split() == ["2", "pass", "0", "pass", "1", "fail"]
    assert lines[6] == "[1] blocked-loop: they share one loop"
    assert lines[-1] == "Seed 0."


def test_where_all_ran_on_the_same_real_engine_it_is_said_once() -> None:
    lines = drawn(
        Comparison(("reset",), (column(LOST, heading="aiohttp", engine="toxiproxy"),), ("Seed 0.",))
    )
    assert lines[0].split() == ["scenario", "aiohttp"]
    assert lines[-2:] == ["All runs are on the engine toxiproxy.", "Seed 0."]


def test_a_red_cell_has_as_its_note_what_would_mend_it_there_or_the_first_promise_that_it_broke() -> None:
    mends = {"no-loss": "keep what was not confirmed", "polite": "wait longer"}
    red = Column("relay", "sim", [LOST], mends=mends)
    assert red.cell("reset") == Cell("fail", "fail 7 lost", "no-loss: keep what was not confirmed")
    nearer = Column("relay", "sim", [LOST], mends=mends | {"reset": "say goodbye first"})
    assert nearer.cell("reset").note == "reset: say goodbye first"
    green = Column("relay", "sim", [RESET], mends=mends)
    assert green.cell("reset").note is None
    unsure = Column("relay", "sim", [NOTHING], mends={"reset": "say goodbye first"})
    assert unsure.cell("reset").note is None


def six_clients() -> Comparison:
    killed = failed(
        "no-false-kill",
        "1011 by the client on output at 4.0 s, 12 times",
        scenario="latency-below-limit",
        measures=measured(false_kills=12),
    )
    names = ("tracker", "incident-before", "incident-after", "websockets-iterator")
    columns = [column(killed, heading=name) for name in names]
    columns += [column(killed, heading=name, engine="toxiproxy") for name in ("aiohttp", "websocket-client")]
    return Comparison(("latency-below-limit",), tuple(columns))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_what_has_no_room_beside_the_others_goes_into_a_table_underneath_and_nothing_is_broken(
    width: int,
) -> None:
    lines = drawn(six_clients(), width, terminal=True)
    assert max(map(len, lines)) <= width
    headings = [line for line in lines if line.startswith("scenario  ")]
    names = [name for line in headings for name in line.removeprefix("scenario").split("  ") if name.strip()]
    assert [name.strip() for name in names] == [
        *("tracker", "incident-before", "incident-after", "websockets-iterator"),
        *("aiohttp (toxiproxy)", "websocket-client (toxiproxy)"),
    ]
    found = [line for line in lines if line.startswith("latency-below-limit")]
    assert len(found) == len(headings) > 1
    assert sum(line.count("fail 1011 x12") for line in found) == 6


def test_off_a_terminal_a_comparison_is_one_table_however_wide() -> None:
    (heading,) = (line for line in drawn(six_clients(), 80) if line.startswith("scenario  "))
    assert heading.endswith("websocket-client (toxiproxy)")


def test_brackets_in_names_are_shown_and_not_taken_for_markup() -> None:
    odd = Comparison(("reset",), (column(RESET, heading="[red]a[/]"),), ("[/] [x]",))
    assert "[red]a[/]" in drawn(odd)[0]
    assert "[/] [x]" in drawn(odd)


def test_in_markdown_it_is_a_table_with_its_footnotes_underneath() -> None:
    lines = as_markdown(SHOWN).splitlines()
    assert lines[:7] == [
        "| scenario | tracker | websocket-client (toxiproxy) |",
        "| --- | --- | --- |",
        "| reset | pass 0.64 s | **fail 7 lost** |",
        "| blocked-loop | pass | - <sup>1</sup> |",
        "|  | 2 pass | 0 pass 1 fail |",
        "",
        "<sup>1</sup> blocked-loop: they share one loop<br>",
    ]
    assert lines[-1] == "Seed 0."
