"""How partitions read: as ranges of neighbours, and steps that say the same as one line."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.text import Text

from assetflow.model.names import WHOLE, AssetName, AssetPartition, PartitionKey
from assetflow.model.partitions import WHOLE_KEYS, KeySet
from assetflow.planning.reasons import Reason
from assetflow.planning.steps import ranges_of
from assetflow.report.words import counted

MOST_RANGES = 4
UNDIVIDED = "(undivided)"
"""What was published of an asset before it had partitions."""

T = TypeVar("T")

Keys = Mapping[AssetName, KeySet]
"""The partitions that assets have; one that is not there is taken as it is."""


def has_partitions(keys: Keys) -> bool:
    """Whether one of the assets has partitions."""
    return any(one.partitions is not None for one in keys.values())


def range_texts(keys: KeySet, wanted: Iterable[PartitionKey]) -> tuple[str, ...]:
    """Return `wanted` as ranges of neighbours in the order of `keys`."""
    return tuple(str(one) or UNDIVIDED for one in ranges_of(keys, wanted))


def ranges_text(ranges: Sequence[str], count: int = 1, most: int = MOST_RANGES) -> str:
    """Return `ranges` joined, at most so many of them, with the `count` of what they hold.

    >>> ranges_text(["2013-01-05..2013-01-09", "2013-02-01"], 6)
    '2013-01-05..2013-01-09, 2013-02-01 (6)'
    >>> ranges_text(["a", "b", "c"], 3, most=2)
    'a, b and 1 more (3)'
    """
    shown = ", ".join(ranges[:most])
    rest = len(ranges) - most
    more = f" and {counted(rest, 'more', 'more')}" if rest > 0 else ""
    return f"{shown}{more}{f' ({count:,})' if count > 1 else ''}"


@dataclass(frozen=True, slots=True)
class Alike(Generic[T]):
    """Partitions of one asset of which the same is to be said; `members` in their order."""

    asset: AssetName
    members: tuple[T, ...]
    ranges: tuple[str, ...]

    @property
    def partitions(self) -> str:
        """Return which partitions these are, "" for an asset without."""
        return ranges_text(self.ranges, len(self.members)) if self.ranges else ""

    @property
    def lines(self) -> str:
        """Return which partitions these are, each range on a line of its own."""
        return self.partitions.replace(", ", "\n").replace(" and ", "\nand ")


def grouped(
    members: Iterable[T],
    target_of: Callable[[T], AssetPartition],
    said_of: Callable[[T], Hashable],
    keys: Keys,
) -> list[Alike[T]]:
    """Return those of `members` together that are of one asset and of which the same is said.

    In the order in which the first of each came.
    """
    found: dict[tuple[AssetName, Hashable], list[T]] = {}
    for member in members:
        found.setdefault((target_of(member).asset, said_of(member)), []).append(member)
    groups = []
    for (asset, _), same in found.items():
        slices = [target_of(member).partition for member in same]
        own = keys.get(asset, WHOLE_KEYS)
        is_whole = slices == [WHOLE] and own.partitions is None
        ranges = () if is_whole else range_texts(own, slices)
        groups.append(Alike(asset, tuple(same), ranges))
    return groups


def common_reasons(reasons: Sequence[tuple[Reason, ...]]) -> list[str]:
    """Return what the reasons of several partitions say: as they are, if all say the same."""
    return [
        texts.pop() if len(texts := {str(one) for one in alike}) == 1 else alike[0].in_general
        for alike in zip(*reasons, strict=True)
    ]


def in_general(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """Return by what the reasons of one partition are told from those of another."""
    return tuple(reason.in_general for reason in reasons)


def left_lines(left: Iterable[AssetPartition], keys: Keys) -> list[Text]:
    """Return what is left for another time: a line for each asset, and what to do about it."""
    lines = [
        Text(f"Left for later: {group.asset} {group.partitions}", style="yellow")
        for group in grouped(left, lambda target: target, lambda _: None, keys)
    ]
    hint = Text("Only so many partitions of an asset run at once: see --max-partitions.", "dim")
    return [*lines, hint] if lines else []
