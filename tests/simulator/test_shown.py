import json

import pytest

from simulator.shown import Place, pose_sum, shown_pose

POSE = [Place(0.1 * n, 1.0 - 0.2 * n, -0.3, 0.9) for n in range(35)]


@pytest.mark.parametrize(
    "other",
    [
        [Place(p.x + 1e-6, p.y, p.z, p.visibility) for p in POSE],
        [Place(p.y, p.x, p.z, p.visibility) for p in POSE],
        [*POSE[:7], Place(POSE[7].x, POSE[7].y, POSE[7].z + 1e-6, POSE[7].visibility), *POSE[8:]],
        [*POSE[:7], Place(POSE[7].x, POSE[7].y, POSE[7].z, 0.8), *POSE[8:]],
        [*POSE[:33], POSE[34], POSE[33]],
        POSE[:33],
        [*POSE, Place(0.0, 0.0, 0.0, 0.0)],
    ],
    ids=["shifted", "turned", "deeper", "dimmer", "hands-exchanged", "without-hands", "one-more"],
)
def test_another_pose_makes_another_sum(other: list[Place]) -> None:
    assert pose_sum(other) != pytest.approx(pose_sum(POSE), rel=1e-9, abs=0)


def test_a_pose_is_read_as_it_came_and_what_cannot_be_read_shows_none() -> None:
    places = [{"x": p.x, "y": p.y, "z": p.z, "visibility": p.visibility} for p in POSE]
    assert shown_pose(json.dumps(places).encode()) == pose_sum(POSE)
    for unreadable in (b"null", b'"arms up"', b'[{"x":1.0}]', b"[", b"", b'"\xff"'):
        assert shown_pose(unreadable) is None
