"""What the files that could not be loaded would have declared: nobody reads it by a wrong name."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from assetflow.errors import (
    AssetflowError,
    CheckOfWhichAsset,
    ModuleFailed,
    UnknownCheckedAsset,
    UnknownInput,
)
from assetflow.model.names import folded
from assetflow.project.discovery import find_package
from assetflow.project.loading import Declarations

_QUERY = re.compile(r"([^\s/]+)\.sql\b")
_NAMED = re.compile(r"\b(?:asset|source) '([^']+)'")
_DECLARED = re.compile(
    r"""^\s*(?:async\s+)?def\s+(\w+)|\b(?:source\(|name=)\s*["']([^"']+)["']""", re.MULTILINE
)


def not_following(
    errors: Collection[AssetflowError], declared: Declarations
) -> Iterator[AssetflowError]:
    """Yield those of `errors` that do not come of something whose own file has an error.

    That was not `declared`, and would be told as unknown by all that read or check it.
    """
    lost = {folded(name).rpartition(".")[2] for name in _lost(declared)}
    for error in errors:
        if not any(folded(name).rpartition(".")[2] in lost for name in _unknown(error)):
            yield error


def _lost(declared: Declarations) -> Iterator[str]:
    """Yield the names that may not have been declared because of what is wrong."""
    for error in declared.errors:
        said = " ".join((error.headline, *map(str, error.facts.values())))
        yield from _QUERY.findall(said)
        yield from _NAMED.findall(said)
    if any(isinstance(error, ModuleFailed) for error in declared.errors):
        folder = find_package(declared.root, declared.settings.package)
        for path in folder.rglob("*.py"):
            yield from _named_in(path)


def _named_in(path: Path) -> Iterator[str]:
    """Yield the names that a module seems to declare: it need not have been imported."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for function, name in _DECLARED.findall(text):
        yield function or name


def _unknown(error: AssetflowError) -> tuple[str, ...]:
    """Return the names of which `error` says that nothing has them."""
    match error:
        case UnknownInput() | UnknownCheckedAsset():
            return (error.name,)
        case CheckOfWhichAsset():
            return error.unknown
        case _:
            return ()
