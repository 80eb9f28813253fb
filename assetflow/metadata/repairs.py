"""What was tried to make failed checks pass, and which of it came to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from assetflow.metadata.check_rows import rejected_versions
from assetflow.metadata.rows import utc
from assetflow.metadata.store import Store
from assetflow.model.names import AssetName, AssetPartition, PartitionKey, RunId, VersionId

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path


class CheckedPartition(NamedTuple):
    """One check of one partition."""

    asset: AssetName
    partition: PartitionKey
    check: str


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a repair was tried since the check last passed, or was given new tries.

    `run` is the last that tried. Where somebody `resolved` it by hand, with a `note`, no
    run tries it again.
    """

    count: int = 0
    last: datetime | None = None
    run: RunId | None = None
    note: str = ""
    resolved_at: datetime | None = None


def tries(state: Path, environment: str) -> dict[CheckedPartition, Tries]:
    """Return what was tried in an environment and is not over; a check that passed is."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """with told as (select *, rowid as number from repairs where environment = $1),
                    begun as (select asset, partition, check_name, max(number) as number
                              from told where kind in ('mended', 'retried') group by all),
                    passed as (select asset, partition, check_name, max(audited_at) as at
                               from check_results
                               where status in ('passed', 'warned')
                               and run in (select run from runs where environment = $1)
                               group by all)
               select asset, partition, check_name, count_if(kind = 'tried'),
                      max(happened_at) filter (kind = 'tried'),
                      max_by(run, t.number) filter (kind = 'tried'),
                      coalesce(max_by(note, t.number) filter (kind = 'resolved'), ''),
                      max(happened_at) filter (kind = 'resolved')
               from told as t left join begun as b using (asset, partition, check_name)
               left join passed as p using (asset, partition, check_name)
               where t.number > coalesce(b.number, -1)
               and (p.at is null or t.happened_at >= p.at)
               group by all order by all""",
            [environment],
        ).fetchall()
    return {
        CheckedPartition(*key): Tries(
            count, utc(last) if last else None, run, note, utc(resolved) if resolved else None
        )
        for *key, count, last, run, note, resolved in rows
    }


def failed_versions(
    state: Path,
    environment: str,
    assets: Collection[AssetName],
    unsettled: Collection[AssetPartition],
) -> dict[AssetPartition, VersionId]:
    """Return the versions of `assets` that failed a check.

    The newest rejected, of partitions that are `unsettled`; else the one that is served.
    """
    found = rejected_versions(state, environment, assets)
    rejected = {target: version for target, version in found.items() if target in unsettled}
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select asset, partition, version from current_publications
               where environment = $1 and asset in (select unnest($2::varchar[]))
               and version in (select version from check_results where status = 'failed')
               order by all""",
            [environment, [*assets]],
        ).fetchall()
    served = {AssetPartition(asset, partition): version for asset, partition, version in rows}
    return {**served, **rejected}
