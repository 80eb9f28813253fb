"""Output schemas, from DuckDB itself: queries are bound over typed tables without rows."""

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from assetflow.errors import (
    AssetflowError,
    BadMacro,
    DuplicateColumn,
    MissingColumn,
    QueryDoesNotBind,
    UnnamedColumn,
)
from assetflow.model.columns import Column, Schema
from assetflow.model.names import folded
from assetflow.sql.query import (
    Edit,
    FileRead,
    Query,
    TableReference,
    applied,
    edits,
    original_offset,
    quoted,
)
from assetflow.sql.types import stored_schema

if TYPE_CHECKING:
    import duckdb

_MARK = "assetflow input"
_DESCRIBE = "describe "
_NOT_IN_TABLE = re.compile(
    r'(?:Table|Values list) "(?P<owner>.*?)" does not have a column named "(?P<column>.*?)"'
)
_NOT_IN_JOIN = re.compile(r'Column "(?P<column>.*?)" does not exist on (?:left|right) side')
_NOT_IN_LIST = re.compile(r'Column "(?P<column>.*?)" in (?:EXCLUDE|REPLACE|RENAME) list not found')
_BEFORE_ITS_ALIAS = re.compile(
    r'Column "(?P<column>.*?)" referenced that exists in the SELECT clause', re.DOTALL
)
_CANDIDATES = re.compile(r'"([^"]+)"')
_SETTINGS = {
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": "1",
}


@dataclass(frozen=True, slots=True)
class OfType:
    """A parameter of which only the type is known."""

    type: str


