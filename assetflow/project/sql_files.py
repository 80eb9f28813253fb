"""SQL files of a project: assets with their headers, checks, and macros."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from assetflow.errors import (
    CheckHeaderElsewhere,
    DefinitionError,
    EmptyQuery,
    HeaderNotAlone,
    HeaderNotClosed,
    HeaderNotFirst,
    NotAMacro,
    ProjectErrors,
    UnreadableFile,
)
from assetflow.model.asset import Asset, Options, SqlBody
from assetflow.model.check_options import QueryCheckOptions, read_checks
from assetflow.model.checks import CheckOf, QueryCheck
from assetflow.model.declare import named
from assetflow.model.declared_inputs import Location
from assetflow.model.macros import Macro
from assetflow.model.names import AssetName
from assetflow.model.options import HeaderOptions
from assetflow.model.validation import validate
from assetflow.project.analysis_cache import AnalysisCache
from assetflow.project.plain_options import NotPlain, plain, restored
from assetflow.project.toml_text import decode, line_of, parse_toml

_HEADER = re.compile(r"\s*/\*[ \t]*assetflow[ \t]*\r?\n", re.IGNORECASE)
_CHECK_HEADER = re.compile(r"\s*/\*[ \t]*assetflow[ \t]+check[ \t]*\r?\n", re.IGNORECASE)
_CROWDED_HEADER = re.compile(r"\s*/\*[ \t]*assetflow\b[^\n]*=", re.IGNORECASE)
_HEADER_OF_CHECK = re.compile(r"\s*/\*[ \t]*assetflow(?:[ \t]+check)?[ \t]*\r?\n", re.IGNORECASE)
_LATE_HEADER = re.compile(
    r"^[ \t]*/\*[ \t]*assetflow(?:[ \t]+check)?[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
_CHECKS_KEY = re.compile(r"^\s*(?:\[\[)?checks\b", re.MULTILINE)
_KEY = re.compile(r"\b(\w+)[\"']?\s*=")
_HEADER_END = re.compile(r"^[ \t]*\*/[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
_NO_QUERY = re.compile(r"(?:\s+|;|--[^\n]*|/\*.*?\*/)*\Z", re.DOTALL)
_STARTS_QUERY = re.compile(r"\s*[^\s;/-]")
_TOKEN = re.compile(
    r"\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\""
    r"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|(?P<end>;)",
    re.DOTALL,
)
_COMMENT = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
_MACRO = re.compile(
    r"create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:macro|function)\s+"
    r"(?:if\s+not\s+exists\s+)?(\"(?:[^\"]|\"\")+\"|\w+)\s*\(",
    re.IGNORECASE,
)


def read_sql_asset(path: str, shown_path: str, headers: AnalysisCache | None = None) -> Asset:
    """Return the asset of the SQL file at `path`; errors name it `shown_path`.

    `headers` holds what those said that were read before. ProjectErrors holds all that
    is wrong with its header; other problems are one error.
    """
    return sql_asset(decode(_read(path, shown_path), shown_path), shown_path, headers)


def sql_asset(text: str, shown_path: str, headers: AnalysisCache | None = None) -> Asset:
    """Return the asset that `text`, the whole SQL file, declares."""
    location, stem = Location(shown_path), _stem(shown_path)
    if _CHECK_HEADER.match(text):
        raise CheckHeaderElsewhere(location)
    parts = _parted(text, _HEADER, shown_path)
    if parts is None:
        return _asset(stem, SqlBody(text), location, Options())
    first = Location(shown_path, parts.header_line)
    said = _known_header(parts.header, stem, first, headers)
    body = SqlBody(parts.query, said.dialect, parts.query_line)
    return _asset(said.name, body, location, said.options)


def read_check_file(path: str, shown_path: str) -> CheckOf:
    """Return the check of the SQL file at `path`; errors name it `shown_path`."""
    return sql_check(decode(_read(path, shown_path), shown_path), shown_path)


def sql_check(text: str, shown_path: str) -> CheckOf:
    """Return the check that `text`, the whole SQL file, declares: a query of failing rows."""
    location, stem = Location(shown_path), _stem(shown_path)
    parts = _parted(text, _HEADER_OF_CHECK, shown_path) or _Parted("", 1, text, 1)
    keys = parse_toml(parts.header, "The header of a check", shown_path, parts.header_line)

    def place(keys: Sequence[str]) -> Location:
        return Location(shown_path, parts.header_line + line_of(parts.header, keys) - 1)

    of = f"check {keys.get('name', stem)!r}"
    said, errors = validate(QueryCheckOptions, {"name": stem, **keys}, of, place)
    if said is None:
        raise ProjectErrors(errors)
    _refuse_empty(parts.query, stem, location)
    body = QueryCheck(parts.query, parts.query_line)
    return CheckOf(AssetName(said.asset or ""), replace(said.frozen(location), body=body))


class _Parted(NamedTuple):
    """A SQL file: the text of its header, its query, and the lines where they begin."""

    header: str
    header_line: int
    query: str
    query_line: int


def _parted(text: str, begins: re.Pattern[str], shown_path: str) -> _Parted | None:
    """Return the header and the query of `text`, None where there is no header."""
    header = begins.match(text)
    if header is None:
        _refuse_lost_header(text, 0, shown_path)
        return None
    end = _HEADER_END.search(text, header.end())
    first_line = _line_at(text, header.end())
    if end is None:
        raise HeaderNotClosed(Location(shown_path, first_line - 1))
    _refuse_lost_header(text, end.end(), shown_path)
    said = text[header.end() : end.start()]
    return _Parted(said, first_line, text[end.end() :], _line_at(text, end.end()))


def _stem(shown_path: str) -> str:
    # Some file systems and archives take letters apart: `é` is then an e and an accent.
    return unicodedata.normalize("NFC", shown_path.rpartition("/")[2].rpartition(".")[0])


def read_macros(
    path: str, shown_path: str
) -> tuple[tuple[Macro, ...], tuple[DefinitionError, ...]]:
    """Return the macros that the file at `path` creates, and what is wrong with the rest."""
    return macros_in(decode(_read(path, shown_path), shown_path), shown_path)


def macros_in(text: str, shown_path: str) -> tuple[tuple[Macro, ...], tuple[DefinitionError, ...]]:
    """Return the macros that `text` creates, in its order, and what is wrong with the rest."""
    macros, errors = [], list[DefinitionError]()
    for statement, line in _statements(text):
        location, found = Location(shown_path, line), _MACRO.match(statement)
        if found:
            macros.append(Macro(_unquoted(found[1]), statement, location))
        else:
            errors.append(NotAMacro(statement, location))
    return tuple(macros), tuple(errors)


def _read(path: str, shown_path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - for each of ten thousand files
            return file.read()
    except OSError as error:
        raise UnreadableFile(shown_path, error.strerror or str(error)) from None


def _asset(name: str, body: SqlBody, location: Location, options: Options) -> Asset:
    checked = named(name, "an asset", location)
    _refuse_empty(body.text, name, location)
    return Asset(checked, body, location, (), options)


def _refuse_empty(text: str, name: str, location: Location) -> None:
    if not _STARTS_QUERY.match(text) and _NO_QUERY.match(text):
        raise EmptyQuery(name, location)


class _Said(NamedTuple):
    """What a header says, validated; the asset's name is its own or that of the file."""

    name: str
    dialect: str
    options: Options


