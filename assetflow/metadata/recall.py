"""What the store remembers, as frozen values. Each question opens the store for a moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assetflow.metadata.chain import BrokenLink, EventRow, first_broken
from assetflow.metadata.check_rows import fetch_audits
from assetflow.metadata.compare_and_set import PublicationRefused
from assetflow.metadata.encoding import instant_text, read_text
from assetflow.metadata.records import DefinitionSeen, Observed, RunStarted, StepFinished
from assetflow.metadata.rows import PAIRS, SCHEMA, fetch_contents, utc
from assetflow.metadata.store import Store
from assetflow.model.columns import ReadSet
from assetflow.model.file_states import FileState
from assetflow.model.names import AssetName, AssetPartition, Digest, PartitionKey
from assetflow.planning.audits import Audited
from assetflow.planning.history import Candidate, Materialized, Publication, VersionStored

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from assetflow.metadata.rows import Contents
    from assetflow.model.names import CodeVersion, Key, MaterializationId, RunId, VersionId

    Partitions = Mapping[AssetName, Collection[PartitionKey]]

COUNTS = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Pointer:
    """A pointer as it stands or stood; `is_removed` if its version's data is gone."""

    sequence: int
    version: VersionId
    materialization: MaterializationId
    is_removed: bool = False


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run: how it began and, unless it is still at work, how it ended."""

    started: RunStarted
    status: str
    finished_at: datetime | None
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class RunDetails:
    """One run with its steps, in the order in which they were recorded."""

    summary: RunSummary
    steps: tuple[StepFinished, ...]


@dataclass(frozen=True, slots=True)
class PublicationSummary:
    """One accepted publication: when it was asked for, when it took effect, what it moved.

    `moved` counts all pointers, `withdrawn` those of them that were taken away; `command`
    is that of its run.
    """

    sequence: int
    publication: str
    run: RunId
    environment: str
    published_at: datetime
    applied_at: datetime
    moved: int
    withdrawn: int
    command: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a plan needs to know of the past, as one opening of the store gives it."""

    published: dict[AssetPartition, Publication] = field(default_factory=dict)
    candidates: dict[tuple[AssetName, PartitionKey, Key], Candidate] = field(default_factory=dict)
    volatile: dict[AssetPartition, Candidate] = field(default_factory=dict)
    audits: dict[VersionId, list[Audited]] = field(default_factory=dict)


def remembered(
    state: Path,
    environment: str,
    wanted: Partitions | None = None,
    candidates_for: Partitions | None = None,
    algorithm: str = "",
) -> Remembered:
    """Return what is published of `wanted`, and what may be reused for `candidates_for`.

    None stands for all that the store has. It is what `published`, `candidates` and
    `newest_volatile` return, with the audits of all these versions, from one opening of
    the store.
    """
    with Store(state).reading() as connection:
        here = _asked(connection, "asked_publications", wanted)
        made = _asked(connection, "asked_candidates", candidates_for)
        connection.execute(
            f"""create or replace temp table told(what, number, version) as
                select 'published', made, version {_SHOWN} and {here}
                union all select 'accepted', number, version {_accepted_of(made)}
                union all select 'volatile', number, version {_volatile_of(made)}""",
            [environment],
        )
        return _told(connection, environment, here, algorithm)


def _told(
    connection: DuckDBPyConnection, environment: str, here: str, algorithm: str
) -> Remembered:
    """Return what was `told`, its contents fetched once: much of it is told twice."""
    contents = fetch_contents(
        connection, "select distinct number, version from told", (), algorithm
    )
    rows = connection.execute(
        """select what, materialization from materializations join told using (number)
           where what <> 'published' order by number"""
    ).fetchall()
    found: dict[str, list[Candidate]] = {"accepted": [], "volatile": []}
    for what, made in rows:
        one = contents.materializations[made]
        found[what].append(Candidate(one, contents.versions[one.version]))
    return Remembered(
        _publications(connection, environment, here, contents),
        _by_key(found["accepted"]),
        _by_target(found["volatile"]),
        fetch_audits(connection, "version in (select version from told)", ()),
    )


