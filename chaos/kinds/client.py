"""The kinds of fault that the clients' own machines have.                                                     pure"""

from collections.abc import Mapping
from types import MappingProxyType

from chaos.kinds.spec import Attribute, KindSpec

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
        "suspend": KindSpec(
            "The client's machine is suspended, its kernel and its network with it.",
            "client",
            severs=True,
            stands_still=True,
            attributes={
                "clock": Attribute(
                    "what the monotonic clock does meanwhile: Linux's stops, that of a stopped program jumps",
                    "",
                    "stops",
                    choices=("stops", "jumps"),
                ),
                "connections": Attribute(
                    "what becomes of them: the peer gives them up and answers with a reset, or something on the way has"
                    " forgotten them and answers nothing, or they live",
                    "",
                    "reset",
                    choices=("reset", "silent", "live"),
                ),
            },
            lasts="required",
            links=(),
        ),
        "clock_step": KindSpec(
            "The wall clock of the client's machine is set, and set right again at the end; its monotonic clock is not.",
            "client",
            severs=False,
            attributes={
                "by": Attribute("how far", "ms", None, 1, usual=(1000, 86_400_000)),
                "to": Attribute("in which direction", "", "forward", choices=("forward", "back")),
            },
            links=(),
        ),
    }
)
