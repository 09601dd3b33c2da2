"""Records of several clients: taken apart, judged one by one, and judged for how they come back together."""

from collections.abc import Iterable
from random import Random

import pytest

from chaos.answer import Answer
from chaos.history import Began, History, HistoryEvent, Reported
from chaos.judging.checks import judge
from chaos.judging.facts import Facts
from chaos.judging.herd import apart, jitter, measures, spread, together
from chaos.judging.verdicts import Check
from simulator import events as peer
from tests.chaos.histories import (
    STEADY,
    accepted,
    broke,
    connecting,
    delivered,
    ended,
    fault,
    opened,
    record,
    scenario,
    struck,
    waiting,
)
from tracker import events
from tracker.config import Timing
from tracker.events import AnyEvent
from tracker.reconnect import Backoff, Failure

RESTART = fault("restart", 10.0, 5.0, on=None)
RESTARTED = scenario(RESTART)


def reported(client: int, *reports: AnyEvent) -> list[HistoryEvent]:
    return [Reported(t=report.t, client=client, report=report) for report in reports]


# Apart


def test_the_record_of_one_client_is_left_as_it_is() -> None:
    history = record(STEADY, connecting(1.0), accepted(1), delivered(1))
    assert apart(history) == (history,)


def test_each_client_gets_its_own_reports_its_own_connections_and_what_concerns_all() -> None:
    first, second = waiting(2.0, 0.1), waiting(3.0, 0.2)
    shared = [Began(t=4.0, fault=0, planned=4.0), peer.Misbehaved(t=5.0, kind="refuse", link="output")]
    mine = [opened(1.0, 1), *delivered(6, over=1), ended(9.0, number=1)]
    other = [opened(1.5, 2, client=1), *delivered(7, over=2), ended(8.0, number=2)]
    arrivals = [
        peer.Arrived(t=6.0, hold="hold_1", time=5.0),
        peer.Arrived(t=7.0, hold="hold_1", time=5.0, client=1),
    ]
    history = record(first, reported(1, second), shared, mine, other, arrivals, clients=2)
    parts = [list(part.events) for part in apart(history)]
    assert parts == [
        [mine[0], first, *shared, mine[1], arrivals[0], mine[2]],
        [other[0], second, *shared, other[1], arrivals[1], other[2]],
    ]


def test_only_the_client_that_a_refusal_asked_to_stay_away_is_held_to_it() -> None:
    asked = peer.Misbehaved(t=5.0, kind="refuse", link="output", client=1, retry_after=3.0)
    assert [list(part.events) for part in apart(record(asked, clients=2))] == [[], [asked]]


def test_the_failure_of_a_client_is_its_own_and_that_of_the_laboratory_everybodys() -> None:
    laboratory = broke("laboratory", t=6.0)
    first, second = apart(record(broke("client"), laboratory, clients=2))
    assert (len(first.events), second.events) == (2, (laboratory,))


def test_each_client_is_held_to_its_own_reference() -> None:
    history = record(STEADY, reference=(Answer((1.0,)),), clients=2)
    assert [part.reference for part in apart(history)] == [(Answer((1.0,)),), ()]
    assert [part.clients for part in apart(history)] == [1, 1]


def test_a_connection_of_nobody_who_was_started_is_left_out() -> None:
    stray = opened(1.0, 5, client=9)
    assert [part.events for part in apart(record(stray, delivered(2, over=5), clients=2))] == [(), ()]


# Judged one by one


def one_of_three_loses() -> History:
    """Client 1 accepted three outputs, of which the second never came; the others' came."""
    parts = [
        [opened(0.5, number, client=client), *delivered(*seqs, over=number)]
        for client, number, seqs in ((0, 1, (1, 2, 3)), (1, 2, (1, 3)), (2, 3, (1, 2, 3)))
    ]
    taken = accepted(1, 2, 3)
    reports = [event for event in taken if isinstance(event, events.Accepted)]
    return record(STEADY, taken, reported(1, *reports), reported(2, *reports), parts, clients=3)


def test_a_check_is_as_bad_as_the_worst_clients_and_names_it() -> None:
    judgement = judge(one_of_three_loses(), scenario())
    by_name = {check.name: check for check in judgement.checks}
    assert judgement.verdict == by_name["no-loss"].verdict == "fail"
    assert by_name["no-loss"].observed == "client 1: 1 lost: seq 2"
    assert by_name["in-order"].verdict == "pass"
    assert by_name["in-order"].observed.startswith("3 clients, the first: ")


def test_counts_are_of_all_clients_and_times_the_longest() -> None:
    history = one_of_three_loses()
    figures = measures(history, scenario())
    assert (figures["delivered"], figures["lost"], figures["detect_s"]) == (8, 1, None)
    silences = [Facts(part, ()).longest_silence or 0.0 for part in apart(history)]
    assert figures["longest_silence_s"] == pytest.approx(max(silences))
    assert max(silences) > min(silences)


# How they come back


def crowd(attempts: Iterable[tuple[int, float]], *, of: int) -> History:
    """Clients that try at these times; the endpoint went away at 10 s for 5 s. All had connected at once, at 1 s."""
    first = [(client, 1.0) for client in range(of)]
    made = [
        reported(client, events.Connecting(t=t, link="input", attempt=1))
        if client
        else connecting(t, link="input")
        for client, t in [*first, *attempts]
    ]
    return record(STEADY, struck(RESTART), made, clients=of)


