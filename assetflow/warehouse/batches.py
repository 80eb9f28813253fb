"""Batches: one query, or one returned value, becomes the versions of several partitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.errors import AssetReturnedWrongThing, RowsOutsidePartition
from assetflow.model.columns import Schema
from assetflow.sql.types import cast_projection, stored_schema
from assetflow.warehouse.auditing import Audited, audit_groups
from assetflow.warehouse.digests import (
    GROUP_COLUMN,
    ORDER_COLUMN,
    SMALL,
    Grouped,
    GroupKey,
    has_columns,
)
from assetflow.warehouse.layout import PARTITION_COLUMN, absolute, packed_path
from assetflow.warehouse.packing import ROW_GROUP
from assetflow.warehouse.partition_columns import example_rows
from assetflow.warehouse.quoting import quoted_text, read_parquet
from assetflow.warehouse.returned import as_returned, declared_columns
from assetflow.warehouse.versions import (
    NewVersion,
    Staged,
    being_written,
    castable,
    check_reserved,
    rows_in,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation


def stage_batch(
    connection: DuckDBPyConnection,
    query: str,
    parameters: Mapping[str, object] | None,
    schema: Schema | None,
    new: Sequence[NewVersion],
    partition_of: str,
) -> list[Staged]:
    """Run `query` into one packed file, and return what became of each of `new`.

    `new` are versions of one asset, in the order of their partitions, and of the same
    checks. `partition_of` is an SQL expression over the columns of the query, as stored,
    which gives the partition key of a row. A partition without rows is a version too.
    Raises RowsOutsidePartition; a failure leaves no file behind.
    """
    text, stored = castable(connection, query, parameters, schema)
    batch = _Batch(tuple(new), stored, partition_of)

    def write(partial: Path) -> None:
        copy = f"copy ({batch.placed(text)}) to {quoted_text(str(partial))} ({_FORMAT})"
        connection.execute(copy, parameters or None).fetchall()

    return batch.staged(connection, write)


def stage_batch_value(
    connection: DuckDBPyConnection,
    value: object,
    declared: Schema | None,
    new: Sequence[NewVersion],
    partition_of: Callable[[Schema], str],
) -> list[Staged]:
    """Store what a Python asset returned for the partitions of `new`, as `stage_batch` does.

    `partition_of` gives the SQL expression for columns as they are stored. A value may
    have the forms that `stage_value` takes, but for a path.
    """
    if isinstance(value, Path):
        why = "A file cannot be told apart by partitions: set `batch_size=1`."
        raise AssetReturnedWrongThing(f"the path '{value}'", why)
    with as_returned(connection, value, declared) as returned:
        contract = new[0].is_contract
        columns = declared_columns(connection, returned, declared, is_contract=contract)
        key = partition_of(stored_schema(columns))
        if returned.relation is not None:
            return _stage_relation(connection, returned.relation, columns, new, key)
        with returned.errors():
            query = f"select {returned.projection(columns)} from {returned.view}"
            return stage_batch(connection, query, None, columns, new, key)


_Audited = dict[GroupKey, Audited]
_FORMAT = f"format parquet, row_group_size {ROW_GROUP}"


@dataclass(frozen=True, slots=True)
class _Batch:
    """Versions that are made together; `stored` are their columns."""

    new: tuple[NewVersion, ...]
    stored: Schema
    partition_of: str

    @property
    def key(self) -> str:
        """Return the SQL for the partition of a row, which sorts in the order of `new`."""
        keys = ", ".join(quoted_text(each.target.partition) for each in self.new)
        return f"try_cast(({self.partition_of})::varchar as enum({keys}))"

    @property
    def order(self) -> str:
        """Return what sorts rows, those of no partition last."""
        order = f"{PARTITION_COLUMN} nulls last"
        return f"{order}, {ORDER_COLUMN}" if self.is_ordered else order

    @property
    def is_ordered(self) -> bool:
        """Whether the order of rows within a partition counts, for itself or for a reader."""
        return any(
            each.ordered or any(read_set.ordered for read_set in each.read_sets)
            for each in self.new
        )

    @property
    def added(self) -> str:
        """Return the select list of what sorting needs beside the columns."""
        row = f", row_number() over () as {ORDER_COLUMN}" if self.is_ordered else ""
        return f"{self.key} as {PARTITION_COLUMN}{row}"

    @property
    def dropped(self) -> str:
        """Return the select list of a packed file."""
        return f"* exclude ({ORDER_COLUMN})" if self.is_ordered else "*"

    def placed(self, query: str) -> str:
        """Return the rows of `query` with their partitions, sorted by them."""
        return (
            f"select {self.dropped} from (select *, {self.added} from ({query}\n)) "
            f"order by {self.order}"
        )

    def staged(self, connection: DuckDBPyConnection, write: Callable[[Path], None]) -> list[Staged]:
        """Let `write` write the file, look at it, give it its name."""
        first = self.new[0]
        path = packed_path(first.target.asset, len(self.new))
        with being_written(first.data, path) as partial:
            write(partial)
            rows = rows_in(connection, partial)
            scan = read_parquet([partial])
            self._check(connection, scan, rows)
            found = self._audited(connection, scan, rows)
            final = absolute(first.data, path)
            partial.rename(final)
        size = final.stat().st_size
        return [self._one(each, path, size, found) for each in self.new]

    def _check(self, connection: DuckDBPyConnection, scan: str, rows: int) -> None:
        outside = f"{PARTITION_COLUMN} is null"
        query = f"select count(*) from {scan} where {outside}"
        ((count,),) = connection.execute(query).fetchall()
        if count:
            own = f"(select * exclude ({PARTITION_COLUMN}) from {scan} where {outside})"
            key = f"({self.partition_of})::varchar"
            examples = example_rows(connection, own, "true", key)
            keys = [each.target.partition for each in self.new]
            raise RowsOutsidePartition(keys, count, rows, examples)

    def _audited(self, connection: DuckDBPyConnection, scan: str, rows: int) -> _Audited:
        read_sets = dict.fromkeys(
            read_set
            for each in self.new
            for read_set in (each.whole, *each.read_sets)
            if has_columns(read_set, self.stored)
        )
        numbered = any(read_set.ordered for read_set in read_sets)
        row = f", row_number() over () as {ORDER_COLUMN}" if numbered else ""
        source = f"(select *, {PARTITION_COLUMN} as {GROUP_COLUMN}{row} from {scan})"
        grouped = Grouped(source, is_large=rows > SMALL * len(self.new))
        keys = [each.target.partition for each in self.new]
        digits = self.new[0].float_digits
        return audit_groups(
            connection,
            grouped,
            self.stored,
            read_sets,
            keys,
            self.new[0].checks,
            float_digits=digits,
        )

    def _one(self, new: NewVersion, path: str, size: int, found: _Audited) -> Staged:
        own = found[new.target.partition]
        wanted = dict.fromkeys([new.whole, *new.read_sets])
        return Staged(
            version=new.version,
            path=path,
            format="parquet",
            schema=self.stored,
            rows=own.rows,
            size_bytes=size,
            ordered=new.ordered,
            algorithm=new.algorithm,
            digests=tuple((each, own.digests[each]) for each in wanted if each in own.digests),
            packed=True,
            measured=own.measured,
        )


def _stage_relation(
    connection: DuckDBPyConnection,
    relation: DuckDBPyRelation,
    columns: Schema,
    new: Sequence[NewVersion],
    partition_of: str,
) -> list[Staged]:
    """Let the relation write itself, on the connection that it belongs to."""
    check_reserved(columns)
    batch = _Batch(tuple(new), stored_schema(columns), partition_of)
    placed = relation.project(cast_projection(columns)).project(f"*, {batch.added}")
    placed = placed.order(batch.order).project(batch.dropped)

    def write(partial: Path) -> None:
        placed.write_parquet(str(partial), row_group_size=ROW_GROUP)

    return batch.staged(connection, write)
