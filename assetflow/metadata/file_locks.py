"""Locks on open files, which the operating system releases when their process dies."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assetflow.errors import StateUnusable

POLL_SECONDS = 0.02


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock the open file if nobody else holds it, and say whether that worked."""
    import fcntl  # only where there are such locks; docs are built elsewhere too

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Release the lock now, also where a forked process still has the file open."""
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_same_file(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def held(path: Path, *, shared: bool = False, wait_seconds: float = 0.0) -> Iterator[bool]:
    """Hold the lock file at `path`; gives False if others keep it for `wait_seconds`."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StateUnusable(path, "written", error.strerror or str(error)) from error
    try:
        end = time.monotonic() + wait_seconds
        while not (is_ours := try_lock(descriptor, shared=shared)) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
        yield is_ours
    finally:
        os.close(descriptor)
