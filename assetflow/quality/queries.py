"""What a check asks of several tables, and the queries that show which rows fail."""

from collections.abc import Callable, Mapping

from assetflow.model.checks import Check, QueryCheck
from assetflow.model.columns import Schema
from assetflow.model.names import AssetName
from assetflow.quality.conditions import (
    CONDITIONS,
    considered,
    considering,
    failing_condition,
    known,
)
from assetflow.quality.drift import drift_query
from assetflow.quality.figures import SCAN
from assetflow.quality.fitting import columns_of, unfit
from assetflow.quality.measures import (
    measures,
    out_of_order,
    required_columns,
    rows_with_neighbours,
)
from assetflow.sql.query import parse_query, quoted, rewrite

Scans = Mapping[str, str]
"""The SQL that reads each other table, by the name of the asset or source.

For a check that is a query, the asset itself is among them.
"""

BASELINE = ""
"""The name in `Scans` of the earlier version of the asset itself that `drift` compares with."""


def queries(check: Check, schema: Schema, scan: str, others: Scans) -> tuple[str, ...]:
    """Return the queries of one value each that `check` asks beside its measures.

    `scan` reads the table itself. Their values follow those of the measures.
    """
    asked = _QUERIES.get(check.kind)
    return () if asked is None or unfit(check, schema) else asked(check, schema, scan, others)


def _unreferenced(check: Check, schema: Schema, scan: str, others: Scans) -> tuple[str, ...]:
    where = considered(check)
    rows = (f"select count(*) from {scan} where {where}",) if where else ()
    return (f"select count(*) from {scan} where {failing_condition(check, schema, others)}", *rows)


def _unequal(check: Check, schema: Schema, scan: str, others: Scans) -> tuple[str, ...]:
    return tuple(map(_counted, _differences(check, schema, scan, others)))


def _selected(check: Check, _: Schema, __: str, others: Scans) -> tuple[str, ...]:
    return (_counted(_written(check, others)),)


def _moved(check: Check, schema: Schema, scan: str, others: Scans) -> tuple[str, ...]:
    baseline = others.get(_other(check) if check.inputs else BASELINE)
    return () if baseline is None else (drift_query(check, schema, scan, baseline),)


_QUERIES: Mapping[str, Callable[[Check, Schema, str, Scans], tuple[str, ...]]] = {
    "references": _unreferenced,
    "equal_rows": _unequal,
    "query": _selected,
    "drift": _moved,
}


def failing_rows(check: Check, schema: Schema, scan: str, others: Scans) -> str:
    """Return the query of the rows that fail, "" for a check that is not about rows.

    Of `unique` it shows all rows that share a key, side by side; of `equal_rows` the rows
    that only one of the two tables has, and which of them.
    """
    if unfit(check, schema):
        return ""
    if check.kind in CONDITIONS or check.kind == "references":
        return f"select * from {scan} where {failing_condition(check, schema, others)}"
    asked = _FAILING.get(check.kind)
    return asked(check, schema, scan, others) if asked else ""


def _sharing(check: Check, schema: Schema, scan: str, _: Scans) -> str:
    columns = columns_of(check, schema)
    names = ", ".join(quoted(column.name) for column in columns)
    where = considering(check, known(columns))
    # A window would be computed before the condition of a qualify, but after that of a where.
    return (
        f"select * from {scan} where {where} "
        f"qualify count(*) over (partition by {names}) > 1 order by {names}"
    )


def _falling(check: Check, schema: Schema, scan: str, _: Scans) -> str:
    rows = rows_with_neighbours(check, schema, scan, "*, ")
    return f"select * exclude (assetflow_value) from ({rows}) where {out_of_order(check)}"


def _one_sided(check: Check, schema: Schema, scan: str, others: Scans) -> str:
    surplus, missing = _differences(check, schema, scan, others)
    return (
        f"select 'only here' as found, * from ({surplus}) "
        f"union all select 'only in {_other(check)}' as found, * from ({missing})"
    )


def _nulls(check: Check, schema: Schema, scan: str, _: Scans) -> str:
    names = required_columns(check, schema)
    where = " or ".join(f"{quoted(name)} is null" for name in names)
    return f"select * from {scan} where {where}" if names else ""


_FAILING: Mapping[str, Callable[[Check, Schema, str, Scans], str]] = {
    "unique": _sharing,
    "monotonic": _falling,
    "equal_rows": _one_sided,
    "contract": _nulls,
    "query": lambda check, _, __, others: _written(check, others),
}


def reproducing(check: Check, schema: Schema, asset: AssetName) -> str:
    """Return SQL over the published tables, by their names, that shows what `check` found."""
    own = _named(asset)
    names = [item.upstream or item.name for item in check.inputs]
    others = {name: _named(name) for name in names}
    shown = failing_rows(check, schema, own, {BASELINE: own, **others})
    if shown:
        return shown
    values = [text.replace(SCAN, own) for text in measures(check, schema)]
    if values or check.kind == "row_count":
        return f"select {', '.join(values) or 'count(*)'} from {own}"
    if check.kind == "drift":
        (name,) = map(quoted, check.columns)
        return f"select {name}, count(*) from {own} group by all order by 2 desc"
    return f"describe {own}"


def _named(table: str) -> str:
    return ".".join(map(quoted, table.split(".")))


def _other(check: Check) -> AssetName:
    (item,) = check.inputs
    return AssetName(item.upstream or item.name)


def _counted(query: str) -> str:
    return f"select count(*) from ({query}\n)"


def _written(check: Check, others: Scans) -> str:
    """Return the query of a user with the tables that it names replaced."""
    assert isinstance(check.body, QueryCheck)
    tables = {item.name: others[item.upstream or item.name] for item in check.inputs}
    return rewrite(parse_query(check.body.text), tables).rstrip().removesuffix(";")


def _differences(check: Check, schema: Schema, scan: str, others: Scans) -> tuple[str, str]:
    """Return the queries of the rows, as often as they are, that only one of two tables has."""
    columns = columns_of(check, schema) or schema
    names = ", ".join(quoted(column.name) for column in columns)
    own, other = (f"select {names} from {table}" for table in (scan, others[_other(check)]))
    return f"{own} except all {other}", f"{other} except all {own}"
