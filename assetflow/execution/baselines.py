"""What a version is compared with: what was served before it, at first, or on a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from assetflow.metadata.recall import served_version, versions_by_id
from assetflow.model.names import AssetPartition, VersionId

if TYPE_CHECKING:
    from assetflow.execution.auditor import Subject
    from assetflow.execution.knowledge import Knowledge
    from assetflow.model.checks import Check
    from assetflow.planning.history import VersionStored


@dataclass(slots=True)
class Baselines:
    """The versions that checks of drift, and of a schema that stays, compare with."""

    knowledge: Knowledge
    _found: dict[tuple[AssetPartition, str], VersionId | None] = field(default_factory=dict)

    def of(self, subject: Subject, check: Check) -> VersionStored | None:
        """Return what `check` compares with; None where there is nothing else yet.

        `first` is the first partition, where the asset has some by time, else what was
        served first; a day is its partition, else what was served when it ended.
        """
        said = str(check.argument("baseline") or "previous")
        if said == "previous":
            return self.previous(subject)
        wanted = (subject.target, said)
        if wanted not in self._found:
            self._found[wanted] = self._version(subject.target, said)
        version = self._found[wanted]
        if version is None or version == subject.version.version:
            return None
        stored = versions_by_id(self.knowledge.state, [version]).get(version)
        return stored if stored is not None and self.knowledge.is_there(stored) else None

    def previous(self, subject: Subject) -> VersionStored | None:
        """Return what was served before, or is for the time before.

        The latter where nothing else was served of a partition of time.
        """
        published = self.knowledge.past.published.get(subject.target)
        if published is not None and published.version.version != subject.version.version:
            return published.version
        before = self._partition_before(subject.target)
        found = self.knowledge.past.published.get(before) if before else None
        return found.version if found else None

    def _partition_before(self, target: AssetPartition) -> AssetPartition | None:
        keys = self.knowledge.slices.keys[target.asset]
        if target.partition not in keys or keys.window(target.partition) is None:
            return None
        place = keys.index(target.partition)
        return AssetPartition(target.asset, keys[place - 1]) if place else None

    def _version(self, target: AssetPartition, said: str) -> VersionId | None:
        state, environment = self.knowledge.state, self.knowledge.environment
        keys = self.knowledge.slices.keys[target.asset]
        day = None if said == "first" else date.fromisoformat(said)
        if keys.time is not None:
            starts = ((key, keys.local_start(key)) for key in keys)
            begun = [key for key, at in starts if day is None or (at and at.date() <= day)]
            chosen = begun[:1] if day is None else begun[-1:]
            return next(
                (
                    served_version(state, environment, AssetPartition(target.asset, key))
                    for key in chosen
                ),
                None,
            )
        if day is None:
            return served_version(state, environment, target, is_first=True)
        ended = datetime.combine(day + timedelta(days=1), time(), UTC)
        return served_version(state, environment, target, as_of=ended)
