"""Is the link alive?                                                                                      pure

A WebSocket link is two streams, and each can die alone. A *probe* (a Ping with a number) is answered by a
Pong of the same number; the answer says that the upstream carried the probe and the downstream its answer.
Four rules decide:

1. A probe has a deadline that adapts to the measured round trip. Missing it makes the link SUSPECT and doubles
   the deadline; missing that one makes it DEAD. Anything received extends the deadline, because the downstream
   lives, but only up to a ceiling: a peer that talks and hears nothing is dead all the same.
2. A write buffer from which no byte leaves for `write_timeout`, while no answer comes either, is DEAD: it blocks the
   probe itself.
3. Where TCP had to send again, and is then acknowledged, a path has healed. What the outage has swallowed of the answers
   comes when the peer's TCP tries again, so the present deadline starts over, up to the same ceiling.
4. Time in which our own event loop did not run, or in which we did not read on purpose, is nobody's silence: it is
   credited to the deadlines.
5. When our machine stood still for long, nothing that was known before counts: a probe goes at once, and the deadline of
   rule 1 is its only one.

The shell tells what happened (`probe_sent`, `pong`, `received`, `path_healed`, `progress`, `stalled`, `woke`, `hold`) and
asks `check`.
"""

import math
from dataclasses import dataclass
from enum import Enum

from tracker.config import Timing
from tracker.events import DeathCause

UNANSWERED_AT_MOST = 256
"""Probes. A peer that confirms in its own words may answer none, and then no more are sent: each is kept until it
is answered, here as a number and in the library with all that belongs to it."""


TOGETHER = 0.1
"""Of the time between two quick probes: answers that come within it of each other were not sent so."""


class Health(Enum):
    """What the evidence allows to say."""

    ALIVE = "alive"
    SUSPECT = "suspect"
    DEAD = "dead"


class RoundTrip:
    """Smoothed round trip and the time-out that follows from it (RFC 6298, section 2), in seconds.

    Answers that come together, within `together` seconds of each other, were held up together: an outage has passed, and
    how long it was says nothing about the way. Of them only the last counts, which waited least.
    """

    __slots__ = ("_before", "_last", "_together", "smoothed", "variation")

    def __init__(self, together: float = 0.0) -> None:
        self.smoothed: float | None = None
        self.variation = 0.0
        self._together = together
        self._last = -math.inf
        self._before: tuple[float | None, float] = None, 0.0

    def sample(self, rtt: float, now: float) -> None:
        """An answer came at `now`, after `rtt` seconds."""
        if now - self._last <= self._together:
            self.smoothed, self.variation = self._before
        else:
            self._before = self.smoothed, self.variation
        self._last = now
        if self.smoothed is None:
            self.smoothed, self.variation = rtt, rtt / 2
        else:
            self.variation += (abs(self.smoothed - rtt) - self.variation) / 4
            self.smoothed += (rtt - self.smoothed) / 8

    def timeout(self) -> float:
        """smoothed + 4 * variation; 0 before the first sample (the caller's floor then decides)."""
        return 0.0 if self.smoothed is None else self.smoothed + 4 * self.variation


@dataclass(frozen=True, slots=True)
class Verdict:
    """The health of a link and, for a link that is not ALIVE, why."""

    health: Health
    cause: str = ""
    silent_for: float = 0.0
    """Seconds without the evidence that `cause` names."""


_ALIVE = Verdict(Health.ALIVE)


