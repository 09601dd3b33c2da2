"""A part of a file that a command writes, between two comments that a person has put there.                  pure"""

from chaos.commands.usage import UsageError

BEGIN = "<!-- compare: begin -->"
END = "<!-- compare: end -->"


def replaced(text: str, part: str, file: str) -> str:
    """`text` with `part` in place of what stands between the marks. Raises `UsageError` where they are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in before + after:
        raise UsageError(
            f"cannot write --into {file}: it needs one line {BEGIN} and, after it, one line {END}: add what is missing"
        )
    return f"{before}{BEGIN}\n\n{part.strip()}\n\n{END}{after}"
