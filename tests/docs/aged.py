"""Whether two reports on freshness say the same, each of its own moment."""

import re
from datetime import UTC, datetime

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_AGE = re.compile(r"\b\d[\d,]*(?:\.\d+)?[dhms](?: \d+[hms])?(?![\w.])")
_AS_OF = re.compile(r"as of (\d{4}-\d\d-\d\d \d\d:\d\d) UTC")
_HOUR, _DAY = 3600.0, 86400.0


def is_same_report(expected: str, found: str) -> bool:
    """Whether words are the same, bounds equal, and ages those of the same data.

    Lines break where ages leave room, so that it is the words that are compared. What is
    old is as much older as the second report is later; of what was just made, the speed
    of the machine decides, within an hour. A bound of two units is that of a deadline.
    """
    passed = _as_of(found) - _as_of(expected)
    (words, ages), (others, other_ages) = _parted(expected), _parted(found)
    return words == others and all(
        _is_same_bound(one, other) if is_bound else _is_same_age(one, other, passed)
        for (is_bound, one), (_, other) in zip(ages, other_ages, strict=True)
    )


def _parted(report: str) -> tuple[list[str], list[tuple[bool, str]]]:
    """Return the words, with a place for each age, and the ages: if it is a bound, and what."""
    text = " ".join(_AS_OF.sub("as of now", report).split())
    ages = []
    for age in _AGE.finditer(text):
        before = text[: age.start()].split()
        ages.append((before[-1:] in (["of"], ["most"]), age.group()))
    return _AGE.sub("<age>", text).split(), ages


def _is_same_bound(one: str, other: str) -> bool:
    is_deadline = " " in one or " " in other
    return one == other or (is_deadline and abs(_seconds(one) - _seconds(other)) < _DAY)


def _is_same_age(one: str, other: str, passed: float) -> bool:
    difference = _seconds(other) - _seconds(one)
    precision = _HOUR if max(_seconds(one), _seconds(other)) < _DAY else _DAY
    return min(abs(difference), abs(difference - passed)) <= precision


def _seconds(age: str) -> float:
    return sum(float(part[:-1].replace(",", "")) * _UNITS[part[-1]] for part in age.split())


def _as_of(report: str) -> float:
    found = _AS_OF.search(" ".join(report.split()))
    if found is None:
        return 0.0
    return datetime.strptime(found[1], "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp()
