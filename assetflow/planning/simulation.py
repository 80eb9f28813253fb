"""A simulated week of deciding what to make again, beside two simpler ways. Pure.

Roots get newer data at known instants; steps take their time on a few workers, each is
published when it is done, and one whose inputs are as it read them last is left out. What
differs is who decides, and when: `refresh_least` at each tick what policies need,
`refresh_all` everything at each tick, `refresh_eagerly` what is made from a root as soon as
that has newer data. The last is told of every arrival. The first sees the files of sources
when it looks, and has to run a volatile asset to learn whether it has anything new.
"""

import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeAlias

from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.names import AssetName
from assetflow.planning.attainable import Ages
from assetflow.planning.back_off import rest_after, ways_down
from assetflow.planning.data_time import DataTime, oldest
from assetflow.planning.least_refresh import least_refresh
from assetflow.planning.overdue import becomes_overdue
from assetflow.planning.simulated_steps import SimulatedStep, StepQueue

LOOK_AHEAD_SECONDS = 600.0
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class World:
    """What is simulated, from `start` to `end`.

    `upstreams` has each asset, upstream first. `arrivals` are when each root has newer
    data, in order, the first no later than `start`. Of `volatile` assets those in
    `with_events` are as recent as what arrived, all others as their runs. `seconds` are
    the usual durations of steps (p90), `durations` what they take in each hour, over and
    over again: as long for whoever decides.
    """

    upstreams: Mapping[AssetName, tuple[AssetName, ...]]
    policies: Mapping[AssetName, FreshnessPolicy]
    arrivals: Mapping[AssetName, Sequence[datetime]]
    volatile: frozenset[AssetName]
    with_events: frozenset[AssetName]
    seconds: Mapping[AssetName, float]
    durations: Mapping[AssetName, Sequence[float]]
    start: datetime
    end: datetime
    workers: int = 16

    def of_root(self, root: AssetName, now: datetime) -> DataTime:
        """Return how recent a root is that is read at `now`."""
        if root in self.volatile and root not in self.with_events:
            return DataTime(root, now)
        return DataTime(root, self.arrivals[root][self.arrived(root, now) - 1])

    def arrived(self, root: AssetName, now: datetime) -> int:
        """Return how often a root has had newer data by `now`."""
        return bisect_right(self.arrivals[root], now)

    def taken(self, name: AssetName, now: datetime) -> float:
        """Return the seconds of a step that makes `name` and begins at `now`."""
        durations = self.durations[name]
        return durations[int((now - self.start) / HOUR) % len(durations)]


