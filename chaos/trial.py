"""What a run without a fault shows of a client: what of it can be judged later, and what not.                  pure"""

from dataclasses import dataclass
from typing import Literal

from chaos.history import Attempted, Broke, History
from chaos.kinds import Link
from chaos.profile import Profile
from chaos.scenario import Scenario
from simulator import events as peer
from simulator.identity import paths_with

DURATION = 8.0
"""Seconds that it lasts once the client is steady."""
NO_FAULT = Scenario("try", "Nothing goes wrong, for some seconds.", (), DURATION)
QUOTED = 60
"""Characters of a message."""
BY_NUMBER = "no-loss, in-order, intact and dedup-safe"
EVERYTHING = "nothing can be judged"

Answer = Literal["yes", "no", "-"]


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that a client does, or does not, or need not (`-`)."""

    what: str
    answer: Answer
    seen: str
    costs: str = ""
    """What it costs later, and what to do."""


def points(history: History, profile: Profile) -> tuple[Point, ...]:
    """The list, in the order in which things happen."""
    found = [_lasts(history, profile), *(_connected(history, link) for link in profile.links)]
    if history.first(peer.Opened) is None:
        return tuple(found)  # all the rest would say so again
    if profile.reads:
        found.append(_offered(history, profile))
    if profile.sends:
        found.append(_came(history))
    if found[-1].answer == "yes" and profile.sends:
        found.append(_identity(history, profile))
        if history.sends_on and history.first(peer.Delivered) is not None:
            found.append(_bodies(history, profile))
    return (*found, _pongs(history), _goodbye(history))


def _connected(history: History, link: Link) -> Point:
    what = f"connected to the {link}"
    opened = [event for event in history.of(peer.Opened) if event.link == link]
    if opened:
        times = f", {len(opened)} times" if len(opened) > 1 else ""
        return Point(what, "yes", f"after {opened[0].t:.1f} s{times}")
    away = [event for event in history.of(peer.TurnedAway) if event.link == link]
    if away:
        seen = f"{len(away)} handshakes were answered with {away[0].status}: {away[0].why}"
        return Point(
            what, "no", seen, f"{EVERYTHING}: let it bring that along, or take it out of the profile"
        )
    attempts = sum(event.link == link for event in history.of(Attempted))
    seen = f"{attempts} attempts, and no handshake" if attempts else "it never tried"
    return Point(what, "no", seen, f"{EVERYTHING}: look whether it takes the URL that it is given")


def _offered(history: History, profile: Profile) -> Point:
    offered = list(history.of(peer.Offered))
    if offered:
        return Point("messages offered", "yes", f"{len(offered)}")
    waits = profile.opening.subscription
    remedy = f": it sent nothing that matches {waits!r}, the profile's opening.subscription" if waits else ""
    return Point("messages offered", "no", "none", f"{EVERYTHING}{remedy}")


def _came(history: History) -> Point:
    came = sum(1 for _ in history.of(peer.Delivered)) + sum(1 for _ in history.of(peer.Unreadable))
    if came:
        return Point("messages came", "yes", f"{came}")
    costs = "nothing can be judged of what it sends: no-loss, in-order, intact, dedup-safe, recover, and how long it is silent"
    return Point("messages came", "no", "none", costs)


def _identity(history: History, profile: Profile) -> Point:
    if profile.identity is None:
        return Point("a number in each", "-", "by the profile there is none", f"{BY_NUMBER} are not judged")
    numbered = sum(1 for _ in history.of(peer.Delivered))
    without = list(history.of(peer.Unreadable))
    if not without:
        return Point("a number in each", "yes", f"at {profile.identity}")
    begins = next((event.begins for event in without if event.begins), "")
    seen = f"{len(without)} of {numbered + len(without)} have none at {profile.identity}; the first: {begins[:QUOTED]!r}"
    elsewhere = _elsewhere(history, begins, own=profile.own_numbers)
    remedy = f"; there is one at {elsewhere}: --identity {elsewhere}" if elsewhere else ""
    return Point("a number in each", "no", seen, f"{BY_NUMBER} cannot be judged{remedy}")


def _elsewhere(history: History, body: str, *, own: bool) -> str | None:
    """Where a number stands in the body that may be its own, or is one of those that were offered."""
    offered = {event.sequence for event in history.of(peer.Offered)}
    found = paths_with(body.encode())
    return next((path for path, number in found if own or number in offered), None)


def _bodies(history: History, profile: Profile) -> Point:
    what = "bodies as they came"
    if profile.transforms:
        return Point(what, "-", "by the profile they are other bodies", "they are not judged")
    offered = {event.sequence: event.content for event in history.of(peer.Offered)}
    came = [event for event in history.of(peer.Delivered) if event.seq in offered]
    changed = sum(event.content != offered[event.seq] for event in came)
    if not came:
        return Point(what, "no", "none came of those that were offered", "they cannot be judged")
    if changed == len(came):
        return Point(
            what, "no", "all are changed", "they are not judged: say transforms = true in the profile"
        )
    if changed:
        return Point(
            what, "no", f"{changed} of {len(came)} are changed", "a client that changes some of them fails"
        )
    return Point(what, "yes", f"all {len(came)}")


def _pongs(history: History) -> Point:
    pinged = [event.connection for event in history.of(peer.Pinged)]
    came = {event.connection: event.took for event in history.of(peer.PongCame)}
    if not pinged:
        return Point("answers Pings", "-", "there was no connection to ask over", "")
    silent = [number for number in pinged if number not in came]
    if silent:
        seen = f"not on {len(silent)} of {len(pinged)} connections"
        return Point("answers Pings", "no", seen, "a peer that pings, as most do, ends its connections")
    return Point("answers Pings", "yes", f"after {max(came.values()):.2f} s at most")


def _lasts(history: History, profile: Profile) -> Point:
    broke = history.first(Broke, lambda event: event.who == "client")
    if broke is None:
        return Point("lasts to the end", "yes", "until it was told to stop")
    poses = "" if profile.poses or not profile.reads else "; if it wants the poses of a climb: --poses"
    return Point("lasts to the end", "no", broke.told, f"every scenario fails{poses}")


def _goodbye(history: History) -> Point:
    what = "closes in good order"
    stopping = history.phase("stopping") or 0.0
    ends = [event for event in history.of(peer.Ended) if event.t >= stopping]
    if not ends:
        return Point(what, "-", "no connection was open at its stop", "clean-stop cannot be judged")
    seen = ", ".join(f"{event.code} by the {event.by} on the {event.link}" for event in ends)
    if all(event.by == "client" for event in ends):
        return Point(what, "yes", seen)
    return Point(
        what, "no", seen, "clean-stop fails: let it close with a Close frame when it is told to stop"
    )
