"""What a loop has to do: callbacks, at once or at their time."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any


class Call(asyncio.TimerHandle):
    """What `call_soon`, `call_at` and `call_later` return: asyncio's handle without what that keeps for its debug mode.

    None of the base's own attributes is set, which would cost as much as running a small callback; all of its public
    methods are here.
    """

    __slots__ = ("args", "at", "callback", "context")

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context,
        at: float | None = None,
    ) -> None:
        self.callback: Callable[..., object] | None = callback
        """None: it was cancelled."""
        self.args = args
        self.context = context
        self.at = at
        """None: it is no timer."""

    def cancel(self) -> None:
        self.callback = None
        self.args = ()

    def cancelled(self) -> bool:
        return self.callback is None

    def when(self) -> float:
        assert self.at is not None, "only call_at and call_later return something that has a time"
        return self.at

    def __repr__(self) -> str:
        name = getattr(self.callback, "__qualname__", repr(self.callback))
        return f"<Call {name}{'' if self.at is None else f' at {self.at:g} s'}>"

    __hash__ = object.__hash__
    __eq__ = object.__eq__
