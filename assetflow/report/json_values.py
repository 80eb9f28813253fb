"""How values of any kind are written in JSON, without loss.

Numbers stay numbers where every reader gets the same number back: integers within
2**53, floats, and decimals that a float holds exactly as written. Others, and NaN and
the infinities, become strings of their digits. Instants are ISO 8601 in UTC with a Z;
timestamps without a zone, dates and times are ISO 8601 as they are; intervals are
seconds; bytes are hex; whatever else there is becomes its text.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

MOST_EXACT = 2**53


def json_value(value: object) -> object:
    """Return `value` as JSON can hold it.

    >>> json_value(2**60), json_value(0.5), json_value(bytes([1])), json_value((1, None))
    ('1152921504606846976', 0.5, '01', [1, None])
    """
    match value:
        case None | bool() | str():
            return value
        case int() | float() | Decimal():
            return _number(value)
        case datetime() | date() | time() | timedelta():
            return _time(value)
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
    return _collection(value)


def json_instant(at: datetime | None) -> str | None:
    """Return an instant as ISO 8601 in UTC, or None."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _number(value: float | Decimal) -> object:
    if isinstance(value, int):
        return value if abs(value) <= MOST_EXACT else str(value)
    if not math.isfinite(value):
        return str(value)
    return _decimal(value) if isinstance(value, Decimal) else value


def _decimal(value: Decimal) -> object:
    if abs(value) > MOST_EXACT or Decimal(repr(float(value))) != value:
        return str(value)
    return int(value) if value == value.to_integral_value() else float(value)


def _time(value: datetime | date | time | timedelta) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime) and value.tzinfo is not None:
        return json_instant(value)
    return value.isoformat()


def _collection(value: object) -> object:
    match value:
        case Mapping():
            return {str(name): json_value(item) for name, item in value.items()}
        case list() | tuple():
            return _values(value)
        case set() | frozenset():
            return sorted(_values(value), key=str)
    return str(value)


def _values(values: Iterable[object]) -> list[object]:
    return [json_value(item) for item in values]
