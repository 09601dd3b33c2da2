"""Seconds that several checks grant.                                                                         pure"""

from chaos.scenario import Scenario

DETECT_WITHIN = 5.0
"""The promise for the default configuration."""


def detection_limit(scenario: Scenario) -> float:
    """Seconds in which a silent link must be given up on the scenario's network."""
    limit = scenario.expect.detect_within or DETECT_WITHIN
    return limit + (0.0 if scenario.network is None else scenario.network.adds_to_detection)


def on_the_way(scenario: Scenario) -> float:
    """Seconds that the scenario's network adds to a recovery, and to the longest silence."""
    return 0.0 if scenario.network is None else scenario.network.adds_to_recovery
