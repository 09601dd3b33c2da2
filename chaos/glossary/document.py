"""docs/scenarios.md, made of what reads a scenario's file: `make docs` writes it."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from chaos import catalogue
from chaos.durations import format_duration
from chaos.file_keys import Key
from chaos.glossary.files import attribute_said, engines
from chaos.glossary.starting import starting_scenario
from chaos.kinds import KINDS
from chaos.presets import PRESETS
from chaos.reports import markdown
from chaos.reports.markdown import table
from chaos.scenario import PROMISES, RECOVERY_MARGIN, STEADY_BY
from chaos.scenario_keys import TABLES

ABOUT = {
    "": "At the top of the file, before the first table.",
    "workload": "`[workload]`: what the feed sends. A recording has its own rate and wall, so it takes no `fps` and `holds`,"
    " and needs `wall`, `calibration` and `route`; their paths count from the scenario's folder.",
    "client": "`[client]`: what is changed in the tracker's settings; other clients have none of them. Left out, the"
    " defaults are what is proven.",
    "peer": "`[peer]`: how the mock peer behaves all along.",
    "faults": "`[[faults]]`, as often as there are faults: what goes wrong, when. Which of these keys a kind takes, and the keys"
    " of its own, are [below](#kinds-of-fault).",
    "controls": "`[[controls]]`, as often as there are controls: what the peer tells the client to do.",
    "expect": "`[expect]`: limits beyond the promises' own, and how the run ends.",
}


def scenario_document() -> str:
    """The whole text."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Scenarios"
    yield ""
    yield "Made from the code by `make docs`; a test says so when it is out of date. `simtool explain WORD` says the same of one"
    yield "word on the command line."
    yield ""
    yield "A scenario is a TOML file: what runs, what goes wrong when, and what is expected. `simtool new mine.toml` writes this"
    yield "one, which runs as it is with `simtool chaos mine.toml`:"
    yield ""
    yield "```toml"
    yield starting_scenario("mine").rstrip()
    yield "```"
    yield ""
    yield 'A duration is a text with a unit, `"250ms"`, `"60s"`, `"2m"`, `"1h"`, or a plain number of seconds, and counts scenario'
    yield "time. A run first gets steady and at its end has time to recover: faults begin at"
    yield f"{format_duration(STEADY_BY)} or later (or at 0, before the client starts), and where `recover` is stressed the last one ends"
    yield f"{format_duration(RECOVERY_MARGIN)} before the end. All that is wrong with a file is told at once, with its lines; an unknown key names the"
    yield "nearest valid one."
    yield ""
    yield "## Keys"
    for name, keys in TABLES.items():
        yield ""
        yield f"### {name or 'top'}"
        yield ""
        yield ABOUT[name]
        yield ""
        yield from _table(keys)
    yield ""
    yield "## Kinds of fault"
    yield ""
    yield "Upstream is from the client to the peer. What each engine makes of a kind is a table in"
    yield "[design.md](design.md#what-a-fault-is-engine-by-engine)."
    for kind in KINDS:
        yield ""
        yield from _kind(kind)
    yield ""
    yield "## Promises"
    yield ""
    yield f"For `stresses`: {', '.join(f'`{promise}`' for promise in PROMISES)}. What each says, and what usually breaks it:"
    yield "`simtool explain no-loss`."
    yield ""
    yield "## Networks"
    yield ""
    yield "For `preset`, and for `--preset`:"
    yield ""
    yield table(
        ["name", "what it is"], [[f"`{name}`", _prose(each.about)] for name, each in PRESETS.items()]
    ).rstrip()


def _table(keys: Iterable[Key]) -> Iterator[str]:
    rows = [
        [
            f"`{key.name}`",
            _prose(key.about),
            _prose(key.sort.said),
            "must be given" if key.required else _prose(key.default),
        ]
        for key in keys
    ]
    yield table(["key", "what it is", "it may be", "left out"], rows).rstrip()


def _kind(kind: str) -> Iterator[str]:
    spec = KINDS[kind]
    yield f"### {kind}"
    yield ""
    yield _prose(spec.about)
    yield ""
    yield f"Takes {', '.join(f'`{key}`' for key in spec.keys)}."
    if spec.links:
        default = f", `{spec.default_on}` where it is left out" if spec.default_on else ""
        yield f"`on` is {' or '.join(f'`{link}`' for link in spec.links)}{default}."
    if spec.lasts == "required":
        yield "`for` must be given."
    for name, attribute in spec.attributes.items():
        yield f"- `{name}`: {_prose(attribute.about)}; {_prose(attribute_said(attribute))}"
    yield ""
    yield f"Engines: {'; '.join(map(_prose, engines(kind)))}."
    used = catalogue.with_kind(kind)
    if used:
        yield ""
        yield f"In {', '.join(f'[{name}](../chaos/scenarios/{name}.toml)' for name in used)}."


def _prose(text: str) -> str:
    """As Markdown, in which only what stands between backticks is code."""
    return markdown.escaped(text).replace("\\`", "`")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(scenario_document(), encoding="utf-8")
