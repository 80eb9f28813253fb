"""Which versions nobody points to any more, and marking them as removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assetflow.metadata.encoding import instant_text
from assetflow.metadata.rows import fetch_contents
from assetflow.metadata.store import Store

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path

    from assetflow.model.names import VersionId
    from assetflow.planning.history import VersionStored

SHORTEST_SECONDS = 3600.0
DEFAULT_SECONDS = 7 * 24 * 3600.0

# A pointer left when the next publication of its slot took effect. A version that was
# never published has been without a pointer since it was made.
_RELEASED = """
    create or replace temp table released as
    select number as stored from versions
    left join (
        select version, max(left_at) as left_at from (
            select version, lead(applied_at) over (
                partition by environment, asset, partition order by sequence) as left_at
            from publications)
        group by version) as pointed using (version)
    where version not in (select version from current_publications)
      and version not in (select version from removed_versions)
      and greatest(coalesce(left_at, created_at), created_at) < $1::varchar::timestamp"""

# A file can go when every version that lies in it is released, and when it is long
# enough ago that the last version moved out of it: whoever reads it may still do so.
_FILES = """
    create or replace temp table free_files as
    with uses as (
        select path, size_bytes, stored in (select stored from released) as is_free,
               since as used_at
        from places where stored not in (
            select number from versions join removed_versions using (version))
        union all
        select path, size_bytes, left_at < $1::varchar::timestamp, left_at from left_files
        where path not in (select path from removed_files))
    select path, max(size_bytes) as size_bytes from uses
    group by path having bool_and(is_free) order by max(used_at), path"""

_REMOVABLE = """
    select 0, v.version from versions as v join places as p on p.stored = v.number
    where v.number in (select stored from released)
      and p.path in (select path from free_files)"""


_RECORDED = """
    select path from places where stored not in (
        select number from versions join removed_versions using (version))
    union
    select path from left_files where path not in (select path from removed_files)"""

# The states that a source has, or had until lately, are known by the slices that were cut.
_FORGOTTEN = """
    with states as (
        select state, lead(observed_at) over (
            partition by source, partition order by number) as left_at
        from observations)
    delete from slice_digests where version in (select version from removed_versions)
        or (version not in (select version from versions)
            and version not in (
                select state from states
                where left_at is null or left_at >= $1::varchar::timestamp))"""


@dataclass(frozen=True, slots=True)
class Garbage:
    """Versions that can go, oldest first, and the files (path, bytes) that go with them.

    A released version that shares its file with one that stays is not among them.
    """

    versions: tuple[VersionStored, ...] = ()
    files: tuple[tuple[str, int], ...] = ()


def unreferenced(state: Path, now: datetime, retention_seconds: float = DEFAULT_SECONDS) -> Garbage:
    """Return what no environment points to for longer than the retention.

    It counts from the moment the last pointer left, or the last version moved into
    another file, and is an hour at least. Fold first, and hold `exclusive`, so that no
    run is about to publish one of them.
    """
    bound = instant_text(kept_since(now, retention_seconds))
    with Store(state).reading() as connection:
        connection.execute(_RELEASED, [bound])
        connection.execute(_FILES, [bound])
        contents = fetch_contents(connection, _REMOVABLE, ())
        files = connection.execute("from free_files").fetchall()
    versions = sorted(contents.versions.values(), key=lambda version: version.created_at)
    return Garbage(tuple(versions), tuple(files))


def kept_since(now: datetime, retention_seconds: float) -> datetime:
    """Return the moment before which something must have been left, so that it can go."""
    return now - timedelta(seconds=max(retention_seconds, SHORTEST_SECONDS))


def recorded_files(state: Path) -> frozenset[str]:
    """Return the files that a version lies in, or lay in; any other was left by a kill."""
    with Store(state).reading() as connection:
        return frozenset(path for (path,) in connection.execute(_RECORDED).fetchall())


def forget_slices(state: Path, now: datetime, retention_seconds: float) -> None:
    """Forget the digests of slices of versions that are removed, and of states long gone.

    A source that comes back to such a state is scanned again.
    """
    with Store(state).writing() as connection:
        bound = instant_text(kept_since(now, retention_seconds))
        connection.execute(_FORGOTTEN, [bound])


def mark_removed(
    state: Path, versions: Collection[VersionId], now: datetime, paths: Collection[str] = ()
) -> None:
    """Record in one transaction that `versions` are removed; the files at `paths` can then go.

    One that is pointed to again meanwhile is left as it is and not marked.
    """
    with Store(state).writing() as connection:
        connection.execute(
            """insert into removed_versions
               select version, $2::varchar::timestamp
               from (select distinct unnest($1::varchar[]) as version)
               anti join current_publications using (version)
               anti join removed_versions using (version)""",
            [[*versions], instant_text(now)],
        )
        connection.execute(
            """insert into removed_files
               select distinct path, $2::varchar::timestamp from left_files
               where path in (select unnest($1::varchar[]))
                 and path not in (select path from removed_files)""",
            [[*paths], instant_text(now)],
        )
        # What a version held goes with it, the rows that failed its checks included.
        connection.execute(
            """delete from failing_rows
               where version in (select version from removed_versions)"""
        )
