"""A callback that does not return is ended; one that takes its time, or a loop that makes progress, is left alone."""

import signal
import time
from itertools import count

import pytest

from chaos.engines.watchdog import CallbackNeverReturnedError, Watchdog


def test_what_sleeps_without_end_is_ended_with_its_place() -> None:
    with (
        pytest.raises(CallbackNeverReturnedError, match=r"0\.1 s .* in test_watchdog.py line \d+"),
        Watchdog(lambda: 0, ticks=2, every=0.05),
    ):
        time.sleep(60)


def test_code_that_makes_progress_is_left_alone_however_long_it_takes() -> None:
    progress = count()
    with Watchdog(lambda: next(progress), ticks=1, every=0.01):
        time.sleep(0.1)


def test_afterwards_the_signal_is_whose_it_was() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with Watchdog(lambda: 0):
        assert signal.getsignal(signal.SIGALRM) != before
    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)) == (before, (0.0, 0.0))
