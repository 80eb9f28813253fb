"""Which partition each row of what a step makes belongs to, where the asset says how to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    """The column that tells the partition of a row, and the partitions that are made."""

    column: str
    keys: TimeKeys | TextKeys

    def expression(self, schema: Schema) -> str:
        """Return the SQL that gives the key of a row of a table with the columns of `schema`."""
        return key_expression(quoted(self.column), self._type(schema), self.keys)

    def check(self, connection: DuckDBPyConnection, data: Path, staged: Staged) -> None:
        """Raise RowsOutsidePartition where a staged version has rows of other partitions.

        The version is removed then.
        """
        scan = scan_sql(data, [(staged.path, staged.size_bytes)])
        type_ = self._type(staged.schema)
        try:
            check_rows_inside(connection, scan, quoted(self.column), type_, self.keys)
        except BaseException:
            (data / staged.path).unlink(missing_ok=True)
            raise

    def _type(self, schema: Schema) -> str:
        return next((one.type for one in schema if one.name == self.column), "VARCHAR")


def row_keys(asset: Asset, keys: KeySet, made: Sequence[PartitionKey]) -> RowKeys | None:
    """Return how to tell rows of `made` apart; None where the asset does not say it."""
    column = asset.options.partition_by
    if not column or isinstance(keys.partitions, ProductPartitions):
        return None
    if keys.time is None:
        return RowKeys(column, TextKeys(tuple(made)))
    windows = ((key, keys.window(key)) for key in made)
    known = tuple(KeyWindow(key, *window) for key, window in windows if window is not None)
    return RowKeys(column, TimeKeys(known, keys.time.timezone))
