"""How long it takes to say how old everything is: a whole process, and everything has a policy."""

from collections.abc import Callable, Iterator
from pathlib import Path

from figures import CACHE, Bench, Figure
from generate import make_assets, write_project
from measure import summarize
from partition_scenarios import WIDE, grown

MOST_SECONDS = 1.5
MOST_WIDE_SECONDS = 2.0
HEADER = "/* assetflow\n"


def ages(bench: Bench) -> Iterator[Figure]:
    """Ask how old the data of many assets is, each with a policy in its own header."""
    count = max(bench.sizes)
    project = CACHE / f"layers_{count}"
    write_project(project, make_assets(count))
    if bench.floor_only:
        return
    bench.assetflow(project, "materialize", "--json")
    _write_policies(project)
    yield from _figures(bench, project, f"freshness, N = {count:,}", MOST_SECONDS)


def ages_of_partitions(bench: Bench) -> Iterator[Figure]:
    """Ask how old the data of many assets with a thousand partitions each is."""
    if bench.floor_only:
        return
    count = min(bench.sizes)
    project = grown(bench, count)
    _write_policies(project)
    what = f"freshness, {count:,} x {WIDE.count:,} partitions"
    yield from _figures(bench, project, what, MOST_WIDE_SECONDS)


def _figures(bench: Bench, project: Path, what: str, goal: float) -> Iterator[Figure]:
    for arguments in ([], ["--json"]):
        found = summarize(bench.samples(project, "freshness", *arguments))
        yield Figure(" ".join([what, *arguments]), found.wall, "s", goal, found)


def _write_policies(project: Path) -> None:
    """Give each SQL asset a policy, owners and a description of its own."""
    for place, path in enumerate(sorted(project.rglob("*.sql"))):
        text = path.read_text()
        if path.parent == project or "freshness =" in text:
            continue
        policy = f'freshness = {{ max_lag = "{1 + place % 47}h", warn_lag = "30m" }}\n'
        said = f'owners = ["team:t{place % 50}"]\ndescription = "Number {place}"\n'
        header, _, query = text.rpartition("*/\n")
        keys = header.removeprefix(HEADER)
        said = "" if "description" in keys else said
        path.write_text(f"{HEADER}{keys}{said}{policy}*/\n{query}")


SCENARIOS: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "freshness": ages,
    "freshness_partitions": ages_of_partitions,
}
