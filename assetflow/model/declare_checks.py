"""How a user declares checks in Python: one function for each kind, and `@check`.

Each function returns the check, to be listed in `checks=[…]` of an asset. What cannot work
is told like other declarations that cannot: all together, once the project is loaded.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias, TypedDict, Unpack

from assetflow.model.check_options import (
    AcceptedValues,
    Aggregate,
    AggregateFunction,
    Anomaly,
    Between,
    ColumnTypes,
    Drift,
    DriftMethod,
    EqualRows,
    Expression,
    KindOptions,
    Matches,
    Metric,
    Monotonic,
    NotNull,
    Recent,
    References,
    RowCount,
    StringLength,
    UnchangedSchema,
    Unique,
    read_check,
)
from assetflow.model.checks import Check, OnFailure, Scope, Severity
from assetflow.model.declare import place_of_caller, tell

Bound: TypeAlias = int | float | Decimal | str | date
"""A bound of values: datetimes are dates, too."""


class Keys(TypedDict, total=False):
    """What may be said about every check."""

    name: str
    severity: Severity
    on_failure: OnFailure
    description: str
    kept_rows: int
    scope: Scope
    timeout: float | str


class CountedKeys(Keys, total=False):
    """What may be said about checks that count what fails."""

    max_failures: int
    max_fraction: float


class RowsKeys(CountedKeys, total=False):
    """What may be said about checks of rows."""

    where: str


class FilteredKeys(Keys, total=False):
    """What may be said about checks of figures."""

    where: str


def not_null(*columns: str, **keys: Unpack[RowsKeys]) -> Check:
    """Promise that no row has a null in any of `columns`."""
    return _made(NotNull, keys, columns=columns)


def unique(*columns: str, **keys: Unpack[RowsKeys]) -> Check:
    """Promise that no two rows have the same values in `columns`."""
    return _made(Unique, keys, columns=columns)


def accepted_values(column: str, values: Sequence[object], **keys: Unpack[RowsKeys]) -> Check:
    """Promise that every value of `column` is one of `values`; nulls are left out."""
    return _made(AcceptedValues, keys, column=column, values=values)


def between(
    column: str,
    *,
    min: Bound | None = None,  # noqa: A002 - the word that headers use
    max: Bound | None = None,  # noqa: A002
    **keys: Unpack[RowsKeys],
) -> Check:
    """Promise that every value of `column` lies between two bounds, both included."""
    return _made(Between, keys, column=column, min=min, max=max)


def matches(column: str, pattern: str, **keys: Unpack[RowsKeys]) -> Check:
    """Promise that some part of every text in `column` matches a regular expression of RE2."""
    return _made(Matches, keys, column=column, pattern=pattern)


def string_length(
    column: str,
    *,
    min: int | None = None,  # noqa: A002
    max: int | None = None,  # noqa: A002
    **keys: Unpack[RowsKeys],
) -> Check:
    """Promise that every text in `column` has at least `min` and at most `max` characters."""
    return _made(StringLength, keys, column=column, min=min, max=max)


def row_count(
    *,
    min: int | None = None,  # noqa: A002
    max: int | None = None,  # noqa: A002
    **keys: Unpack[FilteredKeys],
) -> Check:
    """Promise that there are at least `min` and at most `max` rows."""
    return _made(RowCount, keys, min=min, max=max)


def references(*columns: str, to: str | Sequence[str], **keys: Unpack[RowsKeys]) -> Check:
    """Promise that what `columns` hold is found in the columns `to` of another asset.

    These are named with their asset or source, as in `references("store_id",
    to="stores.store_id")`; rows with a null are left out.
    """
    return _made(References, keys, columns=columns, to=to)


def expression(sql: str, **keys: Unpack[RowsKeys]) -> Check:
    """Promise that a condition on the columns, in SQL, holds for every row."""
    return _made(Expression, keys, sql=sql)


def column_types(types: Mapping[str, str], **keys: Unpack[Keys]) -> Check:
    """Promise that columns are there and have these types of DuckDB."""
    return _made(ColumnTypes, keys, types=types)


def monotonic(
    column: str,
    *,
    order_by: str | Sequence[str] = (),
    group_by: str | Sequence[str] = (),
    strict: bool = False,
    decreasing: bool = False,
    **keys: Unpack[RowsKeys],
) -> Check:
    """Promise that the values of `column` never fall from one row to the next.

    The order is that of the columns `order_by`, else that in which the rows are stored;
    with `group_by`, rows are compared within their group.
    """
    said = {"order_by": order_by, "group_by": group_by, "strict": strict, "decreasing": decreasing}
    return _made(Monotonic, keys, column=column, **said)


def recent(column: str, *, max_age: float | str, **keys: Unpack[FilteredKeys]) -> Check:
    """Promise that the newest value of `column` is at most `max_age` old when it is asked."""
    return _made(Recent, keys, column=column, max_age=max_age)


def aggregate(
    function: AggregateFunction,
    column: str,
    *,
    min: Bound | None = None,  # noqa: A002
    max: Bound | None = None,  # noqa: A002
    quantile: float | None = None,
    **keys: Unpack[FilteredKeys],
) -> Check:
    """Promise that a figure of `column`, such as its mean, lies between two bounds."""
    said = {"function": function, "min": min, "max": max, "quantile": quantile}
    return _made(Aggregate, keys, column=column, **said)


def equal_rows(to: str, *, columns: str | Sequence[str] = (), **keys: Unpack[CountedKeys]) -> Check:
    """Promise that there are the same rows as in the asset `to`, each as often.

    With `columns`, only these are compared.
    """
    return _made(EqualRows, keys, to=to, columns=columns)


def unchanged_schema(**keys: Unpack[Keys]) -> Check:
    """Promise that columns, types and their order are those of the published version."""
    return _made(UnchangedSchema, keys)


def anomaly(
    metric: Metric,
    column: str | None = None,
    *,
    sensitivity: float | None = None,
    history: int | None = None,
    **keys: Unpack[FilteredKeys],
) -> Check:
    """Promise that a figure is not far from what it was in the versions before."""
    said = {"metric": metric, "column": column}
    return _made(Anomaly, keys, **said, sensitivity=sensitivity, history=history)


def drift(
    column: str,
    *,
    method: DriftMethod = "psi",
    baseline: str = "previous",
    threshold: float | None = None,
    **keys: Unpack[FilteredKeys],
) -> Check:
    """Promise that the distribution of `column` is still that of the `baseline`.

    This is the version before ("previous"), the first one ("first"), the one that was
    published on a day ("2026-01-05"), or an asset or source with such a column.
    """
    return _made(Drift, keys, column=column, method=method, baseline=baseline, threshold=threshold)


def _made(kind: type[KindOptions], keys: Mapping[str, Any], **said: Any) -> Check:
    """Return the check; where there are errors it stands for one that cannot be used."""
    place = place_of_caller()
    told = {name: value for name, value in said.items() if value is not None}
    found, errors = read_check(kind, {**told, **keys}, "", place)
    tell(errors)
    return found or Check(kind.kind, "", location=place)
