"""Whether a figure is far from what it was: by median and MAD, which outliers hardly move.

A trend is taken off first; it is carried no farther than it was seen. Where the history is
long enough, each weekday has a level of its own; before that, what was seen once is no anomaly.
The figure that is tested is no part of what it is held against.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import combinations
from statistics import fmean, median
from typing import NamedTuple

from assetflow.quality.answers import Point

FEWEST_POINTS = 7
SENSITIVITY = 5.0
HISTORY = 60
_WEEKS = 3
_DAYS = 7
_LONG = 28
_SURE = 3.0  # deviations, of a trend
_OF_NORMAL = 1.4826  # deviation over MAD, of normal noise
_OF_NORMAL_MEAN = 1.2533  # deviation over mean absolute deviation, of normal noise
_OF_MEDIAN = 1.57  # variance of a median over that of a mean, of normal noise
_SMALLEST_SHARE = 0.005
_SECONDS = 86400.0


class Range(NamedTuple):
    """Where a figure is expected, and at which level."""

    low: float
    level: float
    high: float


class _Sample(NamedTuple):
    """An earlier figure: how many days before the tested one, on which weekday."""

    days: float
    weekday: int
    value: float


def expected_range(
    history: Sequence[Point],
    at: datetime,
    sensitivity: float = SENSITIVITY,
    limit: int = HISTORY,
) -> Range | None:
    """Return where the figure for `at` is expected, None while there are too few points.

    The last `limit` points count; of one time the last, and none of `at` itself. The range
    is wider where there are few of them, since deviation is then hard to tell.
    """
    by_time = {point.at: point for point in history if point.at != at}
    times = sorted(by_time)[-limit:]
    if len(times) < FEWEST_POINTS:
        return None
    samples = [
        _Sample((time - at).total_seconds() / _SECONDS, time.weekday(), by_time[time].value)
        for time in times
    ]
    by_weekday = _has_weekdays(samples)
    slope = _slope(samples, same_weekday=by_weekday)
    beyond = _beyond(samples)
    flat = [
        sample._replace(value=sample.value - slope * (sample.days - beyond)) for sample in samples
    ]
    return _range_around(flat, at.weekday() if by_weekday else None, sensitivity)


def _beyond(samples: Sequence[_Sample]) -> float:
    """Return by how many days a trend would be carried farther than it was seen, negative before.

    What was seen over a month says nothing of the year that follows.
    """
    days = [sample.days for sample in samples]
    seen, nearest = max(days) - min(days), min(days, key=abs)
    return math.copysign(max(abs(nearest) - seen, 0.0), nearest)


def _has_weekdays(samples: Sequence[_Sample]) -> bool:
    counts = [sum(sample.weekday == day for sample in samples) for day in range(_DAYS)]
    return min(counts) >= _WEEKS


def _slope(samples: Sequence[_Sample], *, same_weekday: bool) -> float:
    """Return the change a day, 0 unless it is sure: Theil-Sen, after the test of Kendall."""
    slopes = [
        (later.value - earlier.value) / (later.days - earlier.days)
        for earlier, later in combinations(samples, 2)
        if later.weekday == earlier.weekday or not same_weekday
    ]
    size = len(samples) / _DAYS if same_weekday else len(samples)
    groups = _DAYS if same_weekday else 1
    variance = groups * size * (size - 1) * (2 * size + 5) / 18
    score = sum((slope > 0) - (slope < 0) for slope in slopes)
    return median(slopes) if abs(score) > _SURE * math.sqrt(variance) else 0.0


def _range_around(samples: Sequence[_Sample], weekday: int | None, sensitivity: float) -> Range:
    """Return the range for `weekday`, or for any day where weekdays are not told apart."""
    groups = {sample.weekday if weekday is not None else None for sample in samples}
    levels = {
        group: median(s.value for s in samples if group in (None, s.weekday)) for group in groups
    }
    level, size = levels[weekday], len(samples)
    sizes = [abs(s.value - levels[s.weekday if weekday is not None else None]) for s in samples]
    unsure = math.sqrt(1 + _OF_MEDIAN * len(groups) / size) * size / (size - len(groups))
    reach = sensitivity * unsure * (1 + FEWEST_POINTS / size**1.5) * _deviation(sizes, level)
    low, high = level - reach, level + reach
    if weekday is None and size < _LONG:
        seen = [sample.value for sample in samples]
        low, high = min(low, *seen), max(high, *seen)
    return Range(low, level, high)


def _deviation(sizes: Sequence[float], level: float) -> float:
    """Return the deviation of residuals, robustly; never so small that any change is far."""
    spread = _OF_NORMAL * median(sizes) or _OF_NORMAL_MEAN * fmean(sizes)
    return max(spread, _SMALLEST_SHARE * abs(level))
