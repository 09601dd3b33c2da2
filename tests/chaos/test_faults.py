from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.faults import Change, Fault, FaultError, read_fault, timeline
from chaos.kinds import KINDS
from chaos.nearest import unknown_name

CONTRACT = {
    "latency": {"latency": "ms", "jitter": "ms"},
    "bandwidth": {"rate": "KB/s"},
    "slow_close": {"delay": "ms"},
    "timeout": {"timeout": "ms"},
    "reset_peer": {"timeout": "ms"},
    "slicer": {"average_size": "bytes", "size_variation": "bytes", "delay": "us"},
    "limit_data": {"bytes": "bytes"},
}


def table(kind: str, **keys: Any) -> dict[str, Any]:
    """A valid table of this kind, with the smallest values that its spec allows, and `keys` on top."""
    spec = KINDS[kind]
    made: dict[str, Any] = {"kind": kind, "at": "10s"}
    if spec.lasts == "required":
        made["for"] = "5s"
    if spec.links and spec.default_on is None:
        made["on"] = spec.links[0]
    made |= {name: attribute.minimum for name, attribute in spec.attributes.items() if attribute.required}
    return made | {key.rstrip("_"): value for key, value in keys.items()}


def refusal(wrong: dict[str, Any]) -> str:
    with pytest.raises(FaultError) as caught:
        read_fault(wrong)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    return text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_read(kind: str) -> None:
    (fault,) = read_fault(table(kind))
    assert fault.kind == kind
    assert fault.at == 10
    assert set(fault.attributes) == set(KINDS[kind].attributes)
    assert kind in str(fault)


@pytest.mark.parametrize("kind", CONTRACT)
def test_network_kinds_have_the_units_of_toxiproxy(kind: str) -> None:
    assert {name: attribute.unit for name, attribute in KINDS[kind].attributes.items()} == CONTRACT[kind]


def test_what_only_slows_or_adds_never_severs() -> None:
    assert {kind for kind, spec in KINDS.items() if not spec.severs} == {
        *(
            "latency",
            "bandwidth",
            "slow_close",
            "slicer",
            "block_loop",
            "clock_step",
            "echo",
            "garbage",
            "burst",
            "fragment",
        )
    }


@pytest.mark.parametrize(
    ("kind", "mild", "harsh"),
    [
        ("loss", {"percent": 5}, {"percent": 6}),
        ("rto", {"losses": 3}, {"losses": 4}),
        ("bufferbloat", {"rate": 50, "buffer": 50}, {"rate": 50, "buffer": 51}),
    ],
)
def test_what_is_mild_excuses_no_lost_connection(
    kind: str, mild: dict[str, int], harsh: dict[str, int]
) -> None:
    severs = [read_fault(table(kind, **attributes))[0].severs for attributes in (mild, harsh)]
    assert severs == [False, True]


def test_what_happens_once_takes_no_for() -> None:
    for kind in ("half_close", "rst_after_rebind"):
        assert read_fault(table(kind))[0].duration == 0
        assert "'for'" in refusal(table(kind, for_="3s"))


def test_a_network_fault_strikes_both_directions_and_every_connection_by_default() -> None:
    (fault,) = read_fault(table("latency", latency=5))
    assert (fault.direction, fault.toxicity, fault.attributes) == ("both", 1.0, {"latency": 5, "jitter": 0})


def test_a_fault_without_for_lasts_until_the_end() -> None:
    (fault,) = read_fault(table("stall"))
    assert fault.duration is None
    assert fault.heals_at is None


def test_a_close_is_over_at_once_and_takes_no_for() -> None:
    (fault,) = read_fault(table("close", code=1001))
    assert (fault.duration, fault.heals_at) == (0, 10)
    assert "'for'" in refusal(table("close", code=1001, for_="3s"))


def test_peer_faults_strike_the_output_unless_told_otherwise() -> None:
    assert read_fault(table("mute_pong"))[0].on == "output"
    assert read_fault(table("mute_pong", on="input"))[0].on == "input"


def test_what_is_not_of_one_link_takes_no_on() -> None:
    assert read_fault(table("block_loop"))[0].on is None
    assert "'on'" in refusal(table("restart", on="input"))


