"""Times that overlap, together."""

from operator import itemgetter

from chaos.timeline.spans import overlapping

Span = tuple[float, float]


def grouped(*spans: Span, apart: float = 0.0) -> list[list[Span]]:
    return overlapping(spans, begin=itemgetter(0), end=itemgetter(1), apart=apart)


def test_times_that_overlap_or_touch_are_in_one_group() -> None:
    assert grouped((0, 2), (1, 3), (3, 4), (5, 6)) == [[(0, 2), (1, 3), (3, 4)], [(5, 6)]]


def test_a_short_one_within_a_long_one_does_not_end_the_group() -> None:
    assert grouped((0, 9), (1, 2), (8, 10)) == [[(0, 9), (1, 2), (8, 10)]]


def test_what_is_apart_by_no_more_than_is_tolerated_is_one_group() -> None:
    assert grouped((0, 1), (1.5, 2), apart=0.5) == [[(0, 1), (1.5, 2)]]
    assert grouped((0, 1), (1.6, 2), apart=0.5) == [[(0, 1)], [(1.6, 2)]]


def test_of_none_there_is_no_group() -> None:
    assert grouped() == []
