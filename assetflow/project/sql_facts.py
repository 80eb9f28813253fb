"""The facts of SQL assets: what a query says, given the schemas of its inputs."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assetflow.errors import AssetflowError, BadMacro, UnknownVariable
from assetflow.model.asset import Asset, SqlBody
from assetflow.model.columns import (
    EVERYTHING,
    EVERYTHING_ORDERED,
    Column,
    ColumnEdge,
    ReadSet,
    Schema,
)
from assetflow.model.declare import format_of
from assetflow.model.declared_inputs import Input
from assetflow.model.fingerprint import fingerprint
from assetflow.model.macros import Macro
from assetflow.model.names import PartitionKey, folded
from assetflow.model.partitions import RANGE, KeySet
from assetflow.project.analysis_cache import AnalysisCache
from assetflow.sql.macro_traits import MacroTraits, macro_traits
from assetflow.sql.query import FileRead, Qualifier, Query, TableReference, parse_query

if TYPE_CHECKING:
    from assetflow.sql.binder import Binder


@dataclass(frozen=True, slots=True)
class QuerySummary:
    """What deciding needs of a query's text alone; small, so that it can be cached.

    `files` are (name, call, globs) of what the query reads itself. `text` is what runs, ""
    where that is the user's own; `places` say where in it tables and files are read.
    """

    tables: tuple[str, ...]
    files: tuple[tuple[str, str, tuple[str, ...]], ...]
    parameters: tuple[str, ...]
    functions: tuple[str, ...]
    volatile: tuple[str, ...]
    order_dependent: tuple[str, ...]
    is_ordered: bool
    has_dynamic_columns: bool
    canonical: str
    frame: str
    projections: tuple[str, ...]
    text: str
    places: tuple[tuple[tuple[Any, ...], ...], ...]

    @classmethod
    def of(cls, query: Query, own_text: str = "") -> "QuerySummary":
        """Return the summary of `query`, its canonical form as a fingerprint."""
        files = {read.name: (read.name, call_of(read), read.paths) for read in query.file_reads}
        return cls(
            tables=query.inputs,
            files=tuple(files.values()),
            parameters=query.parameters,
            functions=query.functions,
            volatile=query.volatile,
            order_dependent=query.order_dependent,
            is_ordered=query.is_ordered,
            has_dynamic_columns=query.has_dynamic_columns,
            canonical=fingerprint(query.canonical),
            frame=fingerprint(query.frame),
            projections=tuple(map(fingerprint, query.projections)),
            text="" if query.text == own_text else query.text,
            places=tuple(
                tuple(map(_values, found))
                for found in (query.references, query.file_reads, query.qualifiers)
            ),
        )

    def runnable(self, own_text: str) -> Query:
        """Return as much of the query as is needed to run it."""
        references, file_reads, qualifiers = self.places
        return Query(
            self.text or own_text,
            references=tuple(TableReference(*each) for each in references),
            file_reads=tuple(FileRead(*each) for each in file_reads),
            qualifiers=tuple(Qualifier(*each) for each in qualifiers),
        )

    def as_json(self) -> dict[str, object]:
        """Return what `from_json` reads; what is empty is left out."""
        said = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in said.items() if value}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "QuerySummary":
        """Return the summary that `as_json` gave."""
        said = stored.get
        return cls(
            tables=tuple(said("tables", ())),
            files=tuple((name, call, tuple(globs)) for name, call, globs in said("files", ())),
            parameters=tuple(said("parameters", ())),
            functions=tuple(said("functions", ())),
            volatile=tuple(said("volatile", ())),
            order_dependent=tuple(said("order_dependent", ())),
            is_ordered="is_ordered" in stored,
            has_dynamic_columns="has_dynamic_columns" in stored,
            canonical=stored["canonical"],
            frame=stored["frame"],
            projections=tuple(said("projections", ())),
            text=said("text", ""),
            places=tuple(stored["places"]),
        )


@dataclass(frozen=True, slots=True)
class BoundQuery:
    """What a query gives and reads, once the schemas of its inputs are known.

    `described` is before the cast to types that can be stored.
    """

    described: Schema
    read_sets: Mapping[str, ReadSet]
    edges: tuple[ColumnEdge, ...]

    def as_json(self) -> dict[str, object]:
        """Return what `from_json` reads."""
        return {
            "schema": [[column.name, column.type] for column in self.described],
            "reads": [[n, r.columns, r.ordered] for n, r in self.read_sets.items()],
            "edges": self.edges,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "BoundQuery":
        """Return the bound query that `as_json` gave."""
        reads = {
            name: ReadSet(None if columns is None else tuple(columns), ordered)
            for name, columns, ordered in stored["reads"]
        }
        return cls(
            tuple(Column(*column) for column in stored["schema"]),
            reads,
            tuple(ColumnEdge(*edge) for edge in stored["edges"]),
        )


PARTITION_PARAMETERS: Mapping[str, object] = {
    "partition_start": datetime(2000, 1, 1),  # noqa: DTZ001 - local to the partition's zone
    "partition_end": datetime(2000, 1, 2),  # noqa: DTZ001
    "partition_key": "",
}
"""What a query can ask of the partition that it makes, each with a value of its type."""


def partition_values(keys: KeySet, made: Sequence[PartitionKey]) -> dict[str, object]:
    """Return what a query is told of the partitions that it makes, which follow one another."""
    return {
        "partition_start": keys.local_start(made[0]),
        "partition_end": keys.local_end(made[-1]),
        "partition_key": made[0] if len(made) == 1 else f"{made[0]}{RANGE}{made[-1]}",
    }


def _values(place: TableReference | FileRead | Qualifier) -> tuple[Any, ...]:
    """Return the values of the fields of `place`, in their order."""
    return tuple(getattr(place, name) for name in place.__slots__)


def _own_text(asset: Asset) -> str:
    """Return the query of `asset` as the user wrote it."""
    assert isinstance(asset.body, SqlBody)
    return asset.body.text


@dataclass(slots=True)
class SqlReader:
    """Reads queries and binds them, through caches; parses only what is not in them.

    `texts` has what texts say by themselves, `cache` what follows once columns are known.
    """

    texts: AnalysisCache
    cache: AnalysisCache
    macros: Sequence[Macro]
    variables: Mapping[str, str | int | float | bool]
    _queries: dict[str, Query] = field(default_factory=dict)
    _runnable: dict[str, Query] = field(default_factory=dict)
    _traits: dict[str, MacroTraits] = field(default_factory=dict)
    _types: dict[str, str] = field(default_factory=dict)
    _described: dict[str, Future[Schema]] = field(default_factory=dict)
    _binder: "Binder | None" = None

    def query(self, asset: Asset) -> Query:
        """Return the parsed query of `asset`."""
        body = asset.body
        assert isinstance(body, SqlBody)
        found = self._queries.get(asset.name)
        if found is None:
            found = parse_query(
                body.text, body.dialect, first_line=body.first_line, place=asset.location.path
            )
            self._queries[asset.name] = found
        return found

    def summary(self, asset: Asset) -> QuerySummary:
        """Return what the text of `asset` says; raises what is wrong with it."""
        key = self._text_key(asset)
        stored = self.texts.get(key)
        if stored is not None:
            return self._with_macros(QuerySummary.from_json(stored))
        query = self.query(asset)
        summary = QuerySummary.of(query, _own_text(asset))
        self.texts.put(key, summary.as_json())
        return self._with_macros(summary)

    def runnable(self, asset: Asset) -> Query:
        """Return of the query of `asset` what is needed to run it; mostly nothing is parsed."""
        found = self._runnable.get(asset.name)
        if found is None:
            found = self.summary(asset).runnable(_own_text(asset))
            self._runnable[asset.name] = found
        return found

    def _with_macros(self, summary: QuerySummary) -> QuerySummary:
        """Return `summary` with what the macros that it calls do behind its back."""
        traits = [self._traits_of(macro) for macro in self.used_macros(summary)]
        if not traits:
            return summary
        return replace(
            summary,
            volatile=(*summary.volatile, *(v for one in traits for v in one.volatile)),
            order_dependent=(
                *summary.order_dependent,
                *(o for one in traits for o in one.order_dependent),
            ),
        )

    def _traits_of(self, macro: Macro) -> MacroTraits:
        if macro.name not in self._traits:
            self._traits[macro.name] = macro_traits(macro)
        return self._traits[macro.name]

    def spelled_type(self, type_: str) -> str:
        """Return `type_` as DuckDB spells it: INT is INTEGER."""
        if type_ not in self._types:
            query = parse_query(f"select null::{type_} as x")
            (column,) = self._opened_binder().describe_unstored(query, {})
            self._types[type_] = column.type
        return self._types[type_]

    def known_type(self, type_: str) -> str | None:
        """Return `type_` as DuckDB spells it, None where it knows none; asked once."""
        key = fingerprint("type", type_)
        stored = self.texts.get(key)
        if stored is None:
            try:
                stored = {"type": self.spelled_type(type_)}
            except AssetflowError:
                return None
            self.texts.put(key, stored)
        return str(stored["type"])

    def pattern_problem(self, pattern: str) -> str:
        """Return why DuckDB cannot read a regular expression, "" if it can; asked once."""
        key = fingerprint("pattern", pattern)
        if self.texts.get(key) is None:
            problem = self._opened_binder().pattern_problem(pattern)
            if problem:
                return problem
            self.texts.put(key, {"pattern": len(pattern)})
        return ""

    def check_macros(self) -> None:
        """Raise BadMacro if a macro cannot be created; asked once for each text of them."""
        key = fingerprint("macros", *(macro.sql for macro in self.macros))
        if not self.macros or self.texts.get(key) is not None:
            return
        try:
            self._opened_binder()
        except BadMacro as error:
            place = next(macro.location for macro in self.macros if macro.name == error.name)
            raise BadMacro(error.name, error.says, str(place)) from None
        self.texts.put(key, {"macros": len(self.macros)})

    def used_macros(self, summary: QuerySummary) -> tuple[Macro, ...]:
        """Return the macros that a query calls, and those that they call, by name."""
        if not self.macros:
            return ()
        by_name = {folded(macro.name): macro for macro in self.macros}
        found: dict[str, Macro] = {}
        waiting = [name for name in summary.functions if name in by_name]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = by_name[name]
                text = folded(by_name[name].sql)
                waiting.extend(other for other in by_name if other in text)
        return tuple(found[name] for name in sorted(found))

    def parameters(self, asset: Asset, summary: QuerySummary) -> dict[str, object]:
        """Return the value of each variable that the query of `asset` uses.

        What it asks of the partition that is made is none, and comes with the step.
        """
        own = () if asset.options.partitions is None else PARTITION_PARAMETERS
        names = [name for name in summary.parameters if name not in own]
        for name in names:
            if name not in self.variables:
                raise UnknownVariable(name, asset.name, str(asset.location), self.variables)
        return {name: self.variables[name] for name in names}

    def bind(
        self,
        asset: Asset,
        summary: QuerySummary,
        inputs: Mapping[str, Schema],
    ) -> BoundQuery:
        """Return what the query of `asset` gives and reads over `inputs`, by name."""
        parameters = self._bound_parameters(asset, summary)
        key = self._bound_key(asset, summary, inputs, repr(parameters))
        stored = self.cache.get(key)
        if stored is not None:
            return BoundQuery.from_json(stored)
        described = self._described_once(key, asset, inputs, parameters)
        bound = self._bound(asset, inputs, described)
        self.cache.put(key, bound.as_json())
        return bound

    def describe_ahead(
        self, asset: Asset, summary: QuerySummary, inputs: Mapping[str, Schema]
    ) -> Schema:
        """Return what the query of `asset` gives, and keep it for when it is bound."""
        parameters = self._bound_parameters(asset, summary)
        key = self._bound_key(asset, summary, inputs, repr(parameters))
        return self._described_once(key, asset, inputs, parameters)

    def _bound_parameters(self, asset: Asset, summary: QuerySummary) -> dict[str, object]:
        parameters = self.parameters(asset, summary)
        asked = PARTITION_PARAMETERS.items() if asset.options.partitions is not None else ()
        return parameters | {name: value for name, value in asked if name in summary.parameters}

    def _described_once(
        self,
        key: str,
        asset: Asset,
        inputs: Mapping[str, Schema],
        parameters: Mapping[str, object],
    ) -> Schema:
        """Return what DuckDB describes; of two threads that ask, the second waits.

        An error names the file that it was found in, so each asset has to find its own.
        """
        own: Future[Schema] = Future()
        claimed = self._described.setdefault(key, own)
        if claimed is not own and claimed.exception() is None:
            return claimed.result()
        query = self.query(asset)
        try:
            found = self._opened_binder().describe_unstored(query, inputs, parameters, inputs)
        except BaseException as error:
            own.set_exception(error)
            raise
        own.set_result(found)
        return found

    def _bound(self, asset: Asset, inputs: Mapping[str, Schema], described: Schema) -> BoundQuery:
        from assetflow.sql.query_lineage import analyse

        query = self.query(asset)
        lineage = analyse(query, inputs, None if query.has_dynamic_columns else described)
        return BoundQuery(described, dict(lineage.read_sets), lineage.column_edges)

    def _opened_binder(self) -> "Binder":
        from assetflow.sql.binder import Binder

        if self._binder is None:
            self._binder = Binder({macro.name: macro.sql for macro in self.macros})
        return self._binder

    def _text_key(self, asset: Asset) -> str:
        body = asset.body
        assert isinstance(body, SqlBody)
        return fingerprint("text", body.text, body.dialect)

    def _bound_key(
        self,
        asset: Asset,
        summary: QuerySummary,
        inputs: Mapping[str, Schema],
        parameters: str,
    ) -> str:
        schemas = [
            fingerprint(name, *(part for column in inputs[name] for part in column[:2]))
            for name in sorted(inputs)
        ]
        macros = [macro.sql for macro in self.used_macros(summary)]
        return fingerprint("bound", self._text_key(asset), *schemas, "", *macros, "", parameters)


_READERS = {"parquet": "read_parquet", "json": "read_json_auto"}


def call_of(read: FileRead) -> str:
    """Return the SQL of a file read, with `{paths}` for where its paths stand."""
    function = read.function or _READERS.get(format_of(read.paths[0]) or "", "read_csv_auto")
    following = f", {read.arguments}" if read.arguments else ""
    return f"{function}({{paths}}{following})"


def read_set_of(summary: QuerySummary, bound: BoundQuery, name: str) -> ReadSet:
    """Return what is read of the input `name`; in order, where the result depends on order."""
    if summary.order_dependent:
        return EVERYTHING_ORDERED
    return bound.read_sets.get(name, EVERYTHING)


def query_parts(summary: QuerySummary, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the named fingerprints of a query whose output columns have `names`.

    Each column has its own where the select list tells which item gives which column.
    """
    if len(names) != len(summary.projections):
        return (("query", summary.canonical),)
    columns = zip(names, summary.projections, strict=True)
    return (("query", summary.frame), *((f"column {name}", item) for name, item in columns))


def sql_inputs(summary: QuerySummary, line: int) -> tuple[Input, ...]:
    """Return the inputs that a query names, tables and then files."""
    names = (*summary.tables, *(name for name, _, _ in summary.files))
    return tuple(Input(name, "sql", line=line) for name in names)
