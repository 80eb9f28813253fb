"""Digests of many small files in one scan: a scan for each takes several times as long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.model.columns import ReadSet, Schema
from assetflow.model.names import Digest
from assetflow.sql.query import quoted
from assetflow.warehouse.digests import GROUP_COLUMN, ORDER_COLUMN, Grouped, digest_groups
from assetflow.warehouse.quoting import quoted_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FILE_COLUMN = "assetflow_file"

TOGETHER = 64
"""Of so many things the digests are found in one scan."""


def read_named(paths: Sequence[Path]) -> str:
    """Return the SQL that reads Parquet files, all with the same columns, and names each."""
    texts = ", ".join(quoted_text(str(path)) for path in paths)
    return f"read_parquet([{texts}], hive_partitioning=false, filename={quoted_text(FILE_COLUMN)})"


def digest_files(  # noqa: PLR0913 - what is digested, and how
    connection: DuckDBPyConnection,
    scan: str,
    files: Sequence[Sequence[Path]],
    schema: Schema,
    read_sets: Iterable[ReadSet],
    float_digits: int | None = None,
    *,
    are_small: bool = False,
) -> list[dict[ReadSet, Digest]]:
    """Return for each of `files` the digests that the rows of these files have by themselves.

    `scan` reads all of them in their order, with the columns of `schema` and one more, the
    FILE_COLUMN: the path of the file of a row. `are_small` says, for speed alone, that none
    has many rows.
    """
    wanted = list(read_sets)
    row = f", row_number() over () as {ORDER_COLUMN}" if any(r.ordered for r in wanted) else ""
    source = f"(select *, {_group(files)} as {GROUP_COLUMN}{row} from {scan})"
    grouped = Grouped(source, is_large=False, is_small=are_small)
    keys = range(len(files))
    found = digest_groups(connection, grouped, schema, wanted, keys, float_digits)
    return [found[key][1] for key in keys]


def _group(files: Sequence[Sequence[Path]]) -> str:
    """Return the SQL for the place in `files` of the file of a row."""
    paths = ", ".join(quoted_text(str(path)) for some in files for path in some)
    places = [place for place, some in enumerate(files) for _ in some]
    file = quoted(FILE_COLUMN)
    number = f"list_position([{paths}], {file})"
    return f"{places}[coalesce({number}, error('another file: ' || {file}))]"
