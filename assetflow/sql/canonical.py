"""The canonical form of a query: what is left when only its looks are taken away.

It is made of the tokens, never of regenerated SQL, so that two queries have one form
only if they differ in comments, white space, the case of unquoted words, or in
parentheses that cannot group anything differently.
"""

from collections.abc import Sequence
from itertools import pairwise

from sqlglot.tokenizer_core import Token, TokenType  # noqa: TID253 - loaded only when a query is parsed

from assetflow.sql.syntax import names

_KEPT = frozenset(
    {
        TokenType.STRING,
        TokenType.IDENTIFIER,
        TokenType.HEREDOC_STRING,
        TokenType.BYTE_STRING,
        TokenType.HEX_STRING,
        TokenType.BIT_STRING,
        TokenType.NATIONAL_STRING,
        TokenType.RAW_STRING,
        TokenType.UNICODE_STRING,
    }
)
_QUERY = frozenset({"select", "from", "with", "values", "pivot", "unpivot", "table"})
_BEFORE = frozenset({"select", "where", "having", "qualify", "when", "then", "else", "case", "by"})
_AFTER = names("""
    from where group having qualify order limit offset window union except intersect as
    then when else end using sample asc desc nulls
""")
_COMPARISONS = frozenset({"=", "==", "<>", "!=", "<", ">", "<=", ">="})
_SUMS = frozenset({"+"})
_PRODUCTS = frozenset({"*", "/", "//", "%"})


def canonical_form(text: str, tokens: Sequence[Token]) -> str:
    """Return the canonical form of `text`, whose tokens are `tokens`."""
    return " ".join(canonical_words(text, tokens))


def canonical_words(text: str, tokens: Sequence[Token]) -> list[str]:
    """Return the words that the canonical form of `text` is made of."""
    end = len(tokens)
    while end and tokens[end - 1].token_type is TokenType.SEMICOLON:
        end -= 1
    words = [word for token in tokens[:end] for word in _words(text, token)]
    if "(" in words:
        words = _without_idle_parentheses(words)
    return words


_LIST_ENDS = names("from where group having qualify window order limit offset using")
_SET_WORDS = names("union intersect except")
_OPENS, _CLOSES = frozenset("([{"), frozenset(")]}")


