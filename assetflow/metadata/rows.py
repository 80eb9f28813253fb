"""Rows of the store as records again, many at a time and in one pass."""

from __future__ import annotations

import gc
import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assetflow.metadata.encoding import read_text
from assetflow.model.columns import Column, ReadSet
from assetflow.planning.history import InputRead, Materialized, VersionStored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

    from assetflow.model.names import Digest, MaterializationId, VersionId

PAIRS = tuple[tuple[str, str], ...]
SCHEMA = tuple[Column, ...]
_Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """Materializations and the versions they point to, each by its id."""

    materializations: dict[MaterializationId, Materialized]
    versions: dict[VersionId, VersionStored]


def utc(naive: datetime) -> datetime:
    """Return the instant that the store keeps without saying that it is UTC."""
    return naive.replace(tzinfo=UTC)


def fetch_contents(
    connection: DuckDBPyConnection, query: str, values: tuple[object, ...], algorithm: str = ""
) -> Contents:
    """Return what `query` selects: rows of (number of a materialization, version).

    A version has the digests of `algorithm` where it has some, else those of its own.
    """
    connection.execute(
        f"create or replace temp table chosen(number, version) as {query}", list(values)
    )
    read_sets = fetch_read_sets(connection)
    with _uncollected():
        return Contents(
            _fetch_materializations(connection, _fetch_inputs(connection, read_sets)),
            _fetch_versions(connection, _fetch_digests(connection, read_sets), algorithm),
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Make many values that all stay, without the collector looking at them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def fetch_read_sets(connection: DuckDBPyConnection) -> dict[int, ReadSet]:
    """Return every read-set by its number."""
    rows = connection.execute("select read_set, columns, ordered from read_sets").fetchall()
    return {
        number: ReadSet(None if columns is None else tuple(columns), ordered)
        for number, columns, ordered in rows
    }


def _fetch_inputs(
    connection: DuckDBPyConnection, read_sets: dict[int, ReadSet]
) -> dict[int, list[InputRead]]:
    inputs: dict[int, list[InputRead]] = {}
    rows = connection.execute(
        """select * from materialization_inputs
           where materialization in (select number from chosen)
           order by materialization, rowid"""
    ).fetchall()
    for number, name, upstream, form, mapping, partitions, versions, read_set, digest in rows:
        read: _Row = (_texts(partitions), _texts(versions), read_sets[read_set], digest)
        inputs.setdefault(number, []).append(InputRead(name, upstream, form, mapping, *read))
    return inputs


def _texts(text: str) -> tuple[str, ...]:
    # Nearly all inputs are of one partition; these need no parser.
    if text.count('"') == 2 and "\\" not in text:  # noqa: PLR2004 - the quotes of one text
        return (text[2:-2],)
    return tuple(json.loads(text))


def _fetch_materializations(
    connection: DuckDBPyConnection, inputs: dict[int, list[InputRead]]
) -> dict[MaterializationId, Materialized]:
    materializations = {}
    rows = connection.execute(
        "select * from materializations where number in (select number from chosen)"
    ).fetchall()
    for number, *what, created_at, seconds, settings, metadata, window, _ in rows:
        read = (read_text(PAIRS, settings), tuple(inputs.get(number, ())))
        row: _Row = (*what, utc(created_at), seconds, *read, read_text(PAIRS, metadata), window)
        made = Materialized(*row)
        materializations[made.materialization] = made
    return materializations


_OF_CHOSEN = "version between $1 and $2 and version in (select version from chosen)"
"""Ids are in the order of time: with bounds, most of a store of a million rows is not read."""


def _bounds(connection: DuckDBPyConnection) -> tuple[str | None, str | None]:
    """Return the first and the last of the chosen versions."""
    ((first, last),) = connection.execute(
        "select min(version), max(version) from chosen"
    ).fetchall()
    return first, last


def _fetch_digests(
    connection: DuckDBPyConnection, read_sets: dict[int, ReadSet]
) -> dict[tuple[VersionId, str], list[tuple[ReadSet, Digest]]]:
    digests: dict[tuple[VersionId, str], list[tuple[ReadSet, Digest]]] = {}
    rows = connection.execute(
        f"""select version, algorithm, read_set, digest from digests
            where {_OF_CHOSEN} order by rowid""",
        _bounds(connection),
    ).fetchall()
    for version, algorithm, read_set, digest in rows:
        digests.setdefault((version, algorithm), []).append((read_sets[read_set], digest))
    return digests


def _fetch_versions(
    connection: DuckDBPyConnection,
    digests: dict[tuple[VersionId, str], list[tuple[ReadSet, Digest]]],
    algorithm: str,
) -> dict[VersionId, VersionStored]:
    versions = {}
    rows = connection.execute(
        f"""select v.* exclude (number)
                  replace (coalesce(f.path, v.path) as path,
                           coalesce(f.size_bytes, v.size_bytes) as size_bytes,
                           coalesce(f.packed, v.packed) as packed)
           from (from versions where {_OF_CHOSEN}) as v
           left join packed_versions as p on p.stored = v.number
           left join packed_files as f using (file)""",
        _bounds(connection),
    ).fetchall()
    for version, *whose, created_at, path, form, schema, count, size, ordered, own, packed in rows:
        used = algorithm if (version, algorithm) in digests else own
        where = (utc(created_at), path, form, read_text(SCHEMA, schema))
        how = (count, size, ordered, used, tuple(digests.get((version, used), ())), packed)
        row: _Row = (version, *whose, *where, *how)
        versions[version] = VersionStored(*row)
    return versions
