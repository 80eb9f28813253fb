"""How often `anomaly` is wrong: on made-up series with known incidents, always the same.

Prints, as a table in Markdown, for each kind of series how many of the ordinary figures
were called anomalies, and how many of the incidents were found.
"""

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from assetflow.quality.anomaly import expected_range
from assetflow.quality.answers import Point

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS, SERIES = 120, 40
PERIODS = ((7, 14), (14, 28), (28, 120))
INCIDENTS = {"nothing": 0.0, "half": 0.5, "double": 2.0}
WORKING_DAYS = 5

Level = Callable[[int, random.Random], float]


def _is_working_day(number: int) -> bool:
    return (START + timedelta(days=number)).weekday() < WORKING_DAYS


KINDS: dict[str, Level] = {
    "level, 5 % noise": lambda _, noise: 1000 * noise.gauss(1, 0.05),
    "never changes": lambda _, __: 1000.0,
    "weekends at 40 %": lambda day, noise: (
        (1000 if _is_working_day(day) else 400) * noise.gauss(1, 0.05)
    ),
    "grows 1 % a day": lambda day, noise: 1000 * 1.01**day * noise.gauss(1, 0.03),
    "grows, with weekends": lambda day, noise: (
        1.003**day * (1000 if _is_working_day(day) else 400) * noise.gauss(1, 0.05)
    ),
    "heavy tails": lambda _, noise: 1000 * math.exp(noise.gauss(0, 0.3)),
    "few events": lambda _, noise: float(sum(noise.random() < 0.05 for _ in range(100))),  # noqa: PLR2004
}


def figures(level: Level) -> tuple[list[float], dict[str, float]]:
    """Return the share of false alarms in each period, and of each incident found after 28 days."""
    alarms = dict.fromkeys(PERIODS, 0)
    found = dict.fromkeys(INCIDENTS, 0)
    noise = random.Random(1)  # noqa: S311 - always the same series
    for _ in range(SERIES):
        points = [Point(START + timedelta(days=day), level(day, noise)) for day in range(DAYS)]
        for first, end in PERIODS:
            for day in range(first, end):
                alarms[first, end] += _is_anomaly(points, day, 1.0)
        for name, factor in INCIDENTS.items():
            found[name] += sum(_is_anomaly(points, day, factor) for day in range(28, DAYS))
    return (
        [alarms[first, end] / (end - first) / SERIES for first, end in PERIODS],
        {name: count / (DAYS - 28) / SERIES for name, count in found.items()},
    )


def _is_anomaly(points: list[Point], day: int, factor: float) -> bool:
    expected = expected_range(points[:day], points[day].at)
    assert expected is not None
    return not expected.low <= points[day].value * factor <= expected.high


def _main() -> None:
    heads = [f"days {first} to {end}" for first, end in PERIODS]
    print("| series |", " | ".join([*heads, *INCIDENTS]), "|")
    print("| --- |" + " --- |" * (len(heads) + len(INCIDENTS)))
    for name, level in KINDS.items():
        alarms, found = figures(level)
        cells = [f"{100 * one:.1f} %" for one in alarms]
        cells += [f"{100 * one:.0f} %" for one in found.values()]
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    _main()
