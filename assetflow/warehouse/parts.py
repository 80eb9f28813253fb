"""The versions of an asset's partitions as one table, whatever files they lie in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from assetflow.model.columns import Schema
from assetflow.model.names import WHOLE, PartitionKey
from assetflow.sql.query import quoted
from assetflow.warehouse.layout import PARTITION_COLUMN, partitions_in
from assetflow.warehouse.quoting import quoted_paths, quoted_text
from assetflow.warehouse.versions import stored_path

_FILE = "assetflow_file"
_NO_FILES = "A scan needs at least one part."


class Part(NamedTuple):
    """One version of a partition, within its file. `size_bytes` is that of the file."""

    path: str
    size_bytes: int
    partition: PartitionKey = WHOLE
    is_packed: bool = False


@dataclass(frozen=True, slots=True)
class _Branch:
    """Files that are read in one go. `kept` are the partitions that count, () for all.

    Where not all have the same columns, it `is_mixed`: then DuckDB looks into each at once.
    """

    files: tuple[Path, ...]
    partitions: tuple[PartitionKey, ...]
    is_packed: bool
    kept: tuple[PartitionKey, ...] = ()
    is_mixed: bool = False


def scan_parts(
    data: Path,
    parts: Sequence[Part],
    *,
    key_column: str = "",
    schema: Schema = (),
    ordered: bool = False,
) -> str:
    """Return the SQL that reads `parts` as one table, with the columns of the asset's own.

    The partition key is the last column, named `key_column`, where that is given.
    `schema` is to be given where the parts differ: its order and types hold, and what
    only some have is NULL elsewhere. If `ordered`, rows come in the order of `parts`.
    Raises VersionMissing where a file is gone, or has another size.
    """
    files = _present(data, parts)
    branches = list(_ordered(parts, files) if ordered else _gathered(parts, files))
    if not branches:
        raise ValueError(_NO_FILES)
    if schema:
        branches = [replace(branch, is_mixed=True) for branch in branches]
    if not schema and not key_column and len(branches) == 1 and not branches[0].is_packed:
        return _read(branches[0])
    selects = [_select(branch, key_column) for branch in branches]
    joined = " union all by name ".join(selects)
    return f"({joined})" if not schema else f"({_shaped(joined, schema, key_column)})"


def _present(data: Path, parts: Iterable[Part]) -> dict[str, Path]:
    """Return where each file of `parts` lies; each is looked at once."""
    sizes = {part.path: part.size_bytes for part in parts}
    return {path: stored_path(data, path, size) for path, size in sizes.items()}


def _gathered(parts: Sequence[Part], files: dict[str, Path]) -> Iterator[_Branch]:
    """Yield as few branches as can be: whole packed files, each cut one, single versions."""
    packed: dict[str, list[PartitionKey]] = {}
    for part in parts:
        if part.is_packed:
            packed.setdefault(part.path, []).append(part.partition)
    whole = [path for path, keys in packed.items() if _is_whole(path, keys)]
    if whole:
        yield _Branch(tuple(files[path] for path in whole), (), is_packed=True)
    for path, keys in packed.items():
        if path not in whole:
            yield _Branch((files[path],), (), is_packed=True, kept=tuple(keys))
    single = [part for part in parts if not part.is_packed]
    if single:
        yield _single(single, files)


def _ordered(parts: Sequence[Part], files: dict[str, Path]) -> Iterator[_Branch]:
    """Yield branches in the order of `parts`: a file may be read in several pieces."""
    for path, run in groupby(parts, key=lambda part: part.path if part.is_packed else ""):
        found = list(run)
        if not path:
            yield _single(found, files)
            continue
        keys = tuple(part.partition for part in found)
        kept = () if _is_whole(path, keys) else keys
        yield _Branch((files[path],), (), is_packed=True, kept=kept)


def _single(parts: Sequence[Part], files: dict[str, Path]) -> _Branch:
    keys = tuple(part.partition for part in parts)
    return _Branch(tuple(files[part.path] for part in parts), keys, is_packed=False)


def _is_whole(path: str, keys: Sequence[PartitionKey]) -> bool:
    return partitions_in(path) == len(set(keys))


def _select(branch: _Branch, key_column: str) -> str:
    name = quoted(key_column)
    if branch.is_packed:
        key = f", {PARTITION_COLUMN} as {name}" if key_column else ""
        where = f" where {_condition(branch.kept)}" if branch.kept else ""
        return f"select * exclude ({PARTITION_COLUMN}){key} from {_read(branch)}{where}"
    if not key_column:
        return f"from {_read(branch)}"
    texts = ", ".join(quoted_text(key) for key in branch.partitions)
    if len(branch.partitions) == 1:
        return f"select *, {texts} as {name} from {_read(branch)}"
    key = f"[{texts}][list_position({quoted_paths(branch.files)}, {_FILE})]"
    return f"select * exclude ({_FILE}), {key} as {name} from {_read(branch, named=True)}"


def _condition(keys: Sequence[PartitionKey]) -> str:
    if len(keys) == 1:
        return f"{PARTITION_COLUMN} = {quoted_text(keys[0])}"
    return f"{PARTITION_COLUMN} in ({', '.join(quoted_text(key) for key in keys)})"


def _read(branch: _Branch, *, named: bool = False) -> str:
    filename = f", filename={quoted_text(_FILE)}" if named else ""
    by_name = ", union_by_name=true" if branch.is_mixed and len(branch.files) > 1 else ""
    return f"read_parquet({quoted_paths(branch.files)}, hive_partitioning=false{by_name}{filename})"


def _shaped(selects: str, schema: Schema, key_column: str) -> str:
    """Return the rows of `selects` with the columns of `schema` first and in its types."""
    empty = ", ".join(f"null::{column.type} as {quoted(column.name)}" for column in schema)
    casts = ", ".join(
        f"{quoted(column.name)}::{column.type} as {quoted(column.name)}" for column in schema
    )
    last = f", {quoted(key_column)}" if key_column else ""
    names = [quoted(column.name) for column in schema] + ([quoted(key_column)] if last else [])
    return (
        f"select {casts}, * exclude ({', '.join(names)}){last} from "
        f"(select {empty} where false union all by name {selects})"
    )