class Binder:
    """An in-memory DuckDB that binds queries and runs none.

    `macros` are CREATE MACRO statements by name, `settings` are set on the connection. Files
    cannot be read here: their schemas are given. It may be shared between threads.
    """

    def __init__(
        self,
        macros: Mapping[str, str] | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        import duckdb

        self._connection = duckdb.connect(config=dict(_SETTINGS))
        self._lock = threading.Lock()
        self._views: dict[Schema, str] = {}
        for name, value in (settings or {}).items():
            self._connection.execute(f"set {name} = {_literal(value)}")
        for name, statement in (macros or {}).items():
            _create_macro(self._connection, name, statement)
        self._connection.execute("set enable_external_access = false")
        self._connection.execute("set errors_as_json = true")

    def describe(
        self,
        query: Query,
        inputs: Mapping[str, Schema],
        parameters: Mapping[str, object] | None = None,
        files: Mapping[str, Schema] | None = None,
    ) -> Schema:
        """Return the columns that `query` gives over `inputs`, as they will be stored.

        `parameters` are values, or an OfType; `files` are the schemas of file reads, by
        their name. Raises MissingColumn, QueryDoesNotBind, DuplicateColumn, UnnamedColumn
        and TypeNotStored.
        """
        schema = self.describe_unstored(query, inputs, parameters, files)
        return stored_schema(schema)

    def describe_unstored(
        self,
        query: Query,
        inputs: Mapping[str, Schema],
        parameters: Mapping[str, object] | None = None,
        files: Mapping[str, Schema] | None = None,
    ) -> Schema:
        """Return the columns that `query` gives, with the types that it computes them in."""
        import duckdb

        with self._lock:
            changes = self._changes(query, inputs, files or {})
            values = _values(query, parameters or {})
            text = _DESCRIBE + applied(query.text, changes)
            try:
                rows = self._connection.execute(text, values or None).fetchall()
            except duckdb.Error as error:
                raise _bind_error(query, inputs, changes, text, str(error)) from None
        schema = tuple(Column(row[0], row[1]) for row in rows)
        _check_names(query, schema)
        return schema

    def pattern_problem(self, pattern: str) -> str:
        """Return why `pattern` is no regular expression, "" if it is one."""
        import duckdb

        text = f"select regexp_matches('', {_literal(pattern)})"
        with self._lock:
            try:
                self._connection.execute(text).fetchall()
            except duckdb.Error as error:
                return _details(str(error)).get("exception_message", str(error))
        return ""

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _changes(
        self, query: Query, inputs: Mapping[str, Schema], files: Mapping[str, Schema]
    ) -> tuple[Edit, ...]:
        tables = {name: self._view(schema) for name, schema in inputs.items()}
        sources = {name: self._view(schema) for name, schema in files.items()}
        return edits(query, tables, sources)

    def _view(self, schema: Schema) -> str:
        """Return the name of a view of `schema` without rows: no view has pseudo-columns."""
        name = self._views.get(schema)
        if name is None:
            name = quoted(f"{_MARK} {len(self._views)}")
            columns = ", ".join(
                f"null::{type_} as {quoted(column)}" for column, type_, *_ in schema
            )
            self._connection.execute(f"create view {name} as select {columns} where false")
            self._views[schema] = name
        return name


def sample_value(type_: str) -> object:
    """Return some value of a DuckDB type, to bind a parameter of which only that is known."""
    samples: dict[str, object] = {
        "BOOLEAN": True,
        "INTEGER": 1,
        "BIGINT": 1 << 40,
        "DOUBLE": 1.5,
        "DATE": date(2000, 1, 1),
        "TIMESTAMP": datetime(2000, 1, 1),  # noqa: DTZ001 - DuckDB's TIMESTAMP has no zone
        "TIMESTAMP WITH TIME ZONE": datetime(2000, 1, 1, tzinfo=UTC),
    }
    return samples.get(type_.upper(), "a")


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _values(query: Query, parameters: Mapping[str, object]) -> dict[str, object]:
    """Return what to bind: only what the query uses."""
    return {
        name: sample_value(value.type) if isinstance(value, OfType) else value
        for name, value in parameters.items()
        if name in query.parameters
    }


def _create_macro(connection: "duckdb.DuckDBPyConnection", name: str, statement: str) -> None:
    import duckdb

    try:
        connection.execute(statement)
    except duckdb.Error as error:
        raise BadMacro(name, str(error).splitlines()[0]) from None


def _check_names(query: Query, schema: Schema) -> None:
    """Refuse names that are not unique, or made of the text of a subquery over an input."""
    positions: dict[str, list[int]] = {}
    for position, column in enumerate(schema, start=1):
        if _MARK in column.name:
            raise UnnamedColumn(query.place_of(0), position, query.inputs)
        positions.setdefault(folded(column.name), []).append(position)
    for found in positions.values():
        if len(found) > 1:
            raise DuplicateColumn(query.place_of(0), schema[found[0] - 1].name, found)


def _bind_error(
    query: Query,
    inputs: Mapping[str, Schema],
    changes: Sequence[Edit],
    text: str,
    message: str,
) -> AssetflowError:
    """Return DuckDB's complaint as ours, with the place in the user's own text."""
    details = _details(message)
    says = details.get("exception_message", message)
    place, line, column_offset = query.place_of(0), "", -1
    offset = _offset(query, changes, text, details, says)
    if offset is not None:
        place = query.place_of(offset)
        line, column_offset = query.line_at(offset)
    missing = _missing(details, says)
    if missing is None:
        return QueryDoesNotBind(place, _without_marks(says, query), line, column_offset)
    column, alias = missing
    owner, columns = _owner(query, inputs, alias, column)
    known = columns or tuple(_CANDIDATES.findall(says.partition("Candidate bindings")[2]))
    return MissingColumn(place, column, owner, known, line, column_offset)


def _details(message: str) -> dict[str, str]:
    start = message.find("{")
    try:
        found = json.loads(message[start:]) if start >= 0 else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _offset(
    query: Query, changes: Sequence[Edit], text: str, details: Mapping[str, str], says: str
) -> int | None:
    """Return where in the user's text the complaint is, None where that is not known."""
    if "position" in details:
        before = text.encode()[: int(details["position"])].decode(errors="ignore")
        return original_offset(changes, max(len(before) - len(_DESCRIBE), 0))
    if match := _BEFORE_ITS_ALIAS.search(says):
        return _first_use(query, match["column"])
    return None


def _first_use(query: Query, column: str) -> int | None:
    """Return where a column is named first, neither behind a dot nor as an alias."""
    from assetflow.sql.syntax import parsed

    before = ""
    for token in parsed(query.text).tokens:
        if folded(token.text) == folded(column) and before not in {".", "as"}:
            return token.start
        before = token.text.lower()
    return None


def _missing(details: Mapping[str, str], says: str) -> tuple[str, str] | None:
    """Return the column that was not found, and the alias it was looked for in, "" for any."""
    if details.get("error_subtype") == "COLUMN_NOT_FOUND":
        return details.get("name", ""), ""
    for pattern in (_NOT_IN_TABLE, _NOT_IN_JOIN, _NOT_IN_LIST, _BEFORE_ITS_ALIAS):
        if match := pattern.search(says):
            return match["column"], match.groupdict().get("owner") or ""
    return None


def _owner(
    query: Query, inputs: Mapping[str, Schema], alias: str, missing: str
) -> tuple[str, tuple[str, ...]]:
    """Return the input that lacks a column, "" for several, and the columns to choose from."""
    schemas = {folded(name): schema for name, schema in inputs.items()}
    lacking = {
        name
        for name, schema in schemas.items()
        if folded(missing) not in {folded(column.name) for column in schema}
    }
    read: list[TableReference | FileRead] = [*query.references, *query.file_reads]
    named = [one for one in read if not alias or folded(_alias_of(one)) == folded(alias)]
    names = {folded(one.name): one.name for one in named if folded(one.name) in lacking}
    columns = tuple(
        dict.fromkeys(column.name for name in names for column in schemas.get(name, ()))
    )
    if alias and not names:
        return alias, ()
    return (next(iter(names.values())) if len(names) == 1 else ""), columns


def _alias_of(read: TableReference | FileRead) -> str:
    return read.alias.strip('"') or read.name.rpartition(".")[2]


def _without_marks(says: str, query: Query) -> str:
    """Return DuckDB's first sentences, without the names of our views."""
    *earlier, last = [*_lines(says)] or [""]
    kept = "; ".join([*(line.rstrip("!.") for line in earlier), last])
    return re.sub(rf'"?{_MARK} \d+"?', "the input", kept) if query.references else kept


def _lines(says: str) -> Iterator[str]:
    for line in says.splitlines():
        if line.strip().startswith(("LINE ", "Candidate")):
            return
        if line.strip():
            yield line.strip()
