"""Files of a source, as they were seen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileState:
    """One file of a source as it was seen; `content` is the digest of its bytes.

    `path` is as the source's path is written: relative to the project's root, with
    forward slashes, or absolute.
    """

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    content: str
