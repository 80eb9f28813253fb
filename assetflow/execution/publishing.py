"""Publish what a run made: all pointers at once, if they are still where the plan saw them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from assetflow.metadata.file_locks import held
from assetflow.metadata.folder import journal_paths, lock_path
from assetflow.metadata.folding import fold
from assetflow.metadata.recall import environments, moved_since
from assetflow.metadata.recall import published as current_publications
from assetflow.metadata.records import PublicationChange, Published
from assetflow.model.names import AssetPartition, RunId
from assetflow.planning.history import Publication, VersionStored
from assetflow.warehouse.catalog import CatalogChange, update_catalog, write_catalog
from assetflow.warehouse.layout import new_version_id
from assetflow.warehouse.versions import scan_sql, sync_versions

if TYPE_CHECKING:
    from pathlib import Path

    from assetflow.metadata.journal import Journal
    from assetflow.warehouse.connection import Engine


CATALOG_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes for one run in one environment."""

    state: Path
    environment: str
    run: RunId
    journal: Journal

    def publish(
        self,
        changes: Sequence[PublicationChange],
        stored: Iterable[VersionStored],
        now: datetime,
    ) -> bool:
        """Move the pointers of `changes`; return False if another run moved one meanwhile.

        The files of `stored` are on the disk before the publication is journaled.
        """
        sync_versions(self.state / "data", [one.path for one in stored])
        publication = Published(
            publication=new_version_id(),
            run=self.run,
            environment=self.environment,
            published_at=now,
            changes=tuple(changes),
        )
        self.journal.append(publication)
        self.journal.sync()
        result = fold(self.state, now)
        return all(one.publication != publication.publication for one in result.refused)


def fold_leftovers(engine_of: Callable[[], Engine], state: Path, now: datetime) -> None:
    """Fold what runs left behind, and bring the catalogs to what was published by that.

    A run that was killed may have published without renewing its catalog.
    """
    before = journal_paths(state)
    fold(state, now)
    if set(before) - set(journal_paths(state)):
        for environment in environments(state):
            refresh_catalog(engine_of(), state, environment)


def refresh_catalog(engine: Engine, state: Path, environment: str) -> None:
    """Bring the catalog that other tools open to the present publications."""
    name = "catalog.duckdb" if environment == "main" else f"catalog.{environment}.duckdb"
    # Who reads the publications last writes last.
    with held(lock_path(state, "catalog"), wait_seconds=CATALOG_PATIENCE_SECONDS):
        cursor = engine.cursor()
        if update_catalog(cursor, state / name, lambda last: _since(state, environment, last)):
            return
        last, moved = moved_since(state, environment, 0)
        write_catalog(cursor, state / name, _scans(state, _served(moved)), last)


def _since(state: Path, environment: str, sequence: int) -> CatalogChange | None:
    """Return what a catalog lacks that shows the publications up to `sequence`."""
    last, moved = moved_since(state, environment, sequence)
    if last == sequence:
        return None
    scans = _scans(state, _served(moved))
    dropped = {target.asset for target in moved} - scans.keys()
    return CatalogChange(scans, sorted(dropped), last)


def _served(
    moved: Mapping[AssetPartition, Publication | None],
) -> dict[AssetPartition, Publication]:
    return {target: one for target, one in moved.items() if one is not None}


def published_scans(state: Path, environment: str) -> dict[str, str]:
    """Return for each published table the SQL that reads it; files have none."""
    return _scans(state, current_publications(state, environment))


def _scans(state: Path, served: Mapping[AssetPartition, Publication]) -> dict[str, str]:
    return {
        target.asset: scan_sql(state / "data", [(one.version.path, one.version.size_bytes)])
        for target, one in sorted(served.items())
        if one.version.format == "parquet"
    }
