"""All checks of each asset, wherever they are declared: what they read, what they are made of.

Here belongs what is wrong with a check by itself; whether it fits the columns: `check_columns`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from assetflow.errors import (
    AssetflowError,
    BadCondition,
    BadPattern,
    CheckOfWhichAsset,
    NotOneQuery,
    SqlDoesNotParse,
    UnfitCheckQuery,
    UnknownCheckedAsset,
    UnknownInput,
    UnknownType,
    WrongForm,
)
from assetflow.model.asset import Asset, Source, SqlBody
from assetflow.model.check_options import twice_named
from assetflow.model.checks import Argument, Check, CheckOf, FunctionCheck, QueryCheck
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import AssetName, folded
from assetflow.project.closure import Closer
from assetflow.project.loading import Declarations
from assetflow.project.sql_facts import QuerySummary, SqlReader
from assetflow.sql.query import quoted

_OF_TYPES = ("column_types", "contract")


def as_asset(asset: AssetName, check: Check, text: str, first_line: int = 1) -> Asset:
    """Return a query of `check` as the asset that it would be: so it is read and bound."""
    place = check.location or Location("")
    name = AssetName(f"{asset} check {check.name} {fingerprint(text)}")
    return Asset(name, SqlBody(text, first_line=first_line), place)


def conditions(check: Check) -> tuple[str, ...]:
    """Return the conditions in SQL that `check` holds: its `where`, its expression."""
    told = (check.where, check.argument("sql") if check.kind == "expression" else None)
    return tuple(str(text) for text in told if text)


def condition_query(asset: AssetName, check: Check, condition: str) -> Asset:
    """Return the query that asks for the rows of `asset` for which `condition` holds.

    The rows have no name of their own there, since they have none when they are asked.
    """
    rows = f"(from {quoted(asset)}) as assetflow_rows"
    return as_asset(asset, check, f"select 1 as holds from {rows} where (\n{condition}\n)")


def bad_condition(
    asset: AssetName, check: Check, condition: str, error: AssetflowError
) -> BadCondition:
    """Return what is wrong with a condition in SQL, as the error of the query that asks it says."""
    why = str(error.facts.get("says", error.headline))
    return BadCondition(check.name, asset, condition, why, check.location)


def attach(
    declared: Declarations, sql: SqlReader, closer: Closer
) -> tuple[tuple[Asset, ...], tuple[AssetflowError, ...]]:
    """Return the assets with all their checks, and what is wrong with these.

    A check that cannot work is left out.
    """
    attaching = _Attaching(declared, sql, closer)
    apart = attaching.apart()
    assets = tuple(
        attaching.with_checks(asset, apart.get(asset.name, ())) for asset in declared.assets
    )
    return assets, tuple(attaching.errors)


@dataclass(slots=True)
class _Attaching:
    """One project's checks on their way to its assets."""

    declared: Declarations
    sql: SqlReader
    closer: Closer
    errors: list[AssetflowError] = field(default_factory=list)
    _assets: dict[str, Asset] = field(init=False)
    _sources: dict[str, Source] = field(init=False)

    def __post_init__(self) -> None:
        self._assets = {folded(asset.name): asset for asset in self.declared.assets}
        self._sources = {folded(source.name): source for source in self.declared.sources}

    def apart(self) -> Mapping[AssetName, Sequence[Check]]:
        """Return the checks that stand apart from their assets, by these."""
        found: dict[AssetName, list[Check]] = {}
        for one in self.declared.checks:
            try:
                found.setdefault(self._target(one), []).append(one.check)
            except AssetflowError as error:
                self.errors.append(error)
        return found

    def with_checks(self, asset: Asset, apart: Sequence[Check]) -> Asset:
        """Return `asset` with its own checks and those `apart`, as far as they can work."""
        told = (*asset.options.checks, *apart)
        if not told:
            return asset
        placed = [
            check if check.location else replace(check, location=asset.location) for check in told
        ]
        self.errors.extend(twice_named(placed, f"asset {asset.name!r}"))
        found = []
        for check in placed:
            try:
                found.append(self._resolved(asset, check))
            except AssetflowError as error:
                self.errors.append(error)
        if all(one is own for one, own in zip_longest(found, asset.options.checks)):
            return asset
        return replace(asset, options=replace(asset.options, checks=tuple(found)))

    def _target(self, one: CheckOf) -> AssetName:
        """Return the asset that is checked; of a query that says none, the one that it reads."""
        place = str(one.check.location)
        name = one.asset or self._read_by(one.check, place)
        asset = self._assets.get(folded(name))
        if asset is None:
            is_source = folded(name) in self._sources
            names = [known.name for known in self._assets.values()]
            raise UnknownCheckedAsset(one.check.name, name, place, names, is_source=is_source)
        return asset.name

    def _read_by(self, check: Check, place: str) -> str:
        tables = self._summary(AssetName(""), check).tables
        names = [self._assets[folded(name)].name for name in tables if folded(name) in self._assets]
        if len(names) != 1:
            known = {*self._assets, *self._sources}
            unknown = (name for name in tables if folded(name) not in known)
            raise CheckOfWhichAsset(check.name, place, names, unknown)
        return names[0]

    def _resolved(self, asset: Asset, check: Check) -> Check:
        """Return `check` with all that is known only of the whole project."""
        self._refuse_pattern(asset, check)
        match check.body:
            case FunctionCheck() as body:
                check = self._function(check, body)
            case QueryCheck():
                check = self._query(asset, check)
            case None if conditions(check):
                check = self._conditional(asset, check)
        if check.kind in _OF_TYPES:
            check = replace(check, arguments=tuple(self._spelled(asset, check)))
        if check.inputs:
            check = replace(check, inputs=tuple(self._reading(asset, check)))
        return check

    def _function(self, check: Check, body: FunctionCheck) -> Check:
        closure = self.closer.close_over(body.function, ignore=body.ignore)
        optional = (item for item in body.optional if self._upstream(item))
        return replace(
            check,
            body=replace(body, fingerprint=closure.fingerprint),
            inputs=(*check.inputs, *optional),
            is_volatile=bool(closure.outside),
        )

    def _query(self, asset: Asset, check: Check) -> Check:
        """Return a check by query with what its text says."""
        body = check.body
        assert isinstance(body, QueryCheck)
        summary = self._summary(asset.name, check)
        self._refuse_more(asset, check, summary)
        line = check.location.line if check.location else 1
        inputs = tuple(Input(name, "sql", line=line) for name in summary.tables)
        canonical = fingerprint(*self._canonical(summary))
        return replace(
            check,
            inputs=inputs,
            canonical=canonical,
            is_volatile=bool(summary.volatile),
            body=replace(body, is_order_dependent=bool(summary.order_dependent)),
        )

    def _conditional(self, asset: Asset, check: Check) -> Check:
        """Return a check with conditions in SQL with what these say."""
        parts, volatile = list[str](), False
        for condition in conditions(check):
            summary = self._read(asset, check, condition)
            self._refuse_more(asset, check, summary)
            self._refuse_tables(asset, check, summary)
            parts += [*self._canonical(summary), ""]
            volatile = volatile or bool(summary.volatile)
        return replace(check, canonical=fingerprint(*parts), is_volatile=volatile)

    def _summary(self, asset: AssetName, check: Check) -> QuerySummary:
        assert isinstance(check.body, QueryCheck)
        return self.sql.summary(as_asset(asset, check, check.body.text, check.body.first_line))

    def _read(self, asset: Asset, check: Check, condition: str) -> QuerySummary:
        try:
            return self.sql.summary(condition_query(asset.name, check, condition))
        except (SqlDoesNotParse, NotOneQuery) as error:
            raise bad_condition(asset.name, check, condition, error) from None

    def _canonical(self, summary: QuerySummary) -> Iterator[str]:
        yield summary.canonical
        yield from (macro.sql for macro in self.sql.used_macros(summary))

    def _refuse_more(self, asset: Asset, check: Check, summary: QuerySummary) -> None:
        """Raise where SQL of a check asks for what only that of an asset is given."""
        if summary.files:
            hint = "Declare the files with source(...), and read that."
            raise self._unfit(asset, check, "reads files itself", hint)
        if summary.parameters:
            name = summary.parameters[0]
            hint = "Write the value out."
            raise self._unfit(
                asset, check, f"has the parameter ${name}, which it is not given", hint
            )

    def _refuse_tables(self, asset: Asset, check: Check, summary: QuerySummary) -> None:
        """Raise where a condition is not about the values of one row."""
        references, *_ = summary.places
        if len(references) > 1:
            is_own = len(summary.tables) == 1
            does = f"reads {'its own table' if is_own else 'other tables'} in a condition"
            hint = "Compare tables with references(...), or in a query in the folder checks."
            raise self._unfit(asset, check, does, hint)
        if "columns" in summary.functions:
            hint = "Name the columns, or write a check for each."
            raise self._unfit(asset, check, "takes columns by a pattern in a condition", hint)

    @staticmethod
    def _unfit(asset: Asset, check: Check, does: str, hint: str) -> UnfitCheckQuery:
        return UnfitCheckQuery(check.name, asset.name, does, check.location, hint)

    def _refuse_pattern(self, asset: Asset, check: Check) -> None:
        pattern = check.argument("pattern")
        problem = self.sql.pattern_problem(str(pattern)) if pattern is not None else ""
        if problem:
            raise BadPattern(str(pattern), problem, check.name, asset.name, check.location)

    def _spelled(self, asset: Asset, check: Check) -> Iterator[tuple[str, Argument]]:
        """Yield the arguments of `check`, its types as DuckDB spells them."""
        for name, value in check.arguments:
            if name == "types" and isinstance(value, tuple):
                yield name, tuple(self._type(asset, check, *one) for one in enumerate(value))
            else:
                yield name, value

    def _type(self, asset: Asset, check: Check, number: int, said: object) -> str:
        found = self.sql.known_type(str(said))
        if found is None and check.kind != "contract":
            raise UnknownType(check.columns[number], str(said), asset.name, str(check.location))
        return found or str(said)

    def _reading(self, asset: Asset, check: Check) -> Iterator[Input]:
        """Yield the inputs of `check`, each with the asset or source that it means."""
        for item in check.inputs:
            upstream = self._upstream(item)
            if not upstream:
                raise self._unknown(asset, check, item)
            source = self._sources.get(folded(upstream))
            has_answer = source is not None and source.observe is not None
            if item.mapping is not None:
                does = f"chooses partitions of '{upstream}'"
                hint = "A check reads the same partition, or all: leave the mapping out."
                raise self._unfit(asset, check, does, hint)
            if has_answer != (item.form == "value"):
                by = f"{check.name} of {asset.name}"
                raise WrongForm(upstream, by, str(check.location), has_answer=has_answer)
            yield replace(item, upstream=upstream)

    def _upstream(self, item: Input) -> AssetName:
        """Return what `item` means as it is spelled where it is declared, "" for nothing."""
        name = folded(item.upstream or item.name)
        found: Asset | Source | None = self._assets.get(name) or self._sources.get(name)
        return found.name if found else AssetName("")

    def _unknown(self, asset: Asset, check: Check, item: Input) -> UnknownInput:
        names = [
            *(one.name for one in self._assets.values()),
            *(one.name for one in self._sources.values()),
        ]
        by = f"{check.name} of {asset.name}"
        return UnknownInput(item.upstream or item.name, by, str(check.location), names)
