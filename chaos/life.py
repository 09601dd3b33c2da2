"""The life of one run, the same on every engine: start, reach the steady state, inject on time, heal, stop."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from operator import itemgetter
from pathlib import Path
from random import Random
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Literal

from msgspec.structs import replace as replace_field

from chaos import peer_faults, workloads
from chaos.adaptation import profile_for
from chaos.certificates import certify, trusted
from chaos.clients import Assignment, Client
from chaos.engines import ClientBrokeError, InForce, World
from chaos.faults import Change, timeline
from chaos.history import (
    Attempted,
    Began,
    Broke,
    Counted,
    Healed,
    History,
    HistoryEvent,
    Phase,
    Reached,
    Reported,
    Role,
    SocketClosed,
    SocketsSeen,
    StoodStill,
    in_scenario_time,
)
from chaos.judging import herd
from chaos.judging.climbed import climbed
from chaos.kinds import LINKS, Link
from chaos.own_frame import own_frame
from chaos.profile import Profile
from chaos.scenario import Scenario
from chaos.scenario_writing import write
from chaos.temporary import temporary_folder
from chaos.tokens import Tokens
from chaos.workloads import require_runnable
from simulator import events as peer
from simulator.pose_server import PoseServer
from tracker.events import AnyEvent

STEADY_WITHIN = 60.0
"""Scenario seconds from the client's start in which its first outputs must arrive."""
STEADY_AFTER = 10
"""Outputs of each client that must have arrived before a run counts as steady; frames offered, where it only reads."""
PATIENCE = 10
"""How many times its due a run on virtual time may last before it is given up: a client that swallows its cancellation
would go on for ever."""
TRIAL = 10.0
"""The same in a trial, which lasts as long again."""
STOP_WITHIN = 15.0
"""Scenario seconds that a client may take for its orderly end before it counts as broken."""

LEAVE_WITHIN = 15.0
"""Scenario seconds for the same after a cancellation. What goes on even then is left behind."""

FAREWELL = 1.0
"""Scenario seconds after the end of a client that reports nothing, in which its close frames may still arrive."""

log = logging.getLogger("chaos.life")


def budget(scenario: Scenario) -> float:
    """Seconds of virtual time after which a run of it has lost its way."""
    return PATIENCE * (STEADY_WITHIN + scenario.duration + STOP_WITHIN + FAREWELL)


