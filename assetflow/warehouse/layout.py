"""Where versions lie under the data folder. Every path of a version is made here."""

import os
import re
import secrets
import threading
import time
from pathlib import Path

from assetflow.errors import OutsideDataFolder
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import AssetName, VersionId

LONGEST_PART = 120
"""How long an encoded name may be in a path; file systems stop at 255 bytes."""

PARTIAL = ".partial"
"""The ending of what is still being written; a name without it is complete."""

PARTITION_COLUMN = "assetflow_partition"
"""The last column of a packed file: to which partition a row belongs."""

EARLIER_FOLDER = "_"
"""A folder of this name was between an asset's and its versions; what lies there is still read."""

_PACKED = re.compile(r"-(\d+)\.parquet$")
_UNSAFE = re.compile(r"[^a-z0-9._-]|^[.~]|\.$|\.(?=\.)|^_$")


def encoded(name: str) -> str:
    """Return `name` as one part of a path, another one for each name.

    Capitals are encoded too, so that names which differ in case alone stay apart where
    a file system ignores case. A long name is cut and completed by its fingerprint.

    >>> encoded("staging.orders"), encoded("Größe|..")
    ('staging.orders', '%47r%c3%b6%c3%9fe%7c%2e%2e')
    """
    part = _UNSAFE.sub(_percents, name)
    if len(part) <= LONGEST_PART:
        return part
    return f"{part[:80]}~{fingerprint(name)}"


def version_path(asset: AssetName, version: VersionId) -> str:
    """Return where the Parquet file of `version` lies, relative to the data folder.

    Of which partition it is, the store knows.
    """
    return f"{encoded(asset)}/{version}.parquet"


def packed_path(asset: AssetName, partitions: int) -> str:
    """Return a new path for a file that holds so many `partitions` of `asset`."""
    return f"{encoded(asset)}/{new_version_id()}-{partitions}.parquet"


def partitions_in(path: str) -> int | None:
    """Return how many partitions the packed file at `path` holds, None if it is none.

    >>> partitions_in("orders/18a2c0-31.parquet"), partitions_in("orders/18a2c0.parquet")
    (31, None)
    """
    found = _PACKED.search(path)
    return int(found[1]) if found else None


def files_path(asset: AssetName, version: VersionId, name: str) -> str:
    """Return where a file or folder `name` that is kept as `version` lies.

    It keeps its name, within a folder of its version's own.
    """
    return f"{encoded(asset)}/{version}/{name}"


def absolute(data: Path, path: str) -> Path:
    """Return `path`, as a version records it, under the folder `data`.

    Raises OutsideDataFolder for a path that would leave it.
    """
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise OutsideDataFolder(path, str(data))
    return Path(f"{data}/{path}")


def new_version_id() -> VersionId:
    """Return a new id: 24 hex digits that sort by time, within a process strictly."""
    return VersionId(f"{_ticks.next():016x}{secrets.token_hex(4)}")


class _Ticks:
    """Nanoseconds that never repeat and never go back within a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        """Return the present nanosecond, or the one after the last that was given."""
        with self._lock:
            self._last = max(self._last + 1, time.time_ns())
            return self._last


_ticks = _Ticks()


def _percents(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02x}" for byte in os.fsencode(match.group()))
