"""Which partitions the store does not show to be surely up to date, found by one set of joins.

Nothing here makes a Python object for a partition that is up to date: of a million,
only those that a plan has to look at come back. What is not sure is doubtful, never
the other way round; a doubtful partition may turn out to be up to date.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assetflow.graph.mapping import PartitionMapping, is_slice
from assetflow.metadata.encoding import text_of
from assetflow.metadata.rows import fetch_read_sets
from assetflow.metadata.store import Store
from assetflow.model.columns import ReadSet
from assetflow.model.fingerprint import FINGERPRINT_LENGTH
from assetflow.model.names import (
    AssetName,
    AssetPartition,
    CodeVersion,
    PartitionKey,
    VersionId,
)
from assetflow.model.partitions import KeySet
from assetflow.planning.terms import NOTHING_SEEN, token_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    States = Mapping[AssetName, Mapping[PartitionKey, VersionId]]

ALIGNED, WHOLE_READ, SLICED, LINKED = range(4)
"""How a key finds what it reads: under itself, all there is, a slice of that, or by links."""


@dataclass(frozen=True, slots=True)
class ExpectedInput:
    """One input as the trace of an up-to-date materialization records it."""

    name: str
    upstream: AssetName
    form: str
    mapping: PartitionMapping
    read_set: ReadSet
    upstream_keys: KeySet


@dataclass(frozen=True, slots=True)
class ExpectedOther:
    """Another asset or source that checks read: all of it, or the same partition alone."""

    upstream: AssetName
    keys: KeySet
    is_aligned: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What the trace of each partition of an asset says if it is up to date.

    Where there are `checks`, it also has an audit by these, which read the `others` as they
    are now; these stand in the order of `Audited.seen`.
    """

    asset: AssetName
    code_version: CodeVersion
    settings: tuple[tuple[str, str], ...]
    keys: KeySet
    inputs: tuple[ExpectedInput, ...]
    checks: str = ""
    others: tuple[ExpectedOther, ...] = ()
    whole: str = ""
    whole_others: tuple[ExpectedOther, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How an environment stands against what is expected.

    `doubtful` are keys of the definition, in its order, missing ones among them; an
    asset without any is not in it. `obsolete` is published, but of no asset or key that
    is expected. `files` are the (path, size, format) of all that is surely up to date.
    `published` says how many keys of the definition have a version. Of the `unaudited` all
    partitions together have not met their checks.
    """

    doubtful: dict[AssetName, tuple[PartitionKey, ...]]
    obsolete: tuple[AssetPartition, ...]
    files: tuple[tuple[str, int, str], ...]
    published: dict[AssetName, int]
    unaudited: tuple[AssetName, ...] = ()


def standing(
    state: Path, environment: str, expected: Sequence[Expected], states: States
) -> Standing:
    """Return how what `environment` publishes stands against `expected`.

    `states` are the observed states of the sources, each by its keys. What is surely up
    to date has a trace that says just what is expected, and names the versions that are
    published now.
    """
    question = _Question(states)
    for one in expected:
        question.expect(one)
    with Store(state).reading() as connection:
        question.write(connection)
        _show(connection, environment)
        _follow_links(connection)
        _find_sure(connection)
        if question.audited.rows:
            _find_audited(connection)
        published = _published(connection, question)
        return Standing(
            _doubtful(connection, question),
            _obsolete(connection, environment, sum(published.values())),
            _files(connection),
            published,
            tuple(
                one.asset
                for one in expected
                if one.whole and published[one.asset] and not question.has_whole(connection, one)
            ),
        )


def doubtful_of_files(
    state: Path, environment: str, paths: Collection[str]
) -> tuple[AssetPartition, ...]:
    """Return what `environment` serves from the files at `paths`, which are not to be relied on."""
    with Store(state).reading() as connection:
        rows = connection.execute(
            """select c.asset, c.partition from current_publications as c
               join places as p using (stored)
               where c.environment = $1 and p.path in (select unnest($2::varchar[]))
               order by all""",
            [environment, [*paths]],
        ).fetchall()
    return tuple(AssetPartition(*row) for row in rows)


@dataclass(slots=True)
class _Table:
    """Rows to be loaded in one statement, column by column."""

    name: str
    columns: str
    rows: list[tuple[object, ...]] = field(default_factory=list)

    def write(self, connection: DuckDBPyConnection) -> None:
        """Make the temporary table with all its rows."""
        typed = [column.split() for column in self.columns.split(", ")]
        lists = ", ".join(
            f"unnest(${number}::{kind}[]) as {name}" for number, (name, kind) in enumerate(typed, 1)
        )
        values = [list(column) for column in zip(*self.rows, strict=True)] or [[] for _ in typed]
        connection.execute(f"create or replace temp table {self.name} as select {lists}", values)


@dataclass(slots=True)
class _Question:
    """What is expected, as rows. A slot is one key of one definition, an end is who has slots."""

    states: States
    keys: list[KeySet] = field(default_factory=list)
    first_slots: list[int] = field(default_factory=list)
    assets: dict[int, Expected] = field(default_factory=dict)
    slots: _Table = field(
        default_factory=lambda: _Table(
            "slots", "keys integer, slot integer, key varchar, read varchar, time_window varchar"
        )
    )
    ends: _Table = field(
        default_factory=lambda: _Table(
            "ends",
            "endpoint integer, name varchar, keys integer, is_expected boolean, "
            "is_source boolean, code_version varchar, settings varchar, inputs integer",
        )
    )
    inputs: _Table = field(
        default_factory=lambda: _Table(
            "reads",
            "endpoint integer, name varchar, upstream varchar, above integer, form varchar, "
            "mapping varchar, read_set integer, way integer, first_slot integer, links integer, "
            "blocks boolean",
        )
    )
    links: _Table = field(
        default_factory=lambda: _Table(
            "links", "links integer, position integer, below integer, above integer"
        )
    )
    seen: _Table = field(
        default_factory=lambda: _Table("seen", "endpoint integer, key varchar, version varchar")
    )
    audited: _Table = field(
        default_factory=lambda: _Table("audited", "endpoint integer, checks varchar")
    )
    others: _Table = field(
        default_factory=lambda: _Table(
            "others", "endpoint integer, position integer, other integer, way integer"
        )
    )
    _known_keys: dict[int, int] = field(default_factory=dict)
    _known_ends: dict[tuple[AssetName, int], int] = field(default_factory=dict)
    _known_links: dict[tuple[PartitionMapping, int, int], int] = field(default_factory=dict)
    _read_sets: list[ReadSet] = field(default_factory=list)

    def expect(self, one: Expected) -> None:
        """Add the rows of an asset and of what it reads."""
        endpoint = self._end(one.asset, self._keys(one.keys))
        self.assets[endpoint] = one
        for use in one.inputs:
            self._add_input(endpoint, self._keys(one.keys), use)
        if one.checks:
            self._add_checks(endpoint, one)
        for other in one.whole_others:
            self._end(other.upstream, self._keys(other.keys))

    def has_whole(self, connection: DuckDBPyConnection, one: Expected) -> bool:
        """Whether all that is shown of an asset has met its checks together."""
        seen = " ".join(self._token(connection, other) for other in one.whole_others)
        itself = self._token(connection, ExpectedOther(one.asset, one.keys))
        rows = connection.execute(
            "select 1 from audits where version = $1 and checks = $2 and seen = $3 limit 1",
            [itself, one.whole, seen],
        ).fetchall()
        return bool(rows)

    def _token(self, connection: DuckDBPyConnection, other: ExpectedOther) -> str:
        """Return what names the versions that are shown of an asset, as in `Audited.seen`."""
        rows = connection.execute(
            """select s.key, u.version from shown as u join slots as s using (slot)
               where u.endpoint = $1 order by s.slot""",
            [self._end(other.upstream, self._keys(other.keys))],
        ).fetchall()
        if not rows:
            return NOTHING_SEEN
        if other.keys.partitions is None:
            return str(rows[0][1])
        return token_of(*zip(*rows, strict=True))

    def _add_checks(self, endpoint: int, one: Expected) -> None:
        self.audited.rows.append((endpoint, one.checks))
        for position, other in enumerate(one.others):
            way = (
                ALIGNED
                if other.is_aligned
                else WHOLE_READ
                if other.keys.partitions is None
                else LINKED
            )
            end = self._end(other.upstream, self._keys(other.keys))
            self.others.rows.append((endpoint, position, end, way))

    def write(self, connection: DuckDBPyConnection) -> None:
        """Make the temporary tables."""
        numbers = {known: number for number, known in fetch_read_sets(connection).items()}
        self.ends.rows = [self._end_row(*end) for end in self._known_ends.items()]
        self.inputs.rows = [
            (*row[:6], numbers.get(read_set, -1), *row[6:])
            for row, read_set in zip(self.inputs.rows, self._read_sets, strict=True)
        ]
        tables = (self.slots, self.ends, self.inputs, self.links, self.seen)
        for table in (*tables, self.audited, self.others):
            table.write(connection)

    def key_at(self, endpoint: int, slot: int) -> PartitionKey:
        """Return the key in a slot of an asset."""
        keys = self.assets[endpoint].keys
        return keys[slot - self.first_slots[self._keys(keys)]]

    def _keys(self, keys: KeySet) -> int:
        """Return the number of a set of keys; equal definitions share one set."""
        if id(keys) not in self._known_keys:
            self._known_keys[id(keys)] = len(self.keys)
            self.first_slots.append(len(self.slots.rows))
            self.slots.rows += self._slots_of(keys)
            self.keys.append(keys)
        return self._known_keys[id(keys)]

    def _slots_of(self, keys: KeySet) -> Iterator[tuple[object, ...]]:
        for slot, key in enumerate(keys, len(self.slots.rows)):
            window = keys.window(key)
            yield (len(self.keys), slot, key, text_of((key,)), window.text if window else "")

    def _end(self, name: AssetName, keys: int) -> int:
        known = len(self._known_ends)
        endpoint = self._known_ends.setdefault((name, keys), known)
        if endpoint == known and name in self.states:
            seen = self.states[name].items()
            self.seen.rows += [(endpoint, key, version) for key, version in seen]
        return endpoint

    def _end_row(self, end: tuple[AssetName, int], endpoint: int) -> tuple[object, ...]:
        name, keys = end
        one = self.assets.get(endpoint)
        if one is None:
            return (endpoint, name, keys, False, name in self.states, "", "", 0)
        how = (one.code_version, text_of(one.settings), len(one.inputs))
        return (endpoint, name, keys, True, name in self.states, *how)

    def _add_input(self, endpoint: int, below: int, use: ExpectedInput) -> None:
        above = self._keys(use.upstream_keys)
        way = _way(use.mapping, below, above)
        links = self._links(use, below, above) if way == LINKED else -1
        what = (use.name, use.upstream, self._end(use.upstream, above), use.form, use.mapping.text)
        how = (way, self.first_slots[above], links, use.mapping.blocks)
        self.inputs.rows.append((endpoint, *what, *how))
        self._read_sets.append(use.read_set)

    def _links(self, use: ExpectedInput, below: int, above: int) -> int:
        known = len(self._known_links)
        links = self._known_links.setdefault((use.mapping, below, above), known)
        if links == known:
            self.links.rows += self._linked(links, use.mapping, below, above)
        return links

    def _linked(
        self, links: int, mapping: PartitionMapping, below: int, above: int
    ) -> Iterator[tuple[object, ...]]:
        downstream, upstream = self.keys[below], self.keys[above]
        slot_of = {key: slot for slot, key in enumerate(upstream, self.first_slots[above])}
        for slot, key in enumerate(downstream, self.first_slots[below]):
            for position, read in enumerate(mapping.reads(key, downstream, upstream)):
                yield (links, position, slot, slot_of[read])


def _way(mapping: PartitionMapping, below: int, above: int) -> int:
    if mapping.text == "same" and below == above:
        return ALIGNED
    if is_slice(mapping):
        return SLICED
    return WHOLE_READ if mapping.text == "whole" else LINKED


def _show(connection: DuckDBPyConnection, environment: str) -> None:
    """Make `shown`: which version stands in each slot now, of assets and of sources."""
    connection.execute(
        """create or replace temp table shown as
           select e.endpoint, s.slot, c.version, c.made, c.stored
           from current_publications as c
           join ends as e on e.name = c.asset and not e.is_source
           join slots as s on s.keys = e.keys and s.key = c.partition
           where c.environment = $1
           union all
           select e.endpoint, s.slot, n.version, null, null from seen as n
           join ends as e using (endpoint) join slots as s on s.keys = e.keys and s.key = n.key""",
        [environment],
    )


def _follow_links(connection: DuckDBPyConnection) -> None:
    """Make `followed`: what each slot whose upstream slots are linked is expected to have read.

    Where a missing one blocks there is no row; else it is left out. Nor is there a row where
    a function reads no partition: it gets the columns, of which the versions tell nothing.
    """
    connection.execute(
        """create or replace temp table followed as
           select r.endpoint, r.name, b.slot,
                  '[' || coalesce(string_agg(a.read[2:-2], ',' order by l.position)
                                  filter (u.version is not null), '') || ']' as partitions,
                  '[' || coalesce(string_agg('"' || u.version || '"', ',' order by l.position),
                                  '') || ']' as versions
           from reads as r join ends as e using (endpoint) join slots as b on b.keys = e.keys
           left join links as l on l.links = r.links and l.below = b.slot
           left join slots as a on a.slot = l.above
           left join shown as u on u.endpoint = r.above and u.slot = l.above
           where r.way = $1
           group by r.endpoint, r.name, b.slot, r.blocks
           having (not r.blocks or count(l.above) = count(u.version))
              and (any_value(r.form) = 'sql' or count(u.version) > 0)""",
        [LINKED],
    )


# A trace is right if its parts are, it has as many inputs as are expected, and each of
# these is one that is expected: names of inputs are unique within a trace.
_FIRM = """
    create or replace temp table sure as
    select t.endpoint, t.slot, t.stored, t.made from shown as t
    join ends as e on e.endpoint = t.endpoint and e.is_expected
    join slots as s on s.slot = t.slot
    join materializations as m on m.number = t.made
    where m.code_version = e.code_version and m.settings = e.settings
      and m.time_window = s.time_window and m.inputs = e.inputs and t.stored is not null"""

_WRONG = f"""
    create or replace temp table wrong as
    select t.endpoint, t.slot from sure as t
    join materialization_inputs as i on i.materialization = t.made
    left join reads as r on r.endpoint = t.endpoint and r.name = i.name
    left join slots as s on s.slot = t.slot
    left join shown as u on u.endpoint = r.above
      and u.slot = case r.way when {ALIGNED} then t.slot else r.first_slot end
    left join followed as l
      on l.endpoint = t.endpoint and l.slot = t.slot and l.name = i.name
    where not coalesce(
        r.upstream = i.upstream and r.form = i.form and r.mapping = i.mapping
        and r.read_set = i.read_set
        and i.partitions = case r.way when {WHOLE_READ} then '[""]'
                                      when {LINKED} then l.partitions else s.read end
        and i.versions = case r.way when {LINKED} then l.versions
                                    else '["' || u.version || '"]' end, false)"""


def _find_sure(connection: DuckDBPyConnection) -> None:
    """Make `sure`: the slots of assets whose trace says just what is expected."""
    connection.execute(_FIRM)
    connection.execute(_WRONG)
    connection.execute(
        """delete from sure using wrong
           where sure.endpoint = wrong.endpoint and sure.slot = wrong.slot"""
    )


# What an audit saw of others is named as `planning/terms.py` does: a version by itself, or
# one name for the versions of all partitions in their order.
_TOKENS = f"""
    create or replace temp table tokens as
    select endpoint, left(sha256(string_agg(s.key || '=' || u.version, ',' order by s.slot)),
                          {FINGERPRINT_LENGTH}) as token
    from shown as u join slots as s using (slot)
    where endpoint in (select other from others where way = {LINKED}) group by endpoint"""

_TO_SEE = f"""
    create or replace temp table to_see as
    select o.endpoint, s.slot,
           string_agg(coalesce(case when o.way = {LINKED} then t.token else u.version end,
                               '{NOTHING_SEEN}'), ' ' order by o.position) as seen
    from others as o join ends as e on e.endpoint = o.endpoint join slots as s on s.keys = e.keys
    join ends as f on f.endpoint = o.other
    left join slots as w on w.keys = f.keys and w.key = case o.way when {ALIGNED} then s.key
                                                                   else '' end
    left join shown as u on u.endpoint = o.other and u.slot = w.slot
    left join tokens as t on t.endpoint = o.other
    group by o.endpoint, s.slot"""

_UNAUDITED = """
    delete from sure using
    (select s.endpoint, s.slot from sure as s join audited as d using (endpoint)
     left join to_see as t on t.endpoint = s.endpoint and t.slot = s.slot
     anti join audits as a
     on a.stored = s.stored and a.checks = d.checks and a.seen = coalesce(t.seen, '')) as unaudited
    where sure.endpoint = unaudited.endpoint and sure.slot = unaudited.slot"""


def _find_audited(connection: DuckDBPyConnection) -> None:
    """Leave in `sure` what has met its checks as they are now, and whatever they read."""
    connection.execute(_TOKENS)
    connection.execute(_TO_SEE)
    connection.execute(_UNAUDITED)


def _doubtful(
    connection: DuckDBPyConnection, question: _Question
) -> dict[AssetName, tuple[PartitionKey, ...]]:
    sure = _counts(connection, "sure")
    unsure = [end for end, one in question.assets.items() if sure.get(end, 0) != len(one.keys)]
    rows = connection.execute(
        """select e.endpoint, list(s.slot order by s.slot) from ends as e
           join slots as s using (keys) anti join sure using (endpoint, slot)
           where e.endpoint in (select unnest($1::integer[])) group by all""",
        [[end for end in unsure if end in sure]],
    ).fetchall()
    found = {end: tuple(question.key_at(end, slot) for slot in slots) for end, slots in rows}
    return {
        question.assets[end].asset: found.get(end) or tuple(question.assets[end].keys)
        for end in unsure
    }


def _counts(connection: DuckDBPyConnection, table: str) -> dict[int, int]:
    return dict(
        connection.execute(f"select endpoint, count(*) from {table} group by all").fetchall()
    )


def _published(connection: DuckDBPyConnection, question: _Question) -> dict[AssetName, int]:
    counts = _counts(connection, "shown")
    return {one.asset: counts.get(end, 0) for end, one in question.assets.items()}


def _obsolete(
    connection: DuckDBPyConnection, environment: str, expected: int
) -> tuple[AssetPartition, ...]:
    """Return what is published and not expected; `expected` is how many are both."""
    of_environment = "current_publications as c where c.environment = $1"
    found = connection.execute(f"select count(*) from {of_environment}", [environment]).fetchone()
    if found == (expected,):
        return ()
    rows = connection.execute(
        f"""select c.asset, c.partition from {of_environment}
            and not exists (select 1 from ends as e join slots as s using (keys)
                            where e.is_expected and e.name = c.asset and s.key = c.partition)
            order by all""",
        [environment],
    ).fetchall()
    return tuple(AssetPartition(*row) for row in rows)


def _files(connection: DuckDBPyConnection) -> tuple[tuple[str, int, str], ...]:
    rows = connection.execute(
        """select f.path, f.size_bytes, 'parquet' from packed_files as f
           where f.file in (select p.file from packed_versions as p
                            where p.stored in (select stored from sure))
           union
           select v.path, v.size_bytes, v.format from versions as v
           where v.number in (select stored from sure anti join packed_versions using (stored))
           order by all"""
    ).fetchall()
    return tuple(rows)