def _asked(connection: DuckDBPyConnection, name: str, wanted: Partitions | None) -> str:
    """Return the condition that a row is of `wanted`, which are the rows of the table `name`."""
    if wanted is None:
        return "true"
    pairs = [(asset, key) for asset, keys in wanted.items() for key in keys]
    connection.execute(
        f"""create or replace temp table {name} as
            select unnest($1::varchar[]) as asset, unnest($2::varchar[]) as partition""",
        [[asset for asset, _ in pairs], [key for _, key in pairs]],
    )
    # Pairs prune nothing, each column by itself does: a store of a million rows is read in part.
    return (
        f"asset in (select asset from {name}) and partition in (select partition from {name}) "
        f"and (asset, partition) in (select (asset, partition) from {name})"
    )


def _of_assets(connection: DuckDBPyConnection, assets: Collection[AssetName]) -> str:
    connection.execute(
        "create or replace temp table asked_assets as select unnest($1::varchar[]) as asset",
        [[*assets]],
    )
    return "asset in (select asset from asked_assets)"


def published(
    state: Path, environment: str, algorithm: str = ""
) -> dict[AssetPartition, Publication]:
    """Return what `environment` serves.

    A version has the digests of `algorithm` where it has some, else those of the
    algorithm that it was stored with.
    """
    with Store(state).reading() as connection:
        return _published(connection, environment, "true", algorithm)


def _published(
    connection: DuckDBPyConnection, environment: str, condition: str, algorithm: str
) -> dict[AssetPartition, Publication]:
    shown = f"select made, version {_SHOWN} and {condition}"
    contents = fetch_contents(connection, shown, (environment,), algorithm)
    return _publications(connection, environment, condition, contents)


_SHOWN = "from current_publications where environment = $1"


def _publications(
    connection: DuckDBPyConnection, environment: str, condition: str, contents: Contents
) -> dict[AssetPartition, Publication]:
    rows = connection.execute(
        f"select asset, partition, sequence, materialization, version {_SHOWN} and {condition}",
        [environment],
    ).fetchall()
    return {
        AssetPartition(asset, partition): Publication(
            sequence, contents.materializations[made], contents.versions[version]
        )
        for asset, partition, sequence, made, version in rows
    }


def pointers(
    state: Path, environment: str, as_of: datetime | int | None = None
) -> dict[AssetPartition, Pointer]:
    """Return the pointers of `environment` as they stand, or stood at an instant or sequence."""
    with Store(state).reading() as connection:
        bound, value = _bound(as_of)
        rows = connection.execute(
            f"""select asset, partition, sequence, version, materialization,
                       version in (select version from removed_versions)
                from (from publications where environment = $1 and {bound}
                      qualify row_number()
                      over (partition by asset, partition order by sequence desc) = 1)
                where version is not null order by asset, partition""",
            [environment, *value],
        ).fetchall()
    return {
        AssetPartition(asset, partition): Pointer(*pointer) for asset, partition, *pointer in rows
    }


def served_version(
    state: Path,
    environment: str,
    target: AssetPartition,
    *,
    as_of: datetime | None = None,
    is_first: bool = False,
) -> VersionId | None:
    """Return the version that `environment` served last, by an instant, or that it served first.

    One whose files were removed is passed over.
    """
    bound, value = _bound(as_of)
    place = len(value) + 2
    with Store(state).reading() as connection:
        found = connection.execute(
            f"""select version from publications
                where environment = $1 and {bound} and asset = ${place} and partition = ${place + 1}
                and version is not null and version not in (select version from removed_versions)
                order by sequence {"" if is_first else "desc"} limit 1""",
            [environment, *value, *target],
        ).fetchone()
    version: VersionId | None = found[0] if found else None
    return version


