"""Failures of the disk, told apart from failures of what runs."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assetflow.errors import DiskFull, NotWritable

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_ROOM_TEXTS = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "failed to offload data block",
)
_NO_RIGHT_TEXTS = ("Permission denied", "Read-only file system", "Operation not permitted")


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk into DiskFull, and a folder without the right to write into NotWritable.

    Only failures that concern `path` or its folders count as the latter. DuckDB says
    what happened in the message alone.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        message = str(error)
        if any(text in message for text in _NO_ROOM_TEXTS):
            raise DiskFull(str(path), _free(path)) from error
        if str(path) in message and any(text in message for text in _NO_RIGHT_TEXTS):
            raise NotWritable(str(path.parent), _first_line(message)) from error
        raise
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull(str(path), _free(path)) from error
        if error.errno in _NO_RIGHT and _concerns(error, path):
            raise NotWritable(str(path.parent), str(error.strerror)) from error
        raise


def _concerns(error: OSError, path: Path) -> bool:
    if not isinstance(error.filename, str):
        return False
    failed = Path(error.filename)
    return failed == path or failed in path.parents or path in failed.parents


def _free(path: Path) -> int:
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    return shutil.disk_usage(existing).free


def _first_line(message: str) -> str:
    return message.split("\n", 1)[0]
