"""Packing: the small files of an asset's partitions become a few large ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.model.columns import Schema
from assetflow.model.names import AssetName
from assetflow.warehouse.layout import PARTITION_COLUMN, absolute, packed_path
from assetflow.warehouse.parts import Part, scan_parts
from assetflow.warehouse.quoting import quoted_text
from assetflow.warehouse.versions import being_written

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PACKED_ROWS = 1_000_000
"""About so many rows a packed file has."""

ROW_GROUP = 122_880
FEWEST_FILES = 16
"""So many small files are packed, and fewer are left as they are."""


@dataclass(frozen=True, slots=True)
class Packable:
    """A part of a current version, with what decides whether it is packed.

    `rows` are those of the version, `schema` is that of the version.
    """

    part: Part
    rows: int
    schema: Schema = ()


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed file as it was written. `path` is relative to the data folder."""

    path: str
    size_bytes: int
    rows: int


def what_to_pack(parts: Sequence[Packable]) -> tuple[tuple[Packable, ...], ...]:
    """Return which of `parts` are to be packed together, in the order that they have.

    Files are in levels, each holding about 16 times the rows of the one below. As soon
    as 16 files of one level, and of one schema, are there, or enough rows for a whole
    file, they are packed together with all smaller ones, so that a row is rewritten at
    most once for each level. Files that are more than half full are left alone.
    """
    groups: list[tuple[Packable, ...]] = []
    for schema in dict.fromkeys(each.schema for each in parts):
        files = _files([each for each in parts if each.schema == schema])
        chosen = {each.part for file in _chosen(files) for each in file}
        wanted = [each for each in parts if each.part in chosen]
        groups += _filled(wanted)
    return tuple(groups)


def pack(
    connection: DuckDBPyConnection, data: Path, asset: AssetName, parts: Sequence[Part]
) -> Packed:
    """Write one file of `parts`, in their order, all of one schema; nothing else is changed.

    Rows are streamed, and keep their order within a part. Raises VersionMissing.
    """
    scan = scan_parts(data, parts, key_column=PARTITION_COLUMN, ordered=True)
    path = packed_path(asset, len(parts))
    with being_written(data, path) as partial:
        copy = (
            f"copy (from {scan}) to {quoted_text(str(partial))} "
            f"(format parquet, row_group_size {ROW_GROUP})"
        )
        ((rows,),) = connection.execute(copy).fetchall()
        final = absolute(data, path)
        partial.rename(final)
        return Packed(path, final.stat().st_size, rows)


_File = tuple[Packable, ...]


def _files(parts: Sequence[Packable]) -> list[_File]:
    """Return the parts of each file that is small."""
    by_path = sorted(parts, key=lambda each: each.part.path)
    found = [tuple(group) for _, group in groupby(by_path, key=lambda each: each.part.path)]
    return [file for file in found if _rows(file) <= PACKED_ROWS // 2]


def _rows(file: _File) -> int:
    return sum(each.rows for each in file)


def _level(rows: int) -> int:
    """Return how often `rows` can be divided by 16 and still count thousands."""
    level = 0
    while rows >= 1000:  # noqa: PLR2004 - below, opening a file costs more than its rows
        rows, level = rows // FEWEST_FILES, level + 1
    return level


def _chosen(files: Sequence[_File]) -> list[_File]:
    """Return the files of the highest level at which there are enough, and all below."""
    levels: dict[int, list[_File]] = {}
    for file in files:
        levels.setdefault(_level(_rows(file)), []).append(file)
    full = max((level for level, some in levels.items() if _is_full(some)), default=-1)
    return [file for level, some in levels.items() if level <= full for file in some]


def _is_full(files: Sequence[_File]) -> bool:
    """Whether there are many files, or rows enough for one that is never packed again."""
    return len(files) >= FEWEST_FILES or sum(map(_rows, files)) >= PACKED_ROWS


def _filled(parts: Sequence[Packable]) -> list[tuple[Packable, ...]]:
    """Cut `parts` into groups of about PACKED_ROWS rows, all about equally large."""
    total = sum(each.rows for each in parts)
    count = max(1, round(total / PACKED_ROWS))
    groups: list[list[Packable]] = [[] for _ in range(count)]
    before = 0
    for each in parts:
        middle = before + each.rows / 2
        groups[min(int(middle * count / max(total, 1)), count - 1)].append(each)
        before += each.rows
    return [tuple(group) for group in groups if len(group) > 1]
