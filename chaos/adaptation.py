"""A scenario as it is run against a client that is not the tracker: with the links and the limits that it has.  pure"""

from collections.abc import Iterator
from dataclasses import replace

from chaos.faults import Fault
from chaos.history import Role
from chaos.profile import Profile
from chaos.scenario import Expect, Scenario

TRACKER_ONLY = frozenset({"bounded", "same-climb"})
"""Promises that only a tracker's own reports and outputs tell of."""
BY_NUMBER = ("no-loss", "in-order", "intact", "dedup-safe")
"""Promises that are about messages which can be told apart."""


class NotForThisClient(Exception):
    """A scenario that would say nothing about a client of this kind; the text says why, in a few words."""


def profile_for(role: Role, given: Profile | None) -> Profile:
    """The profile of a client: the one that was given, or that of its role. The tracker's are poses."""
    if given is not None:
        return given
    return Profile(poses=True) if role == "tracker" else Profile(kind=role)


def judged_of(profile: Profile, promises: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the promises that can be judged of a client that is not the tracker, and are to be."""
    numbered = profile.sends and profile.identity is not None
    out = {*TRACKER_ONLY, *profile.not_judged, *(() if numbered else BY_NUMBER)}
    if profile.own_numbers:
        out.add("intact")
    return tuple(name for name in promises if name not in out)


def not_judged(profile: Profile) -> tuple[str, ...]:
    """What a client of this profile is not judged for that another is, and why, in a few words each."""
    said = []
    if not profile.sends:
        said.append(f"{_and(BY_NUMBER)}, because it sends nothing")
    elif profile.identity is None:
        said.append(f"{_and(BY_NUMBER)}, because its messages have no number")
    elif profile.own_numbers:
        said.append("intact, because its messages are its own")
    if profile.not_judged:
        said.append(f"{_and(profile.not_judged)}, because the profile says so")
    return tuple(said)


def adapted(scenario: Scenario, profile: Profile) -> Scenario:
    """The scenario for a client of this profile, which is not the tracker. Raises `NotForThisClient`.

    Nothing is sent to it over a control link, which it does not have. What strikes the input or the output strikes the
    one link of a client that has no more. A workload has the profile's rate, its limits are the profile's, and what it
    stresses is what can be judged.
    """
    if profile.kind == "receiver" and scenario.peer.echo:
        raise NotForThisClient("it sends nothing that could be echoed")
    faults = [fault for fault in scenario.faults if fault.on != "control"]
    if scenario.faults and not faults:
        raise NotForThisClient("its faults strike the control link, which only the tracker has")
    if scenario.controls and not faults:
        raise NotForThisClient("it is about controls, which only the tracker takes")
    stresses = judged_of(profile, scenario.stresses)
    if any(fault.lasts_until(scenario.duration) for fault in faults):
        # What is in the way of a goodbye, only a tracker can tell.
        stresses = tuple(name for name in stresses if name != "clean-stop")
    if scenario.stresses and not stresses:
        raise NotForThisClient(
            f"of such a client {_and(scenario.stresses)} cannot be judged, or shall not be"
        )
    workload = scenario.workload
    if workload.recording is None:
        fps = workload.fps if profile.rate is None else profile.rate
        faults = [_at_pace(fault, fps / workload.fps) for fault in faults]
        workload = replace(workload, fps=fps, reset_at=workload.reset_at if profile.poses else ())
    return replace(
        scenario,
        stresses=stresses,
        workload=workload,
        faults=tuple(_on_its_links(faults, profile)),
        controls=(),
        expect=_limits(scenario.expect, profile),
    )


def _on_its_links(faults: list[Fault], profile: Profile) -> Iterator[Fault]:
    """Each fault once, on a link that the client has."""
    found: list[Fault] = []
    for fault in faults:
        if fault.kind == "credentials_expire":
            raise NotForThisClient("only the tracker is given a token that is renewed")
        if fault.kind == "echo" and not profile.sends:
            raise NotForThisClient("it sends nothing that could be echoed")
        if fault.kind == "burst" and not profile.reads:
            raise NotForThisClient("the peer sends it nothing that could come faster")
        if fault.kind == "limit_data" and fault.direction == "upstream" and not profile.sends:
            raise NotForThisClient("it sends too little to reach a limit of bytes")
        moved = fault
        if fault.on is not None and fault.on not in profile.links:
            moved = replace(fault, on=profile.links[0])
        if moved not in found:
            found.append(moved)
            yield moved


def _at_pace(fault: Fault, factor: float) -> Fault:
    """A burst is as many times as fast as the workload."""
    fps = fault.attributes.get("fps")
    if factor == 1 or fault.kind != "burst" or not isinstance(fps, int):
        return fault
    return replace(fault, attributes={**fault.attributes, "fps": max(1, round(fps * factor))})


def _limits(expect: Expect, profile: Profile) -> Expect:
    """The client's own limits; that of a silence where the scenario sets one too."""
    limits = profile.limits
    own_silence = limits.longest_silence if expect.longest_silence is not None else None
    return replace(
        expect,
        detect_within=limits.detect_within or expect.detect_within,
        recover_within=limits.recover_within or expect.recover_within,
        longest_silence=own_silence or expect.longest_silence,
        ends=None,
    )


def _and(names: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
