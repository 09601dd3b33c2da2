"""A scenario's and a profile's file: whatever stands in it, it is read or refused in a line."""

import re
from pathlib import Path

from hypothesis import given

from chaos.profile_reading import ProfileError, parse_profile
from chaos.scenario import ScenarioError
from chaos.scenario_reading import parse
from tests.fuzz.inputs import fuzz, read, spoilt

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "chaos" / "scenarios").glob("*.toml"))
PROFILES = sorted((ROOT / "examples" / "profiles").glob("*.toml"))
TOML = (b'"1e9h"', b'"-1s"', b"[[faults]]", b"\nfor = 5\n", b"0x" + b"f" * 4000, b"1979-05-27", b"[client]\n")
CALLS = 200_000
"""A file of 2 kB takes some 5,000; a piece of 8 kB that is read word by word, ten times as many."""


@fuzz
@given(spoilt(*[path.read_bytes() for path in SCENARIOS], pieces=TOML))
def test_a_scenario_is_read_or_refused_in_a_line(data: bytes) -> None:
    text = data.decode(errors="replace")
    name = re.search(r'name = "([a-z-]+)"', text)
    read(lambda: parse(text, Path(f"{name[1] if name else 'none'}.toml")), ScenarioError, calls=CALLS)


@fuzz
@given(spoilt(*[path.read_bytes() for path in PROFILES], pieces=TOML))
def test_a_profile_is_read_or_refused_in_a_line(data: bytes) -> None:
    text = data.decode(errors="replace")
    read(lambda: parse_profile(text, Path("client.toml")), ProfileError, calls=CALLS)
