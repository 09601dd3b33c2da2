"""Whether what was found on virtual time is there on real sockets too."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from chaos.engines.toxiproxy import ToxiproxyEngine, why_not
from chaos.hunt.keeping import Kept
from chaos.hunt.trials import Quarry
from chaos.runner import Plan, WorkerDiedError, default_time_scale, perform
from chaos.toxiproxy.install import ToxiproxyMissing
from chaos.workers import perform_all

Answer = Literal["yes", "no", "cannot"]


class OnRealSockets(NamedTuple):
    """Whether one finding is there too."""

    answer: Answer
    why: str = ""
    """Why it cannot be said; or what was seen instead."""


def confirmed(kept: Sequence[Kept], quarry: Quarry, folder: Path) -> list[OnRealSockets]:
    """Run each once through Toxiproxy, where that can express it."""
    if quarry.engine != "sim":
        return [OnRealSockets("yes", "it was found there")] * len(kept)
    answers = {place: why for place, each in enumerate(kept) if (why := _why_not(each)) is not None}
    told = {place: OnRealSockets("cannot", why) for place, why in answers.items()}
    able = [place for place in range(len(kept)) if place not in told]
    try:
        scale = default_time_scale(quarry.client, scales_itself=False)
        plans = [_plan(kept[place], quarry, scale, folder) for place in able]
        if plans:
            ToxiproxyEngine(scale=scale)  # raises where there is none
        results = perform_all(plans, perform, jobs=None, done=lambda *_: None)
    except (ToxiproxyMissing, WorkerDiedError) as error:
        return [told.get(place, OnRealSockets("cannot", str(error))) for place in range(len(kept))]
    for place, result in zip(able, results, strict=True):
        promise = kept[place].finding.promise
        check = next((check for check in result.checks if check.name == promise), None)
        if check is None or check.verdict == "unknown":
            told[place] = OnRealSockets(
                "cannot", "nothing was learned there" if check is None else check.observed
            )
        else:
            told[place] = OnRealSockets("yes" if check.verdict == "fail" else "no", check.observed)
    return [told[place] for place in range(len(kept))]


def _why_not(kept: Kept) -> str | None:
    if kept.scenario.sim_only is not None:
        return kept.scenario.sim_only
    return next((why for fault in kept.scenario.faults if (why := why_not(fault)) is not None), None)


def _plan(kept: Kept, quarry: Quarry, scale: float, folder: Path) -> Plan:
    return Plan(
        kept.scenario,
        ToxiproxyEngine.name,
        kept.finding.number,
        scale,
        folder,
        quarry.client,
        str(kept.file),
        speech=quarry.speech,
        climb=False,
    )
