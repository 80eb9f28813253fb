"""For checks of rows: the SQL condition that holds for a row which fails.

A NULL fails `not_null` alone; every other check leaves it be, as SQL's own constraints do.
NaN is a value, and lies in no range.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import chain, count
from typing import Literal

from assetflow.model.checks import Check, Scalar
from assetflow.model.columns import Column, Schema
from assetflow.quality.fitting import as_tuple, columns_of
from assetflow.quality.literals import FLOATS, LONGEST_DATE, NUMERIC, literal
from assetflow.sql.query import quoted

Size = Literal["few", "many", "grouped"]
"""How many rows are asked, a matter of speed alone: planning costs more than reading a few.

Of "many" a part may be read once more; "grouped" are many whose groups are told apart.
"""

_MOST_DIGITS = 18


def considered(check: Check) -> str:
    """Return the condition for rows that `check` is about, "" for all of them."""
    return bracketed(check.where) if check.where else ""


def bracketed(text: str) -> str:
    """Return a user's condition so that it stands by itself, with a comment at its end, too."""
    return f"({text}\n)"


def failing_condition(check: Check, schema: Schema, others: Mapping[str, str]) -> str:
    """Return the SQL condition, never NULL, for rows that fail a check of rows.

    It fits in a `where` over the columns of `schema`. `others` are the scans of the other
    tables that it reads, by name.
    """
    return f"coalesce({_in_scope(check, _of_kind(check, schema, others))}, false)"


def counted_condition(check: Check, schema: Schema, size: Size) -> str:
    """Return the condition, which may be NULL, for rows that fail a check of CONDITIONS."""
    conditions = CONDITIONS if size == "few" else {**CONDITIONS, **_OF_REPEATED}
    return _in_scope(check, conditions[check.kind](check, columns_of(check, schema)))


def _in_scope(check: Check, fails: str) -> str:
    return f"{considered(check)} and ({fails})" if check.where else fails


def _of_kind(check: Check, schema: Schema, others: Mapping[str, str]) -> str:
    if check.kind == "references":
        return unmatched(check, schema, others)
    return CONDITIONS[check.kind](check, columns_of(check, schema))


def considering(check: Check, *conditions: str) -> str:
    """Return `conditions` of rows that `check` is about, "" for all rows without condition."""
    return " and ".join(part for part in (considered(check), *conditions) if part)


def known(columns: Sequence[Column]) -> str:
    """Return the condition that none of `columns` is NULL."""
    return _known([quoted(column.name) for column in columns])


def _null(_: Check, columns: tuple[Column, ...]) -> str:
    return " or ".join(f"{quoted(column.name)} is null" for column in columns)


def _outside(check: Check, columns: tuple[Column, ...]) -> str:
    (column,) = columns
    name = quoted(column.name)
    beyond = beyond_bounds(check, name, column.type)
    # NaN is greater than any maximum, but it is not less than a minimum.
    is_open = column.type in FLOATS and check.argument("max") is None
    return f"{beyond} or isnan({name})" if is_open else beyond


def beyond_bounds(check: Check, value: str, type_: str = "") -> str:
    """Return the condition that `value` is below the minimum or above the maximum of `check`."""
    low, high = check.argument("min"), check.argument("max")
    bounds = (("<>", low),) if low == high else (("<", low), (">", high))
    found = [
        f"{value} {sign} {literal(bound, type_)}"
        for sign, bound in bounds
        if bound is not None and not isinstance(bound, tuple)
    ]
    return " or ".join(found)


def _unaccepted(check: Check, columns: tuple[Column, ...]) -> str:
    (column,) = columns
    values = [value for value in as_tuple(check.argument("values")) if value is not None]
    name = quoted(column.name)
    if len(values) <= FEW_VALUES:
        texts = ", ".join(literal(value, column.type) for value in values)
        return f"{name} not in ({texts})" if texts else f"{name} is not null"
    return f"{name} not in ({_unnested(values, column.type)})"


def _unlisted(check: Check, columns: tuple[Column, ...]) -> str:
    """Return the condition of `accepted_values` with texts looked up, however few they are."""
    (column,) = columns
    values = [value for value in as_tuple(check.argument("values")) if value is not None]
    if column.type != "VARCHAR" or not values:
        return _unaccepted(check, columns)
    return f"{quoted(column.name)} not in ({_unnested(values, column.type)})"


