"""The same climb in the plain way: what the pipeline's speed is measured against.

json, dicts, numpy for the geometry of each frame, and the distance of each hand to every hold. Correct by the
same rules (bench/pipeline.py compares the touches), and not slowed down on purpose: holds are parsed once, and
each hand's distances to all of them are one call.
"""

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely

from tracker.calibration import Calibration
from tracker.session import Route, Rules
from tracker.wall import Wall

SIDES = ((15, 17, 19, 21, 13), (16, 18, 20, 22, 14))


class Straightforward:
    def __init__(self, wall: Wall, calibration: Calibration, route: Route, rules: Rules) -> None:
        self.size = np.array([wall.width, wall.height])
        self.ids = [hold.id for hold in wall.holds]
        self.outlines = np.array([shapely.Polygon(hold.outline[0]) for hold in wall.holds])
        self.matrix = np.array(calibration.matrix)
        self.extension = calibration.hand_extension_percent / 100
        self.types = route.holds
        self.rules = rules
        self.start: int | None = None
        self.contact: dict[str, tuple[int, int]] = {}
        self.touched: dict[str, int] = {}

    def frame(self, data: bytes, seq: int) -> bytes:
        message = json.loads(data)
        now = message["timestamp"]
        body = self.map(message["landmarks"])
        self.touch(now, body[33:])
        return json.dumps(self.output(body, seq), separators=(",", ":")).encode()

    def map(self, landmarks: list[dict[str, float]]) -> list[dict[str, float]]:
        image = np.array([[p["x"], p["y"], 1.0] for p in landmarks])
        wall = image @ self.matrix.T
        wall = wall[:, :2] / wall[:, 2:]
        space = np.column_stack([wall, [p["z"] for p in landmarks]])
        seen = [p["visibility"] for p in landmarks]
        for *palm, elbow in SIDES:
            middle = space[palm].mean(axis=0)
            direction = (middle - space[elbow]) / np.linalg.norm(middle - space[elbow])
            width = np.linalg.norm(space[palm[1]] - space[palm[2]])
            space = np.vstack([space, middle + direction * width * self.extension])
            seen.append(min(seen[landmark] for landmark in palm))
        return [
            {"x": float(x), "y": float(y), "z": float(z), "visibility": v}
            for (x, y, z), v in zip(space, seen, strict=True)
        ]

    def touch(self, now: int, hands: list[dict[str, float]]) -> None:
        if self.start is None:
            self.start = now
        near: set[int] = set()
        for hand in hands:
            if hand["visibility"] > 0.2:
                point = shapely.Point(hand["x"] * self.size[0], hand["y"] * self.size[1])
                distances = shapely.distance(self.outlines, point)
                near.update(np.flatnonzero(distances <= self.rules.proximity_threshold))
        for index in near:
            hold = self.ids[index]
            if hold in self.touched or hold not in self.types:
                continue
            since, until = self.contact.get(hold, (now, now))
            if now - until > self.rules.contact_grace * 1000:
                since = now
            self.contact[hold] = (since, now)
            if now - since >= self.rules.touch_duration * 1000:
                self.touched[hold] = now

    def output(self, body: list[dict[str, float]], seq: int) -> dict[str, Any]:
        finish = [hold for hold, kind in self.types.items() if kind == "finish"]
        completed = bool(finish) and all(hold in self.touched for hold in finish)
        return {
            "session": {
                "holds": [
                    {
                        "id": hold,
                        "type": self.types.get(hold, "normal"),
                        "status": "touched" if hold in self.touched else "untouched",
                        "time": iso(self.touched.get(hold)),
                    }
                    for hold in self.ids
                ],
                "startTime": iso(self.start),
                "endTime": iso(max(self.touched[hold] for hold in finish)) if completed else None,
                "status": "completed" if completed else "started",
            },
            "pose": body,
            "stream": "bench",
            "seq": seq,
        }


def iso(ms: int | None) -> str | None:
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
