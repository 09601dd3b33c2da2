"""The life of one run, the same on every engine: start, reach the steady state, inject on time, heal, stop."""

import asyncio
import contextlib
import logging
from functools import lru_cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Literal

from chaos import peer_faults
from chaos.clients import Assignment, Client
from chaos.engines import InForce, World
from chaos.faults import Change, timeline
from chaos.history import (
    Began,
    Broke,
    Counted,
    Healed,
    History,
    HistoryEvent,
    Phase,
    Reached,
    in_scenario_time,
)
from chaos.scenario import Scenario
from simulator import events as peer
from simulator.climber import Climb, generate_climb
from simulator.feeds import FrameAt, LiveFeed
from simulator.pose_server import FEED_PATH, SINK_PATH, PoseServer
from tracker.calibration import load_calibration
from tracker.events import Received
from tracker.messages import BadMessage, Pose, decode_input
from tracker.pipeline import Pipeline
from tracker.session import load_route
from tracker.wall import load_wall

STEADY_WITHIN = 60.0
"""Scenario seconds from the client's start in which its first outputs must arrive."""
STEADY_AFTER = 10
"""Outputs that must have arrived before a run counts as steady."""
FRAMES_KEPT = 8192
"""Some 16 MB, and four minutes at 30 fps; in a longer run the reference draws its frames anew."""
STOP_WITHIN = 15.0
"""Scenario seconds that a client may take for its orderly end before it counts as broken."""

log = logging.getLogger("chaos.life")


class CannotRunError(Exception):
    """A scenario needs what is not there; the text is one line that says what."""


def require_runnable(scenario: Scenario) -> None:
    """Raises `CannotRunError` for a scenario that needs what the laboratory does not have yet."""
    for fault in scenario.faults:
        if fault.spec.where == "client":
            raise CannotRunError(
                f"scenario {scenario.name}: the fault {fault.kind!r} is not available in this version"
            )
    if scenario.workload.recording is not None:
        raise CannotRunError(
            f"scenario {scenario.name}: workload.recording is not available in this version: use a generated climb"
        )


