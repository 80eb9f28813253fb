"""What an environment serves, as SQL that reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from assetflow.errors import KeyColumnTaken
from assetflow.metadata.outline import Served, served
from assetflow.model.columns import united
from assetflow.model.names import folded
from assetflow.warehouse.parts import Part, scan_parts

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from assetflow.graph.graph import AssetGraph
    from assetflow.model.asset import Asset
    from assetflow.model.columns import Schema
    from assetflow.model.names import AssetName


KeyColumns = Mapping["AssetName", str]
"""The assets that show the partition key of their rows, and how the column is named."""


def key_columns(graph: AssetGraph) -> dict[AssetName, str]:
    """Return how the assets that show the partition key name its column."""
    named = {name: asset.options.key_column for name, asset in graph.assets.items()}
    return {name: column for name, column in named.items() if column}


def check_key_column(asset: Asset, schema: Schema) -> None:
    """Raise KeyColumnTaken where the asset itself has a column of the name of its key column."""
    column = asset.options.key_column
    if column and any(folded(one.name) == folded(column) for one in schema):
        raise KeyColumnTaken(asset.name, column, asset.location)


def served_scans(
    state: Path,
    environment: str,
    keys: KeyColumns,
    names: Collection[AssetName] | None = None,
) -> dict[str, str]:
    """Return for each published table the SQL that reads all its partitions; files have none."""
    found = served(state, environment, names)
    return {
        name: scan_of(state / "data", parts, keys.get(name, ""))
        for name, parts in found.items()
        if all(part.format == "parquet" for part in parts)
    }


def scan_of(data: Path, parts: Sequence[Served], key_column: str = "") -> str:
    """Return the SQL that reads `parts` of an asset as one table."""
    schemas = {part.schema for part in parts}
    places = [Part(one.path, one.size_bytes, one.partition, one.is_packed) for one in parts]
    schema = united(part.schema for part in parts) if len(schemas) > 1 else ()
    return scan_parts(data, places, key_column=key_column, schema=schema)
