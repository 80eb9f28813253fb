"""What a Python asset returned, in whatever form, as one table that DuckDB reads."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from assetflow.errors import (
    AssetReturnedNothing,
    AssetReturnedWrongThing,
    ColumnsDiffer,
    EmptyWithoutColumns,
)
from assetflow.model.columns import Column, Schema
from assetflow.model.names import folded
from assetflow.sql.query import quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

VIEW = "assetflow_returned"
BATCH_ROWS = 100_000
"""How many rows of a lazy frame are computed at a time."""

NULLS = '"NULL"'
"""The type of a column of which nothing but nulls is known: it fits every declared type."""

_VOWELS = frozenset("aeio")
"""No u: it is said as in `user`."""


@dataclass(slots=True)
class Failure:
    """What a stream of the user's raised while DuckDB read it."""

    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """A table under the name `view`, or a `relation`. `found` says in which form it came.

    `is_cast` says that the values have no SQL types of their own: the declared ones hold.
    """

    found: str
    schema: Schema
    relation: duckdb.DuckDBPyRelation | None = None
    view: str = VIEW
    is_cast: bool = False
    failure: Failure = field(default_factory=Failure)

    def projection(self, columns: Schema) -> str:
        """Return the select list that gives `columns`."""
        return ", ".join(map(self._projected, columns))

    def _projected(self, column: Column) -> str:
        name = quoted(column.name)
        nulls = {folded(found.name) for found in self.schema if found.type == NULLS}
        is_cast = self.is_cast or (folded(column.name) in nulls and column.type != NULLS)
        return f"{name}::{column.type} as {name}" if is_cast else name

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise what the user's stream raised, in place of what DuckDB made of it."""
        import duckdb

        try:
            yield
        except duckdb.Error:
            if self.failure.error is not None:
                raise self.failure.error from None
            raise


@contextmanager
def as_returned(
    connection: duckdb.DuckDBPyConnection, value: object, declared: Schema | None
) -> Iterator[Returned]:
    """Give `value` as a table that `connection` reads while the context lasts.

    Raises AssetReturnedNothing, AssetReturnedWrongThing, EmptyWithoutColumns.
    """
    import duckdb

    if value is None:
        raise AssetReturnedNothing
    found = _named(value)
    if isinstance(value, duckdb.DuckDBPyRelation):
        types = [str(type_) for type_ in value.types]
        schema = tuple(map(Column, value.columns, types))
        yield Returned(found, _with_nulls(value, schema, declared or ()), relation=value)
        return
    failure = Failure()
    arrow = _as_arrow(connection, value, declared, failure)
    _check_names(arrow.schema.names, found)
    connection.register(VIEW, arrow)
    try:
        schema = _described(connection, arrow.schema, found)
        yield Returned(found, schema, is_cast=isinstance(value, list), failure=failure)
    finally:
        connection.unregister(VIEW)


def declared_columns(
    connection: duckdb.DuckDBPyConnection,
    returned: Returned,
    declared: Schema | None,
    *,
    is_contract: bool = False,
) -> Schema:
    """Return the columns to store: the declared ones, in their order, or else all.

    Raises ColumnsDiffer where names or types differ; names are compared without case,
    types as DuckDB spells them, so that INT is INTEGER. Of a contract nothing is refused
    here: what was returned is stored as it is, and its audit tells.
    """
    if declared is None:
        return returned.schema
    types = spelled_types(connection, declared)
    actual = {folded(column.name): column for column in returned.schema}
    if is_contract:
        return _as_promised(actual, types, is_cast=returned.is_cast)
    expected = {folded(column.name): column.type for column in types}
    differences = [
        (column.name, column.type, "" if found is None else found.type)
        for column in types
        if (found := actual.get(folded(column.name))) is None
        or (found.type not in {column.type, NULLS} and not returned.is_cast)
    ]
    differences += [
        (column.name, "", column.type) for name, column in actual.items() if name not in expected
    ]
    if differences:
        raise ColumnsDiffer(differences)
    return types


def _as_promised(actual: dict[str, Column], types: Schema, *, is_cast: bool) -> Schema:
    """Return the columns there are, first those of `types`, which hold where nothing else does."""
    found = []
    for column in types:
        there = actual.pop(folded(column.name), None)
        if there is not None:
            is_told = is_cast or there.type == NULLS
            found.append(Column(there.name, column.type if is_told else there.type))
    return (*found, *actual.values())


def spelled_types(connection: duckdb.DuckDBPyConnection, columns: Schema) -> Schema:
    """Return `columns` with their types as DuckDB spells them."""
    empty = ", ".join(f"null::{column.type} as {quoted(column.name)}" for column in columns)
    found = connection.execute(f"describe select {empty}").fetchall()
    return tuple(
        column._replace(type=type_) for column, (_, type_, *_) in zip(columns, found, strict=True)
    )


