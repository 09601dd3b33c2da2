"""Logs of real runs of three versions of the library, with real faults: the right first line for each."""

import pytest

from tests.chaos.logs import told, understood
from tests.chaos.real_logs.kinds import DATA, KINDS, VERSIONS

CASES = [(kind, version, side) for kind, sides in KINDS.items() for version in VERSIONS for side in sides]


@pytest.mark.parametrize(("kind", "version", "side"), CASES)
def test_a_real_log_has_the_right_first_line(kind: str, version: str, side: str) -> None:
    text = (DATA / f"{kind}-{version}-{side}.log").read_text()
    found, expected = understood(text), KINDS[kind][side]
    assert found.timeline.side == side
    assert found.findings[0].cause is expected.cause
    assert expected.words.lower() in told(text).headline.lower()