class Life:
    """One run of one scenario against one client. `live` may be called once."""

    def __init__(
        self,
        scenario: Scenario,
        client: Client,
        *,
        engine: str,
        seed: int,
        trace: Path | None = None,
        profile: Profile | None = None,
        trial: bool = False,
        climb: bool = True,
    ) -> None:
        """`trace` is where the client writes its own; see `Assignment`. Without a `profile`, that of the client's role.

        Without `climb`, nobody looks at what the outputs show of it, which takes a third of a run's time. In a `trial` nobody waits long for a client that does not become steady, and the peer sends it Pings.
        """
        require_runnable(scenario)
        self._as_run = write(scenario)
        self._climb = climb and scenario.workload.kind == "climb"
        self._scenario = scenario.paced
        network = scenario.network
        # Numbered after the scenario's own, which keep the numbers that their file gives them.
        self._faults = (
            *self._scenario.faults,
            *(() if network is None else network.faults(scenario.duration, seed)),
        )
        self._client = client
        self._engine = engine
        self._seed = seed
        self._trace = trace
        self._trial = trial
        self._profile = profile_for(client.role, profile)
        self._role: Role = "tracker" if client.role == "tracker" else self._profile.kind
        # Beside those of the profile: the control link where something is sent over it, and what a scenario strikes
        # that was not adapted to the client.
        struck = [link for link in scenario.links if any(fault.on == link for fault in scenario.faults)]
        self._links = (*self._profile.links, *scenario.links[len(LINKS) :], *struck)
        numbered = None if self._profile.poses else self._profile.messages
        self._material = workloads.material(self._scenario.workload, seed, numbered)
        self._world: World
        self._began = 0.0
        self._scale = 1.0
        self._sockets_seen: SocketsSeen = "none"
        self._stopping = False
        self._events: list[HistoryEvent] = []
        self._arrived: Counter[int] = Counter()
        """What arrived from each client until it was steady."""
        self._owners: dict[int, int] = {}
        """The client of each connection at the peer."""
        self._steady = asyncio.Event()
        self._in_force: dict[int, InForce] = {}
        """Every fault that began, by its number; kept when it has ended, for what it did."""

    async def live(self, world: World) -> None:
        """The run. A client that breaks is part of the record, and so is what breaks in the laboratory."""
        self._world = world
        self._began = world.now
        self._scale = world.scale
        world.on_standstill(self._stood_still)
        self._sockets_seen = world.sockets_seen
        world.watch_sockets(self)
        with self._material.files() as files:
            try:
                with (
                    trusted() if self._profile.tls else nullcontext() as ca,
                    self._tokens() as tokens,
                ):
                    await self._with_peer(world, files, ca, tokens)
            except Exception as error:
                log.debug("the laboratory failed in %s", self._scenario.name, exc_info=True)
                self.broke("laboratory", error)

    def history(self) -> History:
        """The record, once the run is over, however it ended."""
        history = History(
            scenario=self._scenario.name,
            engine=self._engine,
            client=self._client.name,
            seed=self._seed,
            events=in_scenario_time(self._events, began=self._began, scale=self._scale),
            settings=self._client.settings(self._scenario.client),
            role=self._role,
            numbering=self._profile.numbering,
            not_judged=self._profile.not_judged,
            others=tuple(() for _ in range(1, self._scenario.workload.clients)),
            preset=self._scenario.preset,
            as_run=self._as_run,
            time_scale=self._scale,
            scales_itself=self._client.scales_itself,
            sockets_seen=self._sockets_seen,
        )
        if not self._climb:
            return history
        first, *others = (self._material.answers(climbed(part)) for part in herd.apart(history))
        return replace(history, reference=first, others=tuple(others))

    # What a client does with its sockets once it has been asked to stop is no promise's business, and two that it closes
    # in one moment come in no certain order.

    def attempted(self, link: Link, client: int) -> None:
        """See `SocketObserver`."""
        if self._stopping:
            return
        self._note(Attempted(t=self._world.now, link=link, client=client))

    def closed(self, link: Link, client: int, *, by_client: bool) -> None:
        """See `SocketObserver`."""
        if self._stopping:
            return
        by: Literal["client", "network"] = "client" if by_client else "network"
        self._note(SocketClosed(t=self._world.now, link=link, by=by, client=client))

    def broke(self, who: Literal["client", "laboratory"], error: BaseException, *, client: int = 0) -> None:
        """Take into the record that somebody failed in a way that no scenario asks for."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        last = self._events[-1].t if self._events else self._began
        self._note(
            Broke(
                t=last,
                who=who,
                what=f"{type(error).__name__}: {' '.join(str(error).split())}",
                client=client,
                where=own_frame(
                    error.__cause__ if isinstance(error, ClientBrokeError) and error.__cause__ else error
                ),
            )
        )

    @contextmanager
    def _tokens(self) -> Iterator[Tokens | None]:
        """What the tracker gets in by, where that expires."""
        if not any(fault.kind == "credentials_expire" for fault in self._faults):
            yield None
            return
        with temporary_folder() as folder:
            yield Tokens(folder / "token")

    async def _with_peer(
        self, world: World, files: workloads.Files | None, ca: Path | None, tokens: Tokens | None
    ) -> None:
        feed = self._material.feed(world.scale)
        dialect = self._profile.dialect(self._links)
        server = PoseServer(
            feed,
            report=self._note_arrival,
            confirm=self._scenario.peer.confirm,
            echo=self._scenario.peer.echo,
            poses=self._climb,
            dialect=dialect,
            contents=self._role != "tracker",
        )
        actor = peer_faults.Actor(
            server, feed, self._material.fps, world.scale, Random(f"{self._seed}/garbage"), tokens=tokens
        )
        context = None if ca is None else SSLContext(PROTOCOL_TLS_SERVER)
        port = await server.start(tls=context)
        try:
            named = {fault.on for fault in self._faults if fault.kind == "dns"}
            places = {
                link: await world.open_link(link, port, named=link in named)
                for link in dialect.paths.values()
            }
            if context is not None:
                certify(context, (place.rpartition(":")[0] for place in places.values()))
            urls = self._profile.urls(places)
            # A client with one link is told the same URL twice.
            only = urls[self._profile.links[0]]
            # All that a client reports goes this way: where no clock can stop, it is the shortest.
            clocks_stop = any(fault.kind == "suspend" for fault in self._faults)
            note = self._note_report if clocks_stop else self._events.append
            first = Assignment(
                input_url=urls.get("input", only),
                output_url=urls.get("output", only),
                control_url=urls.get("control"),
                ca=ca,
                wall=files and files.wall,
                calibration=files and files.calibration,
                route=files and files.route,
                overrides=self._scenario.client,
                landmarks=self._scenario.workload.kind == "climb",
                scale=world.scale,
                seed=self._seed,
                report=note,
                stop=asyncio.Event(),
                stop_signal=self._profile.stop_signal,
                trace=self._trace,
                token_file=None if tokens is None else tokens.file,
            )
            others = range(1, self._scenario.workload.clients)
            assignments = [first, *(first.of_another(number, note) for number in others)]
            contexts = [world.client_context(assignment.number) for assignment in assignments]
            for change in timeline(self._faults):
                if change.at == 0:
                    await self._carry_out(change, self._now_in_scenario(), world, actor)
            # In no task group, which would wait for ever for one that does not answer to a cancellation.
            clients = [
                asyncio.get_running_loop().create_task(
                    self._client_to_its_end(assignment), name="client under test", context=context
                )
                for assignment, context in zip(assignments, contexts, strict=True)
            ]
            try:
                if self._scenario.from_start or await self._becomes_steady(actor):
                    await self._through_the_scenario(world, actor)
                await self._stop(clients, first.stop, world.scale)
            finally:
                for client in clients:
                    client.cancel()
                await asyncio.wait(clients, timeout=LEAVE_WITHIN / self._grace_scale)
        finally:
            server.abort()
            await server.stop()

    async def _client_to_its_end(self, assignment: Assignment) -> None:
        try:
            await self._client.run(assignment)
            if not assignment.stop.is_set():
                raise RuntimeError("it came to an end that nobody had asked for")  # noqa: TRY301 - as if it had raised
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise  # somebody else's wish
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is a fact about the client
            self.broke("client", error, client=assignment.number)

    @property
    def _grace_scale(self) -> float:
        """What `STEADY_WITHIN`, `STOP_WITHIN` and the like are divided by: real seconds for who does not scale itself."""
        return self._scale if self._client.scales_itself else 1.0

    async def _becomes_steady(self, actor: peer_faults.Actor) -> bool:
        try:
            patience = TRIAL if self._trial else STEADY_WITHIN
            async with asyncio.timeout(patience / self._grace_scale):
                await self._steady.wait()
        except TimeoutError:
            if self._trial:
                await actor.server.ping()
                await asyncio.sleep(FAREWELL / self._scale)
            return False  # nothing could be learned from what follows; the record says how far it came
        self._reached("steady")
        if self._trial:
            await actor.server.ping()
        return True

    async def _through_the_scenario(self, world: World, actor: peer_faults.Actor) -> None:
        # The scenario's clock starts here: with the client where a fault is in force from the start, otherwise in
        # the steady state, so that a slow start of a busy machine is no part of it.
        zero = asyncio.get_running_loop().time()
        since_start = self._now_in_scenario()
        changes = [change for change in timeline(self._faults) if change.at > 0]
        own = [change for change in changes if change.index < len(self._scenario.faults)]
        messages: list[tuple[float, Callable[[], None]]] = [
            *((at, actor.server.reset_holds) for at in self._scenario.workload.reset_at),
            *(
                (control.at, partial(actor.server.send_control, control.message, control.on))
                for control in self._scenario.controls
            ),
        ]

        async def keep_to(steps: Iterable[tuple[float, Change | Callable[[], None]]]) -> None:
            for at, what in sorted(steps, key=itemgetter(0)):
                await _until(zero + at / world.scale)
                if isinstance(what, Change):
                    await self._carry_out(what, since_start + at, world, actor)
                else:
                    what()

        async with asyncio.TaskGroup() as tasks:
            # By itself: a peer that waits for a close handshake holds up the scenario's next step, not the network.
            tasks.create_task(keep_to((c.at, c) for c in changes if c not in own), name="the network")
            await keep_to([*((c.at, c) for c in own), *messages])
            self._reached("faults-over")
            await _until(zero + self._scenario.duration / world.scale)
        # A fault that lasts to the end stays in force while the client stops; the world's end ends it.
        self._reached("settled")

    async def _carry_out(
        self, change: Change, planned: float, world: World, actor: peer_faults.Actor
    ) -> None:
        loop = asyncio.get_running_loop()
        fault, index = change.fault, change.index
        if fault.on is not None and fault.on not in self._links:
            return  # the network that a run lies on is on every link, and this client has fewer
        if change.begins:
            # Stamped before it is carried out: what it breaks, it may break before the call returns.
            self._note(Began(t=loop.time(), fault=index, planned=planned))
            if fault.spec.where == "peer":
                self._in_force[index] = InForce(await peer_faults.begin(actor, fault))
            else:
                self._in_force[index] = await world.begin(fault)
        else:
            await self._in_force[index].heal()
            self._note(Healed(t=loop.time(), fault=index, planned=planned))

    async def _stop(self, clients: "list[asyncio.Task[None]]", stop: asyncio.Event, scale: float) -> None:
        self._count()
        self._reached("stopping")
        self._stopping = True
        stop.set()
        _, late = await asyncio.wait(clients, timeout=STOP_WITHIN / self._grace_scale)
        for number, client in enumerate(clients):
            if client in late:
                client.cancel()
                self.broke("client", TimeoutError(f"it did not stop within {STOP_WITHIN:g} s"), client=number)
        if self._role != "tracker":
            await asyncio.sleep(FAREWELL / scale)
        self._reached("stopped")

    # The record

    def _count(self) -> None:
        """What every fault did. Before the orderly stop, which ends connections for reasons of its own."""
        for index, force in self._in_force.items():
            if (counts := force.count()) is not None:
                self._note(Counted(t=asyncio.get_running_loop().time(), fault=index, counts=counts))

    def _note(self, event: HistoryEvent) -> None:
        self._events.append(event)

    def _note_report(self, event: AnyEvent | Reported) -> None:
        """A client stamps what it reports by its own clock, at the moment."""
        behind = self._world.clients_behind
        if behind:
            if isinstance(event, Reported):
                event = replace_field(event, report=replace_field(event.report, t=event.t + behind))
            event = replace_field(event, t=event.t + behind)
        self._note(event)

    def _stood_still(self, seconds: float) -> None:
        self._note(StoodStill(t=asyncio.get_running_loop().time(), seconds=seconds))

    def _note_arrival(self, event: peer.AnyPeerEvent) -> None:
        self._events.append(event)
        if isinstance(event, peer.Opened):
            self._owners[event.connection] = event.client
        if self._steady.is_set():
            return
        if isinstance(event, peer.Offered if self._role == "receiver" else peer.Delivered):
            self._arrived[self._owners[event.connection]] += 1
            clients = range(self._scenario.workload.clients)
            if all(self._arrived[client] >= STEADY_AFTER for client in clients):
                self._steady.set()
                if self._scenario.from_start:
                    self._reached("steady")

    def _now_in_scenario(self) -> float:
        """Scenario seconds from the run's begin."""
        return (asyncio.get_running_loop().time() - self._began) * self._scale

    def _reached(self, phase: Phase) -> None:
        self._note(Reached(t=asyncio.get_running_loop().time(), phase=phase))


async def _until(moment: float) -> None:
    await asyncio.sleep(moment - asyncio.get_running_loop().time())
