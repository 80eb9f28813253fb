"""`catalog.duckdb`: views over the published versions, for other tools."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.model.names import folded
from assetflow.sql.query import quoted
from assetflow.warehouse.disk import disk_errors
from assetflow.warehouse.layout import PARTIAL
from assetflow.warehouse.quoting import quoted_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STORAGE_VERSION = "v1.2.0"
"""Every version of DuckDB that is supported opens it; 2.0's own would shut out 1.5."""

_BLOCK_BYTES = 16_384
_LARGEST_BYTES = 64_000_000
"""Rewritten views leave free blocks behind; above this size the catalog is made anew."""

_RESERVED = frozenset({"main", "temp", "system", "information_schema", "pg_catalog"})
_LITERAL = re.compile(r"'((?:[^']|'')*)'")

_Address = tuple[str, str]
"""The schema and the name of a view."""


def write_catalog(connection: DuckDBPyConnection, path: Path, views: Mapping[str, str]) -> int:
    """Make the catalog at `path` have exactly `views`, and return how many were rewritten.

    `views` maps an asset's name to the SQL that reads it. A dotted name is a view in a
    schema: its last word is the view, all before it the schema. The new file is written
    beside the old one and renamed, so that a reader sees one of the two, whole.
    """
    wanted = {_address(name): scan for name, scan in views.items()}
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    with disk_errors(draft):
        try:
            return _write(connection, path, draft, wanted)
        finally:
            for leftover in (draft, _wal(draft)):
                leftover.unlink(missing_ok=True)


def _write(
    connection: DuckDBPyConnection, path: Path, draft: Path, wanted: Mapping[_Address, str]
) -> int:
    """Write the draft from the present catalog, or anew where that is no catalog."""
    import duckdb

    is_kept = path.is_file() and path.stat().st_size <= _LARGEST_BYTES
    if is_kept:
        shutil.copyfile(path, draft)
        try:
            return _replace(connection, path, draft, wanted)
        except duckdb.Error:
            draft.unlink(missing_ok=True)
    return _replace(connection, path, draft, wanted)


def _replace(
    connection: DuckDBPyConnection, path: Path, draft: Path, wanted: Mapping[_Address, str]
) -> int:
    is_new = not draft.exists()
    with _attached(connection, draft) as database:
        known = {} if is_new else _known(connection, database)
        changed = {
            address: scan
            for address, scan in wanted.items()
            if known.get(address) != _LITERAL.findall(scan)
        }
        dropped = known.keys() - wanted.keys()
        if changed or dropped:
            _rewrite(connection, database, changed, dropped)
    if changed or dropped or is_new:
        draft.replace(path)
        # A log of the old file would be replayed into the new one.
        _wal(path).unlink(missing_ok=True)
    return len(changed)


def _rewrite(
    connection: DuckDBPyConnection,
    database: str,
    changed: Mapping[_Address, str],
    dropped: Iterable[_Address],
) -> None:
    schemas = sorted({schema for schema, _ in changed})
    statements = [f"create schema if not exists {database}.{quoted(name)}" for name in schemas]
    statements += [f"drop view {database}.{quoted(s)}.{quoted(v)}" for s, v in dropped]
    statements += [
        f"create or replace view {database}.{quoted(schema)}.{quoted(view)} as select * from {scan}"
        for (schema, view), scan in changed.items()
    ]
    connection.begin()
    try:
        for statement in statements:
            connection.execute(statement).fetchall()
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _known(connection: DuckDBPyConnection, database: str) -> dict[_Address, list[str]]:
    """Return the paths that each view reads: DuckDB keeps its own spelling of the rest."""
    query = (
        "select schema_name, view_name, sql from duckdb_views() "
        f"where database_name = {quoted_text(database)} and not internal"
    )
    found = connection.execute(query).fetchall()
    return {(schema, view): _LITERAL.findall(sql) for schema, view, sql in found}


def _address(name: str) -> _Address:
    schema, _, view = name.rpartition(".")
    return ("main", name) if not schema or folded(schema) in _RESERVED else (schema, view)


@contextmanager
def _attached(connection: DuckDBPyConnection, path: Path) -> Iterator[str]:
    database = f"catalog_{secrets.token_hex(4)}"
    options = f"storage_version {quoted_text(STORAGE_VERSION)}"
    if not path.exists():
        options += f", block_size {_BLOCK_BYTES}"
    attach = f"attach {quoted_text(str(path))} as {database} ({options})"
    connection.execute(attach).fetchall()
    try:
        yield database
    finally:
        connection.execute(f"detach {database}").fetchall()


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")
