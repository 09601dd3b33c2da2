import pytest
from websockets.datastructures import Headers

from simulator.entrance import Entrance, Opening

GUARDED = Entrance(
    headers=(("Authorization", "Bearer s3cret"),), query="room=7&user=me", subprotocol="chat.v2"
)


@pytest.mark.parametrize(
    ("path", "headers", "complaint"),
    [
        (
            "/chat?room=7&user=me",
            {"Authorization": "Bearer s3cret"},
            (400, "the subprotocol chat.v2 is not offered"),
        ),
        ("/chat?room=7&user=me", {}, (401, "the header Authorization is missing")),
        (
            "/chat?room=7&user=me",
            {"authorization": "Bearer other"},
            (401, "the header Authorization is another"),
        ),
        ("/chat?room=7", {"Authorization": "Bearer s3cret"}, (401, "the query has no user=me")),
    ],
)
def test_who_brings_too_little_is_told_what_is_missing(
    path: str, headers: dict[str, str], complaint: tuple[int, str]
) -> None:
    assert GUARDED.complaint(path, Headers(headers)) == complaint


def test_who_brings_all_of_it_is_let_in_whatever_is_beside_it() -> None:
    headers = Headers(
        {"authorization": "Bearer s3cret", "sec-websocket-protocol": "chat.v1, chat.v2", "x-other": "1"}
    )
    assert GUARDED.complaint("/chat?client=1&user=me&room=7", headers) is None
    assert Entrance().complaint("/chat", Headers()) is None


def test_a_subscription_is_a_message_that_matches_anywhere() -> None:
    opening = Opening(subscription=r'"type":\s*"subscribe"')
    assert opening.subscribes(b'{"room": 7, "type": "subscribe"}')
    assert not opening.subscribes(b'{"type": "hello"}')
    assert not Opening().subscribes(b"anything")
