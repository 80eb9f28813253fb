"""The newest event time of what is read and made, found once for each content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetflow.errors import SourceUnreadable
from assetflow.metadata.records import EventTimeFound
from assetflow.model.names import folded
from assetflow.warehouse.event_times import newest_time
from assetflow.warehouse.sources import source_errors
from assetflow.warehouse.versions import stored_path

if TYPE_CHECKING:
    from pathlib import Path

    from assetflow.execution.knowledge import Knowledge
    from assetflow.execution.source_states import SourceState
    from assetflow.model.asset import Options, Source
    from assetflow.model.columns import Column, Schema
    from assetflow.planning.history import VersionStored
    from assetflow.warehouse.connection import Engine


def timed_by(said: Source | Options, timezone: str) -> str:
    """Return by what the event time of a source or asset is told; "" where it has none."""
    return f"{said.event_time} in {said.timezone or timezone}" if said.event_time else ""


def time_of_state(state: SourceState, engine: Engine, timezone: str) -> EventTimeFound | None:
    """Return the event time of a state of a source; None where it has none, or has moved on.

    `timezone` is that of the project. What cannot be read is told by whoever reads it.
    """
    source = state.source
    column = _column(source.event_time, state.schema)
    if column is None or not state.scan:
        return None
    is_as_written = source.format == "parquet" and source.columns is None
    zone = source.timezone or timezone
    try:
        with source_errors(state.paths):
            paths = state.paths if is_as_written else ()
            newest = newest_time(engine.cursor(), state.scan, column, zone, paths)
    except SourceUnreadable:
        return None
    if not state.is_still(state.root):
        return None
    return EventTimeFound(state.state, timed_by(source, timezone), newest)


def time_of_version(knowledge: Knowledge, version: VersionStored) -> EventTimeFound | None:
    """Return the event time of a version; None where its asset has none."""
    timezone = knowledge.analysis.declarations.settings.timezone
    options = knowledge.graph.assets[version.asset].options
    column = _column(options.event_time, version.schema)
    if column is None:
        return None
    scan = knowledge.scan(version.asset, [version])
    zone = options.timezone or timezone
    paths = _own_file(knowledge.data, version)
    newest = newest_time(knowledge.engine.cursor(), scan, column, zone, paths)
    return EventTimeFound(version.version, timed_by(options, timezone), newest)


def _own_file(data: Path, version: VersionStored) -> tuple[Path, ...]:
    """Return the file of a version that shares it with no other."""
    return () if version.packed else (stored_path(data, version.path, version.size_bytes),)


def _column(name: str, schema: Schema) -> Column | None:
    """Return the column that is named, None for a name that is none."""
    return next((column for column in schema if name and folded(column.name) == folded(name)), None)
