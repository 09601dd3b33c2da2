"""What is in force, however it overlaps."""

from simulator.standing import Standing


def test_of_several_the_latest_begun_counts_and_what_ends_gives_way_to_what_is_left() -> None:
    codes: Standing[int] = Standing()
    assert (bool(codes), codes.latest) == (False, None)
    end_first, end_second = codes.begin(1), codes.begin(2)
    assert (codes.latest, codes.newest_first) == (2, (2, 1))
    end_first()
    assert codes.latest == 2
    end_second()
    assert not codes


def test_the_same_value_twice_is_in_force_until_both_have_ended() -> None:
    standing: Standing[None] = Standing()
    end_first, end_second = standing.begin(None), standing.begin(None)
    end_first()
    end_first()  # once more ends nothing else
    assert standing
    end_second()
    assert not standing
