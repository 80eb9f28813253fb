"""Locks on assets' partitions and slots in pools, between processes and threads.

Operating-system locks on a fixed number of files: they are let go when a process dies.
Order: locks first, each set in sorted order, then a slot; so no circle of waits can form.
"""

import fcntl
import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from assetflow.errors import StateError
from assetflow.model.names import AssetPartition

LOCK_FILES = 256
POLL_SECONDS = 0.02


class Cancelled(Exception):
    """The run was stopped while it waited."""


@contextmanager
def locked_partitions(
    state: Path, targets: Iterable[AssetPartition], is_cancelled: Callable[[], bool]
) -> Iterator[None]:
    """Hold the locks of `targets`; wait for whoever holds one, unless the run is cancelled."""
    places = sorted({zlib.crc32(repr(tuple(target)).encode()) % LOCK_FILES for target in targets})
    with ExitStack() as held:
        for place in places:
            held.enter_context(_held(state / "locks" / f"{place:03d}", is_cancelled))
        yield


@contextmanager
def pool_slot(
    state: Path, pool: str, limit: int, is_cancelled: Callable[[], bool]
) -> Iterator[None]:
    """Hold one of the `limit` slots of `pool`, across the processes of this machine."""
    folder = state / "locks" / "pools"
    folder.mkdir(parents=True, exist_ok=True)
    files = [_open(folder / f"{pool}.{slot}") for slot in range(limit)]
    try:
        _first_free(files, is_cancelled)
        yield
    finally:
        for file in files:
            os.close(file)


def _first_free(files: list[int], is_cancelled: Callable[[], bool]) -> int:
    while True:
        for file in files:
            if _try_lock(file):
                return file
        _wait(is_cancelled)


@contextmanager
def _held(path: Path, is_cancelled: Callable[[], bool]) -> Iterator[None]:
    file = _open(path)
    try:
        while not _try_lock(file):
            _wait(is_cancelled)
        yield
    finally:
        os.close(file)


def _wait(is_cancelled: Callable[[], bool]) -> None:
    if is_cancelled():
        raise Cancelled
    time.sleep(POLL_SECONDS)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StateError(
            "The state folder cannot be written.",
            {"file": path, "reason": error.strerror},
            "Give this user the right to write there, or set `state` in the settings.",
        ) from error


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
