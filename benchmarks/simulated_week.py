"""The worlds of the simulated week: 200 assets, their roots, policies and durations.

Run by itself it prints the figures of docs/freshness-simulation.md.
"""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.names import AssetName
from assetflow.planning.least_refresh import usual_durations
from assetflow.planning.simulation import (
    Decide,
    SimulatedWeek,
    World,
    refresh_all,
    refresh_eagerly,
    refresh_least,
    simulate,
)

START = datetime(2026, 3, 23, tzinfo=UTC)
"""A Monday; on the Sunday after it clocks go forward in Berlin."""
WEEK, TICK = timedelta(days=7), timedelta(seconds=60)
SOURCES, LOADS, OF_A_LAYER = 40, 20, 60
HOUR = 3600.0
INTERVALS = (300, 600, 900, 1800, 3600, 6 * 3600)
SECONDS = (5, 10, 20, 45, 90, 240)
ZONE = "Europe/Berlin"
SPREAD = 0.4
P90_OF_NORMAL = 1.2816
LONGEST = 3
DIFFERENT_DURATIONS = 97

Upstreams = dict[AssetName, tuple[AssetName, ...]]


@dataclass(frozen=True, slots=True)
class Nature:
    """What a world is like.

    `lags` are how many times the interval of its slowest root a mart may be old; `short`
    is the share of policies of an hour, whatever their roots; `silent` that of roots which
    fall silent for hours.
    """

    lags: tuple[float, ...] = (1.5, 2, 3, 4, 6)
    short: float = 0.0
    silent: float = 0.0
    workers: int = 200


NATURES = {
    "kind": Nature(),
    "hard": Nature(short=0.1, silent=0.15),
    "tight": Nature(lags=(1.5,)),
    "crowded": Nature(workers=16),
}
SEEDS = (5, 6, 7)


def make_world(nature: Nature, seed: int) -> World:
    """Return a world in which data flows from roots through layers to marts with policies."""
    rng = random.Random(seed)  # noqa: S311 - the same world for the same seed
    sources = [AssetName(f"raw_{n:02}") for n in range(SOURCES)]
    loads = [AssetName(f"load_{n:02}") for n in range(LOADS)]
    upstreams: Upstreams = dict.fromkeys(loads, ()) | _layers(rng, [*sources, *loads])
    every = {root: rng.choice(INTERVALS) for root in [*sources, *loads]}
    usual = {name: rng.choice(SECONDS) for name in upstreams}
    slowest = _slowest_roots(upstreams, every)
    return World(
        upstreams=upstreams,
        policies={
            name: _policy(rng, nature, slowest[name])
            for name in upstreams
            if name.startswith("mart")
        },
        arrivals={root: _arrivals(rng, nature, seconds) for root, seconds in every.items()},
        volatile=frozenset(loads),
        with_events=frozenset(loads[::2]),
        seconds={name: float(seconds) for name, seconds in usual.items()},
        durations={name: _durations(rng, seconds) for name, seconds in usual.items()},
        start=START,
        end=START + WEEK,
        workers=nature.workers,
    )


def ways(world: World) -> dict[str, tuple[Decide, timedelta]]:
    """Return the ways of deciding that are compared, each with its tick."""
    usual = usual_durations(world.upstreams, world.seconds)
    return {
        "least": (refresh_least(usual), TICK),
        "eager": (refresh_eagerly, WEEK),
        "every hour": (refresh_all, timedelta(hours=1)),
        "every 15 minutes": (refresh_all, timedelta(minutes=15)),
    }


def _layers(rng: random.Random, roots: Sequence[AssetName]) -> Upstreams:
    """Return staging, intermediate and mart assets, each made of some of the layer above."""
    found, above = Upstreams(), roots
    for layer in ("stg", "int", "mart"):
        names = [AssetName(f"{layer}_{n:02}") for n in range(OF_A_LAYER)]
        for name in names:
            most = 1 if layer == "stg" else 3
            found[name] = tuple(sorted(rng.sample(above, rng.randint(1, most))))
        above = names
    return found


def _slowest_roots(upstreams: Upstreams, every: Mapping[AssetName, int]) -> dict[AssetName, int]:
    """Return for each asset how seldom the slowest of its roots has newer data."""
    found = dict(every)
    for name, above in upstreams.items():
        found[name] = max([found.get(name, 0), *(found[one] for one in above)])
    return found


def _policy(rng: random.Random, nature: Nature, slowest: int) -> FreshnessPolicy:
    """Return a lag, as two in three marts have, else a deadline in the morning, or both."""
    lag = max(HOUR, slowest * rng.choice(nature.lags))
    if rng.random() < nature.short:
        lag = HOUR
    kind = rng.choice(("lag", "lag", "lag", "lag", "deadline", "both"))
    if kind == "lag":
        return FreshnessPolicy(lag)
    return FreshnessPolicy(
        lag + 12 * HOUR if kind == "both" else None,
        deadline=f"{rng.choice((0, 30))} {rng.randint(6, 9)} * * {rng.choice(('*', '1-5'))}",
        within_seconds=max(2 * HOUR, 1.5 * slowest),
        timezone=ZONE,
    )


def _arrivals(rng: random.Random, nature: Nature, seconds: int) -> list[datetime]:
    """Return when a root has newer data: about every `seconds`."""
    at, found = START, [START]
    silent = START + timedelta(hours=rng.uniform(0, 168))
    falls_silent = rng.random() < nature.silent
    while at < START + WEEK:
        at += timedelta(seconds=seconds * rng.uniform(0.7, 1.3))
        if falls_silent and at > silent:
            at, falls_silent = at + timedelta(hours=rng.uniform(4, 16)), False
        found.append(at)
    return found


def _durations(rng: random.Random, p90: int) -> list[float]:
    """Return what steps take whose p90 is `p90`: most are a good deal shorter, few longer."""
    middle = p90 / rng.lognormvariate(P90_OF_NORMAL * SPREAD, 0)
    return [
        min(middle * rng.lognormvariate(0, SPREAD), LONGEST * p90)
        for _ in range(DIFFERENT_DURATIONS)
    ]


def _rows() -> Iterator[tuple[str, str, str, SimulatedWeek, float]]:
    """Yield what each way comes to in each world, and how long that takes to simulate."""
    for nature, said in NATURES.items():
        for seed in SEEDS:
            world = make_world(said, seed)
            for way, (decide, tick) in ways(world).items():
                begun = time.perf_counter()
                week = simulate(world, decide, tick)
                yield nature, str(seed), way, week, time.perf_counter() - begun


def _main() -> None:
    print("| world | seed | way | overdue, hours | runs | steps | compute, hours |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for nature, seed, way, week, took in _rows():
        cells = [nature, seed, way, f"{week.overdue / HOUR:,.2f}", f"{week.runs:,}"]
        cells += [f"{week.steps:,}", f"{week.compute_seconds / HOUR:,.0f}", f"{took:.1f} s"]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    _main()
