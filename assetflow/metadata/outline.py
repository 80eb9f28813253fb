"""What an environment serves, in outline: per asset, not per materialization."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assetflow.metadata.encoding import read_text
from assetflow.metadata.rows import SCHEMA, utc
from assetflow.metadata.store import Store
from assetflow.planning.history import RollUp

if TYPE_CHECKING:
    from pathlib import Path

    from assetflow.model.columns import Schema
    from assetflow.model.names import AssetName, CodeVersion


@dataclass(frozen=True, slots=True)
class PublishedShape:
    """How the newest of what is published of an asset looks, and by which code it was made."""

    schema: Schema
    ordered: bool
    code_version: CodeVersion


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
               join (select version, schema, ordered from versions) using (version)
               join (select materialization, code_version from materializations)
                    using (materialization)""",
            [environment, [*assets]],
        ).fetchall()
    return {
        asset: PublishedShape(read_text(SCHEMA, schema), ordered, code)
        for asset, schema, ordered, code in rows
    }


def roll_ups(state: Path, environment: str) -> dict[AssetName, RollUp]:
    """Return what `environment` serves of each asset, all its partitions together."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select asset, count(*), sum(rows)::bigint, max(made.created_at)
               from current_publications
               join (select version, rows from versions) using (version)
               join (select materialization, created_at from materializations) as made
                    using (materialization)
               where environment = $1 group by asset""",
            [environment],
        ).fetchall()
    return {asset: RollUp(count, total, utc(newest)) for asset, count, total, newest in rows}
