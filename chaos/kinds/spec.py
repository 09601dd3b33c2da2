"""What is said of one kind of fault.                                                                         pure"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Where = Literal["network", "peer", "client"]
Link = Literal["input", "output", "control"]
Direction = Literal["upstream", "downstream", "both"]
Value = int | str | tuple[str, ...]
"""A whole number, one of several choices, or a list of some of them."""
ALL_LINKS: tuple[Link, ...] = get_args(Link)
LINKS: tuple[Link, ...] = ("input", "output")
"""Those that every client has; a control link is there where a scenario sends controls."""
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a kind: a whole number between two bounds; where it has `choices`, one of them or a list of some."""

    about: str
    unit: str = ""
    default: Value | None = None
    """None: it must be given."""
    minimum: int = 0
    maximum: int = 2_000_000_000
    choices: tuple[str, ...] = ()
    usual: tuple[int, int] | None = None
    """The bounds between which a search draws a number; None: its default, or all that it may be."""
    several: bool = False
    """Whether it is a list of some of the choices, and not one of them."""

    @property
    def required(self) -> bool:
        return self.default is None


@dataclass(frozen=True, slots=True)
class KindSpec:
    """What one kind of fault does, takes, and may cost."""

    about: str
    where: Where
    severs: bool
    """Whether this kind may rightly end a connection, or stop its bytes or answers altogether. Where it is
    False, a connection lost during the fault was lost without need."""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    lasts: Literal["optional", "required", "never"] = "optional"
    """The key `for`: until the end where it is left out, must be given, or has no meaning (over at once)."""
    links: tuple[Link, ...] = ALL_LINKS
    """What `on` may be; empty: the kind has no link."""
    default_on: Link | None = None
    """None, where there are links: `on` must be given."""
    directed: bool = False
    """Whether it takes `direction` (default both) and `toxicity` (default 1)."""
    mild: Callable[[Mapping[str, Value]], bool] = lambda _: False
    """Of a kind that severs: whether it is so weak with these attributes that no connection may die of it."""
    stands_still: bool = False
    """Whether the client does nothing while it lasts, so that nothing can be asked of it."""
    lingers: str | None = None
    """The attribute that says, in milliseconds, how long after its heal it may still end a connection; None: not at all."""
    rule: Callable[[Mapping[str, Value]], str | None] = lambda _: None
    """What the attributes must fulfil together: None, or why they do not."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that a fault of this kind takes, in the order in which they are best written."""
        return (
            "at",
            *(() if self.lasts == "never" else ("for",)),
            "every",
            "times",
            *(("on",) if self.links else ()),
            "kind",
            *(("direction", "toxicity") if self.directed else ()),
            *self.attributes,
        )


_MS_MAX = 3_600_000


def milliseconds(about: str, default: int | None = None, usual: tuple[int, int] | None = None) -> Attribute:
    """An attribute that is a time."""
    return Attribute(about, "ms", default, 0, _MS_MAX, usual=usual)
