"""Texts and paths as SQL writes them."""

from collections.abc import Iterable
from pathlib import Path


def quoted_text(text: str) -> str:
    """Return `text` as a string literal.

    >>> print(quoted_text("it's"))
    'it''s'
    """
    return "'" + text.replace("'", "''") + "'"


def quoted_paths(paths: Iterable[Path | str]) -> str:
    """Return a list of string literals, one for each path, in order."""
    return "[" + ", ".join(quoted_text(str(path)) for path in paths) + "]"
