"""Which mutants a change is about, and a few of them where they are many."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from random import Random

from tests.mutants.listed import AREAS, Mutant, parsed
from tests.mutants.table import Noticed
from tests.mutants.tree import ROOT

LISTS = tuple(f"tests/mutants/{area.file}" for area in AREAS)


class UnknownBase(Exception):
    """There is nothing to compare with; the text is one line that says what to do."""


def since(base: str, mutants: Mapping[str, Mutant], noticed: Mapping[str, Noticed]) -> list[list[Mutant]]:
    """What the change since the commit `base` is about: first the new entries of the list, then by changed file.

    A file is a mutant's own, or the scenario or test that noticed it the last time. Raises `UnknownBase`.
    """
    changed = sorted(_git(base, "diff", "--name-only", "--merge-base", base).splitlines())
    before = {mutant for name in LISTS for mutant in _listed_at(base, name)}
    new = [mutant for mutant in mutants.values() if mutant not in before]
    return [new, *([m for m in mutants.values() if _is_about(file, m, noticed)] for file in changed)]


def _is_about(file: str, mutant: Mutant, noticed: Mapping[str, Noticed]) -> bool:
    known = noticed.get(mutant.breaks, Noticed())
    return (
        file == mutant.file
        or (known.test is not None and file == known.test.file)
        or (known.scenario is not None and file == f"chaos/scenarios/{known.scenario.scenario}.toml")
    )


def few(groups: Sequence[Sequence[Mutant]], at_most: int, *, seed: str) -> list[Mutant]:
    """So many at most: one of each group, another of each, and so on; which of a group, `seed` decides."""
    rng = Random(seed)
    turns = [rng.sample(group, len(group)) for group in groups]
    in_turn: Iterator[Mutant] = filter(None, chain.from_iterable(zip_longest(*turns)))
    return list(islice(dict.fromkeys(in_turn), at_most))


def _listed_at(base: str, name: str) -> Iterator[Mutant]:
    if _git(base, "ls-tree", base, "--", name):
        yield from parsed(_git(base, "show", f"{base}:{name}"), name)


def _git(base: str, *arguments: str) -> str:
    ended = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = " ".join(ended.stderr.split())
        raise UnknownBase(
            f"--changed is {base!r}: git cannot compare with it ({said}): name a commit of this repository"
        )
    return ended.stdout
