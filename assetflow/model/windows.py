"""The hours, days, weeks and months of a time zone: their keys, and the instants they span.

Days, weeks and months begin at the first instant at which the clocks of the zone show
their beginning or later: a beginning that clocks skip is the instant of the change, one
that they show twice is the first. An hour is the time during which clocks show the same
hour with the same offset from UTC: one that clocks repeat is two, and the second is told
by its offset (`2026-10-25T02+01`). What clocks skip has no key.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from assetflow.model.names import PartitionKey

Unit = Literal["hour", "day", "week", "month"]

EARLIEST_YEAR, LATEST_YEAR = 1000, 8999

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_MONTHS = 12
_PLAIN = "2026-01-01T00"
_HOUR_KEY = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d)([+-]\d\d(?:\d\d){0,2})?")
_DAY_KEY = re.compile(r"\d{4}-\d\d-\d\d")
_WEEK_KEY = re.compile(r"(\d{4})-W(\d\d)")
_MONTH_KEY = re.compile(r"(\d{4})-(\d\d)")


class Window(NamedTuple):
    """The time that a partition spans, as instants in UTC; the end is exclusive."""

    start: datetime
    end: datetime

    @property
    def text(self) -> str:
        """Return both instants as records hold them."""
        return f"{_written(self.start)}/{_written(self.end)}"


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@dataclass(frozen=True, slots=True)
class Grid:
    """All the windows of one unit in one time zone, without a beginning or an end."""

    unit: Unit
    timezone: str = "UTC"
    offset_minutes: int = 0

    def find_local(self, key: str) -> datetime | None:
        """Return when `key` begins by the clocks of the zone; None for what is no key."""
        try:
            local = _BEGINNINGS[self.unit](key)
        except ValueError:
            return None
        if local is None or not EARLIEST_YEAR <= local.year <= LATEST_YEAR:
            return None
        return local + timedelta(minutes=self.offset_minutes)

    def key_of(self, local: datetime) -> PartitionKey:
        """Return the plain key of the window in which clocks show `local`."""
        return PartitionKey(_TEXTS[self.unit](local - timedelta(minutes=self.offset_minutes)))

    def local_end(self, key: str) -> datetime:
        """Return when the clocks of the zone show the end of `key`, as if none were changed."""
        return _following(self.unit, self._local(key))

    def local_times(self, key: str) -> tuple[datetime, datetime] | None:
        """Return when `key` begins and ends by the clocks of the zone; None for what is no key.

        Of an hour that clocks repeat, all that they show twice belongs to the second window.
        """
        local, window = self.find_local(key), self.window(key)
        if local is None:
            return None
        begins, ends = local, _following(self.unit, local)
        if self.unit == "hour" and window:
            zone = zone_of(self.timezone)
            is_second = self.key_of(local) != key
            begins = max(begins, _local_time(window.start, zone)) if is_second else begins
            ends = max(begins, min(ends, _local_time(window.end, zone)))
        return begins, ends

    def window(self, key: str) -> Window | None:
        """Return the window of `key`; None for what is no key, or is skipped by the clocks."""
        local = self.find_local(key)
        if local is None:
            return None
        if self.unit == "hour":
            return self._hour(key, local)
        zone = zone_of(self.timezone)
        start, end = first_instant(local, zone), first_instant(_following(self.unit, local), zone)
        return Window(start, end) if start < end else None

    def start(self, key: str) -> datetime:
        """Return the instant at which `key` begins, or would if it were not skipped."""
        window = self.window(key)
        return window.start if window else first_instant(self._local(key), zone_of(self.timezone))

    def key_at(self, instant: datetime) -> PartitionKey:
        """Return the key of the window that holds `instant`."""
        local = instant.astimezone(zone_of(self.timezone)).replace(tzinfo=None)
        key = self.key_of(local)
        if self.unit == "hour":
            return self._hour_at(key, instant)
        window = self.window(key)
        has_ended = window is not None and window.end <= instant
        return self.key_of(self.local_end(key)) if has_ended else key

    def keys(self, first: str, end: str) -> tuple[PartitionKey, ...]:
        """Return the keys from `first` to before `end`, in order; skipped ones are left out."""
        start, stop = self._local(first), self._local(end)
        if self.unit == "hour":
            return tuple(self._hours(self.start(first), self.start(end)))
        offset = timedelta(minutes=self.offset_minutes)
        keys = _labels(self.unit, start - offset, stop - offset)
        skipped = {key for key in self._doubtful(start, stop) if self.window(key) is None}
        return tuple(PartitionKey(key) for key in keys if key not in skipped)

    def _local(self, key: str) -> datetime:
        local = self.find_local(key)
        if local is None:
            raise KeyError(key)
        return local

    def _doubtful(self, start: datetime, stop: datetime) -> Iterator[str]:
        """Yield the keys around the changes of clocks that may skip a whole day."""
        for change in _changes_between(self.timezone, start - _DAY, stop + _DAY):
            if change.after - change.before >= _DAY:
                local = (change.at + change.before).replace(tzinfo=None)
                yield from (self.key_of(local + n * _DAY) for n in (-1, 0, 1))

    def _hour(self, key: str, local: datetime) -> Window | None:
        zone, plain = zone_of(self.timezone), key[: len(_PLAIN)]
        first = self._rest_of_hour(first_instant(local, zone))
        if _local_time(first.start, zone).replace(minute=0, second=0, microsecond=0) != local:
            return None
        if key == plain:
            return first
        start = (local - _read_offset(key[len(plain) :])).replace(tzinfo=UTC)
        if _offset_text(_offset(start, zone)) != key[len(plain) :]:
            start = next((change.at for change in self._changes_in(start)), start)
        is_meant = _offset_text(_offset(start, zone)) == key[len(plain) :]
        is_repeated = self.key_of(_local_time(start, zone)) == plain and start > first.start
        return self._rest_of_hour(start) if is_meant and is_repeated else None

    def _hour_at(self, key: PartitionKey, instant: datetime) -> PartitionKey:
        first = self.window(key)
        if first and first.start <= instant < first.end:
            return key
        return PartitionKey(key + _offset_text(_offset(instant, zone_of(self.timezone))))

    def _rest_of_hour(self, start: datetime) -> Window:
        """Return the window from `start` until clocks show another hour, or are changed."""
        local = _local_time(start, zone_of(self.timezone))
        end = start + _HOUR - (local - local.replace(minute=0, second=0, microsecond=0))
        changes = (change.at for change in self._changes_in(start))
        return Window(start, min((at for at in changes if at < end), default=end))

    def _changes_in(self, start: datetime) -> Iterator["Change"]:
        """Yield the changes of clocks in the hour that follows `start`."""
        year = _changes_in_year(self.timezone, start.year)
        yield from (change for change in year if start < change.at <= start + _HOUR)

    def _hours(self, start: datetime, stop: datetime) -> Iterator[PartitionKey]:
        """Yield the keys of the hours from one instant to before another."""
        zone, key = zone_of(self.timezone), self.key_at(start)
        latest = self.find_local(key) if len(key) > len(_PLAIN) else None
        changes = _changes_between(
            self.timezone, start.replace(tzinfo=None), stop.replace(tzinfo=None)
        )
        edges = [start, *(one.at for one in changes if start < one.at < stop), stop]
        for begin, end in zip(edges, edges[1:], strict=False):
            local = _local_time(begin, zone).replace(minute=0, second=0, microsecond=0)
            until, suffix = (
                _local_time(begin, zone) + (end - begin),
                _offset_text(_offset(begin, zone)),
            )
            while local < until:
                key = local.isoformat()[: len(_PLAIN)]
                yield PartitionKey(key + suffix if latest and local <= latest else key)
                local += _HOUR
            latest = max(latest or local, local - _HOUR)


class Change(NamedTuple):
    """One instant at which the clocks of a zone are changed, and their offsets from UTC."""

    at: datetime
    before: timedelta
    after: timedelta


@functools.lru_cache
def zone_of(name: str) -> ZoneInfo:
    """Return the time zone `name`; ZoneInfoNotFoundError or ValueError where there is none."""
    return ZoneInfo(name)


def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the clocks of `zone` show `local` or later."""
    early = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    late = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return early if early <= late else _change_between(zone, late, early)


