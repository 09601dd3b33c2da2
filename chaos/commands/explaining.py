"""`simtool explain`: what a word of the laboratory means."""

from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from chaos import catalogue
from chaos.aliases import meant_by
from chaos.commands.usage import UsageError
from chaos.glossary.entries import PLURALS, Entry, Sort
from chaos.glossary.files import scenario_entry
from chaos.glossary.lookup import entries_of, every_entry, instead_of
from chaos.reports import report
from chaos.reports.fitting import indented, listed

INDENT = 14
"""Characters before a fact."""


def explain(
    word: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND|CHECK|SCENARIO|KEY]",
            help="A word, or a scenario's file; a table of all words without.",
        ),
    ] = None,
) -> None:
    """Say what a kind of fault, a promise or check, a scenario, a network, a key or a cause is.

    With it: its keys, with units, bounds and defaults; the engines that can; the scenarios; what usually makes it fail; and
    where to read on. What other tools call it is known too, as in `simtool explain packetloss`.
    """
    out = report.console(stderr=False)
    if word is None:
        show_all(out)
        return
    if word.endswith(".toml"):
        show(out, scenario_entry(catalogue.find(word)))
        return
    found = entries_of(word)
    if not found and not (found := instead_of(word)):
        raise UsageError(f"nothing here is called {word!r}: `simtool explain` lists all that there is")
    if found[0].name != word:
        out.print(Text(f"{word} is no name here; see {', '.join(dict.fromkeys(e.name for e in found))}:\n"))
    for number, entry in enumerate(found):
        if number:
            out.print()
        show(out, entry)
    others = [name for name in meant_by(word) if name != word and found[0].name == word]
    if others:
        out.print(Text(f"\nsee also {', '.join(others)}"))


def show(out: Console, entry: Entry) -> None:
    """One entry, whole."""
    out.print(Text.assemble((entry.name, "bold"), f"  {_sort(entry.sort)}"))
    indented(out, Text("  "), Text(entry.says), 2)
    for fact in entry.facts:
        head = Text(f"  {fact.heading}")
        if len(fact.heading) > INDENT - 3:
            out.print(head)
            head = Text("")
        for line in fact.lines:
            head.append(" " * (INDENT - len(head)))
            indented(out, head, Text(line), INDENT)
            head = Text("")


def show_all(out: Console) -> None:
    """A line for each word, sort by sort."""
    width = max(len(entry.name) for entry in every_entry())
    for sort, plural in PLURALS.items():
        out.print(Text(f"{plural}:", style="bold"))
        for entry in every_entry():
            if entry.sort == sort:
                listed(out, f"  {entry.name:{width}}  ", entry.says)
        out.print()
    out.print("`simtool explain WORD` says more of each.")


def _sort(sort: Sort) -> str:
    return {
        "promise": "a promise",
        "check": "a check",
        "fault": "a kind of fault",
        "scenario": "a scenario",
        "network": "a network, for --preset",
        "engine": "an engine, for --engine",
        "key": "a key of a scenario's file",
        "profile": "a key of a client's profile",
        "cause": "a cause that a replay names",
    }[sort]
