"""Audits and results of checks as the store keeps them, as values again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assetflow.metadata.encoding import read_text
from assetflow.metadata.rows import PAIRS, utc
from assetflow.metadata.store import Store
from assetflow.model.names import AssetPartition
from assetflow.planning.audits import Audited, CheckEvaluated, FailingRowsKept, Term
from assetflow.planning.check_pages import CheckOutcome, CheckPoint
from assetflow.quality.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from assetflow.model.names import AssetName, PartitionKey, RunId, VersionId

_TERMS = tuple[Term, ...]
_NAMES = tuple[str, ...]


def fetch_audits(
    connection: DuckDBPyConnection, condition: str, values: tuple[object, ...]
) -> dict[VersionId, list[Audited]]:
    """Return the audits of the versions that `condition` selects, oldest first, without results.

    Of several with the same terms, which saw the same, the newest.
    """
    rows = connection.execute(
        f"""select run, asset, partition, version, checks, terms, seen, verdict, failed, audited_at
            from audits where {condition}
            qualify row_number() over (partition by version, terms, seen
                                       order by audited_at desc, rowid desc) = 1
            order by audited_at, rowid""",
        list(values),
    ).fetchall()
    found: dict[VersionId, list[Audited]] = {}
    for run, asset, partition, version, checks, terms, seen, verdict, failed, at in rows:
        what = (checks, read_text(_TERMS, terms), seen, verdict, read_text(PAIRS, failed))
        audited = Audited(run, asset, partition, version, *what, utc(at))
        found.setdefault(version, []).append(audited)
    return found


def audits_of(state: Path, versions: Collection[VersionId]) -> dict[VersionId, list[Audited]]:
    """Return the audits of `versions`, oldest first, without results."""
    with Store(state).reading() as connection:
        return fetch_audits(connection, "version in (select unnest($1::varchar[]))", ([*versions],))


def rejected_wholes(state: Path, assets: Collection[AssetName]) -> dict[VersionId, list[Audited]]:
    """Return the audits of what was rejected as all partitions of one of `assets` together."""
    if not assets:
        return {}
    condition = """version in (select version from audits where verdict = 'rejected'
                   and partition = '' and asset in (select unnest($1::varchar[])))"""
    with Store(state).reading() as connection:
        return fetch_audits(connection, condition, ([*assets],))


@dataclass(frozen=True, slots=True)
class ResultKept:
    """How a check of a version came out, as it is remembered."""

    asset: AssetName
    partition: PartitionKey
    version: VersionId
    run: RunId
    at: datetime
    evaluated: CheckEvaluated


_RESULT = """asset, partition, version, run, audited_at, check_name, fingerprint, elsewhere, digest,
    seconds, kind, columns, severity, on_failure, carried_over, quarantined, status, observed,
    bound, failures, rows, metric, sql, message"""


def results_of(
    state: Path, versions: Collection[VersionId], *, as_carried: bool = False
) -> dict[VersionId, list[ResultKept]]:
    """Return how the checks of `versions` came out, of each check and what it read the newest.

    With `as_carried` they say that they are carried over.
    """
    found: dict[VersionId, list[ResultKept]] = {}
    for one in _results(
        state,
        "version in (select unnest($1::varchar[]))",
        "version, fingerprint, elsewhere",
        [[*versions]],
        as_carried=as_carried,
    ):
        found.setdefault(one.version, []).append(one)
    return found


def outcomes_of_run(state: Path, run: RunId) -> dict[AssetPartition, tuple[CheckOutcome, ...]]:
    """Return how the checks came out that a run asked, in their order, the last of each."""
    found: dict[AssetPartition, list[CheckOutcome]] = {}
    for one in _results(state, "run = $1", "asset, partition, check_name", [run]):
        target = AssetPartition(one.asset, one.partition)
        found.setdefault(target, []).append(one.evaluated.outcome)
    return {target: tuple(outcomes) for target, outcomes in found.items()}


def results_by_digest(state: Path, assets: Collection[AssetName]) -> tuple[ResultKept, ...]:
    """Return how checks of `assets` came out that say what they read, whatever the version.

    Of each check and what it read the newest, if it was asked then and not carried over; it
    is now.
    """
    return _results(
        state,
        "asset in (select unnest($1::varchar[])) and digest is not null and not carried_over",
        "asset, fingerprint, elsewhere, digest",
        [[*assets]],
        as_carried=True,
    )


def _results(
    state: Path, condition: str, each: str, values: list[object], *, as_carried: bool = False
) -> tuple[ResultKept, ...]:
    columns = _RESULT.replace("carried_over", "true") if as_carried else _RESULT
    with Store(state).reading() as connection:
        rows = connection.execute(
            f"""select {columns} from check_results where {condition}
                qualify row_number() over (partition by {each}
                                           order by audited_at desc, rowid desc) = 1
                order by audited_at, rowid""",
            values,
        ).fetchall()
    return tuple(_result(*row) for row in rows)


def _result(
    asset: AssetName,
    partition: PartitionKey,
    version: VersionId,
    run: RunId,
    at: datetime,
    *rest: Any,
) -> ResultKept:
    check, mark, elsewhere, digest, seconds, kind, columns, *how = rest
    severity, on_failure, carried_over, quarantined, *answer = how
    outcome = CheckOutcome(
        check=check,
        kind=kind,
        answer=Answer(*answer),
        columns=read_text(_NAMES, columns),
        severity=severity,
        on_failure=on_failure,
        carried_over=carried_over,
        quarantined=quarantined,
    )
    evaluated = CheckEvaluated(Term(check, mark, elsewhere), outcome, digest, seconds)
    return ResultKept(asset, partition, version, run, utc(at), evaluated)


_NEWEST_POINTS = 60


def check_points(
    state: Path, assets: Collection[AssetName], most: int = _NEWEST_POINTS
) -> dict[tuple[AssetName, PartitionKey, str], tuple[CheckPoint, ...]]:
    """Return what each check of `assets` came to, oldest first, by partition and check."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            f"""select asset, partition, check_name,
                       list((audited_at, status, metric) order by audited_at, row)
                from (select *, rowid as row from check_results
                      where asset in (select unnest($1::varchar[]))
                      qualify row_number() over (partition by asset, partition, check_name
                                                 order by audited_at desc, rowid desc) <= {most:d})
                group by all""",
            [[*assets]],
        ).fetchall()
    return {
        (asset, partition, check): tuple(
            CheckPoint(utc(at), status, metric) for at, status, metric in points
        )
        for asset, partition, check, points in rows
    }


def metrics(
    state: Path, environment: str, asset: AssetName, check: str, sql: str
) -> list[tuple[str, str, str, float]]:
    """Return the (partition, version, status, metric) of a check, oldest first.

    Of each version the newest, if there is a number and `sql` gives it; of those alone that
    `environment` ever published, or that runs of its own audited.
    """
    with Store(state).reading() as connection:
        return connection.execute(
            """select partition, version, status, metric
               from (from check_results where asset = $1 and check_name = $2 and sql = $3
                     and (run in (select run from runs where environment = $4)
                          or version in (select version from publications
                                         where environment = $4 and asset = $1))
                     qualify row_number() over (partition by version
                                                order by audited_at desc, rowid desc) = 1)
               where metric is not null order by audited_at, version""",
            [asset, check, sql, environment],
        ).fetchall()


def kept_rows(
    state: Path, versions: Collection[VersionId]
) -> dict[tuple[VersionId, str], FailingRowsKept]:
    """Return the failing rows that were kept of `versions`, by check, of each the newest."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select run, asset, partition, version, check_name, audited_at, columns, rows, place
               from failing_rows where version in (select unnest($1::varchar[]))
               qualify row_number() over (partition by version, check_name
                                          order by audited_at desc, rowid desc) = 1""",
            [[*versions]],
        ).fetchall()
    return {
        (version, check): FailingRowsKept(
            run, asset, partition, version, check, utc(at), *_kept(columns, lines), place
        )
        for run, asset, partition, version, check, at, columns, lines, place in rows
    }


def kept_places(state: Path, without: Collection[VersionId] = ()) -> set[str]:
    """Return where rows lie that were set aside, of versions that are there; not of `without`."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select distinct place from failing_rows where place <> ''
               and version not in (select unnest($1::varchar[]))""",
            [[*without]],
        ).fetchall()
    return {place for (place,) in rows}


def _kept(columns: str, lines: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    return read_text(PAIRS, columns), read_text(_NAMES, lines)


def was_ever_rejected(state: Path, assets: Collection[AssetName]) -> bool:
    """Whether any version of `assets` was rejected, in whatever environment."""
    with Store(state).reading() as connection:
        found = connection.execute(
            """select 1 from materializations where outcome = 'rejected'
               and asset in (select unnest($1::varchar[])) limit 1""",
            [[*assets]],
        ).fetchone()
    return found is not None


def rejected_versions(
    state: Path, environment: str, assets: Collection[AssetName] | None = None
) -> dict[AssetPartition, VersionId]:
    """Return the rejected versions that are newer than what `environment` serves instead.

    Of `assets`, None for all.
    """
    chosen = "true" if assets is None else "asset in (select unnest($2::varchar[]))"
    values = [environment] if assets is None else [environment, [*assets]]
    with Store(state).reading() as connection:
        rows = connection.execute(
            f"""select m.asset, m.partition, m.version
               from (from materializations where {chosen}
                     and run in (select run from runs where environment = $1)
                     qualify row_number() over (partition by asset, partition
                                                order by number desc) = 1) as m
               left join current_publications as c
               on c.environment = $1 and c.asset = m.asset and c.partition = m.partition
               where m.outcome = 'rejected' and m.number > coalesce(c.made, 0)
                 and m.version not in (select version from removed_versions)
               order by all""",
            values,
        ).fetchall()
    return {AssetPartition(asset, partition): version for asset, partition, version in rows}
