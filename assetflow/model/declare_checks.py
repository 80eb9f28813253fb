"""How a user declares checks in Python: one function for each kind, and `@check`.

Each function returns the check, to be listed in `checks=[…]` of an asset. What cannot work
is told like other declarations that cannot: all together, once the project is loaded.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Generic, ParamSpec, TypeAlias, TypedDict, TypeVar, Unpack

from assetflow.errors import BadParameter, CheckOfNoAsset, DefinitionError, UnknownForm, shortened
from assetflow.model.asset import Source
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
    FunctionCheckOptions,
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
from assetflow.model.checks import Check, CheckOf, FunctionCheck, OnFailure, Scope, Severity
from assetflow.model.declare import (
    AssetFunction,
    declare_check,
    location_of,
    name_of,
    place_of_caller,
    summary_of,
    tell,
)
from assetflow.model.declared_inputs import Location
from assetflow.model.forms import EXPECTED_FORMS
from assetflow.model.names import AssetName
from assetflow.model.signature import Signature, read_signature
from assetflow.model.validation import validate

P = ParamSpec("P")
R = TypeVar("R")

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


class FunctionKeys(CountedKeys, total=False):
    """What may be said about a function that checks."""

    ignore: Sequence[str]


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


class CheckFunction(Generic[P, R]):
    """A function that checks an asset; called, it is just the function, so tests can call it."""

    def __init__(self, function: Callable[P, R], declaration: CheckOf | None) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.declaration = declaration

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself."""
        return self.function(*args, **kwargs)


def check(
    asset: str | AssetFunction[..., Any], /, **keys: Unpack[FunctionKeys]
) -> Callable[[Callable[P, R]], CheckFunction[P, R]]:
    """Declare that a function checks `asset`: a function that makes it, or its name.

    Parameters named like assets and sources are what it reads, as those of an asset's
    function are. It returns a bool, a CheckResult, or the rows that fail, in any form that
    an asset may return.
    """

    def declared(function: Callable[P, R]) -> CheckFunction[P, R]:
        made, errors = _made_function(function, asset, keys)
        tell(errors)
        if made is not None:
            declare_check(made)
        return CheckFunction(function, made)

    return declared


def _made_function(
    function: Callable[..., Any], asset: object, keys: Mapping[str, Any]
) -> tuple[CheckOf | None, tuple[DefinitionError, ...]]:
    """Return the check that `function` makes, None where there are errors."""
    try:
        location = location_of(function, "check(…)")
        name = name_of(function)
        signature = read_signature(function, name, location)
        target = _target(asset, name, location)
    except DefinitionError as error:
        return None, (error,)
    said = {"name": name, "description": summary_of(function), **keys}
    found, errors = validate(
        FunctionCheckOptions, said, f"check {said['name']!r}", lambda _: location
    )
    errors = (*signature.errors, *_refused(signature, name, location), *errors)
    if found is None or errors or not target:
        return None, errors
    inputs, optional = tuple(signature.inputs), tuple(signature.optional)
    body = FunctionCheck(
        function, context=signature.context, optional=optional, ignore=found.ignore
    )
    return CheckOf(target, replace(found.frozen(location), body=body, inputs=inputs)), ()


def _target(asset: object, name: str, location: Location) -> AssetName:
    """Return the name of the one asset that is checked, "" where it could not be declared."""
    if isinstance(asset, str):
        return AssetName(asset)
    if isinstance(asset, AssetFunction):
        names = [declared.name for declared in asset.declarations]
        if len(names) > 1:
            raise CheckOfNoAsset(name, "a function that makes several assets", location, names)
        return names[0] if names else AssetName("")
    given = "a source" if isinstance(asset, Source) else shortened(asset)
    raise CheckOfNoAsset(name, given, location)


def _refused(signature: Signature, name: str, location: Location) -> Iterator[DefinitionError]:
    """Yield an error for each parameter that a check cannot be given."""
    for parameter in signature.configs:
        yield BadParameter(name, parameter, "takes a config, which checks are not given", location)
    for parameter, annotation in signature.formless.items():
        yield UnknownForm(name, parameter, annotation, EXPECTED_FORMS, location)


def _made(kind: type[KindOptions], keys: Mapping[str, Any], **said: Any) -> Check:
    """Return the check; where there are errors it stands for one that cannot be used."""
    place = place_of_caller()
    told = {name: value for name, value in said.items() if value is not None}
    found, errors = read_check(kind, {**told, **keys}, "", place)
    tell(errors)
    return found or Check(kind.kind, "", location=place)
