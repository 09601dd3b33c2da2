"""One part of a piece of work that several machines share: `i/n` is the i-th of n parts, from 1 on.          pure"""

import re
from collections.abc import Sequence
from typing import TypeVar

from chaos.commands.usage import UsageError

T = TypeVar("T")


def shard(work: Sequence[T], part: str | None) -> Sequence[T]:
    """Every n-th of `work`, from the i-th on; all of it without a part. All parts together are all of it, each once.

    Raises `UsageError`, also where there is less work than parts.
    """
    if part is None:
        return work
    found = re.fullmatch(r"([0-9]+)/([0-9]+)", part)
    if found is None:
        raise UsageError(f"--shard is {part!r}: write which part of how many, as in 1/3")
    number, parts = int(found[1]), int(found[2])
    if not 1 <= number <= parts:
        raise UsageError(f"--shard is {part}: no part has that number: count from 1/{parts or 1} on")
    if parts > len(work) > 0:
        raise UsageError(
            f"--shard is {part}, but there are only {len(work)} runs: take no more parts than that"
        )
    return work[number - 1 :: parts]
