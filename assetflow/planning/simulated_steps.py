"""The steps that wait in a simulation, each until those that it waits for are done. Pure."""

import heapq
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from assetflow.model.names import AssetName
from assetflow.planning.data_time import DataTime


@dataclass(slots=True)
class SimulatedStep:
    """One asset to make; `waits` are steps that are not done, by their numbers.

    Once it runs, `data` and `reads` are how recent it will be, and what it read.
    """

    number: int
    asset: AssetName
    waits: set[int] = field(default_factory=set)
    data: DataTime | None = None
    reads: tuple[int, ...] = ()

    @property
    def has_begun(self) -> bool:
        """Whether it has read its inputs, so that what is newer needs another step."""
        return self.data is not None


class StepQueue:
    """The steps that are not done.

    At most two of an asset wait: the first for what it was asked to wait for, so that it
    runs however often the asset is asked for; the second for all that came since.
    """

    def __init__(self, places: Mapping[AssetName, int]) -> None:
        self._places = places
        self._of_asset: dict[AssetName, list[SimulatedStep]] = defaultdict(list)
        self._followers: dict[int, list[SimulatedStep]] = {}
        self._ready: list[tuple[int, int, SimulatedStep]] = []
        self.last = 0
        """The number of the step that was added last."""

    def add(self, name: AssetName, above: Collection[int]) -> int:
        """Return the number of the step that makes `name` after the steps `above`."""
        open_above = {number for number in above if number in self._followers}
        waiting = self._of_asset[name]
        last = waiting[-1] if waiting else None
        if last is not None and not last.has_begun:
            if len(waiting) > 1 or open_above <= last.waits:
                self._wait(last, open_above)
                return last.number
            open_above.add(last.number)
        elif last is not None:
            open_above.add(last.number)
        return self._added(name, open_above)

    def open(self, name: AssetName) -> tuple[int, ...]:
        """Return the steps that make `name` and are not done, the last to be asked for last."""
        return tuple(step.number for step in self._of_asset.get(name, ()))

    def take(self) -> SimulatedStep | None:
        """Return the step to begin with of those that wait for nothing, upstream first."""
        return heapq.heappop(self._ready)[2] if self._ready else None

    def finish(self, step: SimulatedStep) -> bool:
        """Take note that `step` is done; return whether its asset waits for no other."""
        self._of_asset[step.asset].remove(step)
        for follower in self._followers.pop(step.number):
            follower.waits.discard(step.number)
            self._release(follower)
        return not self._of_asset[step.asset]

    def _added(self, name: AssetName, waits: set[int]) -> int:
        self.last += 1
        step = SimulatedStep(self.last, name)
        self._followers[step.number] = []
        self._of_asset[name].append(step)
        self._wait(step, waits)
        self._release(step)
        return step.number

    def _wait(self, step: SimulatedStep, numbers: set[int]) -> None:
        for number in numbers - step.waits:
            self._followers[number].append(step)
        step.waits |= numbers

    def _release(self, step: SimulatedStep) -> None:
        if not step.waits:
            heapq.heappush(self._ready, (self._places[step.asset], step.number, step))
