"""Whether the checks of an asset fit the columns that it and what they read have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assetflow.errors import (
    AssetflowError,
    CheckMissesColumn,
    CheckOfWrongType,
    MissingColumn,
    QueryDoesNotBind,
)
from assetflow.model.asset import Asset
from assetflow.model.checks import Check, QueryCheck
from assetflow.model.columns import Column, Schema
from assetflow.model.names import AssetName, folded
from assetflow.project.attached_checks import as_asset, bad_condition, condition_query, conditions
from assetflow.project.sql_facts import SqlReader
from assetflow.quality.fitting import DATED, TEXT, missing_columns, wrong_types
from assetflow.quality.literals import NUMERIC

_OF_THE_SCHEMA = ("column_types", "contract", "unchanged_schema")
_FAMILIES = {"a number": NUMERIC, "a text": TEXT, "a date or an instant": DATED}


def check_problems(
    asset: Asset, schemas: Mapping[AssetName, Schema], sql: SqlReader
) -> Iterator[AssetflowError]:
    """Yield what in the checks of `asset` does not fit columns; `schemas` are those known."""
    for check in asset.options.checks:
        fitting = _Fitting(asset.name, check, schemas, sql)
        if check.kind not in _OF_THE_SCHEMA:
            yield from fitting.own_columns()
        yield from fitting.other_columns()
        yield from fitting.texts()


@dataclass(frozen=True, slots=True)
class _Fitting:
    """One check, and the columns that are known."""

    asset: AssetName
    check: Check
    schemas: Mapping[AssetName, Schema]
    sql: SqlReader

    def own_columns(self) -> Iterator[AssetflowError]:
        """Yield an error for each column of the asset that is missing or of a wrong type."""
        schema = self.schemas.get(self.asset)
        if schema is None:
            return
        for name in missing_columns(self.check, schema):
            yield self._missing(name, self.asset, schema)
        for wrong in wrong_types(self.check, schema):
            yield self._wrong(wrong.column, wrong.type, wrong.needs)

    def other_columns(self) -> Iterator[AssetflowError]:
        """Yield an error for each column that is missing where the check reads it."""
        for item in self.check.inputs:
            schema = self.schemas.get(AssetName(item.upstream))
            if schema is None or item.columns is None:
                continue
            known = {folded(column.name): column for column in schema}
            for name in item.columns:
                if folded(name) not in known:
                    yield self._missing(name, item.upstream, schema)
            if self.check.kind == "references":
                yield from self._unlike([known.get(folded(name)) for name in item.columns])

    def texts(self) -> Iterator[AssetflowError]:
        """Yield an error for each condition or query that does not bind."""
        for condition in conditions(self.check):
            yield from self._condition_problems(condition)
        if isinstance(self.check.body, QueryCheck):
            body = self.check.body
            names = {item.name: AssetName(item.upstream) for item in self.check.inputs}
            try:
                self._bind(as_asset(self.asset, self.check, body.text, body.first_line), names)
            except AssetflowError as error:
                error.facts["check"] = f"{self.check.name} of {self.asset}"
                yield error

    def _condition_problems(self, condition: str) -> Iterator[AssetflowError]:
        query = condition_query(self.asset, self.check, condition)
        try:
            self._bind(query, dict.fromkeys(self.sql.summary(query).tables, self.asset))
        except MissingColumn as error:
            yield self._missing(error.column, self.asset, self.schemas[self.asset])
        except QueryDoesNotBind as error:
            yield bad_condition(self.asset, self.check, condition, error)

    def _bind(self, query: Asset, names: Mapping[str, AssetName]) -> None:
        """Bind `query` where the columns of all that it names are known."""
        if all(upstream in self.schemas for upstream in names.values()):
            schemas = {name: self.schemas[upstream] for name, upstream in names.items()}
            self.sql.bind(query, self.sql.summary(query), schemas)

    def _unlike(self, others: list[Column | None]) -> Iterator[AssetflowError]:
        """Yield an error for each column that cannot be found in one of another kind."""
        schema = self.schemas.get(self.asset, ())
        own = {folded(column.name): column for column in schema}
        for name, other in zip(self.check.columns, others, strict=True):
            column = own.get(folded(name))
            if column is None or other is None:
                continue
            needs = _family(other.type)
            if needs and _family(column.type) not in ("", needs):
                yield self._wrong(column.name, column.type, f"{needs}, as what it refers to")

    def _missing(self, column: str, of: str, schema: Schema) -> CheckMissesColumn:
        names = [one.name for one in schema]
        place = self.check.location
        return CheckMissesColumn(self.check.name, self.asset, column, of, names, place)

    def _wrong(self, column: str, type_: str, needs: str) -> CheckOfWrongType:
        place = self.check.location
        return CheckOfWrongType(self.check.name, self.asset, column, type_, needs, place)


def _family(type_: str) -> str:
    """Return of which kind the values of a type are, "" for others than those compared here."""
    return next((name for name, types in _FAMILIES.items() if types.fullmatch(type_)), "")
