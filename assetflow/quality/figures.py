"""The figures of a column: means, sums, quantiles and the like, as SQL aggregates."""

from collections.abc import Callable

from assetflow.model.checks import Argument, Check
from assetflow.model.columns import Schema
from assetflow.quality.conditions import considered, considering
from assetflow.quality.fitting import columns_of
from assetflow.sql.query import quoted

SCAN = "assetflow_scan"
"""Stands in a measure for the table itself, where it has to be read once more."""

Distinct = Callable[[Check, list[str]], str]
"""How distinct values, or rows of values, are counted: `distinct` or `fused_distinct`."""

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


def figure(check: Check, schema: Schema, count_distinct: Distinct) -> str:
    """Return the SQL of the figure that an `aggregate` or `anomaly` check is about."""
    name = str(check.argument("function") or check.argument("metric"))
    if name == "row_count":
        return _counted(check)
    (column,) = columns_of(check, schema)
    value = quoted(column.name)
    if name in {"median", "quantile"} and column.type.startswith("DECIMAL"):
        value = f"{value}::double"  # else what lies between two values is rounded
    if name == "distinct":
        return count_distinct(check, [value])
    if check.where:
        # For a filter each aggregate copies the rows that it lets through.
        value = f"case when {considered(check)} then {value} end"
    if name == "null_fraction":
        return _null_fraction(check, quoted(column.name))
    return _FUNCTIONS[name].format(value, _quantile(check.argument("quantile")))


def distinct(check: Check, names: list[str]) -> str:
    """Return how many values, NULL not among them, or rows of values without any, there are.

    A query of its own is faster than `count(distinct …)` beside other aggregates.
    """
    known = (f"{name} is not null" for name in names)
    where = considering(check, *known)
    rows = f"select distinct {', '.join(names)} from {SCAN} where {where}"
    return f"(select count(*) from ({rows}))"


def fused_distinct(check: Check, names: list[str]) -> str:
    """Return the same as an aggregate, which costs less to plan, and can be grouped."""
    value = names[0] if len(names) == 1 else f"({', '.join(names)})"
    if len(names) > 1 or check.where:
        known = (f"{name} is not null" for name in names)
        value = f"case when {considering(check, *known)} then {value} end"
    return f"count(distinct {value})"


def _counted(check: Check) -> str:
    return f"count_if({considered(check)})" if check.where else "count(*)"


def _null_fraction(check: Check, value: str) -> str:
    nulls = f"count_if({considering(check, f'{value} is null')})"
    return f"{nulls} / nullif({_counted(check)}, 0)"


def _quantile(said: Argument) -> str:
    return repr(said) if isinstance(said, float | int) else "0.5"
