"""Spans of time as users write them: "90s", "10m", "6h", "2d", "1h30m", or seconds."""

import functools
import math
import re

from assetflow.errors import BadDuration

EXPECTED_DURATION = 'a number of seconds, or a text such as "90s", "10m", "6h", "2d" or "1h30m"'

_NUMBER = r"(\d+(?:\.\d+)?)"
_WRITTEN = re.compile(rf"(?:{_NUMBER}d)?\s*(?:{_NUMBER}h)?\s*(?:{_NUMBER}m)?\s*(?:{_NUMBER}s)?")
_SECONDS = (86400, 3600, 60, 1)


def find_seconds(value: object) -> float | None:
    """Return the seconds that `value` says, or None where it says no duration."""
    match value:
        case bool():
            return None
        case int() | float():
            return float(value) if math.isfinite(value) and value >= 0 else None
        case str():
            return _written_seconds(value.strip())
    return None


def parse_duration(value: str | float) -> float:
    """Return the seconds that `value` says; BadDuration where it says none.

    >>> parse_duration("1h30m"), parse_duration(90)
    (5400.0, 90.0)
    """
    seconds = find_seconds(value)
    if seconds is None:
        raise BadDuration(value, EXPECTED_DURATION)
    return seconds


def duration_text(seconds: float) -> str:
    """Return `seconds` as a user would write it.

    >>> duration_text(5400.0), duration_text(172800.0), duration_text(0.5)
    ('1h30m', '2d', '0.5s')
    """
    rest, said = seconds, ""
    for unit, size in zip("dhm", _SECONDS, strict=False):
        count, rest = divmod(rest, size)
        said += f"{count:.0f}{unit}" if count else ""
    return f"{said}{rest:g}s" if rest or not said else said


@functools.cache
def _written_seconds(text: str) -> float | None:
    found = _WRITTEN.fullmatch(text)
    if not text or found is None:
        return None
    parts = zip(found.groups(), _SECONDS, strict=True)
    return sum((float(number) * unit for number, unit in parts if number), 0.0)
