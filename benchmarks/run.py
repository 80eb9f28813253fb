"""Measure assetflow beside the floor: the same queries by hand, in one DuckDB connection.

Everything is a whole process. Figures are medians; ours and the floor take turns, so that
noise meets both. Results go to `.bench/results.json` and `.bench/results.md`.
"""

import argparse
import compileall
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import check_scenarios
import freshness_scenarios
import partition_scenarios
import simulation_scenarios
import tpch
from figures import (
    CACHE,
    HEADINGS,
    HERE,
    STORE,
    Bench,
    Figure,
    median_seconds,
    ratio,
    remove,
    run_floor,
    steps_run,
)
from generate import (
    Asset,
    downstream_of,
    make_assets,
    middle_asset,
    write_asset,
    write_project,
    write_script,
)
from measure import Summary, measure, summarize

SIZES = (1_000, 10_000)
NUMBERS = {"numbers": "read_csv('data/numbers.csv')"}

MOST_OF_FLOOR = 2.0
MOST_GROWTH = 1.3
MOST_MEMORY_MB = 600
MOST_METADATA_BYTES = 1024
MOST_IDLE_SECONDS = {1_000: 1.0, 10_000: 3.0}
MOST_OF_AFFECTED = 3.0
MOST_WARM_SECONDS = 1.0
MOST_COLD_SECONDS = 6.0
MOST_HELP_SECONDS = 0.25
MOST_OF_TPCH = 1.15


def first_materialization(bench: Bench) -> Iterator[Figure]:
    """Materialize everything from nothing: wall, cost per asset, peak memory, metadata."""
    walls: dict[int, float] = {}
    for count in bench.sizes:
        project = _project(count)
        ours, floor = _race(bench, project, count)
        what = f"first materialization, N = {count:,}"
        goal = MOST_OF_FLOOR if count == SIZES[0] else None
        yield Figure(what, ratio(ours, floor), "x floor", goal, ours, floor)
        if ours is None:
            continue
        walls[count] = ours.wall
        yield Figure(f"{what}: per asset", 1000 * ours.wall / count, "ms")
        yield Figure(f"{what}: peak memory", ours.peak_mb, "MB", MOST_MEMORY_MB)
        size = _metadata_bytes(project) / count
        yield Figure(f"{what}: metadata", size, "bytes each", MOST_METADATA_BYTES)
    if len(walls) > 1:
        small, large = min(walls), max(walls)
        growth = (walls[large] / large) / (walls[small] / small)
        what = f"cost per asset, N = {large:,} against {small:,}"
        yield Figure(what, growth, "x", MOST_GROWTH)


def nothing_to_do(bench: Bench) -> Iterator[Figure]:
    """Run `materialize` when all is up to date."""
    for count in bench.sizes:
        project = _materialized(bench, count)
        samples = bench.samples(project, "materialize", "--json")
        if samples:
            ours = summarize(samples)
            what, goal = f"nothing to do, N = {count:,}", MOST_IDLE_SECONDS.get(count)
            yield Figure(what, ours.wall, "s", goal, ours)


def one_change(bench: Bench) -> Iterator[Figure]:
    """Change the expression of one asset in the middle of the smallest project."""
    count = min(bench.sizes)
    project = _materialized(bench, count)
    run_floor(project, "floor.sql", "out")
    assets = make_assets(count)
    middle = middle_asset(assets)
    edits, idle, floors, affected, ran = [], [], [], [], []
    for by in range(1, bench.repeats + 1):
        edited = middle.edited(by)
        write_asset(project, edited)
        affected.append(_write_affected(project, assets, edited))
        floors.append(run_floor(project, "affected.sql", "again"))
        if not bench.floor_only:
            edits.append(bench.assetflow(project, "materialize", "--json"))
            idle.append(bench.assetflow(project, "materialize", "--json"))
            ran.append(steps_run(edits[-1]))
    write_asset(project, middle)
    floor = summarize(floors)
    ours, resting = (summarize(edits), summarize(idle)) if edits else (None, None)
    by_hand = median_seconds(floors)
    value = (ours.wall - resting.wall) / by_hand if ours and resting else None
    reach = len(downstream_of(middle.name, assets))
    note = (
        f"{by_hand:.3f} s by hand for the {_list(affected)} that change, of {reach} downstream; "
        f"ran {_list(ran)}; nothing to do: {resting}"
    )
    what = f"one change, N = {count:,}, beyond nothing to do"
    yield Figure(what, value, "x affected", MOST_OF_AFFECTED, ours, floor, note)


def lineage(bench: Bench) -> Iterator[Figure]:
    """Ask for the lineage of one column, with and without the cache."""
    count = min(bench.sizes)
    project = _materialized(bench, count)
    arguments = ("lineage", f"{middle_asset(make_assets(count)).name}.amount")
    warm = bench.samples(project, *arguments)
    cold = bench.samples(project, *arguments, before=lambda: remove(project / STORE / "cache"))
    for how, samples, goal in (
        ("warm", warm, MOST_WARM_SECONDS),
        ("cold", cold, MOST_COLD_SECONDS),
    ):
        if samples:
            ours = summarize(samples)
            yield Figure(f"lineage of a column, N = {count:,}, {how}", ours.wall, "s", goal, ours)


