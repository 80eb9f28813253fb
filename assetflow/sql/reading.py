"""From one text to its `Query`: references in their places, file reads, traits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from sqlglot import Dialects, exp, transpile  # noqa: TID253 - loaded to parse only
from sqlglot.errors import SqlglotError  # noqa: TID253 - as above
from sqlglot.tokenizer_core import Token, TokenType  # noqa: TID253 - as above

from assetflow.errors import (
    HiddenInput,
    NotOneQuery,
    SqlDoesNotParse,
    UnknownDialect,
    UnplacedReference,
)
from assetflow.model.names import folded
from assetflow.sql.canonical import canonical_words, split_projections
from assetflow.sql.query import FileRead, Qualifier, Query, TableReference
from assetflow.sql.syntax import (
    TEXTS,
    WORDS,
    Parsed,
    SyntaxProblem,
    names,
    offset_of,
    parsed,
    worded,
)
from assetflow.sql.traits import (
    called_functions,
    closing,
    order_dependence,
    volatile_names,
)

FILE_FUNCTIONS = names("""
    read_csv read_csv_auto sniff_csv read_parquet parquet_scan parquet_metadata
    parquet_schema parquet_file_metadata parquet_full_metadata parquet_kv_metadata
    parquet_bloom_probe read_json read_json_auto read_json_objects read_json_objects_auto
    read_ndjson read_ndjson_auto read_ndjson_objects read_text read_blob read_duckdb
    read_single_csv_file read_single_json_file read_single_parquet_file
""")
HIDDEN_FUNCTIONS = {
    "query": "Write the query itself: what it reads is then an input.",
    "query_table": "Name the table in FROM: it is then an input.",
    "histogram_values": "Name the table in FROM, and count its values there.",
    "json_execute_serialized_sql": "Write the query itself: what it reads is then an input.",
    "getvariable": "Use a parameter, $name, or a project variable: it is then part of the key.",
    "getenv": "Use a project variable: it is then part of the key.",
}
_FILE_LIKE = re.compile(
    r".*(\.(csv|tsv|txt|json|jsonl|ndjson|parquet)(\.(gz|zst))?|[*?].*)$", re.IGNORECASE
)
_CHANGING = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Command)


def read_query(text: str, dialect: str, first_line: int, place: str) -> Query:
    """Return the query that `text` is; see `query.parse_query`."""
    empty = Query(text, first_line=first_line, place=place)
    if dialect.lower() != "duckdb":
        empty = Query(_transpiled(empty, dialect), first_line=first_line, place=place)
    source = _parsed(empty)
    called = called_functions(source.tokens)
    _refuse_hidden(empty, source, called)
    tables = tuple(_tables(source.tree, frozenset()))
    reads = (*_file_calls(empty, source), *_bare_files(source, tables))
    words = canonical_words(source.text, source.tokens)
    frame, projections = split_projections(words)
    references = tuple(sorted(_references(empty, source, tables), key=lambda one: one.start))
    return Query(
        text=source.text,
        references=references,
        file_reads=tuple(sorted(reads, key=lambda read: read.start)),
        qualifiers=tuple(_qualifiers(source, references)),
        parameters=_parameters(source.tree),
        functions=tuple(sorted(called)),
        volatile=volatile_names(source.tokens, called),
        order_dependent=order_dependence(source.tree, called),
        is_ordered=_root(source.tree).args.get("order") is not None,
        has_dynamic_columns=any(map(_is_dynamic, source.tree.find_all(exp.Pivot))),
        canonical=" ".join(words),
        frame=frame,
        projections=projections,
        first_line=first_line,
        place=place,
    )


def _parsed(query: Query) -> Parsed:
    try:
        source = parsed(query.text)
    except SyntaxProblem as problem:
        place = query.place_of(problem.offset)
        if problem.statement:
            raise NotOneQuery(place, problem.statement) from None
        line, offset = query.line_at(problem.offset)
        raise SqlDoesNotParse(place, problem.says, line, offset) from None
    if changing := source.tree.find(*_CHANGING):
        raise NotOneQuery(query.place_of(0), changing.key)
    return source


def _is_dynamic(pivot: exp.Pivot) -> bool:
    """Whether values, and not the query's text, name the columns of `pivot`: ON without IN."""
    if pivot.args.get("unpivot") or pivot.args.get("fields"):
        return False
    return any(not isinstance(on.unalias(), exp.In) for on in pivot.expressions)


