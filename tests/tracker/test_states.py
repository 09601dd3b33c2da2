import itertools
import re
from pathlib import Path

import pytest

from tracker.states import TRANSITIONS, LinkState, after, mermaid

DESIGN = Path(__file__).parents[2] / "docs" / "design.md"
ENDS = {LinkState.STOPPED, LinkState.FAILED}
EVENTS = {event for _, event in TRANSITIONS}


def reachable(start: LinkState) -> set[LinkState]:
    """Every state that some sequence of events leads to, `start` included."""
    found = {start}
    while True:
        more = {b for (a, _), b in TRANSITIONS.items() if a in found} - found
        if not more:
            return found
        found |= more


def test_every_state_can_be_reached_from_the_first() -> None:
    assert reachable(LinkState.CONNECTING) == set(LinkState)


@pytest.mark.parametrize("state", [state for state in LinkState if state not in ENDS])
def test_from_every_state_that_is_no_end_an_end_can_be_reached(state: LinkState) -> None:
    assert reachable(state) & ENDS


@pytest.mark.parametrize("state", sorted(ENDS, key=str))
def test_nothing_follows_an_end(state: LinkState) -> None:
    assert reachable(state) == {state}


@pytest.mark.parametrize("state", [s for s in LinkState if s not in {*ENDS, LinkState.CLOSING}])
def test_a_stop_is_obeyed_in_every_state_that_goes_on_by_itself(state: LinkState) -> None:
    assert after(state, "stop") in {LinkState.CLOSING, LinkState.STOPPED}


@pytest.mark.parametrize("state", [LinkState.OPEN, LinkState.SUSPECT, LinkState.CLOSING])
def test_a_connection_can_die_or_be_closed_in_every_state_that_has_one(state: LinkState) -> None:
    follows = LinkState.STOPPED if state is LinkState.CLOSING else LinkState.WAITING
    assert after(state, "dead") is after(state, "closed") is follows


def test_only_a_refusal_for_good_fails_a_link() -> None:
    ways = [(a, event) for (a, event), b in TRANSITIONS.items() if b is LinkState.FAILED]
    assert ways == [(LinkState.CONNECTING, "refused for good")]


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (state, event)
        for state, event in itertools.product(LinkState, sorted({*EVENTS, "no such event"}))
        if (state, event) not in TRANSITIONS
    ],
)
def test_an_event_that_the_table_does_not_admit_is_a_bug_named_in_plain_words(
    state: LinkState, event: str
) -> None:
    expected = re.escape(f"a {state.value} link cannot take the event '{event}'")
    with pytest.raises(AssertionError, match=f"^{expected}$"):
        after(state, event)


def test_the_diagram_draws_every_transition_the_beginning_and_the_ends_and_nothing_else() -> None:
    drawn = mermaid().splitlines()
    assert drawn[0] == "stateDiagram-v2"
    assert "    [*] --> connecting" in drawn
    assert {f"    {end.value} --> [*]" for end in ENDS} <= set(drawn)
    assert {f"    {a.value} --> {b.value}: {event}" for (a, event), b in TRANSITIONS.items()} <= set(drawn)
    assert len(drawn) == len(set(drawn)) == 1 + 1 + len(TRANSITIONS) + len(ENDS)


def test_the_diagram_in_the_design_document_is_current() -> None:
    assert DESIGN.is_file(), "docs/design.md is missing: write it, with tracker.states.mermaid() in it"
    blocks = re.findall(r"^```mermaid\n(.*?)\n```$", DESIGN.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    states = [block for block in blocks if block.startswith("stateDiagram-v2")]
    assert states == [mermaid()], (
        "draw it again: python -c 'from tracker.states import mermaid as m; print(m())'"
    )
