"""Checks: many of few rows, many of many rows with the digests, and unique keys."""

import json
import sys
from collections.abc import Callable, Iterator

from figures import CACHE, HERE, Bench, Figure
from generate import make_assets, write_project
from measure import measure, summarize

LEAST_OF_QUERIES = 5.0
MOST_OF_SCAN = 1.2
MOST_OF_MATERIALIZATION = 22.0
MOST_OF_DISTINCT = 1.1
MOST_OF_RECHECK = 1.5
TURNS_OF_SMALL = 100


def few_rows(bench: Bench) -> Iterator[Figure]:
    """Ask 24 checks of 1,000 rows, beside 24 queries."""
    found = _seconds(bench, "small", TURNS_OF_SMALL)
    if found:
        what = "24 checks of 1,000 rows, against 24 queries"
        note = f"cpu {1000 * found['ours']:.1f} ms against {1000 * found['floor']:.1f} ms"
        gain = found["floor"] / found["ours"]
        yield Figure(what, gain, "x faster", LEAST_OF_QUERIES, note=note, is_least=True)
        beyond = found["both"] - found["digest"]
        note = f"{1000 * found['both']:.1f} ms, the digest alone {1000 * found['digest']:.1f} ms"
        gain = found["floor"] / max(beyond, 0.0001)
        yield Figure(f"{what}, beyond the digest", gain, "x faster", note=note, is_least=True)


def many_rows(bench: Bench) -> Iterator[Figure]:
    """Ask 20 checks and digests of 5 million rows, beside one scan by hand and the writing."""
    found = _seconds(bench, "large", bench.repeats)
    if not found:
        return
    what = "20 checks and six digests of 5,000,000 rows"
    note = f"cpu {found['ours']:.2f} s against {found['floor']:.2f} s"
    yield Figure(what, found["ours"] / found["floor"], "x scan", MOST_OF_SCAN, note=note)
    share = 100 / found["materialization"]
    note = f"cpu {found['materialization']:.2f} s"
    name = f"{what}, of the materialization"
    yield Figure(name, found["ours"] * share, "%", MOST_OF_MATERIALIZATION, note=note)
    name = "six digests alone, of the materialization"
    yield Figure(name, found["digests"] * share, "%", note=f"cpu {found['digests']:.2f} s")


def unique_keys(bench: Bench) -> Iterator[Figure]:
    """Ask whether a key of 5 million rows is unique, beside `count(distinct …)`."""
    found = _seconds(bench, "unique", bench.repeats)
    if found:
        what = "unique, 5,000,000 rows"
        note = f"cpu {found['ours']:.2f} s against {found['floor']:.2f} s"
        yield Figure(what, found["ours"] / found["floor"], "x floor", MOST_OF_DISTINCT, note=note)


def recheck(bench: Bench) -> Iterator[Figure]:
    """Ask again the five checks of each of many assets, of which nothing changed."""
    if bench.floor_only:
        return
    count = min(bench.sizes)
    project = CACHE / f"checked_{count}"
    assets = make_assets(count)
    write_project(project, assets)
    for asset in assets:
        path = project / asset.path
        path.write_text(f"{_HEADER}{path.read_text()}")
    bench.assetflow(project, "materialize", "--json")
    for command in ("check", "materialize"):
        found = summarize(bench.samples(project, command, "--json"))
        what = f"{command} again, {count:,} assets x 5 checks"
        yield Figure(what, found.wall, "s", MOST_OF_RECHECK, found)


_HEADER = """/* assetflow
checks = [
  { unique = "id", severity = "warn" },
  { not_null = "id" },
  { row_count = { min = 0 } },
  { expression = "id = id" },
  { aggregate = { function = "null_fraction", column = "id", max = 1 } },
]
*/
"""


def _seconds(bench: Bench, name: str, turns: int) -> dict[str, float]:
    """Return the seconds of each way, none if only the floor is wanted: it has no process."""
    if bench.floor_only:
        return {}
    folder = CACHE / "checks"
    folder.mkdir(parents=True, exist_ok=True)
    script = [sys.executable, str(HERE / "check_measures.py"), name, "--turns", str(turns)]
    found: dict[str, float] = json.loads(measure(script, folder).output)
    return found


SCENARIOS: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "few_rows": few_rows,
    "many_rows": many_rows,
    "unique": unique_keys,
    "recheck": recheck,
}
