"""How rows of data look: as many columns as fit, and what was left out."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from assetflow.planning.pages import Rows
from assetflow.report.palette import columns, faint
from assetflow.report.words import counted, listed_within, shortened

WIDEST = 40
GAP = 2
MOST_NAMED = 6


class RowsTable:
    """A table of rows that shows the columns which fit, and names the others."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = self.rows
        names = [column.name for column in rows.columns]
        cells = [[cell_text(value) for value in row] for row in rows.rows]
        widths = _widths(names, cells)
        shown = _that_fit(widths, options.max_width)
        right = [names[place] for place in range(shown) if _is_numeric(rows, place)]
        table = columns([shortened(name, WIDEST) for name in names[:shown]], right)
        for place, column in enumerate(table.columns):
            column.no_wrap = True
            column.max_width = widths[place]
        for row, texts in zip(rows.rows, cells, strict=True):
            table.add_row(
                *(
                    Text(shortened(text, WIDEST), style="dim" if value is None else "")
                    for value, text in zip(row[:shown], texts[:shown], strict=True)
                )
            )
        yield table
        if shown < len(names):
            rest = listed_within(tuple(names[shown:]), MOST_NAMED)
            yield faint(f"not shown: {rest}")


def rows_report(rows: Rows, *, limit: int | None = None) -> RenderableType:
    """Return the rows and how many there are; `limit` is how many were asked for at most."""
    count = counted(len(rows.rows), "row")
    is_cut = limit is not None and len(rows.rows) >= limit
    return Group(
        RowsTable(rows), faint(f"the first {count} (--limit for more)" if is_cut else count)
    )


def cell_text(value: object) -> str:
    """Return one value on one line.

    >>> cell_text(None), cell_text(12345), cell_text(True)
    ('null', '12345', 'true')
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat(sep=" ")
        case bytes():
            return value.hex()
    return str(value).replace("\r", "").replace("\n", "↵").replace("\t", " ")


def _widths(names: Sequence[str], cells: Iterable[Sequence[str]]) -> list[int]:
    widths = [cell_len(name) for name in names]
    for row in cells:
        widths = [max(width, cell_len(text)) for width, text in zip(widths, row, strict=True)]
    return [min(width, WIDEST) for width in widths]


def _that_fit(widths: Sequence[int], available: int) -> int:
    """Return how many columns fit beside one another, at least one."""
    used = 0
    for place, width in enumerate(widths):
        used += width + GAP
        if used - GAP > available:
            return max(place, 1)
    return len(widths)


def _is_numeric(rows: Rows, place: int) -> bool:
    values = [row[place] for row in rows.rows if row[place] is not None]
    return bool(values) and all(
        not isinstance(value, bool | str | bytes) and hasattr(value, "__float__")
        for value in values
    )
