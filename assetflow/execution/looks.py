"""What looks at sources found, kept beside the store: nothing is asked or scanned in vain.

It may vanish at any time: then things are asked and scanned again. What runs record goes
before it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from assetflow.execution.source_states import SourceState
from assetflow.execution.timing import time_of_state, timed_by
from assetflow.metadata.records import EventTimeFound
from assetflow.model.names import WHOLE, AssetName, AssetPartition, VersionId
from assetflow.planning.back_off import Ways, rest_after

if TYPE_CHECKING:
    from pathlib import Path

    from assetflow.execution.observing import Observer, Sight
    from assetflow.metadata.records import Observed
    from assetflow.model.asset import Source
    from assetflow.model.names import PartitionKey
    from assetflow.model.partitions import KeySet
    from assetflow.warehouse.connection import Engine

MOST_TIMES = 1000
"""So many event times are kept, the newest; runs record those of what they read."""


class Asked(BaseModel):
    """What a source that is no file answered last, since when, and how often it was the same."""

    model_config = ConfigDict(frozen=True)

    state: str
    answer: str
    since: datetime
    at: datetime
    fruitless: int = 0


class _Kept(BaseModel):
    asked: dict[str, Asked] = {}
    times: dict[str, datetime | None] = {}


@dataclass(slots=True)
class Looks:
    """What earlier looks found, and this one adds; kept when it is saved."""

    path: Path
    kept: _Kept
    is_new: bool = field(default=False)

    def time_of(self, state: SourceState, engine: Engine, timezone: str) -> EventTimeFound | None:
        """Return the event time of a state of a source, scanned once for all looks and runs."""
        how = timed_by(state.source, timezone)
        key = f"{state.state} {how}"
        if how and key in self.kept.times:
            return EventTimeFound(state.state, how, self.kept.times[key])
        found = time_of_state(state, engine, timezone)
        if found is not None:
            self.kept.times[key] = found.newest
            self.is_new = True
        return found

    def since(self, state: SourceState) -> datetime | None:
        """Return when a source that is no file was first seen to answer so, if that is known."""
        asked = self.kept.asked.get(state.source.name)
        return asked.since if asked and asked.state == state.state else None

    def resting(
        self, source: Source, before: Observed | None, now: datetime, ways: Ways
    ) -> datetime | None:
        """Return until when a source is not asked again, for it gave nothing new; else None.

        `before` is what a run saw last. A clock that was set back keeps nothing waiting.
        """
        asked = self._asked(source, before)
        if asked is None or asked.at > now:
            return None
        until = rest_after(asked.fruitless, asked.at, asked.since, ways)
        return until if until and until > now else None

    def note(self, found: SourceState, before: Observed | None, now: datetime) -> None:
        """Keep what a source answered `now`."""
        source, last = found.source, self._asked(found.source, before)
        since, fruitless = now, 0
        if last is not None and last.state == found.state:
            since, fruitless = last.since, last.fruitless + 1
        elif last is None and before is not None and before.state == found.state:
            since, fruitless = before.observed_at, 1
        self.kept.asked[source.name] = Asked(
            state=found.state, answer=found.answer, since=since, at=now, fruitless=fruitless
        )
        self.is_new = True

    def last_answer(self, source: Source, before: Observed | None, root: Path) -> SourceState:
        """Return the state of a source that rests: what it answered when it was asked last."""
        asked = self.kept.asked[source.name]
        state = VersionId(asked.state)
        is_new = before is None or before.state != state
        return SourceState(source, state, (), "", root, answer=asked.answer, is_new=is_new)

    def _asked(self, source: Source, before: Observed | None) -> Asked | None:
        """Return what was asked last, if no run saw another answer since."""
        asked = self.kept.asked.get(source.name)
        if asked is None or before is None or before.state == asked.state:
            return asked
        return None if before.observed_at >= asked.at else asked

    def save(self) -> None:
        """Keep what is new; a state folder that is not there or cannot be written keeps nothing."""
        if not self.is_new:
            return
        self.kept.times = dict([*self.kept.times.items()][-MOST_TIMES:])
        beside = self.path.with_suffix(f".{os.getpid()}.new")
        with suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            beside.write_text(self.kept.model_dump_json(), encoding="utf-8")
            beside.replace(self.path)


def kept_looks(state: Path) -> Looks:
    """Return what earlier looks at the sources of a project found."""
    path = state / "cache" / "looks.json"
    with suppress(OSError, ValueError):
        return Looks(path, _Kept.model_validate_json(path.read_bytes()))
    return Looks(path, _Kept())


def rested_look(
    observer: Observer,
    sources: Iterable[Source],
    previous: Mapping[AssetName, Mapping[PartitionKey, Observed]],
    keys: Mapping[AssetName, KeySet],
    looks: Looks,
    ways: Mapping[AssetName, Ways],
) -> tuple[Sight, dict[AssetName, datetime]]:
    """Return how `sources` are, and until when those rest that gave nothing new when asked.

    A source that rests is as it was. `ways` are to the policies that need each.
    """
    asked = {one.name: one for one in sources if one.observe}
    before = {name: previous.get(name, {}).get(WHOLE) for name in asked}

    def until(name: AssetName) -> datetime | None:
        return looks.resting(asked[name], before[name], observer.now, ways.get(name, {}))

    resting = {name for name in asked if until(name)}
    sight = observer.observe_all((s for s in sources if s.name not in resting), previous, keys)
    for name, source in asked.items():
        target = AssetPartition(name)
        if name in resting:
            sight.states[target] = looks.last_answer(source, before[name], observer.root)
        elif target in sight.states:
            looks.note(sight.states[target], before[name], observer.now)
    rests = {name: at for name in asked if (at := until(name))}
    return sight, rests
