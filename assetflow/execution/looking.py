"""Look at what is known: the page of an asset, runs, the audit trail, the data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from assetflow.errors import AmbiguousRun, NothingAsOf, UnknownRun, VersionMissing
from assetflow.execution.check_lines import last_lines
from assetflow.execution.gathering import Place
from assetflow.execution.serving import KeyColumns, key_columns, scan_of, served_scans
from assetflow.execution.tracing import kind_of, schema_of
from assetflow.metadata import recall
from assetflow.metadata.check_rows import outcomes_of_run
from assetflow.metadata.outline import Served, served
from assetflow.model.names import WHOLE, AssetName, AssetPartition, PartitionKey, RunId
from assetflow.model.partitions import KeySet, described
from assetflow.planning.check_pages import CheckLine
from assetflow.planning.history import Materialized, VersionStored
from assetflow.planning.pages import (
    AssetPage,
    AuditResult,
    EventLine,
    KeptFiles,
    PartitionsPage,
    RunLine,
    RunPage,
    StepLine,
    VersionLine,
)
from assetflow.planning.steps import ranges_of
from assetflow.sql.query import quoted
from assetflow.warehouse.versions import stored_path

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from assetflow.execution.knowledge import Knowledge
    from assetflow.planning.results import AssetStatus, RunStatus
    from assetflow.warehouse.connection import Engine

SAMPLE_ROWS = 5


def page_of(
    knowledge: Knowledge, root: Path, name: AssetName, standing: AssetStatus | None
) -> AssetPage:
    """Return all there is to say of one asset or source of the project at `root`."""
    graph = knowledge.analysis.graph
    asset, source = graph.assets.get(name), graph.sources.get(name)
    about = asset.options if asset else source
    assert about is not None
    declared = asset or source
    assert declared is not None
    columns, rows = _sample(knowledge, name)
    made = recall.materializations(knowledge.state, name) if asset else ()
    place = Place(root, knowledge.state, knowledge.environment)
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
        files=_kept_files(knowledge, root, name),
        metadata=_metadata(made),
        sample_columns=columns,
        sample_rows=rows,
        status=standing,
        text=knowledge.analysis.source_text(asset) if asset else "",
        partitions=_partitions(knowledge, name),
        checks=_last_checks(place, knowledge, standing) if standing else (),
        keys={name: knowledge.slices.keys[name]},
    )


def _last_checks(
    place: Place, knowledge: Knowledge, standing: AssetStatus
) -> tuple[CheckLine, ...]:
    name = standing.asset
    facts, keys = knowledge.facts[name], knowledge.slices.keys[name]
    return last_lines(place, name, (*facts.checks, *facts.whole), keys, standing)


def _partitions(knowledge: Knowledge, name: AssetName) -> PartitionsPage | None:
    """Return the partitions of an asset or a source, None if it has none."""
    keys = knowledge.slices.keys[name]
    if keys.partitions is None:
        return None
    parts = served(knowledge.state, knowledge.environment, [name]).get(name, ())
    files = {part.path: part.size_bytes for part in parts}
    there = {part.partition for part in parts}
    if name in knowledge.graph.sources:
        there = {target.partition for target in knowledge.sources if target.asset == name}
    missing = [key for key in keys if key not in there]
    return PartitionsPage(
        definition=described(keys.partitions),
        count=len(keys),
        published=ranges_of(keys, [key for key in keys if key in there]),
        missing=ranges_of(keys, missing),
        obsolete=ranges_of(keys, [key for key in there if key not in keys]),
        published_count=len(keys) - len(missing),
        missing_count=len(missing),
        files=len(files),
        size_bytes=sum(files.values()),
    )


def _sample(
    knowledge: Knowledge, name: AssetName
) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
    states, keys = knowledge.states_of(name), key_columns(knowledge.graph)
    if states:
        scan = states[-1].scan
    else:
        scans = served_scans(knowledge.state, knowledge.environment, keys, [name])
        scan = scans.get(name, "")
    if not scan:
        return (), ()
    cursor = knowledge.engine.cursor()
    cursor.execute(f"from {scan} limit {SAMPLE_ROWS}")
    return tuple(one[0] for one in cursor.description or ()), tuple(cursor.fetchall())


def _kept_files(knowledge: Knowledge, root: Path, name: AssetName) -> KeptFiles | None:
    """Return what is published of an asset that makes files, None where it is gone.

    Of its last partition, if it has some.
    """
    parts = served(knowledge.state, knowledge.environment, [name]).get(name, ())
    if not parts or parts[-1].format != "files":
        return None
    version = parts[-1]
    try:
        path = stored_path(knowledge.data, version.path, version.size_bytes)
    except VersionMissing:
        return None
    inside = sorted(file for file in path.rglob("*") if file.is_file())
    files = [(file.relative_to(path).as_posix(), file.stat().st_size) for file in inside]
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return KeptFiles(shown.as_posix(), version.size_bytes, tuple(files))


def _version_lines(
    knowledge: Knowledge, name: AssetName, made: Iterable[Materialized]
) -> tuple[VersionLine, ...]:
    made = tuple(made)
    stored = recall.versions_by_id(knowledge.state, [one.version for one in made])
    pointers = recall.pointers(knowledge.state, knowledge.environment)
    current = {one.materialization for target, one in pointers.items() if target.asset == name}
    return tuple(
        VersionLine(
            version=one.version,
            materialized_at=one.created_at,
            rows=stored[one.version].rows,
            size_bytes=stored[one.version].size_bytes,
            run=one.run,
            outcome=one.outcome,
            is_published=one.materialization in current,
            partition=one.partition,
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


def run_named(state: Path, text: str) -> RunId:
    """Return the id of the run that is `text`, or begins or ends with it if only one does.

    Raises UnknownRun where none does, AmbiguousRun where several do.
    """
    runs = {one.started.run: one for one in recall.runs(state, 10_000)}
    if text in runs:
        return RunId(text)
    fitting = [run for run in runs if run.startswith(text) or run.endswith(text)]
    if not fitting:
        raise UnknownRun(text)
    if len(fitting) > 1:
        raise AmbiguousRun(text, [(run, runs[run].started.started_at) for run in fitting])
    return fitting[0]


def run_page(state: Path, text: str, keys: Mapping[AssetName, KeySet]) -> RunPage:
    """Return the run that is named `text`; raises what `run_named` raises."""
    run = run_named(state, text)
    details, checks = recall.run(state, run), outcomes_of_run(state, run)
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
            checks=checks.get(AssetPartition(step.asset, step.partition), ()),
        )
        for step in last.values()
    )
    return RunPage(_run_line(details.summary), steps, keys)


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
    place: Place,
    engine: Engine,
    name: AssetName,
    partition: PartitionKey | None,
    as_of: datetime | int | None,
    key_column: str = "",
) -> pa.Table | Path:
    """Return the published content of `name`: a table, or the path of its files.

    All partitions together, or the one that is `partition`.
    """
    pointers = recall.pointers(place.state, place.environment, as_of)
    wanted = [
        pointer.version
        for target, pointer in sorted(pointers.items())
        if target.asset == name and partition in (None, target.partition)
    ]
    known = recall.versions_by_id(place.state, wanted)
    if not wanted or known.keys() != set(wanted):
        raise NothingAsOf(name, as_of, partition or WHOLE)
    versions = [known[version] for version in wanted]
    data = place.state / "data"
    if versions[0].format == "files":
        return stored_path(data, versions[0].path, versions[0].size_bytes)
    scan = scan_of(data, [_as_served(version) for version in versions], key_column)
    return engine.cursor().sql(f"from {scan}").to_arrow_table()


def _as_served(version: VersionStored) -> Served:
    return Served(
        partition=version.partition,
        path=version.path,
        size_bytes=version.size_bytes,
        format=version.format,
        is_packed=version.packed,
        schema=version.schema,
        rows=version.rows,
        version=version.version,
    )


def connected(place: Place, timezone: str, keys: KeyColumns) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB in memory with a view for each published table of `place`."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"python_enable_replacements": "false"})
    # The footers of published files are read once; DuckDB looks whether a file has changed.
    connection.execute("set parquet_metadata_cache = true")
    connection.execute(f"set TimeZone = '{timezone}'")
    for name, scan in served_scans(place.state, place.environment, keys).items():
        schema, _, table = name.rpartition(".")
        if schema:
            connection.execute(f"create schema if not exists {quoted(schema)}")
        shown = f"{quoted(schema)}.{quoted(table)}" if schema else quoted(table)
        connection.execute(f"create view {shown} as from {scan}")
    return connection
