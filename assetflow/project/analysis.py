"""From declarations to the graph and to the facts that deciding needs."""

import contextlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from assetflow.errors import (
    AssetflowError,
    DeclaredColumns,
    ProjectErrors,
    UnknownColumn,
    UnknownType,
    WrongForm,
)
from assetflow.graph.graph import AssetGraph, Link
from assetflow.graph.inference import infer
from assetflow.graph.mapping import WHOLE_TO_WHOLE, PartitionMapping
from assetflow.model.asset import Asset, PythonBody, Source, SqlBody
from assetflow.model.checks import check_fingerprint
from assetflow.model.columns import EVERYTHING, ReadSet, Schema
from assetflow.model.config import Config, config_key
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import AssetName, CodeVersion, folded
from assetflow.planning.facts import AssetFacts, InputFacts
from assetflow.project.analysis_cache import AnalysisCache
from assetflow.project.attached_checks import attach
from assetflow.project.check_columns import check_problems
from assetflow.project.closure import DUMP_RULES, Closer
from assetflow.project.code_extras import extra_parts
from assetflow.project.loading import Declarations
from assetflow.project.partition_mappings import resolve_all
from assetflow.project.sql_facts import (
    QuerySummary,
    SqlReader,
    query_parts,
    read_set_of,
    sql_inputs,
)
from assetflow.sql.query import CANONICALIZER, parse_query
from assetflow.sql.types import stored_schema

