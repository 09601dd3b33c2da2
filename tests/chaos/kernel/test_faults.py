"""What `ip` and `tc` are told, on whatever kernel. What netem is told has been run on none so far: only read."""

import pytest

from chaos.faults import Fault, read_fault
from chaos.kernel.commands import NO_WAY, RESETS
from chaos.kernel.faults import ABOUT, Egress, Rule, dropping, entries, exits, rule, why_not


def fault(kind: str, **keys: object) -> Fault:
    (found,) = read_fault({"kind": kind, "at": "5s", "on": "output", **keys})
    return found


# What a kernel must have


@pytest.mark.parametrize("kind", ["stall", "unreachable", "reset_peer", "refuse", "mute_pong", "garbage"])
def test_every_kernel_with_policy_routing_can(kind: str) -> None:
    assert why_not(fault(kind), ()) is None


@pytest.mark.parametrize(
    ("asked", "ability"),
    [
        (fault("latency", latency=100), "netem"),
        (fault("bandwidth", rate=60), "tbf"),
        (fault("blackhole"), "destroy"),
        (fault("down"), "destroy"),
        (fault("loss", percent=2), "bpf"),
        (fault("cut_after", bytes=1300), "bpf"),
        (fault("bufferbloat", rate=60, buffer=60), "tbf"),
    ],
    ids=str,
)
def test_what_needs_more_says_what_is_missing(asked: Fault, ability: str) -> None:
    assert why_not(asked, ABOUT) is None
    assert why_not(asked, set(ABOUT) - {ability}) == ABOUT[ability]  # type: ignore[index]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (fault("slicer", average_size=100), "cuts no packets"),
        (fault("slow_close", delay=100), "an end alone"),
        (fault("limit_data", bytes=100), "count the bytes"),
        (fault("timeout", timeout=0), "does not acknowledge"),
        (fault("reset_peer", timeout=300), "does not wait"),
        (fault("stall", toxicity=0.5), "some connections"),
        (fault("idle_cut", after=500), "no account"),
        (fault("rto", losses=3), "sent again"),
        (fault("dns"), "resolver"),
        (fault("half_close"), "in the sender's place"),
        (fault("rst_after_rebind"), "older connections"),
    ],
    ids=str,
)
def test_what_no_router_does_is_said_on_every_kernel(asked: Fault, why: str) -> None:
    assert why in (why_not(asked, ABOUT) or "")


def test_the_clients_loop_cannot_be_blocked_alone() -> None:
    (block,) = read_fault({"kind": "block_loop", "at": "5s", "for": "1s"})
    assert "shares its event loop" in (why_not(block, ABOUT) or "")


# Rules


@pytest.mark.parametrize(
    ("direction", "comes_in", "leaves"),
    [
        ("upstream", ("client",), ("peer",)),
        ("downstream", ("peer",), ("client",)),
        ("both", ("client", "peer"), ("peer", "client")),
    ],
)
def test_what_goes_upstream_comes_in_from_the_client_and_leaves_towards_the_peer(
    direction: str, comes_in: tuple[str, ...], leaves: tuple[str, ...]
) -> None:
    stall = fault("stall", direction=direction)
    assert (entries(stall), exits(stall)) == (comes_in, leaves)


def test_a_fault_of_toxicity_0_strikes_on_no_way() -> None:
    nobody = fault("stall", toxicity=0)
    assert (why_not(nobody, ABOUT), entries(nobody), exits(nobody)) == (None, (), ())


def test_a_rule_leads_to_silence_to_no_way_or_to_a_reset() -> None:
    assert rule(fault("stall"), "client", 3) == Rule(1003, "client", None)
    assert rule(fault("unreachable"), "peer", 5) == Rule(2005, "peer", NO_WAY)
    assert rule(fault("reset_peer"), "peer", 4) == Rule(3004, "peer", RESETS)


def test_silence_comes_before_a_reset_whichever_began_first() -> None:
    reset, stall = rule(fault("reset_peer"), "client", 0), rule(fault("stall"), "client", 1)
    assert stall.preference < reset.preference


# The queue of an interface


def test_a_latency_is_a_delay_and_becomes_none_when_it_ends_so_that_nothing_that_waits_is_lost() -> None:
    queue, slow = Egress("peer"), fault("latency", latency=150, jitter=30)
    assert queue.add(slow) == [
        "qdisc replace dev peer root handle 1: netem limit 10000 delay 150ms 30ms",
    ]
    assert queue.remove(slow) == ["qdisc replace dev peer root handle 1: netem limit 10000 delay 0ms"]


def test_latencies_add_up() -> None:
    queue = Egress("client")
    queue.add(fault("latency", latency=1400))
    (both,) = queue.add(fault("latency", latency=4000, jitter=10))
    assert both.endswith("delay 5400ms 10ms")


def test_a_bandwidth_is_a_token_bucket_and_becomes_one_that_nothing_reaches_when_it_ends() -> None:
    queue, narrow = Egress("peer"), fault("bandwidth", rate=60)
    assert queue.add(narrow) == [
        "qdisc replace dev peer root handle 2: tbf rate 480kbit burst 3200b limit 18200b",
    ]
    assert queue.remove(narrow) == [
        "qdisc replace dev peer root handle 2: tbf rate 10gbit burst 1mb limit 1mb",
    ]


def test_the_narrowest_of_two_bandwidths_counts() -> None:
    queue, narrow = Egress("peer"), fault("bandwidth", rate=40)
    queue.add(narrow)
    (both,) = queue.add(fault("bandwidth", rate=60))
    assert "rate 320kbit" in both
    (left,) = queue.remove(narrow)
    assert "rate 480kbit" in left


def test_a_bufferbloat_is_a_token_bucket_with_a_queue_of_its_size() -> None:
    queue = Egress("peer")
    queue.add(fault("bandwidth", rate=60))
    (both,) = queue.add(fault("bufferbloat", rate=50, buffer=100))
    assert "rate 400kbit burst 3200b limit 103200b" in both


def test_a_rate_lies_below_a_delay_whichever_came_first() -> None:
    queue = Egress("peer")
    queue.add(fault("bandwidth", rate=60))
    delay, rate = queue.add(fault("latency", latency=100))
    assert "root handle 1: netem" in delay
    assert "parent 1:1 handle 2: tbf rate 480kbit" in rate
    assert len(queue.add(fault("latency", latency=100))) == 1


# Loss by chance


def test_a_loss_of_25_percent_drops_a_random_word_below_a_quarter_of_its_range() -> None:
    begin, end = dropping(fault("loss", percent=25), "client", 0)
    assert begin == (
        "filter add dev client ingress pref 1 bpf da bytecode"
        " '4,32 0 0 4294963256,53 1 0 1073741824,6 0 0 2,6 0 0 4294967295'"
    )
    assert end == "filter delete dev client ingress pref 1"


# Loss by size


def test_a_cut_drops_what_is_larger_than_its_payload_and_three_heads() -> None:
    begin, end = dropping(fault("cut_after", bytes=1300), "client", 0)
    assert begin == (
        "filter add dev client ingress pref 1 bpf da bytecode"
        " '4,128 0 0 0,37 0 1 1366,6 0 0 2,6 0 0 4294967295'"
    )
    assert end == "filter delete dev client ingress pref 1"
