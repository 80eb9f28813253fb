"""How the files of a source are read: with one schema, declared or sniffed once."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.errors import SourceDeparts, SourceUnreadable, UnknownReadOption
from assetflow.model.asset import Source
from assetflow.model.columns import Column, Schema
from assetflow.model.names import folded
from assetflow.sql.query import quoted
from assetflow.warehouse.quoting import quoted_paths, quoted_text

if TYPE_CHECKING:
    from _csv import Reader as _CsvReader

    from duckdb import DuckDBPyConnection

_CSV_OPTIONS = frozenset(
    [
        "allow_quoted_nulls",
        "comment",
        "compression",
        "dateformat",
        "decimal_separator",
        "delim",
        "encoding",
        "escape",
        "header",
        "ignore_errors",
        "max_line_size",
        "new_line",
        "null_padding",
        "nullstr",
        "parallel",
        "quote",
        "sample_size",
        "sep",
        "skip",
        "strict_mode",
        "thousands",
        "timestampformat",
    ]
)
_JSON_OPTIONS = frozenset(
    [
        "compression",
        "dateformat",
        "format",
        "ignore_errors",
        "maximum_depth",
        "maximum_object_size",
        "records",
        "sample_size",
        "timestampformat",
    ]
)
_PARQUET_OPTIONS = frozenset({"binary_as_string"})
_OPTIONS = {"csv": _CSV_OPTIONS, "json": _JSON_OPTIONS, "parquet": _PARQUET_OPTIONS}
_READERS = {"csv": "read_csv", "json": "read_json", "parquet": "read_parquet"}

_EMPTY = "It is empty."
_NOT_SNIFFED = "Error when sniffing file"
_DELIMITERS = (",", ";", "\t", "|")
_UNNAMED = re.compile(r"column\d+")
_OF_NOTHING = frozenset({"column0", "json"})
"""What DuckDB names the one column of a file without data."""


def source_schema(connection: DuckDBPyConnection, source: Source, paths: Sequence[Path]) -> Schema:
    """Return the columns of `source`: those it declares, else what is found in its files.

    All rows are looked at, so that a rare value decides too; keep what is returned, and
    read with it from then on. Raises SourceUnreadable, UnknownReadOption.
    """
    if source.columns is not None:
        return source.columns
    options = dict(_options(source))
    if source.format != "parquet":
        options.setdefault("sample_size", "-1")
    with source_errors(paths):
        found = connection.execute(f"describe from {_reader(source, paths, options)}").fetchall()
    schema = tuple(Column(name, type_) for name, type_, *_ in found)
    _check_sniffed(source, paths, schema)
    return schema


def source_scan(
    source: Source, paths: Sequence[Path], schema: Schema, file_column: str = ""
) -> str:
    """Return the SQL that reads `paths` with exactly the columns of `schema`.

    With a `file_column`, one more has the path of each row's file; then no column may be
    named `filename`. The SQL stands behind `from`. Raises UnknownReadOption.
    """
    options = dict(_options(source))
    file = f", filename as {quoted(file_column)}" if file_column else ""
    if source.format == "parquet":
        if source.columns is not None and len(paths) > 1:
            # Else values of all files would be cast to the types of the first.
            options["union_by_name"] = "true"
        reader = _reader(source, paths, options)
        return f"(select {_projection(source, schema)}{file} from {reader})"
    pairs = (f"{quoted_text(column.name)}: {quoted_text(column.type)}" for column in schema)
    options["columns"] = f"{{{', '.join(pairs)}}}"
    if source.format == "csv":
        options.setdefault("header", str(not _is_headless(schema)).lower())
    reader = _reader(source, paths, options)
    return f"(select *{file} from {reader})" if file else reader


def check_source_files(
    connection: DuckDBPyConnection, source: Source, paths: Sequence[Path], schema: Schema
) -> None:
    """Raise SourceDeparts for the first of `paths` that has other columns than `schema`.

    CSV is compared by its header, JSON by its keys (one that is missing is NULL),
    Parquet by names and, unless the source declares its columns, by types.
    """
    for path in _one_of_each(connection, source, paths):
        if source.format == "csv":
            differences = _csv_differences(source, path, schema)
        else:
            differences = _described_differences(connection, source, path, schema)
        if differences:
            raise SourceDeparts(str(path), differences)


@contextmanager
def source_errors(paths: Sequence[Path]) -> Iterator[None]:
    """Turn what DuckDB says about unreadable `paths` into SourceUnreadable."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        message = str(error)
        path = next((str(path) for path in paths if str(path) in message), None)
        if path is None:
            raise
        reason = _uneven_row(Path(path)) if _NOT_SNIFFED in message else ""
        raise SourceUnreadable(path, reason or _reason(message)) from error


