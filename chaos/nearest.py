"""How every error about a name ends.                                                                        pure"""

from collections.abc import Iterable
from difflib import get_close_matches


def unknown_name(value: str, known: Iterable[str]) -> str:
    """How every error about a name ends: the nearest valid one, or all of them."""
    names = list(known)
    near = get_close_matches(value, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"valid are {', '.join(names)}"
