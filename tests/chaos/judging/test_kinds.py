"""Clients that are no relays of numbered messages: what can be judged of each, and by what."""

from typing import Any

from chaos.faults import Fault
from chaos.history import History, Reached
from chaos.judging.checks import judge, valid_run
from chaos.judging.evidence import windows
from chaos.judging.measures import measures_of
from chaos.judging.peer_evidence import peer_evidence
from chaos.judging.peer_facts import MOST_COUNTED, PeerFacts
from chaos.judging.promises import CHECKS
from chaos.judging.verdicts import Check
from simulator import events as peer
from tests.chaos.histories import STEADY, Parts, delivered, fault, offered, opened, record, scenario, struck

STOP = Reached(t=40.0, phase="stopping")
ONE_LINK: list[Parts] = [STEADY, opened(0.1, 1), STOP]


def sender(*parts: Parts) -> History:
    return record(*ONE_LINK, *parts, role="sender", numbering="own")


def said(name: str, history: History, *faults: Fault) -> Check | None:
    return CHECKS[name].by_peer(PeerFacts(history, faults), scenario(*faults))


def verdict(name: str, history: History, *faults: Fault) -> str | None:
    check = said(name, history, *faults)
    return None if check is None else check.verdict


def test_a_gap_in_a_clients_own_numbers_is_a_loss() -> None:
    check = said("no-loss", sender(delivered(5, 6, 9, 10)))
    assert check is not None
    assert (check.verdict, check.observed) == ("fail", "2 lost, the first is 7")
    assert verdict("no-loss", sender(delivered(5, 6, 7, 8))) == "pass"
    assert verdict("no-loss", sender()) is None


def test_what_fills_a_gap_later_was_not_lost() -> None:
    history = sender(delivered(5, 6, 9), delivered(7, 8, at=12.0))
    assert verdict("no-loss", history) == "pass"
    assert verdict("in-order", history) == "fail"


def test_the_figure_of_lost_messages_is_that_of_the_gaps() -> None:
    assert measures_of(PeerFacts(sender(delivered(5, 9)), ()))["lost"] == 3


def test_who_does_not_count_by_one_is_not_blamed_for_what_is_between() -> None:
    history = sender(delivered(0, MOST_COUNTED, at=5.0))
    check = said("no-loss", history)
    assert check is not None
    assert check.verdict == "unknown"
    assert "does not count its messages by one" in check.observed


def test_an_own_number_has_nothing_to_do_with_a_number_of_the_peers() -> None:
    twice = [offered(*range(10), over=1), offered(5, over=1, every=2.0)]
    again = delivered(5, at=6.0, over=1, repeat=True)
    history = record(*ONE_LINK, *twice, delivered(*range(4, 8)), again, role="duplex", numbering="own")
    assert verdict("dedup-safe", history) == "fail"
    assert verdict("no-loss", history) == "pass"


def test_a_duplex_that_answers_must_answer_all_that_surely_came_over_its_one_link() -> None:
    frames = offered(*range(1, 31), over=1)
    answers = delivered(*range(1, 20), *range(22, 31))
    assert verdict("no-loss", record(*ONE_LINK, frames, answers, role="duplex")) == "fail"
    # What was under way while that link was struck may not have come.
    cut = fault("stall", 19.0, 4.0)
    history = record(*ONE_LINK, frames, answers, struck(cut), role="duplex")
    assert verdict("no-loss", history, cut) == "pass"


def test_messages_without_a_number_are_judged_for_when_they_come_only() -> None:
    history = record(
        *ONE_LINK,
        opened(0.2, 2, "input"),
        offered(*range(40)),
        delivered(*range(40)),
        numbering="none",
        role="relay",
    )
    checks = judge(history, scenario(longest_silence=3.0)).checks
    names = {check.name for check in checks}
    assert "silence" in names
    assert not names & {"no-loss", "in-order", "dedup-safe"}


def test_what_the_profile_says_is_not_judged_is_not() -> None:
    parts = [*ONE_LINK, delivered(*range(40))]
    with_it = judge(record(*parts, role="sender", numbering="own"), scenario())
    without = judge(record(*parts, role="sender", numbering="own", not_judged=("clean-stop",)), scenario())
    assert {c.name for c in with_it.checks} - {c.name for c in without.checks} == {"clean-stop"}


def test_why_a_client_never_became_steady_is_said_as_the_peer_saw_it() -> None:
    away = peer.TurnedAway(t=1.0, link="output", status=401, why="the header Authorization is missing")
    seen = valid_run(record(STOP, away, away, role="sender"), scenario()).observed
    assert "2 handshakes were answered with 401: the header Authorization is missing" in seen
    odd = peer.Unreadable(t=1.0, reason="no number at sequence", connection=1, begins='{"n": ' + "1" * 100)
    seen = valid_run(record(STOP, opened(0.5, 1), odd, role="sender"), scenario()).observed
    assert "1 messages came that could not be read" in seen
    assert seen.endswith(f"""'{{"n": {"1" * 74}': no number at sequence""")
    frames = record(STOP, opened(0.5, 1, "input"), offered(1, 2, 3, over=1), role="receiver")
    assert "was offered 3 messages, and sent 0" in valid_run(frames, scenario()).observed


def test_a_network_leaves_its_traces_on_the_links_that_there_are() -> None:
    history = record(*ONE_LINK, role="sender")
    assert (history.uses("output"), history.uses("input")) == (True, False)
    assert record(role="receiver").uses("input")
    assert not record(role="receiver").uses("output")
    assert all(record(role="relay").uses(link) for link in ("input", "output"))


def paused(*arrivals: float, kind: str = "stall", role: Any = "sender", **more: Any) -> str | None:
    """What shows of a fault from 10 s to 14 s."""
    by = fault(kind, 10.0, 4.0, **more)
    came = [delivered(n, at=t) for n, t in enumerate(arrivals)]
    history = record(
        *ONE_LINK, *came, struck(by), role=role, numbering="relayed" if role == "relay" else "own"
    )
    return peer_evidence(PeerFacts(history, [by]), by, windows(history, [by])[0])


def test_that_a_clients_own_messages_stay_away_is_the_trace_of_what_held_them() -> None:
    even = [n / 2 for n in range(2, 21)]
    assert paused(*even, 14.2, 14.3) == "no message came for 4.20 s"
    assert paused(*even, 11.9, 12.0, kind="latency", latency=2000) == "no message came for 1.90 s"
    assert paused(*even, 11.0, 11.5, kind="latency", latency=2000) is None
    # One that pauses by itself shows nothing by it, and what strikes the way back holds none of its messages.
    assert paused(1.0, 5.0, 9.0, 14.2) is None
    assert paused(*even, 14.2, direction="downstream") is None
    assert paused(*even, 14.2, role="relay") is None
