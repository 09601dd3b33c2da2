"""How every error about a name ends.                                                                        pure"""

from collections.abc import Iterable
from difflib import get_close_matches

from chaos.aliases import meant_by


def nearest(value: str, known: Iterable[str]) -> list[str]:
    """The names that `value` may stand for: what the field calls so, else the one that is spelled most alike; or none."""
    names = list(known)
    return [name for name in meant_by(value) if name in names] or get_close_matches(value, names, n=1)


def unknown_name(value: str, known: Iterable[str]) -> str:
    """How every error about a name ends: the nearest valid ones, or all of them."""
    names = list(known)
    near = nearest(value, names)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else f"valid are {', '.join(names)}"
