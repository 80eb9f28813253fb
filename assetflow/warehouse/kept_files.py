"""Files and folders that assets make themselves, kept as they are."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from assetflow.errors import AssetReturnedWrongThing
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import Digest


def keep_files(value: Path, kept: Path, scratch: Path | None = None) -> None:
    """Bring the file or folder `value` to `kept`: moved from within `scratch`, else copied.

    Links are followed, so that what is kept depends on nothing outside. A failure
    leaves nothing behind.
    """
    _check(value)
    source = value.resolve()
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        if scratch is not None and scratch.resolve() in source.parents and not _has_links(source):
            shutil.move(source, kept)
        elif source.is_dir():
            shutil.copytree(source, kept)
        else:
            shutil.copy2(source, kept)
    except BaseException:
        shutil.rmtree(kept.parent, ignore_errors=True)
        raise


def digest_of_files(kept: Path) -> Digest:
    """Return the digest of a file's bytes, or of a folder's relative names and their bytes."""
    if kept.is_file():
        return Digest(fingerprint("file", content_of(kept)))
    parts = [
        (str(entry.relative_to(kept).as_posix()), "" if entry.is_dir() else content_of(entry))
        for entry in _entries(kept)
    ]
    return Digest(fingerprint("folder", *(text for part in parts for text in part)))


def content_of(path: Path) -> str:
    """Return the digest of the bytes of one file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:32]


def size_of_files(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder. Raises FileNotFoundError."""
    found = path.stat()
    if os.path.isdir(path):  # noqa: PTH112 - twice as fast, for each input of each step
        return sum(entry.stat().st_size for entry in path.rglob("*") if entry.is_file())
    return found.st_size


def _check(value: Path) -> None:
    if not value.exists():
        raise AssetReturnedWrongThing(f"the path '{value}'", "Nothing exists there.")
    odd = [entry for entry in (value, *_entries(value)) if not (entry.is_file() or entry.is_dir())]
    if odd:
        raise AssetReturnedWrongThing(
            f"the path '{value}'", f"'{odd[0]}' is neither a file nor a folder."
        )


def _entries(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.rglob("*"), key=lambda entry: entry.relative_to(folder).parts))


def _has_links(source: Path) -> bool:
    return any(entry.is_symlink() for entry in source.rglob("*"))
