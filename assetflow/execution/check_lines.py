"""How the checks of versions came out, as lines for people to look at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.metadata.check_rows import (
    ResultKept,
    check_points,
    kept_rows,
    rejected_versions,
    results_of,
)
from assetflow.metadata.outline import served
from assetflow.metadata.records import FailingRowsKept
from assetflow.model.checks import Check
from assetflow.model.columns import Column
from assetflow.model.names import AssetName
from assetflow.planning.check_pages import CheckLine, FailingRows

if TYPE_CHECKING:
    from assetflow.execution.knowledge import Knowledge

MOST_PARTITIONS = 20
"""How many of the last partitions of an asset are shown on its page."""


def check_lines(
    state: Path, root: Path, found: Sequence[tuple[ResultKept, bool]], checks: Mapping[str, Check]
) -> Iterator[CheckLine]:
    """Yield a line for each result, with whether its version is published.

    `checks` are by asset and name, joined by a tab.
    """
    points = check_points(state, {one.asset for one, _ in found})
    rows = kept_rows(state, {one.version for one, _ in found})
    for one, is_published in found:
        outcome = one.evaluated.outcome
        check = checks[f"{one.asset}\t{outcome.check}"]
        kept = rows.get((one.version, check.name))
        failures = outcome.answer.failures
        yield CheckLine(
            asset=one.asset,
            version=one.version,
            is_published=is_published,
            outcome=outcome,
            partition=one.partition,
            description=check.description,
            place=check.location,
            evaluated_at=one.at,
            run=one.run,
            seconds=one.evaluated.seconds,
            failing=_shown(state, root, kept, failures) if kept else None,
            history=points.get((one.asset, one.partition, check.name), ()),
        )


def _shown(state: Path, root: Path, kept: FailingRowsKept, total: int | None) -> FailingRows:
    columns = tuple(Column(name, type_) for name, type_ in kept.columns)
    rows = tuple(tuple(json.loads(text)) for text in kept.rows)
    path = state / kept.place
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return FailingRows(columns, rows, total, shown.as_posix() if kept.place else "")


def declared_checks(knowledge: Knowledge, names: Iterable[AssetName]) -> dict[str, Check]:
    """Return the checks of assets, by asset and name joined by a tab."""
    return {
        f"{name}\t{facts.check.name}": facts.check
        for name in names
        for facts in (*knowledge.facts[name].checks, *knowledge.facts[name].whole)
    }


def kept_lines(knowledge: Knowledge, root: Path, name: AssetName) -> tuple[CheckLine, ...]:
    """Return how the checks of an asset came out last; nothing is asked."""
    checks = declared_checks(knowledge, [name])
    if not checks:
        return ()
    state, environment = knowledge.state, knowledge.environment
    parts = served(state, environment, [name]).get(name, ())[-MOST_PARTITIONS:]
    published = [part.version for part in parts]
    rejected = rejected_versions(state, environment, [name]).values()
    known = results_of(state, [*published, *rejected])
    found: dict[tuple[str, str], tuple[ResultKept, bool]] = {}
    for version in (*published, *rejected):
        for one in known.get(version, ()):
            if f"{name}\t{one.evaluated.outcome.check}" in checks:
                place = (version, one.evaluated.outcome.check)
                found[place] = (one, version not in rejected)
    return tuple(check_lines(state, root, list(found.values()), checks))
