"""What happened to a tracker on real sockets happens again on virtual time, by what its own trace says."""

import os
from pathlib import Path

import pytest

from chaos.toxiproxy.install import find_server
from tests.chaos.round_trips import TEN, planned, round_trip

pytestmark = pytest.mark.toxiproxy

SOME = ("half-open-output", "one-way-upstream", "reset", "silent-pong")
"""All ten take three minutes: `make roundtrips`."""


@pytest.mark.parametrize("name", SOME)
def test_the_trace_of_a_run_through_toxiproxy_is_reproduced_on_virtual_time(
    name: str, tmp_path: Path
) -> None:
    if find_server(os.environ) is None:
        pytest.skip("no toxiproxy-server here: `simtool toxiproxy install` makes one")
    trip = round_trip(planned(name, tmp_path))
    assert trip.run == "pass"
    differing = [row for row in (*trip.rows, *trip.findings) if not row.matched]
    assert trip.verdict == "reproduced", differing
    assert trip.kinds >= TEN[name]
