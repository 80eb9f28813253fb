"""Where things are defined, and the upstreams that code names: what all declarations hold."""

from dataclasses import dataclass
from typing import Literal

from assetflow.model.mappings import DeclaredMapping

Form = Literal[
    "table",  # pyarrow.Table
    "reader",  # pyarrow.RecordBatchReader, streamed
    "relation",  # duckdb.DuckDBPyRelation, lazy
    "pandas",
    "polars",
    "polars_lazy",
    "rows",  # list[dict]
    "path",  # pathlib.Path to a file or folder
    "value",  # what the observe function of a source answered
    "sql",  # a table name in a query
]
"""In which form the data of an input arrives."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where something is defined: a path relative to the project, and a line."""

    path: str
    line: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Input:
    """One upstream as an asset's code names it. `columns` are declared, else None.

    `upstream` is the asset or source that is meant where the code's name is another;
    `mapping` says which of its partitions are read, where it is declared with the input.
    """

    name: str
    form: Form
    columns: tuple[str, ...] | None = None
    line: int = 1
    upstream: str = ""
    mapping: DeclaredMapping | None = None
