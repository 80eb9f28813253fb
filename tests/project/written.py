"""Projects written into a folder for one test, and what loading says of them."""

from pathlib import Path
from textwrap import dedent

from assetflow.errors import AssetflowError, ProjectErrors
from assetflow.project.loading import Declarations, load_declarations
from assetflow.project.settings import read_settings


def write(root: Path, **files: str) -> Path:
    """Write `files` into `root`: `shop__ingest_py` is `shop/ingest.py`."""
    for name, text in files.items():
        stem, _, suffix = name.replace("__", "/").rpartition("_")
        write_file(root, f"{stem}.{suffix}", text)
    return root


def write_file(root: Path, path: str, text: str) -> Path:
    """Write `text` without its common indentation to `path` below `root`."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return file


def load(root: Path, environment: str = "main", **environ: str) -> Declarations:
    """Load the project at `root` as a command would."""
    return load_declarations(root, read_settings(root), environment, environ)


def messages(error: AssetflowError) -> list[str]:
    """Return the text of each error that `error` is or holds."""
    errors = error.errors if isinstance(error, ProjectErrors) else (error,)
    return [str(one) for one in errors]


def text(message: str) -> str:
    """Return a message as it is written, indented, in a test."""
    return dedent(message).strip("\n")
