"""A tracker that makes another climb of its frames turns a quiet run red, whatever it is that differs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos import catalogue
from chaos.runner import Plan, perform
from tracker import pipeline, session
from tracker.calibration import Calibration
from tracker.messages import Landmark

pytestmark = pytest.mark.scenarios

Patch = Callable[[pytest.MonkeyPatch], None]


def wraps(owner: Any, name: str, change: Callable[..., Any]) -> Patch:
    """`change` makes another result of the method's."""
    right = getattr(owner, name)

    def wrong(self: Any, *args: Any, **named: Any) -> Any:
        return change(right(self, *args, **named))

    return lambda monkeypatch: monkeypatch.setattr(owner, name, wrong)


def shifted(body: list[Landmark]) -> list[Landmark]:
    return [Landmark(p.x + 1e-6, p.y, p.z, p.visibility) for p in body]


def without_hands(body: list[Landmark]) -> list[Landmark]:
    return [*body[:33], body[15], body[16]]


def normal(hold: dict[str, Any]) -> dict[str, Any]:
    return {**hold, "type": "normal"}


def never_completed(progress: dict[str, Any]) -> dict[str, Any]:
    return {**progress, "status": "started", "endTime": None}


WRONG: dict[str, Patch] = {
    "the pose is shifted": wraps(Calibration, "map", shifted),
    "a hand is its wrist": wraps(Calibration, "map", without_hands),
    "every hold is normal": wraps(session.Session, "hold", normal),
    "no session is completed": wraps(session.Session, "progress", never_completed),
    "a session starts never": wraps(session.Session, "progress", lambda shown: {**shown, "startTime": None}),
    "no hand is ever seen": lambda monkeypatch: monkeypatch.setattr(pipeline, "VISIBLE", 1.0),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_another_climb_turns_a_quiet_run_red(
    wrong: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    WRONG[wrong](monkeypatch)
    result = perform(Plan(catalogue.find("steady"), "sim", 0, 10.0, tmp_path))
    assert [check.name for check in result.checks if check.verdict == "fail"] == ["same-climb"]