def test_equal_faults_have_equal_hashes() -> None:
    one, other = read_fault(table("latency"))[0], read_fault(table("latency"))[0]
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("wrong", "parts"),
    [
        ({"at": "1s"}, ["'kind' is missing"]),
        ({"kind": 5}, ["kind is 5"]),
        ({"kind": "latncy"}, ["'latncy'", "did you mean 'latency'?"]),
        ({"kind": "qqqq"}, ["valid are latency, bandwidth"]),
        (table("bandwidth", rat=3), ["bandwidth", "'rat'", "did you mean 'rate'?"]),
        (table("latency", rate=3), ["latency", "'rate'"]),
        (table("down", toxicity=0.5), ["down", "'toxicity'"]),
        ({"kind": "stall", "at": "1s"}, ["'on' is missing", 'on = "input" or on = "output"']),
        ({"kind": "stall", "on": "input"}, ["'at' is missing"]),
        (table("stall", on="outptu"), ["on is 'outptu'"]),
        (table("echo", on="input"), ["on is 'input'", 'on = "output"']),
        (table("stall", at="-5s"), ["at: '-5s'"]),
        (table("stall", at=-5), ["at: -5"]),
        (table("stall", for_="0s"), ["for is '0s'"]),
        (table("stall", direction="up"), ["direction is 'up'", "upstream, downstream, both"]),
        (table("stall", toxicity=1.5), ["toxicity is 1.5"]),
        (table("stall", toxicity=True), ["toxicity is True"]),
        ({"kind": "latency", "at": 1, "on": "input"}, ["'latency' is missing", "ms"]),
        (table("latency", latency="1.4s"), ["latency is '1.4s'", "whole number", "ms"]),
        (table("latency", latency=True), ["latency is True"]),
        (table("latency", latency=-1), ["latency is -1", "from 0"]),
        (table("bandwidth", rate=0), ["rate is 0", "`stall`"]),
        (table("slicer", average_size=0), ["average_size is 0", "from 1"]),
        (table("slicer", average_size=10, size_variation=11), ["size_variation 11", "average_size 10"]),
        (table("close", code=1006), ["1006", "reserved"]),
        (table("accept_then_close", code=2000), ["2000", "not assigned"]),
        (table("refuse", status=200), ["status is 200", "from 400 to 599"]),
        (table("garbage", kinds=[]), ["kinds is []"]),
        (table("garbage", kinds=["not-jsn"]), ["'not-jsn'", "did you mean 'not-json'?"]),
        (table("garbage", kinds=[["x"]]), ["['x']"]),
        ({"kind": "restart", "at": "5s"}, ["restart", "'for' is missing"]),
        (table("down", for_="1s", every="4s"), ["'times' is missing"]),
        (table("down", for_="1s", times=3), ["'every' is missing"]),
        (table("down", for_="1s", every="4s", times=1), ["times is 1", "from 2 to 1000"]),
        (table("down", every="4s", times=3), ["add 'for'"]),
        (table("down", for_="4s", every="4s", times=3), ["must end before it begins again"]),
        (table("close", code=1000, every="0s", times=3), ["every is '0s'"]),
    ],
)
def test_a_refused_fault_names_the_value_and_the_remedy(wrong: dict[str, Any], parts: list[str]) -> None:
    text = refusal(wrong)
    assert [part for part in parts if part not in text] == []


def test_the_largest_variation_a_slice_may_have_is_its_size() -> None:
    assert read_fault(table("slicer", average_size=10, size_variation=10))


def test_a_repeated_fault_is_written_out() -> None:
    faults = read_fault(table("down", at="0s", on="output", for_="50ms", every="100ms", times=4))
    assert [fault.at for fault in faults] == [0, 0.1, 0.2, 0.3]
    assert {fault.duration for fault in faults} == {0.05}


def test_heals_come_before_begins_at_the_same_instant() -> None:
    first, second = Fault("down", 10, 5, "output"), Fault("stall", 15, None, "output")
    assert timeline([second, first]) == (
        Change(10, 1, first, begins=True),
        Change(15, 1, first, begins=False),
        Change(15, 0, second, begins=True),
    )


def test_what_is_over_at_once_only_begins() -> None:
    (close,) = read_fault(table("close", code=1001))
    assert timeline([close]) == (Change(10, 0, close, begins=True),)


def test_overlapping_downs_keep_their_own_begin_and_heal() -> None:
    changes = timeline([Fault("down", 1, 5, "output"), Fault("down", 3, 1, "output")])
    assert [(change.at, change.index, change.begins) for change in changes] == [
        (1, 0, True),
        (3, 1, True),
        (4, 1, False),
        (6, 0, False),
    ]


def test_a_fault_reads_as_what_it_does_and_when() -> None:
    (fault,) = read_fault(
        table("latency", on="output", latency=1400, for_="25s", direction="upstream", toxicity=0.5)
    )
    assert str(fault) == "latency on output, upstream, latency 1400 ms, jitter 0 ms, toxicity 0.5, 10s to 35s"
    assert str(read_fault(table("stall", on="input"))[0]) == "stall on input, 10s to the end"


def test_a_name_far_from_all_lists_them() -> None:
    assert unknown_name("zzz", ["one", "two"]) == "valid are one, two"


# A short alphabet: all of Unicode takes hypothesis seconds to tabulate on a machine where it never ran.
text = st.text("a1s-. \n\x85\u2028é", max_size=6)
values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), text, st.lists(text, max_size=2))
keys = st.sampled_from(sorted({key for spec in KINDS.values() for key in spec.keys} | {"x", "a\nb"}))


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(keys, values, max_size=3))
def test_no_table_raises_anything_but_one_line(kind: str, keys: dict[str, Any]) -> None:
    faults: tuple[Fault, ...] = ()
    refused = ""
    try:
        faults = read_fault(table(kind) | keys)
    except FaultError as error:
        refused = str(error)
    assert bool(faults) != bool(refused)
    assert len(refused.splitlines()) <= 1
    assert all(fault.at >= 0 and 0 <= fault.toxicity <= 1 for fault in faults)
