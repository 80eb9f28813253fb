"""Publish what a run made: all pointers at once, if they are still where the plan saw them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from assetflow.execution.serving import KeyColumns, served_scans
from assetflow.metadata.file_locks import held
from assetflow.metadata.folder import journal_paths, lock_path
from assetflow.metadata.folding import fold
from assetflow.metadata.outline import moved_since
from assetflow.metadata.recall import environments
from assetflow.metadata.records import PublicationChange, Published
from assetflow.model.names import AssetName, RunId
from assetflow.planning.history import VersionStored
from assetflow.warehouse.catalog import CatalogChange, update_catalog, write_catalog
from assetflow.warehouse.layout import new_version_id
from assetflow.warehouse.versions import sync_versions

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


def fold_leftovers(
    engine_of: Callable[[], Engine], state: Path, now: datetime, keys: KeyColumns
) -> None:
    """Fold what runs left behind, and bring the catalogs to what was published by that.

    A run that was killed may have published without renewing its catalog.
    """
    before = journal_paths(state)
    fold(state, now)
    if set(before) - set(journal_paths(state)):
        for environment in environments(state):
            refresh_catalog(engine_of(), state, environment, keys)


def refresh_catalog(
    engine: Engine,
    state: Path,
    environment: str,
    keys: KeyColumns,
    packed: Collection[AssetName] = (),
) -> None:
    """Bring the catalog that other tools open to the present publications.

    `packed` are assets whose versions were moved to other files.
    """
    name = "catalog.duckdb" if environment == "main" else f"catalog.{environment}.duckdb"
    # Who reads the publications last writes last.
    with held(lock_path(state, "catalog"), wait_seconds=CATALOG_PATIENCE_SECONDS):
        cursor = engine.cursor()

        def changes(last: int) -> CatalogChange | None:
            return _since(state, environment, keys, last, packed)

        if update_catalog(cursor, state / name, changes):
            return
        last, _ = moved_since(state, environment, 0)
        write_catalog(cursor, state / name, served_scans(state, environment, keys), last)


def _since(
    state: Path,
    environment: str,
    keys: KeyColumns,
    sequence: int,
    packed: Collection[AssetName],
) -> CatalogChange | None:
    """Return what a catalog lacks that shows the publications up to `sequence`."""
    last, moved = moved_since(state, environment, sequence)
    names = {*moved, *packed}
    if not names:
        return None
    scans = served_scans(state, environment, keys, names)
    return CatalogChange(scans, sorted(names - scans.keys()), last)
