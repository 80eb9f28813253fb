"""The page of one asset: what it is, its columns, versions, metadata over time, a sample."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from assetflow.model.columns import Column
from assetflow.planning.pages import AssetPage, KeptFiles, Rows, VersionLine
from assetflow.report.asset_partitions import partitions_table
from assetflow.report.check_table import ChecksTable, by_urgency
from assetflow.report.freshness_report import standing_text
from assetflow.report.lineage_tree import read_text
from assetflow.report.palette import Name, columns, faint, state, strong
from assetflow.report.rows_report import RowsTable
from assetflow.report.sparklines import sparkline
from assetflow.report.status_report import cause
from assetflow.report.words import SHORT_ID, counted, minute, shortened, size

MOST_CHECKS = 20
MOST_VERSIONS = 8
MOST_FILES = 12
MOST_VALUES = 24
LONGEST_VALUE = 40

Metadata = Mapping[str, tuple[tuple[datetime, str], ...]]


def asset_report(page: AssetPage, *, with_text: bool = False) -> RenderableType:
    """Return the page; `with_text` adds the query or the function's source."""
    parts: list[RenderableType] = [strong(page.name)]
    if page.description:
        parts.append(Padding(Text(page.description), (0, 0, 0, 2)))
    parts.append(Padding(_facts(page), (0, 0, 0, 2)))
    for title, content in _sections(page, with_text=with_text):
        parts += [Text(), strong(title), Padding(content, (0, 0, 0, 2))]
    return Group(*parts)


def _facts(page: AssetPage) -> RenderableType:
    table = columns(("fact", "value"), folds=["value"], header=False)
    facts = {
        "kind": page.kind,
        "defined in": str(page.location),
        "group": page.group,
        "tags": ", ".join(page.tags),
        "owners": ", ".join(page.owners),
        "upstream": ", ".join(page.upstream),
    }
    for name, value in facts.items():
        if value:
            table.add_row(faint(name), Text(value))
    if page.status is not None:
        text = state(page.status.sync)
        why = cause(page.status)
        table.add_row(faint("state"), text.append("  ").append_text(why) if why.plain else text)
    if page.freshness is not None:
        table.add_row(faint("freshness"), standing_text(page.freshness))
    return table


def _sections(page: AssetPage, *, with_text: bool) -> Iterator[tuple[str, RenderableType]]:
    yield from _content(page)
    if page.partitions is not None:
        yield "Partitions", partitions_table(page.partitions)
    if page.checks:
        yield "Checks", _checks(page)
    if page.downstream:
        yield "Read by", _readers(page)
    yield from _past(page)
    if page.sample_columns:
        named = tuple(Column(name, "") for name in page.sample_columns)
        yield "Sample", RowsTable(Rows(named, page.sample_rows))
    if with_text and page.text:
        yield "Definition", Text(page.text.rstrip(), overflow="fold")


def _past(page: AssetPage) -> Iterator[tuple[str, RenderableType]]:
    """Yield when it was made, and what it reported of itself."""
    if page.versions:
        yield "Materializations", _versions(page.versions)
    elif page.kind != "source":
        yield "Materializations", Text(f"none yet: assetflow materialize {page.name}")
    if page.metadata:
        yield "Reported over time", _metadata(page.metadata)


def _content(page: AssetPage) -> Iterator[tuple[str, RenderableType]]:
    """Yield of what it consists: columns, or files."""
    if page.schema:
        yield "Columns", _schema(page.schema)
    if page.files is not None:
        yield "Files", _files(page.files)


def _schema(schema: Sequence[Column]) -> RenderableType:
    table = columns(("name", "type", "description"), folds=["type", "description"], header=False)
    for column in schema:
        table.add_row(Name(column.name), faint(column.type), Text(column.description))
    return table


def _files(kept: KeptFiles) -> RenderableType:
    """Return where the files are kept, and each of them with its size."""
    path = Text(kept.path, overflow="fold")
    if not kept.files:
        return Group(path, faint(size(kept.size_bytes)))
    table = columns(("name", "size"), right=["size"], header=False)
    for name, size_bytes in kept.files[:MOST_FILES]:
        table.add_row(Name(name), size(size_bytes))
    rest = len(kept.files) - MOST_FILES
    more = [faint(f"… and {counted(rest, 'more file')}")] if rest > 0 else []
    total = f"{counted(len(kept.files), 'file')}, {size(kept.size_bytes)}"
    return Group(path, table, *more, faint(total))


def _checks(page: AssetPage) -> RenderableType:
    """Return how its checks came out last, what failed first."""
    groups = by_urgency(page.checks, page.keys)
    shown = groups[:MOST_CHECKS]
    rest = len(groups) - len(shown)
    more = [faint(f"… and {rest:,} more: assetflow check {page.name} --all")] if rest else []
    return Group(ChecksTable(shown, of_one_asset=True), *more)


def _readers(page: AssetPage) -> RenderableType:
    table = columns(("asset", "columns"), folds=["columns"], header=False)
    for name in page.downstream:
        read = page.read_by.get(name)
        table.add_row(Name(name), Text("" if read is None else read_text(read), style="cyan"))
    return table


def _versions(versions: Sequence[VersionLine]) -> RenderableType:
    shown = versions[:MOST_VERSIONS]
    counted_rows = ["rows"] if any(line.rows is not None for line in shown) else []
    sliced = ["partition"] if any(line.partition for line in shown) else []
    titles = ("", "when (UTC)", *sliced, "outcome", *counted_rows, "size", "run")
    table = columns(titles, right=("rows", "size"))
    for line in shown:
        rows = "" if line.rows is None else f"{line.rows:,}"
        table.add_row(
            Text("*" if line.is_published else " ", style="green"),
            minute(line.materialized_at),
            *([Text(line.partition)] if sliced else []),
            state(line.outcome),
            *([rows] if counted_rows else []),
            size(line.size_bytes),
            Text(line.run[:SHORT_ID] if sliced else line.run),
        )
    rest = len(versions) - MOST_VERSIONS
    earlier = f"; {rest:,} earlier not shown" if rest > 0 else ""
    return Group(table, faint(f"* published{earlier}"))


def _metadata(metadata: Metadata) -> RenderableType:
    table = columns(("name", "latest", "over time"), folds=["latest"], header=False)
    for name, values in metadata.items():
        texts = [text for _, text in values]
        latest = shortened(_readable(texts[-1]), LONGEST_VALUE) if texts else ""
        table.add_row(Name(name), Text(latest), Text(sparkline(_numbers(texts)), style="cyan"))
    return table


def _readable(text: str) -> str:
    value = _parsed(text)
    return value if isinstance(value, str) else text


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _numbers(texts: Sequence[str]) -> list[float]:
    """Return the values as numbers, none at all if one of them is not a number."""
    values = [_number(_parsed(text)) for text in texts[-MOST_VALUES:]]
    numbers = [value for value in values if value is not None]
    return numbers if len(numbers) == len(values) else []


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
