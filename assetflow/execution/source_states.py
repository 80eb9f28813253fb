"""The sources of a project as they are now: observed once, read in that state."""

from __future__ import annotations

import csv
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.errors import (
    ObserveFailed,
    SourceDeparts,
    SourceProblem,
    SourceUnreadable,
    StepError,
)
from assetflow.execution.cutting import Cut, check_event_time
from assetflow.execution.frames import user_traceback
from assetflow.metadata.records import Observed
from assetflow.model.asset import Source
from assetflow.model.columns import ReadSet, Schema
from assetflow.model.file_states import FileState
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import (
    WHOLE,
    Digest,
    PartitionKey,
    RunId,
    VersionId,
    folded,
)
from assetflow.planning.reasons import SourceUnknown
from assetflow.project.analysis import Shape
from assetflow.warehouse.digests import digest_columns
from assetflow.warehouse.digests_together import FILE_COLUMN, TOGETHER, digest_files
from assetflow.warehouse.files import observe_files, source_paths, state_id, verify_unchanged
from assetflow.warehouse.partition_columns import KeyWindow
from assetflow.warehouse.quoting import quoted_paths
from assetflow.warehouse.sources import (
    check_source_files,
    source_errors,
    source_scan,
    source_schema,
)
from assetflow.warehouse.versions import describe

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from assetflow.warehouse.connection import Engine


TOGETHER_BYTES = 32_000_000
"""How many bytes of partitions of a source are digested at once."""


