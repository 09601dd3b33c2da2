"""Tables in GitHub's Markdown.                                                                                pure"""

import re
from collections.abc import Sequence

from tracker.printable import on_one_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&])")


def escaped(text: str) -> str:
    """The text as it is, on one line, whatever Markdown or HTML would make of it."""
    return _SPECIAL.sub(r"\\\1", on_one_line(text))


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are Markdown already. Ends with a line break."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def code(text: str) -> str:
    """The text as code on one line, also inside a table."""
    line = on_one_line(text)
    # A fence longer than any run of backticks within it.
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if line[:1] == "`" or line[-1:] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}".replace("|", r"\|")
