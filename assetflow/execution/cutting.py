"""How a whole is cut, by the time of its rows, to the partitions that read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from assetflow.errors import UnfitEventTime
from assetflow.graph.mapping import Slice
from assetflow.model.columns import ReadSet, Schema
from assetflow.model.names import AssetName, Digest, PartitionKey, folded
from assetflow.model.windows import Grid
from assetflow.planning.reach import Slices
from assetflow.sql.query import quoted
from assetflow.warehouse.partition_columns import (
    KeyWindow,
    TimeKeys,
    slice_condition,
    time_problem,
)
from assetflow.warehouse.slices import digest_slices

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Whole(NamedTuple):
    """What is cut: the SQL that reads it, and its columns."""

    scan: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class Cut:
    """How one upstream is cut for all `readers` whose windows are of one unit and zone.

    `windows` are by their text, in order. Naive times of the `column` are those of
    `timezone`; dates are those of the partitions, in the `date_zone`. What has an equal
    `text` is cut alike.
    """

    column: str
    timezone: str
    date_zone: str
    text: str
    readers: tuple[AssetName, ...]
    windows: dict[str, KeyWindow]

    def digests(
        self,
        connection: DuckDBPyConnection,
        scan: str,
        schema: Schema,
        read_sets: Iterable[ReadSet],
        windows: Sequence[KeyWindow],
        float_digits: int | None = None,
    ) -> dict[PartitionKey, dict[ReadSet, Digest]]:
        """Return the digests of the slices in `windows`, by their keys, in one scan."""
        _, column, keys = self._keys(schema, windows)
        return digest_slices(
            connection, scan, schema, read_sets, column, keys, float_digits=float_digits
        )

    def scan(self, scan: str, schema: Schema, windows: Sequence[KeyWindow]) -> str:
        """Return the SQL that reads the rows in `windows` of what `scan` reads."""
        type_, column, keys = self._keys(schema, windows)
        condition = slice_condition(column, type_, keys) if keys.windows else "false"
        return f"(select * from {scan} where {condition})"

    def _keys(self, schema: Schema, windows: Sequence[KeyWindow]) -> tuple[str, str, TimeKeys]:
        found = next((one for one in schema if folded(one.name) == folded(self.column)), None)
        if found is None:
            check_event_time(self.text, self.column, schema, "")
        assert found is not None
        type_ = found.type.upper()  # as a user may have declared it
        zone = self.date_zone if type_ == "DATE" else self.timezone
        return type_, quoted(found.name), TimeKeys(tuple(windows), zone)


def check_event_time(name: str, column: str, schema: Schema, place: object) -> None:
    """Raise UnfitEventTime unless a column of `schema` tells when a row of `name` happened."""
    types = {folded(one.name): one.type for one in schema}
    type_ = types.get(folded(column))
    why = "there is no such column" if type_ is None else time_problem(type_.upper())
    if why is not None:
        shown = why if type_ is None else f"it is of type {type_}: {why}"
        raise UnfitEventTime(name, column, shown, [one.name for one in schema], place)


def cuts_of(upstream: AssetName, slices: Slices) -> tuple[Cut, ...]:
    """Return how `upstream` is cut for those of its readers that read slices of it."""
    groups: dict[tuple[Slice, Grid], dict[AssetName, None]] = {}
    for reader, mapping in _sliced_by(upstream, slices):
        time = slices.keys[reader].time
        assert time is not None
        groups.setdefault((mapping, time.grid), {})[reader] = None
    return tuple(
        Cut(
            column=mapping.column,
            timezone=mapping.timezone,
            date_zone=grid.timezone,
            text=f"{mapping.text} to {grid.unit}s in {grid.timezone}",
            readers=tuple(readers),
            windows=dict(sorted(_windows(slices, readers), key=lambda one: one[1].start)),
        )
        for (mapping, grid), readers in groups.items()
    )


def _sliced_by(upstream: AssetName, slices: Slices) -> Iterator[tuple[AssetName, Slice]]:
    for reader in slices.graph.downstreams.get(upstream, ()):
        for link in slices.graph.links[reader]:
            mapping = slices.mappings.get((reader, link.input.name))
            if link.upstream == upstream and isinstance(mapping, Slice):
                yield reader, mapping


def _windows(slices: Slices, readers: Iterable[AssetName]) -> Iterator[tuple[str, KeyWindow]]:
    """Yield the windows of `readers` by their text; those of a product's keys but once."""
    seen: dict[PartitionKey, None] = {}
    for reader in readers:
        keys = slices.keys[reader]
        for key in keys:
            part = PartitionKey(keys.time_part(key))
            if part not in seen:
                seen[part] = None
                window = keys.window(key)
                assert window is not None
                yield window.text, KeyWindow(part, *window)


def empty_scan(schema: Schema) -> str:
    """Return the SQL that reads no rows, with the columns of `schema`."""
    columns = ", ".join(f"null::{one.type} as {quoted(one.name)}" for one in schema)
    return f"(select {columns} where false)"
