"""From text to tokens and tree, through sqlglot. The one place that calls its parser."""

import re
import threading
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import Dialect, exp  # noqa: TID253 - loaded only when a query is parsed
from sqlglot.errors import ParseError, TokenError  # noqa: TID253 - as above
from sqlglot.tokenizer_core import Token, TokenType  # noqa: TID253 - as above


def names(text: str) -> frozenset[str]:
    """Return the words of `text`, for tables of names.

    >>> sorted(names("a  b"))
    ['a', 'b']
    """
    return frozenset(text.split())


QUERY_STARTS = frozenset(
    {
        TokenType.SELECT,
        TokenType.FROM,
        TokenType.WITH,
        TokenType.VALUES,
        TokenType.PIVOT,
        TokenType.UNPIVOT,
        TokenType.TABLE,
        TokenType.L_PAREN,
    }
)
_MISSING_PART = re.compile(r"Required keyword: '.*?' missing for <class '.*?'>")
_MISSING = "something is missing"
_CLOSING = frozenset(")]}")
_TOKEN = re.compile(r"<Token token_type: .*?, text: (.*?), line: .*?>")
WORDS = frozenset({TokenType.VAR, TokenType.IDENTIFIER})
TEXTS = frozenset({TokenType.STRING, TokenType.HEREDOC_STRING})


class SyntaxProblem(Exception):
    """What is wrong with a text, and where; `statement` is set where it is no single query."""

    def __init__(self, says: str, offset: int, statement: str = "") -> None:
        super().__init__(says)
        self.says, self.offset, self.statement = says, offset, statement


@dataclass(frozen=True, slots=True)
class Parsed:
    """A query's text with its tokens and its tree, which nobody changes."""

    text: str
    tokens: tuple[Token, ...]
    tree: exp.Expr


TREES_KEPT = 128
"""How many parsed queries are kept: a tree of a small one takes 200 kB."""


class _Local(threading.local):
    """One tokenizer and one parser for each thread: both keep state while they work."""

    def __init__(self) -> None:
        dialect = Dialect.get_or_raise("duckdb")
        self.tokenizer = dialect.tokenizer()
        self.parser = dialect.parser()


_local = _Local()


@lru_cache(maxsize=TREES_KEPT)
def parsed(text: str) -> Parsed:
    """Return `text` as one query of DuckDB's dialect; raises SyntaxProblem."""
    tokens = _tokens(text)
    if not tokens:
        raise SyntaxProblem("nothing", 0, "no statement")
    if tokens[0].token_type is TokenType.VAR:
        raise SyntaxProblem(f"no query begins with '{tokens[0].text}'", tokens[0].start)
    if tokens[0].token_type not in QUERY_STARTS:
        raise SyntaxProblem("", tokens[0].start, tokens[0].text)
    try:
        statements = _local.parser.parse(tokens, text)
    except ParseError as error:
        raise _problem(text, error) from None
    queries = [tree for tree in statements if tree and not isinstance(tree, exp.Semicolon)]
    if len(queries) != 1:
        raise SyntaxProblem("", 0, f"{len(queries)} statements")
    tree = queries[0]
    if not isinstance(tree, (exp.Query, exp.Pivot, exp.Values)):
        raise SyntaxProblem("", tokens[0].start, tokens[0].text)
    return Parsed(text, tuple(tokens), tree)


def offset_of(node: exp.Expr) -> int:
    """Return where an identifier starts in the text, -1 where sqlglot does not know."""
    start = node.meta.get("start", -1)
    return start if isinstance(start, int) else -1


def _tokens(text: str) -> list[Token]:
    try:
        return _local.tokenizer.tokenize(text)
    except TokenError:
        offset, says = _unfinished(text)
        raise SyntaxProblem(says, offset) from None


def worded(description: str) -> str:
    """Return a complaint of sqlglot's without the names of its own classes.

    >>> worded("Required keyword: 'this' missing for <class 'sqlglot.expressions.query.Where'>")
    'something is missing'
    """
    return _TOKEN.sub(r"'\1'", _MISSING_PART.sub(_MISSING, description))


def _problem(text: str, error: ParseError) -> SyntaxProblem:
    """Return the first of sqlglot's complaints, with its offset in `text`."""
    if not error.errors:
        return SyntaxProblem(str(error), 0)
    first = error.errors[0]
    line, column = first.get("line") or 1, first.get("col") or 1
    highlight = first.get("highlight") or ""
    starts = [0, *(index + 1 for index, letter in enumerate(text) if letter == "\n")]
    offset = starts[min(line, len(starts)) - 1] + max(column - len(highlight), 0)
    says = worded(first.get("description") or "unexpected")
    is_end = not text[offset + len(highlight) :].strip("; \n\t\r")
    where = "after" if says == _MISSING and is_end and highlight not in _CLOSING else "at"
    return SyntaxProblem(f"{says} {where} '{highlight}'" if highlight else says, offset)


_QUOTES = {"'": "'", '"': '"', "/*": "*/", "$$": "$$"}


def _unfinished(text: str) -> tuple[int, str]:
    """Return where a quote or comment begins that has no end, and what to say of it."""
    position = 0
    while position < len(text):
        if text.startswith("--", position):
            position = text.find("\n", position) % (len(text) + 1)
            continue
        opening = next((mark for mark in _QUOTES if text.startswith(mark, position)), "")
        end = text.find(_QUOTES[opening], position + len(opening)) if opening else position
        if end < 0:
            return position, f"{opening} is opened here and never closed"
        position = end + max(len(opening), 1)
    return 0, "the text cannot be split into words"
