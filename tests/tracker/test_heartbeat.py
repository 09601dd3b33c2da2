import asyncio

from simulator.network import Network
from tests.tracker.conftest import exactly, machine, virtual
from tracker.heartbeat import BEAT, Heartbeat


@virtual
async def test_a_loop_that_turns_is_not_late(network: Network) -> None:
    beats = []
    heart = Heartbeat(on_beat=lambda: beats.append(asyncio.get_running_loop().time()))
    beating = asyncio.create_task(heart.run())
    await asyncio.sleep(2.1)
    assert beats == [exactly(n * BEAT) for n in range(5)]
    assert heart.lag(asyncio.get_running_loop().time()) == 0.0
    beating.cancel()


@virtual
async def test_a_loop_that_stood_still_is_late_by_as_much_and_then_no_more(network: Network) -> None:
    heart = Heartbeat()
    beating = asyncio.create_task(heart.run(), context=machine().context())
    await asyncio.sleep(0.25)
    machine().block(3.0)
    await asyncio.sleep(2.75)
    now = asyncio.get_running_loop().time()
    assert heart.lag(now) == exactly(2.5)  # nobody has beaten for so long
    await asyncio.sleep(0.3)
    assert heart.lag(asyncio.get_running_loop().time()) == exactly(2.75)
    await asyncio.sleep(BEAT)
    assert heart.lag(asyncio.get_running_loop().time()) == 0.0
    assert heart.late_in_all == exactly(2.75)
    beating.cancel()
