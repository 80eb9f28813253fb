"""What can make a query give another result on the same inputs: clocks, chance, row order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from sqlglot import exp  # noqa: TID253 - loaded only when a query is parsed
from sqlglot.tokenizer_core import Token, TokenType  # noqa: TID253 - as above

from assetflow.sql.syntax import WORDS, names

# The clock; chance and counters; the session and the engine.
VOLATILE_FUNCTIONS = names("""
    now today get_current_time get_current_timestamp current_date current_time
    current_timestamp current_localtime current_localtimestamp transaction_timestamp
    statement_timestamp clock_timestamp localtime localtimestamp ago

    random setseed uuid uuidv4 uuidv7 gen_random_uuid nextval currval setval
    reservoir_quantile txid_current

    current_setting current_query current_query_id current_connection_id
    current_transaction_id current_database current_catalog current_schema current_schemas
    in_search_path version platform stats vector_type pg_postmaster_start_time
    sleep_ms write_log which_secret glob pg_timezone_names icu_calendar_names
""")
VOLATILE_WORDS = frozenset(
    [
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "current_catalog",
        "current_schema",
    ]
)
_VOLATILE_PREFIXES = ("duckdb_", "pragma_")
_NO_CALLS = names("""
    in values over using as exists and or not on when then else case select from where by
    any all some filter exclude replace rename partition distinct table join sets within
    is between like limit offset having qualify union except intersect
""")


def called_functions(tokens: Sequence[Token]) -> dict[str, int]:
    """Return each name that is called, in lower case, with where it is called first."""
    called: dict[str, int] = {}
    for token, following in pairwise(tokens):
        if following.token_type is TokenType.L_PAREN:
            name = token.text.lower()
            if token.token_type in WORDS or (name.isidentifier() and name not in _NO_CALLS):
                called.setdefault(name, token.start)
    return called


def volatile_names(tokens: Sequence[Token], called: Iterable[str]) -> tuple[str, ...]:
    """Return what a query uses of the clock, of chance, and of the session."""
    names = {
        name for name in called if name in VOLATILE_FUNCTIONS or name.startswith(_VOLATILE_PREFIXES)
    }
    names.update(_volatile_words(tokens))
    if "age" in called and _calls_with_one_argument(tokens, "age"):
        names.add("age")
    if _samples_by_chance(tokens):
        names.add("sample")
    return tuple(sorted(names))


def _volatile_words(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield the functions that need no parentheses, where they are no name of a column."""
    before = TokenType.SELECT
    for token in tokens:
        is_name = before in {TokenType.DOT, TokenType.ALIAS}
        is_quoted = token.token_type is TokenType.IDENTIFIER
        if token.text.lower() in VOLATILE_WORDS and not (is_name or is_quoted):
            yield token.text.lower()
        before = token.token_type


def _calls_with_one_argument(tokens: Sequence[Token], name: str) -> bool:
    for index, token in enumerate(tokens[:-1]):
        if token.text.lower() == name and tokens[index + 1].token_type is TokenType.L_PAREN:
            end = closing(tokens, index + 1)
            if not any(_at_level(tokens[index + 2 : end], TokenType.COMMA)):
                return True
    return False


def _at_level(tokens: Sequence[Token], wanted: TokenType) -> Iterator[bool]:
    """Yield True for each token of type `wanted` that is in no parentheses of its own."""
    depth = 0
    for token in tokens:
        if token.token_type in OPENING:
            depth += 1
        elif token.token_type in CLOSING:
            depth -= 1
        elif depth == 0 and token.token_type is wanted:
            yield True


OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})


def closing(tokens: Sequence[Token], start: int) -> int:
    """Return the index of the bracket that closes the one at index `start`."""
    depth = 0
    for index in range(start, len(tokens)):
        if tokens[index].token_type in OPENING:
            depth += 1
        elif tokens[index].token_type in CLOSING:
            depth -= 1
            if depth == 0:
                return index
    return len(tokens) - 1


def _samples_by_chance(tokens: Sequence[Token]) -> bool:
    """Whether a sample is taken without a seed."""
    words = [token.text.lower() for token in tokens]
    samples = sum(
        word == "tablesample" or (word == "sample" and words[index - 1] == "using")
        for index, word in enumerate(words)
    )
    seeds = words.count("repeatable") + _seeds_in_brackets(words)
    return samples > seeds


def _seeds_in_brackets(words: Sequence[str]) -> int:
    """Count the seeds in the form `sample 10% (bernoulli, 42)`."""
    methods = {"bernoulli", "system", "reservoir"}
    return sum(
        words[index : index + 1] == ["("]
        and words[index + 1] in methods
        and words[index + 2] == ","
        for index in range(len(words) - 3)
    )


