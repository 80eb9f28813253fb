"""Partitions as they are declared, and the keys that a definition has at an instant.

A definition is a value: equal ones are the same partitions. Making one never raises;
`find_problem` says what cannot work, so that it is told with what else is wrong.
"""

import functools
import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias, overload

from assetflow.errors import BadPartitionKey, UnknownPartition
from assetflow.model.names import WHOLE, PartitionKey, folded
from assetflow.model.windows import Grid, Unit, Window, is_zone, zone_of

LONGEST_KEY = 100
JOINS_DIMENSIONS = "|"
RANGE = ".."


@dataclass(frozen=True, slots=True, repr=False)
class TimePartitions:
    """Hours, days, weeks or months from `start` to before `end`, both keys of the unit.

    Without an end there is a partition for each window that has ended; with one, for
    each window before it, also for those still to come.
    """

    unit: Unit
    start: str
    end: str | None = None
    timezone: str = "UTC"
    offset_minutes: int = 0

    @property
    def grid(self) -> Grid:
        """Return the windows of which these partitions are some."""
        return Grid(self.unit, self.timezone, self.offset_minutes)

    @property
    def last(self) -> str:
        """Return the key of the last partition, "" where there is no end."""
        grid = self.grid
        return grid.key_at(grid.start(self.end) - timedelta(microseconds=1)) if self.end else ""

    def __str__(self) -> str:
        offset = f" from {self.begins_at}" if self.offset_minutes else ""
        return f"{_ADJECTIVES[self.unit]} in {self.timezone}{offset}"

    def __repr__(self) -> str:
        said = [repr(self.start), *([repr(self.end)] if self.end is not None else [])]
        zone = [f"timezone={self.timezone!r}"] if self.timezone != "UTC" else []
        offset = [f"offset={self.begins_at!r}"] if self.offset_minutes else []
        return f"{_ADJECTIVES[self.unit]}({', '.join((*said, *zone, *offset))})"

    @property
    def begins_at(self) -> str:
        """Return by the clock when each window begins that is a day or longer."""
        return "{:02}:{:02}".format(*divmod(self.offset_minutes, 60))


@dataclass(frozen=True, slots=True)
class StaticPartitions:
    """Partitions whose keys are listed, in this order."""

    keys: tuple[PartitionKey, ...]

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.keys[:_SHOWN]))
        return f"static ({shown}{', ...' if len(self.keys) > _SHOWN else ''})"


@dataclass(frozen=True, slots=True)
class DynamicPartitions:
    """Partitions whose keys are added and removed; definitions of one name share them."""

    name: str

    def __str__(self) -> str:
        return f"dynamic {self.name!r}"


Simple: TypeAlias = TimePartitions | StaticPartitions | DynamicPartitions


@dataclass(frozen=True, slots=True)
class ProductPartitions:
    """A partition for each combination of the keys of named dimensions."""

    dimensions: tuple[tuple[str, Simple], ...]

    def __str__(self) -> str:
        return " by ".join(f"{name}: {dimension}" for name, dimension in self.dimensions)


Partitions: TypeAlias = Simple | ProductPartitions
Moment: TypeAlias = str | date

_SHOWN = 3
_ADJECTIVES: Mapping[Unit, str] = {
    "hour": "hourly",
    "day": "daily",
    "week": "weekly",
    "month": "monthly",
}
_EXPECTED_STARTS: Mapping[Unit, str] = {
    "hour": 'an hour, such as "2026-01-05" or "2026-01-05T13"',
    "day": 'a day, such as "2026-01-05"',
    "week": 'a week or its Monday, such as "2026-W02" or "2026-01-05"',
    "month": 'a month or its first day, such as "2026-01" or "2026-01-01"',
}
_OFFSET = re.compile(r"(\d\d):(\d\d)")
_BAD_OFFSET = -1
_DAY_MINUTES = 24 * 60


def hourly(start: Moment, end: Moment | None = None, *, timezone: str = "UTC") -> TimePartitions:
    """Declare a partition for each hour from `start` to before `end`."""
    return _timed("hour", start, end, timezone)


def daily(
    start: Moment, end: Moment | None = None, *, timezone: str = "UTC", offset: str = "00:00"
) -> TimePartitions:
    """Declare a partition for each day; with `offset="06:00"` days begin at six."""
    return _timed("day", start, end, timezone, offset)


