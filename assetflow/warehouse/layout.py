"""Where versions lie under the data folder. Every path of a version is made here."""

import os
import re
import secrets
import threading
import time
from pathlib import Path

from assetflow.errors import OutsideDataFolder
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import WHOLE, AssetPartition, VersionId

LONGEST_PART = 120
"""How long an encoded name may be in a path; file systems stop at 255 bytes."""

PARTIAL = ".partial"
"""The ending of what is still being written; a name without it is complete."""

_UNSAFE = re.compile(r"[^a-z0-9._-]|^[.~]|\.$|\.(?=\.)|^_$")
_WHOLE = "_"


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


def version_folder(target: AssetPartition) -> str:
    """Return the folder of all versions of `target`, relative to the data folder."""
    partition = _WHOLE if target.partition == WHOLE else encoded(target.partition)
    return f"{encoded(target.asset)}/{partition}"


def version_path(target: AssetPartition, version: VersionId) -> str:
    """Return where the Parquet file of `version` lies, relative to the data folder."""
    return f"{version_folder(target)}/{version}.parquet"


def files_path(target: AssetPartition, version: VersionId, name: str) -> str:
    """Return where a file or folder `name` that is kept as `version` lies.

    It keeps its name, within a folder of its version's own.
    """
    return f"{version_folder(target)}/{version}/{name}"


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