class Life:
    """One run of one scenario against one client. `live` may be called once."""

    def __init__(self, scenario: Scenario, client: Client, *, engine: str, seed: int) -> None:
        require_runnable(scenario)
        self._scenario = scenario
        self._client = client
        self._engine = engine
        self._seed = seed
        workload = scenario.workload
        self._climb, self._frame = _climb(seed, workload.fps, workload.holds)
        self._began = 0.0
        self._scale = 1.0
        self._events: list[HistoryEvent] = []
        self._arrived = 0
        self._steady = asyncio.Event()
        self._in_force: dict[int, InForce] = {}
        """Every fault that began, by its number; kept when it has ended, for what it did."""

    async def live(self, world: World) -> None:
        """The run. A client that breaks is part of the record, and so is what breaks in the laboratory."""
        self._began = asyncio.get_running_loop().time()
        self._scale = world.scale
        with TemporaryDirectory(prefix="simtool-") as folder:
            files = self._climb.write_files(Path(folder))
            try:
                await self._with_peer(world, files)
            except Exception as error:
                log.debug("the laboratory failed in %s", self._scenario.name, exc_info=True)
                self.broke("laboratory", error)

    def history(self) -> History:
        """The record, once the run is over, however it ended."""
        with TemporaryDirectory(prefix="simtool-") as folder:
            reference = _reference(self._frame, self._climb.write_files(Path(folder)), self._events)
        return History(
            scenario=self._scenario.name,
            engine=self._engine,
            client=self._client.name,
            seed=self._seed,
            events=in_scenario_time(self._events, began=self._began, scale=self._scale),
            reference=reference,
            settings=self._client.settings(self._scenario.client),
        )

    def broke(self, who: Literal["client", "laboratory"], error: BaseException) -> None:
        """Take into the record that somebody failed in a way that no scenario asks for."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        last = self._events[-1].t if self._events else self._began
        self._note(Broke(t=last, who=who, what=f"{type(error).__name__}: {error}"))

    async def _with_peer(self, world: World, files: tuple[Path, Path, Path]) -> None:
        feed = LiveFeed(self._frame, interval=1 / (self._scenario.workload.fps * world.scale))
        server = PoseServer(
            feed,
            report=self._note_arrival,
            confirm=self._scenario.peer.confirm,
            echo=self._scenario.peer.echo,
        )
        actor = peer_faults.Actor(
            server, feed, self._scenario.workload.fps, world.scale, Random(f"{self._seed}/garbage")
        )
        port = await server.start()
        try:
            inlet = await world.open_link("input", port)
            outlet = await world.open_link("output", port)
            assignment = Assignment(
                input_url=f"ws://{inlet}{FEED_PATH}",
                output_url=f"ws://{outlet}{SINK_PATH}",
                wall=files[0],
                calibration=files[1],
                route=files[2],
                overrides=self._scenario.client,
                scale=world.scale,
                seed=self._seed,
                report=self._note,
                stop=asyncio.Event(),
            )
            async with asyncio.TaskGroup() as tasks:
                client = tasks.create_task(
                    self._client_to_its_end(assignment),
                    name="client under test",
                    context=world.client_context(),
                )
                await self._from_start_to_end(world, actor)
                await self._stop(client, assignment, world.scale)
        finally:
            server.abort()
            await server.stop()

    async def _client_to_its_end(self, assignment: Assignment) -> None:
        try:
            await self._client.run(assignment)
            if not assignment.stop.is_set():
                raise RuntimeError("it came to an end that nobody had asked for")  # noqa: TRY301 - as if it had raised
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a fact about the client
            self.broke("client", error)

    async def _from_start_to_end(self, world: World, actor: peer_faults.Actor) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(STEADY_WITHIN / world.scale):
                await self._steady.wait()
        except TimeoutError:
            return  # nothing could be learned from what follows; the record says how far it came
        self._reached("steady")
        # The scenario's clock starts here, so that a slow start of a busy machine is no part of it.
        zero = loop.time()
        since_start = (zero - self._began) * world.scale
        for change in timeline(self._scenario.faults):
            await _until(zero + change.at / world.scale)
            await self._carry_out(change, since_start + change.at, world, actor)
        self._reached("faults-over")
        await _until(zero + self._scenario.duration / world.scale)
        # A fault that lasts to the end stays in force while the client stops; the world's end ends it.
        self._reached("settled")

    async def _carry_out(
        self, change: Change, planned: float, world: World, actor: peer_faults.Actor
    ) -> None:
        loop = asyncio.get_running_loop()
        fault, index = change.fault, change.index
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

    async def _stop(self, client: "asyncio.Task[None]", assignment: Assignment, scale: float) -> None:
        self._count()
        self._reached("stopping")
        assignment.stop.set()
        _, late = await asyncio.wait([client], timeout=STOP_WITHIN / scale)
        if late:
            client.cancel()  # awaited by the task group around us
            self.broke("client", TimeoutError(f"it did not stop within {STOP_WITHIN:g} s"))
        self._reached("stopped")

    # The record

    def _count(self) -> None:
        """What every fault did. Before the orderly stop, which ends connections for reasons of its own."""
        for index, force in self._in_force.items():
            if (counts := force.count()) is not None:
                self._note(Counted(t=asyncio.get_running_loop().time(), fault=index, counts=counts))

    def _note(self, event: HistoryEvent) -> None:
        self._events.append(event)

    def _note_arrival(self, event: peer.AnyPeerEvent) -> None:
        self._events.append(event)
        if type(event) is peer.Delivered:
            self._arrived += 1
            if self._arrived == STEADY_AFTER:
                self._steady.set()

    def _reached(self, phase: Phase) -> None:
        self._note(Reached(t=asyncio.get_running_loop().time(), phase=phase))


@lru_cache(maxsize=1)
def _climb(seed: int, fps: float, holds: int) -> tuple[Climb, FrameAt]:
    """A climb and its frames. They are wanted again: by the reference run, and by the seed's next scenario."""
    climb = generate_climb(seed, fps=fps, holds=holds)
    return climb, lru_cache(FRAMES_KEPT)(climb.frame)


async def _until(moment: float) -> None:
    await asyncio.sleep(moment - asyncio.get_running_loop().time())


def _reference(
    frame: FrameAt, files: tuple[Path, Path, Path], record: list[HistoryEvent]
) -> dict[str, float]:
    """The touches of a run without a network over the frames that the client received."""
    wall, calibration, route = files
    pipeline = Pipeline(
        load_wall(wall), load_calibration(calibration), route=load_route(str(route)), stream="reference"
    )
    touches: dict[str, float] = {}
    for event in record:
        if type(event) is Received and event.sequence is not None:
            with contextlib.suppress(BadMessage):  # it was one for the client too
                pose = decode_input(frame(event.sequence))
                assert isinstance(pose, Pose), "a climb has nothing else"
                touches |= {touch.hold_id: touch.time_ms for touch in pipeline.step(pose).touched}
    return touches
