"""Choosing the least of many, and the simulated week: both in process."""

import time
from collections.abc import Callable, Iterator
from itertools import product
from statistics import median

from figures import Bench, Figure
from least_of_many import NOW, make_ages
from simulated_week import CLAIMED, NATURES, SEEDS, TICK, make_world, ways

from assetflow.planning.least_refresh import least_refresh
from assetflow.planning.simulation import simulate

MANY, OVERDUE = 10_000, 500
MOST_CHOOSING_SECONDS = 0.5
MOST_WEEK_SECONDS = 30.0
MOST_OF_EAGER_STEPS = 0.6


def choosing(bench: Bench) -> Iterator[Figure]:
    """Choose the least set for many assets, some of them overdue."""
    ages, policies, usual = make_ages(MANY, OVERDUE)
    seconds, count = list[float](), 0
    for _ in range(bench.repeats):
        begun = time.perf_counter()
        count = len(least_refresh(ages, policies, NOW, usual).refreshes)
        seconds.append(time.perf_counter() - begun)
    what = f"the least set, {MANY:,} assets, {OVERDUE} overdue"
    yield Figure(what, median(seconds), "s", MOST_CHOOSING_SECONDS, note=f"{count:,} steps")


def simulated_week(bench: Bench) -> Iterator[Figure]:
    """Simulate weeks in kind and in tight worlds: the least that policies need, and eagerly.

    Their seeds are none of those that anything was tuned or tested on.
    """
    seconds = list[float]()
    for nature, seed in product(CLAIMED, SEEDS[: bench.repeats]):
        world = make_world(NATURES[nature], seed)
        found = {}
        for name in ("least", "eager"):
            decide, tick = ways(world)[name]
            begun = time.perf_counter()
            found[name] = simulate(world, decide, tick)
            seconds += [time.perf_counter() - begun] if name == "least" else []
        least, eager = found["least"], found["eager"]
        what = f"simulated week, {nature} {seed}"
        goal = eager.overdue + TICK.total_seconds()
        yield Figure(f"{what}: overdue", least.overdue, "s", goal)
        share = least.steps / eager.steps
        note = f"{least.steps:,} against {eager.steps:,} steps"
        yield Figure(f"{what}: of the eager steps", share, "x", MOST_OF_EAGER_STEPS, note=note)
    yield Figure("simulated week, 200 assets", median(seconds), "s", MOST_WEEK_SECONDS)


SCENARIOS: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "choosing": choosing,
    "week": simulated_week,
}
