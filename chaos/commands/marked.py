"""A part of a file that a command writes, between two comments that a person has put there.                  pure"""

from chaos.commands.usage import UsageError


def marks(name: str) -> tuple[str, str]:
    """The comments before and after the part of that name."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def replaced(text: str, part: str, file: str, *, name: str) -> str:
    """`text` with `part` in place of what stands between the marks of that name.

    Raises `UsageError` where they are not there.
    """
    mark, mark_after = marks(name)
    before, begin, rest = text.partition(mark)
    _, end, after = rest.partition(mark_after)
    if not begin or not end or mark in rest or mark_after in before + after:
        raise UsageError(
            f"cannot write --into {file}: it needs one line {mark} and, after it, one line {mark_after}: add what is missing"
        )
    return f"{before}{mark}\n\n{part.strip()}\n\n{mark_after}{after}"


def between(text: str, *, name: str) -> str:
    """What stands between the marks of that name; empty where they are not there."""
    begin, end = marks(name)
    return text.partition(begin)[2].partition(end)[0].strip()