FEW_VALUES = 20
"""So many values are compared one by one; more are looked up, and parsed as one text."""


def _unnested(values: Sequence[Scalar], type_: str) -> str:
    """Return the query of `values` as one text that is split, to be compared with `type_`."""
    if NUMERIC.fullmatch(type_):
        texts = [literal(value, type_) for value in values]
        return f"select unnest({_split(texts)})::{_as_exact(type_, values)}"
    texts = [str(value) for value in values]
    has_time = type_ == "DATE" and any(len(text.strip()) > LONGEST_DATE for text in texts)
    return f"select unnest({_split(texts)})::{'TIMESTAMP' if has_time else type_}"


def _as_exact(type_: str, values: Sequence[Scalar]) -> str:
    """Return the type in which `values` are compared with a column of numbers of `type_`.

    Those that a column of floats cannot hold are rounded as it is; others lose nothing.
    """
    if type_ in FLOATS:
        return type_
    if any(isinstance(value, float) for value in values):
        return "DOUBLE"
    if not any(isinstance(value, str) for value in values):
        return "HUGEINT"
    digits = max(_digits(value) for value in values)
    return f"DECIMAL(38,{min(digits, _MOST_DIGITS)})"


def _digits(value: Scalar) -> int:
    """Return how many digits a number has behind its point."""
    exponent = Decimal(str(value).strip()).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _split(texts: Sequence[str]) -> str:
    """Return the SQL that splits `texts`, joined by a character that is in none of them."""
    used = set().union(*texts)
    separator = next(sign for sign in chain("|,;", map(chr, count(1))) if sign not in used)
    return f"string_split({literal(separator.join(texts))}, {literal(separator)})"


def _unmatched_text(check: Check, columns: tuple[Column, ...]) -> str:
    (column,) = columns
    pattern = literal(str(check.argument("pattern")))
    return f"not regexp_matches({quoted(column.name)}, {pattern})"


def _unfound_text(check: Check, columns: tuple[Column, ...]) -> str:
    """Return the condition of `matches` that asks most texts by what they match.

    DuckDB extracts from each different text of a dictionary once, but matches each row.
    What matches without a character is no less a match, so it is asked again. Without an
    anchor at its start, an extraction from texts that differ takes twice as long.
    """
    unmatched_text = _unmatched_text(check, columns)
    if not str(check.argument("pattern")).startswith("^"):
        return unmatched_text
    pattern = literal(str(check.argument("pattern")))
    extracted = f"regexp_extract({quoted(columns[0].name)}, {pattern})"
    return f"case when {extracted} = '' then {unmatched_text} end"


def _wrong_length(check: Check, columns: tuple[Column, ...]) -> str:
    (column,) = columns
    return beyond_bounds(check, f"length({quoted(column.name)})")


def _untrue(check: Check, _: tuple[Column, ...]) -> str:
    return f"not {bracketed(str(check.argument('sql')))}"


def unmatched(check: Check, schema: Schema, others: Mapping[str, str]) -> str:
    """Return the condition for rows of a `references` check that have no like there.

    The other columns are qualified: one that is missing must not be taken for our own.
    """
    names = [quoted(column.name) for column in columns_of(check, schema)]
    there = [f"assetflow_other.{quoted(str(name))}" for name in as_tuple(check.argument("to"))]
    (other,) = (others[item.upstream or item.name] for item in check.inputs)
    keys = f"select {_row(there)} from {other} as assetflow_other where {_known(there)}"
    return f"{_known(names)} and {_row(names)} not in ({keys})"


def _row(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _known(names: Sequence[str]) -> str:
    return " and ".join(f"{name} is not null" for name in names)


CONDITIONS: dict[str, Callable[[Check, tuple[Column, ...]], str]] = {
    "not_null": _null,
    "accepted_values": _unaccepted,
    "between": _outside,
    "matches": _unmatched_text,
    "string_length": _wrong_length,
    "expression": _untrue,
}
"""The kinds that one row of the table alone can answer."""

_OF_REPEATED: Mapping[str, Callable[[Check, tuple[Column, ...]], str]] = {
    "accepted_values": _unlisted,
    "matches": _unfound_text,
}
"""The same of kinds that are asked faster of many rows, whose texts repeat as a rule."""