# How each order-dependent function is called, and whether it is so even by its nature.
_BY_ORDER: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.ArrayAgg: ("list", "array_agg"),
    exp.GroupConcat: ("string_agg", "group_concat", "listagg"),
    exp.First: ("first",),
    exp.Last: ("last",),
    exp.AnyValue: ("any_value", "arbitrary"),
    exp.FirstValue: ("first_value",),
    exp.LastValue: ("last_value",),
    exp.NthValue: ("nth_value",),
    exp.JSONArrayAgg: ("json_group_array",),
    exp.JSONObjectAgg: ("json_group_object",),
}
_BY_ORDER_NAMES = names("""
    list array_agg string_agg group_concat listagg first last any_value arbitrary
    json_group_array json_group_object json_group_structure variant_group_array
    list_distinct_agg
""")
_BARE = frozenset({"first", "last", "any_value", "arbitrary"})
_RANKED = (exp.RowNumber, exp.Ntile, exp.Lag, exp.Lead)
_RANKED_NAMES = {exp.RowNumber: "row_number", exp.Ntile: "ntile", exp.Lag: "lag", exp.Lead: "lead"}


def order_dependence(tree: exp.Expr, called: Mapping[str, int]) -> tuple[str, ...]:
    """Return the constructs whose result depends on the order in which rows arrive."""
    windows = {
        window.this.name.lower(): window
        for select in tree.find_all(exp.Select)
        for window in select.args.get("windows") or ()
    }
    found: set[str] = set()
    for node in tree.walk():
        found.update(_of_node(node, called, windows))
    return tuple(sorted(found))


def _of_node(
    node: exp.Expr, called: Mapping[str, int], windows: Mapping[str, exp.Expr]
) -> Iterator[str]:
    """Yield what is order-dependent in `node` itself."""
    if isinstance(node, (exp.Query, exp.Pivot)):
        yield from _of_query(node)
    elif isinstance(node, exp.TableSample):
        yield "sample"
    elif isinstance(node, exp.Join) and node.args.get("method") == "POSITIONAL":
        yield "positional join"
    elif isinstance(node, exp.Window):
        yield from _of_window(node, windows)
    elif isinstance(node, exp.Array):
        yield from _of_array(node)
    elif isinstance(node, exp.Func):
        yield from _of_function(node, called, windows)


def _of_array(node: exp.Array) -> Iterator[str]:
    if any(isinstance(item, exp.Query) and not _is_ordered(item) for item in node.expressions):
        yield "array(select …) without order by"


def _of_query(node: exp.Expr) -> Iterator[str]:
    distinct = node.args.get("distinct")
    if _is_ordered(node):
        return
    if isinstance(distinct, exp.Distinct) and distinct.args.get("on"):
        yield "distinct on without order by"
    if node.args.get("limit"):
        yield "limit without order by"
    if node.args.get("offset"):
        yield "offset without order by"


def _is_ordered(node: exp.Expr) -> bool:
    return node.args.get("order") is not None


def _has_order(window: exp.Expr, windows: Mapping[str, exp.Expr], depth: int = 8) -> bool:
    """Whether a window has an order, of its own or from the named window it extends."""
    if window.args.get("order"):
        return True
    base = windows.get(window.alias.lower()) if window.alias else None
    return base is not None and depth > 0 and _has_order(base, windows, depth - 1)


def _of_window(node: exp.Window, windows: Mapping[str, exp.Expr]) -> Iterator[str]:
    if isinstance(node.parent, exp.Select) and node.arg_key == "windows":
        return
    if _has_order(node, windows):
        return
    function = node.this
    while isinstance(function, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
        function = function.this
    if isinstance(function, _RANKED) and not list(function.find_all(exp.Order)):
        yield f"{_RANKED_NAMES[type(function)]}() over () without order by"
    elif node.args.get("spec"):
        yield "a window frame without order by"


def _of_function(
    node: exp.Func, called: Mapping[str, int], windows: Mapping[str, exp.Expr]
) -> Iterator[str]:
    names = _BY_ORDER.get(type(node), ())
    if isinstance(node, exp.Anonymous) and node.name.lower() in _BY_ORDER_NAMES:
        names = (node.name.lower(),)
    if not names or _is_in_order(node, windows):
        return
    name = next((name for name in names if name in called), names[0])
    yield f"{name}()" if name in _BARE else f"{name}() without order by"


def _is_in_order(node: exp.Expr, windows: Mapping[str, exp.Expr]) -> bool:
    """Whether an aggregate's arguments, WITHIN GROUP or window say in which order it works."""
    if any(_orders(child) for child in node.iter_expressions()):
        return True
    above = node.parent
    while isinstance(above, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter, exp.WithinGroup)):
        if isinstance(above, exp.WithinGroup):
            return True
        above = above.parent
    return isinstance(above, exp.Window) and _has_order(above, windows)


def _orders(child: exp.Expr) -> bool:
    """Whether an argument carries the ORDER BY of the aggregate, DISTINCT or not."""
    if isinstance(child, exp.Order):
        return True
    if isinstance(child, exp.Distinct):
        return any(isinstance(item, exp.Order) for item in child.expressions)
    return False
