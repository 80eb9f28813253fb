"""The tables of the metadata store, as numbered steps; each is applied once, in order.

A step is never changed once it was released: a new one is added behind it. There
are no indexes: they cost more room than the rows, and the natural keys are held by
whoever folds, in the one transaction that writes.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step from a store to the next."""

    number: int
    name: str
    statements: tuple[str, ...]


_RUNS = (
    """create table runs (
        run varchar not null, environment varchar not null, started_at timestamp not null,
        command varchar not null, pid bigint not null, host varchar not null,
        user_name varchar not null)""",
    """create table run_endings (
        run varchar not null, status varchar not null, finished_at timestamp not null,
        counts varchar not null)""",
    """create table steps (
        run varchar not null, asset varchar not null, partition varchar not null,
        outcome varchar not null, reasons varchar not null, started_at timestamp not null,
        seconds double not null, rows bigint, materialization varchar, error varchar not null,
        output varchar not null, attempts integer not null)""",
)

_DEFINITIONS = (
    """create table asset_definitions (
        asset varchar not null, code_version varchar not null, kind varchar not null,
        source varchar not null, parts varchar not null, canonicalizer varchar not null,
        path varchar not null, seen_at timestamp not null)""",
    """create table asset_edges (
        asset varchar not null, code_version varchar not null, position integer not null,
        input varchar not null, upstream varchar, read_set integer)""",
    """create table column_edges (
        asset varchar not null, code_version varchar not null, position integer not null,
        input varchar not null, column_name varchar not null, target varchar not null,
        kind varchar not null)""",
    """create table read_sets (
        read_set integer not null, columns varchar[], ordered boolean not null)""",
)

_CONTENTS = (
    """create table versions (
        version varchar not null, asset varchar not null, partition varchar not null,
        run varchar not null, created_at timestamp not null, path varchar not null,
        format varchar not null, schema varchar not null, rows bigint,
        size_bytes bigint not null, ordered boolean not null, algorithm varchar not null)""",
    """create table digests (
        version varchar not null, read_set integer not null, algorithm varchar not null,
        digest varchar not null)""",
    """create table materializations (
        number bigint not null, materialization varchar not null, run varchar not null,
        asset varchar not null, partition varchar not null, version varchar not null,
        key varchar not null, code_version varchar not null, outcome varchar not null,
        is_volatile boolean not null, created_at timestamp not null, seconds double not null,
        settings varchar not null, metadata varchar not null)""",
    """create table materialization_inputs (
        materialization bigint not null, name varchar not null, upstream varchar not null,
        form varchar not null, mapping varchar not null, partitions varchar not null,
        versions varchar not null, read_set integer not null, digest varchar not null)""",
    """create table removed_versions (
        version varchar not null, removed_at timestamp not null)""",
    """create table observations (
        number bigint not null, source varchar not null, state varchar not null,
        run varchar not null, observed_at timestamp not null, schema varchar not null,
        rows bigint, files varchar not null, answer varchar not null,
        algorithm varchar not null, digests varchar not null)""",
)

_PUBLICATIONS = (
    """create table publications (
        sequence bigint not null, publication varchar not null, run varchar not null,
        environment varchar not null, published_at timestamp not null,
        applied_at timestamp not null, asset varchar not null, partition varchar not null,
        expected bigint not null, version varchar, materialization varchar)""",
    """create table refused_publications (
        publication varchar not null, run varchar not null, environment varchar not null,
        published_at timestamp not null, why varchar not null)""",
    """create table current_publications (
        environment varchar not null, asset varchar not null, partition varchar not null,
        sequence bigint not null, version varchar not null, materialization varchar not null)""",
    """create table events (
        number bigint not null, event varchar not null, happened_at varchar not null,
        kind varchar not null, run varchar, environment varchar not null, asset varchar,
        detail varchar not null, hash varchar not null)""",
    "create table journals (run varchar not null, folded_bytes bigint not null)",
)

