"""Which partition each row of what a step makes belongs to, where the asset says how to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assetflow.model.partitions import ProductPartitions
from assetflow.sql.query import quoted
from assetflow.warehouse.partition_columns import (
    KeyWindow,
    TextKeys,
    TimeKeys,
    check_rows_inside,
    key_expression,
)
from assetflow.warehouse.versions import Staged, scan_sql

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from assetflow.model.asset import Asset
    from assetflow.model.columns import Schema
    from assetflow.model.names import PartitionKey
    from assetflow.model.partitions import KeySet


@dataclass(frozen=True, slots=True)
class RowKeys:
    """The column that tells the partition of a row, and the partitions that are made.

    Dates are those of the partitions. A time without a zone is read as it is where a whole
    is cut by its event time: in the `timezone` of the asset, else of the project.
    """

    column: str
    keys: TimeKeys | TextKeys
    timezone: str

    def expression(self, schema: Schema) -> str:
        """Return the SQL that gives the key of a row of a table with the columns of `schema`."""
        type_ = self._type(schema)
        return key_expression(quoted(self.column), type_, self._keys(type_))

    def check(self, connection: DuckDBPyConnection, data: Path, staged: Staged) -> None:
        """Raise RowsOutsidePartition where a staged version has rows of other partitions.

        The version is removed then.
        """
        scan = scan_sql(data, [(staged.path, staged.size_bytes)])
        type_ = self._type(staged.schema)
        try:
            check_rows_inside(connection, scan, quoted(self.column), type_, self._keys(type_))
        except BaseException:
            (data / staged.path).unlink(missing_ok=True)
            raise

    def _keys(self, type_: str) -> TimeKeys | TextKeys:
        if isinstance(self.keys, TextKeys) or type_ == "DATE":
            return self.keys
        return replace(self.keys, timezone=self.timezone)

    def _type(self, schema: Schema) -> str:
        return next((one.type for one in schema if one.name == self.column), "VARCHAR")


def row_keys(
    asset: Asset, keys: KeySet, made: Sequence[PartitionKey], timezone: str
) -> RowKeys | None:
    """Return how to tell rows of `made` apart; None where the asset does not say it.

    `timezone` is that of the project.
    """
    column = asset.options.partition_by
    if not column or isinstance(keys.partitions, ProductPartitions):
        return None
    if keys.time is None:
        return RowKeys(column, TextKeys(tuple(made)), timezone)
    windows = ((key, keys.window(key)) for key in made)
    known = tuple(KeyWindow(key, *window) for key, window in windows if window is not None)
    zone = asset.options.timezone or timezone
    return RowKeys(column, TimeKeys(known, keys.time.timezone), zone)
