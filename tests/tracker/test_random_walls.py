"""Five hundred walls over every path command, shape and transform, against another reader and another touch rule."""

import random

import pytest

from chaos.reference.outlines import read_outlines
from tests.tracker.plain_walls import PlainHold, read_plainly, touches
from tests.tracker.random_walls import COMMANDS, SIZE, RandomWall
from tracker.calibration import Calibration
from tracker.messages import Landmark, Pose
from tracker.pipeline import Pipeline
from tracker.session import Rules
from tracker.wall import FLATTENING, parse_wall

WALLS = 500
AT_ONCE = 10
TOLERANCE = 2 * FLATTENING * SIZE
"""The chords of both; one step of the other reader is finer than the tracker's."""
THRESHOLD = 30.0
DURATION, GRACE = 0.3, 0.25
IDENTITY = Calibration(((1, 0, 0), (0, 1, 0), (0, 0, 1)))


def places_to_look(rng: random.Random, holds: list[PlainHold]) -> list[complex]:
    """Where it matters: about as far from an outline as the threshold, and on it, where inside and outside meet."""
    places = []
    for hold in holds:
        outline = hold.places()
        for spread in (5, 40, 40):
            at = complex(outline[rng.randrange(len(outline))])
            places.append(at + complex(rng.uniform(-spread, spread), rng.uniform(-spread, spread)))
    return places


@pytest.mark.parametrize("begin", range(0, WALLS, AT_ONCE))
def test_every_wall_is_read_as_by_another_reader(begin: int) -> None:
    for seed in range(begin, begin + AT_ONCE):
        drawn = RandomWall(seed)
        holds, wall = read_plainly(drawn.svg), parse_wall(drawn.svg.encode())
        assert [hold.id for hold in wall.holds] == [hold.id for hold in holds], seed
        assert wall.left_out == ()
        laboratory = read_outlines(drawn.svg.encode())
        rng = random.Random(seed)
        seen: list[tuple[float, set[str]]] = []
        pipeline = Pipeline(
            wall, IDENTITY, rules=Rules(THRESHOLD, touch_duration=DURATION, contact_grace=GRACE), stream="s"
        )
        now = 1_700_000_000_000.0
        for place in places_to_look(rng, holds):
            x, y = place.real, place.imag
            distances = {hold.id: hold.distance(x, y) for hold in holds}
            ours = {hold.id: hold.distance(x, y) for hold in wall.holds}
            assert ours == pytest.approx(distances, abs=TOLERANCE), (seed, place)
            assert laboratory.near(x, y, 1e6) == pytest.approx(distances, abs=TOLERANCE), (seed, place)
            if all(abs(distance - THRESHOLD) > TOLERANCE for distance in distances.values()):
                for _ in range(rng.randint(1, 4)):
                    now += rng.choice((100, 150, 250, 251))
                    seen.append((now, {hold for hold, away in distances.items() if away <= THRESHOLD}))
                    hand = Landmark(x / SIZE, y / SIZE, 0.0, 1.0)
                    pipeline.step(Pose(timestamp=now, landmarks=[hand] * 33))
        touched = {wall.holds[n].id: time for n, time in pipeline._session._touched.items()}
        assert touched == touches(seen, DURATION * 1000, GRACE * 1000), seed


def test_the_walls_have_every_command() -> None:
    assert set().union(*(RandomWall(seed).commands for seed in range(50))) == set(COMMANDS)
