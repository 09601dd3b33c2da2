"""How densely the hunt's random worlds notice each safeguard that is removed: `make ablate`.

    python -m tests.chaos.density [--worlds N] [--jobs N] [--seed N] [--only TEXT]

What the whole tracker breaks in a world counts for nobody, and is a finding of its own. A safeguard that no world misses is not tested by random worlds, or is of no use: the table names those first.
"""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace

from chaos.commands.hunt import on_this_machine
from chaos.hunt.drawing import NO_TASTE
from chaos.hunt.trials import Quarry, try_world
from chaos.kinds import KINDS
from tests.chaos import ablations

WORLDS = 24
"""For each safeguard."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One tracker that lacks a safeguard, and the worlds it is put into."""

    name: str
    seed: int
    worlds: int
    without: frozenset[int] = frozenset()
    """Worlds that the whole tracker does not live through."""


@dataclass(frozen=True, slots=True)
class Density:
    """What they noticed."""

    name: str
    worlds: int
    noticed: int
    first: float | None
    """CPU seconds to the first that did; None: none did."""
    promises: tuple[str, ...]
    """What they noticed, most often first."""


def density(asked: Asked) -> Density:
    """Run the worlds one after the other."""
    quarry = Quarry(f"tests.chaos.ablations:{asked.name.replace('-', '_')}", asked.seed, kinds=tuple(KINDS))
    began, first = time.process_time(), None
    noticed, promises = 0, Counter[str]()
    for number in range(asked.worlds):
        outcome = (
            None if number in asked.without else try_world(quarry, number, quarry.world(number, NO_TASTE))
        )
        if outcome is not None and outcome.broken:
            noticed += 1
            promises.update(each.promise for each in outcome.broken)
            if first is None:
                first = time.process_time() - began
    return Density(
        asked.name, asked.worlds, noticed, first, tuple(name for name, _ in promises.most_common(3))
    )


@dataclass(frozen=True, slots=True)
class Whole:
    """The tracker with all its safeguards, in one world."""

    seed: int
    number: int


def breaks_whole(asked: Whole) -> bool:
    """Whether it breaks a promise there."""
    quarry = Quarry("tracker", asked.seed, kinds=tuple(KINDS))
    outcome = try_world(quarry, asked.number, quarry.world(asked.number, NO_TASTE))
    return outcome is None or bool(outcome.broken)


def main() -> int:
    """1 where a safeguard went unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.density", description=__doc__)
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--only", default="", help="safeguards with this text in their name")
    given = parser.parse_args()
    asked = [
        Asked(ablated.name, given.seed, given.worlds)
        for ablated in ablations.ALL
        if given.only in ablated.name
    ]
    about = {ablated.name: ablated.about for ablated in ablations.ALL}
    found: list[Density] = []
    with on_this_machine(given.jobs) as crew:
        numbers = range(given.worlds)
        whole = [Whole(given.seed, number) for number in numbers]
        broken = frozenset(number for number, breaks in crew.perform(breaks_whole, whole) if breaks)
        for number in sorted(broken):
            print(f"the whole tracker breaks in world {number} of seed {given.seed}", file=sys.stderr)  # noqa: T201
        asked = [replace(each, without=broken) for each in asked]
        for _, each in crew.perform(density, asked):
            if each is not None:
                found.append(each)
                print(f"[{len(found)}/{len(asked)}] {each.name}", file=sys.stderr)  # noqa: T201 - progress
    found.sort(key=lambda each: (each.noticed, each.name))
    print("| without | worlds that noticed | CPU seconds to the first | what broke |")  # noqa: T201 - the result
    print("|---|---|---|---|")  # noqa: T201
    for each in found:
        first = "-" if each.first is None else f"{each.first:.1f}"
        print(  # noqa: T201
            f"| `{each.name}`: {about[each.name]} | {each.noticed} of {each.worlds} | {first} | {', '.join(each.promises)} |"
        )
    unnoticed = [each.name for each in found if not each.noticed]
    print(f"\n{len(found) - len(unnoticed)} of {len(found)} safeguards were missed by some world")  # noqa: T201
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
