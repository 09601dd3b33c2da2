"""A real Toxiproxy server, and namespaces of the kernel, where there are such."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chaos.kernel.machine import KernelMissing, abilities
from chaos.toxiproxy.install import ToxiproxyMissing, find_server
from chaos.toxiproxy.server import ToxiproxyServer


@pytest.fixture(scope="session")
def binary() -> Path:
    try:
        found = find_server(os.environ)
    except ToxiproxyMissing as error:
        pytest.skip(str(error))
    if found is None:
        pytest.skip("no toxiproxy-server here: `simtool toxiproxy install` makes one")
    return found


@pytest.fixture
async def server(binary: Path) -> AsyncIterator[ToxiproxyServer]:
    async with ToxiproxyServer(binary) as running:
        yield running


@pytest.fixture(scope="session")
def kernel() -> frozenset[str]:
    """What the kernel can, where runs between its namespaces are possible."""
    try:
        return frozenset(abilities())
    except KernelMissing as error:
        pytest.skip(str(error))