@dataclass(frozen=True, slots=True)
class SimulatedWeek:
    """What a way of deciding came to.

    `overdue_seconds` are by asset, for which its data was older than its policy allows.
    `runs` started steps, `compute_seconds` are those of all `steps` together.
    """

    overdue_seconds: Mapping[AssetName, float]
    runs: int
    steps: int
    compute_seconds: float

    @property
    def overdue(self) -> float:
        """Return the overdue seconds of all assets together."""
        return sum(self.overdue_seconds.values())


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant at which something is decided: a tick, or the arrival of newer data."""

    now: datetime
    arrived: AssetName | None = None


Decide: TypeAlias = "Callable[[Simulation, Moment], None]"
"""A way of deciding: it requests what to make again at a moment."""


def refresh_least(
    usual: Mapping[AssetName, float], within_seconds: float = LOOK_AHEAD_SECONDS
) -> Decide:
    """Return the way that makes at each tick the least that policies need.

    It looks `within_seconds` ahead, and by the `usual` durations so far that all is done
    in time.
    """

    def decide(simulation: "Simulation", moment: Moment) -> None:
        if moment.arrived is None:
            ages, policies = simulation.ages(moment.now), simulation.world.policies
            found = least_refresh(ages, policies, moment.now, usual, within_seconds)
            names = [refresh.asset for refresh in found.refreshes]
            simulation.request(names, moment.now, counts_on_open=True)

    return decide


def refresh_all(simulation: "Simulation", moment: Moment) -> None:
    """Make everything again at each tick."""
    if moment.arrived is None:
        simulation.request(simulation.world.upstreams, moment.now)


def refresh_eagerly(simulation: "Simulation", moment: Moment) -> None:
    """Make again what is made from a root, as soon as the root has newer data."""
    if moment.arrived is not None:
        simulation.request(simulation.below[moment.arrived], moment.now)


def simulate(world: World, decide: Decide, tick: timedelta) -> SimulatedWeek:
    """Return what it comes to in `world` to `decide` at each `tick` and each arrival."""
    simulation = Simulation(world)
    for moment in sorted(_moments(world, tick), key=lambda moment: moment.now):
        simulation.advance(moment.now)
        decide(simulation, moment)
    return simulation.ended()


def _moments(world: World, tick: timedelta) -> Iterator[Moment]:
    for n in range(int((world.end - world.start) / tick)):
        yield Moment(world.start + tick * n)
    for root, instants in world.arrivals.items():
        yield from (Moment(at, root) for at in instants if world.start < at < world.end)


class Simulation:
    """How things stand at one instant, and what is waiting to be made."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.below = {root: tuple(_below(world, root)) for root in world.arrivals}
        self.published: dict[AssetName, DataTime] = {}
        self._expected: dict[AssetName, DataTime] = {}
        self._resting: dict[AssetName, datetime] = {}
        self._ways = ways_down(world.upstreams, world.policies, world.seconds)
        self._fruitless: dict[AssetName, int] = defaultdict(int)
        self._queue = StepQueue({name: place for place, name in enumerate(world.upstreams)})
        self._running: list[tuple[datetime, int, SimulatedStep]] = []
        self._versions: dict[AssetName, int] = defaultdict(int)
        self._reads: dict[AssetName, tuple[int, ...]] = {}
        self._since = dict.fromkeys(world.policies, world.start)
        self._overdue: dict[AssetName, float] = dict.fromkeys(world.policies, 0.0)
        self._runs, self._steps, self._compute = 0, 0, 0.0
        for name in world.upstreams:
            self.published[name] = self._made(name, world.start)
            self._reads[name] = self._read(name, world.start)

    def ages(self, now: datetime) -> Ages:
        """Return how old everything is, as it will be when all that waits is made.

        A volatile asset that was asked rests until it has answered.
        """
        world = self.world
        sources = world.arrivals.keys() - world.volatile
        asked = (name for name in world.volatile if self._queue.open(name))
        return Ages(
            upstreams=world.upstreams,
            published=self.published | self._expected,
            seen={source: world.of_root(source, now) for source in sources},
            volatile=world.volatile,
            resting=self._resting | dict.fromkeys(asked, world.end),
        )

    def request(
        self, names: Iterable[AssetName], now: datetime, *, counts_on_open: bool = False
    ) -> None:
        """Queue steps that make `names`, upstream first, and start those that can be.

        Who `counts_on_open` steps, as `ages` does, waits for those that others asked for.
        """
        before, asked = self._queue.last, dict[AssetName, int]()
        for name in names:
            upstreams = self.world.upstreams[name]
            above = {asked[one] for one in upstreams if one in asked}
            if counts_on_open:
                above.update(*(self._queue.open(one)[-1:] for one in upstreams))
            asked[name] = self._queue.add(name, above)
            self._expected[name] = self._made(name, now, self._expected)
        self._runs += self._queue.last > before
        self._start(now)

    def advance(self, now: datetime) -> None:
        """Finish the steps that are done by `now`, and start those that can be."""
        while self._running and self._running[0][0] <= now:
            done_at, _, step = heapq.heappop(self._running)
            self._publish(step, done_at)
            self._start(done_at)

    def ended(self) -> SimulatedWeek:
        """Return what it came to at the end; what is not done by then is not published."""
        self.advance(self.world.end)
        for name in self.world.policies:
            self._account(name, self.world.end)
        return SimulatedWeek(self._overdue, self._runs, self._steps, self._compute)

    def _start(self, now: datetime) -> None:
        while len(self._running) < self.world.workers and (step := self._queue.take()):
            name = step.asset
            step.reads, step.data = self._read(name, now), self._made(name, now)
            if step.reads == self._reads[name] and name not in self.world.volatile:
                self._done(step)
                continue
            taken = self.world.taken(name, now)
            self._steps += 1
            self._compute += taken
            done_at = now + timedelta(seconds=taken)
            heapq.heappush(self._running, (done_at, step.number, step))

    def _publish(self, step: SimulatedStep, now: datetime) -> None:
        """Publish what `step` made, if it is anything new."""
        name = step.asset
        assert step.data is not None
        is_new = step.reads != self._reads[name] or name not in self.world.with_events
        if name in self.world.with_events:
            self._rest(name, now, is_new=is_new)
        if is_new:
            self._account(name, now)
            self.published[name], self._reads[name] = step.data, step.reads
            self._versions[name] += 1
        self._done(step)

    def _done(self, step: SimulatedStep) -> None:
        if self._queue.finish(step):
            self._expected.pop(step.asset, None)

    def _rest(self, name: AssetName, now: datetime, *, is_new: bool) -> None:
        """Let a volatile asset rest that gave nothing new, longer each time."""
        self._fruitless[name] = 0 if is_new else self._fruitless[name] + 1
        newest, ways = self.published[name].at, self._ways.get(name, {})
        until = rest_after(self._fruitless[name], now, newest, ways)
        self._resting.pop(name, None)
        if until is not None:
            self._resting[name] = until

    def _account(self, name: AssetName, now: datetime) -> None:
        """Add the time for which the published data of `name` was overdue until `now`."""
        policy, data = self.world.policies.get(name), self.published[name]
        if policy is not None and data.at is not None:
            overdue_at = max(becomes_overdue(policy, data.at), self._since[name])
            self._overdue[name] += max((now - overdue_at).total_seconds(), 0.0)
            self._since[name] = now

    def _made(
        self,
        name: AssetName,
        now: datetime,
        expected: Mapping[AssetName, DataTime] = MappingProxyType({}),
    ) -> DataTime:
        """Return how recent `name` is if it is made at `now`, of what is published or expected."""
        world = self.world
        limits = [
            expected.get(one) or self.published[one]
            if one in world.upstreams
            else world.of_root(one, now)
            for one in world.upstreams[name]
        ]
        if name in world.volatile:
            limits.append(world.of_root(name, now))
        limit = oldest(limits)
        return DataTime(name, None if limit is None else limit.at)

    def _read(self, name: AssetName, now: datetime) -> tuple[int, ...]:
        """Return what tells the inputs of `name` at `now` from those at other times."""
        world = self.world
        own = (world.arrived(name, now),) if name in world.volatile else ()
        return own + tuple(
            self._versions[one] if one in world.upstreams else world.arrived(one, now)
            for one in world.upstreams[name]
        )


def _below(world: World, root: AssetName) -> Iterator[AssetName]:
    """Yield what is made from `root`, itself included if it is made, upstream first."""
    found = {root}
    for name, above in world.upstreams.items():
        if name == root or not found.isdisjoint(above):
            found.add(name)
            yield name