def backing_off(clients: int, seed: object, *, alike: bool = False) -> list[tuple[int, float]]:
    """When clients with the tracker's back-off try again, until they find the endpoint back."""
    found = []
    for client in range(clients):
        backoff = Backoff(Timing(), Random(f"{seed}" if alike else f"{seed}/{client}"))
        t = 10.0 + backoff.after_close(60.0)
        found.append((client, t))
        while t < 15.0:
            t += backoff.after_refusal(Failure("refused"))
            found.append((client, t))
    return found


def verdict(history: History) -> str | None:
    check = spread(history, RESTARTED)
    return None if check is None else check.verdict


@pytest.mark.parametrize("clients", [16, 50, 100])
def test_clients_that_back_off_with_full_jitter_are_spread(clients: int) -> None:
    seeds = range(200)
    assert {verdict(crowd(backing_off(clients, seed), of=clients)) for seed in seeds} == {"pass"}


@pytest.mark.parametrize("clients", [16, 50, 100])
def test_clients_that_draw_the_same_delays_are_a_herd(clients: int) -> None:
    seeds = range(20)
    herds = [crowd(backing_off(clients, seed, alike=True), of=clients) for seed in seeds]
    assert {verdict(herd) for herd in herds} == {"fail"}


def test_a_herd_is_told_with_its_size_and_its_link() -> None:
    check = spread(crowd(((client, 15.0 + client / 1000) for client in range(50)), of=50), RESTARTED)
    assert check is not None
    assert (check.verdict, check.observed) == ("fail", "at most 50, on input")
    assert check.expected == "back-off that differs: at most 34 attempts of 50 clients within 0.1 s"


def test_that_they_all_start_at_once_is_no_herd() -> None:
    assert spread(crowd([], of=50), RESTARTED) is None
    one_by_one = [(client, 15.0 + client / 10) for client in range(50)]
    assert verdict(crowd(one_by_one, of=50)) == "pass"
    assert spread(crowd(one_by_one, of=50), scenario()) is None  # nothing went away


def test_when_only_a_few_tried_again_nothing_is_known() -> None:
    check = spread(crowd(((client, 15.0) for client in range(34)), of=50), RESTARTED)
    assert check is not None
    assert check.verdict == "unknown"
    assert check.observed == "only 34 clients tried again: too few for a bunch"


def test_of_fewer_than_16_clients_nothing_could_be_told_from_chance() -> None:
    at_once = [(client, 15.0) for client in range(16)]
    assert spread(crowd(at_once[:15], of=15), RESTARTED) is None
    assert verdict(crowd(at_once, of=16)) == "fail"


def test_clients_that_report_nothing_are_seen_where_the_peer_answers_them() -> None:
    def met(every: float) -> History:
        came = [opened(15.0 + n * every, n + 1, client=n) for n in range(50)]
        return record(STEADY, struck(RESTART), came, role="relay", clients=50)

    assert (verdict(met(0.001)), verdict(met(0.1))) == ("fail", "pass")


def test_the_spread_is_judged_beside_the_promises_but_not_in_a_run_that_was_never_steady() -> None:
    history = crowd(((client, 15.0) for client in range(50)), of=50)
    assert [check.name for check in judge(history, RESTARTED).checks][-1] == "spread"
    unsteady = record(history.events[:0], clients=50)
    assert [check.name for check in judge(unsteady, RESTARTED).checks] == ["valid-run"]


# Jitter


def refused_again_and_again(clients: int, *, fixed: float) -> History:
    """Each client waits twice: `fixed` is the share of each delay that is no matter of chance."""
    timing = {"timing": {"reconnect_delay": 0.5, "reconnect_cap": 8.0}}
    parts = []
    for client in range(clients):
        rng, t = Random(client), 15.0
        for number in (1, 2):
            delay = 1.0 * number * (fixed + (1 - fixed) * rng.random())
            tried = events.Connecting(t=t, link="output", attempt=number)
            turned_away = events.Refused(t=t, link="output", why="refused")
            parts.append([tried, turned_away, events.Waiting(t=t, link="output", delay=delay)])
            t += delay
        parts.append([events.Connecting(t=t, link="output", attempt=3)])
        if client:
            parts[-3:] = [reported(client, *some) for some in parts[-3:]]
    return record(STEADY, parts, clients=clients, settings=timing)


def test_delays_of_all_clients_together_are_held_to_full_jitter() -> None:
    fair = jitter(refused_again_and_again(50, fixed=0.0))
    assert fair is not None
    assert (fair.verdict, fair.observed) == ("pass", "100 such delays")
    half = jitter(refused_again_and_again(50, fixed=0.5))
    assert half is not None
    assert half.verdict == "fail"
    assert "of their range" in half.observed


def test_few_delays_or_those_of_one_client_say_nothing_of_jitter() -> None:
    assert jitter(refused_again_and_again(1, fixed=0.5)) is None
    assert jitter(refused_again_and_again(7, fixed=0.5)) is None
    assert jitter(refused_again_and_again(8, fixed=0.9)) is not None


def test_together_the_clients_are_as_bad_as_the_worst_of_them() -> None:
    fine, doubtful, wrong = (Check("no-loss", verdict, "-", "-") for verdict in ("pass", "unknown", "fail"))
    assert [check.verdict for check in together([[fine], [doubtful], [wrong], [doubtful]])] == ["fail"]
    assert [check.verdict for check in together([[fine], [doubtful], [fine]])] == ["unknown"]
