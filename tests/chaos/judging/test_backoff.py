"""Back-off by its own rules: when the count starts over, and what each delay may be drawn from."""

from collections.abc import Iterable
from random import Random

import pytest

from chaos.history import History
from chaos.judging.backoff import ENOUGH, Draw, backoff, broken_rule, unlike_full_jitter
from simulator import events as peer
from tests.chaos.histories import closed, connected, record, refused, waiting
from tracker import events

TIMING = {"reconnect_delay": 0.5, "reconnect_cap": 8.0, "stable_after": 10.0}


def attempt(t: float, number: int) -> events.Connecting:
    return events.Connecting(t=t, link="output", attempt=number)


def answered(t: float) -> events.Answered:
    return events.Answered(t=t, link="output", number=1, rtt=0.1)


# The count


@pytest.mark.parametrize(
    ("answer", "end", "number", "rule"),
    [
        (12.0, 13.0, 1, None),
        (12.0, 13.0, 4, "attempt 4 came after a stable connection, on output at 14.0 s: it must start over"),
        (10.9, 10.92, 4, None),
        (
            10.9,
            10.92,
            1,
            "it started over 1 times after no stable connection, the first time on output at 14.0 s",
        ),
        (10.9, 13.0, 1, None),  # only the client knows whether it took this connection for a stable one
        (10.9, 13.0, 4, None),
        (10.9, 13.0, 3, "attempt 3 came where number 4 was due, on output at 14.0 s"),
        (12.0, 13.0, 2, "attempt 2 came after a stable connection, on output at 14.0 s: it must start over"),
    ],
)
def test_after_a_connection_that_answered_for_long_enough_the_count_starts_over(
    answer: float, end: float, number: int, rule: str | None
) -> None:
    history = record(
        attempt(0.5, 3),
        connected(1.0),
        answered(answer),
        closed(end),
        attempt(14.0, number),
        settings={"timing": {"stable_after": 10.0}},
    )
    assert broken_rule(history) == rule


def test_every_failure_counts_for_one() -> None:
    def rule(*numbers: int) -> str | None:
        tries = [[attempt(t, n), refused(t + 0.1)] for t, n in enumerate(numbers)]
        return broken_rule(record(tries, settings={"timing": {"stable_after": 10.0}}))

    assert rule(1, 2, 3, 4) is None
    assert rule(1, 2, 4) == "attempt 4 came where number 3 was due, on output at 2.0 s"
    assert (
        rule(1, 2, 2)
        == "it started over 1 times after no stable connection, the first time on output at 2.0 s"
    )
    assert rule(5, 6, 7) is None, "a record may begin in the middle"


def test_a_connection_that_was_silent_at_its_end_did_not_live_so_long() -> None:
    def carried(t: float, received: int) -> events.Carried:
        return events.Carried(t=t, link="output", connection=1, received=received)

    def rule(heard: float, number: int) -> str | None:
        silent = [carried(t, 0) for t in (heard + 1.0, heard + 2.0)]
        over = closed(heard + 3.0), attempt(heard + 4.0, number)
        before = attempt(0.5, 3), connected(1.0), carried(heard, 50)
        return broken_rule(record(before, silent, over, settings={"timing": {"stable_after": 10.0}}))

    early = "it started over 1 times after no stable connection, the first time on output at 14.5 s"
    assert [rule(10.5, number) for number in (4, 1)] == [None, early]
    assert [rule(11.5, number) for number in (4, 1)] == [None, None]  # only the client knows


# The delays


def drawn(*delays: float) -> History:
    """Refused again and again, and these delays announced."""
    parts, t = [], 0.0
    for number, delay in enumerate(delays, 1):
        parts.append([attempt(t, number), refused(t), waiting(t, delay)])
        t += delay
    return record(parts, attempt(t, len(delays) + 1), settings={"timing": TIMING})


def test_a_delay_comes_from_a_range_that_doubles_up_to_the_cap() -> None:
    assert broken_rule(drawn(1.0, 2.0, 4.0, 8.0, 8.0)) is None
    assert broken_rule(drawn(0.1, 2.01)) == (
        "1 delays were longer than declared, the first is 2.01 s before attempt 3 on output at 0.1 s: 2.00 s at most"
    )
    assert broken_rule(drawn(0.1, 0.1, 0.1, 8.01)) == (
        "1 delays were longer than declared, the first is 8.01 s before attempt 5 on output at 0.3 s: 8.00 s at most"
    )


def test_after_a_stable_connection_a_delay_is_drawn_from_the_first_range() -> None:
    def rule(delay: float) -> str | None:
        stable = attempt(0.0, 4), connected(0.1), answered(12.0), closed(13.0)
        return broken_rule(
            record(stable, waiting(13.0, delay), attempt(13.0 + delay, 1), settings={"timing": TIMING})
        )

    assert rule(0.5) is None
    assert rule(0.51) is not None


