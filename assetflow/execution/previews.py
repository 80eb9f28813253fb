"""Queries over what is published now, and over what would be if it were made."""

from __future__ import annotations

import re
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
from assetflow.execution.cutting import Whole
from assetflow.execution.serving import scan_of
from assetflow.execution.source_states import joined_scan
from assetflow.graph.mapping import is_slice
from assetflow.metadata.outline import Served, served
from assetflow.model.asset import SqlBody
from assetflow.model.columns import Column
from assetflow.model.names import WHOLE, AssetName, AssetPartition, PartitionKey, folded
from assetflow.planning.facts import InputFacts
from assetflow.planning.pages import Rows, StepDiff
from assetflow.planning.plan import stored_targets
from assetflow.planning.steps import Plan, Step
from assetflow.project.sql_facts import call_of, partition_values
from assetflow.sql.query import Query, parse_query, quoted, rewrite
from assetflow.warehouse.quoting import quoted_paths

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from assetflow.execution.knowledge import Knowledge


_PARTITION_VALUE = re.compile(r"\$(partition_(?:start|end|key))\b")


@dataclass(slots=True)
class Previews:
    """Reads and computes without keeping anything. `stale` are assets to compute anew."""

    knowledge: Knowledge
    root: Path
    stale: frozenset[AssetPartition] = frozenset()
    _texts: dict[AssetPartition, str] = field(default_factory=dict)
    _values: dict[str, object] = field(default_factory=dict)
    _served: dict[AssetName, tuple[Served, ...]] = field(default_factory=dict)

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

    def preview(self, name: AssetName, limit: int, partition: PartitionKey = WHOLE) -> Rows:
        """Return rows that a SQL asset would give now, whether it was ever made or not.

        Of what is not SQL, what is there.
        """
        asset = self.knowledge.analysis.graph.assets.get(name)
        target = AssetPartition(name, partition)
        if target.partition not in self.knowledge.slices.keys[name]:
            raise NoPreview(name, "it has no partition yet")
        if asset is None or not isinstance(asset.body, SqlBody):
            return self._fetched(f"from {self._slice(target)}", limit, {})
        return self._fetched(self._computed(target), limit, self._parameters(target))

    def diff(self, step: Step) -> StepDiff:
        """Return what `step` would do to columns and rows of the published version."""
        last = step.last
        after = step.facts.schema if step.facts else None
        before = last.version.schema if last else ()
        try:
            rows = self._row_changes(step)
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

    def _row_changes(self, step: Step) -> tuple[int | None, int | None, int | None, int | None]:
        """Return rows before and after, added and removed, as multisets of whole rows."""
        new = self._computed(step.target)
        parameters = self._parameters(step.target)
        cursor = self.knowledge.engine.cursor()
        if step.last is None:
            return None, _count(cursor, f"({new})", parameters), None, None
        old = f"(from {self.knowledge.scan(step.target.asset, [step.last.version])})"
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
        """Return the SQL that reads all that is published of an asset, or a whole source."""
        for target, unseen in self.knowledge.unseen.items():
            if target.asset == name:
                raise unseen.error
        states = [state for state in self.knowledge.states_of(name) if state.scan]
        if states:
            return joined_scan(states)
        parts = self._parts(name)
        if not parts:
            raise NoPreview(name, "it was never materialized")
        if parts[0].format != "parquet":
            raise NotATable(name, str(self.knowledge.data / parts[0].path))
        key_column = self.knowledge.graph.assets[name].options.key_column
        return scan_of(self.knowledge.data, parts, key_column)

    def _slice(self, target: AssetPartition) -> str:
        """Return the SQL that reads what there is of one partition of an asset or a source."""
        name = target.asset
        if target in self.knowledge.sources:
            return self.knowledge.sources[target].scan or self._read(name)
        if not target.partition:
            return self._read(name)
        parts = [part for part in self._parts(name) if part.partition == target.partition]
        if not parts or parts[0].format != "parquet":
            raise NoPreview(name, "nothing is published of it", target.partition)
        key_column = self.knowledge.graph.assets[name].options.key_column
        return scan_of(self.knowledge.data, parts, key_column)

    def _parts(self, name: AssetName) -> tuple[Served, ...]:
        if name not in self._served:
            found = served(self.knowledge.state, self.knowledge.environment, [name])
            self._served[name] = found.get(name, ())
        return self._served[name]

    def _computed(self, target: AssetPartition) -> str:
        """Return one query that computes `target` and all that is stale above it."""
        if target not in self._texts:
            asset = self.knowledge.graph.assets[target.asset]
            if not isinstance(asset.body, SqlBody):
                raise NoPreview(target.asset, "it is written in Python, and would have to run")
            query = self.knowledge.analysis.sql.query(asset)
            uses = self.knowledge.facts[target.asset].inputs
            tables = {use.name: self._input(target, use) for use in uses}
            self._texts[target] = self._with_own_values(rewrite(query, tables, tables), target)
        return self._texts[target]

    def _with_own_values(self, text: str, target: AssetPartition) -> str:
        """Let the query of `target` ask for the values of its own partition, wherever it stands."""
        keys = self.knowledge.slices.keys[target.asset]
        place = len(self._texts)
        found = partition_values(keys, [target.partition])
        self._values |= {f"{name}_{place}": value for name, value in found.items()}
        return _PARTITION_VALUE.sub(rf"$\1_{place}", text)

    def _input(self, target: AssetPartition, use: InputFacts) -> str:
        """Return the SQL of what `target` reads of an input, computed where it is stale."""
        scan = self._whole_input(target, use)
        if not is_slice(use.mapping):
            return scan
        schema = self.knowledge.schema_of(use.upstream)
        keys = (target.partition,)
        return self.knowledge.cut_scan(target.asset, use.upstream, keys, Whole(scan, schema))

    def _whole_input(self, target: AssetPartition, use: InputFacts) -> str:
        if use.upstream in self.knowledge.graph.sources:
            return self._source(target, use)
        wanted = stored_targets(self.knowledge.slices, target, use)
        there = {part.partition: part for part in self._parts(use.upstream)}
        kept = [there[o.partition] for o in wanted if o.partition in there and o not in self.stale]
        made = [one for one in wanted if one.partition not in there or one in self.stale]
        texts = [f"({self._computed(one)}\n)" for one in made]
        if kept:
            key_column = self.knowledge.graph.assets[use.upstream].options.key_column
            texts.append(scan_of(self.knowledge.data, kept, key_column))
        if not texts:
            raise NoPreview(target.asset, f"there is nothing of {use.upstream!r} that it reads")
        joined = " union all by name ".join(f"from {text}" for text in texts)
        return texts[0] if len(texts) == 1 else f"({joined})"

    def _source(self, target: AssetPartition, use: InputFacts) -> str:
        wanted = stored_targets(self.knowledge.slices, target, use)
        states = [self.knowledge.sources[one] for one in wanted if one in self.knowledge.sources]
        return joined_scan(states) if states else self._read(use.upstream)

    def _parameters(self, target: AssetPartition) -> dict[str, object]:
        """Return what `target`, and what its query may be composed of, asks for."""
        graph, sql = self.knowledge.graph, self.knowledge.analysis.sql
        text = self._texts.get(target, "")
        found = {key: one for key, one in self._values.items() if f"${key}" in text}
        for other in (target.asset, *graph.all_upstream([target.asset])):
            asset = graph.assets.get(other)
            if asset is not None and isinstance(asset.body, SqlBody):
                values = sql.parameters(asset, sql.summary(asset))
                found |= {key: value for key, value in values.items() if f"${key}" in text}
        return found


def diffs(knowledge: Knowledge, root: Path, plan: Plan) -> tuple[StepDiff, ...]:
    """Return what each step of `plan` that runs would change."""
    running = [step for step in plan.steps if step.action in ("materialize", "may_materialize")]
    previews = Previews(knowledge, root, frozenset(step.target for step in running))
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
