"""Look at dynamic partitions and change them: each change is a journal of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

from assetflow.errors import BadPartitionKey, UnknownDynamicKey, UnknownDynamicPartitions
from assetflow.metadata.folding import fold
from assetflow.metadata.journal import Journal
from assetflow.metadata.presence import run_presence
from assetflow.metadata.records import PartitionsChanged
from assetflow.metadata.rollups import dynamic_keys
from assetflow.model.names import AssetName, PartitionKey, RunId, folded
from assetflow.model.partitions import checked_keys, dynamic_names
from assetflow.planning.pages import DynamicChange, DynamicKeys
from assetflow.warehouse.layout import new_version_id

if TYPE_CHECKING:
    from pathlib import Path

    from assetflow.graph.graph import AssetGraph

Clock = Callable[[], datetime]


def dynamic_partitions(state: Path, graph: AssetGraph, name: str) -> tuple[DynamicKeys, ...]:
    """Return the keys of `name`, else of all dynamic partitions that `graph` declares."""
    owners = _owners(graph)
    names = [_checked(owners, name)] if name else sorted(owners)
    known = dynamic_keys(state)
    return tuple(DynamicKeys(one, known.get(one, ()), owners[one]) for one in names)


def add(
    state: Path, graph: AssetGraph, name: str, keys: Sequence[str], clock: Clock
) -> DynamicChange:
    """Add those of `keys` that are not there yet."""
    found = _checked(_owners(graph), name)
    wanted = checked_keys(keys)
    fold(state, clock())
    there = {folded(key): key for key in dynamic_keys(state).get(found, ())}
    new: dict[str, PartitionKey] = {}
    for key in wanted:
        other = there.get(folded(key), new.get(folded(key), key))
        if other != key:
            raise BadPartitionKey(key, f"one that differs in more than case from {other!r}")
        if folded(key) not in there:
            new[folded(key)] = key
    added = tuple(new.values())
    if added:
        _record(state, PartitionsChanged(new_version_id(), found, added, (), clock(), None), clock)
    return DynamicChange(found, added=added, known=tuple(one for one in wanted if one not in added))


def remove(
    state: Path, graph: AssetGraph, name: str, keys: Sequence[str], clock: Clock
) -> DynamicChange:
    """Remove `keys`, all of which have to be there."""
    found = _checked(_owners(graph), name)
    fold(state, clock())
    there = dynamic_keys(state).get(found, ())
    for key in keys:
        if key not in there:
            raise UnknownDynamicKey(key, found, there)
    removed = tuple(PartitionKey(key) for key in dict.fromkeys(keys))
    if removed:
        _record(
            state, PartitionsChanged(new_version_id(), found, (), removed, clock(), None), clock
        )
    return DynamicChange(found, removed=removed)


def _record(state: Path, changed: PartitionsChanged, clock: Clock) -> None:
    journal_of = RunId(changed.change)
    with run_presence(state), closing(Journal(state, journal_of)) as journal:
        journal.append(changed)
        journal.sync()
        fold(state, clock())
        journal.discard()


def _owners(graph: AssetGraph) -> Mapping[str, tuple[AssetName, ...]]:
    """Return by name of the dynamic partitions which assets and sources have them."""
    definitions = [
        *((name, source.partitions) for name, source in graph.sources.items()),
        *((name, asset.options.partitions) for name, asset in graph.assets.items()),
    ]
    found: dict[str, list[AssetName]] = {}
    for asset, partitions in definitions:
        for name in dynamic_names(partitions):
            found.setdefault(name, []).append(asset)
    return {name: tuple(assets) for name, assets in found.items()}


def _checked(owners: Mapping[str, object], name: str) -> str:
    if name not in owners:
        raise UnknownDynamicPartitions(name, owners)
    return name