def _as_arrow(
    connection: duckdb.DuckDBPyConnection, value: object, declared: Schema | None, failure: Failure
) -> pa.Table | pa.RecordBatchReader:
    import pyarrow as pa

    try:
        if isinstance(value, pa.Table):
            return value
        if isinstance(value, pa.RecordBatchReader):
            return _guarded(value.schema, value, failure)
        if isinstance(value, list):
            return _from_rows(connection, value, declared)
        if isinstance(value, Iterator):
            return _from_batches(connection, value, declared, failure)
        if _is_a(value, "polars", "LazyFrame"):
            return _from_lazy_frame(value, failure)
        return _from_frame(value, declared)
    except pa.ArrowException as error:
        raise AssetReturnedWrongThing(_named(value), str(error).split("\n", 1)[0]) from error


def _from_frame(value: object, declared: Schema | None) -> pa.Table:
    """Return a data frame as an Arrow table; its library is loaded if it is one."""
    frame: Any = value
    if _is_a(frame, "pandas", "DataFrame"):
        _check_names(list(frame.columns), _named(frame))
        return _from_pandas(_with_index(frame), declared)
    if _is_a(frame, "polars", "DataFrame"):
        return frame.to_arrow()
    raise AssetReturnedWrongThing(_named(value))


def _from_lazy_frame(value: object, failure: Failure) -> pa.Table | pa.RecordBatchReader:
    """Return what a lazy frame of polars gives as a stream, which is computed as it is read.

    Before version 1.34 polars has no batches to give: the whole result is in memory.
    """
    frame: Any = value
    if not hasattr(frame, "collect_batches"):
        return frame.collect().to_arrow()
    schema = frame.collect_schema().to_frame().to_arrow().schema
    frames = frame.collect_batches(chunk_size=BATCH_ROWS)
    return _guarded(schema, _batches(one.to_arrow() for one in frames), failure)


def _is_a(value: object, library: str, name: str) -> bool:
    """Whether `value` is of a class; a library that a thread is still importing has none."""
    found = getattr(sys.modules.get(library), name, None)
    return isinstance(found, type) and isinstance(value, found)


def _from_pandas(frame: Any, declared: Schema | None) -> pa.Table:
    """Return a pandas frame as it is meant, where its types do not say it.

    Without rows they say nothing, so that the `declared` ones hold.
    """
    import pyarrow as pa

    if declared is not None and frame.empty:
        return pa.table({name: pa.nulls(0) for name in frame.columns})
    objects = [name for name in frame.columns if frame[name].dtype == object]
    nested = [name for name in objects if frame[name].map(_is_array).any()]
    unmasked = {name: frame[name].map(_unmasked) for name in nested}
    return pa.Table.from_pandas(frame.assign(**unmasked), preserve_index=False)


def _is_array(value: object) -> bool:
    return _is_a(value, "numpy", "ndarray")


def _unmasked(value: Any) -> object:
    """Return an array, as DuckDB gives lists to pandas, as a list with None where it is masked.

    Arrow would take what lies below the mask, mostly 0, for the value.
    """
    if not _is_array(value):
        return value
    if not _is_a(value, "numpy.ma", "MaskedArray"):
        return [_unmasked(one) for one in value] if value.dtype == object else value
    hidden = value.mask if value.mask.shape else [False] * len(value)
    return [
        None if is_hidden else _unmasked(one)
        for one, is_hidden in zip(value.data, hidden, strict=True)
    ]


def _with_index(frame: Any) -> Any:
    """Return a pandas frame with those parts of its index as columns that have a name."""
    levels = [name for name in frame.index.names if name is not None and name not in frame.columns]
    return frame.reset_index(level=levels) if levels else frame


def _from_rows(
    connection: duckdb.DuckDBPyConnection, rows: list[Any], declared: Schema | None
) -> pa.Table:
    """Return rows, each a dict, as a table; a key that a row has not is NULL."""
    import pyarrow as pa

    found = _listed(rows) if rows else "an empty list"
    odd = next((row for row in rows if not isinstance(row, dict)), None)
    if odd is not None:
        raise AssetReturnedWrongThing("a list", f"An item is {_named(odd)}, not a dict.")
    if declared is None and not rows:
        raise EmptyWithoutColumns(found)
    types = {} if declared is None else _arrow_types(connection, declared)
    names = list(dict.fromkeys(name for row in rows for name in row)) if rows else list(types)
    _check_names(names, found)
    for column in declared or ():
        if column.type.upper() == "UUID":  # Arrow's text, which takes no uuid.UUID
            types.pop(column.name)
    arrays = {
        name: _array(name, [row.get(name) for row in rows], types.get(name)) for name in names
    }
    return pa.table(arrays)


def _array(name: str, values: list[object], type_: pa.DataType | None) -> pa.Array:
    import pyarrow as pa

    try:
        if type_ is not None and pa.types.is_integer(type_):
            _check_whole(values)
        return pa.array(values, type=type_)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        problem = f"Column {name!r}: {str(error).splitlines()[0]}"
        raise AssetReturnedWrongThing(_listed(values), problem) from error


