"""Digests of content: of a whole table, or of some of its columns together.

A digest names the number of rows, and what hashing them gave: the sorted hashes
`hash(c1, c2, …)` of a small table; the sum of `hash(xor(g1(c1), g2(c2), …))`, where each
g is a hash salted with the column's name, of a large one. Both see values that moved,
and neither lets duplicates cancel. The first has the fewest expressions, and binding
these is what a small table pays for; the second hashes each column once, however many
read-sets share it. The number of rows decides, so equal content has equal digests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from assetflow.errors import MissingReadSetColumn
from assetflow.model.columns import Column, ReadSet, Schema
from assetflow.model.fingerprint import FINGERPRINT_LENGTH, fingerprint
from assetflow.model.names import Digest, folded
from assetflow.sql.query import quoted
from assetflow.warehouse.quoting import quoted_text
from assetflow.warehouse.rounding import FLOATS, holds_floats, rounded, rounded_within

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SMALL = 1000
"""Up to so many rows are a small table."""

_OF_128_BITS = re.compile(r"U?HUGEINT|DECIMAL\((19|[23]\d),\d+\)")
_AS_TEXT_TOO = re.compile(r"\]$|^(STRUCT|MAP|UNION|VARIANT|INTERVAL|TUPLE)\b")

_Group = tuple[Schema, bool]
"""Columns in canonical order, and whether the order of the rows counts."""

# A fixed table for the id of the algorithm: a column of each way in which values are hashed.
_SPECIMEN = """(values
    (1::bigint, 'a', 0.5::double, date '2026-01-31', 1.25::decimal(18, 3), ['x', null], 1::hugeint),
    (-7, '', 'nan', null, -1, [], -1),
    (null, null, -0.0, '1969-12-31', null, null, null)
) as specimen(i, v, f, d, n, l, h)"""
_SPECIMEN_SCHEMA = (
    Column("i", "BIGINT"),
    Column("v", "VARCHAR"),
    Column("f", "DOUBLE"),
    Column("d", "DATE"),
    Column("n", "DECIMAL(18,3)"),
    Column("l", "VARCHAR[]"),
    Column("h", "HUGEINT"),
)


def algorithm_id(connection: DuckDBPyConnection) -> str:
    """Return the id of the algorithm: the digest of a fixed table, as this engine computes it.

    Engines with the same id have comparable digests.
    """
    groups = [(_SPECIMEN_SCHEMA, False), (_SPECIMEN_SCHEMA, True)]
    small = _small_sums(connection, _SPECIMEN, groups[:1], float_digits=9)
    large = _large_sums(connection, _SPECIMEN, groups, float_digits=None)
    return fingerprint(str(SMALL), *small.totals, *large.totals)[:16]


def digest_columns(
    connection: DuckDBPyConnection,
    scan_sql: str,
    schema: Schema,
    read_sets: Iterable[ReadSet],
    float_digits: int | None = None,
    rows: int | None = None,
) -> dict[ReadSet, Digest]:
    """Return the digest of each of `read_sets` over the rows of `scan_sql`, in one scan.

    `scan_sql` is what follows `from`, with the columns of `schema`; `rows` is their
    number, where it is known. Floats count exactly, the sign of zero included, or to
    `float_digits` significant digits, also within lists, structs and maps.
    Raises MissingReadSetColumn.
    """
    return examine(connection, scan_sql, schema, read_sets, float_digits, rows).digests


@dataclass(frozen=True, slots=True)
class Examined:
    """What one scan found: the number of rows, their digests, and what was measured."""

    rows: int
    digests: dict[ReadSet, Digest]
    measured: tuple[object, ...] = ()


def examine(  # noqa: PLR0913 - what is scanned, and what is asked of it
    connection: DuckDBPyConnection,
    scan_sql: str,
    schema: Schema,
    read_sets: Iterable[ReadSet],
    float_digits: int | None = None,
    rows: int | None = None,
    *,
    measures: Sequence[str] = (),
) -> Examined:
    """Do what `digest_columns` does, and compute the values of `measures` in the same scan.

    These are SQL aggregates over the rows, or queries of one value.
    """
    groups = {read_set: _group(read_set, schema) for read_set in read_sets}
    wanted = [group for group in dict.fromkeys(groups.values()) if group[0]]
    if rows is None:
        rows = _count_if_small(connection, scan_sql)
    sums_of = _large_sums if rows is None or rows > SMALL else _small_sums
    sums = sums_of(connection, scan_sql, wanted, float_digits, measures)
    digests = _named_digests(groups, schema, wanted, sums, float_digits)
    return Examined(sums.rows, digests, sums.measured)


def has_columns(read_set: ReadSet, schema: Schema) -> bool:
    """Whether each column that `read_set` names is in `schema`."""
    names = {folded(column.name) for column in schema}
    return all(folded(name) in names for name in read_set.columns or ())


@dataclass(frozen=True, slots=True)
class _Sums:
    """The number of rows, what was found for each group of columns, as text, and measured."""

    rows: int
    totals: tuple[str, ...]
    measured: tuple[object, ...] = ()


def _count_if_small(connection: DuckDBPyConnection, scan_sql: str) -> int | None:
    probe = f"select count(*) from (select 1 from {scan_sql} limit {SMALL + 1})"
    (count,) = connection.execute(probe).fetchall()[0]
    return int(count) if count <= SMALL else None


def _small_sums(
    connection: DuckDBPyConnection,
    scan_sql: str,
    groups: Sequence[_Group],
    float_digits: int | None,
    measures: Sequence[str] = (),
) -> _Sums:
    """Fetch the hash of each row, since an aggregate costs more to plan."""
    hashes = {schema: _row_hash(schema, float_digits) for schema, _ in groups}
    if measures and not any(ordered for _, ordered in groups):
        rows, by_column, measured = _hashes_and_measures(
            connection, scan_sql, list(hashes.values()), measures
        )
    else:
        query = f"select {', '.join(hashes.values()) or '0'} from {scan_sql}"
        found = connection.execute(query).fetchall()
        by_column = list(zip(*found, strict=True)) or [()] * len(hashes)
        rows, measured = len(found), measured_values(connection, scan_sql, measures)
    values = dict(zip(hashes, by_column, strict=False))
    return _Sums(
        rows,
        tuple(
            fingerprint(*map(str, values[schema] if ordered else sorted(values[schema])))
            for schema, ordered in groups
        ),
        measured,
    )


def _hashes_and_measures(
    connection: DuckDBPyConnection, scan_sql: str, hashes: Sequence[str], measures: Sequence[str]
) -> tuple[int, list[Sequence[int]], tuple[object, ...]]:
    """Return the number of rows, the hashes of all rows by column, and what is measured.

    Where aggregates are planned anyway, a list of hashes is cheaper than a second query.
    """
    listed = (f"list({hash_})" for hash_ in hashes)
    query = f"select {', '.join(['count(*)', *listed, *measures])} from {scan_sql}"
    rows, *values = connection.execute(query).fetchall()[0]
    by_column = [found or () for found in values[: len(hashes)]]
    return int(rows), by_column, tuple(values[len(hashes) :])


def measured_values(
    connection: DuckDBPyConnection, scan_sql: str, measures: Sequence[str]
) -> tuple[object, ...]:
    """Return the values of `measures`, without any digest."""
    if not measures:
        return ()
    # Of constants alone, without an aggregate, there would be a row for each row.
    query = f"select {', '.join(['count(*)', *measures])} from {scan_sql}"
    return tuple(connection.execute(query).fetchall()[0][1:])


def _large_sums(
    connection: DuckDBPyConnection,
    scan_sql: str,
    groups: Sequence[_Group],
    float_digits: int | None,
    measures: Sequence[str] = (),
) -> _Sums:
    """Hash each column once in an inner query, and add in DuckDB."""
    used = dict.fromkeys(column for schema, _ in groups for column in schema)
    names = {column: f"assetflow_h{index}" for index, column in enumerate(used)}
    inner = [f"{_salted_hash(column, float_digits)} as {name}" for column, name in names.items()]
    inner += (
        ["row_number() over () as assetflow_n"] if any(ordered for _, ordered in groups) else []
    )
    sums = [_sum([names[column] for column in schema], ordered=o) for schema, o in groups]
    inner += ["*"] if measures else []
    query = (
        f"select {', '.join(['count(*)', *sums, *measures])} from "
        f"(select {', '.join(inner) or '0'} from {scan_sql})"
    )
    rows, *found = connection.execute(query).fetchall()[0]
    totals = tuple(str(total or 0) for total in found[: len(sums)])
    return _Sums(int(rows), totals, tuple(found[len(sums) :]))


@dataclass(frozen=True, slots=True)
class Grouped:
    """Rows told apart by groups: `source` is what follows `from`.

    It has the columns of a schema, a GROUP_COLUMN (NULL for rows of no group) and, where
    the order of rows counts, an ORDER_COLUMN that numbers them.
    """

    source: str
    is_large: bool = True
    """Whether most groups are expected to be large: a matter of speed alone."""
    is_small: bool = False
    """Whether all groups are expected to be small: the same."""


GROUP_COLUMN = "assetflow_group"
ORDER_COLUMN = "assetflow_row"

GroupKey = int | str


def digest_groups(
    connection: DuckDBPyConnection,
    grouped: Grouped,
    schema: Schema,
    read_sets: Iterable[ReadSet],
    groups: Iterable[GroupKey],
    float_digits: int | None = None,
) -> dict[GroupKey, tuple[int, dict[ReadSet, Digest]]]:
    """Return the number of rows and the digests of each of `groups`, be it empty.

    They are those that `digest_columns` gives for the rows of the group by themselves.
    Raises MissingReadSetColumn.
    """
    found = examine_groups(connection, grouped, schema, read_sets, groups, float_digits)
    return {key: (one.rows, one.digests) for key, one in found.items()}


def examine_groups(  # noqa: PLR0913 - what is scanned, and what is asked of it
    connection: DuckDBPyConnection,
    grouped: Grouped,
    schema: Schema,
    read_sets: Iterable[ReadSet],
    groups: Iterable[GroupKey],
    float_digits: int | None = None,
    *,
    measures: Sequence[str] = (),
) -> dict[GroupKey, Examined]:
    """Do for each of `groups` what `examine` does; `measures` are aggregates alone."""
    by_read_set = {read_set: _group(read_set, schema) for read_set in read_sets}
    wanted = [group for group in dict.fromkeys(by_read_set.values()) if group[0]]
    are_small = grouped.is_small and bool(wanted) and not measures
    if are_small:
        found = _grouped_small(connection, grouped.source, wanted, float_digits)
    else:
        at_once = wanted * grouped.is_large
        found = _grouped_large(connection, grouped.source, at_once, float_digits, measures)
    measured = {key: sums.measured for key, sums in found.items()}
    large = [key for key, sums in found.items() if sums.rows > SMALL]
    if large and wanted and not grouped.is_large:
        source = _within(grouped.source, large, found)
        found |= _grouped_large(connection, source, wanted, float_digits)
    small = [key for key, sums in found.items() if sums.rows <= SMALL]
    if small and wanted and not are_small:
        source = _within(grouped.source, small, found)
        found |= _grouped_small(connection, source, wanted, float_digits)
    keys = list(groups)
    nothing: tuple[object, ...] = ()
    if any(key not in found for key in keys):
        nothing = measured_values(connection, f"(from {grouped.source} where false)", measures)
    empty = _Sums(0, (fingerprint(),) * len(wanted))
    return {
        key: Examined(sums.rows, digests, measured.get(key, nothing))
        for key in keys
        for sums in (found.get(key, empty),)
        for digests in (_named_digests(by_read_set, schema, wanted, sums, float_digits),)
    }


def _named_digests(
    by_read_set: dict[ReadSet, _Group],
    schema: Schema,
    wanted: Sequence[_Group],
    sums: _Sums,
    float_digits: int | None,
) -> dict[ReadSet, Digest]:
    totals = dict(zip(wanted, sums.totals, strict=True))
    return {
        read_set: _digest(read_set, schema, sums.rows, totals.get(group, ""), float_digits)
        for read_set, group in by_read_set.items()
    }


def _within(source: str, keys: Sequence[GroupKey], found: dict[GroupKey, _Sums]) -> str:
    """Return the rows of `source` that belong to `keys`, which are among the `found`."""
    if len(keys) == len(found):
        return source
    texts = ", ".join(str(key) if isinstance(key, int) else quoted_text(key) for key in keys)
    return f"(from {source} where {GROUP_COLUMN} in ({texts}))"


def _grouped_large(
    connection: DuckDBPyConnection,
    source: str,
    groups: Sequence[_Group],
    float_digits: int | None,
    measures: Sequence[str] = (),
) -> dict[GroupKey, _Sums]:
    """Do what `_large_sums` does, for each group of rows."""
    used = dict.fromkeys(column for schema, _ in groups for column in schema)
    names = {column: f"assetflow_h{index}" for index, column in enumerate(used)}
    inner = [f"{_salted_hash(column, float_digits)} as {name}" for column, name in names.items()]
    inner += ["*"] if measures else []
    sums = [_sum([names[column] for column in schema], ordered=o) for schema, o in groups]
    found = _grouped(connection, source, groups, inner, [*sums, *measures])
    return {
        key: _Sums(rows, tuple(map(str, values[: len(sums)])), tuple(values[len(sums) :]))
        for key, rows, *values in found
    }


def _grouped_small(
    connection: DuckDBPyConnection,
    source: str,
    groups: Sequence[_Group],
    float_digits: int | None,
) -> dict[GroupKey, _Sums]:
    """Do what `_small_sums` and `fingerprint` do, for each group of rows."""
    names = {schema: f"assetflow_h{index}" for index, schema in enumerate(dict(groups))}
    inner = [f"{_row_hash(schema, float_digits)} as {name}" for schema, name in names.items()]
    totals = [
        f"string_agg(strlen({names[schema]}::varchar) || ':' || {names[schema]}, '' "
        f"order by {'assetflow_n' if ordered else names[schema]})"
        for schema, ordered in groups
    ]
    cut = [f"left(sha256({total}), {FINGERPRINT_LENGTH})" for total in totals]
    found = _grouped(connection, source, groups, inner, cut)
    return {key: _Sums(rows, tuple(texts)) for key, rows, *texts in found}


def _grouped(
    connection: DuckDBPyConnection,
    source: str,
    groups: Sequence[_Group],
    inner: list[str],
    outer: list[str],
) -> list[tuple[Any, ...]]:
    number = f"row_number() over (partition by {GROUP_COLUMN} order by {ORDER_COLUMN})"
    numbered = [f"{number} as assetflow_n"] if any(ordered for _, ordered in groups) else []
    columns = [f"{GROUP_COLUMN} as assetflow_g", *inner, *numbered]
    query = (
        f"select assetflow_g, {', '.join(['count(*)', *outer])} from "
        f"(select {', '.join(columns)} from {source}) "
        "where assetflow_g is not null group by assetflow_g"
    )
    return connection.execute(query).fetchall()


def _group(read_set: ReadSet, schema: Schema) -> _Group:
    """Return the columns of `schema` that `read_set` names, in canonical order."""
    if read_set.columns is None:
        return tuple(sorted(schema)), read_set.ordered
    found = {folded(column.name): column for column in schema}
    missing = [name for name in read_set.columns if folded(name) not in found]
    if missing:
        raise MissingReadSetColumn(missing, [column.name for column in schema])
    columns = {found[folded(name)] for name in read_set.columns}
    return tuple(sorted(columns)), read_set.ordered


def _digest(
    read_set: ReadSet, schema: Schema, rows: int, total: str, float_digits: int | None
) -> Digest:
    """Return the name of what was found; "everything" has its columns in their own order."""
    columns = schema if read_set.columns is None else _group(read_set, schema)[0]
    described = [text for column in columns for text in (column.name, column.type)]
    is_rounded = any(holds_floats(column.type) for column in columns)
    kind = "everything" if read_set.columns is None else "columns"
    order = "in order" if read_set.ordered and columns else ""
    digits = str(float_digits or "") if is_rounded else ""
    return Digest(fingerprint(kind, order, digits, str(rows), total, *described))


def _row_hash(schema: Schema, float_digits: int | None) -> str:
    return f"hash({', '.join(_value(column, float_digits) for column in schema)})"


def _salted_hash(column: Column, float_digits: int | None) -> str:
    # xor is linear: without a hash of their own after the salt, swapped columns would cancel.
    salt = int(fingerprint(column.name)[:16], 16)
    return f"hash(xor(hash({_value(column, float_digits)}), {salt}::ubigint))"


def _sum(hashes: Sequence[str], *, ordered: bool) -> str:
    row = reduce(lambda left, right: f"xor({left}, {right})", hashes)
    return f"sum(hash(hash({row}, assetflow_n)))" if ordered else f"sum(hash({row}))"


def _value(column: Column, float_digits: int | None) -> str:
    """Return the arguments of `hash` that tell all values of `column` apart.

    DuckDB hashes NULL and an empty list, one month and 30 days, and both zeros alike;
    and writes members of a union alike. What both ways confuse is the same value.
    The hash of 128 bits is that of one half xor that of the other: 0 for both 0 and -1.
    """
    name = quoted(column.name)
    if _OF_128_BITS.fullmatch(column.type):
        return f"{name}, {name}::double"
    if column.type in FLOATS:
        return rounded(name, float_digits) if float_digits else f"{name}, signbit({name})"
    if float_digits and holds_floats(column.type):
        within = rounded_within(name, column.type, float_digits)
        return f"{within}, ({within})::varchar"
    return f"{name}, {name}::varchar" if _AS_TEXT_TOO.search(column.type) else name