def _local_time(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _change_between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Return the instant after `low` from which clocks are as at `high`, by bisection."""
    after, seconds = _offset(high, zone), int((high - low).total_seconds())
    below, above = 0, seconds
    while above - below > 1:
        middle = (below + above) // 2
        if _offset(low + timedelta(seconds=middle), zone) == after:
            above = middle
        else:
            below = middle
    return low + timedelta(seconds=above)


def _changes_between(timezone: str, start: datetime, stop: datetime) -> Iterator[Change]:
    """Yield the changes of clocks in the years from `start` to `stop`."""
    for year in range(start.year, stop.year + 1):
        yield from _changes_in_year(timezone, year)


@functools.lru_cache(maxsize=4096)
def _changes_in_year(timezone: str, year: int) -> tuple[Change, ...]:
    """Return the changes of clocks in one year of UTC, of which no day has two."""
    zone, found = zone_of(timezone), list[Change]()
    day, stop = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    before = _offset(day - _DAY, zone)
    while day <= stop:
        after = _offset(day, zone)
        if after != before:
            found.append(Change(_change_between(zone, day - _DAY, day), before, after))
        day, before = day + _DAY, after
    return tuple(change for change in found if change.at.year == year)


def _following(unit: Unit, local: datetime) -> datetime:
    match unit:
        case "hour":
            return local + _HOUR
        case "day":
            return local + _DAY
        case "week":
            return local + 7 * _DAY
    month = local.month % _MONTHS + 1
    return local.replace(year=local.year + (month == 1), month=month)


def _labels(unit: Unit, start: datetime, stop: datetime) -> Iterator[str]:
    """Yield the keys of days, weeks or months from `start` to before `stop`."""
    text = _TEXTS[unit]
    if unit == "day":
        days = range(start.toordinal(), stop.toordinal())
        yield from (date.fromordinal(day).isoformat() for day in days)
        return
    while start < stop:
        yield text(start)
        start = _following(unit, start)


def _hour_beginning(key: str) -> datetime | None:
    found = _HOUR_KEY.fullmatch(key)
    return datetime.fromisoformat(f"{found[1]}T{found[2]}:00:00") if found else None


def _day_beginning(key: str) -> datetime | None:
    return datetime.fromisoformat(key) if _DAY_KEY.fullmatch(key) else None


def _week_beginning(key: str) -> datetime | None:
    found = _WEEK_KEY.fullmatch(key)
    return datetime.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None


def _month_beginning(key: str) -> datetime | None:
    found = _MONTH_KEY.fullmatch(key)
    return datetime(int(found[1]), int(found[2]), 1) if found else None  # noqa: DTZ001 - a local time


def _week_text(local: datetime) -> str:
    year, week, _ = local.isocalendar()
    return f"{year:04}-W{week:02}"


_BEGINNINGS = {
    "hour": _hour_beginning,
    "day": _day_beginning,
    "week": _week_beginning,
    "month": _month_beginning,
}
_TEXTS = {
    "hour": lambda local: local.isoformat()[: len(_PLAIN)],
    "day": lambda local: local.date().isoformat(),
    "week": _week_text,
    "month": lambda local: f"{local.year:04}-{local.month:02}",
}


def _offset_text(offset: timedelta) -> str:
    """Return an offset from UTC as a key tells it: +01, +0530.

    >>> _offset_text(timedelta(hours=-3, minutes=-30))
    '-0330'
    """
    seconds = int(offset.total_seconds())
    digits = f"{abs(seconds) // 3600:02}{abs(seconds) % 3600 // 60:02}{abs(seconds) % 60:02}"
    digits = digits.removesuffix("00").removesuffix("00") if seconds else "00"
    return ("-" if seconds < 0 else "+") + (digits if len(digits) > 1 else "00")


def _read_offset(text: str) -> timedelta:
    digits = text[1:].ljust(6, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:]))
    return -size if text.startswith("-") else size
