"""Lines as the library wrote them: characters that something escaped, and messages that a handler broke, as before.   pure

`rich` writes columns: a time only where it changes, a level, the message, and at the right edge where it was logged.
What does not fit in the message's column goes on in the next line, below it.
"""

import html
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

_COLOUR_IN_WORDS = re.compile(
    r"(?:\^\[|#033|\\x1b|\\033)\[[0-9;]*[mK]"
)  # as other programs show what a terminal obeys
_ESCAPED = re.compile(r"(?:&(?:lt|gt);|\\u003[ce]) ")
_RECORD = re.compile(
    r"(?P<head>(?:\[[^\]]+\]|\s{2,})? *(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) +)(?P<message>\S.*?) +[\w./-]+\.py:\d+ *"
)
_LOOKED_AT = 4000
"""Lines within which it shows what was done to all."""


def as_written(texts: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Each line with its number; of a message in several lines one, without the place at its right."""
    texts = iter(texts)
    first = list(islice(texts, _LOOKED_AT))
    coloured = any(_COLOUR_IN_WORDS.search(text) for _, text in first)
    escaped = any(_ESCAPED.search(text) for _, text in first)
    in_columns = any(_RECORD.fullmatch(text) for _, text in first)
    every: Iterator[tuple[int, str]] = chain(first, texts)
    if coloured:
        every = ((number, _COLOUR_IN_WORDS.sub("", text)) for number, text in every)
    if escaped:
        every = ((number, _unescaped(text)) for number, text in every)
    return _joined(every) if in_columns else every


def _unescaped(text: str) -> str:
    return html.unescape(text.replace("\\u003c", "<").replace("\\u003e", ">"))


def _joined(texts: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    held: tuple[int, str] | None = None
    column = 0
    for number, text in texts:
        if held is not None and len(text) > column and text[:column].isspace():
            more = text[column:].strip()
            held = held[0], f"{held[1]} {more}".rstrip()
            continue
        if held is not None:
            yield held
            held = None
        record = _RECORD.fullmatch(text)
        if record is None:
            yield number, text
        else:
            column = len(record["head"])
            held = number, record["head"] + record["message"]
    if held is not None:
        yield held
