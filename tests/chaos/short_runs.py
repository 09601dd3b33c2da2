"""A scenario of some seconds, and its life on virtual time."""

from dataclasses import replace
from pathlib import Path

from chaos.clients import Client
from chaos.engines.sim import SimEngine
from chaos.history import History
from chaos.life import Life
from chaos.scenario import Scenario
from chaos.scenario_reading import parse
from tests.chaos.histories import fault

SHORT = parse(
    'name = "short"\nabout = "-"\nstresses = ["no-loss"]\nduration = "6s"\n[workload]\nfps = 10\n',
    Path("short.toml"),
)


def struck_by(kind: str, **more: object) -> Scenario:
    """`SHORT` with one fault, from 1 s to 3 s."""
    return replace(SHORT, faults=(fault(kind, 1.0, 2.0, **more),))


def live(scenario: Scenario, client: Client, seed: int = 0) -> History:
    """The record of one run, unjudged."""
    life = Life(scenario, client, engine="sim", seed=seed)
    SimEngine(seed=seed).run(life.live)
    return life.history()
