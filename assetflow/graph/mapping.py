"""Which partitions of an upstream a partition is made from, and the inverse of that.

A mapping is a value, found once for each input by `resolve`. `below` is always the asset
that reads and `above` what it reads. Reads and their inverse cost what they answer, not
what the definitions hold.
"""

import functools
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, TypeAlias

from assetflow.errors import MappingNotInferred
from assetflow.model.mappings import AllPartitions, DeclaredMapping, Latest, Offset, Trailing
from assetflow.model.names import WHOLE, PartitionKey
from assetflow.model.partitions import (
    JOINS_DIMENSIONS,
    WHOLE_KEYS,
    DynamicPartitions,
    KeySet,
    Partitions,
    ProductPartitions,
    Simple,
    StaticPartitions,
    TimePartitions,
    time_of,
)

Keys: TypeAlias = tuple[PartitionKey, ...]

_WHOLE_HOUR = 60
_MOMENT = timedelta(microseconds=1)
_NESTING = frozenset(
    {("day", "week"), ("day", "month"), *(("hour", unit) for unit in ("day", "week", "month"))}
)


class PartitionMapping(ABC):
    """One way in which partitions map to those of an upstream.

    `text` goes into traces. `blocks` says whether a partition of the upstream that was
    not made keeps a reader from being made.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def text(self) -> str:
        """Return the name of the mapping, as traces hold it."""

    @property
    def blocks(self) -> bool:
        """Whether a missing partition of the upstream keeps a reader from being made."""
        return True

    @abstractmethod
    def reads(self, key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        """Return the keys of `above` that `key` is made from, in the order of `above`."""

    @abstractmethod
    def readers(self, upstream_key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        """Return the keys of `below` that are made from `upstream_key`, in their order."""


@dataclass(frozen=True, slots=True)
class Whole(PartitionMapping):
    """The upstream has no partitions: each partition reads all of it."""

    @property
    def text(self) -> str:
        return "whole"

    def reads(self, key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        return (WHOLE,)

    def readers(self, upstream_key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        return below.keys


@dataclass(frozen=True, slots=True)
class Slice(PartitionMapping):
    """The upstream has no partitions, but an event time: each partition reads its own time.

    Naive times of the `column` are those of `timezone`. Both are in traces: another column,
    or another zone, puts rows into other slices.
    """

    column: str
    timezone: str = "UTC"

    @property
    def text(self) -> str:
        return f"slice by {self.column} in {self.timezone}"

    def reads(self, key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        return (key,)

    def readers(self, upstream_key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        if upstream_key == WHOLE:
            return below.keys
        return (upstream_key,) if upstream_key in below else ()


@dataclass(frozen=True, slots=True)
class All(PartitionMapping):
    """Each partition reads all partitions of the upstream."""

    is_blocked_by_missing: bool = False

    @property
    def text(self) -> str:
        return "all"

    @property
    def blocks(self) -> bool:
        return self.is_blocked_by_missing

    def reads(self, key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        return above.keys

    def readers(self, upstream_key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        return below.keys if upstream_key in above else ()


@dataclass(frozen=True, slots=True)
class Same(PartitionMapping):
    """Each partition reads the one of the same key."""

    @property
    def text(self) -> str:
        return "same"

    def reads(self, key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        return (key,) if key in above else ()

    def readers(self, upstream_key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        return (upstream_key,) if upstream_key in below and upstream_key in above else ()


@dataclass(frozen=True, slots=True)
class Overlapping(PartitionMapping):
    """Each window reads those that lie in it (finer), or the one in which it lies (coarser)."""

    name: str

    @property
    def text(self) -> str:
        return self.name

    def reads(self, key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        return _overlapping(key, below, above)

    def readers(self, upstream_key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        return _overlapping(upstream_key, above, below) if upstream_key in above else ()


@dataclass(frozen=True, slots=True)
class Shifted(PartitionMapping):
    """Each window reads those of the upstream from `low` to `high` places after its own end."""

    name: str
    low: int
    high: int

    @property
    def text(self) -> str:
        return self.name

    def reads(self, key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        window = below.window(key)
        if window is None or not above:
            return ()
        line = _line(below, above)
        anchor = line.keys.position_at(window.end - _MOMENT) - line.first
        return _cut(above.keys, anchor + self.low, anchor + self.high + 1)

    def readers(self, upstream_key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        if upstream_key not in above or not below:
            return ()
        line = _line(below, above)
        at = above.index(upstream_key) + line.first
        anchors = _cut(line.keys.keys, at - self.high, at - self.low + 1)
        if not anchors:
            return ()
        first, last = line.keys.window(anchors[0]), line.keys.window(anchors[-1])
        assert first is not None
        assert last is not None
        return below[below.position_at(first.start) : below.position_at(last.end)]


@dataclass(frozen=True, slots=True)
class Last(PartitionMapping):
    """Each partition reads the last of the upstream."""

    @property
    def text(self) -> str:
        return "latest"

    def reads(self, key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        return above[-1:]

    def readers(self, upstream_key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        return below.keys if above[-1:] == (upstream_key,) else ()


class Match(NamedTuple):
    """One dimension of the upstream, and the one below that maps to it; -1 for none."""

    name: str
    below: int
    mapping: PartitionMapping


@dataclass(frozen=True, slots=True)
class Dimensions(PartitionMapping):
    """Dimensions map one by one: those of the upstream that match none are read whole.

    `matches` are by the upstream's dimensions in their order.
    """

    matches: tuple[Match, ...]

    @property
    def text(self) -> str:
        said = [
            match.name if match.mapping.text == "same" else f"{match.name}: {match.mapping.text}"
            for match in self.matches
        ]
        return f"dimensions {', '.join(said)}"

    def reads(self, key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        sides = self._sides(key, below)
        found = [
            match.mapping.reads(*side, keys)
            for match, side, keys in zip(self.matches, sides, _sets_of(above), strict=True)
        ]
        return _joined(found)

    def readers(self, upstream_key: PartitionKey, below: KeySet, above: KeySet) -> Keys:
        lower, found = _sets_of(below), dict[int, Keys]()
        sides = zip(self.matches, _parts_of(upstream_key, above), _sets_of(above), strict=True)
        for match, part, keys in sides:
            own = lower[match.below] if match.below >= 0 else WHOLE_KEYS
            found[match.below] = match.mapping.readers(part, own, keys)
            if not found[match.below]:
                return ()
        return _joined(found.get(at, keys.keys) for at, keys in enumerate(lower))

    def _sides(self, key: PartitionKey, below: KeySet) -> list[tuple[PartitionKey, KeySet]]:
        """Return the key and the keys below that each dimension of the upstream maps from."""
        sides = list(zip(_parts_of(key, below), _sets_of(below), strict=False))
        return [sides[one.below] if one.below >= 0 else (WHOLE, WHOLE_KEYS) for one in self.matches]


class Edge(NamedTuple):
    """Which asset reads which upstream, for an error, and where."""

    asset: str = "the asset"
    upstream: str = "its input"
    place: str = ""


def resolve(
    declared: DeclaredMapping | None,
    below: Partitions | None,
    above: Partitions | None,
    *,
    cut: Slice | None = None,
    edge: Edge = Edge(),  # noqa: B008 - a frozen value
) -> PartitionMapping:
    """Return how `below` maps to `above`: as `declared`, else as can be inferred.

    MappingNotInferred where neither says it; `edge` names both sides. `cut` is how an
    upstream without partitions can be cut, None where it has no event time.
    """
    found = _declared(declared, below, above) if declared else _inferred(below, above, cut)
    if isinstance(found, PartitionMapping):
        return found
    raise MappingNotInferred(
        edge.asset,
        edge.upstream,
        below=str(below or "no partitions"),
        above=str(above or "no partitions"),
        why=found,
        place=edge.place,
    )


def _inferred(
    below: Partitions | None,
    above: Partitions | None,
    cut: Slice | None,
) -> PartitionMapping | str:
    if above is None:
        return cut if cut is not None and time_of(below) else Whole()
    if below is None:
        return All()
    if isinstance(below, ProductPartitions) or isinstance(above, ProductPartitions):
        return _by_dimensions(below, above, _inferred_simple)
    return _inferred_simple(below, above)


def _inferred_simple(below: Simple, above: Simple) -> PartitionMapping | str:
    match below, above:
        case TimePartitions(), TimePartitions():
            return _inferred_time(below, above)
        case StaticPartitions(), StaticPartitions():
            lacking = [key for key in below.keys if key not in above.keys]
            return f"the upstream has no {lacking[0]!r}" if lacking else Same()
        case DynamicPartitions(), DynamicPartitions():
            return Same() if below == above else "their dynamic keys have different names"
    return "their keys are of different kinds"


def _inferred_time(below: TimePartitions, above: TimePartitions) -> PartitionMapping | str:
    if below.timezone != above.timezone:
        return "their windows are of different time zones"
    if not _agree(below, above):
        return "their windows begin at different times of the day"
    if below.unit == above.unit:
        return Same()
    if (above.unit, below.unit) in _NESTING:
        return Overlapping("finer")
    if (below.unit, above.unit) in _NESTING:
        return Overlapping("coarser")
    return "weeks and months do not nest"


def _agree(below: TimePartitions, above: TimePartitions) -> bool:
    """Whether windows of both can lie in one another, as to the time at which they begin."""
    if "hour" in (below.unit, above.unit):
        return (below.offset_minutes + above.offset_minutes) % _WHOLE_HOUR == 0
    return below.offset_minutes == above.offset_minutes


def _declared(
    declared: DeclaredMapping, below: Partitions | None, above: Partitions | None
) -> PartitionMapping | str:
    if above is None:
        return "the upstream has no partitions, so that no mapping can be said"
    match declared:
        case AllPartitions(missing):
            return All(missing == "block")
        case Latest():
            return _latest(below, above)
        case Trailing(count):
            return _of_time(Shifted(f"trailing {count}", 1 - count, 0), below, above)
        case Offset(count):
            return _of_time(Shifted(f"offset {count}", count, count), below, above)


def _latest(below: Partitions | None, above: Partitions) -> PartitionMapping | str:
    """Return the mapping to the last key; of a product, to that of its dimension of time."""
    if not isinstance(above, ProductPartitions) or time_of(above) is None:
        return Last()
    return _by_dimensions(
        below,
        above,
        lambda one, other: (
            Last() if isinstance(other, TimePartitions) else _inferred_simple(one, other)
        ),
        unmatched=lambda other: Last() if isinstance(other, TimePartitions) else All(),
    )


def _of_time(
    shifted: Shifted, below: Partitions | None, above: Partitions
) -> PartitionMapping | str:
    """Return `shifted` between the dimensions of time, with the others as they are inferred."""
    if time_of(below) is None or time_of(above) is None:
        return f"{shifted.text!r} needs windows of time on both sides"
    if isinstance(below, ProductPartitions) or isinstance(above, ProductPartitions):
        return _by_dimensions(
            below,
            above,
            lambda one, other: (
                shifted if isinstance(other, TimePartitions) else _inferred_simple(one, other)
            ),
        )
    return shifted


Pairing: TypeAlias = Callable[[Simple, Simple], "PartitionMapping | str"]


def _by_dimensions(
    below: Partitions | None,
    above: Partitions,
    pair: Pairing,
    unmatched: Callable[[Simple], PartitionMapping] = lambda _: All(),
) -> PartitionMapping | str:
    """Return the mapping of dimensions, or why two that belong together do not map."""
    lower, upper = _dimensions(below), _dimensions(above)
    matches = []
    for name, dimension in upper:
        at = _partner(name, dimension, lower, upper)
        found = unmatched(dimension) if at is None else pair(lower[at][1], dimension)
        if isinstance(found, str):
            return f"{found} (dimension {name or lower[at or 0][0]!r})"
        shown = name or ("" if at is None else lower[at][0])
        matches.append(Match(shown, -1 if at is None else at, found))
    if below is not None and all(match.below < 0 for match in matches):
        return "they have no dimension in common"
    return Dimensions(tuple(matches))


def _dimensions(partitions: Partitions | None) -> tuple[tuple[str, Simple], ...]:
    if partitions is None:
        return ()
    return (
        partitions.dimensions if isinstance(partitions, ProductPartitions) else (("", partitions),)
    )


def _partner(
    name: str,
    dimension: Simple,
    lower: Sequence[tuple[str, Simple]],
    upper: Sequence[tuple[str, Simple]],
) -> int | None:
    """Return which dimension below belongs to `name`: that of its name, or alone of its kind."""
    named = [at for at, (other, _) in enumerate(lower) if other == name and name]
    taken = {other for other, _ in upper} & {other for other, _ in lower} - {""}
    alike = [
        at
        for at, (other, one) in enumerate(lower)
        if _kind(one) == _kind(dimension) and other not in taken
    ]
    rivals = [
        other for other, one in upper if _kind(one) == _kind(dimension) and other not in taken
    ]
    if named:
        return named[0]
    return alike[0] if len(alike) == 1 and len(rivals) == 1 else None


def _kind(dimension: Simple) -> str:
    match dimension:
        case TimePartitions():
            return "time"
        case StaticPartitions():
            return "static"
    return "dynamic"


def _overlapping(key: PartitionKey, own: KeySet, other: KeySet) -> Keys:
    """Return the keys of `other` whose windows share time with that of `key`."""
    window = own.window(key)
    if window is None:
        return ()
    stop = other.position_at(window.end)
    begun = other.window(other[stop]) if stop < len(other) else None
    is_within = begun is not None and begun.start < window.end
    return other[other.position_at(window.start) : stop + is_within]


class Line(NamedTuple):
    """The windows of an upstream, continued to all the time of those below.

    `first` is the position of the upstream's own first key.
    """

    keys: KeySet
    first: int


@functools.lru_cache(maxsize=128)
def _line(below: KeySet, above: KeySet) -> Line:
    windows = [keys.window(key) for keys in (below, above) for key in (keys[0], keys[-1])]
    starts = [window.start for window in windows if window]
    ends = [window.end for window in windows if window]
    time = above.time
    assert time is not None
    grid = time.grid
    if (min(starts), max(ends)) == (starts[-2], ends[-1]):
        return Line(above, 0)
    end = grid.key_of(grid.local_end(grid.key_at(max(ends))))
    keys = grid.keys(grid.key_at(min(starts)), end)
    return Line(KeySet(time, keys), keys.index(above[0]))


def _cut(keys: Keys, begin: int, end: int) -> Keys:
    return keys[max(begin, 0) : max(end, 0)]


def _sets_of(keys: KeySet) -> tuple[KeySet, ...]:
    """Return the keys of each dimension: one where they are no product, none of the whole."""
    return keys.parts or ((keys,) if keys.partitions is not None else ())


def _parts_of(key: PartitionKey, keys: KeySet) -> Keys:
    return tuple(map(PartitionKey, key.split(JOINS_DIMENSIONS))) if keys.parts else (key,)


def _joined(parts: Iterable[Keys]) -> Keys:
    combinations = itertools.product(*parts)
    return tuple(PartitionKey(JOINS_DIMENSIONS.join(one)) for one in combinations)


WHOLE_TO_WHOLE = Whole()
"""How inputs without partitions are read."""


def is_slice(mapping: PartitionMapping) -> bool:
    """Whether a partition reads a part of an upstream that is stored whole, by its event time."""
    return type(mapping) is Slice  # of an abstract class, isinstance asks a method of Python's
