"""The one DuckDB database of a process, in memory: it computes, and keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from assetflow.warehouse.digests import algorithm_id
from assetflow.warehouse.quoting import quoted_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Engine:
    """One in-memory database whose cursors all have the same settings.

    The settings are of the database, not of a connection, so that a cursor costs some
    microseconds. `macros` are `create macro` statements that every cursor sees.
    `memory_limit` is DuckDB's text, such as "4GB"; None leaves it to DuckDB.
    """

    def __init__(
        self,
        threads: int,
        memory_limit: str | None,
        temp_directory: Path,
        timezone: str = "UTC",
        macros: Sequence[str] = (),
    ) -> None:
        import duckdb

        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "temp_directory": str(temp_directory),
            # Python variables must not be read as tables: lineage would not see them.
            "python_enable_replacements": "false",
            # What an asset computes must not depend on what a network answers.
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
        }
        if memory_limit is not None:
            settings["memory_limit"] = memory_limit
        self._connection = duckdb.connect(":memory:", config=settings)
        self._connection.execute(f"set global TimeZone = {quoted_text(timezone)}").fetchall()
        for macro in macros:
            self._connection.execute(macro).fetchall()

    def cursor(self) -> DuckDBPyConnection:
        """Return a connection of its own to the database, for one thread at a time."""
        return self._connection.cursor()

    @cached_property
    def algorithm(self) -> str:
        """Return the id of the digest algorithm as this engine computes it."""
        cursor = self.cursor()
        try:
            return algorithm_id(cursor)
        finally:
            cursor.close()

    def close(self) -> None:
        """Close the database; cursors that are still open keep it until they are closed."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
