from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.config import Timing
from tracker.reconnect import RETRY_AFTER_LIMIT, Backoff, CertificateFault, Failure, remedy

TIMING = Timing(reconnect_delay=0.5, reconnect_cap=8.0, stable_after=10.0)
UNREACHABLE = Failure("connection refused")


class Widest(Random):
    """Draws the upper end of every range, so that the range itself can be seen."""

    def uniform(self, a: float, b: float) -> float:
        assert a == 0.0, f"the jitter is full: it starts at 0, not at {a}"
        return b


def ranges(backoff: Backoff, count: int) -> list[float]:
    """The widths of the next ranges that a delay is drawn from, after refusals."""
    return [backoff.after_refusal(UNREACHABLE) for _ in range(count)]


# Full jitter


def test_the_range_doubles_with_each_failure_up_to_the_cap() -> None:
    assert ranges(Backoff(TIMING, Widest()), 6) == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_a_cap_between_two_powers_is_met_exactly() -> None:
    assert ranges(Backoff(replace(TIMING, reconnect_cap=3.0), Widest()), 3) == [1.0, 2.0, 3.0]


def test_months_of_failure_do_not_overflow() -> None:
    backoff = Backoff(TIMING, Widest())
    assert ranges(backoff, 3000)[-1] == 8.0
    assert backoff.attempt == 3001


@pytest.mark.parametrize(("failures", "width"), [(1, 1.0), (2, 2.0), (9, 8.0)])
def test_delays_are_spread_evenly_over_the_whole_range(failures: int, width: float) -> None:
    rng = Random(7)
    tenths = [0] * 10
    for _ in range(2000):
        backoff = Backoff(TIMING, rng)
        *_, delay = ranges(backoff, failures)
        assert 0 <= delay <= width
        tenths[min(9, int(10 * delay / width))] += 1
    # 200 are expected in each; five standard deviations either way.
    assert all(abs(n - 200) < 5 * (2000 * 0.1 * 0.9) ** 0.5 for n in tenths)


def test_two_clients_that_lose_the_same_server_do_not_return_together() -> None:
    one, other = Backoff(TIMING, Random(1)), Backoff(TIMING, Random(2))
    assert ranges(one, 5) != ranges(other, 5)


def test_the_same_seed_gives_the_same_delays() -> None:
    assert ranges(Backoff(TIMING, Random(1)), 5) == ranges(Backoff(TIMING, Random(1)), 5)


# When it starts over


def test_a_connection_that_was_stable_starts_the_back_off_over() -> None:
    backoff = Backoff(TIMING, Widest())
    ranges(backoff, 5)
    assert backoff.after_close(lived=10.0) == 0.5
    assert backoff.attempt == 1


def test_a_connection_that_was_accepted_and_dropped_is_one_more_failure() -> None:
    backoff = Backoff(TIMING, Widest())
    assert [backoff.after_close(lived=9.999) for _ in range(5)] == [1.0, 2.0, 4.0, 8.0, 8.0]


def test_short_lives_do_not_add_up_to_a_stable_one() -> None:
    backoff = Backoff(TIMING, Widest())
    for _ in range(4):
        backoff.after_close(lived=6.0)
    assert backoff.after_close(lived=6.0) == 8.0


def test_even_after_a_stable_connection_there_is_a_delay_to_draw() -> None:
    # Without one, a server that restarts meets all of its clients at once.
    assert Backoff(TIMING, Widest()).after_close(lived=1e6) == 0.5


# Retry-After


def test_a_server_that_asks_for_patience_gets_it_and_the_jitter_on_top() -> None:
    backoff = Backoff(TIMING, Widest())
    busy = Failure("HTTP 503", status=503, retry_after=20.0)
    assert [backoff.after_refusal(busy) for _ in range(3)] == [21.0, 22.0, 24.0]


def test_those_who_were_told_the_same_number_come_back_at_different_times() -> None:
    busy = Failure("HTTP 503", status=503, retry_after=20.0)
    delays = {Backoff(TIMING, Random(seed)).after_refusal(busy) for seed in range(20)}
    assert len(delays) == 20
    assert min(delays) >= 20.0


@pytest.mark.parametrize("asked", [300.0, 301.0, 1e9, float("inf")])
def test_patience_has_a_limit(asked: float) -> None:
    failure = Failure("HTTP 429", status=429, retry_after=asked)
    assert Backoff(TIMING, Widest()).after_refusal(failure) == RETRY_AFTER_LIMIT + 1.0


@pytest.mark.parametrize("asked", [0.0, -5.0])
def test_a_server_that_asks_for_none_does_not_take_the_jitter_away(asked: float) -> None:
    failure = Failure("HTTP 503", status=503, retry_after=asked)
    assert Backoff(TIMING, Widest()).after_refusal(failure) == 1.0


# Transient or fatal


@pytest.mark.parametrize(
    ("failure", "word"),
    [
        (Failure("HTTP 401", status=401), "credentials"),
        (Failure("HTTP 403", status=403), "does not admit"),
        (Failure("HTTP 404", status=404), "path"),
        *(
            (Failure("certificate verify failed", certificate=fault), "certificate")
            for fault in CertificateFault
            if fault is not CertificateFault.NOT_YET_VALID
        ),
    ],
)
def test_a_refusal_that_names_the_clients_own_mistake_has_a_remedy_in_one_line(
    failure: Failure, word: str
) -> None:
    cure = remedy(failure)
    assert cure is not None
    assert word in cure
    assert ": " in cure  # what is wrong, then what to do
    assert "\n" not in cure


def test_every_other_status_may_heal_by_itself() -> None:
    fatal = [status for status in range(100, 600) if remedy(Failure(f"HTTP {status}", status=status))]
    assert fatal == [401, 403, 404]


def test_a_certificate_that_is_not_valid_yet_will_be() -> None:
    assert remedy(Failure("certificate verify failed", certificate=CertificateFault.NOT_YET_VALID)) is None


def test_a_port_that_refuses_or_says_nothing_may_heal_by_itself() -> None:
    assert remedy(UNREACHABLE) is None


# Any sequence of outcomes

outcomes = st.one_of(
    st.just(UNREACHABLE),
    st.floats(-10, 1e4).map(lambda seconds: Failure("HTTP 503", status=503, retry_after=seconds)),
    st.floats(0, 30),  # a connection that lived so long
)


@given(st.lists(outcomes, max_size=60), st.integers(0, 2**32))
def test_whatever_happens_a_delay_keeps_to_its_range_and_only_stability_starts_it_over(
    history: list[Failure | float], seed: int
) -> None:
    backoff = Backoff(TIMING, Random(seed))
    attempt = 1
    for outcome in history:
        asked = 0.0
        if isinstance(outcome, Failure):
            delay = backoff.after_refusal(outcome)
            attempt += 1
            asked = min(max(outcome.retry_after or 0.0, 0.0), RETRY_AFTER_LIMIT)
        else:
            delay = backoff.after_close(outcome)
            attempt = 1 if outcome >= TIMING.stable_after else attempt + 1
        width = min(TIMING.reconnect_cap, TIMING.reconnect_delay * 2 ** (attempt - 1))
        assert asked <= delay <= asked + width
        assert backoff.attempt == attempt