def test_the_last_delay_counts_although_no_attempt_followed() -> None:
    history = record(attempt(0.0, 1), refused(0.1), waiting(0.1, 0.6), settings={"timing": TIMING})
    assert [draw.attempt for draw in backoff(history).draws] == [2]
    later = record(
        attempt(0.0, 1),
        refused(0.1),
        waiting(0.1, 0.3),
        attempt(0.4, 2),
        refused(0.5),
        waiting(0.5, 2.1),
        settings={"timing": TIMING},
    )
    assert broken_rule(later) is not None


def test_a_delay_that_a_refusal_may_have_lengthened_is_not_held_to_the_range() -> None:
    def rule(*asked: peer.Misbehaved, status: int | None = 503) -> str | None:
        refusal = events.Refused(t=0.2, link="output", why="HTTP 503", status=status)
        parts = attempt(0.0, 1), refusal, waiting(0.2, 5.1), attempt(5.3, 2)
        return broken_rule(record(parts, asked, settings={"timing": TIMING}))

    def refuse(retry_after: float) -> peer.Misbehaved:
        return peer.Misbehaved(t=0.1, kind="refuse", link="output", retry_after=retry_after)

    assert rule() is None, "nobody says what the peer asked for"
    assert rule(refuse(5.0)) is None
    assert rule(refuse(0.0)) is not None
    assert rule(status=None) is not None


# Full jitter, where there are enough delays to tell


def draws(shares: Iterable[float], attempt: int = 2) -> list[Draw]:
    return [Draw(float(n), "output", share, attempt) for n, share in enumerate(shares)]  # of 1 s


def uniform(count: int, seed: int) -> list[float]:
    rng = Random(seed)
    return [rng.random() for _ in range(count)]


@pytest.mark.parametrize("count", [ENOUGH, 100, 1000])
def test_full_jitter_is_taken_for_full_jitter(count: int) -> None:
    assert [unlike_full_jitter(draws(uniform(count, seed)), TIMING) for seed in range(50)] == [None] * 50


@pytest.mark.parametrize(
    ("shares", "observed"),
    [
        (
            [0.5 + share / 2 for share in uniform(100, 1)],
            "100 delays before attempt 2 are 0.76 of their range on average: full jitter has 0.50",
        ),
        (
            [share / 4 for share in uniform(100, 1)],
            "100 delays before attempt 2 are 0.13 of their range on average: full jitter has 0.50",
        ),
        (
            [0.45 + share / 10 for share in uniform(100, 1)],
            "100 delays before attempt 2 stray by 0.03 of their range: full jitter has 0.29",
        ),
    ],
    ids=["half of it is fixed", "it never grows", "a little about the middle"],
)
def test_what_is_no_full_jitter_is_told_from_it(shares: list[float], observed: str) -> None:
    assert unlike_full_jitter(draws(shares), TIMING) == observed
    assert unlike_full_jitter(draws(shares[: ENOUGH - 1]), TIMING) is None, "too few to say"


def test_delays_are_held_to_full_jitter_after_each_number_of_failures() -> None:
    low, high = draws([0.05] * 30, attempt=2), draws([1.9] * 30, attempt=3)
    told = unlike_full_jitter([*low, *high], TIMING)
    assert told is not None
    assert told.startswith("30 delays before attempt 2")
    few = [*draws([0.9] * 10, attempt=2), *draws([1.9] * 10, attempt=3)]
    assert unlike_full_jitter(few, TIMING) == (
        "20 delays over all are 0.93 of their range on average: full jitter has 0.50"
    )


@pytest.mark.parametrize(
    ("asked", "delay", "rule"),
    [
        (10.0, 10.3, None),
        (10.0, 10.0, "no jitter on top of 10.00 s on output at 0.1 s, where 10 s were asked for"),
        (10.0, 19.0, "it waits 19.00 s on output at 0.1 s, where 10 s were asked for"),
        (3600.0, 304.0, None),
        (3600.0, 3600.4, "it waits 3600.40 s on output at 0.1 s, where 3600 s were asked for"),
    ],
)
def test_a_peer_that_asks_for_patience_gets_it_and_jitter_on_top_but_no_hours(
    asked: float, delay: float, rule: str | None
) -> None:
    history = record(
        attempt(0.0, 1),
        peer.Misbehaved(t=0.1, kind="refuse", link="output", retry_after=asked),
        events.Refused(t=0.1, link="output", why="HTTP 503", status=503),
        waiting(0.1, delay),
        settings={"timing": TIMING},
    )
    assert broken_rule(history) == rule
