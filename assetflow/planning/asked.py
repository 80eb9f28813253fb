"""The partitions that a command names, read and checked against those that there are. Pure."""

from collections.abc import Collection, Iterator, Sequence

from assetflow.errors import NoPartitions, NoSuchPartitions, ReversedRange, nearest
from assetflow.model.names import AssetName, PartitionKey
from assetflow.model.partitions import RANGE, KeySet
from assetflow.planning.reach import Slices
from assetflow.planning.steps import PartitionRange, Request
from assetflow.planning.wanted import keys_in, targets_of

MOST_LISTED = 5
ENOUGH_TO_COMPARE = 1000


def partition_range(text: str) -> PartitionRange:
    """Return the range that `text` says: a key, or the first and the last joined by two dots.

    >>> partition_range("2026-01-05..2026-01-09").last
    '2026-01-09'
    """
    first, _, last = text.partition(RANGE)
    return PartitionRange(PartitionKey(first.strip()), PartitionKey((last or first).strip()))


def check_asked(slices: Slices, request: Request) -> None:
    """Raise what is wrong with the partitions that `request` names.

    NoPartitions where nothing selected has partitions; NoSuchPartitions, ReversedRange for
    those that no selected asset has.
    """
    if not request.partitions and not request.latest:
        return
    targets = targets_of(slices, request)
    partitioned = [
        name
        for name in slices.graph.assets
        if name in targets and slices.keys[name].partitions is not None
    ]
    if not partitioned:
        said = "--latest" if request.latest else "--partition"
        raise NoPartitions(said, sorted(targets))
    for one in request.partitions:
        if not any(keys_in(slices, name, one) for name in partitioned):
            raise _unknown(slices, partitioned, one)


def _unknown(
    slices: Slices, names: Sequence[AssetName], asked: PartitionRange
) -> NoSuchPartitions | ReversedRange:
    turned = PartitionRange(asked.last, asked.first)
    if turned != asked and any(keys_in(slices, name, turned) for name in names):
        return ReversedRange(str(asked), str(turned))
    shown = {str(name): span(slices.keys[name]) for name in names[:MOST_LISTED]}
    near = [key for first in dict.fromkeys(asked) for key in _near(slices, names, first)]
    return NoSuchPartitions(str(asked), shown, len(names) - len(shown), list(dict.fromkeys(near)))


def _near(slices: Slices, names: Collection[AssetName], key: str) -> Iterator[str]:
    """Yield the keys most like `key`, of the listed ones; those of time are told by their span."""
    for name in names:
        keys = slices.keys[name]
        if not keys.time:
            yield from nearest(key, keys[-ENOUGH_TO_COMPARE:])


def span(keys: KeySet) -> str:
    """Return which keys there are, from the first to the last."""
    if not keys:
        return "no partition yet"
    return str(PartitionRange(keys[0], keys[-1]))