def _bound(as_of: datetime | int | None) -> tuple[str, list[object]]:
    if as_of is None:
        return "true", []
    if isinstance(as_of, int):
        return "sequence <= $2", [as_of]
    # By the sequence, so that a clock that was set back cannot mix two states.
    last = "select max(sequence) from publications where applied_at <= $2::varchar::timestamp"
    return f"sequence <= ({last})", [instant_text(as_of)]


def candidates(
    state: Path, assets: Collection[AssetName], algorithm: str = ""
) -> dict[tuple[AssetName, PartitionKey, Key], Candidate]:
    """Return the newest materialization of each key of `assets`, published or not.

    Those of interrupted runs and of all environments are among them. Volatile ones
    are not (see `newest_volatile`), nor are those whose version was removed.
    """
    with Store(state).reading() as connection:
        return _accepted(connection, _of_assets(connection, assets), algorithm)


def _accepted(
    connection: DuckDBPyConnection, condition: str, algorithm: str
) -> dict[tuple[AssetName, PartitionKey, Key], Candidate]:
    return _by_key(_candidates(connection, _accepted_of(condition), (), algorithm))


def _accepted_of(condition: str) -> str:
    return f"""from (from materializations where {condition}
           and not is_volatile and version in (select version from versions)
           and version not in (select version from removed_versions)
           qualify row_number() over (partition by asset, partition, key
                                      order by created_at desc, number desc) = 1)"""


def _by_key(
    found: Iterable[Candidate],
) -> dict[tuple[AssetName, PartitionKey, Key], Candidate]:
    return {
        (each.materialization.asset, each.materialization.partition, each.materialization.key): each
        for each in found
    }


def newest_volatile(
    state: Path, environment: str, assets: Collection[AssetName], algorithm: str = ""
) -> dict[AssetPartition, Candidate]:
    """Return the newest materialization that `environment` knows of each of the volatile `assets`.

    It knows what its own runs made and what was ever published in it. An older one is
    never given, also where the newest was rejected or its data was removed, or where the
    asset was not volatile when it was made last.
    """
    with Store(state).reading() as connection:
        of_assets = _of_assets(connection, assets)
        return _newest_volatile(connection, environment, of_assets, algorithm)


def _newest_volatile(
    connection: DuckDBPyConnection, environment: str, condition: str, algorithm: str
) -> dict[AssetPartition, Candidate]:
    return _by_target(_candidates(connection, _volatile_of(condition), (environment,), algorithm))


def _volatile_of(condition: str) -> str:
    return f"""from (from materializations where {condition}
                 and asset in (select asset from materializations where is_volatile)
                 and (run in (select run from runs where environment = $1)
                      or materialization in (select materialization from publications
                                             where environment = $1))
                 qualify row_number() over (partition by asset, partition
                                            order by created_at desc, number desc) = 1)
           where is_volatile and outcome <> 'rejected'
             and version in (select version from versions)
             and version not in (select version from removed_versions)"""


def _by_target(found: Iterable[Candidate]) -> dict[AssetPartition, Candidate]:
    return {
        AssetPartition(each.materialization.asset, each.materialization.partition): each
        for each in found
    }


def _candidates(
    connection: DuckDBPyConnection, query: str, values: tuple[object, ...], algorithm: str
) -> Iterator[Candidate]:
    selected = f"select number, version {query}"
    return _paired(fetch_contents(connection, selected, values, algorithm))


def _paired(contents: Contents) -> Iterator[Candidate]:
    for made in contents.materializations.values():
        yield Candidate(made, contents.versions[made.version])


def observations(state: Path) -> dict[AssetName, dict[PartitionKey, Observed]]:
    """Return the newest observation of each source, of each of its partitions if it has some."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select source, partition, * exclude (number, source, partition)
               from observations qualify row_number()
               over (partition by source, partition order by observed_at desc, number desc) = 1
               order by source, partition"""
        ).fetchall()
    found: dict[AssetName, dict[PartitionKey, Observed]] = {}
    for source, partition, *rest in rows:
        found.setdefault(source, {})[partition] = _observed(source, partition, *rest)
    return found


