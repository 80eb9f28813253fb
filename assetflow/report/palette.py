"""Which colour says what, always beside the word; and the pieces that pages are set with."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from assetflow.report.words import shortened

COLOURS = {
    "materialize": "yellow",
    "may_materialize": "yellow dim",
    "reuse": "cyan",
    "verify": "cyan",
    "check": "cyan",
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
    "errored": "red",
    "learning": "cyan",
    "ok": "green",
    "warn": "yellow",
    "error": "red",
}
"""The colour of each action, outcome and state; what is not here has none."""

ROOMY = 110
"""From this width on, what belongs together has columns of its own."""
WIDE = 160
"""From this width on, that of a pipe, names are not shortened for the sake of other columns."""
SHORTEST_NAME = 18
SHARE_OF_NAMES = 0.4
GAP = 2

Way = Literal["stays", "shortens", "folds"]
"""What a column does where the line is too short."""


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
    """A name that is shortened in its middle where the line has no room for all of it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = min(cell_len(self.text), options.max_width)
        return Measurement(min(1, width), width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(shortened(self.text, options.max_width), no_wrap=True, overflow="ellipsis")


class Names:
    """Names in a row, each of them shortened where it alone is wider than the column."""

    def __init__(self, texts: Iterable[str], rest: int = 0) -> None:
        self.texts, self.rest = tuple(texts), rest

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = min(cell_len(self._joined(options.max_width)), options.max_width)
        return Measurement(min(1, width), width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self._joined(options.max_width), overflow="fold", no_wrap=False)

    def _joined(self, width: int) -> str:
        *others, last = self.texts or ("",)
        shown = [f"{shortened(text, max(1, width - len(',')))}, " for text in others]
        more = f" and {self.rest:,} more" if self.rest > 0 else ""
        return f"{''.join(shown)}{shortened(last, width)}{more}"


UNBROKEN = "partitions"
"""The title of a column whose words are not broken if that can be."""


class Listing(Table):
    """A table without lines that divides a line which is too short for all of its columns.

    Columns that fold, and those of names, give way; all others are shown whole. A range of
    partitions is not broken where others can give way.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        needs = [self._needed(column, console, options) for column in self.columns]
        ways = [_way(column, console) for column in self.columns]
        room = options.max_width - GAP * (len(needs) - 1)
        words = [
            max((one.minimum for one in self._measured(column, console, options)), default=1)
            if column.header == UNBROKEN
            else 1
            for column in self.columns
        ]
        for column, width in zip(self.columns, fitted(needs, ways, room, words), strict=True):
            column.width = width
        yield from super().__rich_console__(console, options)

    def fits(self, console: Console, options: ConsoleOptions) -> bool:
        """Whether the line has room for all of every column."""
        needs = [self._needed(column, console, options) for column in self.columns]
        return sum(needs) + GAP * (len(needs) - 1) <= options.max_width

    def _needed(self, column: Column, console: Console, options: ConsoleOptions) -> int:
        widths = [one.maximum for one in self._measured(column, console, options)]
        return max(widths, default=0) or 1

    def _measured(
        self, column: Column, console: Console, options: ConsoleOptions
    ) -> Iterator[Measurement]:
        cells = [*column.cells, *([column.header] if self.show_header else [])]
        return (Measurement.get(console, options, cell) for cell in cells)


def _way(column: Column, console: Console) -> Way:
    if not column.no_wrap:
        return "folds"
    is_named = console.width < WIDE and any(isinstance(cell, Name) for cell in column.cells)
    return "shortens" if is_named else "stays"


def fitted(
    needs: Sequence[int], ways: Sequence[Way], room: int, words: Sequence[int] = ()
) -> list[int]:
    """Return a width for each column, at most what it `needs`, in `room` if that can be.

    Names are shortened before texts fold, down to their share of what the others leave.
    `words` are the widths below which texts that fold should not go.

    >>> fitted([4, 60, 18], ["stays", "shortens", "folds"], 64)
    [4, 42, 18]
    """
    places: dict[Way, list[int]] = {"stays": [], "shortens": [], "folds": []}
    for place, way in enumerate(ways):
        places[way].append(place)
    total = {way: sum(needs[place] for place in found) for way, found in places.items()}
    rest = max(0, room - total["stays"])
    least = SHORTEST_NAME * len(places["shortens"])
    share = min(total["shortens"], max(least, int(rest * SHARE_OF_NAMES)))
    folded = min(total["folds"], max(0, rest - share))
    widths = list(needs)
    shared: dict[Way, int] = {"folds": folded, "shortens": rest - folded}
    for way, available in shared.items():
        found = places[way]
        shares = _divided([needs[place] for place in found], available)
        if words and way == "folds":
            shares = _with_words(shares, [words[place] for place in found])
        for place, width in zip(found, shares, strict=True):
            widths[place] = width
    return widths


def _with_words(widths: Sequence[int], words: Sequence[int]) -> list[int]:
    """Return `widths` with what some lack for a word taken from the one that can best give it.

    >>> _with_words([18, 20], [23, 1]), _with_words([2, 2], [23, 1])
    ([23, 15], [3, 1])
    """
    found = list(widths)
    for place, word in enumerate(words):
        giver = max(range(len(found)), key=lambda each: found[each] - words[each])
        given = min(max(0, word - found[place]), max(0, found[giver] - words[giver]))
        found[place] += given
        found[giver] -= given
    return found


def _divided(needs: Sequence[int], room: int) -> list[int]:
    """Divide `room` evenly; what one does not need goes to the others.

    >>> _divided([5, 90, 90], 65)
    [5, 30, 30]
    """
    widths = list(needs)
    in_order = sorted(range(len(needs)), key=needs.__getitem__)
    for already, place in enumerate(in_order):
        widths[place] = max(1, min(needs[place], room // (len(needs) - already)))
        room -= widths[place]
    return widths


def columns(
    headers: Sequence[str],
    right: Iterable[str] = (),
    folds: Iterable[str] = (),
    *,
    header: bool = True,
) -> Listing:
    """Return an empty table without lines.

    The columns named in `right` hold numbers; those in `folds` give way where the line is
    too narrow, and go on below.
    """
    table = Listing(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=header)
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
