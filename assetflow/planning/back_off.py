"""When a root that gave nothing new is asked again: later each time. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

FIRST = timedelta(minutes=1)
LONGEST = timedelta(minutes=15)
_MOST_DOUBLINGS = 16


def rests_until(asks: Iterable[tuple[datetime, datetime | None]]) -> datetime | None:
    """Return until when what was asked rests; None if it last gave something new.

    `asks` are (when, data time that it gave), the oldest first. It rests a minute after
    the first that gave nothing newer, twice as long after each next, at most a quarter of an hour.
    """
    newest: datetime | None = None
    last, fruitless = None, 0
    for asked_at, given in asks:
        is_new = given is not None and (newest is None or given > newest)
        newest, fruitless = (given, 0) if is_new else (newest, fruitless + 1)
        last = asked_at
    return None if last is None else rest_after(fruitless, last)


def rest_after(fruitless: int, last: datetime) -> datetime | None:
    """Return until when it rests that gave nothing new `fruitless` times, at last at `last`.

    >>> rest_after(3, datetime(2026, 1, 5, 12))
    datetime.datetime(2026, 1, 5, 12, 4)
    """
    if not fruitless:
        return None
    doublings: int = 2 ** min(fruitless - 1, _MOST_DOUBLINGS)
    return last + min(FIRST * doublings, LONGEST)
