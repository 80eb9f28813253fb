"""A metadata store as many assets with many partitions leave it, written in bulk.

Every asset is partitioned alike and reads the one before it, every fourth one that before
too, under the same key; the first ones read a source. All is up to date.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assetflow.metadata.store import Store

SMALL_FILES = 30
"""How many of the newest partitions lie in files of their own; the older ones are packed."""

_VERSION = "printf('%016x%08x', 1700000000000 + number * 7, hash(number) % 4294967296)"

_PARTITIONS = f"""
    create temp table partitions as
    select *, {_VERSION} as version,
           'a' || printf('%04d', asset_number) as asset,
           printf('a%04d/packed/%s.parquet', asset_number, md5(asset_number::varchar)) as packed
    from (select asset_number, key_number, row_number() over (order by key_number, asset_number)
                 as number, key, time_window
          from range($1) as assets(asset_number)
          cross join (select unnest(range(len($2::varchar[]))) as key_number,
                             unnest($2::varchar[]) as key, unnest($3::varchar[]) as time_window))
    order by number"""

_INSERTS = (
    """insert into read_sets values (1, ['amount', 'day', 'id'], false), (2, null, false)""",
    """insert into versions
       select version, asset, key, 'r1', timestamp '2026-01-05' + to_milliseconds(number),
              asset || '/' || key || '/' || version || '.parquet', 'parquet',
              '[["day","DATE",""],["id","BIGINT",""],["amount","DECIMAL(18,2)",""]]',
              1000 + hash(number) % 100, 20000 + hash(number) % 5000, false, 'b9d1f2a86c03e7d4',
              false, number
       from partitions order by number""",
    """insert into packed_files
       select distinct asset_number + 1, packed, 20000000, true, timestamp '2026-01-06'
       from partitions order by all""",
    """insert into packed_versions
       select number, asset_number + 1
       from partitions where key_number < (select max(key_number) from partitions) - $1 + 1
       order by all""",
    """insert into digests
       select version, set, 'b9d1f2a86c03e7d4', '1000:' || hash(number, set)::varchar
       from partitions, range(1, 3) as sets(set) order by number, set""",
    """insert into materializations
       select number, md5(version)[:24], 'r1', asset, key, version, md5('key' || version),
              md5('code' || asset), 'materialized', false,
              timestamp '2026-01-05' + to_milliseconds(number), 0.05 + random() / 10,
              '[["TimeZone","UTC"]]', '[]', time_window,
              case when asset_number % 4 = 3 then 2 else 1 end
       from partitions order by number""",
    """insert into materialization_inputs
       select here.number, coalesce(above.asset, 'raw'), coalesce(above.asset, 'raw'), 'sql',
              'same', '["' || here.key || '"]',
              '["' || coalesce(above.version, 'state-' || here.key) || '"]', 1,
              '1000:' || hash(here.number)::varchar
       from partitions as here cross join range(1, 3) as steps(step)
       left join partitions as above
         on above.asset_number = here.asset_number - step and above.key_number = here.key_number
       where step = 1 or here.asset_number % 4 = 3 order by here.number, step""",
    """insert into publications
       select 1, 'p1', 'r1', 'main', timestamp '2026-01-06', timestamp '2026-01-06', asset, key,
              0, version, md5(version)[:24] from partitions order by number""",
    """insert into current_publications
       select 'main', asset, key, 1, version, md5(version)[:24], number, number
       from partitions order by number""",
)


def write_store(state: Path, assets: int, keys: Sequence[str], windows: Sequence[str]) -> None:
    """Make the store of a project of `assets` assets that all have the partitions `keys`.

    The states of the source `raw` are "state-KEY"; `code_of` tells the code versions.
    """
    with Store(state).writing() as connection:
        connection.execute(_PARTITIONS, [assets, [*keys], [*windows]])
        for statement in _INSERTS:
            values = [SMALL_FILES] if "$1" in statement else None
            connection.execute(statement, values)
        connection.execute("drop table partitions")
