"""Which partitions have to be looked at: those in doubt, and all that may follow from them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from assetflow.graph.graph import AssetGraph
from assetflow.graph.mapping import WHOLE_TO_WHOLE, PartitionMapping, is_slice
from assetflow.model.names import WHOLE, AssetName, PartitionKey
from assetflow.model.partitions import KeySet

_NONE: Mapping[AssetName, Collection[AssetName]] = {}

Partitions = Mapping[AssetName, Collection[PartitionKey]]
"""Some partitions of some assets."""


@dataclass(frozen=True, slots=True)
class Slices:
    """The graph down to the partition: what there is of each asset, and which reads which.

    `keys` has every asset and source; the one key of what has no partitions is "".
    `mappings` are by asset and name of the input.
    """

    graph: AssetGraph
    keys: Mapping[AssetName, KeySet]
    mappings: Mapping[tuple[AssetName, str], PartitionMapping]

    def readers(
        self, name: AssetName, changed: Mapping[AssetName, Collection[PartitionKey]]
    ) -> set[PartitionKey]:
        """Return the partitions of `name` that read one of the `changed` of its upstreams."""
        found: set[PartitionKey] = set()
        for link in self.graph.links[name]:
            keys = changed.get(link.upstream)
            if keys:
                mapping = self.mappings.get((name, link.input.name), WHOLE_TO_WHOLE)
                own, others = self.keys[name], self.keys[link.upstream]
                for key in keys:
                    found.update(mapping.readers(key, own, others))
        return found

    def reads(
        self, name: AssetName, keys: Iterable[PartitionKey], *, only_blocking: bool = False
    ) -> dict[AssetName, set[PartitionKey]]:
        """Return what `keys` of `name` read of its upstreams.

        With `only_blocking`, what they cannot do without.
        """
        found: dict[AssetName, set[PartitionKey]] = {}
        wanted = tuple(keys)
        for link in self.graph.links[name]:
            mapping = self.mappings.get((name, link.input.name), WHOLE_TO_WHOLE)
            if only_blocking and not mapping.blocks:
                continue
            own, others = self.keys[name], self.keys[link.upstream]
            read = found.setdefault(link.upstream, set())
            for key in wanted:
                read.update(stored_keys(mapping, key, own, others))
        return found

    def in_order(self, name: AssetName, keys: Collection[PartitionKey]) -> tuple[PartitionKey, ...]:
        """Return `keys` in the order of the definition."""
        own = self.keys[name]
        if len(keys) == len(own):
            return tuple(own)
        return tuple(sorted(keys, key=own.index))


def stored_keys(
    mapping: PartitionMapping, key: PartitionKey, own: KeySet, others: KeySet
) -> tuple[PartitionKey, ...]:
    """Return under which keys the store has what `key` reads: a slice is cut from the whole."""
    return (WHOLE,) if is_slice(mapping) else mapping.reads(key, own, others)


def reach(
    slices: Slices,
    doubtful: Partitions,
    audits: Mapping[AssetName, Collection[AssetName]] = _NONE,
    filtered: Collection[AssetName] = (),
) -> dict[AssetName, tuple[PartitionKey, ...]]:
    """Return the partitions that may need something: the `doubtful`, and what reads them.

    Whatever is not among them is up to date, and stays so. `audits` are the others that
    checks of an asset read: it may have to meet them again, which changes nothing of what
    is made from it, unless they set rows aside, as those of the `filtered` do.
    """
    found: dict[AssetName, tuple[PartitionKey, ...]] = {}
    changing: dict[AssetName, tuple[PartitionKey, ...]] = {}
    for name in slices.graph.assets:
        keys = {*doubtful.get(name, ()), *slices.readers(name, changing)}
        if keys:
            found[name] = changing[name] = slices.in_order(name, keys)
        if any(other in changing for other in audits.get(name, ())):
            found[name] = tuple(slices.keys[name])
            if name in filtered:
                changing[name] = found[name]
    return found