def _reason(message: str) -> str:
    """Return the line and the cause from one of DuckDB's messages, without its advice."""
    text = message.split(": ", 1)[-1]
    line = re.search(r"CSV Error on Line: (\d+)", text)
    if line is None:
        return text.split("\n", 1)[0]
    said = text[line.end() :].strip().split("\n")
    causes = [part for part in said if part and not part.startswith("Original Line")]
    original = next((part for part in said if part.startswith("Original Line")), "")
    return f"line {line.group(1)}: {causes[0] if causes else original} {original}".strip()


def _check_sniffed(source: Source, paths: Sequence[Path], schema: Schema) -> None:
    """Refuse files without data, and CSV of which DuckDB left out what does not fit.

    Rows that differ in their number of columns let it take the most frequent number, pass
    over the header, or read each line as one column: rows would be lost without a word.
    """
    if len(schema) == 1 and schema[0].name in _OF_NOTHING and all(map(_is_empty, paths)):
        raise SourceUnreadable(str(paths[0]), _EMPTY)
    if source.format != "csv" or source.read_options:
        return
    header = _first_line(paths[0], {}) or ""
    fields = header.split(_delimiter(header))
    is_passed_over = _is_headless(schema) and len(schema) != len(fields)
    is_whole = [column.name for column in schema] == [header.strip()]
    is_a_header = len(fields) > 1 and not any(field[:1].isspace() for field in fields)
    if is_a_header and (is_passed_over or is_whole) and (reason := _uneven_row(paths[0])):
        raise SourceUnreadable(str(paths[0]), reason)


def _is_empty(path: Path) -> bool:
    """Whether a file holds nothing but blank lines."""
    with _opened(path) as stream:
        return not any(line.strip() for line in stream)


def _uneven_row(path: Path) -> str:
    """Return which row of a CSV file has other columns than its first line, or has no end."""
    try:
        with _opened(path) as binary:
            stream = TextIOWrapper(binary, "utf-8-sig", "replace", newline="")
            mark = _delimiter(stream.readline())
            stream.seek(0)
            return _uneven_of(csv.reader(stream, delimiter=mark, strict=True))
    except (OSError, EOFError):
        return ""


def _uneven_of(rows: _CsvReader) -> str:
    begun, width = 1, 0
    try:
        for row in rows:
            width = width or len(row)
            if row and len(row) != width:
                columns = "column" if len(row) == 1 else "columns"
                found = f"{len(row)} {columns}, the first line {width}"
                return f"line {rows.line_num}: It has {found}."
            begun = rows.line_num + 1
    except csv.Error:
        return f"line {begun}: A quote is not closed."
    return ""


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _opened(path: Path) -> gzip.GzipFile | BufferedReader:
    """Open a file; what is compressed with gzip is read as its text."""
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")


def _options(source: Source) -> Iterator[tuple[str, str]]:
    """Yield the options of DuckDB's reader, those that are declared, and what they rest on.

    How values are quoted is not left to DuckDB, which would take it from the first of many
    files, and fail on the first quoted value of a later one.
    """
    declared = {name for name, _ in source.read_options}
    if source.format == "csv" and not declared & {"quote", "escape"}:
        yield from (("quote", "'\"'"), ("escape", "'\"'"))
    known = _OPTIONS[source.format or "csv"]
    for name, literal in source.read_options:
        if name not in known:
            raise UnknownReadOption(source.name, name, known)
        yield name, literal


def _reader(source: Source, paths: Sequence[Path], options: dict[str, str]) -> str:
    # Else a folder named `a=b` above the files would be a column.
    options = {"hive_partitioning": "false", **options}
    arguments = [quoted_paths(paths), *(f"{name}={value}" for name, value in options.items())]
    return f"{_READERS[source.format or 'csv']}({', '.join(arguments)})"


def _projection(source: Source, schema: Schema) -> str:
    """Return the columns of Parquet files; declared types are cast to."""
    if source.columns is None:
        return ", ".join(quoted(column.name) for column in schema)
    return ", ".join(
        f"{quoted(column.name)}::{column.type} as {quoted(column.name)}" for column in schema
    )


def _is_headless(schema: Schema) -> bool:
    """Whether DuckDB named the columns, since it found no header."""
    return all(_UNNAMED.fullmatch(column.name) for column in schema)