def weekly(
    start: Moment, end: Moment | None = None, *, timezone: str = "UTC", offset: str = "00:00"
) -> TimePartitions:
    """Declare a partition for each ISO week; they begin on Mondays."""
    return _timed("week", start, end, timezone, offset)


def monthly(
    start: Moment, end: Moment | None = None, *, timezone: str = "UTC", offset: str = "00:00"
) -> TimePartitions:
    """Declare a partition for each month."""
    return _timed("month", start, end, timezone, offset)


def static(keys: Sequence[str]) -> StaticPartitions:
    """Declare a partition for each of `keys`, in their order."""
    is_list = isinstance(keys, Iterable) and not isinstance(keys, str)
    return StaticPartitions(tuple(map(PartitionKey, keys)) if is_list else ())


def dynamic(name: str) -> DynamicPartitions:
    """Declare partitions whose keys are added and removed under `name`."""
    return DynamicPartitions(name)


def product(**dimensions: Simple) -> ProductPartitions:
    """Declare a partition for each combination: `product(day=daily(…), region=static([…]))`."""
    return ProductPartitions(tuple(dimensions.items()))


def _timed(
    unit: Unit, start: Moment, end: Moment | None, timezone: str, offset: str = "00:00"
) -> TimePartitions:
    minutes = _minutes(offset)
    said = (None if one is None else _bound(unit, one, timezone, minutes) for one in (start, end))
    first, last = said
    return TimePartitions(unit, first or "", last, timezone, minutes)


