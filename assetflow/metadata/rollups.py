"""What the store says of many partitions at once: which there are, how many, what they cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assetflow.metadata.check_rows import rejected_versions
from assetflow.metadata.encoding import instant_text
from assetflow.metadata.rows import utc
from assetflow.metadata.store import Store
from assetflow.model.names import AssetName, PartitionKey, VersionId
from assetflow.planning.audits import AuditVerdict
from assetflow.planning.history import RollUp
from assetflow.planning.terms import token_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from assetflow.model.partitions import KeySet

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


def roll_ups(
    state: Path, environment: str, whole: Mapping[AssetName, KeySet] | None = None
) -> dict[AssetName, RollUp]:
    """Return how much of each asset `environment` serves, and since when at the latest.

    Of the assets in `whole` it tells, too, how all partitions of these keys together met
    their checks.
    """
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
        _name_together(connection, _tokens(connection, environment, whole or {}))
        verdicts = _verdicts(connection, environment)
        unmet = _unmet(connection, environment)
    rejected: dict[AssetName, tuple[PartitionKey, ...]] = {}
    for asset, key in rejected_versions(state, environment):
        rejected[asset] = (*rejected.get(asset, ()), key)
    served = {
        asset: RollUp(count, total, utc(at), verdicts.get(asset), unmet.get(asset, ()))
        for asset, count, total, at in rows
    }
    return {
        asset: replace(served.get(asset, NOTHING_SERVED), rejected=rejected.get(asset, ()))
        for asset in (*served, *(rejected.keys() - served.keys()))
    }


NOTHING_SERVED = RollUp(0, None, None)
_WORST: tuple[AuditVerdict, ...] = ("passed", "warned", "failed", "broken", "rejected")


def _tokens(
    connection: DuckDBPyConnection, environment: str, whole: Mapping[AssetName, KeySet]
) -> dict[AssetName, str]:
    """Return what names all partitions together that are served of each asset in `whole`."""
    if not whole:
        return {}
    served: dict[AssetName, dict[PartitionKey, VersionId]] = {}
    rows = connection.execute(
        """select asset, partition, version from current_publications
           where environment = $1 and asset in (select unnest($2::varchar[]))""",
        [environment, [*whole]],
    ).fetchall()
    for asset, key, version in rows:
        served.setdefault(asset, {})[key] = version
    there = {name: [key for key in whole[name] if key in served[name]] for name in served}
    return {name: token_of(keys, (served[name][k] for k in keys)) for name, keys in there.items()}


def _name_together(connection: DuckDBPyConnection, tokens: Mapping[AssetName, str]) -> None:
    """Make `together`: what stands for all partitions of an asset."""
    connection.execute(
        """create or replace temp table together as
           select unnest($1::varchar[]) as asset, unnest($2::varchar[]) as version""",
        [[*tokens], [*tokens.values()]],
    )


def _verdicts(connection: DuckDBPyConnection, environment: str) -> dict[AssetName, AuditVerdict]:
    """Return the worst of the newest audits of what is served."""
    rows = connection.execute(
        """with found as (
               select c.asset, c.partition, a.version, a.verdict, a.audited_at, a.rowid as number
               from current_publications as c join audits as a using (stored)
               where c.environment = $1
               union all
               select t.asset, '', a.version, a.verdict, a.audited_at, a.rowid
               from together as t join audits as a using (version))
           select asset, list(distinct verdict) from (
               from found qualify row_number() over (partition by asset, partition, version
                                                     order by audited_at desc, number desc) = 1)
           group by asset""",
        [environment],
    ).fetchall()
    return {asset: max(found, key=_WORST.index) for asset, found in rows}


def _unmet(connection: DuckDBPyConnection, environment: str) -> dict[AssetName, tuple[str, ...]]:
    """Return the checks of what is served that did not pass when they were asked last."""
    rows = connection.execute(
        """with served as (
               select asset, partition, version from current_publications where environment = $1
               union all select asset, '', version from together)
           select asset, list(distinct check_name order by check_name) from (
               select c.asset, r.check_name, r.status
               from served as c join check_results as r using (version)
               qualify row_number() over (partition by c.asset, c.partition, version, r.check_name
                                          order by r.audited_at desc, r.rowid desc) = 1)
           where status in ('warned', 'failed', 'errored') group by asset""",
        [environment],
    ).fetchall()
    return {asset: tuple(names) for asset, names in rows}


def slow_seconds(state: Path) -> dict[AssetName, float]:
    """Return how long a materialization of each asset takes at most, but for one in ten."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            f"""select asset, list_aggr(max_by(seconds, number, {RECENT}), 'quantile_cont', 0.9)
                from materializations where outcome in ('materialized', 'unchanged')
                group by asset"""
        ).fetchall()
    return dict(rows)


def asks(
    state: Path, environment: str, timed_by: Mapping[AssetName, str], until: datetime
) -> dict[AssetName, tuple[tuple[datetime, datetime | None], ...]]:
    """Return when assets with an event time were computed before `until`, and how new that was.

    Each has the newest times, the oldest first. `timed_by` says by what their event time is
    told.
    """
    with Store(state).reading() as connection:
        rows = connection.execute(
            f"""select m.asset, m.created_at, e.newest
                from materializations as m join runs using (run)
                join (select unnest($2::varchar[]) as asset, unnest($3::varchar[]) as timed_by) as t
                  using (asset)
                left join event_times as e on e.version = m.version and e.timed_by = t.timed_by
                where runs.environment = $1 and m.outcome in ('materialized', 'unchanged')
                  and m.created_at <= $4::timestamp
                qualify row_number() over (partition by m.asset order by m.number desc) <= {RECENT}
                order by m.asset, m.number""",
            [environment, [*timed_by], [*timed_by.values()], instant_text(until)],
        ).fetchall()
    found: dict[AssetName, list[tuple[datetime, datetime | None]]] = {}
    for asset, at, newest in rows:
        found.setdefault(asset, []).append((utc(at), newest and utc(newest)))
    return {asset: tuple(some) for asset, some in found.items()}


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
