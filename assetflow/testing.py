"""Unit tests for assets: a project in memory, without files, store or settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from assetflow.errors import ProjectErrors, UnknownTable
from assetflow.execution.compute import outputs_of
from assetflow.graph.inference import infer
from assetflow.model.asset import Asset, PythonBody, Source, SqlBody
from assetflow.model.context import AssetContext
from assetflow.model.declare import AssetFunction
from assetflow.model.declared_inputs import Location
from assetflow.model.names import AssetName, check_name
from assetflow.project.sql_facts import QuerySummary, sql_inputs
from assetflow.sql.query import parse_query, quoted, rewrite
from assetflow.warehouse.inputs import open_input
from assetflow.warehouse.returned import as_returned, declared_columns

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from assetflow.graph.graph import AssetGraph
    from assetflow.model.declared_inputs import Form

_PLACE = Location("test")


@dataclass
class InMemoryProject:
    """Some assets over data that a test gives; what they make stays in memory.

    `assets` are decorated functions; `queries` are SQL assets by name, as a text or the
    path of a .sql file; `data` are sources, or stand for assets that are not under test:
    rows (a list of dicts), Arrow tables or data frames. `takes` are the configs and
    resources that functions ask for, by parameter; `variables` and `macros` (`create macro`
    statements) are those that queries use.

    >>> project = InMemoryProject(
    ...     queries={"total": "select sum(amount)::int as amount from orders"},
    ...     data={"orders": [{"amount": 1}, {"amount": 2}]},
    ... )
    >>> project.read("total").to_pylist()
    [{'amount': 3}]
    """

    assets: Iterable[AssetFunction[..., Any]] = ()
    queries: Mapping[str, str | Path] = field(default_factory=dict)
    data: Mapping[str, object] = field(default_factory=dict)
    takes: Mapping[str, object] = field(default_factory=dict)
    variables: Mapping[str, object] = field(default_factory=dict)
    macros: Iterable[str] = ()
    made: list[str] = field(default_factory=list)
    """The names of what was made so far, in order."""

    def __post_init__(self) -> None:
        import duckdb

        self._connection = duckdb.connect(config={"python_enable_replacements": "false"})
        for macro in self.macros:
            self._connection.execute(macro)
        self._values: dict[str, Path] = {}
        self._graph = self._inferred()
        for name, value in self.data.items():
            self._keep(name, value, None)

    def read(self, name: str) -> pa.Table:
        """Return what the asset `name` gives; it and what it needs are made if they were not."""
        if name not in self._graph.assets and name not in self.data:
            raise UnknownTable(name, (*self._graph.assets, *self.data))
        self._make(AssetName(name))
        return self._connection.sql(f"from {quoted(name)}").to_arrow_table()

    def path(self, name: str) -> Path:
        """Return the file or folder that the asset `name` gives."""
        self._make(AssetName(name))
        return self._values[name]

    def _inferred(self) -> AssetGraph:
        declared = [one for function in self.assets for one in function.declarations]
        declared += [self._query_asset(name, text) for name, text in self.queries.items()]
        assets = [asset for asset in declared if asset.name not in self.data]
        sources = [Source(check_name(name), _PLACE) for name in self.data]
        graph, errors = infer(assets, sources, {one.name: self._inputs(one) for one in assets})
        if errors:
            raise ProjectErrors(errors)
        return graph

    @staticmethod
    def _query_asset(name: str, text: str | Path) -> Asset:
        from assetflow.project.sql_files import read_sql_asset

        if isinstance(text, Path):
            return read_sql_asset(str(text), text.name)
        return Asset(check_name(name), SqlBody(text), _PLACE)

    def _inputs(self, asset: Asset) -> tuple[Any, ...]:
        if isinstance(asset.body, SqlBody):
            return sql_inputs(QuerySummary.of(parse_query(asset.body.text)), 1)
        return tuple(one for one in asset.inputs if one.name not in self.takes)

    def _make(self, name: AssetName) -> None:
        if name in self.made or name not in self._graph.assets:
            return
        for upstream in self._graph.upstreams[name]:
            self._make(upstream)
        asset = self._graph.assets[name]
        if isinstance(asset.body, SqlBody):
            self._run_query(asset, asset.body)
        else:
            self._call(asset, asset.body)

    def _run_query(self, asset: Asset, body: SqlBody) -> None:
        query = parse_query(body.text, body.dialect)
        tables = {link.input.name: quoted(link.upstream) for link in self._graph.links[asset.name]}
        text = rewrite(query, tables)
        values = {name: self.variables[name] for name in query.parameters}
        self._connection.execute(f"create table {quoted(asset.name)} as {text}", values or None)
        self.made.append(asset.name)

    def _call(self, asset: Asset, body: PythonBody) -> None:
        arguments = {name: self.takes[name] for name in (*body.configs, *body.resources)}
        arguments |= {name: self.takes[name] for name in self.takes if self._is_asked(asset, name)}
        if body.context:
            arguments[body.context] = AssetContext(asset.name)
        for link in self._graph.links[asset.name]:
            arguments[link.input.name] = self._opened(
                link.upstream, link.input.form, link.input.columns
            )
        values = outputs_of(asset, body.function(**arguments))
        for name, value in zip(body.outputs or (asset.name,), values, strict=True):
            self._keep(name, value, asset)
            self.made.append(name)

    @staticmethod
    def _is_asked(asset: Asset, name: str) -> bool:
        return any(one.name == name for one in asset.inputs)

    def _opened(self, upstream: str, form: str, columns: tuple[str, ...] | None) -> object:
        if upstream in self._values:
            return self._values[upstream]
        if form == "value":
            return str(self.data[upstream])
        return open_input(self._connection, cast("Form", form), quoted(upstream), columns)

    def _keep(self, name: str, value: object, asset: Asset | None) -> None:
        if isinstance(value, Path):
            self._values[name] = value
            return
        if isinstance(value, str):
            return
        columns = asset.options.columns if asset else None
        connection: duckdb.DuckDBPyConnection = self._connection
        with as_returned(connection, value, columns) as returned:
            if returned.relation is not None:
                returned.relation.create(quoted(name))
                return
            declared = declared_columns(connection, returned, columns)
            projection = returned.projection(declared)
            connection.execute(
                f"create table {quoted(name)} as select {projection} from {returned.view}"
            )