def help_text(bench: Bench) -> Iterator[Figure]:
    """Ask for `--help`, in processor time."""
    samples = bench.samples(CACHE, "--help")
    if samples:
        ours = summarize(samples)
        yield Figure("--help, cpu", ours.cpu, "s", MOST_HELP_SECONDS, ours)


def tpch_queries(bench: Bench) -> Iterator[Figure]:
    """Materialize the 22 queries of TPC-H at scale factor 1 from nothing."""
    project = CACHE / "tpch"
    count = tpch.write_project(project)
    run_floor(project, "floor.sql", "out")  # whoever comes first would read the files from disk
    ours, floor = _race(bench, project, count)
    what = "TPC-H at scale factor 1, first materialization"
    yield Figure(what, ratio(ours, floor), "x floor", MOST_OF_TPCH, ours, floor)


SCENARIOS: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "help": help_text,
    "first": first_materialization,
    "nothing": nothing_to_do,
    "change": one_change,
    "lineage": lineage,
    "tpch": tpch_queries,
    **partition_scenarios.SCENARIOS,
    **freshness_scenarios.SCENARIOS,
    **simulation_scenarios.SCENARIOS,
    **check_scenarios.SCENARIOS,
}


def _race(bench: Bench, project: Path, count: int) -> tuple[Summary | None, Summary]:
    """Materialize `project` from nothing and by hand, in turns; leave it materialized."""
    ours, floor = [], []
    for _ in range(bench.repeats):
        if not bench.floor_only:
            remove(project / STORE)
            ours.append(bench.assetflow(project, "materialize", "--json"))
            if steps_run(ours[-1]) != count:
                raise SystemExit(f"{steps_run(ours[-1])} of {count} assets were materialized.")
        floor.append(run_floor(project, "floor.sql", "out"))
    return summarize(ours) if ours else None, summarize(floor)


def _project(count: int) -> Path:
    """Write the project of `count` assets with its floor, and return its folder."""
    project = CACHE / f"layers_{count}"
    assets = make_assets(count)
    write_project(project, assets)
    write_script(project / "floor.sql", assets, NUMBERS, "out")
    return project


def _materialized(bench: Bench, count: int) -> Path:
    """Return the folder of the project of `count` assets, with nothing to do."""
    project = _project(count)
    if not bench.floor_only:
        bench.assetflow(project, "materialize", "--json")
    return project


def _write_affected(project: Path, assets: tuple[Asset, ...], edited: Asset) -> int:
    """Write `affected.sql`: the queries whose rows change by the edit; return their number.

    All that is downstream is made by hand and compared with `out`, which then holds it.
    """
    made = [
        edited if asset.name == edited.name else asset
        for asset in downstream_of(edited.name, assets)
    ]
    published = NUMBERS | {
        asset.name: f"read_parquet('out/{asset.name}.parquet')" for asset in assets
    }
    write_script(project / "downstream.sql", made, published, "next")
    run_floor(project, "downstream.sql", "next")
    compare = [sys.executable, str(HERE / "floor.py"), "--compare", "out", "next"]
    changed = json.loads(measure(compare, project).output)
    for path in (project / "next").iterdir():
        path.replace(project / "out" / path.name)
    affected = [asset for asset in made if asset.name in changed]
    write_script(project / "affected.sql", affected, published, "again")
    return len(affected)


def _metadata_bytes(project: Path) -> int:
    return sum(path.stat().st_size for path in (project / STORE).glob("metadata.duckdb*"))


def _list(counts: Iterable[int]) -> str:
    return ", ".join(map(str, counts)) or "none"


def _table(figures: Iterable[Figure]) -> str:
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *(figure.cells() for figure in figures)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _machine() -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "duckdb": version("duckdb"),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
    }


def _write_results(machine: dict[str, object], figures: list[Figure]) -> None:
    results = {"machine": machine, "figures": [asdict(figure) for figure in figures]}
    (CACHE / "results.json").write_text(json.dumps(results, indent=1))
    (CACHE / "results.md").write_text(_table(figures))


def _options() -> tuple[Bench, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one repetition, no large project")
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="repeatable")
    parser.add_argument("--assets", action="append", type=int, metavar="N", help="repeatable")
    parser.add_argument("--repeats", type=int, help="how often each figure is measured: 3")
    parser.add_argument("--floor-only", action="store_true", help="measure the floor alone")
    options = parser.parse_args()
    sizes = tuple(options.assets or (SIZES[:1] if options.quick else SIZES))
    repeats = options.repeats or (1 if options.quick else 3)
    return Bench(sizes, repeats, options.floor_only), options.only or list(SCENARIOS)


def _main() -> None:
    bench, names = _options()
    # As an installation does: else each process might compile what it imports.
    compileall.compile_dir(HERE.parent / "assetflow", quiet=1)
    CACHE.mkdir(exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    machine = _machine()
    figures: list[Figure] = []
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        for figure in SCENARIOS[name](bench):
            print("  " + "  ".join(filter(None, figure.cells())), file=sys.stderr, flush=True)
            figures.append(figure)
            _write_results(machine, figures)
    print(_table(figures))


if __name__ == "__main__":
    _main()
