"""What is told of stored partitions and applied in order: files packed, dynamic keys changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetflow.metadata.encoding import instant_text
from assetflow.metadata.records import EventHappened, PartitionsChanged, VersionsPacked
from assetflow.model.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection


def move_packed(connection: DuckDBPyConnection, packed: VersionsPacked) -> None:
    """Let the versions lie where they were packed to, and note the files that they left.

    Those whose data was removed meanwhile, or that are there already, stay as they are.
    """
    at = instant_text(packed.packed_at)
    connection.execute(
        """create or replace temp table moving as
           select v.number as stored, p.path, p.size_bytes
           from versions as v join places as p on p.stored = v.number
           where v.version in (select unnest($1::varchar[]))
             and v.version not in (select version from removed_versions)
             and p.path <> $2 and p.since <= $3::varchar::timestamp""",
        [[version for version, _ in packed.versions], packed.path, at],
    )
    connection.execute(
        """insert into left_files
           select distinct path, size_bytes, $1::varchar::timestamp from moving order by path""",
        [at],
    )
    connection.execute("delete from packed_versions where stored in (select stored from moving)")
    _place(connection, packed, at)


def _place(connection: DuckDBPyConnection, packed: VersionsPacked, at: str) -> None:
    """Put what is `moving` into the new file, which everything has left if nothing moves."""
    connection.execute(
        """insert into packed_files
           select (select coalesce(max(file), 0) from packed_files) + 1, $1, $2, $3,
                  $4::varchar::timestamp
           where $1 not in (select path from packed_files)""",
        [packed.path, packed.size_bytes, len(packed.versions) > 1, at],
    )
    connection.execute(
        """insert into packed_versions
           select stored, (select file from packed_files where path = $1)
           from moving order by stored""",
        [packed.path],
    )
    connection.execute(
        """insert into left_files select $1, $2, $3::varchar::timestamp
           where $1 not in (select path from places union select path from left_files)""",
        [packed.path, packed.size_bytes, at],
    )


def change_keys(connection: DuckDBPyConnection, changed: PartitionsChanged) -> None:
    """Add and remove dynamic keys; one that is there is not added again."""
    at = instant_text(changed.at)
    connection.execute(
        """update dynamic_partitions set removed_at = $3::varchar::timestamp
           where name = $1 and removed_at is null and key in (select unnest($2::varchar[]))""",
        [changed.name, [*changed.removed], at],
    )
    connection.execute(
        """insert into dynamic_partitions
           select $1, key, $3::varchar::timestamp, null
           from (select key, min(place) as place
                 from (select unnest($2::varchar[]) as key, unnest(range(len($2))) as place)
                 group by key)
           where key not in (select key from dynamic_partitions
                             where name = $1 and removed_at is null)
           order by place""",
        [changed.name, [*changed.added], at],
    )


def packing_event(packed: VersionsPacked) -> EventHappened:
    """Return the event that a packing is."""
    detail = (("path", packed.path), ("versions", str(len(packed.versions))))
    event = fingerprint("versions_packed", packed.path)[:16]
    instant, kind = packed.packed_at, "versions_packed"
    return EventHappened(event, instant, kind, packed.run, "", packed.asset, detail)


def key_events(changed: PartitionsChanged) -> Iterator[EventHappened]:
    """Yield the events that a change of dynamic partitions is: what it removed, what it added."""
    kinds = (("partition_removed", changed.removed), ("partition_added", changed.added))
    for kind, keys in kinds:
        if keys:
            event = fingerprint(kind, changed.change)[:16]
            detail = (("partitions", changed.name), *(("key", key) for key in keys))
            yield EventHappened(event, changed.at, kind, changed.run, "", None, detail)
