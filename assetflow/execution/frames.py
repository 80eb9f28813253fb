"""How a failure inside a user's asset reads: the user's own frames, and the exception."""

import traceback
from pathlib import Path
from types import TracebackType


def user_traceback(error: BaseException, root: Path) -> str:
    """Return the traceback of `error` with the frames of files under `root` only.

    Paths are relative to `root`. Where no frame is the project's own, the exception
    stands alone. What caused the error is told first, as Python tells it.
    """
    parts = []
    for link in _chain(error):
        frames = _own_frames(link.__traceback__, root)
        parts.append("".join([*frames, *traceback.format_exception_only(link)]).rstrip())
    return "\n\nwhich led to:\n\n".join(parts)


def _chain(error: BaseException) -> list[BaseException]:
    """Return `error` behind what caused it, the first cause first."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        hidden = link.__suppress_context__
        link = link.__cause__ or (None if hidden else link.__context__)
    return chain[::-1]


def _own_frames(trace: TracebackType | None, root: Path) -> list[str]:
    lines = []
    for frame in traceback.extract_tb(trace):
        path = Path(frame.filename)
        if not path.is_relative_to(root) or "site-packages" in path.parts:
            continue
        place = f"{path.relative_to(root).as_posix()}:{frame.lineno}"
        lines.append(f"{place} in {frame.name}\n    {frame.line}\n")
    return lines
