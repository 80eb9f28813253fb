"""How recent data is: the data time of versions, derived from what they were made from. Pure.

Data ages from its roots: states of sources, and volatile assets. What is made from it is as
old as the oldest input that ages. A version that was verified later was seen to follow from
newer inputs, so the newest materialization that points to it counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Literal, TypeAlias

from assetflow.errors import NaiveEventTime
from assetflow.model.names import AssetName, VersionId
from assetflow.model.windows import first_instant, zone_of

LATEST_OF_ONE = 20
"""How many publications of one version tell how recent it is; each renewed it."""

Ageing = Literal["ages", "never", "when_looked"]
"""Of a source: it ages, it does not (`static`), or looking renews it (`assume_complete`)."""


@dataclass(frozen=True, slots=True)
class DataTime:
    """How recent data is, and from which root it is so.

    `at` None: it never ages, or, where `is_known` is False, there is no telling. `via` is
    the data time of the input that it has it from. `capped` are instants later than the
    clock showed, which were counted as its own.
    """

    name: AssetName
    at: datetime | None
    is_known: bool = True
    via: "DataTime | None" = None
    capped: datetime | None = None

    @property
    def path(self) -> tuple[AssetName, ...]:
        """Return the names from the root that holds it back down to this one."""
        names, step = [self.name], self.via
        while step is not None:
            names.append(step.name)
            step = step.via
        return tuple(dict.fromkeys(reversed(names)))

    @property
    def root(self) -> AssetName:
        """Return the source or volatile asset that holds it back."""
        step = self
        while step.via is not None:
            step = step.via
        return step.name


@dataclass(frozen=True, slots=True)
class VersionsRead:
    """What a materialization read of an input, as far as that counts for its age.

    Of several partitions that is the newest, or each that has the time of the newest.
    """

    upstream: AssetName
    versions: tuple[VersionId, ...]


@dataclass(frozen=True, slots=True)
class Making:
    """One published materialization, as far as its age goes.

    `started_at` is when its step began, or its run. `event_time` is the newest in the
    version, where the asset has a column for it. `is_volatile`: it is a root.
    """

    asset: AssetName
    version: VersionId
    started_at: datetime
    published_at: datetime
    reads: tuple[VersionsRead, ...] = ()
    is_volatile: bool = False
    event_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class StateSeen:
    """One state of a source (of a partition of it), when it was first seen, and its newest data.

    `newest` is the maximum of its event time, else the newest mtime of its files, else
    when its answer changed; None where there is no telling.
    """

    source: AssetName
    state: VersionId
    seen_at: datetime
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class AgeHistory:
    """What the ages of data follow from.

    `makings` have every materialization that points to a version in question, in the
    order in which they were published; `states` those of sources, in the order in which
    they were seen. `current` are the versions that count for the age of an asset or of a
    source now: one, or those of the newest partitions. `ageing` is of sources that do not
    simply age; of those that looking renews, `looked_at` are the states that were just seen.
    """

    makings: Sequence[Making] = ()
    states: Sequence[StateSeen] = ()
    current: Mapping[AssetName, tuple[VersionId, ...]] = field(default_factory=dict)
    ageing: Mapping[AssetName, Ageing] = field(default_factory=dict)
    looked_at: Mapping[AssetName, frozenset[VersionId]] = field(default_factory=dict)


def data_times(
    history: AgeHistory, now: datetime, as_of: datetime | None = None
) -> dict[AssetName, DataTime]:
    """Return how recent each asset and source in `history.current` is.

    With `as_of` only what was published and seen until then counts. Without, everything
    does, also what was recorded when the clock showed a later time than `now`.
    """
    derivation = Derivation(history, now, as_of)
    return {
        name: derivation.of_versions(name, versions) for name, versions in history.current.items()
    }


Node: TypeAlias = tuple[AssetName, VersionId]


class Derivation:
    """The data times of versions, each derived once."""

    def __init__(self, history: AgeHistory, now: datetime, as_of: datetime | None = None) -> None:
        self._ageing = history.ageing
        self._looked_at = history.looked_at
        self._limit = now if as_of is None else min(now, as_of)
        self._states: dict[Node, StateSeen] = {}
        self._makings: dict[Node, list[Making]] = {}
        self._found: dict[Node, DataTime] = {}
        self._renewed: dict[Node, datetime] = {}
        self._tells_looks = "when_looked" in self._ageing.values()
        for seen in history.states:
            if as_of is None or seen.seen_at <= as_of:
                self._add_state(seen)
        for making in history.makings:
            if as_of is None or making.published_at <= as_of:
                self._add_making(making)

    def _add_state(self, seen: StateSeen) -> None:
        node = (seen.source, seen.state)
        self._states[node] = seen
        self._renew(node, seen.seen_at)

    def _add_making(self, making: Making) -> None:
        self._makings.setdefault((making.asset, making.version), []).append(making)
        if self._tells_looks:
            for node in nodes_read(making):
                self._renew(node, making.started_at)

    def _renew(self, node: Node, at: datetime) -> None:
        """Keep when a state of a source was last seen or read."""
        self._renewed[node] = max(self._renewed.get(node, at), at)

    def of_versions(self, name: AssetName, versions: Iterable[VersionId]) -> DataTime:
        """Return the data time of `versions` of `name` together: that of the oldest."""
        found = [self._of_version((name, version)) for version in versions]
        return oldest(found) or DataTime(name, None, is_known=False)

    def _of_version(self, wanted: Node) -> DataTime:
        """Return the data time of one version; what it was made from is derived before.

        Chains of assets are longer than Python lets functions call themselves. A circle,
        which only a changed graph can make, is cut where it is entered; what was derived
        inside of it holds for `wanted` alone.
        """
        if wanted in self._found:
            return self._found[wanted]
        waiting, begun, is_circular = [wanted], set[Node](), False
        while waiting:
            node = waiting[-1]
            needed = [] if node in begun or node in self._found else self._needed(node)
            begun.add(node)
            missing = [one for one in needed if one not in self._found]
            is_circular = is_circular or not begun.isdisjoint(missing)
            missing = [one for one in missing if one not in begun]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if node not in self._found:
                self._found[node] = self._derived(node)
        found = self._found[wanted]
        if is_circular:
            self._found = {node: one for node, one in self._found.items() if node not in begun}
            self._found[wanted] = found
        return found

    def _needed(self, node: Node) -> list[Node]:
        return [one for making in self._makings.get(node, ()) for one in nodes_read(making)]

    def _derived(self, node: Node) -> DataTime:
        name = node[0]
        if self._ageing.get(name) == "never":
            return DataTime(name, None)
        if self._ageing.get(name) == "when_looked":
            is_current = node[1] in self._looked_at.get(name, ())
            return self._at(name, self._limit if is_current else self._renewed.get(node))
        if node in self._states:
            return self._at(name, self._states[node].newest)
        makings = self._makings.get(node, ())
        newest = max(map(self._of_making, makings), key=recency, default=None)
        return newest or DataTime(name, None, is_known=False)

    def _of_making(self, making: Making) -> DataTime:
        """Return the data time of a materialization: of its oldest input that ages."""
        own = [self._at(making.asset, making.event_time or making.started_at)]
        inputs = [self._of_read(making, read) for read in making.reads if read.versions]
        found = oldest([*(own if making.is_volatile else ()), *inputs])
        if found is None or found.name == making.asset:
            return found or DataTime(making.asset, None)
        return DataTime(making.asset, found.at, found.is_known, found, found.capped)

    def _of_read(self, making: Making, read: VersionsRead) -> DataTime:
        if self._ageing.get(read.upstream) == "when_looked":
            is_current = self._looked_at.get(read.upstream, frozenset()).issuperset(read.versions)
            return self._at(read.upstream, self._limit if is_current else making.started_at)
        nodes = [(read.upstream, version) for version in read.versions]
        # What is not found is being derived: a circle that only a changed graph can make.
        found = [
            self._found.get(node) or DataTime(read.upstream, None, is_known=False) for node in nodes
        ]
        return oldest(found) or found[0]

    def _at(self, name: AssetName, at: datetime | None) -> DataTime:
        """Return the data time of a root; an instant to come is capped, and kept to be said."""
        if at is None:
            return DataTime(name, None, is_known=False)
        if at > self._limit:
            return DataTime(name, self._limit, capped=at)
        return DataTime(name, at)


class AdvancingDerivation(Derivation):
    """The data times of versions as of one moment after the other: only what changed is new."""

    def __init__(self, history: AgeHistory) -> None:
        super().__init__(replace(history, makings=(), states=()), _LONG_AGO)
        self._later_states = sorted(history.states, key=lambda one: one.seen_at)[::-1]
        makings = sorted(history.makings, key=lambda one: one.published_at)
        self._later_makings = makings[::-1]
        self._readers: dict[Node, set[Node]] = {}

    def advance(self, as_of: datetime) -> None:
        """Go on to `as_of`: what was seen and published until then counts."""
        changed: list[Node] = []
        if any(one.capped for one in self._found.values()):
            self._found.clear()
        self._limit = as_of
        while self._later_states and self._later_states[-1].seen_at <= as_of:
            seen = self._later_states.pop()
            self._add_state(seen)
            changed.append((seen.source, seen.state))
        while self._later_makings and self._later_makings[-1].published_at <= as_of:
            making = self._later_makings.pop()
            self._add_newer(making)
            changed.append((making.asset, making.version))
            changed += nodes_read(making) if self._tells_looks else ()
        self._forget(changed)

    def _add_newer(self, making: Making) -> None:
        """Add a making in place of one that had the same by the same: it is no more recent."""
        node = (making.asset, making.version)
        for read in nodes_read(making):
            self._readers.setdefault(read, set()).add(node)
        before = self._makings.get(node, [])[1 - LATEST_OF_ONE :]
        self._makings[node] = [one for one in before if not _is_renewed_by(making, one)]
        self._add_making(making)

    def _forget(self, changed: list[Node]) -> None:
        """Derive anew what follows from the nodes that `changed`."""
        seen = set(changed)
        while changed:
            node = changed.pop()
            self._found.pop(node, None)
            following = self._readers.get(node, set()) - seen
            seen |= following
            changed += following


def nodes_read(making: Making) -> list[Node]:
    """Return the versions that count of what a materialization read."""
    return [(read.upstream, version) for read in making.reads for version in read.versions]


def _is_renewed_by(one: Making, other: Making) -> bool:
    return (
        other.started_at <= one.started_at
        and (other.reads, other.event_time) == (one.reads, one.event_time)
        and other.is_volatile == one.is_volatile
    )


def oldest(found: Sequence[DataTime]) -> DataTime | None:
    """Return the oldest of those that age, one that is not known before all.

    Where none ages the first of them, and None of none.
    """
    if len(found) == 1:
        return found[0]
    ageing = [one for one in found if one.at is not None or not one.is_known]
    if ageing:
        return min(ageing, key=recency)
    return found[0] if found else None


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def recency(one: DataTime) -> tuple[int, datetime]:
    """Return what data times are ordered by: unknown, then by time, then what never ages."""
    if not one.is_known:
        return 0, _LONG_AGO
    return (2, _LONG_AGO) if one.at is None else (1, one.at)


def event_instant(value: datetime | date, timezone: str, of: AssetName, column: str) -> datetime:
    """Return the instant of an event time; a date stands for its beginning.

    What has no offset from UTC is by the clocks of `timezone`; NaiveEventTime where there
    is none ("").
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if not timezone:
        raise NaiveEventTime(of, column, value)
    local = value if isinstance(value, datetime) else datetime.combine(value, time())
    return first_instant(local, zone_of(timezone))
