"""Folding: taking what the journals gained into the store, in one short transaction."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, NoReturn

from assetflow.errors import JournalDamaged, StateUnusable
from assetflow.metadata.chain import chained, event_of, publication_event
from assetflow.metadata.compare_and_set import Decided, PublicationRefused, Slot, decide, slot_of
from assetflow.metadata.encoding import decode, instant_text, kind_of, text_of
from assetflow.metadata.file_locks import try_lock
from assetflow.metadata.folder import journal_paths, journal_run
from assetflow.metadata.journal import Lines, read_journal, read_lines
from assetflow.metadata.moves import change_keys, key_events, move_packed, packing_event
from assetflow.metadata.records import (
    EventHappened,
    PartitionsChanged,
    Published,
    RunFinished,
    RunStarted,
    VersionsPacked,
)
from assetflow.metadata.row_loading import LOADS, load
from assetflow.metadata.store import Store
from assetflow.model.names import RunId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from assetflow.metadata.records import Record


@dataclass(frozen=True, slots=True)
class FoldResult:
    """What a fold took in: how many records, and what became of the publications.

    `accepted` are (publication, sequence number). `refused` has those of runs that are
    still at work also where another process folded them before: their own run asks here.
    """

    records: int = 0
    accepted: tuple[tuple[str, int], ...] = ()
    refused: tuple[PublicationRefused, ...] = ()


@dataclass(frozen=True, slots=True)
class _OpenJournal:
    """A journal as the fold found it; `is_over` if its run has closed it or has died."""

    path: Path
    run: RunId
    is_over: bool
    size: int


@dataclass(slots=True)
class _Gained:
    """What this fold read: rows are loaded at once, the rest is told in order."""

    records: int = 0
    told: list[Record] = field(default_factory=list)


def fold(state: Path, now: datetime) -> FoldResult:
    """Take all that the journals hold, up to their last newline, into the store.

    Publications take effect by compare-and-set, all changes of one or none. A run
    that is over without having said so is marked interrupted at `now`. Journals
    whose run is over are removed. Without journals nothing is opened or written.
    Raises JournalDamaged, StoreLocked and the other errors of the state.
    """
    if not journal_paths(state):
        return FoldResult()
    with ExitStack() as open_files:
        with Store(state).writing() as connection:
            journals = _open_journals(state, open_files)
            result = _fold(connection, journals, now)
        for journal in journals:
            if journal.is_over:
                _remove(journal.path)
    return result


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StateUnusable(path, "written", error.strerror or str(error)) from error


def _open_journals(state: Path, open_files: ExitStack) -> tuple[_OpenJournal, ...]:
    """Return the journals; those that are over stay locked until `open_files` closes."""
    journals = []
    for path in journal_paths(state):
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StateUnusable(path, "read", error.strerror or str(error)) from error
        open_files.callback(os.close, descriptor)
        is_over = try_lock(descriptor)
        size = os.fstat(descriptor).st_size
        journals.append(_OpenJournal(path, journal_run(path), is_over, size))
    return tuple(journals)


def _fold(
    connection: DuckDBPyConnection, journals: Sequence[_OpenJournal], now: datetime
) -> FoldResult:
    gained = _Gained()
    for journal in journals:
        _gain(connection, journal, gained)
    told = [*gained.told, *_interrupted(connection, journals, gained.told, now)]
    decided = _publish(connection, told, now)
    _record_runs(connection, told)
    _move(connection, told)
    _record_events(connection, told, decided)
    accepted = tuple((published.publication, number) for number, published in decided.accepted)
    return FoldResult(gained.records, accepted, _refused(connection, journals, decided))


def _refused(
    connection: DuckDBPyConnection, journals: Sequence[_OpenJournal], decided: Decided
) -> tuple[PublicationRefused, ...]:
    at_work = [journal.run for journal in journals if not journal.is_over]
    here = [published.publication for published, _ in decided.refused]
    rows = connection.execute(
        """select publication, run, environment, why from refused_publications
           where run in (select unnest($1::varchar[]))
              or publication in (select unnest($2::varchar[])) order by rowid""",
        [at_work, here],
    ).fetchall()
    return tuple(PublicationRefused(*row) for row in rows)


def _gain(connection: DuckDBPyConnection, journal: _OpenJournal, gained: _Gained) -> None:
    """Load what `journal` gained since it was last folded, and remember how far."""
    known = connection.execute(
        "select folded_bytes from journals where run = $1", [journal.run]
    ).fetchone()
    start = offset = known[0] if known else 0
    for chunk in _chunks(journal, start):
        _load_chunk(connection, journal.path, offset, chunk, gained)
        offset = chunk.next_offset
    if known is None:
        connection.execute("insert into journals values ($1, $2)", [journal.run, offset])
    elif offset > start:
        connection.execute(
            "update journals set folded_bytes = $2 where run = $1", [journal.run, offset]
        )


def _chunks(journal: _OpenJournal, offset: int) -> Iterator[Lines]:
    while (whole := _lines_left(journal, offset)).lines:
        chunk = _without_late_publications(whole, offset, journal.size)
        yield chunk
        if chunk.next_offset < whole.next_offset:
            return
        offset = chunk.next_offset


def _lines_left(journal: _OpenJournal, offset: int) -> Lines:
    """Return what comes after `offset`; nothing where another fold took the journal whole.

    That one removes the file after its transaction, which may be after we opened it.
    """
    try:
        return read_lines(journal.path, offset)
    except FileNotFoundError:
        return Lines((), offset)


def _without_late_publications(chunk: Lines, offset: int, size: int) -> Lines:
    """Return `chunk` up to the first publication that came when the fold had begun.

    What that one publishes may stand in another journal, behind where the fold
    stopped reading there. What stood before the fold began is complete.
    """
    lines: list[bytes] = []
    for line in chunk.lines:
        if offset >= size and kind_of(line) == "Published":
            break
        lines.append(line)
        offset += len(line) + 1
    return Lines(tuple(lines), offset)


def _load_chunk(
    connection: DuckDBPyConnection, path: Path, offset: int, chunk: Lines, gained: _Gained
) -> None:
    from duckdb import DataError, IntegrityError, ProgrammingError

    rows: dict[str, list[bytes]] = {kind: [] for kind in LOADS}
    others: list[bytes] = []
    for line in chunk.lines:
        rows.get(kind_of(line), others).append(line)
    try:
        for kind, lines in rows.items():
            load(connection, kind, lines)
        gained.told += map(decode, others)
    except (DataError, IntegrityError, ProgrammingError, ValueError) as error:
        _raise_damage(path, offset, error)
    gained.records += len(chunk.lines)


def _raise_damage(path: Path, offset: int, error: Exception) -> NoReturn:
    """Raise JournalDamaged with the very line, where a record by itself shows it."""
    read_journal(path, offset)
    raise JournalDamaged(path, 1, str(error).splitlines()[0]) from error


def _interrupted(
    connection: DuckDBPyConnection,
    journals: Sequence[_OpenJournal],
    told: Sequence[Record],
    now: datetime,
) -> list[RunFinished]:
    """Return the ends of the runs that are over and have not said how they ended."""
    begun = _strings(connection, "select run from runs anti join run_endings using (run)")
    begun |= {record.run for record in told if isinstance(record, RunStarted)}
    ended = _strings(connection, "select run from run_endings")
    ended |= {record.run for record in told if isinstance(record, RunFinished)}
    at_work = {journal.run for journal in journals if not journal.is_over}
    return [
        RunFinished(RunId(run), "interrupted", now, ()) for run in sorted(begun - ended - at_work)
    ]


def _publish(connection: DuckDBPyConnection, told: Iterable[Record], now: datetime) -> Decided:
    """Decide the publications that are new, and move the pointers of the accepted."""
    told_here = [record for record in told if isinstance(record, Published)]
    if not told_here:
        return Decided((), ())
    decided_before = _strings(
        connection,
        """select publication from publications where publication in (select unnest($1))
           union select publication from refused_publications""",
        [published.publication for published in told_here],
    )
    new = {
        published.publication: published
        for published in told_here
        if published.publication not in decided_before
    }
    decided = decide(
        new.values(),
        _current(connection, new.values()),
        _missing(connection, new.values()),
        _last(connection, "sequence", "publications"),
    )
    _record_publications(connection, decided, now)
    return decided


def _current(connection: DuckDBPyConnection, new: Iterable[Published]) -> dict[Slot, int]:
    assets = sorted({change.asset for published in new for change in published.changes})
    rows = connection.execute(
        """select environment, asset, partition, sequence from current_publications
           where asset in (select unnest($1))""",
        [assets],
    ).fetchall()
    return {Slot(*slot): sequence for *slot, sequence in rows}


def _missing(connection: DuckDBPyConnection, new: Iterable[Published]) -> frozenset[str]:
    """Return the versions and materializations that are to be published and are not there."""
    changes = [change for published in new for change in published.changes]
    versions = _strings(
        connection,
        """select version from (select unnest($1::varchar[]) as version)
           anti join (from versions anti join removed_versions using (version)) using (version)""",
        [change.version for change in changes if change.version],
    )
    materializations = _strings(
        connection,
        """select materialization from (select unnest($1::varchar[]) as materialization)
           anti join materializations using (materialization)""",
        [change.materialization for change in changes if change.materialization],
    )
    return frozenset(versions | materializations)


def _record_publications(connection: DuckDBPyConnection, decided: Decided, now: datetime) -> None:
    rows, moved = [], {}
    for sequence, published in decided.accepted:
        header = (sequence, published.publication, published.run, published.environment)
        instants = (instant_text(published.published_at), instant_text(now))
        for change in published.changes:
            target = (change.version, change.materialization)
            pointed = (change.asset, change.partition)
            rows.append((*header, *instants, *pointed, change.expected, *target))
            moved[slot_of(published, change)] = (sequence, *target)
    refused = [
        (
            *(published.publication, published.run, published.environment),
            *(instant_text(published.published_at), why),
        )
        for published, why in decided.refused
    ]
    _insert(connection, "publications", rows)
    _insert(connection, "refused_publications", refused)
    _move_pointers(connection, [(*slot, *target, None, None) for slot, target in moved.items()])


def _move_pointers(connection: DuckDBPyConnection, rows: Sequence[tuple[object, ...]]) -> None:
    connection.execute("create or replace temp table moved as from current_publications limit 0")
    _insert(connection, "moved", rows)
    connection.execute(
        """delete from current_publications as here using moved
           where here.environment = moved.environment and here.asset = moved.asset
             and here.partition = moved.partition"""
    )
    connection.execute(
        """insert into current_publications
           select moved.* replace (m.number as made, v.number as stored) from moved
           left join (select materialization, number from materializations where materialization
                      in (select materialization from moved)) as m using (materialization)
           left join (select version, number from versions where version
                      in (select version from moved)) as v on v.version = moved.version
           where moved.version is not null"""
    )


def _record_runs(connection: DuckDBPyConnection, told: Iterable[Record]) -> None:
    known = _strings(connection, "select run from runs")
    ended = _strings(connection, "select run from run_endings")
    started: dict[str, tuple[object, ...]] = {}
    endings: dict[str, tuple[object, ...]] = {}
    for record in told:
        if isinstance(record, RunStarted) and record.run not in known:
            process = (record.pid, record.host, record.user)
            begun = (record.environment, instant_text(record.started_at), record.command)
            started.setdefault(record.run, (record.run, *begun, *process))
        if isinstance(record, RunFinished) and record.run not in ended:
            how = (record.status, instant_text(record.finished_at), text_of(record.counts))
            endings.setdefault(record.run, (record.run, *how))
    _insert(connection, "runs", list(started.values()))
    _insert(connection, "run_endings", list(endings.values()))


def _move(connection: DuckDBPyConnection, told: Iterable[Record]) -> None:
    """Apply what moved versions and dynamic keys, each once: its event says that it was done."""
    for record in told:
        if isinstance(record, VersionsPacked):
            move_packed(connection, record)
        if isinstance(record, PartitionsChanged):
            events = [event.event for event in key_events(record)]
            if events and not _known_events(connection, events):
                change_keys(connection, record)


def _record_events(
    connection: DuckDBPyConnection, told: Iterable[Record], decided: Decided
) -> None:
    why = {published.publication: why for published, why in decided.refused}
    events = {event.event: event for record in told for event in _events_of(record, why)}
    if not events:
        return
    known = _known_events(connection, list(events))
    new = [event for event in events.values() if event.event not in known]
    last = connection.execute("select number, hash from events order by number desc limit 1")
    rows = chained(new, *(last.fetchone() or (0, "")))
    _insert(connection, "events", [astuple(row) for row in rows])


def _events_of(record: Record, why: Mapping[str, str]) -> Iterator[EventHappened]:
    match record:
        case Published():
            yield publication_event(record, why.get(record.publication, ""))
        case RunStarted() | RunFinished():
            yield event_of(record)
        case VersionsPacked():
            yield packing_event(record)
        case PartitionsChanged():
            yield from key_events(record)
        case EventHappened():
            yield record


def _known_events(connection: DuckDBPyConnection, events: Sequence[str]) -> set[str]:
    query = "select event from events where event in (select unnest($1))"
    return _strings(connection, query, events)


def _insert(connection: DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Add `rows` to `table` in one statement: many small ones would each cost a millisecond."""
    if not rows:
        return
    described = connection.execute(f"select column_name, column_type from (describe {table})")
    lists = ", ".join(
        f"unnest(${number}::{kind}[])" for number, (_, kind) in enumerate(described.fetchall(), 1)
    )
    columns = [list(column) for column in zip(*rows, strict=True)]
    connection.execute(f"insert into {table} select {lists}", columns)


def _strings(
    connection: DuckDBPyConnection, query: str, texts: Sequence[str] | None = None
) -> set[str]:
    rows = connection.execute(query, None if texts is None else [texts]).fetchall()
    return {text for (text,) in rows}


def _last(connection: DuckDBPyConnection, column: str, table: str) -> int:
    row = connection.execute(f"select coalesce(max({column}), 0) from {table}").fetchone()
    return int(row[0]) if row else 0
