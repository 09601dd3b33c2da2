import pytest

from chaos.diagnosis.retransmission import healed_before, healed_before_connect


@pytest.mark.parametrize(
    ("heard", "healed"),
    [
        (10.2, 10.1),  # by the first try: it may have healed at any time before
        (10.6, 10.4),  # tries after 0.2, 0.6, 1.4, 3.0, 6.2 s
        (13.0, 12.2),
        (16.5, 14.6),  # a kernel's timers are late
    ],
)
def test_a_path_healed_between_the_try_that_came_through_and_the_one_before(
    heard: float, healed: float
) -> None:
    assert healed_before(10.0, heard, round_trip=0.0) == pytest.approx(healed)


@pytest.mark.parametrize(
    ("took", "healed"), [(0.9, None), (1.0, 10.5), (1.02, 10.5), (5.4, 14.5), (11.3, 19.0)]
)
def test_a_connect_that_hung_went_through_with_one_of_its_repetitions(
    took: float, healed: float | None
) -> None:
    assert healed_before_connect(10.0, took) == healed
