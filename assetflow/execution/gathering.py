"""Gather what a plan is made from: what the store remembers, and how the sources are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.execution.knowledge import Knowledge, needed_sources
from assetflow.execution.source_states import Observer
from assetflow.metadata.recall import remembered
from assetflow.model.names import WHOLE, AssetName

if TYPE_CHECKING:
    from assetflow.project.analysis import Analysis
    from assetflow.warehouse.connection import Engine


@dataclass(frozen=True, slots=True)
class Place:
    """Where a project works: its root, its state folder and its environment."""

    root: Path
    state: Path
    environment: str


def gather(
    place: Place,
    analysis: Analysis,
    engine: Engine,
    now: datetime,
    targets: Collection[AssetName] | None = None,
    *,
    is_lenient: bool = False,
) -> Knowledge:
    """Return what is known as of `now`; only sources that `targets` need are observed.

    With `is_lenient`, a source whose files are gone is taken as it was seen last.
    """
    names = [*analysis.graph.assets, *_old_names(analysis)]
    past = remembered(place.state, place.environment, None, dict.fromkeys(names, (WHOLE,)))
    observer = Observer(place.root, now, engine, is_lenient)
    sources = observer.observe_all(needed_sources(analysis, targets), past.observations)
    knowledge = Knowledge(place.environment, place.state, analysis, engine, past, sources)
    knowledge.keep_codes()
    analysis.cache.save()
    return knowledge


def _old_names(analysis: Analysis) -> list[AssetName]:
    return [
        AssetName(asset.options.renamed_from)
        for asset in analysis.graph.assets.values()
        if asset.options.renamed_from
    ]
