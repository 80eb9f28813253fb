"""Versions: immutable contents of assets, staged as files that nobody has seen yet.

What is staged is complete, has its digests, and lies under its own name; whether and
when readers see it is for those who publish. Nothing is written in place.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from assetflow.errors import ReservedColumn, VersionMissing
from assetflow.model.checks import Check
from assetflow.model.columns import EVERYTHING, EVERYTHING_ORDERED, Column, ReadSet, Schema
from assetflow.model.names import AssetPartition, Digest, VersionId, folded
from assetflow.sql.types import cast_projection, needs_cast, stored_schema
from assetflow.warehouse.auditing import Audited, audit_scan
from assetflow.warehouse.digests import SMALL, has_columns
from assetflow.warehouse.disk import disk_errors
from assetflow.warehouse.kept_files import digest_of_files, keep_files, size_of_files
from assetflow.warehouse.layout import (
    PARTIAL,
    PARTITION_COLUMN,
    absolute,
    files_path,
    version_path,
)
from assetflow.warehouse.quoting import quoted_text, read_parquet
from assetflow.warehouse.returned import Returned, as_returned, declared_columns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

Format = Literal["parquet", "files"]

_SYNC_THREADS = 8


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version that is to be made, and what is to be known of it.

    `data` is the data folder. `read_sets` are those of the known consumers; one that
    names a column which the version has not is left out. `ordered` says that the order
    of the rows is part of the content. Files under `scratch` are moved, others copied.
    With `digest_later`, digests of a small table without checks are left out: many are
    found at once. `checks` are those whose measures are to be taken; they have no code of
    the user's. Columns that are declared as a contract are told about by its audit.
    """

    data: Path
    target: AssetPartition
    version: VersionId
    algorithm: str
    read_sets: tuple[ReadSet, ...] = ()
    ordered: bool = False
    float_digits: int | None = None
    scratch: Path | None = None
    digest_later: bool = False
    checks: tuple[Check, ...] = ()
    is_contract: bool = False

    @property
    def whole(self) -> ReadSet:
        """Return the read-set of the whole digest."""
        return EVERYTHING_ORDERED if self.ordered else EVERYTHING


@dataclass(frozen=True, slots=True)
class Staged:
    """A version as it was written. `path` is relative to the data folder.

    `rows` is None for files; then the schema is empty. The whole digest comes first;
    there is none yet of what is to be digested later.
    Where it is `packed`, others lie in the file too, and `size_bytes` is that of the file.
    `measured` are the values that each check asked for, in the order of the checks; Broken
    stands for one that could not be computed. Of files nothing is measured.
    """

    version: VersionId
    path: str
    format: Format
    schema: Schema
    rows: int | None
    size_bytes: int
    ordered: bool
    algorithm: str
    digests: tuple[tuple[ReadSet, Digest], ...]
    packed: bool = False
    measured: tuple[tuple[object, ...], ...] = ()


def describe(
    connection: DuckDBPyConnection, query: str, parameters: Mapping[str, object] | None = None
) -> Schema:
    """Return the columns that `query` gives, before anything is cast for storing."""
    found = connection.execute(f"describe {query}", parameters or None).fetchall()
    return tuple(Column(name, type_) for name, type_, *_ in found)


def stage_query(
    connection: DuckDBPyConnection,
    query: str,
    parameters: Mapping[str, object] | None,
    schema: Schema | None,
    new: NewVersion,
) -> Staged:
    """Run `query` into a file of its own, and return what became of it.

    `schema` is what DuckDB describes for the query over the same inputs; None asks
    DuckDB. A failure leaves no file behind.
    """
    text, stored = castable(connection, query, parameters, schema)
    with being_written(new.data, version_path(new.target.asset, new.version)) as partial:
        copy = f"copy ({text}\n) to {quoted_text(str(partial))} (format parquet)"
        counted = connection.execute(copy, parameters or None).fetchall()
        # A pivot whose columns the data decides runs as several statements: the last counts.
        rows = counted[0][0] if counted else rows_in(connection, partial)
        return _complete(connection, partial, stored, rows, new)


def castable(
    connection: DuckDBPyConnection,
    query: str,
    parameters: Mapping[str, object] | None,
    schema: Schema | None,
) -> tuple[str, Schema]:
    """Return `query` with the casts that storing needs, and the columns as stored.

    Raises TypeNotStored, ReservedColumn.
    """
    text = query.rstrip().removesuffix(";")
    described = describe(connection, text, parameters) if schema is None else schema
    check_reserved(described)
    stored = stored_schema(described)
    if needs_cast(described):
        text = f"select {cast_projection(described)} from ({text}\n)"
    return text, stored


def check_reserved(schema: Schema) -> None:
    """Raise ReservedColumn for a column named like that of packed files."""
    if any(folded(column.name) == PARTITION_COLUMN for column in schema):
        raise ReservedColumn(PARTITION_COLUMN)


