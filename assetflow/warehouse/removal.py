"""Removal of stored versions, within the data folder alone."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from assetflow.errors import OutsideDataFolder
from assetflow.warehouse.disk import disk_errors
from assetflow.warehouse.layout import EARLIER_FOLDER, PARTIAL, absolute


def remove_versions(data: Path, paths: Iterable[str]) -> int:
    """Unlink the versions at `paths` and the folders left empty; return the bytes given free.

    What is gone already is passed over. Raises OutsideDataFolder before anything is
    removed, if one of `paths` leads out of `data`, by a link also.
    """
    versions = [_within(data, path) for path in paths]
    return sum(_remove(data, path) for path in versions)


def leftovers(data: Path, recorded: Collection[str], before: float) -> list[tuple[str, int]]:
    """Return what interrupted processes left under `data`: each path, and its bytes.

    That is what is half-written, and each version last changed `before` (in seconds since
    1970) that is not among the `recorded`. To be called while no run is at work.
    """
    partial = {_relative(data, path) for path in data.rglob(f"*{PARTIAL}")}
    unknown = {path for path in stored_versions(data) if path not in recorded}
    found = [(path, absolute(data, path)) for path in sorted(partial | unknown)]
    return [(name, _size(path)) for name, path in found if path.lstat().st_mtime < before]


def stored_versions(data: Path) -> Iterator[str]:
    """Yield the path of each version that lies under `data`, recorded or not."""
    for asset in sorted(data.glob("*/")):
        for folder in (asset / EARLIER_FOLDER, asset):
            entries = sorted(folder.iterdir()) if folder.is_dir() else []
            for entry in entries:
                yield from (_relative(data, version) for version in _versions_at(entry))


def _versions_at(entry: Path) -> list[Path]:
    """Return the file `entry` if it is a version, or what a version's own folder keeps."""
    if not entry.is_dir():
        return [] if entry.name.endswith(PARTIAL) else [entry]
    return [] if entry.name == EARLIER_FOLDER else sorted(entry.iterdir())


def _within(data: Path, path: str) -> Path:
    """Return where `path` lies, if no link on the way leads out of `data`."""
    found = absolute(data, path)
    if not _is_version(path) or not found.parent.resolve().is_relative_to(data.resolve()):
        raise OutsideDataFolder(path, str(data))
    return found


def _is_version(path: str) -> bool:
    """Whether `path` has the form of a file of an asset's, or lies deeper."""
    depth = len(PurePosixPath(path).parts)
    return depth > 2 or (depth == 2 and path.endswith((".parquet", PARTIAL)))  # noqa: PLR2004 - asset, version


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
