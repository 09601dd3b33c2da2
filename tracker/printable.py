"""Text of strangers, made harmless for a terminal, a log and a report.                                          pure

One filter for all of it: what would command a terminal (escape sequences, other control characters), or turn or hide what
stands beside it (marks of direction and of no width, separators of lines), becomes a replacement character, one for one.
"""

import unicodedata

_HARMFUL = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Of Unicode's categories: control, format, surrogate, line and paragraph separator."""


def printable(text: str) -> str:
    """The text as it may be shown; line breaks and tabs are left."""
    if text.isprintable():
        return text
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(character) in _HARMFUL and character not in "\n\t"
        else character
        for character in text
    )


def on_one_line(text: str) -> str:
    """The same on one line: whatever is quoted, a path for one, may hold a line break."""
    return printable(" ".join(text.split()))
