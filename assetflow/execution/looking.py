"""Look at what is known: lineage, the page of an asset, runs, the audit trail, the data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from assetflow.errors import NothingAsOf, UnknownSelection
from assetflow.execution.publishing import published_scans
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
from assetflow.metadata import recall
from assetflow.model.asset import Asset
from assetflow.model.columns import Column, ReadSet, Schema
from assetflow.model.names import AssetName, AssetPartition, RunId, folded
from assetflow.planning.history import Materialized
from assetflow.planning.pages import (
    AssetPage,
    AuditResult,
    EventLine,
    RunLine,
    RunPage,
    StepLine,
    VersionLine,
)
from assetflow.sql.query import quoted
from assetflow.warehouse.versions import scan_sql, stored_path

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from assetflow.execution.gathering import Place
    from assetflow.execution.knowledge import Knowledge
    from assetflow.planning.results import AssetStatus, RunStatus
    from assetflow.warehouse.connection import Engine

SAMPLE_ROWS = 5


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
    source = knowledge.sources.get(name)
    if source is not None:
        return source.schema or None
    facts = knowledge.facts.get(name)
    published = knowledge.history.published.get(AssetPartition(name))
    schema = facts.schema if facts else None
    if schema is None:
        schema = published.version.schema if published else None
    asset = knowledge.analysis.graph.assets.get(name)
    return _described(schema, asset) if schema and asset else schema


def _described(schema: Schema, asset: Asset) -> Schema:
    """Return `schema` with the descriptions that the asset declares for its columns."""
    said = {column.name: column.description for column in asset.options.columns or ()}
    return tuple(Column(c.name, c.type, said.get(c.name, "")) for c in schema)


def page_of(knowledge: Knowledge, name: AssetName, standing: AssetStatus | None) -> AssetPage:
    """Return all there is to say of one asset or source."""
    graph = knowledge.analysis.graph
    asset, source = graph.assets.get(name), graph.sources.get(name)
    about = asset.options if asset else source
    assert about is not None
    declared = asset or source
    assert declared is not None
    columns, rows = _sample(knowledge, name)
    made = recall.materializations(knowledge.state, name) if asset else ()
    return AssetPage(
        name=name,
        kind=kind_of(knowledge, name),
        location=declared.location,
        description=about.description,
        group=about.group,
        tags=about.tags,
        owners=about.owners,
        upstream=graph.upstreams.get(name, ()),
        downstream=graph.downstreams.get(name, ()),
        schema=schema_of(knowledge, name),
        read_by={
            other: use.read_set
            for other in graph.downstreams.get(name, ())
            for use in knowledge.facts[other].inputs
            if use.upstream == name
        },
        versions=_version_lines(knowledge, name, made),
        metadata=_metadata(made),
        sample_columns=columns,
        sample_rows=rows,
        status=standing,
        text=knowledge.analysis.source_text(asset) if asset else "",
    )


def _sample(
    knowledge: Knowledge, name: AssetName
) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
    source = knowledge.sources.get(name)
    published = knowledge.history.published.get(AssetPartition(name))
    if source is not None:
        scan = source.scan
    elif published is not None and published.version.format == "parquet":
        version = published.version
        scan = scan_sql(knowledge.data, [(version.path, version.size_bytes)])
    else:
        scan = ""
    if not scan:
        return (), ()
    cursor = knowledge.engine.cursor()
    cursor.execute(f"from {scan} limit {SAMPLE_ROWS}")
    return tuple(one[0] for one in cursor.description or ()), tuple(cursor.fetchall())


def _version_lines(
    knowledge: Knowledge, name: AssetName, made: Iterable[Materialized]
) -> tuple[VersionLine, ...]:
    made = tuple(made)
    stored = recall.versions_by_id(knowledge.state, [one.version for one in made])
    published = knowledge.history.published.get(AssetPartition(name))
    current = published.materialization.materialization if published else None
    return tuple(
        VersionLine(
            version=one.version,
            materialized_at=one.created_at,
            rows=stored[one.version].rows,
            size_bytes=stored[one.version].size_bytes,
            run=one.run,
            outcome=one.outcome,
            is_published=one.materialization == current,
        )
        for one in made
        if one.version in stored
    )


def _metadata(
    made: Iterable[Materialized],
) -> dict[str, tuple[tuple[datetime, str], ...]]:
    found: dict[str, list[tuple[datetime, str]]] = {}
    for one in made:
        for name, text in one.metadata:
            found.setdefault(name, []).append((one.created_at, text))
    return {name: tuple(reversed(values)) for name, values in sorted(found.items())}


def run_lines(state: Path, limit: int) -> tuple[RunLine, ...]:
    """Return the newest runs, newest first."""
    return tuple(_run_line(one) for one in recall.runs(state, limit))


def _run_line(summary: recall.RunSummary) -> RunLine:
    started, finished = summary.started.started_at, summary.finished_at
    return RunLine(
        run_id=summary.started.run,
        status=cast("RunStatus", summary.status),
        environment=summary.started.environment,
        started_at=started,
        duration_seconds=(finished - started).total_seconds() if finished else None,
        counts=dict(summary.counts),
        command=summary.started.command,
    )


def run_page(state: Path, text: str) -> RunPage | None:
    """Return the run whose id is `text`, or begins with it if only one does."""
    details = recall.run(state, RunId(text))
    if details is None:
        fitting = [
            one.started.run
            for one in recall.runs(state, 10_000)
            if one.started.run.startswith(text) or one.started.run.endswith(text)
        ]
        if len(fitting) != 1:
            return None
        details = recall.run(state, fitting[0])
    assert details is not None
    last = {(step.asset, step.partition): step for step in details.steps}
    steps = tuple(
        StepLine(
            asset=step.asset,
            partition=step.partition,
            outcome=step.outcome,
            reasons=step.reasons,
            rows=step.rows,
            seconds=step.seconds,
            attempts=step.attempts,
            error=step.error,
            output=step.output,
        )
        for step in last.values()
    )
    return RunPage(_run_line(details.summary), steps)


def audit_result(state: Path, limit: int) -> AuditResult:
    """Return whether the chain of events holds, and the newest events."""
    rows = recall.events(state)
    broken = recall.verify_events(state)
    tail = tuple(
        EventLine(
            event=row.event,
            happened_at=datetime.fromisoformat(row.happened_at).replace(tzinfo=UTC),
            kind=row.kind,
            run=RunId(row.run) if row.run else None,
            environment=row.environment,
            asset=AssetName(row.asset) if row.asset else None,
            detail=tuple(map(tuple, json.loads(row.detail))),
        )
        for row in rows[-limit:]
    )
    problem = f"event {broken.number} ({broken.event}): {broken.why}" if broken else ""
    return AuditResult(len(rows), broken is None, problem, tail)


def read_asset(
    place: Place, engine: Engine, target: AssetPartition, as_of: datetime | int | None
) -> pa.Table | Path:
    """Return the published content of `target`: a table, or the path of its files."""
    pointer = recall.pointers(place.state, place.environment, as_of).get(target)
    if pointer is None:
        raise NothingAsOf(target.asset, as_of)
    version = recall.versions_by_id(place.state, [pointer.version]).get(pointer.version)
    if version is None:
        raise NothingAsOf(target.asset, as_of)
    data = place.state / "data"
    if version.format == "files":
        return stored_path(data, version.path, version.size_bytes)
    scan = scan_sql(data, [(version.path, version.size_bytes)])
    return engine.cursor().sql(f"from {scan}").to_arrow_table()


def connected(place: Place, timezone: str) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB in memory with a view for each published table of `place`."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"python_enable_replacements": "false"})
    connection.execute(f"set TimeZone = '{timezone}'")
    for name, scan in published_scans(place.state, place.environment).items():
        schema, _, table = name.rpartition(".")
        if schema:
            connection.execute(f"create schema if not exists {quoted(schema)}")
        shown = f"{quoted(schema)}.{quoted(table)}" if schema else quoted(table)
        connection.execute(f"create view {shown} as from {scan}")
    return connection
