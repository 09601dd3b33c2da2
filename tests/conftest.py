"""For every test: hypothesis judges values, not the speed of the machine.

`pytest --hypothesis-profile=thorough` tries many times as many examples, and `fuzz` (`make fuzz`) feeds each parser
ten times as many files (`tests/fuzz/inputs.py`).
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick", max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=2000)
settings.register_profile("fuzz", settings.get_profile("quick"))
settings.load_profile("quick")
