"""The figures of a column: means, sums, quantiles and the like, as SQL aggregates."""

import re
from collections.abc import Callable, Mapping

from assetflow.model.checks import Argument, Check
from assetflow.model.columns import Column, Schema
from assetflow.quality.conditions import Size, considered, considering, known
from assetflow.quality.fitting import columns_of
from assetflow.sql.query import quoted

SCAN = "assetflow_scan"
"""Stands in a measure for the table itself, where it has to be read once more."""

_FUNCTIONS = {
    "mean": "avg({0})",
    "sum": "sum({0})",
    "stddev": "stddev_samp({0})",
    "min": "min({0})",
    "max": "max({0})",
    "median": "quantile_cont({0}, 0.5)",
    "quantile": "quantile_cont({0}, {1})",
    "null_fraction": "count_if({0} is null) / nullif(count(*), 0)",
}


def figure(check: Check, schema: Schema, size: Size) -> str:
    """Return the SQL of the figure that an `aggregate` or `anomaly` check is about."""
    name = str(check.argument("function") or check.argument("metric"))
    if name == "row_count":
        return _counted(check)
    (column,) = columns_of(check, schema)
    value = quoted(column.name)
    if name in {"median", "quantile"} and column.type.startswith("DECIMAL"):
        value = f"{value}::double"  # else what lies between two values is rounded
    if name == "distinct":
        return f"coalesce({distinct(check, (column,), size)}, 0)"
    if check.where:
        # For a filter each aggregate copies the rows that it lets through.
        value = f"case when {considered(check)} then {value} end"
    if name == "null_fraction":
        return _null_fraction(check, quoted(column.name))
    return _FUNCTIONS[name].format(value, _quantile(check.argument("quantile")))


def distinct(check: Check, columns: tuple[Column, ...], size: Size) -> str:
    """Return how many values, NULL not among them, or rows of values without any, there are.

    Of none, it may be NULL.
    """
    return _DISTINCT[size](check, columns)


def _selected(check: Check, columns: tuple[Column, ...]) -> str:
    """Return a query: faster than `count(distinct …)` beside other aggregates."""
    where = considering(check, known(columns))
    rows = f"select distinct {', '.join(_names(columns))} from {SCAN} where {where}"
    return f"(select count(*) from ({rows}))"


def _aggregated(check: Check, columns: tuple[Column, ...]) -> str:
    """Return an aggregate, which can be grouped.

    DuckDB crashes where it tells apart rows with an array of a fixed size among them.
    """
    value = _value(columns)
    if len(columns) > 1 and any(_ARRAY.search(column.type) for column in columns):
        return _selected(check, columns)
    if len(columns) > 1 or check.where:
        value = f"case when {considering(check, known(columns))} then {value} end"
    return f"count(distinct {value})"


def _listed(check: Check, columns: tuple[Column, ...]) -> str:
    """Return an aggregate that costs less to plan than a query, or than `distinct` in it."""
    if not all(_EXACT.fullmatch(column.type) for column in columns):
        return _selected(check, columns)
    limits = f" filter (where {considering(check, known(columns))})"
    filter_ = limits if len(columns) > 1 or check.where else ""
    return f"list_unique(list({_value(columns)}){filter_})"


_ARRAY = re.compile(r"\[\d+\]")
_EXACT = re.compile(
    r"BOOLEAN|U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|DECIMAL\(.*\)|VARCHAR|UUID|DATE"
    r"|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?"
)
"""Types whose values a list tells apart as `distinct` does: no floats, intervals or nested ones."""

_DISTINCT: Mapping[Size, Callable[[Check, tuple[Column, ...]], str]] = {
    "few": _listed,
    "many": _selected,
    "grouped": _aggregated,
}


def _value(columns: tuple[Column, ...]) -> str:
    names = _names(columns)
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _names(columns: tuple[Column, ...]) -> list[str]:
    return [quoted(column.name) for column in columns]


def _counted(check: Check) -> str:
    return f"count_if({considered(check)})" if check.where else "count(*)"


def _null_fraction(check: Check, value: str) -> str:
    nulls = f"count_if({considering(check, f'{value} is null')})"
    return f"{nulls} / nullif({_counted(check)}, 0)"


def _quantile(said: Argument) -> str:
    return repr(said) if isinstance(said, float | int) else "0.5"
