"""What a check asks of a table, as values that can be computed in one scan."""

from collections.abc import Callable, Iterable, Mapping

from assetflow.model.checks import Check
from assetflow.model.columns import Schema
from assetflow.model.names import folded
from assetflow.quality.conditions import (
    CONDITIONS,
    Size,
    beyond_bounds,
    considered,
    considering,
    counted_condition,
    known,
)
from assetflow.quality.figures import SCAN, distinct, figure
from assetflow.quality.fitting import as_tuple, columns_of, unfit
from assetflow.quality.literals import NUMERIC
from assetflow.sql.query import quoted


def measures(check: Check, schema: Schema, size: Size = "many") -> tuple[str, ...]:
    """Return the SQL values over the rows of a table that answer `check`.

    They are aggregates, to be computed in one scan with those of other checks; `SCAN` in
    one stands for the table itself, to be read once more. Unless it has "many" rows, that
    is done for the order of rows alone. None are needed of a check that looks at columns
    only, or at more than the table (see `queries`), or that the columns do not fit.
    """
    if unfit(check, schema):
        return ()
    if check.kind in CONDITIONS:
        return (counting(counted_condition(check, schema, size)), *_rows(check))
    asked = _MEASURES.get(check.kind)
    return asked(check, schema, size) if asked else ()


def counting(condition: str) -> str:
    """Return the aggregate that counts the rows for which `condition` holds."""
    return f"{_COUNT}{condition})"


def counting_any(counts: Iterable[str]) -> str:
    """Return the aggregate of rows that are in any of `counts`, those of checks of rows.

    In their conditions nothing binds less than `or`, and a bracket more takes time to parse.

    >>> print(counting_any([counting("a is null"), counting("b < 0")]))
    count_if(a is null or b < 0)
    """
    return counting(" or ".join(count.removeprefix(_COUNT)[:-1] for count in counts))


_COUNT = "count_if("


def _rows(check: Check) -> tuple[str, ...]:
    """Return how many rows a check is about, where it is not about all."""
    return (counting(considered(check)),) if check.where else ()


def _unique(check: Check, schema: Schema, size: Size) -> tuple[str, ...]:
    columns = columns_of(check, schema)
    is_plain = len(columns) == 1 and not check.where
    keyed = counting(considering(check, known(columns)))
    return (
        f"count({quoted(columns[0].name)})" if is_plain else keyed,
        distinct(check, columns, size),
        *_rows(check),
    )


def _row_count(check: Check, _: Schema, __: Size) -> tuple[str, ...]:
    return _rows(check)


def _figure(check: Check, schema: Schema, size: Size) -> tuple[str, ...]:
    return (figure(check, schema, size),)


def _bounded_figure(check: Check, schema: Schema, size: Size) -> tuple[str, ...]:
    """Return the figure; of an extreme also whether it lies beyond a bound, in its own type."""
    (column,) = columns_of(check, schema)
    value = figure(check, schema, size)
    if check.argument("function") not in {"min", "max"}:
        return (value,)
    is_number = NUMERIC.fullmatch(column.type)
    shown = value if is_number else f"{value}::varchar"
    return (shown, beyond_bounds(check, value, column.type))


def _newest(check: Check, schema: Schema, _: Size) -> tuple[str, ...]:
    """Return the newest value in microseconds since 1970; one without zone is of the session's."""
    (column,) = columns_of(check, schema)
    value = quoted(column.name)
    if column.type == "DATE" or column.type.startswith("TIMESTAMP_"):
        value = f"{value}::timestamp"
    if check.where:
        value = f"case when {considered(check)} then {value} end"
    return (f"epoch_us(max({value})::timestamptz)",)


def _types(check: Check, _: Schema, __: Size) -> tuple[str, ...]:
    """Return how DuckDB spells the types that were declared, INT as INTEGER."""
    return tuple(f"typeof(null::{type_})" for type_ in as_tuple(check.argument("types")))


def _promises(check: Check, schema: Schema, size: Size) -> tuple[str, ...]:
    """Return the declared types, and the number of nulls in each column that is to have none."""
    nulls = (f"count_if({quoted(name)} is null)" for name in required_columns(check, schema))
    return (*_types(check, schema, size), *nulls)


def required_columns(check: Check, schema: Schema) -> tuple[str, ...]:
    """Return the columns that a contract wants without nulls, and that are there."""
    names = {folded(column.name): column.name for column in schema}
    required = (folded(str(name)) for name in as_tuple(check.argument("required")))
    return tuple(names[name] for name in required if name in names)


def _falls(check: Check, schema: Schema, _: Size) -> tuple[str, ...]:
    rows = rows_with_neighbours(check, schema, SCAN)
    return (f"(select count(*) from ({rows}) where {out_of_order(check)})", *_rows(check))


def rows_with_neighbours(check: Check, schema: Schema, scan: str, select: str = "") -> str:
    """Return the query of each value of a `monotonic` check with the one before it.

    Where nothing orders the rows, they come as they are stored.
    """
    name = quoted(columns_of(check, schema)[0].name)
    group, order = (_names(check, argument) for argument in ("group_by", "order_by"))
    if group and not order:
        scan, order = f"(select *, row_number() over () as {_PLACE} from {scan})", _PLACE
        select = select and f"* exclude ({_PLACE}), "
    clauses = (("partition by", group), ("order by", order))
    window = " ".join(f"{clause} {names}" for clause, names in clauses if names)
    where = considering(check, f"{name} is not null")
    return (
        f"select {select}{name} as assetflow_value, "
        f"lag({name}) over ({window}) as assetflow_before from {scan} where {where}"
    )


_PLACE = "assetflow_place"


def _names(check: Check, argument: str) -> str:
    return ", ".join(quoted(str(name)) for name in as_tuple(check.argument(argument)))


def out_of_order(check: Check) -> str:
    """Return the condition for rows of `rows_with_neighbours` that come in the wrong order."""
    sign = ">" if check.argument("decreasing") else "<"
    equal = "=" if check.argument("strict") else ""
    return f"assetflow_value {sign}{equal} assetflow_before"


_MEASURES: Mapping[str, Callable[[Check, Schema, Size], tuple[str, ...]]] = {
    "unique": _unique,
    "row_count": _row_count,
    "aggregate": _bounded_figure,
    "anomaly": _figure,
    "recent": _newest,
    "monotonic": _falls,
    "column_types": _types,
    "contract": _promises,
}


def is_measured(check: Check) -> bool:
    """Whether measures answer `check`, or a part of it, so that it belongs to the one scan."""
    return check.kind in CONDITIONS or check.kind in _MEASURES
