import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.profile import KINDS, Limits, Profile
from chaos.profile_reading import ProfileError, parse_profile, with_flags
from simulator.entrance import Entrance, Opening
from simulator.identity import ByPath, ByPattern
from simulator.numbered import SIZE, NumberedMessages

FILE = Path("folder/client.toml")
WHOLE = r"""
kind = "duplex"
identity = "data.id"
answers = true
tls = true
stop_signal = "SIGINT"
scales_itself = true
not_judged = ["clean-stop"]

[messages]
template = '{"data": {"id": {n}}, "text": "{filler}"}'
format = "binary"
size = 200
rate = 12.5

[connection]
path = "/chat"
query = "room=7"
subprotocol = "chat.v2"
token = "s3cret"
headers = { X-Api-Key = "key" }

[opening]
greeting = "welcome"
subscription = '"subscribe"'
answer = "subscribed"

[limits]
detect_within = "45s"
recover_within = 70
"""


def refusal(text: str) -> str:
    with pytest.raises(ProfileError) as caught:
        parse_profile(text, FILE)
    for line in caught.value.lines:
        assert len(line.splitlines()) == 1
        assert line.startswith(f"{FILE}: ")
    return str(caught.value)


def test_a_whole_file_is_read_as_it_says() -> None:
    profile = parse_profile(WHOLE, FILE)
    assert profile == Profile(
        kind="duplex",
        identity=ByPath("data.id"),
        answers=True,
        messages=NumberedMessages('{"data": {"id": {n}}, "text": "{filler}"}', 200, binary=True),
        rate=12.5,
        input_path="/chat",
        output_path="/chat",
        entrance=Entrance((("X-Api-Key", "key"), ("Authorization", "Bearer s3cret")), "room=7", "chat.v2"),
        opening=Opening("welcome", '"subscribe"', "subscribed"),
        tls=True,
        stop_signal="SIGINT",
        scales_itself=True,
        limits=Limits(detect_within=45.0, recover_within=70.0),
        not_judged=("clean-stop",),
    )
    assert pickle.loads(pickle.dumps(profile)) == profile  # noqa: S301 - our own, of a moment ago


def test_an_empty_file_is_a_relay_of_plain_numbered_messages() -> None:
    profile = parse_profile("", FILE)
    assert profile == Profile()
    assert (profile.links, profile.own_numbers) == (("input", "output"), False)
    assert profile.messages.message(3).startswith(b'{"sequence": 3, "filler": "')


@pytest.mark.parametrize(
    ("kind", "links", "reads", "sends", "own_numbers"),
    [
        ("relay", ("input", "output"), True, True, False),
        ("receiver", ("input",), True, False, False),
        ("sender", ("output",), False, True, True),
        ("duplex", ("output",), True, True, True),
    ],
)
def test_a_kind_says_which_links_there_are_and_whose_the_numbers_are(
    kind: str, links: tuple[str, ...], *, reads: bool, sends: bool, own_numbers: bool
) -> None:
    profile = parse_profile(f'kind = "{kind}"', FILE)
    assert (profile.links, profile.reads, profile.sends, profile.own_numbers) == (
        links,
        reads,
        sends,
        own_numbers,
    )