def _minutes(offset: object) -> int:
    found = _OFFSET.fullmatch(offset) if isinstance(offset, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else _BAD_OFFSET  # noqa: PLR2004 - minutes of an hour
    return minutes if minutes < _DAY_MINUTES else _BAD_OFFSET


def _bound(unit: Unit, moment: object, timezone: str, offset_minutes: int) -> str:
    """Return the key that begins at `moment`; what begins none as it was written."""
    written = moment.isoformat() if isinstance(moment, date) else str(moment)
    grid = Grid(unit)
    if grid.find_local(written) is not None:
        return written
    try:
        local = datetime.fromisoformat(written)
        if local.tzinfo is not None and is_zone(timezone):
            local = local.astimezone(zone_of(timezone)).replace(tzinfo=None)
        begun = local - timedelta(minutes=offset_minutes)
    except (ValueError, OverflowError):
        return written
    for beginning in (begun, local):
        key = grid.key_of(beginning)
        if grid.find_local(key) == beginning:
            return key
    return written


def find_problem(partitions: Partitions) -> str | None:
    """Return what is expected where `partitions` cannot work, else None."""
    match partitions:
        case TimePartitions():
            return _problem_of_time(partitions)
        case StaticPartitions(keys):
            return _problem_of_keys(keys)
        case DynamicPartitions(name):
            return None if _is_key(name) else f"a name for the dynamic keys: {EXPECTED_KEY}"
    return _problem_of_product(partitions)


EXPECTED_KEY = (
    "a text of 1 to 100 characters without |, /, .. and control characters, "
    "and without spaces around it"
)


def checked_keys(keys: Iterable[str]) -> tuple[PartitionKey, ...]:
    """Return `keys`, each once; raises BadPartitionKey for one that cannot be a key."""
    found = tuple(dict.fromkeys([keys] if isinstance(keys, str) else keys))
    for key in found:
        if not _is_key(key):
            raise BadPartitionKey(key, EXPECTED_KEY)
    return tuple(map(PartitionKey, found))


def find_key_problem(key: str) -> str | None:
    """Return what is expected where `key` cannot be the key of a partition, else None."""
    return None if _is_key(key) else EXPECTED_KEY


def _is_key(key: object) -> bool:
    return (
        isinstance(key, str)
        and 0 < len(key) <= LONGEST_KEY
        and key == key.strip()
        and key.isprintable()
        and not any(part in key for part in (JOINS_DIMENSIONS, RANGE, "/"))
    )


def _problem_of_time(partitions: TimePartitions) -> str | None:
    if not is_zone(partitions.timezone):
        return f'a time zone such as "Europe/Berlin", not {partitions.timezone!r}'
    if partitions.offset_minutes < 0:
        return 'an offset from "00:00" to "23:59"'
    for name, bound in (("start", partitions.start), ("end", partitions.end)):
        if bound is not None and not _is_bound(partitions, bound):
            return f"{name} as {_EXPECTED_STARTS[partitions.unit]}, not {bound!r}"
    grid, end = partitions.grid, partitions.end
    if end is not None and not grid.start(partitions.start) < grid.start(end):
        return f"an end after the start {partitions.start!r}, not {end!r}"
    return None


def _is_bound(partitions: TimePartitions, bound: str) -> bool:
    """Whether `bound` is a key that needs no offset from UTC to be told."""
    local = partitions.grid.find_local(bound)
    return local is not None and partitions.grid.key_of(local) == bound


def _problem_of_keys(keys: Sequence[str]) -> str | None:
    if not keys:
        return "a list of at least one key"
    for bad in (key for key in keys if not _is_key(key)):
        return f"keys that are each {EXPECTED_KEY}, not {bad!r}"
    seen = dict[str, str]()
    for key in keys:
        if folded(key) in seen:
            return f"keys that differ in more than case, not {seen[folded(key)]!r} and {key!r}"
        seen[folded(key)] = key
    return None


def _problem_of_product(partitions: ProductPartitions) -> str | None:
    if not partitions.dimensions:
        return "at least one dimension, such as day = daily(...)"
    for name, dimension in partitions.dimensions:
        if not isinstance(dimension, Simple):
            return f"dimensions that are time, static or dynamic partitions, which {name!r} is not"
        problem = find_problem(dimension)
        if problem:
            return f"{problem} (dimension {name!r})"
    return None


class KeySet(Sequence[PartitionKey]):
    """The keys of a definition as of an instant, in its order; windows are made when asked for.

    Compared by identity: `keys_of` gives one for equal definitions with equal keys.
    """

    def __init__(
        self, partitions: Partitions | None, keys: Iterable[PartitionKey], parts: "Parts" = ()
    ) -> None:
        self.partitions = partitions
        self.keys = tuple(keys)
        self.parts = parts
        """The keys of each dimension of a product."""

    @overload
    def __getitem__(self, at: int) -> PartitionKey: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[PartitionKey, ...]: ...
    def __getitem__(self, at: int | slice) -> PartitionKey | tuple[PartitionKey, ...]:
        return self.keys[at]

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[PartitionKey]:
        return iter(self.keys)

    def __contains__(self, key: object) -> bool:
        return key in self._positions

    def index(self, key: str, start: int = 0, stop: int | None = None) -> int:  # noqa: ARG002 - of Sequence
        """Return the position of `key`; ValueError where it is none of these."""
        found = self._positions.get(PartitionKey(key))
        if found is None:
            raise ValueError(key)
        return found

    @functools.cached_property
    def _positions(self) -> Mapping[PartitionKey, int]:
        return {key: position for position, key in enumerate(self.keys)}

    @property
    def time(self) -> TimePartitions | None:
        """Return the time partitions that these are, or have as their only dimension of time."""
        return time_of(self.partitions)

    def time_part(self, key: str) -> str:
        """Return the part of `key` that is a key of time; all of it where it has no parts."""
        if not isinstance(self.partitions, ProductPartitions):
            return key
        kinds = [isinstance(one, TimePartitions) for _, one in self.partitions.dimensions]
        return key.split(JOINS_DIMENSIONS)[kinds.index(True)]

    def window(self, key: str) -> Window | None:
        """Return the window of `key`, also of one outside the range; None without time."""
        return self.time.grid.window(self.time_part(key)) if self.time else None

    def local_start(self, key: str) -> datetime | None:
        """Return when `key` begins by the clocks of its zone; None without time.

        A beginning that clocks skip is given as if they did not. Of an hour that clocks
        repeat, all that they show belongs to the second window, so that rows without an
        offset are in one partition, and in one only.
        """
        local = self._local_time(key)
        return local[0] if local else None

    def local_end(self, key: str) -> datetime | None:
        """Return when `key` ends by the clocks of its zone; None without time."""
        local = self._local_time(key)
        return local[1] if local else None

    def _local_time(self, key: str) -> tuple[datetime, datetime] | None:
        return self.time.grid.local_times(self.time_part(key)) if self.time else None

    def position_at(self, instant: datetime) -> int:
        """Return the position of the window that holds `instant`; 0 before all, `len` after."""
        if not self.keys or not isinstance(self.partitions, TimePartitions):
            return 0
        grid = self.partitions.grid
        found = self._positions.get(grid.key_at(instant))
        if found is not None:
            return found
        return 0 if instant < grid.start(self.keys[0]) else len(self.keys)

    def between(self, first: str, last: str) -> tuple[PartitionKey, ...]:
        """Return the keys from `first` to `last`, both included, which need not be among them.

        Of a product: the combinations of what lies between in each dimension.
        UnknownPartition where one of them cannot be a key here.
        """
        if self.parts:
            ends = zip(self.parts, self._split(first), self._split(last), strict=True)
            return tuple(_joined(part.between(low, high) for part, low, high in ends))
        if isinstance(self.partitions, TimePartitions):
            start, end = self._start(first), self._start(last)
            low = bisect_left(self.keys, start, key=self._start)
            return self.keys[low : bisect_right(self.keys, end, key=self._start)]
        return self.keys[self._known(first) : self._known(last) + 1]

    def ranges(self, keys: Iterable[str]) -> list[tuple[PartitionKey, PartitionKey]]:
        """Return `keys` as runs of neighbours, each by its first and last; `between` inverts it.

        Keys that are none of these follow, each by itself.
        """
        wanted = {PartitionKey(key) for key in keys}
        others = sorted(key for key in wanted if key not in self._positions)
        found = self._boxes(wanted.difference(others)) if self.parts else self._runs(wanted)
        return [*found, *((key, key) for key in others)]

    def _runs(self, keys: Iterable[PartitionKey]) -> list[tuple[PartitionKey, PartitionKey]]:
        at = sorted(self._positions[key] for key in keys if key in self._positions)
        breaks = [n for n in range(1, len(at)) if at[n] != at[n - 1] + 1]
        edges = itertools.pairwise([0, *breaks, len(at)]) if at else ()
        return [(self.keys[at[low]], self.keys[at[high - 1]]) for low, high in edges]

    def _boxes(self, keys: Iterable[PartitionKey]) -> list[tuple[PartitionKey, PartitionKey]]:
        split = sorted(
            tuple(part.index(one) for part, one in zip(self.parts, self._split(key), strict=True))
            for key in keys
        )
        return [
            (self._at(low for low, _ in box), self._at(high for _, high in box))
            for box in _merged(split)
        ]

    def _at(self, positions: Iterable[int]) -> PartitionKey:
        parts = zip(self.parts, positions, strict=True)
        return PartitionKey(JOINS_DIMENSIONS.join(part[at] for part, at in parts))

    def _split(self, key: str) -> list[str]:
        parts = key.split(JOINS_DIMENSIONS)
        if len(parts) != len(self.parts):
            raise UnknownPartition(key, str(self.partitions), self.keys[-_SHOWN:])
        return parts

    def _start(self, key: str) -> datetime:
        grid = self.time.grid if self.time else None
        if grid is None or grid.find_local(key) is None:
            raise UnknownPartition(key, str(self.partitions), self.keys[-_SHOWN:])
        return grid.start(key)

    def _known(self, key: str) -> int:
        if key not in self._positions:
            raise UnknownPartition(key, str(self.partitions), self.keys)
        return self._positions[PartitionKey(key)]


Parts: TypeAlias = tuple[KeySet, ...]
Box: TypeAlias = tuple[tuple[int, int], ...]

WHOLE_KEYS = KeySet(None, (WHOLE,))
"""The keys of an asset without partitions: one."""


def _joined(parts: Iterable[Iterable[str]]) -> Iterator[PartitionKey]:
    for combination in itertools.product(*parts):
        yield PartitionKey(JOINS_DIMENSIONS.join(combination))


def _merged(points: Sequence[tuple[int, ...]]) -> list[Box]:
    """Return boxes that hold just the sorted `points`: equal ones of neighbours are merged."""
    if points and not points[0]:
        return [()]
    boxes = list[tuple[int, int, list[Box]]]()
    for first, group in itertools.groupby(points, key=lambda point: point[0]):
        inner = _merged([point[1:] for point in group])
        if boxes and boxes[-1][1] == first - 1 and boxes[-1][2] == inner:
            boxes[-1] = (boxes[-1][0], first, inner)
        else:
            boxes.append((first, first, inner))
    return [((low, high), *box) for low, high, inner in boxes for box in inner]


def time_of(partitions: Partitions | None) -> TimePartitions | None:
    """Return the time partitions that `partitions` are, or have as their only time dimension."""
    if isinstance(partitions, ProductPartitions):
        found = [one for _, one in partitions.dimensions if isinstance(one, TimePartitions)]
        return found[0] if len(found) == 1 else None
    return partitions if isinstance(partitions, TimePartitions) else None


def dynamic_names(partitions: Partitions | None) -> tuple[str, ...]:
    """Return under which names keys are added to `partitions`, or to a dimension of them.

    >>> dynamic_names(product(shop=dynamic("shops"), day=daily("2026-01-05")))
    ('shops',)
    """
    match partitions:
        case DynamicPartitions(name):
            return (name,)
        case ProductPartitions(dimensions):
            return tuple(name for _, one in dimensions for name in dynamic_names(one))
    return ()


def declared_names(definitions: Iterable[Partitions | None]) -> tuple[str, ...]:
    """Return the names of all dynamic partitions of `definitions`, each once."""
    return tuple(dict.fromkeys(name for one in definitions for name in dynamic_names(one)))


def described(partitions: Partitions) -> str:
    """Return in a few words what is declared, from its first partition on.

    >>> described(daily("2026-01-05", offset="06:00"))
    'daily from 2026-01-05, each from 06:00'
    >>> described(product(month=monthly("2026-01", end="2027-01"), shop=dynamic("shops")))
    "monthly from 2026-01 to 2026-12 by dynamic 'shops'"
    """
    match partitions:
        case TimePartitions():
            until = f" to {partitions.last}" if partitions.end else ""
            zone = f" in {partitions.timezone}" if partitions.timezone != "UTC" else ""
            offset = f", each from {partitions.begins_at}" if partitions.offset_minutes else ""
            return f"{_ADJECTIVES[partitions.unit]} from {partitions.start}{until}{zone}{offset}"
        case ProductPartitions(dimensions):
            return " by ".join(described(one) for _, one in dimensions)
    return str(partitions)


def in_a_word(partitions: Partitions) -> str:
    """Return what kind of partitions these are.

    >>> in_a_word(product(day=daily("2026-01-05"), shop=dynamic("shops")))
    'daily by dynamic'
    """
    match partitions:
        case TimePartitions():
            return _ADJECTIVES[partitions.unit]
        case StaticPartitions():
            return "static"
        case DynamicPartitions():
            return "dynamic"
    return " by ".join(in_a_word(one) for _, one in partitions.dimensions)


def keys_of(
    partitions: Partitions | None,
    now: datetime,
    dynamic: Mapping[str, tuple[PartitionKey, ...]] | None = None,
) -> KeySet:
    """Return the keys of `partitions` at `now`; `dynamic` are those that were added, by name.

    Of definitions without an end the last key is that of the last window closed at `now`.
    """
    match partitions:
        case None:
            return WHOLE_KEYS
        case TimePartitions(end=str(end)):
            return _time_keys(partitions, end)
        case TimePartitions():
            return _time_keys(partitions, partitions.grid.key_at(now.astimezone(UTC)))
        case StaticPartitions():
            return _listed_keys(partitions, partitions.keys)
        case DynamicPartitions(name):
            return _listed_keys(partitions, (dynamic or {}).get(name, ()))
    parts = tuple(keys_of(one, now, dynamic) for _, one in partitions.dimensions)
    return _product_keys(partitions, parts)


_CACHED = 512


@functools.lru_cache(maxsize=_CACHED)
def _time_keys(partitions: TimePartitions, end: str) -> KeySet:
    is_begun = partitions.grid.start(partitions.start) < partitions.grid.start(end)
    return KeySet(partitions, partitions.grid.keys(partitions.start, end) if is_begun else ())


@functools.lru_cache(maxsize=_CACHED)
def _listed_keys(partitions: Partitions, keys: tuple[PartitionKey, ...]) -> KeySet:
    return KeySet(partitions, keys)


@functools.lru_cache(maxsize=_CACHED)
def _product_keys(partitions: ProductPartitions, parts: Parts) -> KeySet:
    return KeySet(partitions, _joined(parts), parts)
