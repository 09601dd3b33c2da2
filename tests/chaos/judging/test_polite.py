"""`polite`: attempts wait, spread out, back off, and end where they are refused for good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.history import Broke, History, HistoryEvent, Reached
from chaos.judging.attempts import most_within
from chaos.judging.polite import ATTEMPTS
from chaos.judging.polite import by_reports as polite
from tests.chaos.histories import (
    Parts,
    closed,
    connected,
    connecting,
    fault,
    record,
    refused,
    said,
    stopped,
    stopping,
    waiting,
)
from tracker import events


def test_attempts_that_wait_as_announced_are_polite() -> None:
    history = record(
        connecting(1.0, 2.4, 4.0), refused(1.1), waiting(1.1, 1.2), refused(2.5), waiting(2.5, 1.5)
    )
    assert said(polite, history) == "pass"


def test_a_single_attempt_says_nothing_about_politeness() -> None:
    assert said(polite, record(connecting(1.0), connecting(1.0, link="input"), connected(1.1))) is None


def test_an_attempt_before_its_announced_time_fails() -> None:
    assert said(polite, record(connecting(1.0, 1.5), refused(1.1), waiting(1.1, 1.2))) == "fail"


def test_an_attempt_without_an_announcement_fails() -> None:
    assert said(polite, record(connecting(1.0, 9.0), closed(5.0))) == "fail"
    assert said(polite, record(connecting(1.0, 9.0), refused(5.0))) == "fail"


def test_an_attempt_without_any_delay_fails_though_it_was_announced() -> None:
    assert said(polite, record(connecting(0.0, 1.0), closed(1.0), waiting(1.0, 0.0))) == "fail"


@pytest.mark.parametrize(
    ("lived", "attempt", "verdict"),
    [(9.9, 1, "fail"), (10.0, 1, "pass"), (9.9, 3, "pass"), (0.0, 1, "fail")],
    ids=str,
)
def test_the_count_of_attempts_starts_over_after_a_stable_connection_only(
    lived: float, attempt: int, verdict: str
) -> None:
    connection = [connected(2.0), closed(2.0 + lived)] if lived else [refused(2.0)]
    over = 2.0 + lived
    again = events.Connecting(t=over + 1.0, link="output", attempt=attempt)
    history = record(
        connecting(0.0, 1.5),
        refused(0.0),
        waiting(0.0, 1.5),
        connection,
        waiting(over, 1.0),
        again,
        settings={"timing": {"stable_after": 10.0}},
    )
    assert said(polite, history) == verdict


def test_a_stable_connection_lets_the_count_start_over_once() -> None:
    def attempt(t: float, number: int) -> list[HistoryEvent]:
        return [
            waiting(t - 1.0, 1.0),
            events.Connecting(t=t, link="output", attempt=number),
            refused(t + 0.1),
        ]

    stable = connecting(0.0), connected(0.1), closed(12.0)
    settings = {"timing": {"stable_after": 10.0}}
    assert said(polite, record(stable, attempt(13.0, 2), attempt(15.0, 3), settings=settings)) == "pass"
    assert said(polite, record(stable, attempt(13.0, 2), attempt(15.0, 2), settings=settings)) == "fail"


def test_a_delay_above_the_declared_cap_fails_unless_the_peer_asked_for_it() -> None:
    def verdict(end: Parts) -> str | None:
        settings = {"timing": {"reconnect_cap": 8.0}}
        return said(polite, record(connecting(0.0, 9.5), end, waiting(1.0, 8.1), settings=settings))

    assert verdict(refused(1.0)) == "fail"
    assert verdict(closed(1.0)) == "fail"
    assert verdict(events.Refused(t=1.0, link="output", why="HTTP 503", status=503)) == "pass"


def test_an_attempt_after_a_fatal_refusal_fails_however_late() -> None:
    final = refused(1.1, fatal=True)
    assert said(polite, record(connecting(1.0), final)) == "pass"
    assert said(polite, record(connecting(1.0, 50.0), final, waiting(1.2, 10.0))) == "fail"


def attempts(*delays: float) -> History:
    """Refused, and trying again after each of the delays."""
    parts: list[HistoryEvent] = []
    t = 1.0
    for delay in delays:
        parts += [*connecting(t), refused(t), waiting(t, delay)]
        t += delay
    return record(parts)


def test_delays_that_vary_without_rule_are_jittered() -> None:
    assert said(polite, attempts(0.31, 0.77, 1.9, 0.4, 5.1)) == "pass"


@pytest.mark.parametrize(
    "delays", [(5.0, 5.0, 5.0, 5.0), (0.5, 1.0, 2.0, 4.0), (5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0)]
)
def test_delays_that_follow_a_rule_are_not_jittered(delays: tuple[float, ...]) -> None:
    assert said(polite, attempts(*delays)) == "fail"
    assert said(polite, attempts(*delays[:3])) == "pass"  # too few to say


def test_attempts_that_never_back_off_fail() -> None:
    hurried = [0.5 + n / 1000 * (n % 3) for n in range(40)]
    assert said(polite, attempts(*hurried)) == "fail"
    assert said(polite, attempts(*hurried[: ATTEMPTS - 1])) == "pass"


def test_each_link_has_attempts_of_its_own() -> None:
    both: list[Parts] = [connecting(1.0), connecting(1.0, link="input"), refused(1.1), waiting(1.1, 3.0)]
    assert said(polite, record(*both)) == "pass"


@given(st.lists(st.floats(0, 60).map(lambda t: round(t, 1)), max_size=40).map(sorted))
def test_the_busiest_span_is_that_of_an_obvious_count(times: list[float]) -> None:
    obvious = max((sum(t <= later and later - t < 10.0 for later in times) for t in times), default=0)
    assert most_within(10.0, times) == obvious


def test_a_refusal_for_good_that_is_not_taken_as_one_is_impolite() -> None:
    refusal = events.Refused(t=2.0, link="output", why="HTTP 403", status=403)
    assert said(polite, record(connecting(1.0), refusal)) == "fail"


def test_a_refusal_of_what_may_be_renewed_is_none_for_good() -> None:
    def tried_again(*, renewable: bool) -> str | None:
        refusal = events.Refused(t=2.0, link="output", why="HTTP 401", status=401, renewable=renewable)
        return said(polite, record(connecting(1.0), refusal, waiting(2.0, 0.3), connecting(62.0)))

    assert tried_again(renewable=True) == "pass"
    assert tried_again(renewable=False) == "fail"


# An end for good


def final(status: int = 403, *, fatal: bool = True, t: float = 2.0) -> events.Refused:
    return events.Refused(t=t, link="output", why=f"HTTP {status}", status=status, fatal=fatal)


def end(t: float = 2.1, cause: events.StopCause = "refused", asked: float = 30.0) -> list[Parts]:
    return [events.Stopping(t=t, why="refused", left=0, cause=cause), Reached(t=asked, phase="stopping")]


def told(what: str = "output refused for good: HTTP 403") -> Broke:
    return Broke(t=2.2, who="client", what=what)


REFUSED = fault("refuse", 1.0, 20.0, status=403)


def verdict_of(*parts: Parts) -> str | None:
    return said(polite, record(connecting(1.0), parts), REFUSED)


def test_a_refusal_for_good_ends_the_client_and_is_told_with_its_status() -> None:
    assert verdict_of(final(), end(), told()) == "pass"


@pytest.mark.parametrize(
    "parts",
    [
        [final(fatal=False), end(), told()],
        [final(401), end(), told("HTTP 403")],
        [final(), waiting(2.0, 0.3), connecting(2.3), end(2.4), told()],
        [final(), end(cause="asked"), told()],
        [final(), end(), told("no luck")],
        [final(), end()],
        [final(), end(3.1), told()],
        [final(), end(asked=3.1)[1:], stopping(3.2)],
        [final(), stopped(60.0)],
    ],
    ids=[
        "not taken for good",
        "another status",
        "one attempt more",
        "another cause",
        "without the status",
        "nobody is told",
        "too late",
        "only when asked",
        "never",
    ],
)
def test_a_client_that_goes_on_after_a_refusal_for_good_or_tells_it_wrongly_fails(parts: list[Parts]) -> None:
    assert verdict_of(*parts) == "fail"


def test_a_run_that_is_over_right_after_a_refusal_for_good_says_nothing_of_an_end() -> None:
    assert verdict_of(final(), Reached(t=2.9, phase="stopping"), stopping(3.2)) == "pass"
