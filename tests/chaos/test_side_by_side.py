from math import inf

import pytest

from chaos.side_by_side import Limits, Run, Waiting, limits


def runs(*, virtual: int = 0, real: int = 0) -> list[Run]:
    return [Run(n, n < virtual, 40.0) for n in range(virtual + real)]


def test_simulations_alone_take_a_core_each() -> None:
    assert limits(4, None, virtual=True, real=False) == Limits(4, 0, inf)


@pytest.mark.parametrize(("cores", "virtual", "real"), [(1, 1, 1), (2, 1, 3), (8, 4, 12)])
def test_beside_runs_on_real_sockets_simulations_take_half_the_cores(
    cores: int, virtual: int, real: int
) -> None:
    assert limits(cores, None, virtual=True, real=True) == Limits(virtual, real, inf)


def test_runs_in_true_time_mostly_wait_so_there_are_more_of_them() -> None:
    assert limits(2, None, virtual=False, real=True, true_time=True) == Limits(0, 8, inf)
    assert limits(2, 3, virtual=False, real=True, true_time=True) == Limits(0, 3, 3)


def test_what_a_user_asks_for_is_all_that_there_is_at_once() -> None:
    most = limits(8, 2, virtual=True, real=True)
    assert len(Waiting(runs(virtual=5, real=5), most).begin()) == 2


def test_another_begins_when_one_of_its_sort_has_ended() -> None:
    waiting = Waiting(runs(virtual=3, real=3), Limits(1, 2))
    first = waiting.begin()
    assert sorted(n < 3 for n in first) == [False, False, True]
    assert waiting.begin() == []
    simulated = next(n for n in first if n < 3)
    waiting.ended(simulated)
    (next_one,) = waiting.begin()
    assert next_one < 3
    assert next_one != simulated


def test_the_longest_begins_first() -> None:
    lasting = [Run(0, False, 40.0), Run(1, False, 630.0), Run(2, False, 30.0)]
    waiting = Waiting(lasting, Limits(0, 1))
    order = []
    while begun := waiting.begin():
        order += begun
        waiting.ended(begun[0])
    assert order == [1, 0, 2]