_DIGESTS = tuple[tuple[ReadSet, Digest], ...]
_FILES = tuple[FileState, ...]


def _observed(source: AssetName, partition: PartitionKey, *rest: Any) -> Observed:
    state, run, observed_at, schema, rows, files, answer, algorithm, digests = rest
    contents = (read_text(SCHEMA, schema), rows, read_text(_FILES, files), answer, algorithm)
    read = (*contents, read_text(_DIGESTS, digests))
    return Observed(source, state, run, utc(observed_at), *read, partition)


def runs(state: Path, limit: int = 50) -> tuple[RunSummary, ...]:
    """Return the newest runs, newest first; the status of one at work is "running"."""
    return _runs(state, "true", (), limit)


def _runs(
    state: Path, condition: str, values: tuple[object, ...], limit: int
) -> tuple[RunSummary, ...]:
    with Store(state).reading() as connection:
        rows = connection.execute(
            f"""select runs.*, status, finished_at, counts
                from runs left join run_endings using (run) where {condition}
                order by started_at desc, runs.rowid desc limit {limit:d}""",
            list(values),
        ).fetchall()
    return tuple(_run_summary(*row) for row in rows)


def _run_summary(run: RunId, environment: str, started_at: datetime, *rest: Any) -> RunSummary:
    *process, status, finished_at, counts = rest
    return RunSummary(
        RunStarted(run, environment, utc(started_at), *process),
        status or "running",
        utc(finished_at) if finished_at else None,
        read_text(COUNTS, counts) if counts else (),
    )


def run(state: Path, run_id: RunId) -> RunDetails | None:
    """Return the run with its steps, None where there is no such run."""
    found = _runs(state, "run = $1", (run_id,), 1)
    if not found:
        return None
    with Store(state).reading() as connection:
        rows = connection.execute(
            "select * from steps where run = $1 order by rowid", [run_id]
        ).fetchall()
    return RunDetails(found[0], tuple(_step(*row) for row in rows))


def _step(run_id: RunId, asset: AssetName, partition: PartitionKey, *rest: Any) -> StepFinished:
    outcome, reasons, started_at, *how = rest
    what = (outcome, read_text(PAIRS, reasons), utc(started_at))
    return StepFinished(run_id, asset, partition, *what, *how)


def versions_by_id(state: Path, versions: Collection[VersionId]) -> dict[VersionId, VersionStored]:
    """Return those of `versions` whose data is there, whatever asset they were made for."""
    with Store(state).reading() as connection:
        contents = fetch_contents(
            connection,
            """select 0, version from versions where version in (select unnest($1::varchar[]))
               and version not in (select version from removed_versions)""",
            ([*versions],),
        )
    return contents.versions


def versions(state: Path, asset: AssetName) -> tuple[VersionStored, ...]:
    """Return the versions of `asset` whose data is there, newest first."""
    with Store(state).reading() as connection:
        contents = fetch_contents(
            connection,
            """select 0, version from versions where asset = $1
               and version not in (select version from removed_versions)""",
            (asset,),
        )
    found = contents.versions.values()
    return tuple(sorted(found, key=lambda version: version.created_at, reverse=True))


def materializations(state: Path, asset: AssetName, limit: int = 50) -> tuple[Materialized, ...]:
    """Return the newest materializations of `asset`, newest first, with what they reported."""
    with Store(state).reading() as connection:
        contents = fetch_contents(
            connection,
            f"""select number, version from materializations where asset = $1
                order by created_at desc, number desc limit {limit:d}""",
            (asset,),
        )
    made = contents.materializations.values()
    return tuple(sorted(made, key=lambda each: each.created_at, reverse=True))


