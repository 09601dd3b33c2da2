"""What the peer or the client's own host did: garbage, bursts, broadcasting, a loop that stood still.         pure"""

from collections.abc import Iterator
from statistics import median

from chaos.diagnosis.findings import Finding
from chaos.kinds import GARBAGE
from chaos.timeline.observed import Connection, LinkRecord, Observed

APART = 5.0
"""Seconds without a bad message after which the next one begins anew."""
BURST = 1.6
"""Times the usual frames a second from which a second counts as a burst."""
ECHOES = 0.5
"""A peer that sent back this share of what it got, broadcasts to its sender."""
FEW = 3
"""Messages. Fewer that nobody asked for are of no account."""
UNREAD = 16
"""Messages that wait unread when the library stops reading."""
SHORTEST_BLOCK = 0.3
"""Seconds. A loop that was less late is a busy machine, and nobody's fault."""


def blocked_loop(seen: Observed) -> Iterator[Finding]:
    """The times in which the client's own loop did not run."""
    for begin, end in seen.lags():
        if end - begin >= SHORTEST_BLOCK:
            why = f"its own event loop ran {end - begin:.1f} s late"
            yield Finding("block_loop", begin, end, why, "certain")


def garbage(seen: Observed) -> Iterator[Finding]:
    """The times in which bad messages came, each kind by its name."""
    groups: list[list[tuple[float, str]]] = []
    for t, reason in seen.rejected:
        if groups and t - groups[-1][-1][0] <= APART:
            groups[-1].append((t, reason))
        else:
            groups.append([(t, reason)])
    for group in groups:
        reasons = tuple(dict.fromkeys(reason for _, reason in group))
        kinds = tuple(reason for reason in reasons if reason in GARBAGE)
        if kinds:
            why = f"{len(group)} bad messages: {', '.join(reasons)}"
            yield Finding(
                "garbage",
                group[0][0] - 0.05,
                group[-1][0] + 0.05,
                why,
                "certain",
                on="input",
                attributes={"kinds": kinds},
            )


def usual_fps(seen: Observed) -> float:
    """Frames a second while any came; 30 where none did."""
    counts = [count for second, count in seen.received.items() if seen.began + 1 <= second < seen.end - 1]
    return float(median(counts)) if counts else 30.0


def bursts(seen: Observed) -> Iterator[Finding]:
    """Times in which frames came faster than usual, and not because they had been held before."""
    usual = usual_fps(seen)
    counts = dict(seen.received.items())
    fast = [second for second, count in counts.items() if count >= BURST * usual]
    runs: list[list[int]] = []
    for second in fast:
        if runs and second == runs[-1][-1] + 1:
            runs[-1].append(second)
        else:
            runs.append([second])
    for run in runs:
        before = [counts.get(run[0] - n, 0) for n in (1, 2)]
        if len(run) < 2 or min(before) < usual / 2:
            continue
        rate = median(counts[second] for second in run)
        why = f"{rate:.0f} frames a second came for {len(run)} s, {usual:.0f} before"
        yield Finding(
            "burst", run[0], run[-1] + 1.0, why, "likely", on="input", attributes={"fps": round(rate)}
        )


def echoes(seen: Observed) -> bool:
    """Whether the peer of the output sent back what it got, all along."""
    connections = seen.link("output").connections
    # What a peer got, it confirms; a client that stops reading sees no more than the library takes in.
    got = seen.confirmed.total or min(sum(s.sent for s in connections), 2 * UNREAD * len(connections))
    return sum(connection.unasked for connection in connections) >= max(FEW, ECHOES * got)


def talk(seen: Observed) -> Iterator[Finding]:
    """The times in which the output's peer said what nobody had asked for: an echo for a while, or words of its own."""
    if echoes(seen) or unread(seen.link("output")):
        return
    groups: list[list[tuple[int, int]]] = []
    for second, count in seen.unasked.items():
        if groups and second - groups[-1][-1][0] <= APART:
            groups[-1].append((second, count))
        else:
            groups.append([(second, count)])
    for group in groups:
        # They were counted at the end of a second, whichever it was.
        begin, end = group[0][0] - 0.5, group[-1][0] + 0.5
        count = sum(count for _, count in group)
        if count < FEW:
            continue
        got = median(seen.confirmed.between(second, second + 1) for second, _ in group)
        said = median(count for _, count in group)
        if 0 < ECHOES * got <= said:  # a peer that gets nothing sends nothing back
            yield Finding("echo", begin, end, f"{count} messages came back", "likely", on="output")
        else:
            yield Finding(
                "garbage",
                begin,
                end,
                f"{count} messages came on the output that nobody had asked for",
                "likely",
                on="output",
                attributes={"kinds": ("unknown-type",)},
            )


def _cut_off(connection: Connection, closed: float) -> bool:
    """Whether something came, and then nothing more."""
    return connection.unasked > 0 and closed - (connection.last_heard or connection.opened) > 1.0


def unread(record: LinkRecord) -> list[Connection]:
    """Connections whose client killed them with 1011 while the peer was sending: it was not read any more."""
    return [
        connection
        for connection in record.connections
        if connection.closed is not None
        and connection.died is not None
        and connection.closed.code == 1011
        and connection.closed.by == "client"
        and (connection.unasked >= UNREAD or _cut_off(connection, connection.closed.t))
    ]
