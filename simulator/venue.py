"""Names for a made-up session: who climbs where, for logs and headers."""

import random
from dataclasses import dataclass

from faker import Faker


@dataclass(frozen=True, slots=True)
class Venue:
    """A session and the people and places that it is named after; none of them exists."""

    session: str
    climber: str
    venue: str
    wall: str
    setter: str

    def __str__(self) -> str:
        return f"session {self.session}: {self.climber} on {self.wall} (set by {self.setter}) at {self.venue}"


def make_venue(seed: int) -> Venue:
    """The venue of a seed: the same in every process, with the same version of faker."""
    fake = Faker("en_GB")
    fake.seed_instance(seed)
    rng = random.Random(seed)
    return Venue(
        session=f"{rng.getrandbits(48):012x}",
        climber=fake.name_nonbinary(),
        venue=f"{fake.city()} {rng.choice(('Boulders', 'Climbing Centre', 'Walls', 'Bloc'))}",
        wall=f"{fake.safe_color_name().title()} {rng.choice(('Arete', 'Cave', 'Overhang', 'Prow', 'Slab'))}",
        setter=fake.name_nonbinary(),
    )