def definitions(
    state: Path, code_versions: Collection[CodeVersion]
) -> dict[tuple[AssetName, CodeVersion], DefinitionSeen]:
    """Return the definitions that had these code versions: source, parts and canonicalizer."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select * from asset_definitions
               where code_version in (select unnest($1::varchar[])) order by rowid""",
            [[*code_versions]],
        ).fetchall()
    return {
        (asset, code): DefinitionSeen(
            asset, code, kind, source, read_text(PAIRS, parts), canonicalizer, path, utc(seen_at)
        )
        for asset, code, kind, source, parts, canonicalizer, path, seen_at in rows
    }


def definition_parts(
    state: Path, code_versions: Collection[CodeVersion]
) -> dict[tuple[AssetName, CodeVersion], tuple[tuple[str, str], ...]]:
    """Return the named parts of these code versions, to say which of them changed."""
    found = definitions(state, code_versions)
    return {key: definition.parts for key, definition in found.items()}


def slice_digests(
    state: Path, version: VersionId, algorithm: str
) -> dict[tuple[str, ReadSet], dict[str, Digest]]:
    """Return the digests of the slices of a version, or of a state of a source, by window.

    They are told apart by how it was cut, and by what was read.
    """
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select s.cut, r.columns, r.ordered, s.digests
               from slice_digests as s join read_sets as r using (read_set)
               where s.version = $1 and s.algorithm = $2 order by s.rowid""",
            [version, algorithm],
        ).fetchall()
    found: dict[tuple[str, ReadSet], dict[str, Digest]] = {}
    for cut, columns, ordered, digests in rows:
        read_set = ReadSet(None if columns is None else tuple(columns), ordered)
        found.setdefault((cut, read_set), {}).update(read_text(_SLICES, digests))
    return found


_SLICES = tuple[tuple[str, Digest], ...]


def publication_history(state: Path, environment: str) -> tuple[PublicationSummary, ...]:
    """Return the publications that took effect in `environment`, newest first."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select sequence, publication, run, publications.environment, published_at,
                   applied_at, count(*), count(*) - count(version), coalesce(command, '')
               from publications left join runs using (run)
               where publications.environment = $1
               group by all order by sequence desc""",
            [environment],
        ).fetchall()
    return tuple(_publication_summary(*row) for row in rows)


def _publication_summary(sequence: int, publication: str, *rest: Any) -> PublicationSummary:
    run, environment, published_at, applied_at, *what = rest
    instants = (utc(published_at), utc(applied_at))
    return PublicationSummary(sequence, publication, run, environment, *instants, *what)


def publication_outcomes(
    state: Path, publications: Collection[str]
) -> dict[str, int | PublicationRefused]:
    """Return the sequence of each publication that took effect, why not of each refused.

    Whoever folded first decided; a publication that is not folded yet is left out.
    """
    with Store(state).reading() as connection:
        accepted = connection.execute(
            """select distinct publication, sequence from publications
               where publication in (select unnest($1::varchar[]))""",
            [[*publications]],
        ).fetchall()
        refused = connection.execute(
            """select publication, run, environment, why from refused_publications
               where publication in (select unnest($1::varchar[]))""",
            [[*publications]],
        ).fetchall()
    return {**dict(accepted), **{row[0]: PublicationRefused(*row) for row in refused}}


def environments(state: Path) -> dict[str, int]:
    """Return how many assets each environment shows; one without any is none."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select environment, count(distinct asset) from current_publications
               group by all order by all"""
        ).fetchall()
    return dict(rows)


def events(state: Path, limit: int | None = None) -> tuple[EventRow, ...]:
    """Return the audit trail, oldest first; with a `limit`, the newest of it."""
    newest = "" if limit is None else f"limit {limit:d}"
    with Store(state).reading() as connection:
        rows = connection.execute(
            f"from (from events order by number desc {newest}) order by number"
        ).fetchall()
    return tuple(EventRow(*row) for row in rows)


def verify_events(state: Path) -> BrokenLink | None:
    """Return the first event of the trail that was changed or is missing, None if none is."""
    return first_broken(events(state))
