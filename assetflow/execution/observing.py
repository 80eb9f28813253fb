"""Observe the sources of a project, each once; of one with partitions each of these by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.errors import SourceProblem, SourceUnreadable
from assetflow.execution.cutting import check_event_time
from assetflow.execution.source_states import (
    SourceState,
    UnseenSource,
    about,
    columns_before,
    observe,
    reading,
    scan_of_files,
    schema_of_files,
    state_of,
)
from assetflow.metadata.records import Observed
from assetflow.model.asset import Source
from assetflow.model.columns import Schema
from assetflow.model.file_states import FileState
from assetflow.model.names import WHOLE, AssetName, AssetPartition, PartitionKey
from assetflow.model.partitions import KeySet
from assetflow.model.path_keys import glob_of, key_of_path, keys_found
from assetflow.planning.reasons import listed
from assetflow.project.analysis import Shape
from assetflow.warehouse.files import matching_files, observe_paths, source_paths
from assetflow.warehouse.sources import check_source_files

if TYPE_CHECKING:
    from assetflow.warehouse.connection import Engine

_MOST_BROKEN = 5
"""So many files are left out, one after the other, while the columns of the rest are found."""

Files = dict[PartitionKey, tuple[FileState, ...]]
Broken = dict[PartitionKey, SourceProblem]


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of the sources.

    `unseen` are those that cannot be observed, or partitions of them. `keys` are of those
    whose files say them, `shapes` of all. `notes` say which files belong to no partition.
    """

    states: dict[AssetPartition, SourceState] = field(default_factory=dict)
    unseen: dict[AssetPartition, UnseenSource] = field(default_factory=dict)
    keys: dict[AssetName, KeySet] = field(default_factory=dict)
    shapes: dict[AssetName, Shape] = field(default_factory=dict)
    notes: list[tuple[AssetName, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Observer:
    """Observes the sources of the project at `root` as of `now`."""

    root: Path
    now: datetime
    engine: Engine

    def observe_all(
        self,
        sources: Iterable[Source],
        previous: Mapping[AssetName, Mapping[PartitionKey, Observed]],
        keys: Mapping[AssetName, KeySet],
    ) -> Sight:
        """Return the state of each of `sources`, and of each of their partitions.

        `keys` are those that are declared. What is wrong with one source is no matter to
        the assets that do not read it.
        """
        sight = Sight()
        for source in sources:
            before = previous.get(source.name, {})
            try:
                if source.partitions is None:
                    self._observe_whole(sight, source, before.get(WHOLE))
                else:
                    self._observe_partitions(sight, source, before, keys[source.name])
            except SourceProblem as error:
                shape = _last_shape(source, _newest(before.values()))
                sight.unseen[AssetPartition(source.name)] = UnseenSource(source, error, shape)
                sight.shapes[source.name] = shape
        return sight

    def _observe_whole(self, sight: Sight, source: Source, before: Observed | None) -> None:
        found = observe(source, before, self.root, self.now, self.engine)
        sight.states[AssetPartition(source.name)] = found
        sight.shapes[source.name] = Shape(found.schema)

    def _observe_partitions(
        self,
        sight: Sight,
        source: Source,
        previous: Mapping[PartitionKey, Observed],
        declared: KeySet,
    ) -> None:
        with about(source, self.root), reading(source):
            paths = matching_files(self.root, glob_of(source.path))
            told = {path: key_of_path(source, path) for path in paths}
            keys = declared
            if source.finds_keys and source.partitions:
                keys = keys_found(source.partitions, {key for key in told.values() if key})
                sight.keys[source.name] = keys
            files, broken = self._files(source, _by_key(told, keys), previous)
            look = _Look(source, self.root, self.engine, previous, files)
            look.find_schema(broken)
        shape = Shape(look.schema) if files else _last_shape(source, _newest(previous.values()))
        sight.shapes[source.name] = shape
        sight.notes.extend(_strays(source, told, keys))
        for key, error in broken.items():
            sight.unseen[AssetPartition(source.name, key)] = UnseenSource(source, error, shape)
        for key in files:
            sight.states[AssetPartition(source.name, key)] = look.state(key)

    def _files(
        self,
        source: Source,
        paths: Mapping[PartitionKey, Sequence[str]],
        previous: Mapping[PartitionKey, Observed],
    ) -> tuple[Files, Broken]:
        """Return the files of each partition, all looked at together if none is in the way."""
        try:
            together = [path for some in paths.values() for path in some]
            known = {file.path: file for file in self._seen(together, previous)}
        except SourceUnreadable:
            return self._one_by_one(source, paths, previous)
        return {key: tuple(known[path] for path in some) for key, some in paths.items()}, {}

    def _one_by_one(
        self,
        source: Source,
        paths: Mapping[PartitionKey, Sequence[str]],
        previous: Mapping[PartitionKey, Observed],
    ) -> tuple[Files, Broken]:
        files, broken = Files(), Broken()
        for key, some in paths.items():
            try:
                with about(source, self.root):
                    files[key] = self._seen(some, previous)
            except SourceUnreadable as error:
                broken[key] = error
        return files, broken

    def _seen(
        self, paths: Sequence[str], previous: Mapping[PartitionKey, Observed]
    ) -> tuple[FileState, ...]:
        before = [file for one in previous.values() for file in one.files]
        return observe_paths(self.root, paths, before, int(self.now.timestamp() * 1e9))


@dataclass(slots=True)
class _Look:
    """One look at the partitions of a source, which all have the same columns.

    `files` are those of the partitions that can be read.
    """

    source: Source
    root: Path
    engine: Engine
    previous: Mapping[PartitionKey, Observed]
    files: Files
    schema: Schema = ()
    _known: frozenset[PartitionKey] = frozenset()

    def find_schema(self, broken: Broken) -> None:
        """Find the columns; partitions that have others, or cannot be read, become `broken`.

        Columns are those of what is known already. New files are read for them, all at
        once, only where none is.
        """
        before = columns_before(self.source, _newest(self.previous.values()))
        self._known = frozenset(key for key in self.files if self._is_known(key, before))
        self.schema = self.source.columns or before
        if self.source.columns or self._known:
            self._check_new(broken)
        elif self.files:
            self._find_columns(before, broken)
        if self.files and self.source.event_time:
            name, place = self.source.name, self.source.location
            check_event_time(name, self.source.event_time, self.schema, place)

    def _find_columns(self, before: Schema, broken: Broken) -> None:
        """Find the columns of files that are all new, where `before` is what was there."""
        while True:
            try:
                self.schema = schema_of_files(self.source, self._paths(), self.engine, before)
            except SourceProblem as error:
                if not self._leave_out(error, broken):
                    raise
            else:
                return

    def state(self, key: PartitionKey) -> SourceState:
        """Return the state of the partition `key`."""
        files, before = self.files[key], self.previous.get(key)
        is_known = before is not None and key in self._known
        return SourceState(
            self.source,
            state_of(self.source, files),
            self.schema,
            scan_of_files(self.source, source_paths(self.root, files), self.schema),
            self.root,
            files,
            digests=dict(before.digests) if before and is_known else {},
            is_new=not is_known or before is None or files != before.files,
            partition=key,
        )

    def _is_known(self, key: PartitionKey, schema: Schema) -> bool:
        before = self.previous.get(key)
        return (
            before is not None
            and before.state == state_of(self.source, self.files[key])
            and before.algorithm == self.engine.algorithm
            and before.schema == schema
        )

    def _paths(self) -> list[Path]:
        return [path for files in self.files.values() for path in source_paths(self.root, files)]

    def _check_new(self, broken: Broken) -> None:
        """Find the new files that have other columns than the source."""
        cursor = self.engine.cursor()
        for key in [key for key in self.files if key not in self._known]:
            paths = source_paths(self.root, self.files[key])
            try:
                with about(self.source, self.root), reading(self.source):
                    check_source_files(cursor, self.source, paths, self.schema)
            except SourceProblem as error:
                broken[key] = error
                del self.files[key]

    def _leave_out(self, error: SourceProblem, broken: Broken) -> bool:
        """Leave out the partition with the file that is at fault; False where it is no use."""
        found = (
            key
            for key, files in self.files.items()
            if error.path in map(str, source_paths(self.root, files))
        )
        key = next(found, None)
        if key is None or len(broken) == _MOST_BROKEN or len(self.files) == 1:
            return False
        del self.files[key]
        try:
            with about(self.source, self.root):
                raise error
        except SourceProblem:
            broken[key] = error
        return True


def _by_key(
    told: Mapping[str, PartitionKey | None], keys: Collection[PartitionKey]
) -> dict[PartitionKey, list[str]]:
    """Return the files of each of `keys` that has some."""
    found: dict[PartitionKey, list[str]] = {}
    for path, key in told.items():
        if key is not None and key in keys:
            found.setdefault(key, []).append(path)
    return found


def _strays(
    source: Source, told: Mapping[str, PartitionKey | None], keys: Collection[PartitionKey]
) -> list[tuple[AssetName, str]]:
    """Return what there is to say of files that belong to none of `keys`."""
    strays = tuple(path for path, key in told.items() if key is None or key not in keys)
    if not strays:
        return []
    files = "1 file is" if len(strays) == 1 else f"{len(strays):,} files are"
    return [(source.name, f"{files} of none of its partitions: {listed(strays)}")]


def _newest(observed: Iterable[Observed]) -> Observed | None:
    return max(observed, key=lambda one: one.observed_at, default=None)


def _last_shape(source: Source, before: Observed | None) -> Shape:
    if source.columns is not None:
        return Shape(source.columns)
    return Shape(before.schema if before else None, is_expected=True)
