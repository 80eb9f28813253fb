"""The metadata store: a DuckDB file that is open for short moments only.

A file that one process has open for writing shuts out all others, so nothing here
keeps it open: each use opens, reads or writes, and closes.
"""

from __future__ import annotations

import atexit
import itertools
import os
import random
import re
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.errors import (
    AssetflowError,
    StateUnusable,
    StoreDamaged,
    StoreFromNewer,
    StoreLocked,
)
from assetflow.metadata.file_locks import held
from assetflow.metadata.folder import lock_path, prepare, store_path
from assetflow.metadata.migrations import LATEST, MIGRATIONS, MIGRATIONS_TABLE, Migration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

STORAGE_VERSION = "v1.5.0"
"""Which DuckDB and later ones can open the store; never raised by opening it."""
BLOCK_SIZE = 16_384
PATIENCE_SECONDS = 20.0
_LONGEST_PAUSE_SECONDS = 0.1

_in_process: dict[Path, threading.Lock] = {}
_in_process_guard = threading.Lock()


@dataclass(frozen=True, slots=True)
class Store:
    """The metadata store of the state folder `state`; waits up to `patience` seconds for others."""

    state: Path
    patience: float = PATIENCE_SECONDS

    @property
    def path(self) -> Path:
        """Return where the store's file lies, be it there or not."""
        return store_path(self.state)

    @contextmanager
    def reading(self) -> Iterator[DuckDBPyConnection]:
        """Give a connection that reads; where there is no store yet, it reads an empty one."""
        with _only_thread(self.path, self.patience):
            if not self.path.exists():
                with _session() as session:
                    session.use_empty()
                    yield session.connection
                return
            with self._attached(read_only=True) as session:
                if len(_applied(session.connection)) < LATEST:
                    self._upgrade(session)
                yield session.connection

    @contextmanager
    def writing(self) -> Iterator[DuckDBPyConnection]:
        """Give a connection in a transaction, committed if the body ends well."""
        prepare(self.state)
        with _only_thread(self.path, self.patience):
            self._create()
            with self._attached(read_only=False) as session:
                connection = session.connection
                _migrate(connection, _applied(connection))
                with transaction(connection):
                    yield connection

    def _upgrade(self, session: _Session) -> None:
        """Bring the store that is attached for reading to the tables of this version."""
        session.detach()
        self._attach_in_time(session, read_only=False)
        _migrate(session.connection, _applied(session.connection))
        session.detach()
        self._attach_in_time(session, read_only=True)

    def _create(self) -> None:
        """Make the store beside its place and move it there, so that it is never half made."""
        if self.path.exists():
            return
        with held(lock_path(self.state, "store"), wait_seconds=self.patience):
            if self.path.exists():
                return
            fresh = self.path.with_suffix(".new")
            for leftover in (fresh, fresh.with_suffix(".new.wal")):
                leftover.unlink(missing_ok=True)
            with _understood(self.path), _session() as session:
                session.attach(fresh, read_only=False)
                _migrate(session.connection, ())
            fresh.rename(self.path)

    @contextmanager
    def _attached(self, *, read_only: bool) -> Iterator[_Session]:
        with _understood(self.path), _session() as session:
            with self._turn(read_only=read_only):
                self._attach_in_time(session, read_only=read_only)
            yield session

    @contextmanager
    def _turn(self, *, read_only: bool) -> Iterator[None]:
        """Let a writer that waits go before readers that come after it.

        Readers overlap, so that a writer which only tries again might never find the
        file free. It holds the turn while it waits; a reader looks whether it is free.
        """
        try:
            turn = held(lock_path(self.state, "turn"), wait_seconds=self.patience)
            turn.__enter__()
        except StateUnusable:  # a folder that can only be read has no writers to wait for
            yield
            return
        with ExitStack() as holding:
            holding.push(turn)
            if read_only:
                holding.close()
            yield

    def _attach_in_time(self, session: _Session, *, read_only: bool) -> None:
        from duckdb import IOException

        started = time.monotonic()
        pause = 0.002
        while True:
            try:
                return session.attach(self.path, read_only=read_only)
            except IOException as error:
                waited = time.monotonic() - started
                if not is_lock_conflict(str(error)):
                    raise
                if waited >= self.patience:
                    raise locked_error(self.path, str(error), waited) from error
            # Two that wait must not keep meeting: each waits its own time.
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


@contextmanager
def transaction(connection: DuckDBPyConnection) -> Iterator[None]:
    """Commit what the body did, or nothing of it."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


@contextmanager
def _only_thread(path: Path, patience: float) -> Iterator[None]:
    # The operating system's locks do not hold between two threads, and closing the
    # file in one of them would release the lock of the other.
    with _in_process_guard:
        lock = _in_process.setdefault(path.absolute(), threading.Lock())
    if not lock.acquire(timeout=patience):
        raise StoreLocked(path, os.getpid(), "another thread of this process", patience)
    try:
        yield
    finally:
        lock.release()


@dataclass(slots=True)
class _Session:
    """One use of a store: a cursor of the process's own DuckDB, and the name it is attached by."""

    connection: DuckDBPyConnection
    name: str
    is_attached: bool = False

    def attach(self, path: Path, *, read_only: bool) -> None:
        """Open the store at `path`, and make its tables those that statements mean."""
        quoted = str(path).replace("'", "''")
        options = f"type duckdb, storage_version '{STORAGE_VERSION}'"
        options += ", read_only" if read_only else f", block_size {BLOCK_SIZE}"
        self._use(f"attach '{quoted}' as {self.name} ({options})")

    def use_empty(self) -> None:
        """Stand for a store that nobody made yet."""
        with _empty_guard:
            self.connection.execute(f"use {_empty_store()}")

    def detach(self) -> None:
        """Close the file again, so that other processes can open it."""
        self.connection.execute("use memory")
        self.connection.execute(f"detach {self.name}")
        self.is_attached = False

    def _use(self, attach: str) -> None:
        self.connection.execute(attach)
        self.is_attached = True
        self.connection.execute(f"use {self.name}")


