"""The newest time in a column: of Parquet files from their statistics, else by one scan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from assetflow.model.columns import Column
from assetflow.sql.query import quoted
from assetflow.warehouse.quoting import quoted_paths, quoted_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AWARE = "TIMESTAMP WITH TIME ZONE"
_OFFSET = r":\d\d.*([zZ]|[+-]\d\d(:?\d\d)?)\s*$"
"""How a text ends that says its offset from UTC."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_US, _LAST_US = (
    (datetime(*day, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
    for day in ((2, 1, 1), (9999, 12, 31))
)
"""What lies before or after that counts as then: no zone or policy leads out of the calendar."""


def is_naive(type_: str) -> bool:
    """Whether the values of a column of `type_` need a time zone to be instants."""
    return type_ != _AWARE


def newest_time(
    connection: DuckDBPyConnection,
    scan: str,
    column: Column,
    timezone: str,
    parquet: Sequence[Path] = (),
) -> datetime | None:
    """Return the newest instant in `column` of what `scan` reads; None where there is none.

    Values without a zone are of `timezone`; of a time that the clocks show twice it is the
    first, and a date is its first moment. A text counts where it can be read as a time, by
    its own offset where it has one.
    `parquet` are the files, where nothing but these is read, in the types that they have:
    then their statistics tell, and no row is read. Infinity is no time.
    """
    if column.type == "VARCHAR":
        return _of_texts(connection, scan, column, timezone)
    found = _of_statistics(connection, column, parquet) if parquet else None
    if found is None:
        found = _of_rows(connection, scan, column)
    return None if found is None else _instant(found, column.type, timezone)


def _of_statistics(
    connection: DuckDBPyConnection, column: Column, paths: Sequence[Path]
) -> int | None:
    """Return the microseconds that the statistics tell; None where they do not tell it all."""
    row = connection.execute(
        f"""select max(epoch_us({_timed("stats_max_value", column.type)})),
                   bool_and({_is_told(column.type)})
            from parquet_metadata({quoted_paths(paths)})
            where lower(path_in_schema) = lower({quoted_text(column.name)})"""
    ).fetchone()
    return row[0] if row and row[1] else None


def _is_told(type_: str) -> str:
    time = _timed("stats_max_value", type_)
    return f"coalesce(isfinite({time}), stats_null_count = num_values, false)"


def _of_rows(connection: DuckDBPyConnection, scan: str, column: Column) -> int | None:
    time = _timed(quoted(column.name), column.type)
    row = connection.execute(
        f"select max(epoch_us({time})) from {scan} where isfinite({time})"
    ).fetchone()
    return row[0] if row else None


def _of_texts(
    connection: DuckDBPyConnection, scan: str, column: Column, timezone: str
) -> datetime | None:
    value = quoted(column.name)
    newest = (
        f"""max(epoch_us({_timed(value, type_)})) filter (
              where isfinite({_timed(value, type_)})
                and {is_one} regexp_matches({value}, {quoted_text(_OFFSET)}))"""
        for type_, is_one in (("TIMESTAMP", "not"), (_AWARE, ""))
    )
    row = connection.execute(f"select {', '.join(newest)} from {scan}").fetchone()
    naive, aware = row or (None, None)
    found = [] if naive is None else [_instant(naive, "TIMESTAMP", timezone)]
    return max([*found, *([] if aware is None else [_instant(aware, _AWARE, "")])], default=None)


def _timed(value: str, type_: str) -> str:
    """Return the SQL of `value` as a time with microseconds, in UTC where it has a zone."""
    return f"try_cast({value} as {'timestamptz' if type_ == _AWARE else 'timestamp'})"


def _instant(microseconds: int, type_: str, timezone: str) -> datetime:
    found = _EPOCH + timedelta(microseconds=max(_FIRST_US, min(microseconds, _LAST_US)))
    if not is_naive(type_):
        return found
    return found.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)
