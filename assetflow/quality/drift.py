"""How far a distribution has moved from an earlier one, by counts in the same bins.

The bins of numbers and times are the deciles of the baseline (for `ks` its percentiles),
those of other values are the most frequent ones of both sides together, since those of one
side alone are more frequent there by chance. NULL is a bin of its own.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from assetflow.model.checks import Check
from assetflow.model.columns import Column, Schema
from assetflow.quality.conditions import considered
from assetflow.quality.fitting import DATED, columns_of
from assetflow.quality.literals import NUMERIC
from assetflow.sql.query import quoted

THRESHOLDS: Mapping[str, float] = {"psi": 0.2, "ks": 0.1, "js": 0.1}
"""What counts as drift where a check does not say it."""

MOST_CATEGORIES = 30
_BINS = {"psi": 10, "js": 10, "ks": 100}
_SMOOTHING = 0.5
_FALSE_ALARMS = 0.001
_NORMAL_QUANTILE = 3.0902  # of 1 - _FALSE_ALARMS


class Counts(NamedTuple):
    """The rows of one bin: in the baseline and now."""

    before: float
    now: float


class Drift(NamedTuple):
    """How far a distribution moved, and how far chance alone may move one of so few rows."""

    distance: float
    chance: float


def drift_query(check: Check, schema: Schema, scan: str, baseline: str) -> str:
    """Return the query of one value: a list of [rows in the baseline, rows now], a bin each."""
    (column,) = columns_of(check, schema)
    value, is_ordered = _value(column)
    where = f" where {considered(check)}" if check.where else ""
    both = (
        f"select true as b, {value} as v from {baseline}{where} "
        f"union all select false as b, {value} as v from {scan}{where}"
    )
    if not is_ordered:
        return _by_category(both)
    return _by_quantile(both, _BINS[str(check.argument("method"))])


def _value(column: Column) -> tuple[str, bool]:
    """Return what is binned of `column`, and whether it is a number."""
    name = quoted(column.name)
    if NUMERIC.fullmatch(column.type):
        return f"{name}::double", True
    if DATED.fullmatch(column.type):
        return f"epoch({name})", True
    return f"{name}::varchar", False


def _by_quantile(both: str, bins: int) -> str:
    inner = ", ".join(f"{place / bins!r}" for place in range(1, bins))
    above = " + ".join(f"coalesce((v > e[{place}])::int, 0)" for place in range(1, bins))
    return (
        f"with af_both as materialized ({both}), "
        f"af_edges as (select list_sort(list_distinct(quantile_disc(v, [{inner}]))) as e "
        "from af_both where b) "
        "select list([f, t] order by k) from (select k, count_if(b) as f, count_if(not b) as t "
        f"from (select b, case when v is null then -1 else {above} end as k "
        "from af_both, af_edges) group by k)"
    )


def _by_category(both: str) -> str:
    return (
        "with af_counts as (select v, count_if(b) as f, count_if(not b) as t, "
        f"row_number() over (order by count(*) desc, v) as n from ({both}) group by v) "
        "select list([f, t] order by k) from (select k, sum(f) as f, sum(t) as t "
        f"from (select least(n, {MOST_CATEGORIES}) as k, f, t from af_counts) group by k)"
    )


def drift(method: str, bins: Sequence[Counts]) -> Drift | None:
    """Return how far `bins` moved, None where one side has no rows.

    `psi` is the population stability index, `js` the Jensen-Shannon distance to base 2,
    `ks` the largest difference of the two cumulative distributions. What chance may do,
    once in a thousand times, is for psi the quantile of its chi-squared distribution
    (Yurdakul, "Statistical properties of population stability index", 2018), of which
    the divergence of js is an eighth; for ks the critical value of Smirnov.
    """
    before, now = sum(one.before for one in bins), sum(one.now for one in bins)
    if not before or not now:
        return None
    shares = [
        Counts(_share(one.before, before, len(bins)), _share(one.now, now, len(bins)))
        for one in bins
    ]
    spread = 1 / before + 1 / now
    squared = _chi_squared(len(bins) - 1) * spread
    chance = {
        "psi": squared,
        "js": math.sqrt(squared / 8 / math.log(2)),
        "ks": math.sqrt(-math.log(_FALSE_ALARMS / 2) / 2 * spread),
    }
    return Drift(_DISTANCES[method](shares), chance[method])


def _share(count: float, total: float, bins: int) -> float:
    """Return the share of one bin; none is empty, so that logarithms are finite."""
    return (count + _SMOOTHING) / (total + _SMOOTHING * bins)


def _psi(shares: Sequence[Counts]) -> float:
    return sum((now - before) * math.log(now / before) for before, now in shares)


def _js(shares: Sequence[Counts]) -> float:
    divergence = sum(
        side * math.log2(side / ((before + now) / 2)) / 2
        for before, now in shares
        for side in (before, now)
    )
    return math.sqrt(max(divergence, 0.0))


def _ks(shares: Sequence[Counts]) -> float:
    largest = reached = 0.0
    for before, now in shares:
        reached += now - before
        largest = max(largest, abs(reached))
    return largest


def _chi_squared(freedom: int) -> float:
    """Return the quantile of chi-squared, as Wilson and Hilferty (1931) approximate it."""
    if freedom < 1:
        return 0.0
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + _NORMAL_QUANTILE * math.sqrt(part)) ** 3)


_DISTANCES: Mapping[str, Callable[[Sequence[Counts]], float]] = {
    "psi": _psi,
    "js": _js,
    "ks": _ks,
}
