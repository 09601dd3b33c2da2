"""Which extra of this package brings what it can do without.                                                pure"""

EXTRAS = {
    "metrics": ("prometheus_client",),
    "uvloop": ("uvloop",),
    "lab": ("faker", "future", "requests", "rich", "shapely", "svg", "svgelements", "toxiproxy"),
    "tls": ("trustme",),
    "clients": ("aiohttp", "websocket"),
    "cluster": ("distributed",),
}
"""The modules, as Python imports them, by the extra that asks for them."""


def how_to_get(module: str | None) -> str | None:
    """That a module is not installed and what brings it, as the end of a sentence; None for one that no extra brings."""
    package = (module or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if package in modules:
            return f"needs {package}, which is not installed: pip install 'pose-session-tracker[{extra}]'"
    return None
