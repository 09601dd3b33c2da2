from dataclasses import astuple

from simulator.venue import make_venue


def test_a_seed_has_one_venue() -> None:
    assert make_venue(1) == make_venue(1)
    assert make_venue(1) != make_venue(2)


def test_one_venue_does_not_disturb_another() -> None:
    alone = make_venue(5)
    make_venue(6)
    assert make_venue(5) == alone


def test_every_name_is_one_line_of_text() -> None:
    for seed in range(20):
        venue = make_venue(seed)
        assert all(name.strip() and name.isprintable() for name in astuple(venue))
        assert len(str(venue).splitlines()) == 1
