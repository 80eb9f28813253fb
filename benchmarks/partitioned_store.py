"""A store with many partitions, grown in bulk from one that really was materialized.

What a run recorded of the one partition that every asset has is repeated for all other
keys: traces, versions, digests, publications, packed files. It is what runs would have left,
as long as the partitions of a source all hold the same rows. Run as a script, it grows the
store of the project in the present folder: `python benchmarks/partitioned_store.py`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SMALL_FILES = 8
"""How many of the newest partitions lie in files of their own; the older ones are packed."""

_VERSION = "printf('%016x%08x', 1760000000000000000 + {0} * 7000000, hash({0}) % 4294967296)"

# `grown` has a row for each partition that is to be: `number` is that of its version and of
# its materialization. The key that is there is slot 0, and stays as it is.
_GROWN = f"""
    create temp table grown as
    select first.asset, first.version as first_version, first.made as first_made,
           days.slot, days.key, first.last_number * days.slot + first.made as number,
           days.time_window,
           {_VERSION.format("(first.last_number * days.slot + first.made)")} as version,
           {_VERSION.format("(first.last_number * days.slot + first.made + 500000000)")} as made_id
    from (select asset, version, made, (select max(number) from versions) as last_number
          from current_publications) as first
    cross join (
        select partition as key, row_number() over (order by partition) - 1 as slot,
               partition || 'T00:00:00Z/' || (partition::date + 1)::date || 'T00:00:00Z'
                   as time_window
        from observations where partition <> '') as days
    where days.slot > 0 order by number"""

_INSERTS = (
    """insert into versions
       select v.* replace (g.version as version, g.key as partition, g.number as number,
                           g.asset || '/' || g.version || '.parquet' as path)
       from grown as g join versions as v on v.version = g.first_version order by g.number""",
    """insert into packed_files
       select g.first_made, g.asset || '/' || min(g.version) || '-' || count(*) || '.parquet',
              0, true, max(v.created_at)
       from grown as g join versions as v on v.version = g.first_version
       where g.slot <= (select max(slot) from grown) - $small
       group by g.first_made, g.asset order by 1""",
    """insert into packed_versions
       select number, first_made from grown
       where slot <= (select max(slot) from grown) - $small order by number""",
    """insert into digests
       select d.* replace (g.version as version)
       from grown as g join digests as d on d.version = g.first_version
       order by g.number, d.rowid""",
    """insert into materializations
       select m.* replace (g.number as number, g.made_id as materialization, g.key as partition,
                           g.version as version, md5(m.key || g.key) as key,
                           g.time_window as time_window)
       from grown as g join materializations as m on m.number = g.first_made
       order by g.number""",
    """insert into materialization_inputs
       select i.* replace (g.number as materialization, '["' || g.key || '"]' as partitions,
                           '["' || coalesce(above.version, o.state) || '"]' as versions)
       from grown as g join materialization_inputs as i on i.materialization = g.first_made
       left join grown as above on above.asset = i.upstream and above.slot = g.slot
       left join observations as o on o.source = i.upstream and o.partition = g.key
       order by g.number, i.rowid""",
    """insert into steps
       select s.* replace (g.key as partition, g.made_id as materialization)
       from grown as g join steps as s using (asset) order by g.number""",
    """insert into publications
       select p.* replace (g.key as partition, g.version as version, g.made_id as materialization)
       from grown as g join publications as p using (asset) order by g.number""",
    """insert into current_publications
       select p.* replace (g.key as partition, g.version as version, g.made_id as materialization,
                           g.number as made, g.number as stored)
       from grown as g join current_publications as p using (asset) order by g.number""",
)


def grow_store(state: Path) -> None:
    """Give every asset in the store of `state` all partitions that its sources have.

    Each asset must have one partition, which lies in a file of its own.
    """
    import duckdb

    with duckdb.connect(str(state / "metadata.duckdb")) as connection:
        connection.begin()
        connection.execute(_GROWN)
        for statement in _INSERTS:
            values = {"small": SMALL_FILES} if "$small" in statement else None
            connection.execute(statement, values)
        _write_packed(connection, state / "data")
        _write_single(connection, state / "data")
        connection.execute("drop table grown")
        connection.commit()


def _write_packed(connection: DuckDBPyConnection, data: Path) -> None:
    """Write the packed files, each with the rows of its asset's first partition many times."""
    rows = connection.execute(
        """select f.file, f.path, v.path, list(g.key order by g.slot)
           from packed_files as f join grown as g on g.first_made = f.file
           join packed_versions as p on p.stored = g.number
           join versions as v on v.version = g.first_version group by all order by f.file"""
    ).fetchall()
    for file, path, first, keys in rows:
        connection.execute(
            f"""copy (select rows.*, keys.key as assetflow_partition
                      from (select unnest($1::varchar[]) as key) as keys
                      cross join read_parquet('{data / first}') as rows)
                to '{data / path}' (format parquet)""",
            [keys],
        )
        size = (data / path).stat().st_size
        connection.execute("update packed_files set size_bytes = $1 where file = $2", [size, file])


def _write_single(connection: DuckDBPyConnection, data: Path) -> None:
    rows = connection.execute(
        """select v.path, first.path from grown as g
           join versions as v on v.number = g.number
           join versions as first on first.version = g.first_version
           where g.number not in (select stored from packed_versions)"""
    ).fetchall()
    for path, first in rows:
        shutil.copyfile(data / first, data / path)


if __name__ == "__main__":
    grow_store(Path(".assetflow"))
