"""What an environment serves, in outline: per asset, not per materialization."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assetflow.metadata.encoding import read_text
from assetflow.metadata.rows import SCHEMA
from assetflow.metadata.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from assetflow.model.columns import Schema
    from assetflow.model.names import AssetName, CodeVersion, PartitionKey, VersionId


@dataclass(frozen=True, slots=True)
class PublishedShape:
    """How the newest of what is published of an asset looks, and by which code it was made."""

    schema: Schema
    ordered: bool
    code_version: CodeVersion


@dataclass(frozen=True, slots=True)
class Served:
    """Where the data of a published partition lies, relative to the data folder."""

    partition: PartitionKey
    path: str
    size_bytes: int
    format: str
    is_packed: bool
    schema: Schema
    rows: int | None
    version: VersionId


def served(
    state: Path, environment: str, assets: Collection[AssetName] | None = None
) -> dict[AssetName, tuple[Served, ...]]:
    """Return where all lies that `environment` serves, of `assets` or of every one, by key."""
    chosen = "true" if assets is None else "c.asset in (select unnest($2::varchar[]))"
    values = [environment] if assets is None else [environment, [*assets]]
    with Store(state).reading() as connection:
        rows = connection.execute(
            f"""select c.asset, c.partition, p.path, p.size_bytes, v.format, p.packed, v.schema,
                       v.rows, v.version
                from current_publications as c join versions as v on v.number = c.stored
                join places as p using (stored)
                where c.environment = $1 and {chosen} order by c.asset, c.partition""",
            values,
        ).fetchall()
    schemas: dict[str, Schema] = {}
    found: dict[AssetName, list[Served]] = {}
    for asset, key, path, size, form, is_packed, text, count, version in rows:
        if text not in schemas:
            schemas[text] = read_text(SCHEMA, text)
        one = Served(key, path, size, form, is_packed, schemas[text], count, version)
        found.setdefault(asset, []).append(one)
    return {asset: tuple(parts) for asset, parts in found.items()}


def published_shapes(
    state: Path, environment: str, assets: Collection[AssetName]
) -> dict[AssetName, PublishedShape]:
    """Return the shape of those of `assets` that `environment` serves."""
    if not assets:
        return {}
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select asset, schema, ordered, code_version
               from (from current_publications
                     where environment = $1 and asset in (select unnest($2::varchar[]))
                     qualify row_number() over (partition by asset order by sequence desc) = 1)
               join (select number as stored, schema, ordered from versions) using (stored)
               join (select number as made, code_version from materializations) using (made)""",
            [environment, [*assets]],
        ).fetchall()
    return {
        asset: PublishedShape(read_text(SCHEMA, schema), ordered, code)
        for asset, schema, ordered, code in rows
    }


def moved_since(state: Path, environment: str, sequence: int) -> tuple[int, frozenset[AssetName]]:
    """Return the last publication of `environment`, and which assets moved after `sequence`."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select asset, max(sequence) from publications
               where environment = $1 and sequence > $2 group by asset""",
            [environment, sequence],
        ).fetchall()
    last = max((number for _, number in rows), default=sequence)
    return last, frozenset(asset for asset, _ in rows)
