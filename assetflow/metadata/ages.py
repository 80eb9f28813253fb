"""What the ages of data follow from: what was published, made from what, and seen of sources."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assetflow.metadata.check_rows import rejected_versions
from assetflow.metadata.encoding import instant_text
from assetflow.metadata.rows import utc
from assetflow.metadata.store import Store
from assetflow.model.names import WHOLE, AssetName, PartitionKey, VersionId
from assetflow.model.partitions import WHOLE_KEYS, KeySet, ProductPartitions
from assetflow.planning.data_time import LATEST_OF_ONE, Making, StateSeen, VersionsRead
from assetflow.planning.freshness_past import PointerMove
from assetflow.planning.newest_partitions import counting_keys, newest_due, newest_read

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

_NEAR = 8
"""So many keys around the newest that should exist are looked at before all of them are."""

_BEFORE = 32
"""So many windows before a time of the past are looked at for the last that was made then."""

_SEEN_HERE = """(not list_contains($2::varchar[], source)
                 or run in (select run from runs where environment = $1))"""

_Node = tuple[AssetName, VersionId]


@dataclass(frozen=True, slots=True)
class AgeQuestion:
    """Whose ages are asked for: of what `environment` serves, as of `now`.

    `keys` are of all assets and sources, `assets` those in question. `timed_by` says of
    those with an event time by what it is told. With `is_past`, `now` is a past moment:
    only what took effect until then counts. `latest` publications of a version are recalled.
    Of the sources in `differing`, which lie elsewhere in other environments, only what runs
    of this one saw counts.
    """

    environment: str
    now: datetime
    keys: Mapping[AssetName, KeySet]
    assets: Collection[AssetName]
    timed_by: Mapping[AssetName, str] = field(default_factory=dict)
    is_past: bool = False
    latest: int = LATEST_OF_ONE
    differing: Collection[AssetName] = ()

    def bound(self, column: str) -> str:
        """Return the condition that what stands in `column` counts."""
        return f"{column} <= '{instant_text(self.now)}'::timestamp" if self.is_past else "true"


@dataclass(slots=True)
class RecalledAges:
    """What the store has of the ages in question.

    `current` are the versions that count for each asset; `makings` are in the order in
    which they were published. `states` are of the sources that were read, and the newest of
    each source and partition, in the order in which they were seen; `newest` are these.
    `timed` are the states whose event time is known.
    """

    current: dict[AssetName, tuple[VersionId, ...]] = field(default_factory=dict)
    makings: list[Making] = field(default_factory=list)
    states: list[StateSeen] = field(default_factory=list)
    newest: dict[AssetName, dict[PartitionKey, VersionId]] = field(default_factory=dict)
    timed: frozenset[tuple[VersionId, str]] = frozenset()


def recalled_ages(state: Path, question: AgeQuestion) -> RecalledAges:
    """Return what the ages in `question` follow from, back to the roots."""
    found = RecalledAges()
    with Store(state).reading() as connection:
        found.current = _current(connection, question)
        found.newest = _newest_states(connection, question)
        shown = {(name, one) for name, some in found.current.items() for one in some}
        newest = {(name, one) for name, some in found.newest.items() for one in some.values()}
        _follow(connection, question, found, shown, newest)
    return found


def recalled_past(
    state: Path, question: AgeQuestion, since: datetime
) -> tuple[RecalledAges, dict[AssetName, list[PointerMove]]]:
    """Return what the ages in `question` followed from since then, and how its pointers moved.

    What they showed at `since` comes first.
    """
    found = RecalledAges()
    with Store(state).reading() as connection:
        moves = _moves(connection, question, since)
        shown = {(name, one.version) for name, some in moves.items() for one in some if one.version}
        _follow(connection, question, found, shown, ())
    return found, moves


def recalled_sightings(
    state: Path, question: AgeQuestion, source: AssetName
) -> tuple[list[StateSeen], list[PointerMove]]:
    """Return the states of a source, and when each of its partitions was seen in which."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            f"""select observed_at, partition, state from observations
                where {question.bound("observed_at")} and {_SEEN_HERE} and source = $3
                order by number""",
            [question.environment, [*question.differing], source],
        ).fetchall()
        states = _states(connection, question, {(source, seen) for _, _, seen in rows})[0]
    return states, [PointerMove(utc(at), partition, seen) for at, partition, seen in rows]


def rejected_reads(
    state: Path,
    environment: str,
    keys: Mapping[AssetName, KeySet],
    assets: Collection[AssetName],
) -> dict[AssetName, tuple[VersionsRead, ...]]:
    """Return what was read for the newest rejected version of each of `assets`.

    Of those alone of which one is newer than what `environment` serves instead.
    """
    rejected = rejected_versions(state, environment, assets)
    newest = {target.asset: version for target, version in rejected.items()}
    if not newest:
        return {}
    with Store(state).reading() as connection:
        connection.execute(
            """create or replace temp table aged as
               select max(number) as number, asset from materializations
               where outcome = 'rejected' and version in (select unnest($1::varchar[]))
               group by asset""",
            [[*newest.values()]],
        )
        rows = connection.execute("from aged").fetchall()
        reads = _reads(connection, keys)
    return {asset: reads.get(number, ()) for number, asset in rows}


def _follow(
    connection: DuckDBPyConnection,
    question: AgeQuestion,
    found: RecalledAges,
    shown: Collection[_Node],
    states: Collection[_Node],
) -> None:
    """Add to `found` what `shown` was made from, back to the roots, and the `states`."""
    frontier, seen = list(shown), set(shown)
    sequences: list[tuple[int, Making]] = []
    while frontier:
        made = _makings(connection, question, frontier)
        sequences += made
        read = {(r.upstream, one) for _, m in made for r in m.reads for one in r.versions}
        frontier = list(read - seen)
        seen |= read
    found.makings = [making for _, making in sorted(sequences, key=lambda one: one[0])]
    found.states, found.timed = _states(connection, question, {*seen, *states})


def _moves(
    connection: DuckDBPyConnection, question: AgeQuestion, since: datetime
) -> dict[AssetName, list[PointerMove]]:
    asked = [(name, key) for name in question.assets for key in _recent(question.keys[name], since)]
    _ask_partitions(connection, asked)
    rows = connection.execute(
        f"""select asset, applied_at, partition, version
            from publications semi join asked_ages using (asset, partition)
            where environment = $1 and {question.bound("applied_at")}
            qualify applied_at > $2::timestamp
                 or coalesce(lead(applied_at) over (partition by asset, partition
                                                    order by sequence) > $2::timestamp, true)
            order by sequence""",
        [question.environment, instant_text(since)],
    ).fetchall()
    found: dict[AssetName, list[PointerMove]] = {}
    for asset, at, partition, version in rows:
        found.setdefault(asset, []).append(PointerMove(utc(at), partition, version))
    return found


def _recent(keys: KeySet, since: datetime) -> Sequence[PartitionKey]:
    """Return the keys that may have counted since then: of time not those of long before."""
    if keys.time is None or isinstance(keys.partitions, ProductPartitions):
        return keys.keys
    return keys.keys[max(0, keys.position_at(since) - _BEFORE) :]


def _ask_partitions(
    connection: DuckDBPyConnection, wanted: Sequence[tuple[AssetName, PartitionKey]]
) -> None:
    connection.execute(
        """create or replace temp table asked_ages as
           select unnest($1::varchar[]) as asset, unnest($2::varchar[]) as partition""",
        [[name for name, _ in wanted], [key for _, key in wanted]],
    )


def _shown(question: AgeQuestion) -> str:
    """Return the SQL of the pointers, as (asset, partition, version)."""
    if not question.is_past:
        return "(select asset, partition, version from current_publications where environment = $1)"
    return f"""(select asset, partition, version
                from (from publications
                      where environment = $1 and {question.bound("applied_at")}
                      qualify row_number() over (partition by asset, partition
                                                 order by sequence desc) = 1)
                where version is not null)"""


def _current(
    connection: DuckDBPyConnection, question: AgeQuestion
) -> dict[AssetName, tuple[VersionId, ...]]:
    """Return the versions that count for the age of each asset."""
    wanted = [
        (name, key)
        for name, keys in _counting(connection, question).items()
        for key in keys
    ]  # fmt: skip
    _ask_partitions(connection, wanted)
    rows = connection.execute(
        f"""select asset, version from {_shown(question)} semi join asked_ages
            using (asset, partition) order by asset, partition""",
        [question.environment],
    ).fetchall()
    found: dict[AssetName, dict[VersionId, None]] = {}
    for asset, version in rows:
        found.setdefault(asset, {})[version] = None
    return {asset: tuple(versions) for asset, versions in found.items()}


def _counting(
    connection: DuckDBPyConnection, question: AgeQuestion
) -> dict[AssetName, tuple[PartitionKey, ...]]:
    """Return the published partitions that count for the age of each asset."""
    found: dict[AssetName, tuple[PartitionKey, ...]] = {}
    timed: dict[AssetName, PartitionKey] = {}
    others: list[AssetName] = []
    for name in question.assets:
        keys = question.keys[name]
        if keys.partitions is None:
            found[name] = (WHOLE,)
        elif keys.time is None or isinstance(keys.partitions, ProductPartitions):
            others.append(name)
        else:
            timed[name] = next(iter(newest_due(keys, question.now)), WHOLE)
    published = _near(connection, question, timed)
    lacking = [name for name in timed if not _chosen(question, name, published.get(name, ()))]
    published.update(_all_published(connection, question, [*others, *lacking]))
    for name in (*timed, *others):
        found[name] = _chosen(question, name, published.get(name, ()))
    return found


def _chosen(
    question: AgeQuestion, name: AssetName, published: Collection[PartitionKey]
) -> tuple[PartitionKey, ...]:
    return counting_keys(question.keys[name], frozenset(published), question.now)


def _near(
    connection: DuckDBPyConnection, question: AgeQuestion, due: Mapping[AssetName, PartitionKey]
) -> dict[AssetName, Sequence[PartitionKey]]:
    """Return the published keys around the newest that should exist, of each asset in `due`.

    Keys of time sort as their times do.
    """
    if not due:
        return {}
    rows = connection.execute(
        f"""select asset, coalesce(max(partition, {_NEAR}) filter (partition <= last), [])
                   || coalesce(min(partition, {_NEAR}) filter (partition > last), [])
            from {_shown(question)}
            join (select unnest($2::varchar[]) as asset, unnest($3::varchar[]) as last)
            using (asset) group by asset""",
        [question.environment, [*due], [*due.values()]],
    ).fetchall()
    return dict(rows)


def _all_published(
    connection: DuckDBPyConnection, question: AgeQuestion, assets: Sequence[AssetName]
) -> dict[AssetName, Sequence[PartitionKey]]:
    if not assets:
        return {}
    rows = connection.execute(
        f"""select asset, list(partition) from {_shown(question)}
            where asset in (select unnest($2::varchar[])) group by asset""",
        [question.environment, [*assets]],
    ).fetchall()
    return dict(rows)


def _makings(
    connection: DuckDBPyConnection, question: AgeQuestion, frontier: Sequence[_Node]
) -> list[tuple[int, Making]]:
    """Return the publications of the versions in `frontier`, each with its sequence."""
    _ask(connection, frontier)
    connection.execute(
        f"""create or replace temp table aged as
            select p.sequence, p.asset, p.version, p.applied_at, m.number, m.is_volatile,
                   m.outcome in ('materialized', 'unchanged') as computed,
                   m.created_at - to_microseconds((m.seconds * 1e6)::bigint) as started_at
            from (from publications semi join asked_versions using (asset, version)
                  where environment = $1 and {question.bound("applied_at")}
                  qualify row_number() over (partition by asset, version
                                             order by sequence desc) <= {question.latest}) as p
            join materializations as m using (materialization)""",
        [question.environment],
    )
    rows = connection.execute("from aged order by sequence, number").fetchall()
    reads = _reads(connection, question.keys)
    times = _event_times(connection, question, {row[2] for row in rows if row[5]})
    begun = _begun(connection) if any(row[5] and not row[6] for row in rows) else {}
    return [
        (
            sequence,
            Making(
                asset=asset,
                version=version,
                started_at=utc(started if computed else begun.get((version, number), started)),
                published_at=utc(applied),
                reads=reads.get(number, ()),
                is_volatile=is_volatile,
                event_time=times.get((version, question.timed_by.get(asset, ""))),
            ),
        )
        for sequence, asset, version, applied, number, is_volatile, computed, started in rows
    ]


def _ask(connection: DuckDBPyConnection, nodes: Collection[_Node]) -> None:
    connection.execute(
        """create or replace temp table asked_versions as
           select unnest($1::varchar[]) as asset, unnest($2::varchar[]) as version""",
        [[name for name, _ in nodes], [version for _, version in nodes]],
    )


def _begun(connection: DuckDBPyConnection) -> dict[tuple[VersionId, int], datetime]:
    """Return when a volatile version was computed that was reused later, by that number."""
    rows = connection.execute(
        """select a.version, a.number,
                  max(m.created_at - to_microseconds((m.seconds * 1e6)::bigint))
           from aged as a join materializations as m using (version)
           where a.is_volatile and not a.computed and m.number <= a.number
             and m.outcome in ('materialized', 'unchanged')
           group by all"""
    ).fetchall()
    return {(version, number): started for version, number, started in rows}


def _event_times(
    connection: DuckDBPyConnection, question: AgeQuestion, versions: Collection[VersionId]
) -> dict[tuple[VersionId, str], datetime | None]:
    if not question.timed_by or not versions:
        return {}
    rows = connection.execute(
        """select version, timed_by, newest from event_times
           where version in (select unnest($1::varchar[]))""",
        [[*versions]],
    ).fetchall()
    return {(version, how): newest and utc(newest) for version, how, newest in rows}


def _reads(
    connection: DuckDBPyConnection, keys: Mapping[AssetName, KeySet]
) -> dict[int, tuple[VersionsRead, ...]]:
    """Return what each materialization read, as far as that counts for its age."""
    rows = connection.execute(
        """select materialization, upstream, partitions, versions from materialization_inputs
           where materialization in (select number from aged) order by materialization, rowid"""
    ).fetchall()
    found: dict[int, tuple[VersionsRead, ...]] = {}
    for number, upstream, partitions, versions in rows:
        read = _counted(keys.get(upstream, WHOLE_KEYS), partitions, versions)
        found[number] = (*found.get(number, ()), VersionsRead(upstream, read))
    return found


def _counted(keys: KeySet, partitions: str, versions: str) -> tuple[VersionId, ...]:
    """Return the versions of the newest partitions among those that were read."""
    if versions.count('"') == 2 and "\\" not in versions:  # noqa: PLR2004 - the quotes of one text
        return (VersionId(versions[2:-2]),)
    read: list[VersionId] = json.loads(versions)
    if keys.time is None:
        return tuple(dict.fromkeys(read))
    return tuple(dict.fromkeys(read[place] for place in newest_read(keys, json.loads(partitions))))


def _newest_states(
    connection: DuckDBPyConnection, question: AgeQuestion
) -> dict[AssetName, dict[PartitionKey, VersionId]]:
    rows = connection.execute(
        f"""select source, partition, max_by(state, number) from observations
            where {question.bound("observed_at")} and {_SEEN_HERE} group by all order by all""",
        [question.environment, [*question.differing]],
    ).fetchall()
    found: dict[AssetName, dict[PartitionKey, VersionId]] = {}
    for source, partition, state in rows:
        found.setdefault(source, {})[partition] = state
    return found


def _states(
    connection: DuckDBPyConnection, question: AgeQuestion, nodes: Iterable[_Node]
) -> tuple[list[StateSeen], frozenset[tuple[VersionId, str]]]:
    """Return those of `nodes` that are states of sources, each time that one was seen.

    Beside them stand those whose event time is known.
    """
    _ask(connection, [*nodes])
    rows = connection.execute(
        f"""select o.source, o.state, o.observed_at,
                   case when o.files = '[]' then o.observed_at
                        else make_timestamp(list_max(
                            (o.files::json ->> '$[*].mtime_ns')::bigint[]) // 1000) end
            from observations as o join asked_versions as a
              on a.asset = o.source and a.version = o.state
            where {question.bound("o.observed_at")} order by o.number"""
    ).fetchall()
    times = _event_times(connection, question, {state for _, state, _, _ in rows})
    return list(_with_times(question, rows, times)), frozenset(times)


def _with_times(
    question: AgeQuestion,
    rows: Iterable[tuple[AssetName, VersionId, datetime, datetime]],
    times: Mapping[tuple[VersionId, str], datetime | None],
) -> Iterator[StateSeen]:
    for source, state, seen_at, changed_at in rows:
        told = (state, question.timed_by.get(source, ""))
        newest = times[told] if told in times else utc(changed_at)
        yield StateSeen(source, state, utc(seen_at), newest)