def _check_whole(values: list[object]) -> None:
    """Raise ValueError for a fraction among integers: Arrow would cut it off."""
    for value in values:
        if isinstance(value, float) and not value.is_integer():
            message = f"{value!r} is no integer"
            raise ValueError(message)


def _arrow_types(connection: duckdb.DuckDBPyConnection, declared: Schema) -> dict[str, pa.DataType]:
    empty = ", ".join(f"null::{column.type} as {quoted(column.name)}" for column in declared)
    schema = connection.sql(f"select {empty} limit 0").to_arrow_table().schema
    return dict(zip(schema.names, schema.types, strict=True))


def _from_batches(
    connection: duckdb.DuckDBPyConnection,
    value: Iterator[Any],
    declared: Schema | None,
    failure: Failure,
) -> pa.Table | pa.RecordBatchReader:
    """Return what an iterator yields, batches or tables of one schema, as a stream."""
    import pyarrow as pa

    first = next(value, None)
    if first is None:
        if declared is None:
            raise EmptyWithoutColumns("an iterator without batches")
        return pa.schema(_arrow_types(connection, declared)).empty_table()
    if not isinstance(first, pa.RecordBatch | pa.Table):
        raise AssetReturnedWrongThing(f"an iterator of {_named(first)}")
    return _guarded(first.schema, _batches(chain([first], value)), failure)


def _batches(items: Iterable[Any]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    for item in items:
        if isinstance(item, pa.Table):
            yield from item.to_batches()
        elif isinstance(item, pa.RecordBatch):
            yield item
        else:
            raise AssetReturnedWrongThing(f"an iterator with {_named(item)} in it")


def _guarded(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], failure: Failure
) -> pa.RecordBatchReader:
    """Return a stream of `batches` that remembers what these raise.

    Arrow reads a batch of other columns by their place, or crashes: it is refused.
    """
    import pyarrow as pa

    def remembered() -> Iterator[pa.RecordBatch]:
        try:
            for batch in batches:
                _check_batch(batch.schema, schema)
                yield batch
        except BaseException as error:
            failure.error = error
            raise

    return pa.RecordBatchReader.from_batches(schema, remembered())


def _check_batch(schema: pa.Schema, first: pa.Schema) -> None:
    if not schema.equals(first):
        problem = f"A batch has the columns {_typed(schema)}, not {_typed(first)} as the first."
        raise AssetReturnedWrongThing("a stream of batches", problem)


def _typed(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)


def _described(connection: duckdb.DuckDBPyConnection, schema: pa.Schema, found: str) -> Schema:
    """Return the columns as DuckDB reads them, from an empty table: a stream is read once."""
    import duckdb

    connection.register(f"{VIEW}_empty", schema.empty_table())
    try:
        rows = connection.execute(f"describe from {VIEW}_empty").fetchall()
    except duckdb.Error as error:
        raise AssetReturnedWrongThing(found, str(error).split("\n", 1)[0]) from error
    finally:
        connection.unregister(f"{VIEW}_empty")
    nulls = {field.name for field in schema if str(field.type) == "null"}
    return tuple(Column(name, NULLS if name in nulls else type_) for name, type_, *_ in rows)


def _with_nulls(relation: duckdb.DuckDBPyRelation, schema: Schema, declared: Schema) -> Schema:
    """Return `schema`, in which INTEGER may be what DuckDB before 2.0 calls nothing but nulls."""
    integers = {folded(column.name) for column in schema if column.type == "INTEGER"}
    other = {folded(column.name) for column in declared if column.type.upper() != "INTEGER"}
    in_doubt = [column for column in schema if folded(column.name) in integers & other]
    if not in_doubt:
        return schema
    counts = ", ".join(f"count({quoted(column.name)})" for column in in_doubt)
    (row,) = relation.aggregate(counts).fetchall()
    nulls = {column.name for column, count in zip(in_doubt, row, strict=True) if count == 0}
    return tuple(
        column._replace(type=NULLS) if column.name in nulls else column for column in schema
    )


def _check_names(names: Iterable[object], found: str) -> None:
    """Refuse what has no columns, or columns that no query could tell apart."""
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str) or not name:
            raise AssetReturnedWrongThing(found, f"A column is named {name!r}, which is no name.")
        if folded(name) in seen:
            raise AssetReturnedWrongThing(
                found, f"Two columns are named {seen[folded(name)]!r} and {name!r}."
            )
        seen[folded(name)] = name
    if not seen:
        raise AssetReturnedWrongThing(found, "It has no columns.")


def _named(value: object) -> str:
    """Return what `value` is, with the name of its library in front."""
    kind = type(value)
    package = kind.__module__.split(".", 1)[0].lstrip("_")
    name = kind.__name__ if package == "builtins" else f"{package}.{kind.__name__}"
    return f"{'an' if name[0].lower() in _VOWELS else 'a'} {name}"


def _listed(rows: list[Any]) -> str:
    return f"a list of {len(rows):,} {'row' if len(rows) == 1 else 'rows'}"
