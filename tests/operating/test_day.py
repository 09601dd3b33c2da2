"""The operator's day is as it is told, and the account can say otherwise."""

from pathlib import Path

import pytest

from tests.operating.account import Chapter
from tests.operating.day import lived


@pytest.mark.commands
async def test_an_operators_day_goes_as_expected(tmp_path: Path) -> None:
    chapters = await lived(tmp_path)
    assert [chapter.told() for chapter in chapters if chapter.differs] == []


def test_a_chapter_with_a_difference_says_so() -> None:
    chapter = Chapter("a step")
    assert chapter.differs  # nothing was seen
    chapter.expect("exit code 0", 0, met=True)
    assert not chapter.differs
    chapter.expect("exit code 0", 3, met=False)
    assert chapter.told() == (
        "DIFFERS: a step\n  expected  exit code 0\n  seen      0\n  EXPECTED  exit code 0\n  seen      3"
    )
