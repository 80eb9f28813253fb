"""A graph of 10,000 assets with policies, 500 of them overdue: what is chosen is timed."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.names import AssetName
from assetflow.planning.attainable import Ages
from assetflow.planning.data_time import DataTime
from assetflow.planning.least_refresh import usual_durations

NOW = datetime(2026, 3, 23, 12, tzinfo=UTC)
ABOVE = 50


def make_ages(
    count: int, overdue: int, seed: int = 5
) -> tuple[Ages, dict[AssetName, FreshnessPolicy], dict[AssetName, float]]:
    """Return ages and policies of `count` assets, `overdue` of which are, and usual durations.

    Each asset is made of up to three of those shortly before it, every tenth of a source.
    """
    rng = random.Random(seed)  # noqa: S311 - the same graph for the same seed
    names = [AssetName(f"asset_{n:05}") for n in range(count)]
    sources = [AssetName(f"raw_{n:03}") for n in range(200)]
    upstreams = {
        name: (rng.choice(sources),) if n % 10 == 0 else tuple(_some_before(rng, names, n))
        for n, name in enumerate(names)
    }
    ages = {name: rng.uniform(60, 7200) for name in names}
    published = {name: DataTime(name, NOW - timedelta(seconds=ages[name])) for name in names}
    policies = {name: FreshnessPolicy(6 * 3600.0) for name in names}
    for name in rng.sample(names, overdue):
        policies[name] = FreshnessPolicy(0.9 * ages[name])
    seen = {source: DataTime(source, NOW) for source in sources}
    usual = usual_durations(upstreams, dict.fromkeys(names, 0.5))
    return Ages(upstreams, published, seen), policies, usual


def _some_before(rng: random.Random, names: Sequence[AssetName], n: int) -> list[AssetName]:
    return sorted({names[rng.randrange(max(0, n - ABOVE), n)] for _ in range(rng.randint(1, 3))})
