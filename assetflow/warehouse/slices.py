"""Digests of the slices of a table: of the rows that fall into each window of time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from assetflow.model.columns import ReadSet, Schema
from assetflow.model.names import Digest, PartitionKey
from assetflow.warehouse.digests import (
    GROUP_COLUMN,
    ORDER_COLUMN,
    SMALL,
    Grouped,
    digest_groups,
)
from assetflow.warehouse.partition_columns import TimeKeys, bucket_of, counted, key_expression

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def digest_slices(  # noqa: PLR0913 - what is digested, and how it is cut
    connection: DuckDBPyConnection,
    scan_sql: str,
    schema: Schema,
    read_sets: Iterable[ReadSet],
    event_time: str,
    boundaries: TimeKeys,
    *,
    float_digits: int | None = None,
) -> dict[PartitionKey, dict[ReadSet, Digest]]:
    """Return the digests of the rows of `scan_sql` in each window, in one scan.

    `event_time` is an SQL expression over the columns; where it is NULL, a row belongs
    to no slice. The `timezone` of the `boundaries` is that of naive values. A slice has
    the digests that its rows have by themselves. Raises UnfitPartitionColumn,
    MissingReadSetColumn.
    """
    wanted = list(read_sets)
    ((rows, type_),) = connection.execute(
        f"select (select count(*) from {scan_sql}), "
        f"(select column_type from (describe select {event_time} from {scan_sql}))"
    ).fetchall()
    keys = boundaries.keys
    if not keys:
        return {}
    numbered = any(read_set.ordered for read_set in wanted)
    source = _sliced(scan_sql, event_time, type_, boundaries, numbered=numbered)
    grouped = Grouped(source, is_large=rows > SMALL * len(keys))
    found = digest_groups(connection, grouped, schema, wanted, range(len(keys)), float_digits)
    return {key: found[index][1] for index, key in enumerate(keys)}


def _sliced(
    scan_sql: str, event_time: str, type_: str, boundaries: TimeKeys, *, numbered: bool
) -> str:
    """Return `scan_sql` with the position of the window to which each row belongs."""
    row = f", row_number() over () as {ORDER_COLUMN}" if numbered else ""
    value, ranges = ("", ()) if type_ == "VARCHAR" else counted(event_time, type_, boundaries)
    buckets = bucket_of(value, ranges) if ranges else None
    if buckets is None:
        key = key_expression(event_time, type_, boundaries)
        texts = ", ".join(f"('{name}', {place})" for place, name in enumerate(boundaries.keys))
        joined = f"(values {texts}) as af_slices(af_key, {GROUP_COLUMN})"
        return (
            f"(from (select *, {key} as af_key{row} from {scan_sql}) join {joined} using (af_key))"
        )
    number, within = buckets
    if all(each == (place, place + 1) for place, each in enumerate(within)):
        return f"(select *, {number} as {GROUP_COLUMN}{row} from {scan_sql})"
    bounds = ", ".join(f"({place}, {start}, {end})" for place, (start, end) in enumerate(within))
    slices = (
        f"(select {GROUP_COLUMN}, unnest(range(af_from, af_to)) as af_bucket "
        f"from (values {bounds}) as af_ranges({GROUP_COLUMN}, af_from, af_to))"
    )
    return (
        f"(from (select *, {number} as af_bucket{row} from {scan_sql}) "
        f"join {slices} using (af_bucket))"
    )
