"""What GitHub Actions shows of results: annotations and the summary of a step.                                pure"""

from collections.abc import Iterator, Sequence

from chaos.reports import markdown
from chaos.reports.results import RunResult, tally
from tracker.printable import printable

_LEVEL = {"fail": "error", "unknown": "warning"}


def annotations(results: Sequence[RunResult]) -> Iterator[str]:
    """A line for each run that did not pass, to be printed: an error for what failed, a warning for the unknown."""
    for result in results:
        if result.verdict != "pass":
            title = f"{result.verdict}: {_title(result)}"
            yield f"::{_LEVEL[result.verdict]} title={_property(title)}::{_data(result.explanation())}"


def _title(result: RunResult) -> str:
    return f"{result.title}, client {result.client}"


def _data(text: str) -> str:
    return printable(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(results: Sequence[RunResult]) -> str:
    """Markdown: what it came to, and a table of what did not pass."""
    counts = ", ".join(f"{count} {verdict}" for count, verdict in tally(result.verdict for result in results))
    text = f"### simtool chaos: {counts}\n"
    troubled = [result for result in results if result.verdict != "pass"]
    if troubled:
        rows = [
            [
                f"{result.verdict} {markdown.escaped(_title(result))}",
                "<br>".join(
                    markdown.escaped(f"{check.name}: {check.observed}") for check in result.troubles()
                ),
                "" if result.command_line is None else markdown.code(result.command_line),
            ]
            for result in troubled
        ]
        text += "\n" + markdown.table(["run", "observed", "command"], rows)
    return text + "\n"
