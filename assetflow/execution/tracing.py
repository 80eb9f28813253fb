"""Lineage as it is shown: of all, of a selection, or of one column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from assetflow.errors import UnknownSelection
from assetflow.graph.lineage import (
    ColumnLink,
    ColumnName,
    Lineage,
    LineageAsset,
    LineageKind,
    links_down,
    links_up,
)
from assetflow.graph.selection import select as select_assets
from assetflow.model.asset import Asset
from assetflow.model.columns import Column, ReadSet, Schema
from assetflow.model.names import AssetName, folded

if TYPE_CHECKING:
    from assetflow.execution.knowledge import Knowledge


def lineage_of(knowledge: Knowledge, select: Sequence[str]) -> Lineage:
    """Return the lineage of all, of what is selected, or of one column `asset.column`."""
    graph = knowledge.analysis.graph
    column = _column(knowledge, select[0]) if len(select) == 1 else None
    if column is not None:
        return _column_lineage(knowledge, column)
    focus: frozenset[AssetName] = frozenset()
    names: set[AssetName] = {*graph.assets, *graph.sources}
    if select:
        focus = select_assets(graph, select) or _selected_sources(knowledge, select)
        names = {*focus, *graph.all_upstream(focus), *graph.all_downstream(focus)}
    return _lineage(knowledge, names, _links(knowledge, names), tuple(sorted(focus)))


def _selected_sources(knowledge: Knowledge, select: Sequence[str]) -> frozenset[AssetName]:
    wanted = {folded(text) for text in select}
    return frozenset(name for name in knowledge.analysis.graph.sources if folded(name) in wanted)


def _column(knowledge: Knowledge, text: str) -> ColumnName | None:
    """Return the column that `text` names; the longest asset name wins, quotes override."""
    schemas = {folded(name): name for name in _all_names(knowledge)}
    if folded(text) in schemas or "." not in text:
        return None
    places = [place for place, letter in enumerate(text) if letter == "."]
    for place in reversed(places):
        name = schemas.get(folded(text[:place].strip('"')))
        if name is not None:
            return _checked_column(knowledge, name, text[place + 1 :].strip('"'))
    return None


def _checked_column(knowledge: Knowledge, name: AssetName, column: str) -> ColumnName:
    schema = schema_of(knowledge, name)
    known = {folded(one.name): one.name for one in schema or ()}
    if folded(column) not in known:
        raise UnknownSelection(f"{name}.{column}", [f"{name}.{one}" for one in known.values()])
    return ColumnName(name, known[folded(column)])


def _column_lineage(knowledge: Knowledge, column: ColumnName) -> Lineage:
    links = _links(knowledge, set(_all_names(knowledge)))
    reached = dict.fromkeys(
        (
            *links_up(links, column, by_value=False),
            *links_down(links, column, by_value=False),
        )
    )
    names = {end.asset for link in reached for end in (link.source, link.target)}
    names |= {column.asset, *_readers(knowledge, reached, column)}
    names |= _read_by_code(knowledge, names)
    found = _lineage(knowledge, names, tuple(reached), ())
    return Lineage(
        found.assets,
        found.edges,
        found.column_links,
        found.read_sets,
        (column.asset,),
        column,
    )


def _readers(
    knowledge: Knowledge, links: Iterable[ColumnLink], column: ColumnName
) -> set[AssetName]:
    """Return the assets without column edges, Python ones, that read a column on the way."""
    ends = {column, *(end for link in links for end in (link.source, link.target))}
    return {
        name
        for name, facts in knowledge.facts.items()
        if not facts.column_edges
        for use in facts.inputs
        for end in ends
        if end.asset == use.upstream and _is_read(end.column, use.read_set)
    }


def _is_read(column: str, read_set: ReadSet) -> bool:
    return read_set.columns is None or column in read_set.columns


def _read_by_code(knowledge: Knowledge, names: set[AssetName]) -> set[AssetName]:
    """Return what those of `names` read whose code does not tell which column goes where."""
    return {
        use.upstream
        for name in names
        if (facts := knowledge.facts.get(name)) is not None and not facts.column_edges
        for use in facts.inputs
    }


def _all_names(knowledge: Knowledge) -> tuple[AssetName, ...]:
    graph = knowledge.analysis.graph
    return (*graph.sources, *graph.assets)


def _links(knowledge: Knowledge, names: set[AssetName]) -> tuple[ColumnLink, ...]:
    return tuple(
        ColumnLink(
            ColumnName(upstreams[edge.input], edge.column),
            ColumnName(name, edge.target),
            edge.kind,
        )
        for name, facts in knowledge.facts.items()
        if name in names
        for upstreams in [{use.name: use.upstream for use in facts.inputs}]
        for edge in facts.column_edges
        if upstreams[edge.input] in names
    )


def _lineage(
    knowledge: Knowledge,
    names: set[AssetName],
    links: tuple[ColumnLink, ...],
    focus: tuple[AssetName, ...],
) -> Lineage:
    graph = knowledge.analysis.graph
    ordered = [name for name in _all_names(knowledge) if name in names]
    facts = knowledge.facts
    return Lineage(
        assets=tuple(
            LineageAsset(name, kind_of(knowledge, name), schema_of(knowledge, name))
            for name in ordered
        ),
        edges=tuple(
            (upstream, name)
            for name in ordered
            for upstream in graph.upstreams.get(name, ())
            if upstream in names
        ),
        column_links=links,
        read_sets={
            name: {use.upstream: use.read_set for use in facts[name].inputs}
            for name in ordered
            if name in facts
        },
        focus=focus,
    )


def kind_of(knowledge: Knowledge, name: AssetName) -> LineageKind:
    """Return whether `name` is a source, or in which language it is written."""
    asset = knowledge.analysis.graph.assets.get(name)
    return "source" if asset is None else asset.kind


def schema_of(knowledge: Knowledge, name: AssetName) -> Schema | None:
    """Return the columns of an asset or source as far as they are known, described."""
    states = knowledge.states_of(name)
    if states:
        return states[-1].schema or None
    if name in knowledge.source_shapes:
        return knowledge.source_shapes[name].schema
    facts, published = knowledge.facts.get(name), knowledge.shapes.get(name)
    schema = facts.schema if facts else None
    if schema is None:
        schema = published.schema if published else None
    asset = knowledge.analysis.graph.assets.get(name)
    return _described(schema, asset) if schema and asset else schema


def _described(schema: Schema, asset: Asset) -> Schema:
    """Return `schema` with the descriptions that the asset declares for its columns."""
    said = {column.name: column.description for column in asset.options.columns or ()}
    return tuple(Column(c.name, c.type, said.get(c.name, "")) for c in schema)
