"""Columns beside what was promised of them: contracts, declared types, earlier versions."""

from collections.abc import Iterator, Sequence

from assetflow.errors import TypeNotStored
from assetflow.model.checks import Check
from assetflow.model.columns import Schema
from assetflow.model.names import folded
from assetflow.sql.types import stored_type


def broken_types(check: Check, schema: Schema, types: Sequence[str]) -> tuple[str, ...]:
    """Return where `schema` breaks what a check promises of its columns.

    `types` are the declared ones as DuckDB spells them; a column has its type once it is
    stored. A contract that is "exact" wants no other columns; their order is free.
    """
    found = {folded(column.name): column for column in schema}
    problems = list(_differing(check, schema, types))
    if check.argument("mode") == "exact":
        declared = set(map(folded, check.columns))
        more = [column.name for name, column in found.items() if name not in declared]
        problems += [f"column '{name}' is not declared" for name in more]
    return tuple(problems)


def _differing(check: Check, schema: Schema, types: Sequence[str]) -> Iterator[str]:
    found = {folded(column.name): column for column in schema}
    for name, type_ in zip(check.columns, types, strict=True):
        column = found.get(folded(name))
        if column is None:
            yield f"there is no column '{name}'"
        elif column.type not in {type_, _stored(type_)}:
            yield f"column '{column.name}' is {column.type}, not {type_}"


def _stored(type_: str) -> str:
    try:
        return stored_type(type_)
    except TypeNotStored:
        return type_


def schema_changes(before: Schema, after: Schema) -> tuple[str, ...]:
    """Return how columns changed: gone, new, of another type, or in another order."""
    old, new = ({folded(c.name): c for c in schema} for schema in (before, after))
    changes = [f"column '{c.name}' is gone" for name, c in old.items() if name not in new]
    changes += [f"column '{c.name}' is new" for name, c in new.items() if name not in old]
    changes += [
        f"column '{column.name}' is {new[name].type}, not {column.type}"
        for name, column in old.items()
        if name in new and new[name].type != column.type
    ]
    if not changes and list(old) != list(new):
        changes.append("the columns are in another order")
    return tuple(changes)
