"""What a query's text says by itself: references, file reads, traits; and its rewriting.

Nothing here knows a schema; `lineage` does. sqlglot is imported only when a text is parsed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import NamedTuple

from assetflow.model.names import folded

CANONICALIZER = f"tokens-1/sqlglot-{version('sqlglot')}"
"""The id of the rules that make `Query.canonical`; other rules give other canonical forms."""


@dataclass(frozen=True, slots=True)
class TableReference:
    """One table that a query reads, `name` without quotes, at `text[start:end]`.

    `alias` is as the user wrote it, "" for none. `is_command` marks `TABLE name`, where
    the span includes the keyword.
    """

    name: str
    start: int
    end: int
    alias: str = ""
    is_command: bool = False


@dataclass(frozen=True, slots=True)
class FileRead:
    """Files that a query reads itself, at `text[start:end]`.

    `function` is "" for a bare `'x.parquet'`; `arguments` are what follows the paths.
    """

    function: str
    paths: tuple[str, ...]
    start: int
    end: int
    arguments: str = ""
    alias: str = ""

    @property
    def name(self) -> str:
        """Return the name under which the files are an input: their paths."""
        return ", ".join(self.paths)


@dataclass(frozen=True, slots=True)
class Qualifier:
    """A dotted table name in front of a column, at `text[start:end]`, that an alias replaces."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Query:
    """One query, parsed. `text` is what runs: the user's own, or the transpiled one.

    `functions` are the names called, in lower case; `volatile` and `order_dependent`
    say in the user's words why the same inputs can give another result. A query
    `has_dynamic_columns` if what is in its inputs decides which columns it gives.
    `frame` and `projections` are the canonical form, parted at its select list.
    """

    text: str
    references: tuple[TableReference, ...] = ()
    file_reads: tuple[FileRead, ...] = ()
    qualifiers: tuple[Qualifier, ...] = ()
    parameters: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()
    order_dependent: tuple[str, ...] = ()
    is_ordered: bool = False
    has_dynamic_columns: bool = False
    canonical: str = ""
    frame: str = ""
    projections: tuple[str, ...] = ()
    first_line: int = 1
    place: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the name of each table that is read, once, as first written."""
        names = {folded(reference.name): reference.name for reference in reversed(self.references)}
        return tuple(sorted(names.values()))

    def place_of(self, offset: int) -> str:
        """Return `path:line` of an offset into the text."""
        line = self.first_line + self.text.count("\n", 0, max(offset, 0))
        return f"{self.place}:{line}" if self.place else f"line {line}"

    def line_at(self, offset: int) -> tuple[str, int]:
        """Return the line of text that holds `offset`, and where in it."""
        start = self.text.rfind("\n", 0, offset) + 1
        return self.text[start:].split("\n", 1)[0], offset - start


class Edit(NamedTuple):
    """`text[start:end]` becomes `replacement`."""

    start: int
    end: int
    replacement: str


def parse_query(
    text: str, dialect: str = "duckdb", *, first_line: int = 1, place: str = ""
) -> Query:
    """Parse `text`, one query, and say what it reads and does.

    Raises SqlDoesNotParse, NotOneQuery, HiddenInput, UnknownDialect. A query in another
    dialect than DuckDB's is transpiled, and positions are those in the new text.
    """
    from assetflow.sql.reading import read_query

    return read_query(text, dialect, first_line, place)


def rewrite(
    query: Query, replacements: Mapping[str, str], files: Mapping[str, str] | None = None
) -> str:
    """Return the text with each reference replaced by the SQL that `replacements` has for it.

    Names are compared without case; a reference without a replacement stays. Where the
    user wrote no alias, the table's own name becomes one, so that `orders.amount` still
    resolves. `files` replaces file reads, by their name. All else stays byte for byte.
    """
    return applied(query.text, edits(query, replacements, files or {}))


def applied(text: str, changes: Sequence[Edit]) -> str:
    """Return `text` after `changes`, which are sorted and do not overlap."""
    parts = []
    position = 0
    for start, end, replacement in changes:
        parts += [text[position:start], replacement]
        position = end
    return "".join([*parts, text[position:]])


def original_offset(changes: Sequence[Edit], offset: int) -> int:
    """Return where in the text before `changes` the `offset` after them lies."""
    shift = 0
    for start, end, replacement in changes:
        begin = start + shift
        if offset < begin:
            break
        if offset < begin + len(replacement):
            return start
        shift += len(replacement) - (end - start)
    return offset - shift


def edits(
    query: Query, replacements: Mapping[str, str], files: Mapping[str, str]
) -> tuple[Edit, ...]:
    """Return the changes that replace what `query` reads, in the order of the text."""
    tables = {folded(name): sql for name, sql in replacements.items()}
    sources = {folded(name): sql for name, sql in files.items()}
    aliases = _aliases(query.references)
    changes = [
        _table_edit(reference, tables[folded(reference.name)], aliases)
        for reference in query.references
        if folded(reference.name) in tables
    ]
    changes += [
        Edit(qualifier.start, qualifier.end, quoted(aliases[folded(qualifier.name)]))
        for qualifier in query.qualifiers
        if folded(qualifier.name) in tables
    ]
    changes += [
        _file_edit(read, sources[folded(read.name)])
        for read in query.file_reads
        if folded(read.name) in sources
    ]
    return tuple(sorted(changes))


def quoted(name: str) -> str:
    """Return `name` as a quoted identifier.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def _aliases(references: Sequence[TableReference]) -> dict[str, str]:
    """Return the alias for each table without one: its last word, or all where that is taken."""
    bare = {folded(reference.name): reference.name for reference in references}
    last = {name: spelled.rpartition(".")[2] for name, spelled in bare.items()}
    taken = Counter(map(folded, last.values()))
    return {name: bare[name] if taken[folded(word)] > 1 else word for name, word in last.items()}


def _table_edit(reference: TableReference, sql: str, aliases: Mapping[str, str]) -> Edit:
    alias = "" if reference.alias else f" as {quoted(aliases[folded(reference.name)])}"
    replacement = f"from {sql}{alias}" if reference.is_command else sql + alias
    return Edit(reference.start, reference.end, replacement)


def _file_edit(read: FileRead, sql: str) -> Edit:
    return Edit(read.start, read.end, sql)
