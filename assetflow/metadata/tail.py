"""What other runs completed meanwhile: asked before each step, cheap when there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetflow.errors import StoreLocked
from assetflow.metadata.folder import journal_path, journal_paths
from assetflow.metadata.journal import read_journal
from assetflow.metadata.rows import fetch_contents
from assetflow.metadata.store import Store

if TYPE_CHECKING:
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
        self._stamp = self._store_stamp()
        self._last_number = self._newest_number()

    def poll(self) -> list[Record]:
        """Return what was recorded since the last look, in no order across runs."""
        gained: list[Record] = []
        for path in journal_paths(self._state):
            if path != self._own:
                gained += self._read(path)
        return gained + self._folded_meanwhile()

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

    def _folded_meanwhile(self) -> list[Record]:
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
        except StoreLocked:
            return []  # the next look asks again
        self._stamp, self._last_number = stamp, self._newest_number()
        made = contents.materializations.values()
        theirs = [each for each in made if each.run != self._run]
        return [*(contents.versions[each.version] for each in theirs), *theirs]
