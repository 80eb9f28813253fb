"""The worlds of the simulated week: 200 assets, their roots, policies and durations.

Run by itself it prints the figures of docs/freshness-simulation.md, or of the worlds that
are named: `python benchmarks/simulated_week.py kind tight`.
"""

import random
import sys
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
DURATIONS = 7 * 24

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
SEEDS = tuple(range(1001, 1021))
"""Of worlds that nothing was tuned or tried on: what decides was as it is before they were made.

Who changes what decides tries it on others, below 1,000, and takes new ones for the figures.
"""
CLAIMED = ("kind", "tight")
A_FEW = 5
"""Of so many worlds the ways on a schedule are told, too; of other natures there are no more."""


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
    """Return what steps take in each hour of the week whose p90 is `p90`: most a good deal less."""
    middle = p90 / rng.lognormvariate(P90_OF_NORMAL * SPREAD, 0)
    return [min(middle * rng.lognormvariate(0, SPREAD), LONGEST * p90) for _ in range(DURATIONS)]


def _rows(nature: str) -> Iterator[tuple[int, str, SimulatedWeek, float]]:
    """Yield what each way comes to in each world, and how long that takes to simulate."""
    for seed in SEEDS if nature in CLAIMED else SEEDS[:A_FEW]:
        world = make_world(NATURES[nature], seed)
        for way, (decide, tick) in ways(world).items():
            if way.startswith("every") and seed >= SEEDS[A_FEW]:
                continue
            begun = time.process_time()
            week = simulate(world, decide, tick)
            yield seed, way, week, time.process_time() - begun


def _summary(nature: str, found: Mapping[str, Mapping[int, SimulatedWeek]]) -> Iterator[str]:
    """Yield a row of the table for each way: the least and the most of all worlds."""
    for way, weeks in found.items():
        beyond = [week.overdue - found["eager"][seed].overdue for seed, week in weeks.items()]
        late = sum(one > TICK.total_seconds() for one in beyond)
        shares = [week.steps / found["eager"][seed].steps for seed, week in weeks.items()]
        yield _cells(
            nature,
            way,
            len(weeks),
            _range([week.overdue / HOUR for week in weeks.values()], ",.2f"),
            f"{max(beyond):,.0f}",
            late,
            _range([week.steps for week in weeks.values()], ",d"),
            _range(shares, ".1%"),
            _range([week.compute_seconds / HOUR for week in weeks.values()], ",.0f"),
        )


def _range(values: Sequence[float], form: str) -> str:
    return f"{min(values):{form}} to {max(values):{form}}"


def _cells(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _main() -> None:
    for nature in sys.argv[1:] or NATURES:
        found: dict[str, dict[int, SimulatedWeek]] = {}
        for seed, way, week, took in _rows(nature):
            found.setdefault(way, {})[seed] = week
            told = (f"{week.overdue:,.0f} s", f"{week.runs:,}", f"{week.steps:,}", f"{took:.1f} s")
            print(_cells(nature, seed, way, *told), flush=True)
        print("\n".join(_summary(nature, found)), flush=True)


if __name__ == "__main__":
    _main()
