"""How the types of DuckDB are stored: what Parquet gives back, and the casts that make it so."""

import re
from collections.abc import Iterator
from functools import lru_cache

from assetflow.errors import TypeNotStored
from assetflow.model.columns import Column, Schema
from assetflow.sql.query import quoted

_STORED_AS = {
    "HUGEINT": "DECIMAL(38,0)",  # Parquet would hold a double
    "UHUGEINT": "DECIMAL(38,0)",
    "BIGNUM": "VARCHAR",
    "VARINT": "VARCHAR",
    "BIT": "VARCHAR",
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
    "INTERVAL": "VARCHAR",  # Parquet cuts it to milliseconds and refuses negative ones
    '"NULL"': "INTEGER",
    "NULL": "INTEGER",
}
_NOT_STORED = frozenset({"UNION", "TIME WITH TIME ZONE", "TIMETZ", "GEOMETRY", "TYPE", "LAMBDA"})
_SUFFIX = re.compile(r"\[\d*\]$")


class _NotStored(Exception):
    """The part of a type that Parquet cannot hold."""


def stored_type(type_: str, column: str = "") -> str:
    """Return the type that a column of `type_` has once it is stored.

    Raises TypeNotStored, which names `column`, for what Parquet cannot hold.

    >>> stored_type("STRUCT(a HUGEINT, b ENUM('x', 'y')[3])")
    'STRUCT(a DECIMAL(38,0), b VARCHAR[])'
    """
    try:
        return _stored(type_.strip())
    except _NotStored:
        raise TypeNotStored(column, type_) from None


def stored_schema(schema: Schema) -> Schema:
    """Return `schema` as it is read back from a stored version, without what is promised of it."""
    return tuple(
        Column(column.name, stored_type(column.type, column.name), column.description)
        for column in schema
    )


def cast_projection(schema: Schema) -> str:
    """Return the SQL select list that turns rows of `schema` into rows that can be stored."""
    return ", ".join(
        _projection(column.name, column.type, stored_type(column.type, column.name))
        for column in schema
    )


def needs_cast(schema: Schema) -> bool:
    """Whether some column of `schema` is stored as another type."""
    return any(stored_type(column.type, column.name) != column.type for column in schema)


def nested_types(type_: str) -> tuple[str, tuple[str, ...]]:
    """Return how `type_` is nested, "list", "struct" or "map", and the types within it.

    Of a type that is not nested, "" and nothing.

    >>> nested_types('STRUCT(a DOUBLE, "b, c" MAP(VARCHAR, FLOAT)[])')
    ('struct', ('DOUBLE', 'MAP(VARCHAR, FLOAT)[]'))
    """
    if suffix := _SUFFIX.search(type_):
        return "list", (type_[: suffix.start()],)
    name, _, inside = type_.partition("(")
    if name == "MAP":
        return "map", tuple(_items(inside[:-1]))
    if name in ("STRUCT", "TUPLE"):
        fields = (_field(item) for item in _items(inside[:-1]))
        return "struct", tuple(inner for _, inner in fields)
    return "", ()


def _projection(name: str, type_: str, stored: str) -> str:
    column = quoted(name)
    return column if stored == type_ else f"cast({column} as {stored}) as {column}"


@lru_cache(maxsize=4096)
def _stored(type_: str) -> str:
    if suffix := _SUFFIX.search(type_):
        return f"{_stored(type_[: suffix.start()])}[]"
    name, _, inside = type_.partition("(")
    name = name.strip().upper()
    if name in _NOT_STORED or (name == "STRUCT" and not inside.rstrip(") ")):
        raise _NotStored(name)
    if name == "ENUM":
        return "VARCHAR"
    if name == "STRUCT":
        return f"STRUCT({', '.join(_stored_field(field) for field in _items(inside[:-1]))})"
    if name == "MAP":
        return f"MAP({', '.join(_stored(item) for item in _items(inside[:-1]))})"
    return _STORED_AS.get(type_.upper(), type_)


def _stored_field(field: str) -> str:
    """Return a field of a STRUCT, its name kept, its type as stored."""
    name, type_ = _field(field)
    return f"{name} {_stored(type_)}" if name else _stored(type_)


def _field(field: str) -> tuple[str, str]:
    """Return the name of a field of a STRUCT, "" where it has none, and its type."""
    match = re.match(r'("(?:[^"]|"")*"|[^\s"(]+)\s+(?=\S)', field)
    return (match.group(1), field[match.end() :]) if match else ("", field)


def _items(inside: str) -> Iterator[str]:
    """Yield the parts of `inside` between its outermost commas."""
    depth, start, quote = 0, 0, ""
    for index, letter in enumerate(inside):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "()[]":
            depth += 1 if letter in "([" else -1
        elif letter == "," and depth == 0:
            yield inside[start:index].strip()
            start = index + 1
    yield inside[start:].strip()