@contextmanager
def _session() -> Iterator[_Session]:
    """Give a session of its own name; whatever happens, its store is closed after."""
    session = _Session(_instance().cursor(), f"store_{next(_numbers)}")
    try:
        yield session
    finally:
        if session.is_attached:
            session.detach()
        session.connection.close()


_numbers = itertools.count()


_empty_guard = threading.Lock()


@cache
def _empty_store() -> str:
    """Return the name of a store without rows, which all share that read one: they write nothing.

    To make its tables takes longer than most readings.
    """
    with _instance().cursor() as connection:
        connection.execute("attach ':memory:' as empty_store")
        connection.execute("use empty_store")
        _migrate(connection, ())
    return "empty_store"


@cache
def _instance() -> DuckDBPyConnection:
    """Return the DuckDB of this process that stores are attached to; making one is dear."""
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    connection = duckdb.connect(":memory:", config=settings)
    atexit.register(connection.close)
    return connection


def _migrate(connection: DuckDBPyConnection, applied: tuple[int, ...]) -> None:
    if not applied:
        connection.execute(MIGRATIONS_TABLE)
    for migration in MIGRATIONS[len(applied) :]:
        with transaction(connection):
            apply_migration(connection, migration)


def apply_migration(connection: DuckDBPyConnection, migration: Migration) -> None:
    """Carry out `migration` and record it."""
    for statement in migration.statements:
        connection.execute(statement)
    connection.execute("insert into migrations values ($1, $2)", [migration.number, migration.name])


class _ForeignError(Exception):
    """The file is a database of something else."""


def _applied(connection: DuckDBPyConnection) -> tuple[int, ...]:
    """Return the numbers of the migrations that the store went through."""
    from duckdb import CatalogException

    try:
        rows = connection.execute("select number from migrations order by number").fetchall()
    except CatalogException as error:
        raise _ForeignError from error
    applied = tuple(number for (number,) in rows)
    if not applied or applied[0] != 1:
        raise _ForeignError
    if applied[-1] > LATEST:
        raise _NewerError(applied[-1])
    return applied


class _NewerError(Exception):
    """The store went through migrations that this version does not know."""


@contextmanager
def _understood(path: Path) -> Iterator[None]:
    """Raise what DuckDB says about the file at `path` as an error that helps."""
    import duckdb

    try:
        yield
    except _ForeignError as error:
        raise StoreDamaged(path, _FOREIGN) from error
    except _NewerError as error:
        found, known = f"migration {error}", f"migration {LATEST}"
        raise StoreFromNewer(path, found, known) from error
    except duckdb.Error as error:
        if (understood := explain(path, str(error))) is None:
            raise
        raise understood from error


_FOREIGN = "a DuckDB database that assetflow did not make"
_NEWER = re.compile(r"version number (\d+), but we can only read versions between \d+ and (\d+)")
_LOWERED = re.compile(r"storage version (\d+) - which is lower than .* itself uses \((\d+)\)")
_DAMAGED = (
    "not a valid DuckDB database",
    "Corrupt database file",
    "Could not read enough bytes",
    "Failed to load metadata pointer",
    "Serialization Error",
    "replaying WAL",
    "checksum",
)
_REFUSED = (
    "IO Error",
    "No space left",
    "Permission denied",
    "Read-only file system",
    "File too large",
)
_CONFLICT = re.compile(
    r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)", re.DOTALL
)


def is_lock_conflict(message: str) -> bool:
    """Whether DuckDB says that another process holds the file."""
    return "Could not set lock on file" in message


def locked_error(path: Path, message: str, waited: float) -> StoreLocked:
    """Return the error that names the process which DuckDB's `message` names."""
    found = _CONFLICT.search(message)
    pid, program = (int(found["pid"]), found["program"]) if found else (None, "")
    return StoreLocked(path, pid, program, waited)


def explain(path: Path, message: str) -> AssetflowError | None:
    """Return the error that says what DuckDB's `message` means for the store, if it is known."""
    import duckdb

    first_line = message.strip().splitlines()[0]
    if found := _NEWER.search(message):
        known = f"DuckDB {duckdb.__version__}, which reads up to {found[2]}"
        return StoreFromNewer(path, f"DuckDB's file format {found[1]}", known)
    if _LOWERED.search(message):
        return StoreDamaged(path, _FOREIGN)
    if any(words in message for words in _DAMAGED):
        return StoreDamaged(path, first_line)
    if any(words in message for words in _REFUSED):
        return StateUnusable(path, "used", first_line)
    return None
