"""TLS on virtual time: asyncio's own, over the in-memory network.

Its records have the same sizes in every run as long as the certificate's key signs with a fixed length, as RSA does.
"""

import asyncio
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from ssl import SSLContext, create_default_context
from typing import Any, TypeVar

from simulator.network import Network

P = TypeVar("P", bound=asyncio.BaseProtocol)


async def connect_over_tls(
    network: Network,
    factory: Callable[[], P],
    context: SSLContext | bool,  # noqa: FBT001 - as asyncio has it: True is the default context
    name: str,
    address: tuple[str, int],
    *,
    stagger: float | None = None,
) -> tuple[asyncio.Transport, P]:
    """See `VirtualLoop.create_connection`; the certificate must be one for `name`. Raises what asyncio raises."""
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    made: list[P] = []
    if isinstance(context, bool):
        context = create_default_context()

    def secured() -> SSLProtocol:
        made.append(factory())
        return SSLProtocol(loop, made[0], context, waiter, server_hostname=name)

    transport, protocol = await network.connect(secured, *address, stagger=stagger)
    try:
        await waiter
    except BaseException:
        transport.close()
        raise
    return _app_transport(protocol), made[0]


def behind_tls(
    factory: Callable[[], asyncio.BaseProtocol], context: SSLContext
) -> Callable[[], asyncio.BaseProtocol]:
    """Protocols that are spoken with once the client has shaken hands; who does not is cut off."""

    def secured() -> SSLProtocol:
        nobody: Any = None  # waits for the handshake
        return SSLProtocol(asyncio.get_running_loop(), factory(), context, nobody, server_side=True)

    return secured


def _app_transport(protocol: SSLProtocol) -> asyncio.Transport:
    # What asyncio's own loops return of it; there is no other name for it.
    transport: Any = protocol._app_transport  # noqa: SLF001 - as said
    assert transport is not None, "it is made before the waiter is told"
    return transport  # type: ignore[no-any-return]  # asyncio gives it no type
