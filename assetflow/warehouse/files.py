"""The files of a source as they are found: which there are, and whether they changed."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assetflow.errors import SourceIsFolder, SourceNotFound, SourceUnreadable
from assetflow.model.file_states import FileState
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import VersionId
from assetflow.warehouse.kept_files import content_of

SETTLING_NS = 2_000_000_000
"""So long after its mtime a file can still change without a new one, on coarse file systems."""

_READ_ATTEMPTS = 5
_THREADS = 4


def observe_files(
    root: Path, pattern: str, previous: Sequence[FileState] | None, now_ns: int
) -> tuple[FileState, ...]:
    """Return the state of each file that matches `pattern`, sorted by path.

    `pattern` is a glob (`**` for any folders), relative to `root` or absolute. A file's
    content is read only if its size, mtime, ctime or inode differ from `previous`, or if
    its mtime lies less than two seconds before `now_ns`, or after it. The inode of such
    a file is 0, so that the next observation reads it again: record what is returned
    whenever it differs from `previous`, even where `state_id` is the same.
    Raises SourceNotFound, SourceIsFolder, SourceUnreadable.
    """
    return observe_paths(root, matching_files(root, pattern), previous, now_ns)


def observe_paths(
    root: Path, paths: Sequence[str], previous: Iterable[FileState] | None, now_ns: int
) -> tuple[FileState, ...]:
    """Return the states of the files at `paths`, in their order, as `observe_files` does."""
    known = {state.path: state for state in previous or ()}

    def observe(path: str) -> FileState:
        return _observe(root, path, known, now_ns)

    if len(paths) == 1:
        return (observe(paths[0]),)
    with ThreadPoolExecutor(_THREADS) as pool:
        return tuple(pool.map(observe, paths))


def state_id(files: Iterable[FileState]) -> VersionId:
    """Return the id of a state: of the paths and the contents, not of times."""
    return VersionId(fingerprint(*(text for file in files for text in (file.path, file.content))))


def verify_unchanged(root: Path, files: Iterable[FileState]) -> bool:
    """Whether no file moved since it was observed, as its size, times and inode tell."""
    return all(_is_unmoved(root, file) for file in files)


def source_paths(root: Path, files: Iterable[FileState]) -> tuple[Path, ...]:
    """Return where `files` lie."""
    return tuple(root / file.path for file in files)


def matching_files(root: Path, pattern: str) -> list[str]:
    """Return the files that match `pattern`, sorted; SourceNotFound, SourceIsFolder for none."""
    found = [pattern] if os.path.lexists(root / pattern) else _glob(root, pattern)
    files = sorted(Path(path).as_posix() for path in found if not (root / path).is_dir())
    if files:
        return files
    if (root / pattern).is_dir():
        raise SourceIsFolder(pattern, _listed(root / pattern))
    raise SourceNotFound(pattern, *_nearby(root, pattern))


def _glob(root: Path, pattern: str) -> list[str]:
    return glob.glob(pattern, root_dir=root, recursive=True)  # noqa: PTH207 - it sorts out relative and absolute


def _nearby(root: Path, pattern: str) -> tuple[str, list[str]]:
    """Return the nearest folder above `pattern` that exists, and what is in it."""
    folder = next(parent for parent in (root / pattern).parents if parent.is_dir())
    shown = folder.relative_to(root) if folder.is_relative_to(root) else folder
    return shown.as_posix(), _listed(folder)


def _listed(folder: Path) -> list[str]:
    """Return the names in a folder, without hidden ones; none where it may not be read."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names are wanted
    except PermissionError:
        return []
    return sorted(name for name in names if not name.startswith("."))


def _observe(root: Path, path: str, known: Mapping[str, FileState], now_ns: int) -> FileState:
    try:
        before = known.get(path)
        found = _stated(root, path)
        is_settled = found.mtime_ns <= now_ns - SETTLING_NS
        if before is not None and is_settled and _same_stat(before, found):
            return before
        return _with_content(root, path, is_settled=is_settled)
    except OSError as error:
        raise SourceUnreadable(path, str(error.strerror)) from error


def _with_content(root: Path, path: str, *, is_settled: bool) -> FileState:
    """Read the content of a file that stands still while it is read."""
    for _ in range(_READ_ATTEMPTS):
        before = _stated(root, path)
        content = content_of(root / path)
        if _same_stat(before, _stated(root, path)):
            inode = before.inode if is_settled else 0
            return FileState(path, before.size, before.mtime_ns, before.ctime_ns, inode, content)
    raise SourceUnreadable(path, "It changes while it is read.")


def _stated(root: Path, path: str) -> FileState:
    found = os.stat(root / path)  # noqa: PTH116 - the same, named as the manual page
    return FileState(path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, "")


def _same_stat(before: FileState, after: FileState) -> bool:
    return (before.size, before.mtime_ns, before.ctime_ns, before.inode) == (
        after.size,
        after.mtime_ns,
        after.ctime_ns,
        after.inode,
    )


def _is_unmoved(root: Path, file: FileState) -> bool:
    try:
        found = _stated(root, file.path)
    except OSError:
        return False
    return (file.size, file.mtime_ns, file.ctime_ns) == (
        found.size,
        found.mtime_ns,
        found.ctime_ns,
    ) and file.inode in {0, found.inode}
