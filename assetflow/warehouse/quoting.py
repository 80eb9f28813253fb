"""Texts and paths as SQL writes them."""

from collections.abc import Sequence
from pathlib import Path


def quoted_text(text: str) -> str:
    """Return `text` as a string literal.

    >>> print(quoted_text("it's"))
    'it''s'
    """
    return "'" + text.replace("'", "''") + "'"


def quoted_paths(paths: Sequence[Path | str]) -> str:
    """Return the paths as the first argument of a reader: a text, or a list of texts.

    >>> print(quoted_paths(["a"]), quoted_paths(["a", "b"]))
    'a' ['a', 'b']
    """
    texts = [quoted_text(str(path)) for path in paths]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def read_parquet(paths: Sequence[Path | str]) -> str:
    """Return the SQL that reads Parquet files; a folder named `a=b` above them is no column."""
    return f"read_parquet({quoted_paths(paths)}, hive_partitioning=false)"
