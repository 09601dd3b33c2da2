"""Names that lead to addresses, and what may be wrong with looking them up."""

import asyncio
import socket
from asyncio.staggered import staggered_race
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeVar, cast

How = Literal["fails", "slow", "another", "dead-first"]
T = TypeVar("T")

NOBODY = "192.0.2.1"
"""An address at which nobody listens (TEST-NET-1, RFC 5737): to connect there is refused."""
DEAD = "192.0.2.2"
"""One to which no packet comes: to connect there takes as long as a kernel tries."""


@dataclass(eq=False, slots=True)
class Trouble:
    """One fault of a name, in force until it is removed."""

    how: How
    delay: float
    """Seconds that a slow answer takes."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    lookups: int = 0
    """Those that it answered wrongly, late, or not at all."""


class Name:
    """One name: where it leads, and what is wrong with that at present."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._troubles: list[Trouble] = []

    def begin(self, how: How, delay: float) -> Trouble:
        """From now on it is looked up like that."""
        trouble = Trouble(how, delay)
        self._troubles.append(trouble)
        return trouble

    def end(self, trouble: Trouble) -> None:
        """It is over; whoever waits for a slow answer has it now."""
        self._troubles.remove(trouble)
        trouble.over.set()

    async def look_up(self) -> tuple[str, ...]:
        """Its addresses, the first to be tried first. Raises `socket.gaierror`, as a resolver that has no answer does.

        What is wrong when the question is asked decides the answer; of several things the latest to begin.
        """
        troubles = tuple(self._troubles)
        for trouble in troubles:
            trouble.lookups += 1
        slow = max((each for each in troubles if each.how == "slow"), key=_delay, default=None)
        if slow is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(slow.delay):
                    await slow.over.wait()
        for trouble in reversed(troubles):
            match trouble.how:
                case "fails":
                    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
                case "another":
                    return (NOBODY,)
                case "dead-first":
                    return (DEAD, self._address)
        return (self._address,)


def _delay(trouble: Trouble) -> float:
    return trouble.delay


async def first_of(
    connect: Callable[[str], Awaitable[T]], addresses: Sequence[str], *, stagger: float | None
) -> T:
    """Connect to one of several addresses, as asyncio does: `stagger` seconds after one the next is tried as well
    (Happy Eyeballs, RFC 8305); None: when the one before it has failed. Raises what the attempts raised.
    """
    failures: list[OSError] = []
    if stagger is None:
        for address in addresses:
            try:
                return await connect(address)
            except OSError as error:
                failures.append(error)
    else:
        attempts = [partial(connect, address) for address in addresses]
        winner, index, raised = await staggered_race(attempts, stagger, loop=asyncio.get_running_loop())
        if index is not None:
            return cast(T, winner)
        failures += [error for error in raised if isinstance(error, OSError)]
    if len(failures) == 1:
        raise failures[0]
    raise OSError(f"Multiple exceptions: {', '.join(str(failure) for failure in failures)}")
