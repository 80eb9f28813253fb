"""Whether a check can be asked of a table with certain columns."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from assetflow.model.checks import Argument, Check
from assetflow.model.columns import Column, Schema
from assetflow.model.names import folded
from assetflow.quality.literals import NUMBER, NUMERIC

DATED = re.compile(r"DATE|TIMESTAMP(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ")
TEXT = re.compile(r"VARCHAR|ENUM\(.*\)")
_PLAIN = re.compile(r"[A-Z_ ]+(\(\d+, ?\d+\))?|ENUM\(.*\)")
_OF_COLUMNS = frozenset({"column_types", "contract"})
_OF_FIGURES = frozenset({"mean", "sum", "stddev", "median", "quantile"})
_OF_NUMBERS = _OF_FIGURES | {"distinct", "null_fraction"}


class WrongType(NamedTuple):
    """A column whose type is none that a check can be asked of, and what it would need."""

    column: str
    type: str
    needs: str


def columns_of(check: Check, schema: Schema) -> tuple[Column, ...]:
    """Return the columns of `schema` that `check` names, in its order; missing ones are left out.

    Names are compared without case.
    """
    found = _by_name(schema)
    wanted = (folded(name) for name in named_columns(check))
    return tuple(found[name] for name in wanted if name in found)


@lru_cache(maxsize=64)
def _by_name(schema: Schema) -> Mapping[str, Column]:
    return {folded(column.name): column for column in schema}


def named_columns(check: Check) -> tuple[str, ...]:
    """Return the columns of its asset that `check` names, those that order its rows included."""
    if check.kind != "monotonic":
        return check.columns
    more = (check.argument("order_by"), check.argument("group_by"))
    return (*check.columns, *(str(name) for one in more for name in as_tuple(one)))


def as_tuple(value: Argument) -> tuple[str | int | float | bool | None, ...]:
    """Return the values of an argument, none for what was not said."""
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)


def missing_columns(check: Check, schema: Schema) -> tuple[str, ...]:
    """Return the columns that `check` names and `schema` has not."""
    if check.kind in _OF_COLUMNS:
        return ()  # that they are there is what it asks
    found = _by_name(schema)
    return tuple(name for name in named_columns(check) if folded(name) not in found)


def wrong_types(check: Check, schema: Schema) -> tuple[WrongType, ...]:
    """Return the columns that `check` names whose type it cannot be asked of."""
    if check.kind not in _NEEDS:
        return ()
    return tuple(
        WrongType(column.name, column.type, needs)
        for column in columns_of(check, schema)
        for needs in _NEEDS[check.kind](check, column.type)
    )


def unfit(check: Check, schema: Schema) -> str:
    """Return why `check` cannot be asked of a table with `schema`, "" if it can."""
    missing = missing_columns(check, schema)
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        return f"there is no column {names}"
    return "; ".join(
        f"column '{one.column}' is {one.type}, and it takes {one.needs}"
        for one in wrong_types(check, schema)
    )


def _text_needed(_: Check, type_: str) -> Iterator[str]:
    if not TEXT.fullmatch(type_):
        yield "a text"


def _time_needed(_: Check, type_: str) -> Iterator[str]:
    if not DATED.fullmatch(type_):
        yield "a date or an instant"


def _comparable_needed(check: Check, type_: str) -> Iterator[str]:
    """Yield what the bounds or values of `check` need, where a column of `type_` is not that."""
    values = [check.argument("min"), check.argument("max"), *as_tuple(check.argument("values"))]
    needs = {_needed(value, type_) for value in values if value is not None}
    yield from sorted(needs - {""})


def _needed(value: Argument, type_: str) -> str:
    """Return what type `value` is compared with, "" if `type_` is one."""
    if isinstance(value, bool):
        return "" if type_ == "BOOLEAN" else "true and false"
    if isinstance(value, int | float):
        return "" if NUMERIC.fullmatch(type_) else "a number"
    if NUMERIC.fullmatch(type_):
        return "" if NUMBER.fullmatch(str(value).strip()) else "a text, a date or an instant"
    return "" if _PLAIN.fullmatch(type_) and type_ != "BOOLEAN" else "a text, a date or an instant"


def _figure_needed(check: Check, type_: str) -> Iterator[str]:
    function = check.argument("function") or check.argument("metric")
    if function in _OF_FIGURES and not NUMERIC.fullmatch(type_):
        yield "a number"
    elif function in _OF_NUMBERS:
        yield from _comparable_needed(check, "DOUBLE")
    elif function in {"min", "max"} and check.kind == "aggregate":
        yield from _comparable_needed(check, type_)
    elif function in {"min", "max"} and not NUMERIC.fullmatch(type_) and not _is_dated(type_):
        yield "a number, a date or an instant"


def _is_dated(type_: str) -> bool:
    return DATED.fullmatch(type_) is not None


def _plain_needed(_: Check, type_: str) -> Iterator[str]:
    if not _PLAIN.fullmatch(type_):
        yield "a plain value, not a nested one"


_NEEDS: dict[str, Callable[[Check, str], Iterator[str]]] = {
    "matches": _text_needed,
    "string_length": _text_needed,
    "recent": _time_needed,
    "between": _comparable_needed,
    "accepted_values": _comparable_needed,
    "aggregate": _figure_needed,
    "anomaly": _figure_needed,
    "drift": _plain_needed,
}
