"""Which versions nobody points to any more, and marking them as removed."""

from __future__ import annotations

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
_UNREFERENCED = """
    select 0, version from versions
    left join (
        select version, max(left_at) as left_at from (
            select version, lead(applied_at) over (
                partition by environment, asset, partition order by sequence) as left_at
            from publications)
        group by version) as pointed using (version)
    where version not in (select version from current_publications)
      and version not in (select version from removed_versions)
      and greatest(coalesce(left_at, created_at), created_at) < $1::varchar::timestamp"""


def unreferenced(
    state: Path, now: datetime, retention_seconds: float = DEFAULT_SECONDS
) -> tuple[VersionStored, ...]:
    """Return the versions to which no environment points, for longer than the retention.

    It counts from the moment the last pointer left, and is an hour at least. Fold
    first, and hold `exclusive`, so that no run is about to publish one of them.
    """
    kept = timedelta(seconds=max(retention_seconds, SHORTEST_SECONDS))
    with Store(state).reading() as connection:
        contents = fetch_contents(connection, _UNREFERENCED, (instant_text(now - kept),))
    return tuple(sorted(contents.versions.values(), key=lambda version: version.created_at))


def mark_removed(state: Path, versions: Collection[VersionId], now: datetime) -> None:
    """Record in one transaction that `versions` are removed; their files can then go.

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
