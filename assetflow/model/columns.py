"""Columns, schemas, read-sets and the edges between columns."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

EdgeKind = Literal[
    "identity",
    "transformation",
    "aggregation",
    "join",
    "filter",
    "group",
    "sort",
    "window",
    "conditional",
]
"""How a column reaches another: by its value (the first three), or by deciding rows (the rest)."""


ContractMode = Literal["additive", "exact"]
"""Whether more columns than those that are declared may come."""


class Column(NamedTuple):
    """One column of a table; `type` is DuckDB's own text for the type.

    That a column is not `nullable` is a promise of whoever declares it.
    """

    name: str
    type: str
    description: str = ""
    nullable: bool = True
    tags: tuple[str, ...] = ()


Schema = tuple[Column, ...]


def united(schemas: Iterable[Schema]) -> Schema:
    """Return the columns of tables that are read as one: those of the last, then the others.

    >>> a, b = Column("a", "INTEGER"), Column("b", "DATE")
    >>> [column.name for column in united([(a, b), (a,)])]
    ['a', 'b']
    """
    distinct = tuple(dict.fromkeys(schemas))
    found: dict[str, Column] = {}
    for schema in reversed(distinct):
        for column in schema:
            found.setdefault(column.name, column)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class ReadSet:
    """The columns of an input that a result can depend on; None stands for everything.

    `columns` are in canonical order: sorted, each once. `ordered` says that the
    order of the rows is read too. Everything includes names, types and their order.
    """

    columns: tuple[str, ...] | None = None
    ordered: bool = False

    @classmethod
    def of(cls, columns: Iterable[str], *, ordered: bool = False) -> "ReadSet":
        """Return the read-set of just `columns`, in canonical order."""
        return cls(tuple(sorted(set(columns))), ordered)

    @property
    def is_everything(self) -> bool:
        """Whether all columns are read, those that the input gains later included."""
        return self.columns is None

    def __str__(self) -> str:
        columns = "*" if self.columns is None else ", ".join(self.columns)
        return f"{columns} in order" if self.ordered else columns


EVERYTHING = ReadSet()
EVERYTHING_ORDERED = ReadSet(ordered=True)


class ColumnEdge(NamedTuple):
    """One column of an input that reaches one output column.

    `target` is "" for what decides rows (filter, join, group, sort …) of the whole result.
    """

    input: str
    column: str
    target: str
    kind: EdgeKind
