"""Partitions: a million that are up to date, a backfill, one changed day, and reading many."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from figures import CACHE, HERE, STORE, Bench, Figure, ratio, remove, run_floor, steps_run
from measure import Summary, measure, summarize
from partitioned import (
    Days,
    change_day,
    change_raw,
    restore_raw,
    write_events,
    write_events_floor,
    write_whole,
    write_wide,
)

WIDE = Days(1_000)
BACKFILL = Days(365, 1_000)
LARGE = Days(700, 7_143)
LONG = Days(3_650, 1_000)
BATCH, YEAR = 73, 365

MOST_PLAN_SECONDS = 3.0
MOST_PLAN_MEMORY_MB = 1_000
MOST_CHANGE_SECONDS = 0.5
MOST_STATUS_SECONDS = 3.0
MOST_OF_BACKFILL = 2.5
LEAST_GAIN = 15.0
MOST_OF_COUNT = 2.0
MOST_OF_DAY = 1.2


def many_partitions(bench: Bench) -> Iterator[Figure]:
    """Plan, and ask for the status, of many assets with a thousand partitions each."""
    count = min(bench.sizes)
    if bench.floor_only:
        return
    project = grown(bench, count)
    what = f"{count:,} x {WIDE.count:,} partitions"
    idle = summarize(bench.samples(project, "plan", "--json"))
    yield Figure(f"{what}: plan, up to date", idle.wall, "s", MOST_PLAN_SECONDS, idle)
    yield Figure(f"{what}: plan, peak memory", idle.peak_mb, "MB", MOST_PLAN_MEMORY_MB)
    yield _plan_of_change(bench, project, idle, what)
    seen = summarize(bench.samples(project, "status", "--json"))
    yield Figure(f"{what}: status", seen.wall, "s", MOST_STATUS_SECONDS, seen)


def _plan_of_change(bench: Bench, project: Path, idle: Summary, what: str) -> Figure:
    key = WIDE.keys[WIDE.count // 2]
    change_raw(project, key)
    try:
        samples = bench.samples(project, "plan", "--json")
    finally:
        restore_raw(project, key)
    ours = summarize(samples)
    steps = len(json.loads(samples[-1].output)["steps"])
    name, note = f"{what}: plan, one day of a source changed, beyond", f"{steps} steps"
    return Figure(name, ours.wall - idle.wall, "s", MOST_CHANGE_SECONDS, ours, note=note)


def grown(bench: Bench, count: int) -> Path:
    """Return the folder of the wide project, in whose store all is up to date.

    One partition of each asset is materialized, then the store is grown.
    """
    project = CACHE / f"partitions_{count}"
    if not _is_up_to_date(bench, project, count):
        remove(project)
        write_wide(project, count, WIDE)
        bench.assetflow(project, "materialize", "--partition", WIDE.keys[0], "--json")
        measure([sys.executable, str(HERE / "partitioned_store.py")], project)
        if not _is_up_to_date(bench, project, count):
            raise SystemExit("The grown store is not up to date.")
    return project


def _is_up_to_date(bench: Bench, project: Path, count: int) -> bool:
    if not (project / STORE / "metadata.duckdb").exists():
        return False
    restore_raw(project, WIDE.keys[WIDE.count // 2])
    made = json.loads(bench.assetflow(project, "plan", "--json").output)
    return made["up_to_date"] == count * WIDE.count and not made["steps"]


def backfill(bench: Bench) -> Iterator[Figure]:
    """Make a year of days from nothing, day by day and in batches."""
    for batch_size in (1, BATCH):
        project = CACHE / f"backfill_{batch_size}"
        write_events(project, BACKFILL, batch_size)
        write_events_floor(project, BACKFILL)
        run_floor(project, "floor.sql", "out")
        ours, floor = _race(bench, project)
        batch = "" if batch_size == 1 else f", batches of {batch_size}"
        what = f"backfill of {BACKFILL.count} days, {BACKFILL.rows:,} rows each{batch}"
        yield Figure(what, ratio(ours, floor), "x floor", MOST_OF_BACKFILL, ours, floor)


def _race(bench: Bench, project: Path) -> tuple[Summary | None, Summary]:
    ours, floor = [], []
    for _ in range(bench.repeats):
        if not bench.floor_only:
            remove(project / STORE)
            ours.append(bench.assetflow(project, "materialize", "--json"))
            if steps_run(ours[-1]) != BACKFILL.count:
                raise SystemExit(f"{steps_run(ours[-1])} partitions were materialized.")
        floor.append(run_floor(project, "floor.sql", "out"))
    return summarize(ours) if ours else None, summarize(floor)


def one_day(bench: Bench) -> Iterator[Figure]:
    """Change one day of a large asset, beside making all of its days, or it without days."""
    if bench.floor_only:
        return
    project, undivided = CACHE / "one_day", CACHE / "one_day_whole"
    write_events(project, LARGE)
    write_whole(undivided, LARGE)
    wholes, flat, days, idle = [], [], [], []
    for by in range(1, bench.repeats + 1):
        for folder, samples in ((undivided, flat), (project, wholes)):
            remove(folder / STORE)
            samples.append(bench.assetflow(folder, "materialize", "--json"))
        change_day(project, LARGE, LARGE.keys[LARGE.count // 2], by)
        days.append(bench.assetflow(project, "materialize", "--json"))
        if steps_run(days[-1]) != 1:
            raise SystemExit(f"{steps_run(days[-1])} partitions ran for one changed day.")
        idle.append(bench.assetflow(project, "materialize", "--json"))
    whole, ours, without = summarize(wholes), summarize(days), summarize(flat)
    resting = summarize(idle)
    rows = LARGE.count * LARGE.rows
    what = f"one changed day of {LARGE.count}, {rows:,} rows, against all of them"
    note = f"without partitions, from nothing: {without}; nothing to do: {resting}"
    gain = whole.wall / ours.wall
    yield Figure(what, gain, "x faster", LEAST_GAIN, ours, whole, note, is_least=True)
    beyond = max(ours.wall - resting.wall, 0.001)
    gain = (whole.wall - resting.wall) / beyond
    yield Figure(f"{what}, beyond nothing to do", gain, "x faster", is_least=True)


def reading(bench: Bench) -> Iterator[Figure]:
    """Read an asset of many partitions through `sql`, beside the same rows in one file."""
    project = CACHE / "reading"
    if bench.floor_only:
        return
    if not (project / STORE / "metadata.duckdb").exists():
        write_events(project, LONG, YEAR)
    bench.assetflow(project, "materialize", "--max-partitions", str(LONG.count), "--json")
    run = [sys.executable, str(HERE / "reading.py")]
    measure([*run, "--prepare", "charged"], project)
    day = LONG.keys[LONG.count // 2]
    for name, where, goal in (
        ("count", "", MOST_OF_COUNT),
        ("one day", f" where day = '{day}'", MOST_OF_DAY),
    ):
        found = "count(*)" if not where else "count(*), sum(amount)"
        query = f"select {found} from charged{where}"
        within = json.loads(measure([*run, query], project).output)
        ours = summarize(bench.samples(project, "sql", query, "--json"))
        what = f"reading {LONG.count:,} partitions, {name}"
        value = within["ours"] / within["floor"]
        note = f"{1000 * within['ours']:.1f} ms against {1000 * within['floor']:.1f} ms"
        yield Figure(f"{what}, connected", value, "x floor", goal, note=note)
        yield Figure(f"{what}, `sql` as a process", ours.wall, "s", None, ours)


SCENARIOS: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "partitions": many_partitions,
    "backfill": backfill,
    "day": one_day,
    "reading": reading,
}
