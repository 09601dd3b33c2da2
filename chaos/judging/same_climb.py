"""The climb as it arrived, judged: output by output against the answer.                                      pure"""

from collections.abc import Iterator, Sequence
from itertools import islice
from math import isclose
from typing import NamedTuple

from chaos.answer import Answer
from chaos.judging.facts import Facts
from chaos.judging.verdicts import Check
from chaos.scenario import Scenario
from simulator import events as peer
from tracker import events
from tracker.messages import SessionState, parse_iso_time

Touch = tuple[str, float]
"""A hold, and when it was touched: message time in milliseconds."""
_PRECISION = 1e-11
"""Two programs may add the same numbers in another order."""


class _Output(NamedTuple):
    seq: int
    pose: float | None
    session: SessionState


def same_climb(facts: Facts, _: Scenario) -> Check | None:
    """Each output that arrived shows the pose and the session that a frame of the client's makes, and in that order; and
    every touch arrived.
    """
    answers = facts.history.reference
    if not answers or any(event.sequence is None for event in facts.history.of(events.Received)):
        return None
    outputs = _outputs(facts)
    if not (outputs or any(answer.poses for answer in answers)):
        return None
    differences = {answer: _difference(answer, outputs) for answer in answers}
    answer = next((answer for answer, found in differences.items() if found is None), answers[0])
    due = _touches([change.session for change in answer.sessions])
    absent = due - _touches([output.session for output in outputs])
    expected = f"outputs with {len(due)} touches, each as the frames make it"
    difference = differences[answer]
    if difference is None and absent and not facts.missing:
        hold, time = min(absent, key=lambda touch: touch[1])
        difference = f"no output shows that {hold} was touched at {time:.0f} ms"
    if difference is not None:
        return Check("same-climb", "fail", expected, difference)
    if absent and not facts.declared_left.issuperset(facts.told_by.get(touch, 0) for touch in absent):
        return Check(
            "same-climb", "unknown", expected, f"{len(absent)} may be among the {len(facts.missing)} missing"
        )
    left = f", {len(absent)} touches left at the end" if absent else ""
    return Check("same-climb", "pass", expected, f"{len(outputs)} outputs, each as it must be{left}")


def _outputs(facts: Facts) -> list[_Output]:
    """First deliveries that show a session, in `seq` order.

    A session is told where another was shown before, in an output or in the reply to a control.
    """
    sessions: dict[tuple[int, int], SessionState] = {}
    found = []
    session: SessionState | None = None
    for event in facts.history.among(peer.Delivered, peer.SessionShown):
        if isinstance(event, peer.Delivered) and not event.repeat:
            found.append(event)
        elif isinstance(event, peer.SessionShown):
            sessions[event.connection, event.seq] = event.session
    shown = []
    for event in found:
        session = sessions.get((event.connection, event.seq), session)
        if session is not None and not event.reply:
            shown.append(_Output(event.seq, event.pose, session))
    return sorted(shown, key=lambda output: output.seq)


def _difference(answer: Answer, outputs: Sequence[_Output]) -> str | None:
    """Of the first output that is none of the answer's, behind the one before it."""
    place = 0
    due = list(answer.outputs())
    for output in outputs:
        found = next((n for n in range(place, len(due)) if _is(output, *due[n])), None)
        if found is None:
            return f"output {output.seq} {_in_words(output, due[place:])}"
        place = found + 1
    return None


def _is(output: _Output, pose: float, session: SessionState) -> bool:
    same_pose = output.pose is not None and isclose(output.pose, pose, rel_tol=_PRECISION, abs_tol=_PRECISION)
    return same_pose and output.session == session


def _in_words(output: _Output, due: Sequence[tuple[float, SessionState]]) -> str:
    for pose, session in due:
        if _is(output._replace(session=session), pose, session):
            return ", ".join(islice(_differences(output.session, session), 3))
    return "shows a pose that no frame makes" if output.pose is not None else "shows no pose"


def _differences(shown: SessionState, due: SessionState) -> Iterator[str]:
    for hold, wanted in zip(shown.holds, due.holds, strict=False):
        if hold != wanted:
            as_it_is, as_it_must_be = ((h.id, h.type, h.status, h.time or "-") for h in (hold, wanted))
            yield f"has {' '.join(as_it_is)} in place of {' '.join(as_it_must_be)}"
    if len(shown.holds) != len(due.holds):
        yield f"has {len(shown.holds)} holds in place of {len(due.holds)}"
    for name in ("status", "start_time", "end_time"):
        if getattr(shown, name) != getattr(due, name):
            yield f"has {name} {getattr(shown, name)} in place of {getattr(due, name)}"


def _touches(sessions: Sequence[SessionState]) -> set[Touch]:
    return {
        (hold.id, float(parse_iso_time(hold.time)))
        for session in sessions
        for hold in session.holds
        if hold.time is not None
    }
