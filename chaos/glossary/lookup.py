"""All words, and the way from what somebody typed to what there is."""

from functools import lru_cache

from chaos.aliases import meant_by
from chaos.glossary.entries import Entry
from chaos.glossary.files import fault_entries, key_entries, profile_entries, scenario_entries
from chaos.glossary.judged import cause_entries, check_entries, engine_entries, network_entries
from chaos.nearest import nearest


@lru_cache(maxsize=1)
def every_entry() -> tuple[Entry, ...]:
    """All of them, sort by sort. A word may stand for several things: `reset` is a scenario, `jitter` a check and a key."""
    return (
        *check_entries(),
        *fault_entries(),
        *scenario_entries(),
        *network_entries(),
        *engine_entries(),
        *key_entries(),
        *profile_entries(),
        *cause_entries(),
    )


def entries_of(word: str) -> tuple[Entry, ...]:
    """What has exactly this name."""
    return tuple(entry for entry in every_entry() if entry.name == word)


def instead_of(word: str) -> tuple[Entry, ...]:
    """What somebody may mean by a word that is no name here, the nearest first; empty: nobody knows."""
    names = dict.fromkeys(entry.name for entry in every_entry())
    near = [name for name in meant_by(word) if name in names] or nearest(word, names)
    return tuple(entry for name in near for entry in entries_of(name))