def split_projections(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return what frames the select list of a query, and the items of that list.

    Frame and items together say what the words say. Without items the frame is all:
    where two queries are put together, or the list cannot be told.
    """
    whole = " ".join(words)
    levels = _levels(words)
    top = [place for place, level in enumerate(levels) if level == 0]
    selects = [place for place in top if words[place] == "select"]
    if len(selects) != 1 or any(words[place] in _SET_WORDS for place in top):
        return whole, ()
    start = selects[0] + 1
    if words[start : start + 2] == ["distinct", "on"]:
        return whole, ()
    start += words[start : start + 1] == ["distinct"]
    after = [place for place in top if place >= start]
    end = next((place for place in after if _ends_list(words, place)), len(words))
    commas = [place for place in after if place < end and words[place] == ","]
    edges = [start - 1, *commas, end]
    items = [" ".join(words[a + 1 : b]) for a, b in pairwise(edges)]
    frame = " ".join([*words[:start], "…", *words[end:]])
    return frame, tuple(item for item in items if item)


def _levels(words: Sequence[str]) -> list[int]:
    """Return how deep in brackets each word stands; the brackets themselves stand inside."""
    levels, level = [], 0
    for word in words:
        level += word in _OPENS
        levels.append(level)
        level -= word in _CLOSES
    return levels


def _ends_list(words: Sequence[str], place: int) -> bool:
    """Whether a select list ends before `place`: not at IS DISTINCT FROM or WITHIN GROUP."""
    before = words[place - 1]
    return words[place] in _LIST_ENDS and before not in ("distinct", "within")


def _words(text: str, token: Token) -> list[str]:
    """Return the words of a token: several where it is a phrase such as ORDER BY."""
    written = text[token.start : token.end + 1]
    if token.token_type in _KEPT:
        return [written]
    return (written.lower() if written.isascii() else written).split()


def _without_idle_parentheses(words: list[str]) -> list[str]:
    """Take away pairs that group nothing, until none is left."""
    while True:
        idle = _idle(words)
        if not idle:
            return words
        words = [word for index, word in enumerate(words) if index not in idle]


def _idle(words: Sequence[str]) -> set[int]:
    """Return the positions of the parentheses that can go; of nested pairs, the outer ones."""
    idle: set[int] = set()
    barrier = -1
    for start, end in sorted(_pairs(words)):
        if start > barrier and _is_idle(words, start, end):
            idle |= {start, end}
            barrier = end
    return idle


def _pairs(words: Sequence[str]) -> list[tuple[int, int]]:
    pairs, open_ = [], []
    for index, word in enumerate(words):
        if word == "(":
            open_.append(index)
        elif word == ")" and open_:
            pairs.append((open_.pop(), index))
    return pairs


def _is_idle(words: Sequence[str], start: int, end: int) -> bool:
    """Whether the pair at `start` and `end` groups nothing that would not be grouped so."""
    inside = words[start + 1 : end]
    before = words[start - 1] if start else ""
    after = words[end + 1] if end + 1 < len(words) else ""
    if not inside:
        return False
    if not before and not after:
        return True
    level = _top_level(inside)
    if inside[0] in _QUERY or "," in level or _is_argument_list(words, start):
        return False
    return _is_bounded(words, start, before, after, level)


def _is_argument_list(words: Sequence[str], start: int) -> bool:
    """Whether the parenthesis follows what makes it a list: a name, IN, USING, DISTINCT ON."""
    if start == 0:
        return False
    before = words[start - 1]
    is_on = before == "on" and (start < 2 or words[start - 2] != "distinct")  # noqa: PLR2004 - two words back
    known = _BEFORE | _COMPARISONS | _SUMS | {"(", ",", "and", "or"}
    return not (before in known or is_on)


def _is_bounded(
    words: Sequence[str], start: int, before: str, after: str, level: Sequence[str]
) -> bool:
    """Whether what stands on both sides binds less than anything inside does."""
    if before == "," and not _in_projections(words, start):
        return False
    if before == "and" and _ends_between(words, start):
        return False
    left = _weight_around(before)
    right = _weight_around(after)
    return max(left, right) < _weight_inside(level)


def _in_projections(words: Sequence[str], start: int) -> bool:
    """Whether the comma before `start` parts a SELECT, ORDER BY or GROUP BY list."""
    depth = 0
    for index in range(start - 1, -1, -1):
        depth += (words[index] == ")") - (words[index] == "(")
        if depth < 0:
            return False
        if depth == 0 and words[index] in {"select", "by"}:
            return True
        if depth == 0 and words[index] in {"values", "from", "using", "in", "on", "join"}:
            return False
    return False


def _ends_between(words: Sequence[str], start: int) -> bool:
    """Whether the AND before `start` may belong to a BETWEEN."""
    return "between" in words[:start]


def _weight_around(word: str) -> int:
    """Return how tightly the word beside a parenthesis binds: 0 not at all, 9 unknown."""
    if word in {"", "(", ")", ",", "on"} or word in _BEFORE or word in _AFTER:
        return 0
    if word == "or":
        return 1
    if word == "and":
        return 2
    if word in _COMPARISONS:
        return 3
    return 4 if word in _SUMS else 9


def _weight_inside(level: Sequence[str]) -> int:
    """Return how tightly the loosest operator inside binds: 9 for a single thing.

    Anything that is no plain operator counts as 1: it may stand alone, nowhere else.
    """
    weights = [_OPERATORS.get(word, 9) for word in level]
    if any(word in _LOOSE for word in level):
        return 1
    return min(weights, default=9)


_OPERATORS = (
    {"or": 1, "and": 2, "-": 4, ".": 9}
    | dict.fromkeys(_COMPARISONS, 3)
    | dict.fromkeys(_SUMS, 4)
    | dict.fromkeys(_PRODUCTS, 5)
)
_LOOSE = names("""
    not between in is like ilike similar glob case interval over filter within collate at
    -> ->> => := : || ~ ^ ** & | << >> @ ! any all exists lambda for if unique distinct
""")


def _top_level(words: Sequence[str]) -> list[str]:
    """Return the words that are in no parentheses or brackets of their own."""
    depth, level = 0, []
    for word in words:
        if word in {")", "]", "}"}:
            depth -= 1
        if depth == 0:
            level.append(word)
        if word in {"(", "[", "{"}:
            depth += 1
    return level
