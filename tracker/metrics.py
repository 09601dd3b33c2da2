"""A tracker's totals for Prometheus (the extra `metrics`)."""

from collections.abc import Iterator
from typing import Any

from tracker.config import ConfigError
from tracker.counters import Counters


def serve(port: int, counters: Counters) -> None:
    """Answer scrapes at `port` on every interface, from a thread of the library's that ends with the process."""
    if not 1 <= port <= 65535:
        raise ConfigError(f"--metrics-port is {port}: choose one from 1 to 65535")
    try:
        from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415 - an extra
        from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigError(
            "--metrics-port needs prometheus-client, which is not installed:"
            " pip install 'pose-session-tracker[metrics]'"
        ) from None

    class Totals:
        def collect(self) -> Iterator[Any]:
            for name, value in counters.as_dict().items():
                by_reason = isinstance(value, dict)
                family = CounterMetricFamily(
                    f"tracker_{name}", f"Total {name}.", labels=["reason"] if by_reason else []
                )
                for labels, total in value.items() if by_reason else [(None, value)]:
                    family.add_metric([labels] if labels else [], total)
                yield family

    registry = CollectorRegistry()
    registry.register(Totals())
    try:
        start_http_server(port, registry=registry)
    except OSError as error:
        raise ConfigError(f"--metrics-port {port}: {error.strerror}: choose a free port") from None
