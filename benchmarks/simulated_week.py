"""The world of the simulated week: 200 assets, their roots, policies and durations."""

import random
from datetime import UTC, datetime, timedelta

from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.names import AssetName
from assetflow.planning.simulation import World

START = datetime(2026, 3, 23, tzinfo=UTC)
WEEK = timedelta(days=7)
SOURCES, LOADS, ASSETS = 40, 20, 200
HOUR = 3600.0
INTERVALS = (300, 600, 900, 1800, 3600, 6 * 3600)
ZONE = "Europe/Berlin"


def make_world(seed: int = 5, workers: int = 200, *, is_kind: bool = False) -> World:
    """Return a world in which data flows from roots through layers to marts with policies.

    One that `is_kind` has no root that falls silent, and no policy that cannot be kept.
    """
    rng = random.Random(seed)
    roots = [AssetName(f"raw_{n:02}") for n in range(SOURCES)]
    loads = [AssetName(f"load_{n:02}") for n in range(LOADS)]
    upstreams = {name: () for name in loads} | layers(rng, [*roots, *loads])
    every = {root: rng.choice(INTERVALS) for root in [*roots, *loads]}
    usual = {name: rng.choice((5, 10, 20, 45, 90, 240)) for name in upstreams}
    slowest = slowest_roots(upstreams, every)
    marts = [name for name in upstreams if name.startswith("mart")]
    return World(
        upstreams=upstreams,
        policies={name: policy(rng, slowest[name], is_kind=is_kind) for name in marts},
        arrivals={root: arrivals(rng, seconds, is_kind=is_kind) for root, seconds in every.items()},
        volatile=frozenset(loads),
        with_events=frozenset(loads[::2]),
        seconds={name: 1.0 * seconds for name, seconds in usual.items()},
        durations={name: durations(rng, seconds) for name, seconds in usual.items()},
        start=START,
        end=START + WEEK,
        workers=workers,
    )


def layers(rng, roots):
    """Return staging, intermediate and mart assets, each made of some of the layer above."""
    found, above = {}, roots
    for layer, count in (("stg", 60), ("int", 60), ("mart", 60)):
        names = [AssetName(f"{layer}_{n:02}") for n in range(count)]
        for name in names:
            most = 1 if layer == "stg" else 3
            found[name] = tuple(sorted(rng.sample(above, rng.randint(1, most))))
        above = names
    return found


def slowest_roots(upstreams, every):
    """Return for each asset how seldom the slowest of its roots has newer data."""
    found = dict(every)
    for name, above in upstreams.items():
        found[name] = max([found.get(name, 0), *(found[one] for one in above)])
    return found


def policy(rng, slowest, *, is_kind) -> FreshnessPolicy:
    """Return a lag that the `slowest` root allows, a deadline in the morning, or both.

    One lag in ten is shorter than what the root allows: it cannot be kept at all times.
    """
    lag = max(HOUR, slowest * rng.choice((1.5, 2, 3, 4, 6)))
    if rng.random() > 0.9 and not is_kind:
        lag = HOUR
    kind = rng.random()
    if kind < 0.7:
        return FreshnessPolicy(lag)
    deadline = f"{rng.choice((0, 30))} {rng.randint(6, 9)} * * {rng.choice(('*', '1-5'))}"
    return FreshnessPolicy(
        lag + 12 * HOUR if kind < 0.85 else None,
        deadline=deadline,
        within_seconds=max(2 * HOUR, 1.5 * slowest),
        timezone=ZONE,
    )


def arrivals(rng, seconds, *, is_kind):
    """Return when a root has newer data: about every `seconds`, some fall silent for hours."""
    at, found = START, [START]
    falls_silent = rng.random() < 0.15 and not is_kind
    silent = START + timedelta(hours=rng.uniform(0, 168)) if falls_silent else None
    while at < START + WEEK:
        at += timedelta(seconds=seconds * rng.uniform(0.7, 1.3))
        if silent and at > silent:
            at, silent = at + timedelta(hours=rng.uniform(4, 16)), None
        found.append(at)
    return found


def durations(rng, p90):
    """Return what steps take whose p90 is `p90`: most are a good deal shorter, few longer."""
    sigma = 0.4
    median = p90 / 2.718281828 ** (1.2816 * sigma)
    return [min(rng.lognormvariate(0, sigma) * median, 3 * p90) for _ in range(97)]
