"""When a cron expression of five fields fires, by the clocks of a time zone.

What clocks skip fires at the instant of the change, what they show twice fires the first
time, as in Debian's cron; expressions with `*` in minutes or hours follow the clock.
"""

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from assetflow.model.windows import zone_of

_FIELDS = 5
_HOUR, _SECOND = timedelta(hours=1), timedelta(seconds=1)
_SOME_LEAP_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
_EXPECTED = 'a cron expression of five fields, such as "0 7 * * 1-5"'
_NEVER = "a cron expression that fires; this one never does"


def find_cron_problem(text: str) -> str | None:
    """Return what is expected where `text` is no cron expression, or never fires; else None.

    >>> find_cron_problem("0 0 30 2 *")
    'a cron expression that fires; this one never does'
    """
    fields = text.split()
    if len(fields) != _FIELDS or not _fires(*fields[:3], "*", fields[4]):
        return _EXPECTED
    return None if _fires(*fields) else _EXPECTED if _is_no_month(fields[3]) else _NEVER


def next_tick(cron: str, timezone: str, after: datetime) -> datetime:
    """Return the first instant after `after` at which `cron` fires."""
    hour = after.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    ticks = _ticks(cron, timezone, hour)
    return ticks[bisect_right(ticks, after)]


def tick_before(cron: str, timezone: str, instant: datetime) -> datetime:
    """Return the last instant before `instant` at which `cron` fires."""
    hour = instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    ticks = _ticks(cron, timezone, hour)
    place = bisect_left(ticks, instant)
    return ticks[place - 1] if place else _tick_before_hour(cron, timezone, hour)


@functools.lru_cache(maxsize=4096)
def _tick_before_hour(cron: str, timezone: str, hour: datetime) -> datetime:
    from cronsim import CronSim

    local = hour.astimezone(zone_of(timezone))
    found = next(tick for tick in CronSim(cron, local, reverse=True) if tick < hour)
    found = found.astimezone(UTC)
    # Backwards, a first of two times that clocks show is missed between the two.
    while (following := next_tick(cron, timezone, found)) < hour:
        found = following
    return found


@functools.lru_cache(maxsize=4096)
def _ticks(cron: str, timezone: str, hour: datetime) -> tuple[datetime, ...]:
    """Return the instants within `hour` at which `cron` fires, and the first that follows."""
    return tuple(_until_after(hour + _HOUR, _firing(cron, timezone, hour)))


def _until_after(end: datetime, ticks: Iterator[datetime]) -> Iterator[datetime]:
    for tick in ticks:
        yield tick
        if tick >= end:
            return


def _firing(cron: str, timezone: str, start: datetime) -> Iterator[datetime]:
    """Yield the instants from `start` on at which `cron` fires."""
    from cronsim import CronSim

    ticks = CronSim(cron, (start - _SECOND).astimezone(zone_of(timezone)))
    return (tick.astimezone(UTC) for tick in ticks if tick >= start)


def _fires(*fields: str) -> bool:
    from cronsim import CronSim, CronSimError

    try:
        return next(CronSim(" ".join(fields), _SOME_LEAP_YEAR), None) is not None
    except CronSimError:
        return False


def _is_no_month(field: str) -> bool:
    return not _fires("0", "0", "1", field, "*")
