"""Queries over what is published now, and over what would be if it were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.errors import (
    AssetflowError,
    NoPreview,
    NotARead,
    NotATable,
    NotOneQuery,
    QueryFailed,
    SqlDoesNotParse,
    UnknownTable,
)
from assetflow.model.asset import SqlBody
from assetflow.model.columns import Column
from assetflow.model.names import AssetName, AssetPartition, VersionId, folded
from assetflow.planning.pages import Rows, StepDiff
from assetflow.planning.steps import Plan, Step
from assetflow.project.sql_facts import call_of
from assetflow.sql.query import Query, parse_query, quoted, rewrite
from assetflow.warehouse.quoting import quoted_paths
from assetflow.warehouse.versions import scan_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from assetflow.execution.knowledge import Knowledge


@dataclass(slots=True)
class Previews:
    """Reads and computes without keeping anything. `stale` are assets to compute anew."""

    knowledge: Knowledge
    root: Path
    stale: frozenset[AssetName] = frozenset()
    _texts: dict[AssetName, str] = field(default_factory=dict)

    def rows(self, query: str, limit: int | None) -> Rows:
        """Return the rows of a query that a user wrote over published tables and sources."""
        parsed = parse_query(query)
        tables = {name: self._named(name) for name in parsed.inputs}
        text = rewrite(parsed, tables, self._files(parsed))
        try:
            return self._fetched(text, limit, {})
        except QueryFailed as error:
            # The line that DuckDB shows is that of the text with the tables replaced.
            raise QueryFailed(error.hint.partition("\n\nLINE ")[0]) from error

    def preview(self, name: AssetName, limit: int) -> Rows:
        """Return rows that a SQL asset would give now, whether it was ever made or not."""
        asset = self.knowledge.analysis.graph.assets.get(name)
        if asset is None or not isinstance(asset.body, SqlBody):
            return self._fetched(f"from {self._read(name)}", limit, {})
        return self._fetched(self._computed(name), limit, self._parameters(name))

    def diff(self, step: Step) -> StepDiff:
        """Return what `step` would do to columns and rows of the published version."""
        name, last = step.target.asset, step.last
        after = step.facts.schema if step.facts else None
        before = last.version.schema if last else ()
        try:
            rows = self._row_changes(name, step)
            problem = ""
        except AssetflowError as error:
            rows, problem = (last.version.rows if last else None, None, None, None), str(error)
        types_before, types_after = _types(before), _types(after or before)
        return StepDiff(
            target=step.target,
            columns_added=tuple(c for c in after or () if c.name not in types_before),
            columns_removed=tuple(c for c in before if c.name not in types_after),
            columns_retyped=tuple(
                (column, type_, types_after[column])
                for column, type_ in types_before.items()
                if types_after.get(column, type_) != type_
            ),
            rows_before=rows[0],
            rows_after=rows[1],
            rows_added=rows[2],
            rows_removed=rows[3],
            problem=problem,
        )

    def _row_changes(
        self, name: AssetName, step: Step
    ) -> tuple[int | None, int | None, int | None, int | None]:
        """Return rows before and after, added and removed, as multisets of whole rows."""
        new = self._computed(name)
        parameters = self._parameters(name)
        cursor = self.knowledge.engine.cursor()
        if step.last is None:
            return None, _count(cursor, f"({new})", parameters), None, None
        old = f"(from {self._scan(step.last.version.version)})"
        before, after = step.last.version.rows, _count(cursor, f"({new})", parameters)
        if step.facts is None or _types(step.facts.schema or ()) != _types(
            step.last.version.schema
        ):
            return before, after, None, None
        columns = ", ".join(quoted(column.name) for column in step.last.version.schema)
        made = f"(select {columns} from ({new}))"
        added = _count(cursor, f"({made} except all {old})", parameters)
        removed = _count(cursor, f"({old} except all {made})", parameters)
        return before, after, added, removed

    def _fetched(self, text: str, limit: int | None, parameters: Mapping[str, object]) -> Rows:
        return fetched(self.knowledge.engine.cursor(), text, limit, parameters)

    def _named(self, written: str) -> str:
        """Return the SQL that reads the published table or source of this name."""
        spelled = {folded(name): name for name in self._names()}
        name = spelled.get(folded(written))
        if name is None:
            raise UnknownTable(written, self._names())
        return self._read(name)

    def _files(self, query: Query) -> dict[str, str]:
        """Return for each file read of `query` the same one, relative to the project."""
        return {
            read.name: call_of(read).replace(
                "{paths}", quoted_paths([self.root / path for path in read.paths])
            )
            for read in query.file_reads
        }

    def _names(self) -> tuple[AssetName, ...]:
        graph = self.knowledge.analysis.graph
        return (*graph.assets, *graph.sources)

    def _read(self, name: AssetName) -> str:
        source = self.knowledge.sources.get(name)
        if source is not None and source.scan:
            return source.scan
        unseen = self.knowledge.unseen.get(name)
        if unseen is not None:
            raise unseen.error
        last = self.knowledge.past.published.get(AssetPartition(name))
        if last is None:
            raise NoPreview(name, "it was never materialized")
        if last.version.format != "parquet":
            raise NotATable(name, str(self.knowledge.data / last.version.path))
        return self._scan(last.version.version)

    def _scan(self, version: VersionId) -> str:
        stored = self.knowledge.versions[version]
        return scan_sql(self.knowledge.data, [(stored.path, stored.size_bytes)])

    def _computed(self, name: AssetName) -> str:
        """Return one query that computes `name` and all that is stale above it."""
        if name not in self._texts:
            asset = self.knowledge.analysis.graph.assets[name]
            if not isinstance(asset.body, SqlBody):
                raise NoPreview(name, "it is written in Python, and would have to run")
            query = self.knowledge.analysis.sql.query(asset)
            tables = {
                link.input.name: self._input(link.upstream)
                for link in self.knowledge.analysis.graph.links[name]
            }
            self._texts[name] = rewrite(query, tables, tables)
        return self._texts[name]

    def _input(self, upstream: AssetName) -> str:
        is_source = upstream in self.knowledge.analysis.graph.sources
        is_made = AssetPartition(upstream) in self.knowledge.past.published
        if is_source or (is_made and upstream not in self.stale):
            return self._read(upstream)
        return f"({self._computed(upstream)}\n)"

    def _parameters(self, name: AssetName) -> dict[str, object]:
        """Return the variables of `name` and of what its query may be composed of."""
        graph, sql = self.knowledge.analysis.graph, self.knowledge.analysis.sql
        found: dict[str, object] = {}
        text = self._texts.get(name, "")
        for other in (name, *graph.all_upstream([name])):
            asset = graph.assets.get(other)
            if asset is not None and isinstance(asset.body, SqlBody):
                values = sql.parameters(asset, sql.summary(asset))
                found |= {key: value for key, value in values.items() if f"${key}" in text}
        return found


def diffs(knowledge: Knowledge, root: Path, plan: Plan) -> tuple[StepDiff, ...]:
    """Return what each step of `plan` that runs would change."""
    running = [step for step in plan.steps if step.action in ("materialize", "may_materialize")]
    previews = Previews(knowledge, root, frozenset(step.target.asset for step in running))
    return tuple(previews.diff(step) for step in running)


def fetched(
    cursor: DuckDBPyConnection,
    text: str,
    limit: int | None = None,
    parameters: Mapping[str, object] | None = None,
) -> Rows:
    """Return what `text` gives on `cursor`, at most `limit` rows of it."""
    import duckdb

    bound = text if limit is None else f"from ({text}\n) limit {limit:d}"
    try:
        cursor.execute(bound, dict(parameters or {}) or None)
        columns = tuple(Column(one[0], str(one[1])) for one in cursor.description or ())
        return Rows(columns, tuple(map(tuple, cursor.fetchall())))
    except duckdb.Error as error:
        raise QueryFailed(str(error)) from error


def check_reads(text: str) -> None:
    """Raise NotARead unless `text` is one statement that only reads, as DuckDB says."""
    import duckdb

    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise QueryFailed(str(error)) from error
    kinds = [statement.type.name for statement in statements]
    if len(kinds) != 1 or kinds[0] not in ("SELECT", "EXPLAIN"):
        raise NotARead(kinds)


def tables_of(text: str) -> frozenset[str] | None:
    """Return what the query `text` reads, in small letters; None if views must serve it."""
    try:
        return frozenset(map(folded, parse_query(text).inputs))
    except (SqlDoesNotParse, NotOneQuery):
        return None


def _types(schema: tuple[Column, ...]) -> dict[str, str]:
    return {column.name: column.type for column in schema}


def _count(cursor: DuckDBPyConnection, table: str, parameters: Mapping[str, object]) -> int:
    query = f"select count(*) from {table}"
    (count,) = cursor.execute(query, dict(parameters) or None).fetchall()[0]
    return int(count)
