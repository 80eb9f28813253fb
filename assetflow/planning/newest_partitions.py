"""Which partitions count for the age of an asset: the newest that should exist by now. Pure."""

import itertools
from collections.abc import Container, Iterator, Sequence
from datetime import datetime

from assetflow.model.names import PartitionKey
from assetflow.model.partitions import JOINS_DIMENSIONS, KeySet


def newest_due(keys: KeySet, now: datetime) -> tuple[PartitionKey, ...]:
    """Return the partitions that should exist by `now` and are the newest of these.

    Of time, those of the last window that has ended; without time, all.
    """
    place = _place_of_time(keys)
    if place is None:
        return keys.keys
    times, due = _times(keys, place), _ended(keys, place, now)
    return tuple(_joined(rest, times[due - 1], place) for rest in _rests(keys, place) if due)


def counting_keys(
    keys: KeySet, published: Container[PartitionKey], now: datetime
) -> tuple[PartitionKey, ...]:
    """Return the `published` partitions that count for the age of an asset.

    Those that are the newest due; in place of one that is missing the last before it that
    is there. What is published ahead of its time counts where nothing else is there.
    """
    place = _place_of_time(keys)
    if place is None:
        return tuple(key for key in keys if key in published)
    times, due = _times(keys, place), _ended(keys, place, now)
    order = [*range(due - 1, -1, -1), *range(due, len(times))]
    found = (
        next((key for at in order if (key := _joined(rest, times[at], place)) in published), None)
        for rest in _rests(keys, place)
    )
    return tuple(key for key in found if key is not None)


def newest_read(keys: KeySet, read: Sequence[PartitionKey]) -> tuple[int, ...]:
    """Return the places in `read` of the partitions that count for the age of who read them.

    Of time that is the newest, for each combination of the other dimensions by itself.
    """
    if not keys.parts:
        return (max(range(len(read)), key=read.__getitem__),) if read else ()
    newest: dict[tuple[str, ...], tuple[str, int]] = {}
    for at, key in enumerate(read):
        time = keys.time_part(key)
        rest = tuple(part for part in key.split(JOINS_DIMENSIONS) if part != time)
        newest[rest] = max(newest.get(rest, ("", at)), (time, at))
    return tuple(at for _, at in newest.values())


def _place_of_time(keys: KeySet) -> int | None:
    """Return which part of a key is its time; None where it has none, or several."""
    if keys.time is None:
        return None
    return next((at for at, part in enumerate(keys.parts) if part.time is not None), 0)


def _times(keys: KeySet, place: int) -> KeySet:
    return keys.parts[place] if keys.parts else keys


def _ended(keys: KeySet, place: int, now: datetime) -> int:
    """Return how many windows have ended by `now`."""
    return _times(keys, place).position_at(now)


def _rests(keys: KeySet, place: int) -> Iterator[tuple[PartitionKey, ...]]:
    """Yield the combinations of the other dimensions of a product; one that is empty, else."""
    return itertools.product(*(part for at, part in enumerate(keys.parts) if at != place))


def _joined(rest: tuple[PartitionKey, ...], key: PartitionKey, place: int) -> PartitionKey:
    return PartitionKey(JOINS_DIMENSIONS.join((*rest[:place], key, *rest[place:])))
