"""How assets relate: a graph in topological order, and its walks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from assetflow.graph.mapping import PartitionMapping
from assetflow.model.asset import Asset, Source
from assetflow.model.declared_inputs import Input
from assetflow.model.names import AssetName


@dataclass(frozen=True, slots=True)
class Link:
    """One input of an asset, and the asset or source that it resolves to."""

    input: Input
    upstream: AssetName


@dataclass(frozen=True, slots=True)
class AssetGraph:
    """Assets in topological order (upstream first, then by name), and how they relate.

    `upstreams` and `downstreams` are direct, and hold sources as well as assets.
    `mappings` say which partitions an input is read from, by the asset and the name of
    the input in its code. `audits` are the other assets and sources that the checks of an
    asset read: they are no lineage, but stand before it in the order as well.
    """

    assets: Mapping[AssetName, Asset]
    sources: Mapping[AssetName, Source]
    links: Mapping[AssetName, tuple[Link, ...]]
    upstreams: Mapping[AssetName, tuple[AssetName, ...]]
    downstreams: Mapping[AssetName, tuple[AssetName, ...]]
    mappings: Mapping[tuple[AssetName, str], PartitionMapping] = field(default_factory=dict)
    audits: Mapping[AssetName, tuple[AssetName, ...]] = field(default_factory=dict)

    def all_upstream(self, names: Iterable[AssetName], depth: int | None = None) -> set[AssetName]:
        """Return all that `names` are made from, sources included, at most `depth` away."""
        return reach_of(self.upstreams, names, depth)

    def all_needed(self, names: Iterable[AssetName]) -> set[AssetName]:
        """Return all that `names` are made from and checked against, sources included."""
        wanted = {*names}
        needed = self.all_upstream(wanted)
        while audits := {o for name in wanted | needed for o in self.audits.get(name, ())}:
            if audits <= needed:
                break
            needed |= audits | self.all_upstream(audits)
        return needed

    def all_downstream(
        self, names: Iterable[AssetName], depth: int | None = None
    ) -> set[AssetName]:
        """Return all that is made from `names`, at most `depth` away."""
        return reach_of(self.downstreams, names, depth)


def reach_of(
    neighbours: Mapping[AssetName, tuple[AssetName, ...]],
    names: Iterable[AssetName],
    depth: int | None = None,
) -> set[AssetName]:
    """Return all that `neighbours` lead to from `names`, in at most `depth` steps."""
    found: set[AssetName] = set()
    frontier = set(names)
    while frontier and (depth is None or depth > 0):
        frontier = {other for name in frontier for other in neighbours.get(name, ())} - found
        found |= frontier
        depth = None if depth is None else depth - 1
    return found
