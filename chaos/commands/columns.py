"""The runs of a comparison: planned for each contender, made side by side, put back into their columns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from chaos.clients.choose import COMMAND
from chaos.commands import planning, speaking
from chaos.commands.contenders import Contender
from chaos.engines.sim import SimEngine
from chaos.reports import report
from chaos.reports.comparison import Column
from chaos.reports.results import RunResult, document
from chaos.runner import Plan, most_at_once, perform, perform_all
from chaos.scenario import Scenario
from tracker.user_files import write_private

BESIDES = 2.0
"""Seconds that a run takes beside its scenario: to begin, to end, to be judged."""


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """What is to be run for one contender."""

    contender: Contender
    plans: Sequence[Plan]
    not_run: Mapping[str, str]
    """By scenario, why it says nothing of this contender, or cannot be run on its engine."""

    def filled(self, done: Iterable[RunResult]) -> Column:
        """With its results."""
        left_out = {name: f"{name}: {why}" for name, why in self.not_run.items()}
        return Column(self.contender.heading, self.contender.engine, list(done), left_out)


def planned(
    contender: Contender,
    scenarios: Mapping[str, Scenario],
    seeds: Sequence[int],
    *,
    time_scale: float | None,
    folder: Path,
    scales_itself: bool = False,
) -> PlannedColumn:
    """Every scenario that can be run against the contender, with every seed; records go to `folder`."""
    suitable, not_for_it = planning.for_client(scenarios, contender.role, contender.speech)
    plans = planning.make_plans(
        suitable,
        [contender.engine],
        seeds,
        client=contender.client,
        time_scale=time_scale,
        folder=folder,
        speech=contender.speech,
        scales_itself=contender.client.startswith(COMMAND)
        and (scales_itself or speaking.said_to_scale(contender.speech)),
    )
    cannot = {
        scenario.name: why
        for scenario in suitable.values()
        if (why := planning.why_left_out(scenario, contender.engine)) is not None
    }
    return PlannedColumn(contender, plans, not_for_it | cannot)


def fill(
    columns: Sequence[PlannedColumn], folder: Path, jobs: int | None
) -> tuple[list[Column], list[RunResult]]:
    """Make all runs; the columns with their results, and all results in one list, which lies in `folder` too.

    Raises what `perform_all` raises.
    """
    plans = [plan for column in columns for plan in column.plans]
    watching = report.Watching(report.console(stderr=True), len(plans), expected=_expected(plans, jobs))
    with watching:
        done = perform_all(plans, perform, jobs=jobs, done=watching.done)
    write_private(folder / "results.json", document(done))
    in_order = iter(done)
    return [column.filled(islice(in_order, len(column.plans))) for column in columns], done


def _expected(plans: Sequence[Plan], jobs: int | None) -> float | None:
    """In how many seconds the runs will have been made; None: some are on virtual time, which takes what it takes."""
    if not plans or any(plan.engine == SimEngine.name for plan in plans):
        return None
    at_once = min(most_at_once(plans, jobs).real, len(plans))
    return sum(plan.scenario.duration / plan.time_scale + BESIDES for plan in plans) / at_once
