"""Results of checks as lines to be shown: with what is declared, failing rows and history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from assetflow.metadata.check_rows import (
    ResultKept,
    check_points,
    kept_rows,
    rejected_versions,
    results_of,
)
from assetflow.metadata.recall import pointers, versions_by_id
from assetflow.model.columns import Column
from assetflow.model.names import AssetName, PartitionKey, VersionId
from assetflow.planning.audits import CheckFacts
from assetflow.planning.check_pages import CheckLine, FailingRows
from assetflow.planning.reasons import RejectedLastTime
from assetflow.planning.terms import token_of

if TYPE_CHECKING:
    from assetflow.execution.gathering import Place
    from assetflow.metadata.records import FailingRowsKept
    from assetflow.planning.history import VersionStored
    from assetflow.planning.results import AssetStatus


class Told(NamedTuple):
    """A result, the check that is declared, and whether readers see the version."""

    result: ResultKept
    facts: CheckFacts
    is_published: bool


def check_lines(place: Place, told: Sequence[Told]) -> Iterator[CheckLine]:
    """Yield a line for each result, in their order."""
    points = check_points(place.state, {one.result.asset for one in told})
    rows = kept_rows(place.state, {one.result.version for one in told})
    rejected = {one.result.version for one in told if not one.is_published}
    stored = versions_by_id(place.state, rejected) if rejected else {}
    for result, facts, is_published in told:
        check, outcome = facts.check, result.evaluated.outcome
        kept = rows.get((result.version, check.name))
        target = (result.asset, result.partition)
        yield CheckLine(
            asset=result.asset,
            version=result.version,
            is_published=is_published,
            outcome=outcome,
            partition=result.partition,
            description=check.description,
            place=check.location,
            evaluated_at=result.at,
            run=result.run,
            seconds=result.evaluated.seconds,
            failing=_shown(place, kept, outcome.answer.failures) if kept else None,
            data=_own_file(place, stored.get(result.version)),
            history=points.get((*target, check.name), ()),
        )


def _own_file(place: Place, version: VersionStored | None) -> str:
    """Return where a version lies that shares its file with no other, "" for none."""
    if version is None or version.packed:
        return ""
    return _as_seen(place, f"data/{version.path}")


def _as_seen(place: Place, path: str) -> str:
    """Return a path below the state folder as it is from the project, if it lies there."""
    full = place.state / path
    shown = full.relative_to(place.root) if full.is_relative_to(place.root) else full
    return shown.as_posix()


def _shown(place: Place, kept: FailingRowsKept, total: int | None) -> FailingRows:
    """Return rows that were kept; where all of them lie is said relative to the project."""
    columns = tuple(Column(name, type_) for name, type_ in kept.columns)
    rows = tuple(tuple(json.loads(text)) for text in kept.rows)
    return FailingRows(columns, rows, total, _as_seen(place, kept.place) if kept.place else "")


def last_lines(
    place: Place,
    name: AssetName,
    checks: Iterable[CheckFacts],
    keys: Iterable[PartitionKey],
    standing: AssetStatus,
) -> tuple[CheckLine, ...]:
    """Return how the checks of an asset came out last, without asking anything.

    Of what is published and of what was rejected that its `standing` tells of, then of all
    partitions in `keys` together; in the order of declaration.
    """
    declared = {facts.fingerprint: facts for facts in checks}
    if not declared:
        return ()
    state, environment = place.state, place.environment
    served = {target.partition: one.version for target, one in pointers(state, environment).items()
              if target.asset == name}  # fmt: skip
    newer = {
        target.partition: version
        for target, version in rejected_versions(state, environment, [name]).items()
        if target.partition in standing.rejected
    }
    again = {one.version for one in standing.reasons if isinstance(one, RejectedLastTime)}
    stored = versions_by_id(state, [VersionId(one) for one in again]) if again else {}
    newer |= {one.partition: version for version, one in stored.items()}
    groups = (
        ([*served.values(), _together(keys, served)], True),
        ([*newer.values(), _together(keys, {**served, **newer})] if newer else [], False),
    )
    found = results_of(state, [version for versions, _ in groups for version in versions])
    order = list(declared)
    told = []
    for versions, is_published in groups:
        for version in versions:
            newest = {one.evaluated.term.fingerprint: one for one in found.get(version, ())}
            told += [
                Told(newest[mark], declared[mark], is_published) for mark in order if mark in newest
            ]
    return tuple(check_lines(place, told))


def _together(
    keys: Iterable[PartitionKey], versions: Mapping[PartitionKey, VersionId]
) -> VersionId:
    """Return what names the versions of all partitions together."""
    there = [key for key in keys if key in versions]
    return VersionId(token_of(there, (versions[key] for key in there)))
