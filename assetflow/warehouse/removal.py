"""Removal of stored versions, within the data folder alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from assetflow.errors import OutsideDataFolder
from assetflow.warehouse.disk import disk_errors
from assetflow.warehouse.layout import PARTIAL, absolute


def remove_versions(data: Path, paths: Iterable[str]) -> int:
    """Unlink the versions at `paths` and the folders left empty; return the bytes given free.

    What is gone already is passed over. Raises OutsideDataFolder before anything is
    removed, if one of `paths` leads out of `data`, by a link also.
    """
    versions = [_within(data, path) for path in paths]
    return sum(_remove(data, path) for path in versions)


def remove_leftovers(data: Path) -> int:
    """Unlink what interrupted processes left half-written; return how many files.

    To be called while no run is at work.
    """
    found = list(data.rglob(f"*{PARTIAL}"))
    with disk_errors(data):
        for path in found:
            path.unlink(missing_ok=True)
    return len(found)


def stored_versions(data: Path) -> Iterator[str]:
    """Yield the path of each version that lies under `data`, recorded or not."""
    for partition in sorted(data.glob("*/*/")):
        for entry in sorted(partition.iterdir()):
            if entry.is_dir():
                yield from (_relative(data, kept) for kept in sorted(entry.iterdir()))
            elif not entry.name.endswith(PARTIAL):
                yield _relative(data, entry)


def _within(data: Path, path: str) -> Path:
    """Return where `path` lies, if no link on the way leads out of `data`."""
    found = absolute(data, path)
    if len(PurePosixPath(path).parts) < 3 or not found.parent.resolve().is_relative_to(  # noqa: PLR2004 - asset, partition, version
        data.resolve()
    ):
        raise OutsideDataFolder(path, str(data))
    return found


def _remove(data: Path, path: Path) -> int:
    with disk_errors(path):
        try:
            size = _size(path)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except FileNotFoundError:
            return 0
    _remove_empty(data, path.parent)
    return size


def _remove_empty(data: Path, folder: Path) -> None:
    """Remove `folder` and those above it while they are empty, `data` itself never."""
    with suppress(OSError):  # not empty: another version lies there
        while folder != data:
            folder.rmdir()
            folder = folder.parent


def _size(path: Path) -> int:
    entries = path.rglob("*") if path.is_dir() else [path]
    return sum(entry.lstat().st_size for entry in entries if not entry.is_dir())


def _relative(data: Path, path: Path) -> str:
    return path.relative_to(data).as_posix()
