"""A league's file: read as it says, refused in one line, and the project's own as it should be."""

from pathlib import Path

import pytest

from chaos import catalogue
from chaos.clients.choose import BUILT_IN
from chaos.league.members import Language, LeagueError, Member, parse_league

FILE = Path("folder/league.toml")
LANGUAGE = """
[languages.Go]
needs = ["go"]
version = "go version"
build = ["go build"]
run = "{folder}/relay {input} {output}"
"""
WHOLE = (
    'scenarios = ["steady", "reset"]\n'
    + LANGUAGE
    + """
[[clients]]
name = "gorilla"
language = "Go"
source = "go/gorilla.go"
packages = ["github.com/gorilla/websocket@v1.5.3", "github.com/other/thing@v2.0.0"]
mends = { detect = "SetReadDeadline", reset = "none" }

[[clients]]
name = "tracker"
language = "Go"
library = "our own"
"""
)
LONGEST = 60
"""Lines of a client of the project's own league."""
OWN = Path(__file__).parents[3] / "examples" / "clients" / "league.toml"


def refusal(text: str) -> str:
    with pytest.raises(LeagueError) as caught:
        parse_league(text, FILE)
    error = str(caught.value)
    assert len(error.splitlines()) == 1
    assert error.startswith(f"{FILE}: ")
    return error


def client(line: str) -> str:
    return f'{LANGUAGE}\n[[clients]]\nname = "relay"\nlanguage = "Go"\nsource = "relay.go"\n{line}\n'


def test_a_whole_file_is_read_as_it_says() -> None:
    league = parse_league(WHOLE, FILE)
    go = Language("Go", ("go",), "go version", ("go build",), "{folder}/relay {input} {output}")
    packages = ("github.com/gorilla/websocket@v1.5.3", "github.com/other/thing@v2.0.0")
    library = "github.com/gorilla/websocket 1.5.3"
    mends = {"detect": "SetReadDeadline", "reset": "none"}
    assert league.scenarios == ("steady", "reset")
    assert league.members == (
        Member("gorilla", go, Path("folder/go/gorilla.go"), packages, library, mends),
        Member("tracker", go, None, (), "our own", {}),
    )


@pytest.mark.parametrize(
    ("package", "library"),
    [
        ("ws@8.23.0", "ws 8.23.0"),
        ("@scope/ws@8.23.0", "@scope/ws 8.23.0"),
        ("tornado==6.6.1", "tornado 6.6.1"),
        ("tokio-tungstenite@=0.30.0", "tokio-tungstenite 0.30.0"),
    ],
)
def test_the_library_is_the_first_package_however_its_language_names_a_version(
    package: str, library: str
) -> None:
    (member,) = parse_league(client(f'packages = ["{package}"]'), FILE).members
    assert member.library == library


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('scenario = ["steady"]', "the key 'scenario' means nothing here: did you mean 'scenarios'?"),
        ('scenarios = "steady"', "scenarios is 'steady': it must be a list of texts"),
        (
            client('language = "Goo"').replace('language = "Go"\n', ""),
            "clients.relay.language is 'Goo': did you mean 'Go'?",
        ),
        (client('packages = ["ws"]'), "clients.relay.packages has 'ws' without a version: pin it"),
        (client(""), "the key 'clients.relay.library' is missing"),
        (
            client('packages = ["ws@1"]\nmends = { detct = "x" }'),
            "mends.detct' means nothing here: did you mean 'detect'?",
        ),
        (
            client('packages = ["ws@1"]').replace('"relay"', '"../relay"'),
            "clients.name is '../relay': small letters",
        ),
        (
            client('packages = ["ws@1"]') + client('packages = ["ws@1"]').replace(LANGUAGE, ""),
            "two clients are named 'relay'",
        ),
        (LANGUAGE.replace(" {output}", ""), "languages.Go.run has no {output}"),
        ("clients = 3", "clients is not a list of tables"),
    ],
)
def test_what_cannot_be_is_refused_with_the_key_and_the_remedy(text: str, complaint: str) -> None:
    assert complaint in refusal(text)


def test_members_are_chosen_by_name_in_the_leagues_order_and_an_unknown_one_is_named() -> None:
    league = parse_league(WHOLE, FILE)
    assert [member.name for member in league.chosen(["tracker", "gorilla"])] == ["gorilla", "tracker"]
    assert [member.name for member in league.chosen(["tracker"])] == ["tracker"]
    assert league.chosen([]) == league.members
    with pytest.raises(LeagueError, match="no client 'gorila' plays in the league: did you mean 'gorilla'"):
        league.chosen(["gorila"])


# The project's own


def test_fifteen_clients_in_five_languages_play_in_our_league_and_each_is_short() -> None:
    members = parse_league(OWN.read_text(), OWN).members
    assert len(members) >= 15
    assert len({member.language.name for member in members}) >= 5
    for member in members:
        if member.source is None:
            assert member.name in BUILT_IN
        else:
            assert len(member.source.read_text().splitlines()) <= LONGEST, member.name


def test_every_client_that_lies_there_plays() -> None:
    playing = {member.source for member in parse_league(OWN.read_text(), OWN).members}
    assert {path for path in OWN.parent.glob("*/*") if path.is_file()} == playing - {None}


def test_our_league_plays_scenarios_of_the_catalogue_each_once() -> None:
    scenarios = parse_league(OWN.read_text(), OWN).scenarios
    assert set(scenarios) <= set(catalogue.names())
    assert len(set(scenarios)) == len(scenarios)
