import ast
import re
from pathlib import Path

import pytest

from chaos.judging.hints import HINTS, usual_cause
from chaos.judging.verdicts import HOST_PAUSED, HOST_SLOW, Check
from chaos.scenario import PROMISES

ROOT = Path(__file__).parents[3]
MOST = 120
"""Characters of a text that a terminal shows in two lines."""


def names_of_checks() -> set[str]:
    """Each name that the judges give a check."""
    found = {HOST_PAUSED, HOST_SLOW}
    for file in (ROOT / "chaos" / "judging").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in ("Check", "decided") and isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def test_each_check_that_a_judge_makes_has_a_hint_and_no_other_has() -> None:
    assert set(HINTS) == names_of_checks()


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_that_fails_says_what_usually_causes_it(promise: str) -> None:
    assert usual_cause(Check(promise, "fail", "-", "-"))
    assert usual_cause(Check(promise, "pass", "-", "-")) == ""


@pytest.mark.parametrize("name", HINTS)
def test_a_hint_is_short_and_leads_to_a_heading_that_is_there(name: str) -> None:
    hint = HINTS[name]
    assert all(len(text) <= MOST for text in (hint.says, hint.failure, hint.doubt))
    assert hint.failure or hint.doubt
    file, _, anchor = hint.read.partition("#")
    assert not anchor or anchor in anchors((ROOT / file).read_text())


def anchors(markdown: str) -> set[str]:
    """Of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
