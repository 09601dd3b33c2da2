"""A real Toxiproxy server, where there is one."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

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
