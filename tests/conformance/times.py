"""What a stage's clock says, and how exactly it can be held to it."""

import asyncio

import pytest

LATE = 0.08
"""Seconds that a real machine may be late; none may be early by more than the clock's grain, EARLY."""
EARLY = 0.005


def now() -> float:
    return asyncio.get_running_loop().time()


def takes(seconds: float) -> object:
    """Equal to what lasted so long, give or take a real machine."""
    return pytest.approx(seconds + (LATE - EARLY) / 2, abs=(LATE + EARLY) / 2)