Parts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What an asset looks like to those that read it.

    `schema` is None while it is not known; `is_expected` says that it is an older
    version's, of an asset that will be made again.
    """

    schema: Schema | None = None
    ordered: bool = False
    is_expected: bool = False


@dataclass(slots=True)
class Analysis:
    """The graph of a project, and the facts of each asset given the shapes of its inputs.

    `texts` is for what queries say by themselves, `cache` for what follows from columns.
    """

    declarations: Declarations
    texts: AnalysisCache
    cache: AnalysisCache
    configs: Mapping[tuple[str, str], Config]
    graph: AssetGraph = field(init=False)
    errors: tuple[AssetflowError, ...] = field(init=False)
    sql: SqlReader = field(init=False)
    _summaries: dict[AssetName, QuerySummary] = field(default_factory=dict)
    _python: dict[AssetName, tuple[Parts, tuple[str, ...]]] = field(default_factory=dict)
    _closer: Closer = field(init=False)

    def __post_init__(self) -> None:
        made = self.declarations
        variables = {
            **made.settings.variables,
            **made.settings.environment(made.environment).variables,
        }
        self.sql = SqlReader(self.texts, self.cache, made.macros, variables)
        self._closer = Closer(made.modules, made.root)
        problems: list[AssetflowError] = []
        problems.extend(self._macro_problems())
        assets, wrong_checks = attach(made, self.sql, self._closer)
        problems.extend(wrong_checks)
        made = self.declarations = replace(made, assets=assets)
        inputs = {asset.name: self._inputs(asset, problems) for asset in made.assets}
        sources = (*made.sources, *self._inline_sources())
        graph, wrong = infer(made.assets, sources, inputs)
        self.graph = replace(graph, mappings=resolve_all(graph, problems, made.settings.timezone))
        for asset in self.graph.assets.values():
            if isinstance(asset.body, PythonBody):
                problems.extend(self._closing_problems(asset))
        problems.extend(self._form_problems())
        problems.extend(self._type_problems())
        self.errors = (*problems, *wrong)

    def save(self) -> None:
        """Keep what was worked out for the next process."""
        self.texts.save()
        self.cache.save()

    def _macro_problems(self) -> Iterator[AssetflowError]:
        try:
            self.sql.check_macros()
        except AssetflowError as error:
            yield error

    def _form_problems(self) -> Iterator[AssetflowError]:
        """Yield an error for each input that cannot come in the form that is asked for."""
        for name, links in self.graph.links.items():
            for link in links:
                source = self.graph.sources.get(link.upstream)
                has_answer = source is not None and source.observe is not None
                if has_answer != (link.input.form == "value"):
                    place = Location(self.graph.assets[name].location.path, link.input.line)
                    yield WrongForm(link.upstream, name, str(place), has_answer=has_answer)

    def _type_problems(self) -> Iterator[AssetflowError]:
        """Yield an error for each declared column whose type DuckDB does not know."""
        made = self.declarations
        declared: list[tuple[str, Location, Schema]] = [
            *((asset.name, asset.location, asset.options.columns or ()) for asset in made.assets),
            *((source.name, source.location, source.columns or ()) for source in made.sources),
        ]
        for name, place, columns in declared:
            for column in columns:
                if self.sql.known_type(column.type) is None:
                    yield UnknownType(column.name, column.type, name, str(place))

    def _closing_problems(self, asset: Asset) -> Iterator[AssetflowError]:
        try:
            self._closed(asset)
        except AssetflowError as error:
            yield error

    def describe_ahead(self, shapes: Mapping[AssetName, Shape]) -> None:
        """Describe the queries down the graph, as far as their inputs' columns are known.

        DuckDB does this while another thread works out the lineage of what is described.
        An error is left to whoever asks for the facts.
        """
        known = {name: shape.schema for name, shape in shapes.items() if shape.schema}
        for name, asset in self.graph.assets.items():
            inputs = {link.input.name: known.get(link.upstream) for link in self.graph.links[name]}
            if isinstance(asset.body, PythonBody):
                if asset.options.columns:
                    known[name] = asset.options.columns
            elif all(inputs.values()) and not self._summaries[name].has_dynamic_columns:
                schemas = {one: schema for one, schema in inputs.items() if schema}
                with contextlib.suppress(AssetflowError):
                    found = self.sql.describe_ahead(asset, self._summaries[name], schemas)
                    known[name] = stored_schema(found)

    def facts(self, name: AssetName, shapes: Mapping[AssetName, Shape]) -> AssetFacts:
        """Return the facts of asset `name`; a query that does not bind gives a `problem`."""
        asset = self.graph.assets[name]
        links = self.graph.links[name]
        if isinstance(asset.body, SqlBody):
            facts = self._sql_facts(asset, links, shapes)
        else:
            facts = self._python_facts(asset, links, shapes)
        if facts.problem is not None or not asset.options.checks:
            return facts
        return replace(facts, problem=self._check_problem(asset, facts.schema, shapes))

    def _check_problem(
        self, asset: Asset, schema: Schema | None, shapes: Mapping[AssetName, Shape]
    ) -> AssetflowError | None:
        """Return what in the checks of `asset` does not fit the columns that are known."""
        read = {AssetName(item.upstream) for one in asset.options.checks for item in one.inputs}
        schemas = {
            name: shapes[name].schema
            for name in read
            if name in shapes and not shapes[name].is_expected
        }
        known = {name: one for name, one in {**schemas, asset.name: schema}.items() if one}
        key = _fit_key(asset, known)
        if self.cache.get(key) is not None:
            return None
        found = tuple(check_problems(asset, known, self.sql))
        if not found:
            self.cache.put(key, {"checks": len(asset.options.checks)})
            return None
        return found[0] if len(found) == 1 else ProjectErrors(found)

    def is_shapeless(self, name: AssetName) -> bool:
        """Whether the columns of asset `name` show only when it is made."""
        asset = self.graph.assets[name]
        if isinstance(asset.body, SqlBody):
            return self._summaries[name].has_dynamic_columns
        return not asset.options.columns

    def is_volatile(self, name: AssetName) -> bool:
        """Whether asset `name` can give other data on the same key."""
        asset = self.graph.assets[name]
        if isinstance(asset.body, SqlBody):
            return asset.options.volatile or bool(self._summaries[name].volatile)
        return asset.options.volatile or not self.graph.links[name]

    def _inputs(self, asset: Asset, problems: list[AssetflowError]) -> tuple[Input, ...]:
        if isinstance(asset.body, PythonBody):
            return (*asset.inputs, *self._declared_optionals(asset.body))
        try:
            return self._summed(asset)
        except AssetflowError as error:
            problems.append(error)
        return ()

    def _declared_optionals(self, body: PythonBody) -> tuple[Input, ...]:
        """Return the parameters with a default that do name an asset or source."""
        made = self.declarations
        declared: tuple[Asset | Source, ...] = (*made.assets, *made.sources)
        names = {folded(one.name) for one in declared}
        return tuple(item for item in body.optional if folded(item.upstream or item.name) in names)

    def _summed(self, asset: Asset) -> tuple[Input, ...]:
        summary = self.sql.summary(asset)
        self.sql.parameters(asset, summary)
        self._summaries[asset.name] = summary
        return sql_inputs(summary, asset.location.line)

    def _inline_sources(self) -> list[Source]:
        """Return a source for each file read of a query."""
        locations = {asset.name: asset.location for asset in self.declarations.assets}
        found = {
            read: Source(AssetName(read), locations[name], path=read, reads=globs, call=call)
            for name, summary in self._summaries.items()
            for read, call, globs in summary.files
        }
        return [found[read] for read in sorted(found)]

    def _sql_facts(
        self,
        asset: Asset,
        links: Sequence[Link],
        shapes: Mapping[AssetName, Shape],
    ) -> AssetFacts:
        summary = self._summaries[asset.name]
        known = {link.input.name: shapes.get(link.upstream, Shape()) for link in links}
        facts = AssetFacts(
            asset=asset.name,
            code_version=CodeVersion(""),
            inputs=self._unbound(asset, links),
            settings=self._settings(asset, summary),
            ordered=summary.is_ordered or asset.options.ordered,
            is_volatile=self.is_volatile(asset.name),
            is_expected=any(shape.is_expected for shape in known.values()),
            notes=_sql_notes(summary),
        )
        schemas = {name: shape.schema for name, shape in known.items() if shape.schema is not None}
        if len(schemas) < len(known):
            return replace(facts, is_settled=False)
        try:
            bound = self.sql.bind(asset, summary, schemas)
            schema = None if summary.has_dynamic_columns else stored_schema(bound.described)
            self._check_declared(asset, bound.described)
        except AssetflowError as error:
            error.facts.setdefault("at", asset.location)
            return replace(facts, problem=error)
        parts = (*self._sql_parts(asset, summary, schema), *self._extras(asset))
        return replace(
            facts,
            code_version=_code_version(parts),
            parts=parts,
            inputs=tuple(
                InputFacts(
                    link.input.name,
                    link.upstream,
                    "sql",
                    read_set_of(summary, bound, link.input.name),
                    self._mapping(asset, link),
                )
                for link in links
            ),
            schema=schema,
            described=bound.described if schema else None,
            column_edges=bound.edges if schema else (),
        )

    def _check_declared(self, asset: Asset, described: Schema) -> None:
        """Raise DeclaredColumns where a query gives other columns than the asset declares."""
        given = {folded(column.name): column.type for column in described}
        declared = asset.options.columns or ()
        differing = [
            (column.name, column.type, given.get(folded(column.name), ""))
            for column in declared
            if given.get(folded(column.name)) != self.sql.known_type(column.type)
        ]
        if asset.options.contract == "exact":
            known = {folded(column.name) for column in declared}
            more = [column for column in described if folded(column.name) not in known]
            differing += [(column.name, "", column.type) for column in more]
        if differing:
            raise DeclaredColumns(asset.name, differing)

    def _sql_parts(self, asset: Asset, summary: QuerySummary, schema: Schema | None) -> Parts:
        columns = fingerprint(*(part for column in schema or () for part in column[:2]))
        macros = self.sql.used_macros(summary)
        ordered = [("ordered", "yes")] if asset.options.ordered else []
        return (
            *query_parts(summary, [column.name for column in schema or ()]),
            ("output columns", columns),
            *ordered,
            *((f"macro {macro.name}", fingerprint(macro.sql)) for macro in macros),
        )

    def _settings(self, asset: Asset, summary: QuerySummary | None = None) -> Parts:
        """Return the settings and bound values that a trace of `asset` records."""
        zone = [("time zone", self.declarations.settings.timezone)]
        if summary is not None:
            values = self.sql.parameters(asset, summary)
            return (*zone, *((f"${name}", repr(value)) for name, value in sorted(values.items())))
        assert isinstance(asset.body, PythonBody)
        configs = [
            (f"{parameter}.{name}", value)
            for parameter in asset.body.configs
            for name, value in config_key(self.configs[asset.name, parameter])
        ]
        return (*zone, *configs)

    def _python_facts(
        self, asset: Asset, links: Sequence[Link], shapes: Mapping[AssetName, Shape]
    ) -> AssetFacts:
        closed, outside = self._closed(asset)
        parts = (*closed, *self._extras(asset))
        options = asset.options
        is_volatile = self.is_volatile(asset.name)
        covered = is_volatile or options.files or options.env
        return AssetFacts(
            asset=asset.name,
            problem=_unknown_column(asset, links, shapes),
            code_version=_code_version(parts),
            parts=parts,
            inputs=tuple(self._python_input(asset, link, shapes) for link in links),
            settings=self._settings(asset),
            schema=options.columns,
            ordered=options.ordered,
            is_volatile=is_volatile,
            is_expected=any(shapes.get(link.upstream, Shape()).is_expected for link in links),
            notes=() if covered else outside,
        )

    def _python_input(
        self, asset: Asset, link: Link, shapes: Mapping[AssetName, Shape]
    ) -> InputFacts:
        """Return the input of a function: declared columns or all, in order if it has one."""
        shape = shapes.get(link.upstream, Shape())
        columns = link.input.columns
        read_set = (
            ReadSet(ordered=shape.ordered)
            if columns is None
            else ReadSet.of(columns, ordered=shape.ordered)
        )
        return InputFacts(
            name=link.input.name,
            upstream=link.upstream,
            form=link.input.form,
            read_set=read_set,
            mapping=self._mapping(asset, link),
            columns=_columns_read(shape.schema or (), columns),
        )

    def _unbound(self, asset: Asset, links: Sequence[Link]) -> tuple[InputFacts, ...]:
        return tuple(
            InputFacts(
                link.input.name, link.upstream, "sql", EVERYTHING, self._mapping(asset, link)
            )
            for link in links
        )

    def _mapping(self, asset: Asset, link: Link) -> PartitionMapping:
        return self.graph.mappings.get((asset.name, link.input.name), WHOLE_TO_WHOLE)

    def _closed(self, asset: Asset) -> tuple[Parts, tuple[str, ...]]:
        """Return the parts of the code that `asset` reaches, and what it reads outside."""
        found = self._python.get(asset.name)
        if found is None:
            assert isinstance(asset.body, PythonBody)
            closure = self._closer.close_over(asset.body.function, ignore=asset.options.ignore)
            parts = closure.versions
            if asset.body.outputs:
                parts = (*parts, ("output", asset.name))
            notes = tuple(f"reads the outside: {read}" for read in closure.outside)
            found = self._python[asset.name] = (parts, notes)
        return found

    def source_text(self, asset: Asset) -> str:
        """Return the text of `asset` as its author wrote it: the query, or the function."""
        if isinstance(asset.body, SqlBody):
            return asset.body.text
        return inspect.getsource(inspect.unwrap(asset.body.function))

    def code_version_by_rules_of_now(
        self, asset: Asset, source: str, parts: Mapping[str, str]
    ) -> CodeVersion | None:
        """Return the code version that an earlier definition of `asset` has by today's rules.

        `source` and `parts` are as they were recorded under other rules, of which only
        those that make the canonical form of a query differ. None for Python, whose rules
        are our own, and for a text that is no query any more.
        """
        if not isinstance(asset.body, SqlBody):
            return None
        try:
            query = parse_query(source, asset.body.dialect)
        except AssetflowError:
            return None
        names = [name.removeprefix("column ") for name in parts if name.startswith("column ")]
        again = dict(query_parts(QuerySummary.of(query), names))
        return _code_version(tuple((name, again.get(name, made)) for name, made in parts.items()))

    @staticmethod
    def rules(asset: Asset) -> str:
        """Return the id of the rules by which the code version of `asset` is made."""
        return CANONICALIZER if isinstance(asset.body, SqlBody) else DUMP_RULES

    def _extras(self, asset: Asset) -> Parts:
        return extra_parts(asset, Path(self.declarations.root))


def _fit_key(asset: Asset, schemas: Mapping[AssetName, Schema]) -> str:
    """Return under which key it is kept that the checks of `asset` fit these columns."""
    texts = [
        fingerprint(name, *(part for column in schemas[name] for part in column[:2]))
        for name in sorted(schemas)
    ]
    checks = map(check_fingerprint, asset.options.checks)
    return fingerprint("checks fit", asset.name, *texts, "", *checks)


def _columns_read(schema: Schema, names: Sequence[str] | None) -> str:
    """Return the fingerprint of the columns of `schema` that a function reads, None for all."""
    wanted = None if names is None else set(map(folded, names))
    read = [one for one in schema if wanted is None or folded(one.name) in wanted]
    return fingerprint(*(part for column in read for part in column[:2]))


def _unknown_column(
    asset: Asset, links: Sequence[Link], shapes: Mapping[AssetName, Shape]
) -> AssetflowError | None:
    """Return what is wrong with the columns that a function says it reads, if they are known."""
    for link in links:
        schema = shapes.get(link.upstream, Shape()).schema
        known = {folded(column.name) for column in schema or ()}
        for name in link.input.columns or ():
            if known and schema and folded(name) not in known:
                names = [column.name for column in schema]
                return UnknownColumn(name, link.upstream, asset.name, str(asset.location), names)
    return None


def _code_version(parts: Parts) -> CodeVersion:
    return CodeVersion(fingerprint(*(text for part in parts for text in part)))


def _sql_notes(summary: QuerySummary) -> tuple[str, ...]:
    volatile = tuple(f"uses {name}: it can give other data each time" for name in summary.volatile)
    ordered = tuple(f"depends on the order of rows: {name}" for name in summary.order_dependent)
    return (*volatile, *ordered)