def stage_value(
    connection: DuckDBPyConnection, value: object, declared: Schema | None, new: NewVersion
) -> Staged:
    """Store what a Python asset returned, in any of its forms, and return what became of it.

    Streams are read once, in bounded memory. With `declared` columns, the value must
    have these, in any order. Raises AssetReturnedNothing, AssetReturnedWrongThing,
    EmptyWithoutColumns, ColumnsDiffer; what a stream of the user's raises comes through.
    """
    if isinstance(value, Path):
        return _stage_files(value, new)
    with as_returned(connection, value, declared) as returned:
        columns = declared_columns(connection, returned, declared, is_contract=new.is_contract)
        if returned.relation is not None:
            relation = returned.relation.project(returned.projection(columns))
            return _stage_relation(connection, relation, columns, new)
        return _stage_table(connection, returned, columns, new)


def scan_sql(data: Path, versions: Iterable[tuple[str, int]]) -> str:
    """Return the SQL that reads `versions`, as (path, recorded size), in their order.

    Raises VersionMissing where a file is gone, or has another size.
    """
    paths = [stored_path(data, path, size_bytes) for path, size_bytes in versions]
    return read_parquet(paths)


def stored_path(data: Path, path: str, size_bytes: int) -> Path:
    """Return where the version recorded as `path` lies: a file, or a folder of files.

    Raises VersionMissing where it is gone, or has another size than recorded.
    """
    stored = absolute(data, path)
    try:
        found = size_of_files(stored)
    except FileNotFoundError:
        raise VersionMissing(str(stored), size_bytes, None) from None
    if found != size_bytes:
        raise VersionMissing(str(stored), size_bytes, found)
    return stored


def sync_versions(data: Path, paths: Iterable[str]) -> None:
    """Bring staged versions, and the folders that lead to them, to the disk itself."""
    files: list[Path] = []
    folders: set[Path] = {data}
    for path in paths:
        stored = absolute(data, path)
        below = [stored, *stored.rglob("*")] if stored.is_dir() else [stored]
        files += [entry for entry in below if not entry.is_dir()]
        folders.update(entry for entry in below if entry.is_dir())
        folders.update(data / parent for parent in PurePosixPath(path).parents)
    with disk_errors(data), ThreadPoolExecutor(_SYNC_THREADS) as pool:
        list(pool.map(_sync, files))
        list(pool.map(_sync, folders))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def being_written(data: Path, path: str) -> Iterator[Path]:
    """Give where the file for `path` is written until it is renamed; nothing is left after."""
    final = absolute(data, path)
    partial = final.with_name(final.name + PARTIAL)
    with disk_errors(partial):
        _make_folder(partial.parent)
        try:
            yield partial
        finally:
            partial.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Make the folder of an asset."""
    try:
        os.mkdir(folder)  # noqa: PTH102 - for each of ten thousand assets
    except FileExistsError:
        return
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)


def _complete(
    connection: DuckDBPyConnection, partial: Path, schema: Schema, rows: int, new: NewVersion
) -> Staged:
    """Compute the digests of a written file, unless that has time, and what checks ask."""
    found = Audited(rows, {})
    if rows > SMALL or new.checks or not new.digest_later:
        known = [read_set for read_set in new.read_sets if has_columns(read_set, schema)]
        found = audit_scan(
            connection,
            read_parquet([partial]),
            schema,
            dict.fromkeys([new.whole, *known]),
            new.checks,
            float_digits=new.float_digits,
            rows=rows,
        )
    path = version_path(new.target.asset, new.version)
    final = absolute(new.data, path)
    partial.rename(final)
    return Staged(
        version=new.version,
        path=path,
        format="parquet",
        schema=schema,
        rows=rows,
        size_bytes=final.stat().st_size,
        ordered=new.ordered,
        algorithm=new.algorithm,
        digests=tuple(found.digests.items()),
        measured=found.measured,
    )


def _stage_table(
    connection: DuckDBPyConnection, returned: Returned, columns: Schema, new: NewVersion
) -> Staged:
    with returned.errors():
        query = f"select {returned.projection(columns)} from {returned.view}"
        return stage_query(connection, query, None, columns, new)


def _stage_relation(
    connection: DuckDBPyConnection, relation: DuckDBPyRelation, columns: Schema, new: NewVersion
) -> Staged:
    """Let the relation write itself, on the connection that it belongs to."""
    check_reserved(columns)
    with being_written(new.data, version_path(new.target.asset, new.version)) as partial:
        relation.project(cast_projection(columns)).write_parquet(str(partial))
        rows = rows_in(connection, partial)
        return _complete(connection, partial, stored_schema(columns), rows, new)


def rows_in(connection: DuckDBPyConnection, path: Path) -> int:
    """Return how many rows the Parquet file at `path` has."""
    query = f"select num_rows from parquet_file_metadata({quoted_text(str(path))})"
    ((rows,),) = connection.execute(query).fetchall()
    return int(rows)


def _stage_files(value: Path, new: NewVersion) -> Staged:
    """Keep the file or folder `value`; its digest is that of its bytes."""
    path = files_path(new.target.asset, new.version, value.resolve().name)
    kept = absolute(new.data, path)
    with disk_errors(kept):
        keep_files(value, kept, scratch=new.scratch)
        digest = digest_of_files(kept)
        size_bytes = size_of_files(kept)
    return Staged(
        version=new.version,
        path=path,
        format="files",
        schema=(),
        rows=None,
        size_bytes=size_bytes,
        ordered=new.ordered,
        algorithm=new.algorithm,
        digests=tuple(
            (read_set, digest)
            for read_set in dict.fromkeys([new.whole, *new.read_sets])
            if read_set.is_everything
        ),
    )
