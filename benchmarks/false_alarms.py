"""How often `anomaly` and `drift` are wrong: on made-up data with known incidents, always the same.

Prints tables in Markdown. Of anomalies, for each kind of series, how many of the ordinary
figures were called that, and how many of the incidents were found. Of drift, for each kind
of values, how many pairs of samples from one distribution were called that, and how many of
those of which the second was spoiled; each as DuckDB counts it and a check judges it.
"""

import math
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from assetflow.model.check_options import Drift
from assetflow.model.columns import Column
from assetflow.quality.anomaly import expected_range
from assetflow.quality.answers import Known, Point
from assetflow.quality.judging import judged
from assetflow.quality.queries import BASELINE, queries

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


METHODS = ("psi", "js", "ks")
PAIRS, SIZES, SPOILED_ROWS = 100, (100, 1_000), 1_000
_SAMPLE = """
    select {value} as x
    from (select *, sqrt(-2 * ln(1 - u)) * cos(2 * pi() * v) as n
          from (select {uniform} from range({rows}) as r(i)))
"""
_UNIFORM = ", ".join(f"hash(hash(i, {{seed}}, '{name}')) / 2.0 ** 64 as {name}" for name in "uvw")

VALUES: Mapping[str, tuple[str, str]] = {
    "normal": ("DOUBLE", "n"),
    "heavy tails": ("DOUBLE", "exp(n)"),
    "five numbers": ("INTEGER", "floor(5 * v)::integer"),
    "five categories, uneven": ("VARCHAR", "'v' || floor(5 * v * v)::integer"),
    "900 categories": ("VARCHAR", "'v' || floor(900 * v)::integer"),
    "a third is missing": ("DOUBLE", "case when u < 2 / 3 then n end"),
}
"""For each kind of values, their type and what they are of `u` and `v`, even, and `n`, normal.

What is spoiled is chosen by `w`, which is even, too.
"""

SPOILED: Mapping[str, Callable[[str], str]] = {
    "a fifth missing": lambda value: f"case when w < 0.8 then {value} end",
    "a fifth one value": lambda value: (
        f"case when w < 0.8 then {value} else any_value({value}) over () end"
    ),
    "moved half a deviation": lambda value: f"{value} + 0.5",
}


def drifts(type_: str, before: str, now: str, rows: int) -> list[float]:
    """Return the share of pairs of samples, of so many rows each, that each method calls drift."""
    import duckdb

    schema, known = (Column("x", type_),), Known(START)
    checks = [Drift(column="x", method=method).frozen() for method in METHODS]
    found = dict.fromkeys(METHODS, 0)
    with duckdb.connect() as opened:
        for pair in range(PAIRS):
            for side, (name, value) in enumerate((("before", before), ("now", now))):
                uniform = _UNIFORM.format(seed=2 * pair + side)
                sample = _SAMPLE.format(value=value, uniform=uniform, rows=rows)
                opened.execute(f"create or replace table {name} as {sample}")
            for method, check in zip(METHODS, checks, strict=True):
                (text,) = queries(check, schema, "now", {BASELINE: "before"})
                ((bins,),) = opened.execute(text).fetchall()
                found[method] += judged(check, schema, (bins,), rows, known).status == "failed"
    return [found[method] / PAIRS for method in METHODS]


def _print_anomalies() -> None:
    heads = [f"days {first} to {end}" for first, end in PERIODS]
    print("| series |", " | ".join([*heads, *INCIDENTS]), "|")
    print("| --- |" + " --- |" * (len(heads) + len(INCIDENTS)))
    for name, level in KINDS.items():
        alarms, found = figures(level)
        cells = [f"{100 * one:.1f} %" for one in alarms]
        cells += [f"{100 * one:.0f} %" for one in found.values()]
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


def _print_drifts() -> None:
    heads = [*(f"same, {rows:,} rows" for rows in SIZES), *SPOILED]
    print("| values |", " | ".join(heads), "|")
    print("| --- |" + " --- |" * len(heads))
    for name, (type_, value) in VALUES.items():
        cells = [_shares(drifts(type_, value, value, rows)) for rows in SIZES]
        for said, spoil in SPOILED.items():
            is_told = type_ != "VARCHAR" or not said.startswith("moved")
            found = drifts(type_, value, spoil(value), SPOILED_ROWS) if is_told else []
            cells.append(_shares(found))
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


def _shares(found: list[float]) -> str:
    return f"{' / '.join(f'{100 * one:.3g}' for one in found)} %" if found else "-"


def _main() -> None:
    _print_anomalies()
    print()
    _print_drifts()


if __name__ == "__main__":
    _main()