# What is derived is an integer: millions of partitions are joined by it. `made` and `stored`
# are the numbers of what a pointer shows; `inputs` is how many inputs a trace has.
_NUMBERS = (
    """create table numbered_versions (
        version varchar not null, asset varchar not null, partition varchar not null,
        run varchar not null, created_at timestamp not null, path varchar not null,
        format varchar not null, schema varchar not null, rows bigint,
        size_bytes bigint not null, ordered boolean not null, algorithm varchar not null,
        packed boolean not null, number bigint not null)""",
    """insert into numbered_versions
       select *, false, row_number() over (order by rowid) from versions order by rowid""",
    "drop table versions",
    "alter table numbered_versions rename to versions",
    """create table numbered_publications (
        environment varchar not null, asset varchar not null, partition varchar not null,
        sequence bigint not null, version varchar not null, materialization varchar not null,
        made bigint, stored bigint)""",
    """insert into numbered_publications
       select p.*, m.number, v.number from current_publications as p
       left join materializations as m using (materialization)
       left join versions as v on v.version = p.version order by p.rowid""",
    "drop table current_publications",
    "alter table numbered_publications rename to current_publications",
    """create table windowed_materializations (
        number bigint not null, materialization varchar not null, run varchar not null,
        asset varchar not null, partition varchar not null, version varchar not null,
        key varchar not null, code_version varchar not null, outcome varchar not null,
        is_volatile boolean not null, created_at timestamp not null, seconds double not null,
        settings varchar not null, metadata varchar not null, time_window varchar not null,
        inputs integer not null)""",
    """insert into windowed_materializations
       select m.*, '', coalesce(i.inputs, 0) from materializations as m
       left join (select materialization as number, count(*) as inputs
                  from materialization_inputs group by all) as i using (number)
       order by m.rowid""",
    "drop table materializations",
    "alter table windowed_materializations rename to materializations",
)

_PARTITIONS = (
    "alter table observations add column partition varchar default ''",
    """create table packed_files (
        file bigint not null, path varchar not null, size_bytes bigint not null,
        packed boolean not null, packed_at timestamp not null)""",
    "create table packed_versions (stored bigint not null, file bigint not null)",
    """create view places as
       select v.number as stored, coalesce(f.path, v.path) as path,
              coalesce(f.size_bytes, v.size_bytes) as size_bytes, v.format,
              coalesce(f.packed, v.packed) as packed, coalesce(f.packed_at, v.created_at) as since
       from versions as v left join packed_versions as p on p.stored = v.number
       left join packed_files as f using (file)""",
    """create table left_files (
        path varchar not null, size_bytes bigint not null, left_at timestamp not null)""",
    "create table removed_files (path varchar not null, removed_at timestamp not null)",
    """create table slice_digests (
        version varchar not null, cut varchar not null, read_set integer not null,
        algorithm varchar not null, digests varchar not null)""",
    """create table dynamic_partitions (
        name varchar not null, key varchar not null, added_at timestamp not null,
        removed_at timestamp)""",
)

# `stored` is the number of the version; NULL where an audit is of all partitions together.
_CHECKS = (
    """create table audits (
        run varchar not null, asset varchar not null, partition varchar not null,
        version varchar not null, checks varchar not null, terms varchar not null,
        seen varchar not null, verdict varchar not null, failed varchar not null,
        audited_at timestamp not null, stored bigint)""",
    """create table check_results (
        run varchar not null, asset varchar not null, partition varchar not null,
        version varchar not null, audited_at timestamp not null, check_name varchar not null,
        fingerprint varchar not null, elsewhere varchar not null, digest varchar,
        kind varchar not null, columns varchar not null, severity varchar not null,
        on_failure varchar not null, status varchar not null, observed varchar not null,
        bound varchar not null, failures bigint, rows bigint, metric double,
        sql varchar not null, message varchar not null, carried_over boolean not null,
        quarantined bigint not null, seconds double not null)""",
    """create table failing_rows (
        run varchar not null, asset varchar not null, partition varchar not null,
        version varchar not null, check_name varchar not null, audited_at timestamp not null,
        columns varchar not null, rows varchar not null, place varchar not null)""",
)

_REPAIRS = (
    """create table repairs (
        happening varchar not null, run varchar, environment varchar not null,
        asset varchar not null, partition varchar not null, check_name varchar not null,
        happened_at timestamp not null, kind varchar not null, note varchar not null,
        user_name varchar not null)""",
)

_EVENT_TIMES = (
    """create table event_times (
        version varchar not null, timed_by varchar not null, newest timestamp)""",
)

MIGRATIONS = (
    Migration(1, "the first tables", _RUNS + _DEFINITIONS + _CONTENTS + _PUBLICATIONS),
    Migration(2, "partitions", _NUMBERS + _PARTITIONS),
    Migration(3, "checks", _CHECKS + _REPAIRS),
    Migration(4, "event times", _EVENT_TIMES),
)
LATEST = MIGRATIONS[-1].number
MIGRATIONS_TABLE = "create table migrations (number integer not null, name varchar not null)"
