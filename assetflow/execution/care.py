"""Looking after a project's state: removing what nobody points to, and finding what is wrong."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.errors import AssetflowError
from assetflow.execution.knowledge import has_files
from assetflow.execution.setting_aside import QUARANTINE
from assetflow.metadata.check_rows import kept_places
from assetflow.metadata.folder import journal_paths
from assetflow.metadata.folding import fold
from assetflow.metadata.presence import exclusive
from assetflow.metadata.recall import environments, published, verify_events
from assetflow.metadata.retention import (
    Garbage,
    forget_slices,
    kept_since,
    mark_removed,
    recorded_files,
    unreferenced,
)
from assetflow.planning.pages import Finding, GcResult
from assetflow.warehouse.removal import leftovers, remove_versions

if TYPE_CHECKING:
    from assetflow.planning.history import VersionStored

LOW_DISK_BYTES = 1_000_000_000


def collect_garbage(
    state: Path, now: datetime, retention_seconds: float, *, dry_run: bool
) -> GcResult:
    """Remove versions that no environment has pointed to for longer than the retention.

    With them go the rows that were set aside of them, and files of no version at all, which
    a process that was killed has left.
    """
    if not state.exists():
        return GcResult(0, 0, dry_run)
    if dry_run:
        return _to_collect(state, now, retention_seconds)
    with exclusive(state):
        fold(state, now)
        garbage = unreferenced(state, now, retention_seconds)
        left = _leftovers(state, now, retention_seconds)
        paths = [path for path, _ in garbage.files]
        mark_removed(state, [one.version for one in garbage.versions], now, paths)
        forget_slices(state, now, retention_seconds)
        remove_versions(state / "data", [*paths, *(path for path, _ in left)])
        aside = _left_aside(state, now, retention_seconds)
        remove_versions(state / QUARANTINE, [path for path, _ in aside])
    shutil.rmtree(state / "tmp", ignore_errors=True)
    return _gc_result(garbage, [*left, *aside], dry_run=False)


def _to_collect(state: Path, now: datetime, retention_seconds: float) -> GcResult:
    """Return what would be removed now; what a run left only where none is at work."""
    garbage = unreferenced(state, now, retention_seconds)
    left = [] if journal_paths(state) else _leftovers(state, now, retention_seconds)
    aside = _left_aside(state, now, retention_seconds, going=garbage.versions)
    return _gc_result(garbage, [*left, *aside], dry_run=True)


def _leftovers(state: Path, now: datetime, retention_seconds: float) -> list[tuple[str, int]]:
    before = kept_since(now, retention_seconds).timestamp()
    return leftovers(state / "data", recorded_files(state), before)


def _left_aside(
    state: Path, now: datetime, retention_seconds: float, going: Iterable[VersionStored] = ()
) -> list[tuple[str, int]]:
    """Return the files of rows that were set aside of versions that are gone, or `going`."""
    before = kept_since(now, retention_seconds).timestamp()
    places = kept_places(state, without=[one.version for one in going])
    kept = {place.removeprefix(f"{QUARANTINE}/") for place in places}
    return leftovers(state / QUARANTINE, kept, before)


def _gc_result(garbage: Garbage, left: list[tuple[str, int]], *, dry_run: bool) -> GcResult:
    size = sum(size for _, size in (*garbage.files, *left))
    return GcResult(len(garbage.versions), size, dry_run)


def findings(state: Path) -> Iterator[Finding]:
    """Yield what was looked at in the state folder and on the machine."""
    import duckdb

    yield Finding("python", "ok", platform.python_version())
    yield Finding("duckdb", "ok", duckdb.__version__)
    if not state.exists():
        yield Finding("state", "ok", "nothing was materialized yet")
        return
    yield _writable(state)
    yield _room(state)
    try:
        yield from _store_findings(state)
    except AssetflowError as error:
        yield Finding("metadata store", "error", error.headline, error.hint)


def _writable(state: Path) -> Finding:
    if os.access(state, os.W_OK):
        return Finding("state folder", "ok", "can be written")
    return Finding(
        "state folder", "error", "cannot be written", f"Give this user the right to write {state}."
    )


def _room(state: Path) -> Finding:
    free = shutil.disk_usage(state).free
    text = f"{free / 1e9:,.1f} GB free"
    if free >= LOW_DISK_BYTES:
        return Finding("disk", "ok", text)
    return Finding("disk", "warn", text, "Remove old versions with `assetflow gc`.")


def _store_findings(state: Path) -> Iterator[Finding]:
    broken = verify_events(state)
    if broken is None:
        yield Finding("audit trail", "ok", "every event follows from the one before")
    else:
        yield Finding("audit trail", "error", str(broken), "See `assetflow audit`.")
    left = list((state / "journal").glob("*.jsonl"))
    yield Finding("journals", "ok", f"{len(left)} not folded yet")
    for environment in environments(state):
        pointers = published(state, environment)
        data = str(state / "data")
        missing = [one for one in pointers.values() if not has_files(data, one.version)]
        if missing:
            yield Finding(
                f"environment {environment}",
                "error",
                f"the files of {len(missing)} of {len(pointers)} versions are gone",
                "Make them again with `assetflow materialize`.",
            )
        else:
            yield Finding(f"environment {environment}", "ok", f"{len(pointers)} versions are there")