@dataclass(slots=True)
class SourceState:
    """One source, or a partition of one, as it was observed: its files or its answer.

    `scan` is the SQL that reads it, "" where no SQL can. `is_new` says that the store
    has another state, or none.
    """

    source: Source
    state: VersionId
    schema: Schema
    scan: str
    root: Path
    files: tuple[FileState, ...] = ()
    answer: str = ""
    digests: dict[ReadSet, Digest] = field(default_factory=dict)
    is_new: bool = True
    partition: PartitionKey = WHOLE
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def digest(self, read_set: ReadSet, wanted: Iterable[ReadSet], engine: Engine) -> Digest:
        """Return the digest of `read_set`, computed with all that is `wanted` in one scan.

        Of what no SQL reads it is the state as a whole.
        """
        if not self.scan:
            return Digest(self.state)
        with self._guard:
            if read_set not in self.digests:
                missing = [one for one in {read_set, *wanted} if one not in self.digests]
                self.digests.update(self._computed(missing, engine))
            return self.digests[read_set]

    def _computed(self, read_sets: Sequence[ReadSet], engine: Engine) -> dict[ReadSet, Digest]:
        """Return the digests of `read_sets`; of what cannot be read, the state stands for it.

        So only the assets that read the broken columns fail, each with the line in question.
        """
        try:
            with source_errors(self.paths):
                return digest_columns(engine.cursor(), self.scan, self.schema, read_sets)
        except SourceUnreadable:
            if len(read_sets) == 1:
                return {read_sets[0]: Digest(fingerprint("unreadable", self.state))}
        return {
            read_set: digest
            for one in read_sets
            for read_set, digest in self._computed([one], engine).items()
        }

    def digest_slices(
        self, cut: Cut, windows: Sequence[KeyWindow], read_sets: Sequence[ReadSet], engine: Engine
    ) -> dict[PartitionKey, dict[ReadSet, Digest]]:
        """Return the digests of the slices in `windows`, by their keys, in one scan.

        Of what cannot be read, the state stands for each slice.
        """
        try:
            with source_errors(self.paths):
                return cut.digests(engine.cursor(), self.scan, self.schema, read_sets, windows)
        except SourceUnreadable:
            unreadable = Digest(fingerprint("unreadable", self.state))
            return {each.key: dict.fromkeys(read_sets, unreadable) for each in windows}

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return where the files lie."""
        return source_paths(self.root, self.files)

    def is_still(self, root: Path) -> bool:
        """Whether the files are as they were observed."""
        return verify_unchanged(root, self.files)

    def observed(self, run: RunId, now: datetime, algorithm: str) -> Observed:
        """Return the record of this state."""
        return Observed(
            source=self.source.name,
            state=self.state,
            run=run,
            observed_at=now,
            schema=self.schema,
            rows=None,
            files=self.files,
            answer=self.answer,
            algorithm=algorithm,
            digests=tuple(self.digests.items()),
            partition=self.partition,
        )


def digest_together(
    states: Iterable[SourceState], read_sets: Collection[ReadSet], engine: Engine
) -> None:
    """Find the digests of `read_sets` for the first of `states` and some more, in one scan.

    `states` are partitions of one source. A scan for each small file takes five times as
    long. What cannot be read is left: each state then tells by itself.
    """
    together = _read_together(states)
    if len(together) < 2:  # noqa: PLR2004 - one needs no company
        return
    wanted = sorted(read_sets, key=str)
    files = [one.paths for one in together]
    paths = [path for some in files for path in some]
    scan = source_scan(together[0].source, paths, together[0].schema, FILE_COLUMN)
    try:
        with source_errors(paths):
            schema = together[0].schema
            found = digest_files(engine.cursor(), scan, files, schema, wanted)
    except SourceUnreadable:
        return
    for one, digests in zip(together, found, strict=True):
        one.digests.update(digests)


def _read_together(states: Iterable[SourceState]) -> list[SourceState]:
    """Return the first of `states`, and those after it that may be read in one scan with it."""
    found: list[SourceState] = []
    size = 0
    for one in states:
        if not _has_like_files(one):
            break
        size += sum(file.size for file in one.files)
        if found and (one.schema != found[0].schema or size > TOGETHER_BYTES):
            break
        found.append(one)
        if len(found) == TOGETHER:
            break
    return found


def _has_like_files(state: SourceState) -> bool:
    """Whether DuckDB reads the files of a source alike together and alone, and tells each.

    Of Parquet files with declared columns it may not: their types may differ.
    """
    source = state.source
    is_known = source.format in ("csv", "json") or source.columns is None
    return is_known and all(folded(column.name) != "filename" for column in state.schema)


def joined_scan(states: Sequence[SourceState]) -> str:
    """Return the SQL that reads partitions of one source as one table."""
    if len(states) == 1:
        return states[0].scan
    paths = [path for one in states for path in one.paths]
    return scan_of_files(states[0].source, paths, states[0].schema)


def observe(
    source: Source, previous: Observed | None, root: Path, now: datetime, engine: Engine
) -> SourceState:
    """Return `source` as it is now; what `previous` knows already is not worked out again."""
    if source.observe is not None:
        return _asked(source, previous, root)
    with about(source, root), reading(source):
        return _observed(source, previous, root, now, engine)


@contextmanager
def reading(source: Source) -> Iterator[None]:
    """Turn what else can go wrong while files are looked at into SourceUnreadable."""
    import duckdb

    try:
        yield
    except (duckdb.Error, OSError, EOFError, csv.Error) as error:
        raise SourceUnreadable(source.path, str(error).split("\n", 1)[0]) from error


@contextmanager
def about(source: Source, root: Path) -> Iterator[None]:
    """Let what is said of a file name its source, and paths be relative to the project."""
    try:
        yield
    except StepError as error:
        above = f"{root}{os.sep}"
        named = {} if source.is_inline else {"source": f"{source.name}  {source.location}"}
        error.headline = error.headline.replace(above, "")
        facts = {name: str(value).replace(above, "") for name, value in error.facts.items()}
        if isinstance(error, SourceProblem):
            error.path = error.path.replace(above, "")
        error.facts = {**named, **facts}
        raise


def _observed(
    source: Source, previous: Observed | None, root: Path, now: datetime, engine: Engine
) -> SourceState:
    before = previous.files if previous else None
    now_ns = int(now.timestamp() * 1e9)
    patterns = source.reads or (source.path,)
    files = tuple(f for one in patterns for f in observe_files(root, one, before, now_ns))
    state = state_of(source, files)
    paths = source_paths(root, files)
    is_known = (
        previous is not None and previous.state == state and previous.algorithm == engine.algorithm
    )
    if is_known and previous:
        schema = previous.schema
    else:
        schema = schema_of_files(source, paths, engine, columns_before(source, previous))
    schema = source.columns or schema
    if source.event_time and not source.is_inline:
        check_event_time(source.name, source.event_time, schema, source.location)
    return SourceState(
        source,
        state,
        schema,
        scan_of_files(source, paths, schema),
        root,
        files,
        digests=dict(previous.digests) if is_known and previous else {},
        is_new=not is_known or files != before,
    )


def columns_before(source: Source, previous: Observed | None) -> Schema:
    """Return the columns that a source had, if it was read then as it is read now.

    Columns that were declared, and are no more, say nothing about what is in the files.
    """
    if previous is None or previous.state != state_of(source, previous.files):
        return ()
    return previous.schema


def state_of(source: Source, files: Sequence[FileState]) -> VersionId:
    """Return the id of a state: what the files hold, and how the source says to read them."""
    columns = [part for column in source.columns or () for part in column[:2]]
    options = [part for option in source.read_options for part in option]
    how = (source.format or "", fingerprint(*options), fingerprint(*columns))
    return VersionId(fingerprint(state_id(files), *how))


def schema_of_files(
    source: Source, paths: Sequence[Path], engine: Engine, before: Schema
) -> Schema:
    """Return the columns of a new state, which all of its files must have.

    Where files differ, the one that departs from the columns of `before` is at fault.
    """
    cursor = engine.cursor()
    if source.is_inline:
        with source_errors(paths):
            return describe(cursor, f"from {scan_of_files(source, paths, ())}")
    schema = source_schema(cursor, source, paths)
    if before and not _names(schema) & _names(before):
        return _schema_of_old_header(source, paths, cursor, schema, before)
    try:
        check_source_files(cursor, source, paths, schema)
    except SourceDeparts:
        if before:
            check_source_files(cursor, source, paths, before)
        raise
    return schema if source.format == "parquet" else _with_types(schema, before)


def _with_types(schema: Schema, before: Schema) -> Schema:
    """Return `schema` with the types that its columns had before.

    Text files are read with the types of the first observation: a value that does not
    fit is then told with its line, and does not make a column of numbers one of texts.
    """
    known = {folded(column.name): column.type for column in before}
    return tuple(
        column._replace(type=known.get(folded(column.name), column.type)) for column in schema
    )


def _schema_of_old_header(
    source: Source,
    paths: Sequence[Path],
    cursor: DuckDBPyConnection,
    found: Schema,
    before: Schema,
) -> Schema:
    """Return the columns of files in which no column is found that was there before.

    If their headers are as they were, it is their rows that are broken: reading them with
    the columns from before tells the line.
    """
    try:
        check_source_files(cursor, source, paths, before)
    except SourceDeparts:
        check_source_files(cursor, source, paths, found)
        return found
    return before


def _names(schema: Schema) -> set[str]:
    return {folded(column.name) for column in schema}


def scan_of_files(source: Source, paths: Sequence[Path], schema: Schema) -> str:
    """Return the SQL that reads files of `source` with the columns of `schema`."""
    if source.is_inline:
        return source.call.replace("{paths}", quoted_paths(paths))
    return source_scan(source, paths, schema)


def _asked(source: Source, previous: Observed | None, root: Path) -> SourceState:
    """Ask the source's own function what version it is at."""
    assert source.observe is not None
    try:
        answer = str(source.observe())
    except (Exception, SystemExit) as error:
        raise ObserveFailed(
            source.name, str(source.location), user_traceback(error, root)
        ) from error
    state = VersionId(fingerprint("answer", answer))
    return SourceState(
        source,
        state,
        (),
        "",
        root,
        answer=answer,
        is_new=previous is None or previous.state != state,
    )


@dataclass(frozen=True, slots=True)
class UnseenSource:
    """A source that cannot be observed: why, and what its readers have to go by.

    `shape` has its columns as declared, or as they were when it was seen last.
    """

    source: Source
    error: SourceProblem
    shape: Shape

    @property
    def reason(self) -> SourceUnknown:
        """Return why what is made from the source is blocked."""
        return SourceUnknown(
            source=self.source.name,
            file=self.error.path,
            problem=self.error.sentence,
            hint=self.error.way_out,
        )
