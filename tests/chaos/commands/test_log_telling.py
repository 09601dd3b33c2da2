"""What is told of a log, and what its replay is made of, come of one pass over it."""

from pathlib import Path

import pytest

from chaos.commands.log_telling import diagnosed, read_once
from chaos.diagnosis.telling import tell
from chaos.replay.cases import read_through
from chaos.traces.reading import Trace, open_trace
from tests.chaos.logs import Log

REAL = Path(__file__).parents[1] / "data" / "real"
LOGS = ["two-links-17-client", "storm-13-client", "wrong-pongs-10-client", "client-frozen-17-client"]


@pytest.mark.parametrize(("since", "until"), [(None, None), (2.0, None), (None, 3.0), (1.0, 4.0)])
@pytest.mark.parametrize("name", LOGS)
def test_one_pass_tells_what_two_would(name: str, since: float | None, until: float | None) -> None:
    trace = open_trace(REAL / f"{name}.log")
    diagnosis, read = read_once(trace, since=since, until=until)
    assert tell(diagnosis) == tell(diagnosed(trace, since=since, until=until))
    assert read is not None
    alone = read_through(trace, since=since, until=until)
    assert read.diagnosis == alone.diagnosis
    assert (read.seen.began, read.seen.ended, read.seen.count) == (
        alone.seen.began,
        alone.seen.ended,
        alone.seen.count,
    )
    assert read.story.lines == alone.story.lines


def test_a_log_is_read_once_after_the_first_look_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").write_text(Log().opens(0).gets(5).ends(10).opens(12).text())
    trace = open_trace(tmp_path / "log")
    passes = []
    entries = Trace.entries
    monkeypatch.setattr(Trace, "entries", lambda self: passes.append(1) or entries(self))
    read_once(trace)
    assert len(passes) == 1


def test_of_a_servers_log_no_replay_is_made(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(Log("server").opens(0).gets(5).ends(10).text())
    diagnosis, read = read_once(open_trace(tmp_path / "log"))
    assert diagnosis.timeline.side == "server"
    assert read is None