def _transpiled(query: Query, dialect: str) -> str:
    """Return the query in DuckDB's dialect; the place is that of the user's text."""
    known = {str(name.value) for name in Dialects if name.value}
    if dialect.lower() not in known:
        raise UnknownDialect(query.place_of(0), dialect, known)
    try:
        statements = transpile(query.text, read=dialect.lower(), write="duckdb", pretty=True)
    except SqlglotError as error:
        details = getattr(error, "errors", None) or [{}]
        says = worded(details[0].get("description") or str(error))
        line = details[0].get("line") or 1
        lines = query.text.split("\n")
        offset = sum(len(text) + 1 for text in lines[: line - 1])
        column = (details[0].get("col") or 1) - len(details[0].get("highlight") or "")
        raise SqlDoesNotParse(query.place_of(offset), says, lines[line - 1], column) from None
    if len(statements) != 1:
        raise NotOneQuery(query.place_of(0), f"{len(statements)} statements")
    return statements[0]


def _root(tree: exp.Expr) -> exp.Expr:
    """Return the query inside the parentheses that enclose all of it."""
    while isinstance(tree, exp.Subquery) and not tree.args.get("order"):
        tree = tree.this
    return tree


def _parameters(tree: exp.Expr) -> tuple[str, ...]:
    names = {node.name or "?" for node in tree.find_all(exp.Placeholder)}
    names |= {node.name for node in tree.find_all(exp.Parameter)}
    return tuple(sorted(names))


def _refuse_hidden(query: Query, source: Parsed, called: Mapping[str, int]) -> None:
    for name in called.keys() & HIDDEN_FUNCTIONS.keys():
        raise _hidden(query, called[name], f"{name}()", HIDDEN_FUNCTIONS[name])
    if "histogram" in called:
        for table in source.tree.find_all(exp.Table):
            if isinstance(table.this, exp.Func) and table.this.name.lower() == "histogram":
                instead = HIDDEN_FUNCTIONS["histogram_values"]
                raise _hidden(query, called["histogram"], "histogram()", instead)


def _hidden(query: Query, offset: int, call: str, instead: str) -> HiddenInput:
    line, column = query.line_at(offset)
    return HiddenInput(query.place_of(offset), call, line, column, instead)


def _tables(node: exp.Expr, ctes: frozenset[str]) -> Iterator[exp.Table]:
    """Yield the tables below `node` that are no CTE, as the scopes of WITH have it."""
    with_ = node.args.get("with_")
    if with_ is not None:
        for cte in with_.expressions:
            name = folded(cte.alias)
            is_loop = with_.args.get("recursive") and isinstance(cte.this, exp.SetOperation)
            yield from _tables(cte.this, ctes | {name} if is_loop else ctes)
            ctes |= {name}
    elif isinstance(node, exp.Table) and _is_named(node, ctes):
        yield node
    for child in node.iter_expressions():
        if child is not with_:
            yield from _tables(child, ctes)


def _is_named(table: exp.Table, ctes: frozenset[str]) -> bool:
    """Whether a table is one by name, and that of no CTE."""
    if not isinstance(table.this, (exp.Identifier, exp.Dot)):
        return False
    return bool(table.args.get("db")) or folded(table.name) not in ctes


def _references(
    query: Query, source: Parsed, tables: Sequence[exp.Table]
) -> Iterator[TableReference]:
    """Yield each table in its place; raise where the place is not sure."""
    at = {token.start: index for index, token in enumerate(source.tokens)}
    for table in tables:
        if _is_file(source, table):
            continue
        parts = table.parts
        name = ".".join(part.name for part in parts)
        indexes = [at.get(offset_of(part), -1) for part in parts]
        if -1 in indexes or not _are_joined(source, indexes, [part.name for part in parts]):
            raise UnplacedReference(query.place_of(0), name)
        first, last = source.tokens[indexes[0]], source.tokens[indexes[-1]]
        before = source.tokens[indexes[0] - 1] if indexes[0] else None
        is_command = before is not None and before.token_type is TokenType.TABLE
        start = before.start if before is not None and is_command else first.start
        alias = _written_alias(source, table)
        yield TableReference(name, start, last.end + 1, alias, is_command)


