"""Lineage for showing: assets with their columns, edges between both, and walks along them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from assetflow.model.columns import EdgeKind, ReadSet, Schema
from assetflow.model.names import AssetName

LineageKind = Literal["source", "python", "sql"]


class ColumnName(NamedTuple):
    """One column of one asset or source."""

    asset: AssetName
    column: str

    def __str__(self) -> str:
        return f"{self.asset}.{self.column}"


class ColumnLink(NamedTuple):
    """One edge between columns. `target.column` is "" where it decides rows of the whole."""

    source: ColumnName
    target: ColumnName
    kind: EdgeKind


@dataclass(frozen=True, slots=True)
class LineageAsset:
    """One asset or source, with its schema if that is known."""

    name: AssetName
    kind: LineageKind
    columns: Schema | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """How assets and columns reach one another.

    `edges` are (upstream, downstream). `read_sets` are by asset, then by upstream.
    `focus` is what was asked for: the names of assets or of one column.
    """

    assets: tuple[LineageAsset, ...]
    edges: tuple[tuple[AssetName, AssetName], ...]
    column_links: tuple[ColumnLink, ...]
    read_sets: Mapping[AssetName, Mapping[AssetName, ReadSet]]
    focus: tuple[AssetName, ...] = ()
    column: ColumnName | None = None


def links_up(
    links: Iterable[ColumnLink], column: ColumnName, *, by_value: bool = True
) -> tuple[ColumnLink, ...]:
    """Return the links on the way to `column`, from its nearest inputs to the roots.

    Values only, or with what decides rows too: then also the links to the whole of an asset.
    """
    by_target: dict[ColumnName, list[ColumnLink]] = {}
    for link in links:
        by_target.setdefault(link.target, []).append(link)

    def links_at(at: ColumnName) -> list[ColumnLink]:
        whole = ColumnName(at.asset, "")
        ends = (at,) if by_value or at == whole else (at, whole)
        return _of_kind((link for end in ends for link in by_target.get(end, ())), by_value)

    return _walk(column, links_at, lambda link: link.source)


def links_down(
    links: Iterable[ColumnLink], column: ColumnName, *, by_value: bool = True
) -> tuple[ColumnLink, ...]:
    """Return the links on the way from `column`, to its nearest uses first."""
    by_source: dict[ColumnName, list[ColumnLink]] = {}
    for link in links:
        by_source.setdefault(link.source, []).append(link)
    return _walk(
        column, lambda at: _of_kind(by_source.get(at, ()), by_value), lambda link: link.target
    )


VALUE_KINDS = frozenset({"identity", "transformation", "aggregation"})


def _of_kind(links: Iterable[ColumnLink], by_value: bool) -> list[ColumnLink]:  # noqa: FBT001 - private
    return [link for link in links if not by_value or link.kind in VALUE_KINDS]


def _walk(
    start: ColumnName,
    links_at: Callable[[ColumnName], list[ColumnLink]],
    end_of: Callable[[ColumnLink], ColumnName],
) -> tuple[ColumnLink, ...]:
    """Walk breadth first, each column once."""
    seen = {start}
    frontier = [start]
    found: list[ColumnLink] = []
    while frontier:
        links = [link for at in frontier for link in links_at(at)]
        found.extend(links)
        ends = dict.fromkeys(end_of(link) for link in links)
        frontier = [end for end in ends if end not in seen and end.column]
        seen.update(frontier)
    return tuple(found)
