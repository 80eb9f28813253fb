"""Where things lie in the state folder, and how it comes to be."""

from pathlib import Path
from urllib.parse import quote, unquote

from assetflow.errors import StateUnusable
from assetflow.model.names import RunId


def store_path(state: Path) -> Path:
    """Return where the metadata store lies."""
    return state / "metadata.duckdb"


def journal_folder(state: Path) -> Path:
    """Return the folder of the journals."""
    return state / "journal"


def journal_path(state: Path, run: RunId) -> Path:
    """Return where the journal of `run` lies.

    >>> journal_path(Path(".assetflow"), RunId("r/1")).name
    'r%2F1.jsonl'
    """
    return journal_folder(state) / f"{quote(run, safe='')}.jsonl"


def journal_run(path: Path) -> RunId:
    """Return whose journal lies at `path`."""
    return RunId(unquote(path.stem))


def journal_paths(state: Path) -> tuple[Path, ...]:
    """Return the journals that are there, in the order of their runs' ids."""
    try:
        return tuple(sorted(journal_folder(state).glob("*.jsonl")))
    except OSError as error:
        raise StateUnusable(error.filename, "read", error.strerror or str(error)) from error


def lock_path(state: Path, name: str) -> Path:
    """Return where the lock file `name` lies."""
    return state / "locks" / name


def prepare(state: Path) -> None:
    """Make the state folder with what every writer needs, and keep it out of git."""
    try:
        for folder in (state, journal_folder(state), state / "locks"):
            folder.mkdir(parents=True, exist_ok=True)
        ignore = state / ".gitignore"
        if not ignore.exists() or not ignore.stat().st_size:  # A full disk leaves it empty.
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        # What fails as a file is written, not opened, knows no name.
        path = error.filename or state
        raise StateUnusable(path, "written", error.strerror or str(error)) from error
