"""From what a table is like, the checks that it passes and that look like promises."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from assetflow.model.checks import Check, CheckKind
from assetflow.model.columns import Column, Schema
from assetflow.model.names import folded
from assetflow.quality.figures import SCAN
from assetflow.quality.fitting import TEXT
from assetflow.quality.literals import NUMERIC, literal
from assetflow.quality.wording import rows_text, short
from assetflow.sql.query import quoted

_MOST_VALUES = 12
_ROWS_A_VALUE = 10
_FEWEST_ROWS = 10
_LONGEST_CODE = 12
_INTEGER = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UUID", "VARCHAR"})

PATTERNS: Mapping[str, str] = {
    "a UUID": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "an e-mail address": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "a date": r"^\d{4}-\d{2}-\d{2}$",
    "digits alone": r"^\d+$",
    "capitals alone": "^[A-Z]+$",
    "capitals and digits": "^[A-Z0-9]+$",
}
"""What texts often are, the narrower first."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A check that a table passes, as it is declared, and what speaks for it.

    `python` is an element of `checks=[…]`; `header` is one of `checks = […]` in a header.
    `columns` are those that it is about.
    """

    kind: CheckKind
    python: str
    header: str
    evidence: str
    columns: tuple[str, ...] = ()


class _Profile(NamedTuple):
    """What is known of one column: counts, extremes, its few values, patterns that all match."""

    column: Column
    nulls: int
    distinct: int
    low: Any = None
    high: Any = None
    values: Sequence[str] = ()
    patterns: Sequence[str] = ()


def profile_measures(schema: Schema) -> tuple[str, ...]:
    """Return the SQL values over the rows of a table from which checks are suggested.

    They are computed in one scan; `SCAN` in one stands for the table itself.
    """
    return tuple(text for column in schema for text in _asked(column))


def _asked(column: Column) -> list[str]:
    """Return nulls, distinct values, extremes, values where they are few, and what matches."""
    name = quoted(column.name)
    rows = f"select distinct {name} as v from {SCAN} where {name} is not null"
    texts = [f"count_if({name} is null)", f"(select count(*) from ({rows}))"]
    if NUMERIC.fullmatch(column.type):
        return [*texts, f"min({name})::double", f"max({name})::double"]
    if not TEXT.fullmatch(column.type):
        return texts
    few = f"(select list(v order by v) from ({rows} limit {_MOST_VALUES + 1}))"
    matching = (f"count_if(regexp_matches({name}, {literal(one)}))" for one in PATTERNS.values())
    return [*texts, f"min(length({name}))", f"max(length({name}))", few, *matching]


def suggested(schema: Schema, values: Sequence[object], rows: int) -> tuple[Suggestion, ...]:
    """Return the checks that a table of `rows` rows passes; `values` are those of its profile.

    Few rows say little: of these only nulls and their number are told.
    """
    if not rows:
        return ()
    profiles = list(_profiles(schema, list(values), rows))
    found = [*_of_nulls(profiles, rows), _of_rows(rows)]
    if rows >= _FEWEST_ROWS:
        found += _of_keys(profiles, rows)
        found += [one for profile in profiles for one in _of_values(profile, rows)]
    return tuple(found)


def undeclared(found: Iterable[Suggestion], checks: Iterable[Check]) -> Iterator[Suggestion]:
    """Yield what none of `checks` declares already: one of its kind, about its columns.

    Of a check of nulls, which is about each column by itself, those columns that are left.
    """
    told = {(one.kind, _folded(one.columns)) for one in checks if not one.where}
    full = {name for kind, names in told if kind == "not_null" for name in names}
    for one in found:
        left = [name for name in one.columns if folded(name) not in full]
        if one.kind != "not_null":
            if (one.kind, _folded(one.columns)) not in told:
                yield one
        elif left:
            yield _suggestion("not_null", {"columns": left}, one.evidence)


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(map(folded, names))


def _profiles(schema: Schema, values: list[Any], rows: int) -> Iterator[_Profile]:
    for column in schema:
        own, values = values[: len(_asked(column))], values[len(_asked(column)) :]
        nulls, distinct, *more = own
        low, high, few, *matching = (*more, None, None, None)[: max(len(more), 3)]
        full = rows - int(nulls or 0)
        patterns = [
            name for name, count in zip(PATTERNS, matching, strict=False) if full and count == full
        ]
        yield _Profile(column, int(nulls or 0), distinct, low, high, few or (), patterns)


def _of_nulls(profiles: Sequence[_Profile], rows: int) -> Iterator[Suggestion]:
    names = [profile.column.name for profile in profiles if not profile.nulls]
    if names:
        yield _suggestion("not_null", {"columns": names}, f"no nulls in {rows_text(rows)}")


def _of_rows(rows: int) -> Suggestion:
    return _suggestion("row_count", {"min": 1}, f"{rows_text(rows)} now")


def _of_keys(profiles: Sequence[_Profile], rows: int) -> Iterator[Suggestion]:
    for profile in profiles:
        is_key = profile.column.type in _INTEGER and profile.distinct == rows
        if is_key:
            said = f"{profile.distinct:,} values in {rows_text(rows)}"
            yield _suggestion("unique", {"columns": [profile.column.name]}, said)


def _of_values(profile: _Profile, rows: int) -> Iterator[Suggestion]:
    """Yield what may be promised of the values of one column."""
    name, full = profile.column.name, rows - profile.nulls
    if not full:
        return
    if profile.values and len(profile.values) <= _MOST_VALUES:
        if full >= _ROWS_A_VALUE * len(profile.values):
            said = f"{len(profile.values)} values in {rows_text(full)}"
            yield _suggestion(
                "accepted_values", {"column": name, "values": list(profile.values)}, said
            )
    elif profile.patterns:
        pattern = profile.patterns[0]
        said = f"all {full:,} are {pattern}"
        yield _suggestion("matches", {"column": name, "pattern": PATTERNS[pattern]}, said)
    if TEXT.fullmatch(profile.column.type):
        yield from _of_length(profile)
    elif NUMERIC.fullmatch(profile.column.type):
        yield from _of_range(profile)


def _of_length(profile: _Profile) -> Iterator[Suggestion]:
    is_code = profile.low == profile.high and profile.low and profile.low <= _LONGEST_CODE
    if is_code and len(profile.values) > _MOST_VALUES:
        length = {"column": profile.column.name, "min": profile.low, "max": profile.high}
        yield _suggestion("string_length", length, f"all have {profile.low} characters")


def _of_range(profile: _Profile) -> Iterator[Suggestion]:
    """Yield the bounds that numbers often have by their nature: 0, and 0 to 1."""
    low, high = profile.low, profile.high
    if low is None or low < 0 or profile.distinct < 2:  # noqa: PLR2004 - one value is no range
        return
    if math.isnan(high):
        return  # NaN lies in no range
    is_share = high <= 1 and profile.column.type not in _INTEGER
    bounds = {"min": 0, "max": 1} if is_share else {"min": 0}
    said = f"from {short(low)} to {short(high)}"
    yield _suggestion("between", {"column": profile.column.name, **bounds}, said)


def _suggestion(kind: CheckKind, said: Mapping[str, Any], evidence: str) -> Suggestion:
    positional = (
        said["columns"]
        if "columns" in said
        else [said[name] for name in ("column", "pattern", "values") if name in said]
    )
    named = {name: said[name] for name in ("min", "max") if name in said}
    python = ", ".join([*map(_python, positional), *(f"{k}={v!r}" for k, v in named.items())])
    if "columns" in said:
        header = f"{{ {kind} = {_toml(said['columns'])} }}"
    else:
        inside = ", ".join(f"{name} = {_toml(value)}" for name, value in said.items())
        header = f"{{ {kind} = {{ {inside} }} }}"
    columns = tuple(said.get("columns", [said[name] for name in ("column",) if name in said]))
    return Suggestion(kind, f"{kind}({python})", header, evidence, columns)


def _python(value: object) -> str:
    """Return a text or list as Python writes it; a pattern without doubled backslashes."""
    if isinstance(value, list):
        return f"[{', '.join(map(_python, value))}]"
    text = str(value)
    is_raw = "\\" in text and '"' not in text and text.isprintable() and text[-1] != "\\"
    return f'r"{text}"' if is_raw else json.dumps(text, ensure_ascii=False)


def _toml(value: object) -> str:
    """Return a value as TOML writes it; what JSON writes of texts and numbers, it reads."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str) and "\\" in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
