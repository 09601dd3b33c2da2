"""A client is built once, in a folder of its own, and what it lacks is one line."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.league.building import CannotBuildError, made_ready
from chaos.league.members import Language, Member

pytestmark = pytest.mark.commands

SAYS = '{python} -c \'import sys, pathlib; print(sys.argv[1:], file=open("said", "a"))\' {source} {packages}'
LANGUAGE = Language("Any", (), "{python} --version", (SAYS,), "{python} {folder}/{source} {input} {output}")


@pytest.fixture
def member(tmp_path: Path) -> Member:
    source = tmp_path / "relay.txt"
    source.write_text("a relay")
    return Member("mine", LANGUAGE, source, ("one@1", "two@2"), "one 1", {})


def said(place: Path) -> list[str]:
    return (place / "mine" / "said").read_text().splitlines()


def test_the_lines_of_a_build_run_beside_a_copy_of_the_file(member: Member, tmp_path: Path) -> None:
    place = tmp_path / "builds"
    player = made_ready(member, place)
    assert (place / "mine" / "relay.txt").read_text() == "a relay"
    assert said(place) == ["['relay.txt', 'one@1', 'two@2']"]
    assert player.client == f"$ {sys.executable} {place}/mine/relay.txt '{{input}}' '{{output}}'"
    assert player.runs_on.startswith("Python 3.")


def test_what_is_built_is_left_as_it_is_and_what_has_changed_is_built_anew(
    member: Member, tmp_path: Path
) -> None:
    place = tmp_path / "builds"
    made_ready(member, place)
    left_over = place / "mine" / "left over"
    left_over.touch()
    made_ready(member, place)
    assert left_over.exists()
    made_ready(replace(member, packages=("one@2",)), place)
    assert said(place) == ["['relay.txt', 'one@2']"]
    assert not left_over.exists()
    assert member.source is not None
    member.source.write_text("another relay")
    made_ready(replace(member, packages=("one@2",)), place)
    assert (place / "mine" / "relay.txt").read_text() == "another relay"


def test_a_program_that_is_not_there_is_named(member: Member, tmp_path: Path) -> None:
    lacking = replace(member, language=replace(LANGUAGE, needs=("no-such-compiler",)))
    with pytest.raises(CannotBuildError, match=r"^there is no program 'no-such-compiler' on this machine$"):
        made_ready(lacking, tmp_path / "builds")


def test_a_build_that_fails_says_its_last_line_and_is_tried_again(member: Member, tmp_path: Path) -> None:
    place = tmp_path / "builds"
    fails = '{python} -c \'print("first"); print("no such package"); print(); raise SystemExit(7)\''
    failing = replace(member, language=replace(LANGUAGE, build=(SAYS, fails)))
    for _ in range(2):
        with pytest.raises(CannotBuildError, match="ended with exit code 7; it last wrote: no such package"):
            made_ready(failing, place)
    assert len(said(place)) == 1  # of the second time: the first one's folder is gone
    unknown = replace(member, language=replace(LANGUAGE, build=("/no/such/program",)))
    with pytest.raises(CannotBuildError, match="`/no/such/program` cannot be started: No such file"):
        made_ready(unknown, place)


def test_a_client_without_a_file_comes_with_the_laboratory(member: Member, tmp_path: Path) -> None:
    assert made_ready(replace(member, name="tracker", source=None), tmp_path).client == "tracker"
    assert not (tmp_path / "tracker").exists()
