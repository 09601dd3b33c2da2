"""For every test: hypothesis judges values, not the speed of the machine.

`pytest --hypothesis-profile=thorough` tries many times as many examples.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick", max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=2000)
settings.load_profile("quick")
