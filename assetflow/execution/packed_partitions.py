"""Pack the small files of published partitions into few large ones, at the end of a run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from assetflow.metadata.outline import Served, served
from assetflow.metadata.records import VersionsPacked
from assetflow.warehouse.packing import Packable, pack, what_to_pack
from assetflow.warehouse.parts import Part
from assetflow.warehouse.versions import sync_versions

if TYPE_CHECKING:
    from assetflow.execution.gathering import Place
    from assetflow.metadata.journal import Journal
    from assetflow.model.names import AssetName, RunId
    from assetflow.warehouse.connection import Engine


@dataclass(frozen=True, slots=True)
class Packer:
    """Packs for one run, in the environment of `place`."""

    place: Place
    engine: Engine
    journal: Journal
    run: RunId
    now: datetime

    def pack(self, names: Collection[AssetName]) -> frozenset[AssetName]:
        """Pack what is published of `names`, and return those of which something was packed.

        Versions stay what they are: only where they lie is recorded anew. Their old files
        are left to whoever reads them, and to the garbage collection.
        """
        if not names:
            return frozenset()
        found = served(self.place.state, self.place.environment, names)
        return frozenset(name for name, parts in found.items() if self._pack(name, parts))

    def _pack(self, name: AssetName, parts: Sequence[Served]) -> bool:
        data = self.place.state / "data"
        by_key = {part.partition: part for part in parts if part.format == "parquet"}
        groups = what_to_pack([_packable(part) for part in by_key.values()])
        for group in groups:
            made = pack(self.engine.cursor(), data, name, [one.part for one in group])
            sync_versions(data, [made.path])
            keys = [one.part.partition for one in group]
            self.journal.append(
                VersionsPacked(
                    run=self.run,
                    asset=name,
                    path=made.path,
                    size_bytes=made.size_bytes,
                    rows=made.rows,
                    packed_at=self.now,
                    versions=tuple((by_key[key].version, key) for key in keys),
                )
            )
        return bool(groups)


def _packable(part: Served) -> Packable:
    place = Part(part.path, part.size_bytes, part.partition, part.is_packed)
    return Packable(place, part.rows or 0, part.schema)