def test_a_binary_format_without_identity_is_all_filler() -> None:
    profile = parse_profile('identity = "none"\n[messages]\nformat = "binary"', FILE)
    assert profile.identity is None
    assert profile.messages == NumberedMessages("{filler}", SIZE, binary=True)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('kid = "relay"', "the key 'kid' means nothing here: did you mean 'kind'?"),
        ('kind = "duplx"', "kind is 'duplx': did you mean 'duplex'?"),
        ("kind = 3", "kind is 3: valid are relay, receiver, sender, duplex"),
        ('kind = "relay', "line 1: not valid TOML"),
        (
            "[messages]\ntempalte = 'x'",
            "the key 'messages.tempalte' means nothing here: did you mean 'template'?",
        ),
        ("[messages]\ntemplate = 'hello'", "messages.template has no {n}"),
        ("[messages]\ntemplate = '{\"id\": {n}}'", "identity is 'sequence', and there the number is not"),
        (
            "[messages]\ntemplate = '{\"sequence\": {n}}'\nsize = 50",
            "messages.size is given, but the template has no",
        ),
        ("[messages]\nsize = 10", "messages.size is 10: the template alone takes 29 bytes"),
        ("[messages]\nsize = 50.5", "messages.size is 50.5: it must be a whole number of bytes"),
        ("[messages]\nsize = 2_000_000", "messages.size is 2000000: it must be a number from 1 to 1,000,000"),
        ("[messages]\nrate = 0", "messages.rate is 0: it must be a number from 0.1 to 1,000"),
        ("[messages]\nrate = true", "messages.rate is True"),
        ("[messages]\ntemplate = '{n}{filler}{filler}'", "messages.template has {filler} more than once"),
        ('[messages]\nformat = "hex"', "messages.format is 'hex': valid are text, binary"),
        ("[messages]\nposes = true\nsize = 50", "messages.size is given beside messages.poses"),
        ("[messages]\nposes = true\nrate = 0.5", "messages.rate is 0.5: of poses it must be from"),
        ("messages = 3", "messages is 3: it must be a table"),
        ('kind = "sender"\n[messages]\nrate = 3', "[messages] is given, but kind is 'sender'"),
        ('kind = "sender"\n[opening]\ngreeting = "hello"', "[opening] is given, but kind is 'sender'"),
        ('kind = "receiver"\nidentity = "id"', "identity is given, but a receiver sends no messages"),
        ("answers = true", "answers is given, but kind is 'relay'"),
        ('identity = "a..b"', "identity: 'a..b' is no place in a message"),
        ("identity = 3", "identity is 3: it must be a path"),
        (
            '[connection]\npath = "/chat"',
            "connection.path is given, but a relay has two links: name input and output",
        ),
        (
            'kind = "sender"\n[connection]\ninput = "/a"',
            "connection.input is given, but a sender has one link",
        ),
        (
            '[connection]\ninput = "/a"\noutput = "/a"',
            "connection.input and connection.output are the same path",
        ),
        ('[connection]\ninput = "a"', "connection.input is 'a': it must begin with /"),
        (
            '[connection]\ninput = "/a?b=1"',
            "connection.input is '/a?b=1': it must begin with / and have no spaces, ?",
        ),
        ('[connection]\nquery = "a b"', "connection.query is 'a b': write it as in a URL"),
        ('[connection]\nsubprotocol = "a b"', "connection.subprotocol is 'a b': it must be one word"),
        ('[connection]\nheaders = "x"', "connection.headers is 'x': it must be a table"),
        ('[connection.headers]\n"a b" = "x"', "connection.headers has 'a b', which is no header's name"),
        ('[connection.headers]\nX = "a\\nb"', "connection.headers.X is 'a\\nb': it must be one line"),
        (
            '[connection]\ntoken = "a"\nheaders = { authorization = "b" }',
            "connection.token is given beside the header",
        ),
        ('[opening]\nsubscription = "("', "opening.subscription is '(': no regular expression"),
        ('[opening]\nanswer = "ok"', "opening.answer is given without opening.subscription"),
        ('stop_signal = "SIGKILL"', "stop_signal is 'SIGKILL': did you mean"),
        ('tls = "yes"', "tls is 'yes': it must be true or false, without quotes"),
        ('[limits]\ndetect_within = "0s"', "limits.detect_within is '0s': it must be longer than no time"),
        (
            '[limits]\ndetect = "5s"',
            "the key 'limits.detect' means nothing here: did you mean 'detect_within'?",
        ),
        (
            'not_judged = ["clean-stp"]',
            "not_judged has 'clean-stp', which is no promise: did you mean 'clean-stop'?",
        ),
        ('not_judged = "detect"', "not_judged is 'detect': it must be a list"),
    ],
)
def test_what_cannot_be_is_one_line_with_the_place_and_the_remedy(text: str, complaint: str) -> None:
    assert complaint in refusal(text)


@given(st.text())
def test_any_text_is_a_profile_or_a_line_for_each_reason_why_not(text: str) -> None:
    told: tuple[str, ...] = ()
    try:
        parse_profile(text, FILE)
    except ProfileError as caught:
        told = caught.lines
    assert not any("\n" in line for line in told)


def test_all_that_is_wrong_with_a_profile_is_told_at_once_by_line() -> None:
    text = """kind = "relai"
tls = 1
[messages]
size = 2.5
colour = "red"
[connection]
subprotocol = "two words"
query = "a b"
token = "x"
headers = { Authorization = "y" }
[opening]
answer = "hello"
[limits]
detect_within = "soon"
"""
    told = [line.removeprefix(f"{FILE}: line ") for line in refusal(text).splitlines()]
    begins = [
        "1: kind is 'relai'",
        "2: tls is 1",
        "4: messages.size is 2.5",
        "5: the key 'messages.colour'",
        "7: connection.subprotocol",
        "8: connection.query",
        "9: connection.token",
        "12: opening.answer",
        "14: limits.detect_within",
    ]
    assert len(told) == len(begins)
    assert [begin for begin, line in zip(begins, told, strict=True) if not line.startswith(begin)] == []


def test_a_client_that_sends_other_bodies_may_have_its_number_elsewhere() -> None:
    profile = parse_profile('identity = "seen.id"\ntransforms = true', FILE)
    assert profile.identity == ByPath("seen.id")


def test_flags_take_the_place_of_what_the_file_says() -> None:
    profile = with_flags(parse_profile(WHOLE, FILE), kind="receiver", identity="none", poses=True)
    assert (profile.kind, profile.identity, profile.poses) == ("receiver", None, True)
    assert with_flags(Profile()) == Profile()


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ({"kind": "relais"}, "--kind is 'relais': did you mean 'relay'?"),
        ({"identity": "/(/"}, "--identity: '/(/' is no regular expression"),
    ],
)
def test_a_flag_that_cannot_be_is_said_like_a_key(flags: dict[str, str], complaint: str) -> None:
    with pytest.raises(ProfileError) as caught:
        with_flags(Profile(), **flags)
    assert complaint in str(caught.value)


def test_every_kind_has_its_links() -> None:
    assert all(Profile(kind=kind).links for kind in KINDS)


def test_a_pattern_may_be_the_identity() -> None:
    text = "identity = '/n=(\\d+);/'\n[messages]\ntemplate = 'n={n};{filler}'\nformat = \"binary\"\nsize = 64"
    assert parse_profile(text, FILE).identity == ByPattern(r"n=(\d+);")


def test_who_has_the_number_elsewhere_than_our_own_messages_sends_other_bodies() -> None:
    assert with_flags(Profile(), identity="data.id").transforms
    assert not with_flags(Profile(), identity="sequence").transforms
    template = parse_profile("identity = 'id'\n[messages]\ntemplate = '{\"id\": {n}}'", FILE)
    with pytest.raises(ProfileError, match="there the number is not in what the template makes"):
        with_flags(template, identity="data.id")
