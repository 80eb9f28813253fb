"""`catalog.duckdb`: views over the published versions, for other tools."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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

_OWN_SCHEMA = "assetflow"
_UP_TO = "shows_publications_up_to"
"""A macro, since it is in no list of tables or views that other tools show."""

_RESERVED = frozenset({"main", "temp", "system", "information_schema", "pg_catalog"})
_LITERAL = re.compile(r"'((?:[^']|'')*)'")

_Address = tuple[str, str]
"""The schema and the name of a view."""


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """What becomes of a catalog: views by name, with the SQL that reads each.

    From then on it shows the publications up to `sequence`.
    """

    changed: Mapping[str, str]
    dropped: Collection[str]
    sequence: int


def update_catalog(
    connection: DuckDBPyConnection, path: Path, since: Callable[[int], CatalogChange | None]
) -> bool:
    """Bring the catalog at `path` to what `since` says has changed, by rewriting that alone.

    `since` is called with the sequence up to which the catalog shows the publications,
    and returns None where nothing followed. Return False where the catalog does not say,
    or cannot be kept: `write_catalog` then makes it whole.
    """
    import duckdb

    if not path.is_file() or path.stat().st_size > _LARGEST_BYTES:
        return False
    with _draft_of(path) as draft:
        shutil.copyfile(path, draft)
        try:
            with _attached(connection, draft) as database:
                change = since(_sequence(connection, database))
                if change is not None:
                    _apply(connection, database, change)
        except duckdb.Error:
            return False
        if change is not None:
            _put(draft, path)
    return True


def write_catalog(
    connection: DuckDBPyConnection, path: Path, views: Mapping[str, str], sequence: int = 0
) -> int:
    """Make the catalog at `path` have exactly `views`, and return how many were rewritten.

    `sequence` is that of the last publication which they show.

    `views` maps an asset's name to the SQL that reads it. A dotted name is a view in a
    schema: its last word is the view, all before it the schema. The new file is written
    beside the old one and renamed, so that a reader sees one of the two, whole.
    """
    wanted = {_address(name): scan for name, scan in views.items()}
    with _draft_of(path) as draft:
        return _write(connection, path, draft, _Wanted(wanted, sequence))


@dataclass(frozen=True, slots=True)
class _Wanted:
    views: Mapping[_Address, str]
    sequence: int


@contextmanager
def _draft_of(path: Path) -> Iterator[Path]:
    """Give where the next catalog is written; nothing is left there after."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    with disk_errors(draft):
        try:
            yield draft
        finally:
            for leftover in (draft, _wal(draft)):
                leftover.unlink(missing_ok=True)


def _put(draft: Path, path: Path) -> None:
    draft.replace(path)
    # A log of the old file would be replayed into the new one.
    _wal(path).unlink(missing_ok=True)


def _apply(connection: DuckDBPyConnection, database: str, change: CatalogChange) -> None:
    changed = {_address(name): scan for name, scan in change.changed.items()}
    dropped = [_address(name) for name in change.dropped]
    _rewrite(connection, database, changed, dropped, change.sequence)


def _sequence(connection: DuckDBPyConnection, database: str) -> int:
    """Return up to where the catalog shows the publications. Raises an error if it says not."""
    query = f"select {database}.{_OWN_SCHEMA}.{_UP_TO}()"
    ((sequence,),) = connection.execute(query).fetchall()
    return int(sequence)


def _write(connection: DuckDBPyConnection, path: Path, draft: Path, wanted: _Wanted) -> int:
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


def _replace(connection: DuckDBPyConnection, path: Path, draft: Path, wanted: _Wanted) -> int:
    is_new = not draft.exists()
    with _attached(connection, draft) as database:
        known = {} if is_new else _known(connection, database)
        is_behind = is_new or _sequence_if_any(connection, database) != wanted.sequence
        changed = {
            address: scan
            for address, scan in wanted.views.items()
            if known.get(address) != _LITERAL.findall(scan)
        }
        dropped = known.keys() - wanted.views.keys()
        if changed or dropped or is_behind:
            _rewrite(connection, database, changed, dropped, wanted.sequence)
    if changed or dropped or is_behind:
        _put(draft, path)
    return len(changed)


def _sequence_if_any(connection: DuckDBPyConnection, database: str) -> int | None:
    import duckdb

    try:
        return _sequence(connection, database)
    except duckdb.CatalogException:
        return None


def _rewrite(
    connection: DuckDBPyConnection,
    database: str,
    changed: Mapping[_Address, str],
    dropped: Iterable[_Address],
    sequence: int,
) -> None:
    schemas = sorted({_OWN_SCHEMA, *(schema for schema, _ in changed)})
    statements = [f"create schema if not exists {database}.{quoted(name)}" for name in schemas]
    statements += [f"drop view if exists {database}.{quoted(s)}.{quoted(v)}" for s, v in dropped]
    statements += [
        f"create or replace view {database}.{quoted(schema)}.{quoted(view)} as select * from {scan}"
        for (schema, view), scan in changed.items()
    ]
    macro = f"{database}.{_OWN_SCHEMA}.{_UP_TO}()"
    statements.append(f"create or replace macro {macro} as {sequence}")
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
