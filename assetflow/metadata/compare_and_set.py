"""Which publications take effect: compare-and-set over pointers. Pure."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from assetflow.metadata.records import PublicationChange, Published
from assetflow.model.names import AssetName, AssetPartition, PartitionKey


class Slot(NamedTuple):
    """Where a pointer stands: one partition of one asset in one environment."""

    environment: str
    asset: AssetName
    partition: PartitionKey


@dataclass(frozen=True, slots=True)
class PublicationRefused:
    """A publication of which nothing took effect, and why."""

    publication: str
    run: str
    environment: str
    why: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of some publications: the accepted with their sequence numbers."""

    accepted: tuple[tuple[int, Published], ...]
    refused: tuple[tuple[Published, str], ...]


def slot_of(published: Published, change: PublicationChange) -> Slot:
    """Return the slot that `change` moves."""
    return Slot(published.environment, change.asset, change.partition)


def decide(
    publications: Iterable[Published],
    current: Mapping[Slot, int],
    missing: AbstractSet[str],
    last_sequence: int,
) -> Decided:
    """Accept each publication all of whose comparisons hold after those before it.

    `current` has the sequence number of each pointer that stands. Versions and
    materializations that are `missing` cannot be published.
    """
    pointers = dict(current)
    accepted: list[tuple[int, Published]] = []
    refused: list[tuple[Published, str]] = []
    for published in publications:
        if why := _why_not(published, pointers, missing):
            refused.append((published, why))
            continue
        sequence = last_sequence + len(accepted) + 1
        accepted.append((sequence, published))
        for change in published.changes:
            pointers[slot_of(published, change)] = sequence if change.version else 0
    return Decided(tuple(accepted), tuple(refused))


def _why_not(published: Published, pointers: Mapping[Slot, int], missing: AbstractSet[str]) -> str:
    slots = [slot_of(published, change) for change in published.changes]
    if len(set(slots)) < len(slots):
        return "it moves one pointer twice"
    gone = [change for change in published.changes if _targets(change) & missing]
    if gone:
        return f"the version of {_named(gone)} is not there"
    moved = [
        change
        for change, slot in zip(published.changes, slots, strict=True)
        if pointers.get(slot, 0) != change.expected
    ]
    return f"{_named(moved)} was published by another run meanwhile" if moved else ""


def _targets(change: PublicationChange) -> set[str]:
    return {target for target in (change.version, change.materialization) if target}


def _named(changes: list[PublicationChange]) -> str:
    first = f"'{AssetPartition(changes[0].asset, changes[0].partition)}'"
    return first if len(changes) == 1 else f"{first} (and {len(changes) - 1} more)"
