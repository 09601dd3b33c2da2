"""Who notices a tracker, a judge or a world that is broken in one place? See docs/design.md, Who notices what."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Lock

from chaos.commands.marked import between, replaced
from chaos.commands.usage import UsageError
from tests.mutants import sample, table
from tests.mutants.listed import AREAS, ListError, Mutant, all_mutants, by_area
from tests.mutants.search import Search, Whole
from tests.mutants.table import Noticed
from tests.mutants.tree import ROOT, BrokenTree, Tree

DESIGN = ROOT / "docs" / "design.md"
MARK = "mutants"
AT_MOST = 20
"""Mutants of a change that are asked about: in CI that is a minute or two."""


def main() -> int:
    """The exit code: 0 all noticed, 1 one by nobody, 2 wrong use or a tree that cannot be asked."""
    asked = _command_line()
    found: dict[str, Noticed] = {}
    try:
        mutants = all_mutants()
        memory = table.read(between(DESIGN.read_text(encoding="utf-8"), name=MARK))
        those = _chosen(mutants, memory, asked)

        def keep(mutant: Mutant, noticed: Noticed) -> None:
            found[mutant.breaks] = noticed
            if asked.into:  # at once: an interrupt loses nothing
                known = {breaks: who for breaks, who in {**memory, **found}.items() if breaks in mutants}
                _write(Path(asked.into), table.render(by_area(mutants), known))

        broken = _ask_all(those, mutants, memory, asked, keep)
    except (ListError, BrokenTree, sample.UnknownBase, UsageError) as error:
        _say(f"mutants: {error}")
        return 2
    print(table.render(by_area(found), found))  # noqa: T201 - the result
    unnoticed = [mutant for mutant in those if mutant.breaks in found and not found[mutant.breaks]]
    for mutant in unnoticed:
        _say(f"nobody notices, in {mutant.file}: {mutant.breaks}")
    for problem in broken:
        _say(f"mutants: {problem}")
    return 2 if broken else 1 if unnoticed else 0


def _command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument(
        "some",
        nargs="*",
        metavar="TEXT",
        help="only mutants with this text in their file's name or their sentence",
    )
    parser.add_argument(
        "--changed", metavar="BASE", help="only those that the change since this commit is about"
    )
    parser.add_argument("--new", action="store_true", help="only those that nobody was asked about yet")
    parser.add_argument(
        "--at-most",
        type=int,
        metavar="N",
        help=f"no more than N of them; with --changed {AT_MOST} unless told",
    )
    parser.add_argument(
        "--afresh",
        action="store_true",
        help="ask also those who did not notice a mutant the last time; some hours",
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="trees at a time")
    parser.add_argument("--into", metavar="FILE", help="put the table between its two marks in this file")
    return parser.parse_args()


def _chosen(
    mutants: Mapping[str, Mutant], memory: Mapping[str, Noticed], asked: argparse.Namespace
) -> list[Mutant]:
    """In the order of the list."""
    groups: Sequence[Sequence[Mutant]] = [list(mutants.values())]
    at_most = asked.at_most
    if asked.changed:
        groups = sample.since(asked.changed, mutants, memory)
        at_most = AT_MOST if at_most is None else at_most
    wanted = [
        [
            mutant
            for mutant in group
            if (not asked.new or mutant.breaks not in memory)
            and (not asked.some or any(text in mutant.file or text in mutant.breaks for text in asked.some))
        ]
        for group in groups
    ]
    those = set(sample.few(wanted, len(mutants) if at_most is None else at_most, seed=asked.changed or ""))
    return [mutant for mutant in mutants.values() if mutant in those]


def _ask_all(
    those: Sequence[Mutant],
    mutants: Mapping[str, Mutant],
    memory: Mapping[str, Noticed],
    asked: argparse.Namespace,
    keep: Callable[[Mutant, Noticed], None],
) -> list[BrokenTree]:
    """`keep` is told of each answer; returns what could not be asked.

    Raises `BrokenTree` where the tree is red without a mutant.
    """
    scenarios_too = {m.breaks for area in AREAS if area.by_scenarios for m in area.mutants}
    broken: list[BrokenTree] = []
    one_at_a_time = Lock()
    with ExitStack() as stack:
        whole = stack.enter_context(Whole())
        search = Search(memory, whole, afresh=asked.afresh)
        for breaks, mutant in mutants.items():
            search.learn(mutant, memory.get(breaks, Noticed()))
        _say(f"{len(those)} mutants; first, the tree without any must be green")
        whole.require_green([memory[mutant.breaks] for mutant in those if mutant.breaks in memory])
        trees: SimpleQueue[Tree] = SimpleQueue()
        for _ in range(asked.jobs):
            trees.put(Tree(Path(stack.enter_context(TemporaryDirectory(prefix="mutants-")))))

        def ask(numbered: tuple[int, Mutant]) -> None:
            number, mutant = numbered
            tree = trees.get()
            began = time.monotonic()
            try:
                noticed = search.ask(mutant, tree, by_scenarios=mutant.breaks in scenarios_too)
            except BrokenTree as error:
                broken.append(BrokenTree(f"{mutant.file}: the mutant {mutant.breaks!r}: {error}"))
                return
            finally:
                trees.put(tree)
            with one_at_a_time:
                keep(mutant, noticed)
                search.learn(mutant, noticed)
            who = "; ".join(str(one) for one in (noticed.scenario, noticed.test) if one is not None)
            _say(
                f"[{number}/{len(those)}] {mutant.file}: {mutant.breaks}: {who or table.NOBODY.upper()}"
                f" ({time.monotonic() - began:.0f} s)"
            )

        pool = ThreadPoolExecutor(asked.jobs)
        try:
            list(pool.map(ask, enumerate(those, 1)))
        finally:
            pool.shutdown(cancel_futures=True)
    return broken


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress


def _write(path: Path, part: str) -> None:
    path.write_text(replaced(path.read_text(encoding="utf-8"), part, str(path), name=MARK), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
