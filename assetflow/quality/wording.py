"""What checks want and what they found, in words that people compare."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from assetflow.model.checks import Argument, Check
from assetflow.quality.fitting import as_tuple


def promise(check: Check) -> str:
    """Return what `check` wants, in words, with what it bears."""
    said = _PROMISES.get(check.kind, _nothing)(check)
    borne = tolerance(check)
    return ", ".join(part for part in (said, borne) if part)


def tolerance(check: Check) -> str:
    """Return how many rows may fail, "" where none may."""
    if check.max_fraction:
        least = f"{check.max_failures:,} rows or " if check.max_failures else ""
        return f"but for {least}{100 * check.max_fraction:g} % of the rows"
    return f"but for {rows_text(check.max_failures)}" if check.max_failures else ""


def _bounds(check: Check) -> str:
    low, high = (_value(check.argument(name)) for name in ("min", "max"))
    if low and low == high:
        return f"exactly {low}"
    if low and high:
        return f"between {low} and {high}"
    return f"at least {low}" if low else f"at most {high}"


def _plural(check: Check) -> str:
    """Return the ending of what is counted: the last bound that is said decides."""
    low, high = check.argument("min"), check.argument("max")
    return "" if (low if high is None else high) == 1 else "s"


def _value(value: Argument) -> str:
    match value:
        case None:
            return ""
        case bool() | str():
            return str(value)
        case int() | float():
            return short(value)
    return ", ".join(map(_value, value))


_MOST_VALUES = 8


def _listed(check: Check) -> str:
    values = as_tuple(check.argument("values"))
    more = f" and {len(values) - _MOST_VALUES:,} more" if len(values) > _MOST_VALUES else ""
    return f"one of {', '.join(map(_value, values[:_MOST_VALUES]))}{more}"


def _nothing(_: Check) -> str:
    return "no rows"


def _course(check: Check) -> str:
    way = "falls" if check.argument("decreasing") else "rises"
    return way if check.argument("strict") else f"never {'rises' if way == 'falls' else 'falls'}"


_PROMISES: Mapping[str, Callable[[Check], str]] = {
    "not_null": lambda _: "no nulls",
    "unique": lambda _: "each once",
    "accepted_values": _listed,
    "between": _bounds,
    "matches": lambda check: f"matches {check.argument('pattern')}",
    "string_length": lambda check: f"{_bounds(check)} character{_plural(check)}",
    "row_count": lambda check: f"{_bounds(check)} row{_plural(check)}",
    "references": lambda check: f"in {check.inputs[0].name}",
    "expression": lambda check: " ".join(str(check.argument("sql")).split()),
    "column_types": lambda _: "columns of these types",
    "monotonic": _course,
    "recent": lambda check: f"at most {span(real(check.argument('max_age'), 0))} ago",
    "aggregate": _bounds,
    "equal_rows": lambda check: f"the rows of {check.inputs[0].name}",
    "unchanged_schema": lambda _: "the columns of the published version",
    "contract": lambda check: f"the declared columns, {check.argument('mode')}",
    "anomaly": lambda _: "",
    "drift": lambda check: f"as in {check.argument('baseline')}",
}


def figure_text(check: Check, value: object) -> str:
    """Return a figure with its name, as in "mean 3.42"."""
    name = str(check.argument("function") or check.argument("metric"))
    found = number(value)
    if name == "row_count" and found is not None:
        return rows_text(round(found))
    return f"{name.replace('_', ' ')} {value if found is None else short(found)}"


def rows_text(count: int) -> str:
    """Return a number of rows.

    >>> rows_text(1), rows_text(30411)
    ('1 row', '30,411 rows')
    """
    return f"{count:,} row{'' if count == 1 else 's'}"


def real(value: Argument, otherwise: float) -> float:
    """Return a number that a check was told, `otherwise` where it was not."""
    return float(value) if isinstance(value, int | float) else otherwise


def number(value: object) -> float | None:
    """Return a figure as a float, None for one of dates or texts."""
    return None if value is None or isinstance(value, str | bool) else float(str(value))


def finite(value: float | None) -> float | None:
    """Return `value` if it can be kept in a history."""
    return value if value is not None and math.isfinite(value) else None


def plain_text(said: object) -> str:
    """Return what somebody said as a text that can be kept: what is no Unicode is "?".

    >>> plain_text(None), plain_text(0.5), plain_text("a" + chr(0xD800))
    ('', '0.5', 'a?')
    """
    return "" if said is None else str(said).encode("utf-8", "replace").decode("utf-8")


def short(value: float) -> str:
    """Return a number as people compare it: six digits, thousands parted.

    >>> short(30411), short(0.123456789), short(float("nan"))
    ('30,411', '0.123457', 'nan')
    """
    if abs(value) < _EXACT and value == round(value):
        return f"{round(value):,}"
    return f"{value:,.6g}"


def instant_text(seconds: float) -> str:
    """Return the instant that lies so many seconds after 1970 began, in UTC, to the second.

    >>> instant_text(1767225600.5), instant_text(1e15)
    ('2026-01-01 00:00:00', 'in the year 31,690,709')
    """
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return f"in the year {1970 + round(seconds / _YEAR):,}"


_YEAR = 365.2425 * 86400
_EXACT = 1e15
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def span(seconds: float) -> str:
    """Return a duration in its two largest units.

    >>> span(93784), span(-5), span(0.2)
    ('1d 2h', '-5s', '0s')
    """
    rest, parts = abs(round(seconds)), []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        parts += [f"{count}{unit}"] if count else []
    sign = "-" if seconds < 0 and parts else ""
    return sign + (" ".join(parts[:2]) or "0s")
