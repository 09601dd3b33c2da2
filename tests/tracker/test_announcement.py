from tracker.announcement import announcement
from tracker.config import TrackerConfig
from tracker.logs import render
from tracker.pipeline import Pipeline


def test_the_first_line_says_what_runs_on_which_wall_and_shows_no_secret(pipeline: Pipeline) -> None:
    config = TrackerConfig(
        "wss://anna:s3cret@cam:1/in?token=s3cret", "ws://out/?key=s3cret", "ws://s3cret@c/"
    )
    settings = {"wall": "wall.svg", "calibration": "c.json", "route_data": "route.json", "metrics_port": 9100}
    line = render("starting", announcement(config, pipeline, settings))
    for words in (
        "starting version=",
        f"wall=wall.svg holds={len(pipeline.wall.holds)}",
        "route=route.json input=wss://cam:1/in output=ws://out/ control=ws://c/",
        "outbox_messages=900 outbox_bytes=32000000 dead_after=3.6",
        "metrics_port=9100",
    ):
        assert words in line
    assert "s3cret" not in line


def test_a_route_that_was_given_as_json_is_not_repeated(pipeline: Pipeline) -> None:
    settings = {"wall": "wall.svg", "calibration": "c.json", "route_data": ' {"problem": ...}'}
    assert announcement(TrackerConfig("ws://a", "ws://b"), pipeline, settings)["route"] == "given as JSON"
