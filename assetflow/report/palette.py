"""Which colour says what, always beside the word; and the pieces that pages are set with."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from assetflow.report.words import shortened

COLOURS = {
    "materialize": "yellow",
    "may_materialize": "yellow dim",
    "reuse": "cyan",
    "verify": "cyan",
    "withdraw": "magenta",
    "blocked": "red",
    "materialized": "green",
    "unchanged": "green",
    "reused": "cyan",
    "verified": "cyan",
    "checked": "green",
    "rejected": "red",
    "failed": "red",
    "skipped": "yellow",
    "superseded": "yellow",
    "withdrawn": "magenta",
    "succeeded": "green",
    "interrupted": "yellow",
    "unpublished": "red",
    "running": "cyan",
    "up_to_date": "green",
    "stale": "yellow",
    "missing": "yellow",
    "fresh": "green",
    "due_soon": "yellow",
    "overdue": "red",
    "passed": "green",
    "warned": "yellow",
    "ok": "green",
    "warn": "yellow",
    "error": "red",
}
"""The colour of each action, outcome and state; what is not here has none."""

SHORTEST_NAME = 20
WIDE = 160
"""From this width on, that of a pipe, names are never shortened to a share of it."""


def state(word: str) -> Text:
    """Return a state, outcome or action as words, in its colour."""
    return Text(word.replace("_", " "), style=COLOURS.get(word, ""))


def faint(text: str) -> Text:
    """Return what may be overlooked."""
    return Text(text, style="dim")


def strong(text: str) -> Text:
    """Return what should be seen first."""
    return Text(text, style="bold")


class Name:
    """A name that is shortened in its middle where it takes more than its share of a line."""

    def __init__(self, text: str, share: float = 0.4) -> None:
        self.text, self.share = text, share

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        is_wide = console.width >= WIDE
        widest = console.width if is_wide else max(SHORTEST_NAME, int(console.width * self.share))
        width = min(cell_len(self.text), widest, options.max_width)
        return Measurement(min(width, SHORTEST_NAME), width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(shortened(self.text, options.max_width), no_wrap=True, overflow="ellipsis")


def columns(
    headers: Sequence[str],
    right: Iterable[str] = (),
    folds: Iterable[str] = (),
    *,
    header: bool = True,
) -> Table:
    """Return an empty table without lines.

    The columns named in `right` hold numbers; those in `folds` give way where the line is
    too narrow, and go on below.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=header)
    numbers, folding = set(right), set(folds)
    for title in headers:
        table.add_column(
            title,
            header_style="dim",
            justify="right" if title in numbers else "left",
            no_wrap=title not in folding,
            overflow="fold" if title in folding else "ellipsis",
        )
    return table
