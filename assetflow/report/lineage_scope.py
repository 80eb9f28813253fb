"""Which part of a lineage is meant: only up, only down, only so far away."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from assetflow.graph.lineage import VALUE_KINDS, ColumnLink, ColumnName, Lineage
from assetflow.model.names import AssetName

Direction = Literal["up", "down"]
Node = AssetName | ColumnName


@dataclass(frozen=True, slots=True)
class LineageScope:
    """What of a lineage is shown. `all_kinds` adds the columns that only decide rows."""

    directions: tuple[Direction, ...] = ("up", "down")
    depth: int | None = None
    all_kinds: bool = False


def within(lineage: Lineage, scope: LineageScope) -> Lineage:
    """Return the part of `lineage` that is in `scope`, around what was asked for.

    A lineage of everything has no middle, so that only the kinds of edges count.
    """
    links = tuple(
        link for link in lineage.column_links if scope.all_kinds or link.kind in VALUE_KINDS
    )
    if lineage.column is not None:
        return _around_column(replace(lineage, column_links=links), lineage.column, scope)
    if not lineage.focus:
        return lineage
    edges = _edges_around(lineage.edges, lineage.focus, scope)
    names = {*lineage.focus, *(name for edge in edges for name in edge)}
    return _cut(lineage, names, edges)


def _around_column(lineage: Lineage, column: ColumnName, scope: LineageScope) -> Lineage:
    starts = (column, ColumnName(column.asset, ""))
    pairs = tuple((link.source, link.target) for link in lineage.column_links)
    kept = set(_edges_around(pairs, starts if scope.all_kinds else (column,), scope))
    links = tuple(link for link in lineage.column_links if (link.source, link.target) in kept)
    names = {column.asset, *_assets_of(links)}
    edges = tuple(edge for edge in lineage.edges if names.issuperset(edge))
    return replace(_cut(lineage, names, edges), column_links=links)


def _assets_of(links: Iterable[ColumnLink]) -> set[AssetName]:
    return {end.asset for link in links for end in (link.source, link.target)}


def _cut(
    lineage: Lineage, names: set[AssetName], edges: tuple[tuple[AssetName, AssetName], ...]
) -> Lineage:
    return replace(
        lineage,
        assets=tuple(asset for asset in lineage.assets if asset.name in names),
        edges=edges,
        column_links=tuple(
            link for link in lineage.column_links if names.issuperset(_assets_of([link]))
        ),
        read_sets={
            name: {up: read for up, read in reads.items() if (up, name) in set(edges)}
            for name, reads in lineage.read_sets.items()
            if name in names
        },
    )


N = TypeVar("N", bound=Node)


def _edges_around(
    edges: Iterable[tuple[N, N]], starts: Iterable[N], scope: LineageScope
) -> tuple[tuple[N, N], ...]:
    """Return the edges that are met walking from `starts`, in their own order."""
    all_edges = tuple(edges)
    beginnings = tuple(starts)
    kept: set[tuple[N, N]] = set()
    for direction in scope.directions:
        beside: dict[N, list[tuple[N, N]]] = {}
        for edge in all_edges:
            beside.setdefault(edge[1 if direction == "up" else 0], []).append(edge)
        kept |= _walked(beside, beginnings, 0 if direction == "up" else 1, scope.depth)
    return tuple(edge for edge in all_edges if edge in kept)


def _walked(
    beside: Mapping[N, list[tuple[N, N]]], starts: Iterable[N], end: int, depth: int | None
) -> set[tuple[N, N]]:
    """Walk breadth first along `end` of each edge, at most `depth` steps."""
    kept: set[tuple[N, N]] = set()
    seen = set(starts)
    frontier = list(seen)
    while frontier and (depth is None or depth > 0):
        found = [edge for at in frontier for edge in beside.get(at, ())]
        kept.update(found)
        frontier = [edge[end] for edge in found if edge[end] not in seen]
        seen.update(frontier)
        depth = None if depth is None else depth - 1
    return kept