class Liveness:
    """Judges one connection from the moment it opened. All times are seconds of one clock."""

    def __init__(self, timing: Timing, now: float) -> None:
        self._timing = timing
        self.round_trip = RoundTrip(timing.barrier_interval * TOGETHER)
        self._health = Health.ALIVE
        self._newest = 0  # probes that were sent and answered, by number
        self._answered = 0
        self._last_probe = now
        # The oldest moment since which an answer is due; moves with every answer. None: nothing is outstanding.
        self._anchor: float | None = None
        self._deadline = 0.0
        self._flushed = 0
        self._stuck_since: float | None = None
        self._held_since: float | None = None
        self._read_since = -math.inf  # without a break
        self._heard = now  # the last answer
        self._last_chance = False

    @property
    def health(self) -> Health:
        """As of the last `check`, or better if an answer came since."""
        return self._health

    @property
    def waking(self) -> bool:
        """Whether our machine stood still for long and nothing was answered since."""
        return self._last_chance

    # What the shell tells

    def probe_sent(self, now: float, number: int) -> None:
        """Probe `number` was handed to the transport. Numbers rise by one, from connection to connection too."""
        if not self._outstanding:
            self._answered = number - 1
        self._newest = number
        self._last_probe = now
        if self._anchor is None:
            self._restart(now)

    def woke(self, now: float) -> None:
        """Our machine stood still for long: a probe is due now, and its first deadline is the last."""
        self._last_chance = True
        self._last_probe = -math.inf
        self._restart(now)

    def pong(self, now: float, number: int, rtt: float) -> None:
        """The answer to probe `number` came after `rtt` seconds; it answers every earlier probe too."""
        reached = min(number, self._newest)
        if reached <= self._answered:
            return
        self._answered = reached
        # An answer that waited because we did not read says nothing about the path.
        if now - rtt >= self._read_since:
            self.round_trip.sample(rtt, now)
        self._proven(now)

    def confirmed(self, now: float) -> None:
        """The peer acknowledged a message: the upstream lives, as an answer to a probe would say."""
        self._proven(now)

    def received(self, now: float) -> None:
        """Bytes came. The downstream lives; the deadline moves, up to the ceiling."""
        if self._anchor is not None:
            self._extend(now + self._patience())

    def path_healed(self, now: float) -> None:
        """What our TCP had sent again in vain has been acknowledged: the path was out, and carries again.

        An answer that was lost meanwhile the peer's TCP sends again, which takes it as long again as the outage lasted. So
        the present deadline starts over, up to the ceiling.
        """
        if self._anchor is not None:
            patience = self._patience() * (2 if self._health is Health.SUSPECT else 1)
            self._extend(now + patience)

    def progress(self, now: float, *, flushed: int, buffered: int) -> None:
        """`flushed` bytes have left the write buffer since the connection opened, `buffered` are still in it."""
        if buffered == 0 or flushed > self._flushed:
            self._stuck_since = None if buffered == 0 else now
        elif self._stuck_since is None:
            self._stuck_since = now
        self._flushed = flushed

    def stalled(self, now: float, seconds: float) -> None:
        """Our own loop did not run for `seconds`: nobody could have been heard, so no deadline counts them.

        What began after that has missed nothing: an answer may have been read before this is told.
        """
        if self._anchor is not None and self._held_since is None:  # what is held is credited as a whole
            missed = min(seconds, now - self._anchor)
            self._anchor += missed
            self._deadline += missed
        if self._stuck_since is not None:
            self._stuck_since = min(self._stuck_since + seconds, now)

    def hold(self, now: float) -> None:
        """We stop reading on purpose (back-pressure): from now on silence proves nothing."""
        if self._held_since is None:
            self._held_since = now
        # Nor does the silence before it count against the answers that will wait in the socket meanwhile.
        self._health = Health.ALIVE

    def resume(self, now: float) -> None:
        """We read again; answers that waited in the socket get a full deadline, up to the ceiling.

        The ceiling is credited and does not start over: a peer whose every message makes us hold, and who never
        answers, would otherwise live for ever.
        """
        held_since, self._held_since = self._held_since, None
        self._read_since = now
        if held_since is not None and self._anchor is not None:
            self._anchor += max(0.0, now - max(held_since, self._anchor))
            self._deadline = now + self._patience()

    # What the shell asks

    def check(self, now: float) -> Verdict:
        """The verdict at `now`. It can be asked at any time; `wake_at` says when it may change by itself."""
        # Compared as `wake_at` computes them: with floats, now - since >= limit can be false at since + limit, and
        # a driver that sleeps until then would spin.
        if self._stuck_since is not None and now >= self._stuck_since + self._timing.write_timeout:
            self._health = Health.DEAD
            return Verdict(Health.DEAD, DeathCause.WRITES_STUCK, now - self._stuck_since)
        if self._anchor is None or self._held_since is not None:
            return _ALIVE
        silence = now - (self._heard if self._last_chance else self._anchor)
        if now >= self._anchor + self._timing.probe_ceiling or (
            now >= self._deadline and (self._last_chance or self._health is Health.SUSPECT)
        ):
            self._health = Health.DEAD
        elif now >= self._deadline:
            self._health = Health.SUSPECT
            # The second chance is twice the first, counted from the missed deadline, not from this call.
            self._deadline = min(
                self._deadline + 2 * self._patience(), self._anchor + self._timing.probe_ceiling
            )
            if now >= self._deadline:
                self._health = Health.DEAD
        if self._health is Health.ALIVE:
            return _ALIVE
        return Verdict(self._health, DeathCause.UNANSWERED, silence)

    def probe_due(self, *, urgent: bool) -> float:
        """When the next probe should go; `urgent` while messages wait for a confirm that only a probe brings.

        While an answer is overdue (SUSPECT) probes go on at the quick pace: a peer may answer only the newest.
        Infinity while `UNANSWERED_AT_MOST` are on their way.
        """
        if self._outstanding >= UNANSWERED_AT_MOST:
            return math.inf
        quick = urgent or self._health is Health.SUSPECT
        return self._last_probe + (self._timing.barrier_interval if quick else self._timing.probe_interval)

    def wake_at(self) -> float | None:
        """When `check` may next say something else although nothing happens; None: only events can change it."""
        deadlines = []
        if self._anchor is not None and self._held_since is None:
            deadlines.append(min(self._deadline, self._anchor + self._timing.probe_ceiling))
        if self._stuck_since is not None:
            deadlines.append(self._stuck_since + self._timing.write_timeout)
        return min(deadlines, default=None)

    # Inside

    @property
    def _outstanding(self) -> int:
        return self._newest - self._answered

    def _patience(self) -> float:
        # A third of the ceiling, so that the doubled second deadline still fits below it.
        return min(max(self.round_trip.timeout(), self._timing.probe_floor), self._timing.probe_ceiling / 3)

    def _extend(self, deadline: float) -> None:
        assert self._anchor is not None, "only what is awaited has a deadline"
        self._deadline = max(self._deadline, min(deadline, self._anchor + self._timing.probe_ceiling))

    def _restart(self, now: float) -> None:
        self._anchor = now
        self._deadline = now + self._patience()

    def _proven(self, now: float) -> None:
        self._health = Health.ALIVE
        self._heard, self._last_chance = now, False
        # What was answered has left. A kernel lets a writer go on only when a third of its send buffer is free, which
        # on a slow link takes longer than the next answer.
        if self._stuck_since is not None:
            self._stuck_since = now
        if self._outstanding:
            self._restart(now)
        else:
            self._anchor = None
