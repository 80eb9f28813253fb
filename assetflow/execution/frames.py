"""How a failure inside a user's asset reads: the user's own frames, and the exception."""

import textwrap
import traceback
from pathlib import Path
from types import TracebackType

from assetflow.model.asset import SqlBody

MOST_FRAMES = 10
"""How many of the first and of the last calls are told."""


def user_traceback(error: BaseException, root: Path) -> str:
    """Return the traceback of `error` with the frames of files under `root` only.

    Paths are relative to `root`. Where no frame is the project's own, the exception
    stands alone. What caused the error is told first, as Python tells it.
    """
    parts = []
    for link in _chain(error):
        frames = _shortened(_own_frames(link.__traceback__, root))
        said = "".join([*frames, *traceback.format_exception_only(link)]).rstrip()
        parts.append("\n".join([said, *_members(link, root)]))
    return "\n\nwhich led to:\n\n".join(parts)


def query_trace(error: BaseException, path: str, query: SqlBody) -> str:
    """Return what DuckDB says of the `query` in the file at `path`, with the line in that file.

    A line in which tables were replaced, since the user did not write it so, is not shown.
    """
    said, _, rest = str(error).strip().partition("\n\nLINE ")
    number, _, shown = rest.partition(": ")
    text, _, caret = shown.partition("\n")
    if not number.isdigit():
        return str(error).strip()
    place = f"{said}\n{path}:{int(number) + query.first_line - 1}"
    if text not in query.text:
        return place
    return f"{place}\n    {text}\n    {caret[len(f'LINE {number}: ') :]}".rstrip()


def _members(error: BaseException, root: Path) -> list[str]:
    """Return what the exceptions of a group say, indented."""
    if not isinstance(error, BaseExceptionGroup):
        return []
    return [textwrap.indent(user_traceback(one, root), "  ") for one in error.exceptions]


def _shortened(frames: list[str]) -> list[str]:
    """Return `frames`, without the middle of an endless recursion."""
    left_out = len(frames) - 2 * MOST_FRAMES
    if left_out <= 0:
        return frames
    return [*frames[:MOST_FRAMES], f"… {left_out} calls left out\n", *frames[-MOST_FRAMES:]]


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
