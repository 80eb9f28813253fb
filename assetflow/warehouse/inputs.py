"""The data of an input, in the form in which an asset asks for it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from assetflow.errors import LibraryMissing
from assetflow.model.declared_inputs import Form
from assetflow.sql.query import quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

BATCH_ROWS = 100_000
"""How many rows a batch of a stream has at most."""

_LIBRARIES = {"pandas": "pandas", "polars": "polars", "polars_lazy": "polars"}


def open_input(
    connection: DuckDBPyConnection, form: Form, scan_sql: str, columns: Sequence[str] | None
) -> Any:
    """Return the rows of `scan_sql`, `columns` of them (None for all), in `form`, in stored order.

    A relation belongs to `connection`, so that it can be joined with others from there;
    a reader and a lazy frame have a connection of their own, since they are read later.
    Paths and values are no tables: `stored_path` gives the former. Raises LibraryMissing.
    """
    names = "*" if columns is None else ", ".join(map(quoted, columns)) or "1 as row"
    query = f"select {names} from {scan_sql}"
    if form in _LIBRARIES:
        _require(_LIBRARIES[form])
    if form in {"reader", "polars_lazy"}:
        connection = connection.cursor()
    return _OPENED[form](connection.sql(query))


def _rows(relation: DuckDBPyRelation) -> list[dict[str, object]]:
    names = relation.columns
    return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


_OPENED: dict[Form, Callable[[DuckDBPyRelation], Any]] = {
    "table": lambda relation: relation.to_arrow_table(),
    "reader": lambda relation: relation.to_arrow_reader(BATCH_ROWS),
    "relation": lambda relation: relation,
    "pandas": lambda relation: relation.df(),
    "polars": lambda relation: relation.pl(),
    "polars_lazy": lambda relation: relation.pl(lazy=True),
    "rows": _rows,
}


def _require(library: str) -> None:
    try:
        importlib.import_module(library)
    except ImportError:
        raise LibraryMissing(library) from None