def _are_joined(source: Parsed, indexes: Sequence[int], names: Sequence[str]) -> bool:
    """Whether the tokens at `indexes` are `names` with nothing but a dot between each."""
    spelled = [source.tokens[index].text for index in indexes]
    dots = [source.tokens[index - 1].token_type is TokenType.DOT for index in indexes[1:]]
    steps = [after - before for before, after in pairwise(indexes)]
    return spelled == list(names) and all(dots) and all(step == 2 for step in steps)  # noqa: PLR2004 - a name and a dot


def _written_alias(source: Parsed, table: exp.Table) -> str:
    alias = table.args.get("alias")
    if alias is None or alias.this is None:
        return ""
    start = offset_of(alias.this)
    end = alias.this.meta.get("end", start)
    return source.text[start : end + 1] if start >= 0 else alias.name


def _is_file(source: Parsed, table: exp.Table) -> bool:
    """Whether a table is files: a text in FROM, or a quoted name that looks like a path."""
    if not isinstance(table.this, exp.Identifier) or table.args.get("db"):
        return False
    start = offset_of(table.this)
    return source.text[start : start + 1] == "'" or bool(
        table.this.quoted and _FILE_LIKE.match(table.name)
    )


def _bare_files(source: Parsed, tables: Sequence[exp.Table]) -> Iterator[FileRead]:
    for table in tables:
        if _is_file(source, table):
            start, end = offset_of(table.this), table.this.meta["end"] + 1
            yield FileRead("", (table.name,), start, end, alias=_written_alias(source, table))


def _file_calls(query: Query, source: Parsed) -> Iterator[FileRead]:
    """Yield the calls that read files; their paths must be plain texts."""
    tokens = source.tokens
    for index, token in enumerate(tokens[:-1]):
        name = token.text.lower()
        if name in FILE_FUNCTIONS and tokens[index + 1].token_type is TokenType.L_PAREN:
            end = closing(tokens, index + 1)
            paths, rest = _paths(tokens[index + 2 : end])
            if not paths:
                instead = "Write its paths as plain texts: they are then watched."
                raise _hidden(query, token.start, f"{name}(…)", instead)
            arguments = source.text[rest.start : tokens[end].start] if rest else ""
            yield FileRead(name, paths, token.start, tokens[end].end + 1, arguments.strip())


def _paths(arguments: Sequence[Token]) -> tuple[tuple[str, ...], Token | None]:
    """Return the paths that arguments begin with, and the token of the argument behind them."""
    end = 0
    if arguments and arguments[0].token_type is TokenType.L_BRACKET:
        end = closing(arguments, 0)
    first = arguments[: end + 1]
    following = arguments[end + 1 :]
    if following and following[0].token_type is not TokenType.COMMA:
        return (), None
    items = first[1:-1:2] if end else first
    commas = first[2:-1:2] if end else ()
    plain = all(item.token_type in TEXTS for item in items)
    parted = all(comma.token_type is TokenType.COMMA for comma in commas)
    paths = tuple(item.text for item in items) if plain and parted else ()
    return paths, following[1] if len(following) > 1 else None


def _qualifiers(source: Parsed, references: Sequence[TableReference]) -> Iterator[Qualifier]:
    """Yield where columns are qualified by the dotted name of a table without an alias."""
    dotted = {
        tuple(folded(part) for part in reference.name.split(".")): reference.name
        for reference in references
        if "." in reference.name and not reference.alias
    }
    tokens = source.tokens
    for parts, name in dotted.items():
        width = 2 * len(parts)
        for index in range(len(tokens) - width):
            if _qualifies(tokens, index, parts):
                yield Qualifier(name, tokens[index].start, tokens[index + width - 2].end + 1)


def _qualifies(tokens: Sequence[Token], index: int, parts: Sequence[str]) -> bool:
    """Whether the tokens from `index` on are `parts`, each with a dot behind it."""
    if index and tokens[index - 1].token_type is TokenType.DOT:
        return False
    for number, part in enumerate(parts):
        word, dot = tokens[index + 2 * number], tokens[index + 2 * number + 1]
        if word.token_type not in WORDS and not word.text.isidentifier():
            return False
        if folded(word.text) != part or dot.token_type is not TokenType.DOT:
            return False
    return True
