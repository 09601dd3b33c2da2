"""The kinds of fault that the clients' own machines have.                                                     pure"""

from collections.abc import Mapping
from types import MappingProxyType

from chaos.kinds.spec import KindSpec

CLIENT: Mapping[str, KindSpec] = MappingProxyType(
    {
        "block_loop": KindSpec(
            "The client's own event loop does not run.",
            "client",
            severs=False,
            stands_still=True,
            lasts="required",
            links=(),
        ),
    }
)
