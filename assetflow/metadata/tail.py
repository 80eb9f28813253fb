"""What other runs completed meanwhile: asked before each step, cheap when there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetflow.errors import StoreLocked
from assetflow.metadata.folder import journal_path, journal_paths
from assetflow.metadata.journal import read_journal
from assetflow.metadata.records import RunStarted
from assetflow.metadata.rows import fetch_contents
from assetflow.metadata.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from assetflow.metadata.records import Record
    from assetflow.model.names import RunId

_Stamp = tuple[int, int, int]
_STORE_PATIENCE_SECONDS = 2.0


class JournalTail:
    """The records that runs other than `but` gain, from their journals and from the store.

    A journal can be folded and removed between two looks; what it held is then read
    from the store. Make the tail before reading the history, so that nothing falls
    between the two. A record can come twice.
    """

    def __init__(self, state: Path, but: RunId) -> None:
        self._state = state
        self._store = Store(state, _STORE_PATIENCE_SECONDS)
        self._own = journal_path(state, but)
        self._run = but
        self._offsets: dict[Path, int] = {}
        self._environments: dict[Path, str] = {}
        self._stamp = self._store_stamp()
        self._last_number = self._newest_number()

    def poll(self) -> dict[str, list[Record]]:
        """Return what was recorded since the last look, by the environment of its run."""
        gained: dict[str, list[Record]] = {}
        for path in journal_paths(self._state):
            if path != self._own and (records := self._read(path)):
                gained.setdefault(self._environment(path, records), []).extend(records)
        for environment, record in self._folded_meanwhile():
            gained.setdefault(environment, []).append(record)
        return gained

    def _environment(self, path: Path, records: Iterable[Record]) -> str:
        """Return where the run of a journal publishes: it says so when it starts."""
        for record in records:
            if isinstance(record, RunStarted):
                self._environments[path] = record.environment
        return self._environments.get(path, "")

    def _read(self, path: Path) -> tuple[Record, ...]:
        offset = self._offsets.get(path, 0)
        try:
            if path.stat().st_size <= offset:
                return ()
            records, self._offsets[path] = read_journal(path, offset)
        except FileNotFoundError:
            return ()
        return records

    def _store_stamp(self) -> _Stamp | None:
        try:
            found = self._store.path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _newest_number(self) -> int:
        with self._store.reading() as connection:
            row = connection.execute("select max(number) from materializations").fetchone()
        return (row[0] if row else None) or 0

    def _folded_meanwhile(self) -> list[tuple[str, Record]]:
        stamp = self._store_stamp()
        if stamp == self._stamp:
            return []
        try:
            with self._store.reading() as connection:
                contents = fetch_contents(
                    connection,
                    "select number, version from materializations where number > $1",
                    (self._last_number,),
                )
                rows = connection.execute(
                    """select run, environment, max(number) from materializations
                       join runs using (run) where number > $1 group by all""",
                    [self._last_number],
                ).fetchall()
        except StoreLocked:
            return []  # the next look asks again
        self._stamp = stamp
        self._last_number = max((number for *_, number in rows), default=self._last_number)
        environments = {run: environment for run, environment, _ in rows}
        made = contents.materializations.values()
        theirs = [each for each in made if each.run != self._run]
        return [
            (environments.get(each.run, ""), record)
            for each in theirs
            for record in (contents.versions[each.version], each)
        ]
