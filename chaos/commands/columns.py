"""The runs of a comparison: planned for each contender, made side by side, put back into their columns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.clients.choose import COMMAND
from chaos.commands import planning, speaking
from chaos.commands.contenders import Contender
from chaos.commands.making import Made, make_all
from chaos.engines.sim import SimEngine
from chaos.reports import report
from chaos.reports.comparison import Column
from chaos.reports.results import RunResult
from chaos.runner import Plan
from chaos.scenario import Scenario
from chaos.workers import most_at_once

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


def fill(columns: Sequence[PlannedColumn], jobs: int | None) -> tuple[list[Column], Made]:
    """Make all runs, or as many as there will be; the columns with their results, and what came of all of them."""
    plans = [plan for column in columns for plan in column.plans]
    watching = report.Watching(report.console(stderr=True), len(plans), expected=_expected(plans, jobs))
    with watching:
        made = make_all(plans, jobs=jobs, done=watching.done)
    filled = []
    first = 0
    for column in columns:
        numbers = range(first, first + len(column.plans))
        filled.append(column.filled(made.by_plan[number] for number in numbers if number in made.by_plan))
        first = numbers.stop
    return filled, made


def _expected(plans: Sequence[Plan], jobs: int | None) -> float | None:
    """In how many seconds the runs will have been made; None: some are on virtual time, which takes what it takes."""
    if not plans or any(plan.engine == SimEngine.name for plan in plans):
        return None
    at_once = min(most_at_once(plans, jobs).real, len(plans))
    return sum(plan.scenario.duration / plan.time_scale + BESIDES for plan in plans) / at_once
