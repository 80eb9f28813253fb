"""Which partition a row belongs to, as SQL over the value of a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import gcd
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from assetflow.errors import RowsOutsidePartition, UnfitPartitionColumn
from assetflow.model.names import PartitionKey
from assetflow.warehouse.quoting import quoted_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXAMPLES = 3
_LONGEST_ROW = 160
_MOST_BUCKETS = 1_000_000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive values are counted as they read
_MICROSECOND = timedelta(microseconds=1)
_AWARE = "TIMESTAMP WITH TIME ZONE"
_NAIVE = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})
_TEXTS = frozenset({"VARCHAR"})


class KeyWindow(NamedTuple):
    """A time partition: its key, and its window as two instants, the end exclusive."""

    key: PartitionKey
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class TimeKeys:
    """Time partitions in their order. Naive values are local time of `timezone`."""

    windows: tuple[KeyWindow, ...]
    timezone: str = "UTC"

    @property
    def keys(self) -> tuple[PartitionKey, ...]:
        """Return the keys in their order."""
        return tuple(window.key for window in self.windows)


@dataclass(frozen=True, slots=True)
class TextKeys:
    """Partitions that are named by the text of a value, in their order."""

    keys: tuple[PartitionKey, ...]


class Range(NamedTuple):
    """Values from `start` to `end` (exclusive), in microseconds or days since 1970."""

    start: int
    end: int


def key_expression(column: str, type_: str, keys: TimeKeys | TextKeys) -> str:
    """Return the SQL that gives the key to which a row belongs, NULL where there is none.

    `column` is an SQL expression of DuckDB's type `type_`. A text is the key itself; a
    date is looked up among the local dates on which windows begin; a naive time that
    the clocks show twice belongs to the first, one that they skip to what comes after.
    Raises UnfitPartitionColumn.
    """
    if isinstance(keys, TextKeys) or type_ in _TEXTS:
        return f"({column})::varchar"
    value, ranges = counted(column, type_, keys)
    return _looked_up(value, ranges, [quoted_text(key) for key in keys.keys])


def counted(column: str, type_: str, keys: TimeKeys) -> tuple[str, tuple[Range, ...]]:
    """Return the SQL that counts the values of `column`, and the range of each window.

    Raises UnfitPartitionColumn for a type that tells no time, and for dates where
    windows share one.
    """
    zone = ZoneInfo(keys.timezone)
    ranges: list[Range]
    if type_ == _AWARE:
        ranges = [Range(_instant(each.start), _instant(each.end)) for each in keys.windows]
        return f"epoch_us({column})", tuple(ranges)
    if type_ in _NAIVE:
        ranges = [Range(_local(each.start, zone), _local(each.end, zone)) for each in keys.windows]
        return f"epoch_us(({column})::timestamp)", tuple(ranges)
    if type_ != "DATE":
        raise UnfitPartitionColumn(column, type_, "it holds no time")
    ranges = [_dates(each, zone) for each in keys.windows]
    if any(left.end > right.start for left, right in pairwise(ranges)):
        raise UnfitPartitionColumn(column, type_, "several partitions share a date")
    return _DAYS.format(column), tuple(ranges)


def time_problem(type_: str) -> str | None:
    """Return why a column of `type_` cannot say to which window of time a row belongs."""
    is_time = type_ in _TEXTS or type_ in _NAIVE or type_ in (_AWARE, "DATE")
    return None if is_time else "it holds no time"


def slice_condition(column: str, type_: str, keys: TimeKeys) -> str:
    """Return the condition that a row lies in one of the windows, as `digest_slices` cuts.

    Each row lies in the window that `key_expression` gives, NULL in none. Files that are
    sorted by the column are read only where it holds. Raises UnfitPartitionColumn.
    """
    if type_ in _TEXTS:
        return f"({column}) in ({', '.join(quoted_text(key) for key in keys.keys)})"
    value, ranges = counted(column, type_, keys)
    runs = _joined(sorted(ranges))
    literal = _LITERALS.get(type_)
    left = column if literal else value
    bounds = [tuple(map(literal or str, run)) for run in runs]
    return " or ".join(f"({left} >= {start} and {left} < {end})" for start, end in bounds)


def _date_literal(days: int) -> str:
    return f"date '{_EPOCH.date() + timedelta(days=days)}'"


def _naive_literal(micros: int) -> str:
    return f"timestamp '{_EPOCH + micros * _MICROSECOND}'"


def _aware_literal(micros: int) -> str:
    return f"timestamptz '{_EPOCH + micros * _MICROSECOND}+00'"


_LITERALS = {"DATE": _date_literal, "TIMESTAMP": _naive_literal, _AWARE: _aware_literal}


def bucket_of(value: str, ranges: Sequence[Range]) -> tuple[str, list[Range]] | None:
    """Return SQL that numbers equal steps of `value`, and which of them each range has.

    The step is the longest that fits between all bounds; None where there would be too many.
    """
    first = min(each.start for each in ranges)
    last = max(each.end for each in ranges)
    step = gcd(*(bound - first for each in ranges for bound in each))
    if step == 0 or (last - first) // step > _MOST_BUCKETS:
        return None
    within = [Range((each.start - first) // step, (each.end - first) // step) for each in ranges]
    # Instants without end cannot be counted, so they are kept away from the division.
    inside = f"{value} >= {first} and {value} < {last}"
    return f"case when {inside} then ({value} - {first}) // {step} end", within


def check_rows_inside(
    connection: DuckDBPyConnection,
    scan: str,
    column: str,
    type_: str,
    keys: TimeKeys | TextKeys,
) -> None:
    """Raise RowsOutsidePartition unless each row of `scan` belongs to one of `keys`.

    NULL belongs to none. A local time that the clocks show twice, or skip, belongs to
    both partitions that could be meant; a date belongs to each window that has a part of it.
    """
    inside = _inside(column, type_, keys)
    query = f"select count(*), count(*) filter ({inside}) from {scan}"
    ((rows, found),) = connection.execute(query).fetchall()
    if rows > found:
        outside = f"not coalesce({inside}, false)"
        examples = example_rows(connection, scan, outside, f"({column})::varchar")
        raise RowsOutsidePartition(keys.keys, rows - found, rows, examples)


def example_rows(
    connection: DuckDBPyConnection, scan: str, condition: str, key: str
) -> list[tuple[str | None, str]]:
    """Return the first few rows of `scan` for which `condition` holds, each with its key."""
    # As text: Python has no value for some, such as an instant without one more library.
    texts = f"{key}, columns(*)::varchar"
    query = f"select {texts} from {scan} where {condition} limit {EXAMPLES}"
    cursor = connection.execute(query)
    names = [name for name, *_ in cursor.description or ()][1:]
    return [(found, _row_text(names, row)) for found, *row in cursor.fetchall()]


def _row_text(names: Sequence[str], row: Sequence[object]) -> str:
    text = ", ".join(f"{name} = {value}" for name, value in zip(names, row, strict=True))
    return text if len(text) <= _LONGEST_ROW else f"{text[:_LONGEST_ROW]}…"


def _inside(column: str, type_: str, keys: TimeKeys | TextKeys) -> str:
    """Return the condition that a row belongs to one of `keys`."""
    if isinstance(keys, TextKeys) or type_ in _TEXTS:
        texts = ", ".join(quoted_text(key) for key in keys.keys)
        return f"({column})::varchar in ({texts})"
    zone = ZoneInfo(keys.timezone)
    if type_ == "DATE":
        value, ranges = _DAYS.format(column), [_dates(each, zone) for each in keys.windows]
    elif type_ in _NAIVE:
        value = f"epoch_us(({column})::timestamp)"
        ranges = [_widest(each, zone) for each in keys.windows]
    else:
        value, exact = counted(column, type_, keys)
        ranges = list(exact)
    runs = _joined(sorted(ranges))
    return " or ".join(f"({value} >= {run.start} and {value} < {run.end})" for run in runs)


def _joined(ranges: Sequence[Range]) -> list[Range]:
    """Return ranges that touch or overlap as one."""
    joined: list[Range] = []
    for each in ranges:
        if joined and each.start <= joined[-1].end:
            joined[-1] = Range(joined[-1].start, max(joined[-1].end, each.end))
        else:
            joined.append(each)
    return joined


def _looked_up(value: str, ranges: Sequence[Range], names: Sequence[str]) -> str:
    buckets = bucket_of(value, ranges)
    if buckets is None:
        return _searched(value, sorted(zip(ranges, names, strict=True)))
    number, within = buckets
    rows = ", ".join(
        f"({name}, {each.start}, {each.end})" for name, each in zip(names, within, strict=True)
    )
    return (
        "(select af_key from (select af_key, unnest(range(af_from, af_to)) as af_bucket "
        f"from (values {rows}) as af_ranges(af_key, af_from, af_to)) where af_bucket = {number})"
    )


def _searched(value: str, ranges: Sequence[tuple[Range, str]]) -> str:
    """Return a search by halves, for ranges whose bounds have no step in common."""
    if len(ranges) == 1:
        ((start, end), name) = ranges[0]
        return f"case when {value} >= {start} and {value} < {end} then {name} end"
    left, right = ranges[: len(ranges) // 2], ranges[len(ranges) // 2 :]
    return (
        f"case when {value} < {right[0][0].start} "
        f"then {_searched(value, left)} else {_searched(value, right)} end"
    )


_DAYS = "(({0})::date - date '1970-01-01')"


def _instant(moment: datetime) -> int:
    return _micros(moment.astimezone(UTC).replace(tzinfo=None))


def _local(moment: datetime, zone: ZoneInfo) -> int:
    """Return the local time of `moment` as the clocks would show it just before a change."""
    before = (moment.astimezone(UTC) - _MICROSECOND).astimezone(zone)
    return _micros(before.replace(tzinfo=None)) + 1


def _widest(window: KeyWindow, zone: ZoneInfo) -> Range:
    """Return the local times that `window` may mean, before and after a change."""
    starts = (_local(window.start, zone), _shown(window.start, zone))
    ends = (_local(window.end, zone), _shown(window.end, zone))
    return Range(min(starts), max(ends))


def _dates(window: KeyWindow, zone: ZoneInfo) -> Range:
    start, end = window.start.astimezone(zone).date(), window.end.astimezone(zone).date()
    first = _day(start)
    return Range(first, max(_day(end), first + 1))


def _shown(moment: datetime, zone: ZoneInfo) -> int:
    return _micros(moment.astimezone(zone).replace(tzinfo=None))


def _micros(naive: datetime) -> int:
    return (naive - _EPOCH) // _MICROSECOND


def _day(day: date) -> int:
    return (day - _EPOCH.date()).days
