"""What is done with environments: each is a publication, by a short run of its own."""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.errors import (
    EnvironmentExists,
    MainStays,
    NoEarlierState,
    PublicationLost,
    UnknownEnvironment,
    UnknownPublication,
    VersionsRejected,
    VersionsUnaudited,
)
from assetflow.execution.publishing import refresh_catalog
from assetflow.execution.serving import KeyColumns
from assetflow.metadata import environments as changes
from assetflow.metadata.check_rows import audits_of
from assetflow.metadata.folding import fold
from assetflow.metadata.journal import Journal
from assetflow.metadata.presence import run_presence
from assetflow.metadata.recall import environments, pointers, publication_history
from assetflow.metadata.records import Published, RunFinished, RunStarted
from assetflow.model.names import AssetName, AssetPartition, RunId, VersionId
from assetflow.model.partitions import KeySet
from assetflow.planning.pages import EnvironmentLine, PublicationLine, PublicationSummary
from assetflow.planning.reasons import told
from assetflow.planning.terms import token_of
from assetflow.warehouse.layout import new_version_id

if TYPE_CHECKING:
    from assetflow.warehouse.connection import Engine

Clock = Callable[[], datetime]
Decide = Callable[[changes.Request], Published]


@dataclass(frozen=True, slots=True)
class Realm:
    """Where environments are: a state folder, what writes its catalogs, and the clock.

    `keys` name the columns of partition keys. `checks` are the fingerprints of the checks
    that assets have now, `whole` of those of all `partitions` together.
    """

    engine: Engine
    state: Path
    keys: KeyColumns
    clock: Clock
    checks: Mapping[AssetName, str] = field(default_factory=dict)
    whole: Mapping[AssetName, str] = field(default_factory=dict)
    partitions: Mapping[AssetName, KeySet] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Deed:
    """What is done to which environment, for the trail."""

    realm: Realm
    environment: str
    command: str


def create(realm: Realm, name: str, source: str) -> PublicationSummary:
    """Start the environment `name` with all that `source` serves."""
    state = realm.state
    fold(state, realm.clock())
    if name == "main" or name in environments(state):
        raise EnvironmentExists(name)
    served = _served(state, source)
    deed = _Deed(realm, name, f"env create {name} --from {source}")
    return _publish(deed, lambda request: changes.create(request, served))


def promote(realm: Realm, name: str, target: str) -> PublicationSummary:
    """Publish in `target` what `name` serves."""
    state = realm.state
    fold(state, realm.clock())
    served, present = _served(state, name), pointers(state, target)
    unaudited = _unaudited(realm, target, served, present)
    if unaudited:
        raise VersionsUnaudited(target, name, unaudited)
    deed = _Deed(realm, target, f"env promote {name} --to {target}")
    return _publish(deed, lambda request: changes.promote(request, served, present))


def rollback(realm: Realm, name: str, to: datetime | int | None) -> PublicationSummary:
    """Publish in `name` an earlier state of its own: of `to`, else the one before the last."""
    state = realm.state
    fold(state, realm.clock())
    present = _served(state, name)
    last = publication_history(state, name)[0].sequence
    if isinstance(to, int) and to > last:
        raise UnknownPublication(name, to, last)
    as_of = to if to is not None else _before_last(state, name)
    earlier = pointers(state, name, as_of)
    if not earlier:
        raise NoEarlierState(name)
    _unaudited(realm, name, earlier, present)
    deed = _Deed(realm, name, f"env rollback {name} --to {as_of}")
    return _publish(deed, lambda request: changes.rollback(request, earlier, present))


def _unaudited(
    realm: Realm, environment: str, served: changes.Pointers, present: changes.Pointers
) -> list[str]:
    """Return what of `served` would be new in `environment` and has not met its checks of now.

    Raises VersionsRejected for what failed them.
    """
    moved = {
        target: pointer.version
        for target, pointer in served.items()
        if target not in present or present[target].version != pointer.version
    }
    wanted = {
        (target, version): realm.checks[target.asset]
        for target, version in moved.items()
        if target.asset in realm.checks
    }
    for name in {target.asset for target in moved} & realm.whole.keys():
        wanted[AssetPartition(name), _together(realm, name, served)] = realm.whole[name]
    audits = audits_of(realm.state, [version for _, version in wanted]) if wanted else {}
    unaudited, failed = [], {}
    for (target, version), checks in wanted.items():
        found = [one for one in audits.get(version, ()) if one.checks == checks]
        if not found:
            unaudited.append(str(target))
        elif found[-1].verdict in ("broken", "rejected"):
            failed[str(target)] = told(found[-1].failed)
    if failed:
        raise VersionsRejected(environment, failed)
    return unaudited


