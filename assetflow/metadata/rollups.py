"""What the store says of many partitions at once: which there are, how many, what they cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from assetflow.metadata.check_rows import rejected_versions
from assetflow.metadata.rows import utc
from assetflow.metadata.store import Store
from assetflow.model.names import AssetName, PartitionKey
from assetflow.planning.audits import AuditVerdict
from assetflow.planning.history import RollUp

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from duckdb import DuckDBPyConnection

RECENT = 20
"""How many materializations tell what the next one may cost."""


def dynamic_keys(state: Path) -> dict[str, tuple[PartitionKey, ...]]:
    """Return the keys of each dynamic definition, in the order in which they were added."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select name, list(key order by added_at, rowid) from dynamic_partitions
               where removed_at is null group by name order by name"""
        ).fetchall()
    return {name: tuple(keys) for name, keys in rows}


def published_keys(
    state: Path, environment: str, assets: Collection[AssetName]
) -> dict[AssetName, tuple[PartitionKey, ...]]:
    """Return the sorted keys that `environment` serves of `assets`, also those of no definition."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select asset, list(partition order by partition) from current_publications
               where environment = $1 and asset in (select unnest($2::varchar[]))
               group by asset order by asset""",
            [environment, [*assets]],
        ).fetchall()
    return {asset: tuple(keys) for asset, keys in rows}


def roll_ups(state: Path, environment: str) -> dict[AssetName, RollUp]:
    """Return how much of each asset `environment` serves, and since when at the latest."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select c.asset, count(*),
                      case when count(*) = count(v.rows) then sum(v.rows)::bigint end,
                      max(m.created_at)
               from current_publications as c join versions as v on v.number = c.stored
               join materializations as m on m.number = c.made
               where c.environment = $1 group by c.asset order by c.asset""",
            [environment],
        ).fetchall()
        verdicts = _verdicts(connection, environment)
        unmet = _unmet(connection, environment)
    rejected = Counter(one.asset for one in rejected_versions(state, environment))
    served = {
        asset: RollUp(count, total, utc(at), verdicts.get(asset), unmet.get(asset, ()))
        for asset, count, total, at in rows
    }
    return {
        asset: replace(served.get(asset, NOTHING_SERVED), rejected=rejected[asset])
        for asset in (*served, *(rejected.keys() - served.keys()))
    }


NOTHING_SERVED = RollUp(0, None, None)
_WORST: tuple[AuditVerdict, ...] = ("passed", "warned", "failed", "rejected")


def _verdicts(connection: DuckDBPyConnection, environment: str) -> dict[AssetName, AuditVerdict]:
    """Return the worst of the newest audits of what is served."""
    rows = connection.execute(
        """select asset, list(distinct verdict) from (
               select c.asset, a.verdict
               from current_publications as c join audits as a using (stored)
               where c.environment = $1
               qualify row_number() over (partition by c.asset, c.partition
                                          order by a.audited_at desc, a.rowid desc) = 1)
           group by asset""",
        [environment],
    ).fetchall()
    return {asset: max(found, key=_WORST.index) for asset, found in rows}


def _unmet(connection: DuckDBPyConnection, environment: str) -> dict[AssetName, tuple[str, ...]]:
    """Return the checks of what is served that did not pass when they were asked last."""
    rows = connection.execute(
        """select asset, list(distinct check_name order by check_name) from (
               select c.asset, r.check_name, r.status
               from current_publications as c join check_results as r using (version)
               where c.environment = $1
               qualify row_number() over (partition by c.asset, c.partition, r.check_name
                                          order by r.audited_at desc, r.rowid desc) = 1)
           where status in ('warned', 'failed', 'errored') group by asset""",
        [environment],
    ).fetchall()
    return {asset: tuple(names) for asset, names in rows}


def usual_seconds(state: Path, assets: Collection[AssetName]) -> dict[AssetName, float]:
    """Return the median seconds of the newest materializations of each of `assets` that ran."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            f"""select asset, list_median(max_by(seconds, number, {RECENT}))
                from materializations
                where outcome in ('materialized', 'unchanged')
                  and asset in (select unnest($1::varchar[]))
                group by asset order by asset""",
            [[*assets]],
        ).fetchall()
    return dict(rows)
