"""Names for the shell to complete, read from a small file and never from the project."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

NAMES = Path("cache", "names.txt")
STATE = ".assetflow"

_PREFIX = re.compile(r"(?:[^,]*,)?(?:\d*\+)?")


def complete_names(incomplete: str) -> list[str]:
    """Return the selections that `incomplete` may become: +ord gives +orders."""
    found = _PREFIX.match(incomplete)
    prefix = found.group() if found else ""
    start = incomplete[len(prefix) :]
    return [f"{prefix}{name}" for name in _known_names() if name.startswith(start)]


def _known_names() -> list[str]:
    for folder in _folders():
        with suppress(OSError, UnicodeDecodeError):
            return (folder / STATE / NAMES).read_text("utf-8").split("\n")[:-1]
    return []


def _folders() -> Iterator[Path]:
    here = Path.cwd()
    yield from (here, *here.parents)
    if os.environ.get("ASSETFLOW_PROJECT"):
        yield Path(os.environ["ASSETFLOW_PROJECT"])


def remember_names(state: Path, names: Iterable[str]) -> None:
    """Write `names` for the shell, where there is a state folder that can be written."""
    path = state / NAMES
    text = "".join(f"{name}\n" for name in names)
    with suppress(OSError):
        if not state.is_dir() or (path.is_file() and path.read_text("utf-8") == text):
            return
        path.parent.mkdir(exist_ok=True)
        beside = path.with_name(f"names.{os.getpid()}")
        beside.write_text(text, "utf-8")
        beside.replace(path)