def _known_header(text: str, stem: str, first: Location, headers: AnalysisCache | None) -> _Said:
    """Return what a header says; to parse and to validate it is slow where there are thousands."""
    if headers is None:
        return _header(text, stem, first)
    key = f"{first}\n{text}"
    with suppress(NotPlain):
        known = headers.get(key)
        if known is not None:
            return _Said(known["name"], known["dialect"], restored(known["options"]))
    said = _header(text, stem, first)
    with suppress(NotPlain):
        headers.put(key, {**said._asdict(), "options": plain(said.options)})
    return said


def _header(text: str, stem: str, first: Location) -> _Said:
    keys = parse_toml(text, "The header of a SQL file", first.path, first.line)
    said = _header_options(keys, text, stem, first)
    return _Said(said.name or stem, said.dialect, said.frozen())


def _header_options(
    keys: Mapping[str, Any], text: str, stem: str, first: Location
) -> HeaderOptions:
    def place(keys: Sequence[str]) -> Location:
        return Location(first.path, first.line + line_of(text, keys) - 1)

    lines = _lines_of_keys(text)

    def check_place(kind: str, earlier: int) -> Location:
        found = lines.get(kind, [])
        line = found[earlier] if earlier < len(found) else lines.get("checks", [1])[0]
        return Location(first.path, first.line + line - 1)

    of = f"asset {keys.get('name', stem)!r}"
    checks, wrong = read_checks(keys.get("checks", ()), of, check_place)
    found, errors = validate(HeaderOptions, {**keys, "checks": checks}, of, place)
    if found is None or wrong:
        raise ProjectErrors((*errors, *wrong))
    return found


def _lines_of_keys(text: str) -> dict[str, list[int]]:
    """Return the lines of a header where each key of `checks` stands, and of `checks` itself."""
    found: dict[str, list[int]] = {}
    start = _CHECKS_KEY.search(text)
    if start is None:
        return found
    found["checks"] = [_line_at(text, start.end())]
    position, line = start.end(), found["checks"][0]
    for key in _KEY.finditer(text, position):
        line += text.count("\n", position, key.start())
        position = key.start()
        found.setdefault(key[1], []).append(line)
    return found


def _refuse_lost_header(text: str, start: int, shown_path: str) -> None:
    """Refuse a header that would be read as a comment: its options would be lost silently."""
    if "assetflow" not in text[start:].lower():
        return
    if crowded := _CROWDED_HEADER.match(text, start):
        raise HeaderNotAlone(Location(shown_path, _line_at(text, crowded.end())))
    if late := _LATE_HEADER.search(text, start):
        raise HeaderNotFirst(Location(shown_path, _line_at(text, late.start())))


def _line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _statements(text: str) -> Iterator[tuple[str, int]]:
    """Yield each statement of `text` without comments before it, and its line."""
    start = 0
    ends = [found.start() for found in _TOKEN.finditer(text) if found["end"]]
    for end in (*ends, len(text)):
        begin = _COMMENT.match(text, start, end)
        start = begin.end() if begin else start
        statement = text[start:end].strip()
        if statement:
            yield statement, _line_at(text, start)
        start = end + 1


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
