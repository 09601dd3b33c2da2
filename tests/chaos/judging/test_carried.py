"""What the peer wrote and what surely came."""

from chaos.judging.carried import surely_came
from chaos.judging.facts import Facts
from tests.chaos.histories import ended, fault, record, stopping, struck


def test_what_was_written_well_before_any_fault_and_any_end_surely_came() -> None:
    down = fault("down", 10.0, 2.0)
    facts = Facts(record(ended(30.0, number=7), struck(down), stopping(60.0)), (down,))

    def came(t: float, connection: int = 1, link: str = "output") -> bool:
        return surely_came(facts, t, link, connection)

    assert [came(t) for t in (8.9, 9.1, 11.9, 12.1)] == [True, False, False, True]
    assert came(11.0, link="input")
    assert [came(t, connection=7) for t in (28.9, 29.1)] == [True, False]
    assert [came(t) for t in (54.9, 55.1)] == [True, False]