_SAID = (
    *("name", "type", "type_length", "repetition_type", "num_children"),
    *("converted_type", "scale", "precision", "field_id", "logical_type"),
)
"""What a Parquet file says of each of its columns."""

_MAY_BE_GEOMETRY = "bool_or(type = 'BYTE_ARRAY' and converted_type is null)"
"""Whether more than that decides the type of a column of a Parquet file."""


def _one_of_each(
    connection: DuckDBPyConnection, source: Source, paths: Sequence[Path]
) -> Sequence[Path]:
    """Return the first of all Parquet files that say the same of their columns; all others.

    To describe each of many files takes several times as long.
    """
    import duckdb

    if source.format != "parquet" or len(paths) < 3:  # noqa: PLR2004 - one query more is no gain
        return paths
    says = f"sha256(to_json(list({{{', '.join(f'{name}: {name}' for name in _SAID)}}}))::varchar)"
    query = (
        f"select file_name, {says}, {_MAY_BE_GEOMETRY} "
        f"from parquet_schema({quoted_paths(paths)}) group by file_name"
    )
    try:
        found = connection.execute(query).fetchall()
    except duckdb.Error:
        return paths
    kind_of = {name: (text, name if is_open else "") for name, text, is_open in found}
    kinds: dict[object, Path] = {}
    for path in paths:
        kinds.setdefault(kind_of.get(str(path), path), path)
    return list(kinds.values())


def _described_differences(
    connection: DuckDBPyConnection, source: Source, path: Path, schema: Schema
) -> dict[str, str]:
    reader = _reader(source, [path], dict(_options(source)))
    with source_errors([path]):
        found = connection.execute(f"describe from {reader}").fetchall()
    expected = {folded(column.name): column for column in schema}
    actual = {folded(name): (name, type_) for name, type_, *_ in found}
    differences = {
        name: f"{type_}, not in the source"
        for key, (name, type_) in actual.items()
        if key not in expected
    }
    if source.format == "parquet":
        differences |= {
            column.name: _difference(column, actual.get(key))
            for key, column in expected.items()
            if key not in actual or (source.columns is None and actual[key][1] != column.type)
        }
    return differences


def _difference(column: Column, found: tuple[str, str] | None) -> str:
    return "missing" if found is None else f"{found[1]}, in the source {column.type}"


def _csv_differences(source: Source, path: Path, schema: Schema) -> dict[str, str]:
    """Compare the header of a CSV file; names that DuckDB had to make up count as equal."""
    options = dict(_options(source))
    if options.get("header") == "false" or (
        "header" not in options and source.columns is None and _is_headless(schema)
    ):
        return {}
    line = _first_line(path, options)
    if line is None:
        return {}
    if not line and _is_empty(path):
        raise SourceUnreadable(str(path), _EMPTY)
    expected = [column.name for column in schema]
    said = options.get("delim", options.get("sep"))
    delimiters = _DELIMITERS if said is None else (said[1:-1],)
    headers = [next(csv.reader([line], delimiter=mark), []) for mark in delimiters]
    if any(_same_names(header, expected) for header in headers):
        return {}
    header = max(headers, key=len)
    return _header_differences(header, expected)


def _same_names(header: Sequence[str], expected: Sequence[str]) -> bool:
    seen: set[str] = set()
    for name, other in zip(header, expected, strict=False):
        key = folded(name.strip())
        if key and key not in seen and key != folded(other.strip()):
            return False
        seen.add(key)
    return len(header) == len(expected)


def _header_differences(header: Sequence[str], expected: Sequence[str]) -> dict[str, str]:
    found = {folded(name.strip()) for name in header}
    known = {folded(name.strip()) for name in expected}
    differences = {name: "missing" for name in expected if folded(name.strip()) not in found}
    differences |= {
        name: "not in the source" for name in header if folded(name.strip()) not in known
    }
    return differences or {"order": ", ".join(header), "in the source": ", ".join(expected)}


def _first_line(path: Path, options: dict[str, str]) -> str | None:
    """Return the header of a CSV file; None where it is compressed or encoded otherwise."""
    if path.suffix.lower() == ".zst" or {"encoding", "compression", "comment"} & options.keys():
        return None
    try:
        with _opened(path) as stream:
            for _ in range(int(options.get("skip", "0"))):
                stream.readline()
            return stream.readline().decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise SourceUnreadable(str(path), "It is not UTF-8; say its `encoding`.") from None
    except (OSError, EOFError) as error:
        raise SourceUnreadable(str(path), str(error)) from error