def _together(realm: Realm, name: AssetName, served: changes.Pointers) -> VersionId:
    """Return what stands for all partitions of an asset that are served, as they are audited."""
    targets = [AssetPartition(name, key) for key in realm.partitions[name]]
    found = [target for target in targets if target in served]
    versions = [served[target].version for target in found]
    return VersionId(token_of([target.partition for target in found], versions))


def delete(realm: Realm, name: str) -> PublicationSummary:
    """Withdraw all that `name` serves."""
    if name == "main":
        raise MainStays
    state = realm.state
    fold(state, realm.clock())
    present = _served(state, name)
    deed = _Deed(realm, name, f"env delete {name}")
    return _publish(deed, lambda request: changes.delete(request, present))


def environment_lines(state: Path, declared: Iterable[str]) -> tuple[EnvironmentLine, ...]:
    """Return one line for each environment, by name, main first."""
    served = environments(state)
    names = sorted({*served, *declared, "main"}, key=lambda name: (name != "main", name))
    return tuple(_line(state, name, served) for name in names)


def publication_lines(state: Path, name: str, limit: int) -> tuple[PublicationLine, ...]:
    """Return the newest publications of the environment `name`, newest first."""
    return tuple(
        PublicationLine(
            number=one.sequence,
            published_at=one.applied_at,
            run=one.run,
            published=one.moved - one.withdrawn,
            withdrawn=one.withdrawn,
            command=one.command,
        )
        for one in publication_history(state, name)[:limit]
    )


def _line(state: Path, name: str, served: Mapping[str, int]) -> EnvironmentLine:
    history = publication_history(state, name)
    return EnvironmentLine(
        name=name,
        assets=served.get(name, 0),
        created_at=history[-1].applied_at if history else None,
        last_published_at=history[0].applied_at if history else None,
    )


def _served(state: Path, name: str) -> changes.Pointers:
    served = pointers(state, name)
    if not served:
        raise UnknownEnvironment(name, environments(state))
    return served


def _before_last(state: Path, name: str) -> int:
    history = publication_history(state, name)
    if len(history) < 2:  # noqa: PLR2004 - the last, and the one before
        raise NoEarlierState(name)
    return history[1].sequence


def _publish(deed: _Deed, decide: Decide) -> PublicationSummary:
    """Journal the publication of `deed` as a run of its own, and let it take effect."""
    run = RunId(new_version_id())
    with run_presence(deed.realm.state), closing(Journal(deed.realm.state, run)) as journal:
        journal.append(_run_started(deed, run))
        request = changes.Request(new_version_id(), run, deed.environment, deed.realm.clock())
        made = decide(request)
        if made.changes:
            journal.append(made)
        moved = sum(change.version is not None for change in made.changes)
        withdrawn = len(made.changes) - moved
        counts = (("published", moved), ("withdrawn", withdrawn))
        journal.append(RunFinished(run, "succeeded", deed.realm.clock(), counts))
        journal.sync()
        result = fold(deed.realm.state, deed.realm.clock())
        refresh_catalog(deed.realm.engine, deed.realm.state, deed.environment, deed.realm.keys)
        journal.discard()
    for refused in result.refused:
        if refused.publication == made.publication:
            raise PublicationLost(deed.environment, refused.why)
    assets = len({change.asset for change in made.changes})
    return PublicationSummary(deed.environment, moved, withdrawn, assets=assets)


def _run_started(deed: _Deed, run: RunId) -> RunStarted:
    return RunStarted(
        run=run,
        environment=deed.environment,
        started_at=deed.realm.clock(),
        command=deed.command,
        pid=os.getpid(),
        host=platform.node(),
        user=user_name(),
    )


def user_name() -> str:
    """Return who runs this process, "" where nobody knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
