"""The journal of a run: one line for each record, written before anything else happens."""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from assetflow.errors import JournalDamaged, StateUnusable
from assetflow.metadata.encoding import decode, encode
from assetflow.metadata.file_locks import POLL_SECONDS, is_same_file, try_lock, unlock
from assetflow.metadata.folder import journal_path, prepare
from assetflow.metadata.records import Record
from assetflow.model.names import RunId

SYNC_SECONDS = 0.1
CHUNK_BYTES = 2 * 1024 * 1024


class Journal:
    """What one run records, in its order; its lock says that the run's process lives.

    A child that is forked while the journal is open keeps the lock until it ends too.
    """

    def __init__(self, state: Path, run: RunId) -> None:
        prepare(state)
        self.path = journal_path(state, run)
        self._guard = threading.Lock()
        self._descriptor: int | None = _create_locked(self.path)
        self._size = 0
        self._synced_size = 0
        self._synced_at = time.monotonic()

    def append(self, record: Record) -> None:
        """Write `record` in one line; it is on the disk at the latest after `sync`."""
        line = encode(record)
        with self._guard:
            self._write(line)
            if time.monotonic() - self._synced_at >= SYNC_SECONDS:
                self._sync()

    def sync(self) -> None:
        """Return when all that was appended is on the disk; called before a publication."""
        with self._guard:
            self._sync()

    def close(self) -> None:
        """Sync, and let others see that the run is over. Closing twice does nothing."""
        with self._guard:
            if self._descriptor is None:
                return
            try:
                self._sync()
            finally:
                unlock(self._descriptor)
                os.close(self._descriptor)
                self._descriptor = None

    def discard(self) -> None:
        """Remove the journal, all of which its own run has folded, and close it."""
        self.path.unlink(missing_ok=True)
        self.close()

    def _open_descriptor(self) -> int:
        if self._descriptor is None:
            raise ValueError(f"the journal {self.path} is closed")
        return self._descriptor

    def _write(self, line: bytes) -> None:
        descriptor = self._open_descriptor()
        try:
            written = os.write(descriptor, line)
        except OSError as error:
            raise StateUnusable(self.path, "written", error.strerror or str(error)) from error
        if written < len(line):
            # A torn line may only be the last one: what follows would make it damage.
            os.ftruncate(descriptor, self._size)
            raise StateUnusable(self.path, "written", "there is no room left")
        self._size += len(line)

    def _sync(self) -> None:
        descriptor = self._open_descriptor()
        if self._synced_size < self._size:
            _sync_to_disk(descriptor, self.path, is_new=self._synced_size == 0)
            self._synced_size = self._size
        self._synced_at = time.monotonic()


def _create_locked(path: Path) -> int:
    """Create the journal at `path` and lock it.

    Between the two another process may take the empty file for one that was left
    behind, lock it and remove it; then it is created again.
    """
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            raise StateUnusable(path, "written", error.strerror or str(error)) from error
        while not try_lock(descriptor):
            time.sleep(POLL_SECONDS)
        if is_same_file(descriptor, path):
            return descriptor
        os.close(descriptor)


def _sync_to_disk(descriptor: int, path: Path, *, is_new: bool) -> None:
    try:
        os.fsync(descriptor)
        if is_new:
            sync_folder(path.parent)
    except OSError as error:
        raise StateUnusable(path, "written", error.strerror or str(error)) from error


def sync_folder(folder: Path) -> None:
    """Return when the names in `folder` are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of a journal, without their newlines, and where the next one starts."""

    lines: tuple[bytes, ...]
    next_offset: int


def read_lines(path: Path, offset: int = 0, limit: int = CHUNK_BYTES) -> Lines:
    """Return the whole lines from `offset`, about `limit` bytes of them; none at the end."""
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(limit)
        while (end := data.rfind(b"\n") + 1) == 0 and (more := file.read(limit)):
            data += more
    return Lines(tuple(data[:end].split(b"\n")[:-1]), offset + end)


def read_journal(path: Path, offset: int = 0) -> tuple[tuple[Record, ...], int]:
    """Return the records from `offset` up to the last newline, and the next offset.

    A last line without its newline was torn by a kill and does not count. Raises
    JournalDamaged if a whole line is no record.
    """
    records: list[Record] = []
    while (chunk := read_lines(path, offset)).lines:
        for number, line in enumerate(chunk.lines):
            try:
                records.append(decode(line))
            except ValueError as error:
                line_number = _lines_before(path, offset) + number + 1
                raise JournalDamaged(path, line_number, str(error)) from error
        offset = chunk.next_offset
    return tuple(records), offset


def _lines_before(path: Path, offset: int) -> int:
    with path.open("rb") as file:
        return file.read(offset).count(b"\n")
