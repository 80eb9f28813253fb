"""Digests of small new partitions are found together, and are those of each by itself."""

from pathlib import Path

import duckdb
import pytest

from assetflow.execution.knowledge import Knowledge
from assetflow.metadata.recall import published
from assetflow.model.columns import EVERYTHING, ReadSet
from assetflow.warehouse.digests import digest_columns
from assetflow.warehouse.parts import Part, scan_parts
from tests.small_project import SETTINGS, SmallProject

DAYS = 'partitions = { daily = { start = "2026-01-01", end = "2026-01-06" } }'
KEYS = [f"2026-01-{day:02}" for day in range(1, 6)]


def shop(root: Path, **files: str) -> SmallProject:
    """raw (a CSV for each day) → clean (daily) → total (daily, of one column)."""
    raw = {
        f"data/raw/{key}.csv": f"k,amount\n1,{place}\n2,{place * 10}\n"
        for place, key in enumerate(KEYS)
    }
    return SmallProject(
        root,
        {
            **raw,
            "shop/sources.py": """
                from assetflow import daily, source

                days = daily("2026-01-01", end="2026-01-06")
                source("raw", path="data/raw/{day}.csv", partitions=days)
                """,
            "shop/clean.sql": f"/* assetflow\n{DAYS}\n*/\nselect k, amount from raw\n",
            "shop/total.sql": f"/* assetflow\n{DAYS}\n*/\nselect sum(amount)::bigint as t "
            "from clean\n",
            **files,
        },
    )


def stored(project: SmallProject) -> dict[str, dict[ReadSet, str]]:
    """Return the recorded digests of each published partition of `clean`."""
    found = published(project.root / ".assetflow", "main")
    return {
        target.partition: dict(one.version.digests)
        for target, one in found.items()
        if target.asset == "clean"
    }


def by_itself(project: SmallProject) -> dict[str, dict[ReadSet, str]]:
    """Return what the digests of each partition of `clean` are, by its rows alone."""
    state = project.root / ".assetflow"
    digests = {}
    with duckdb.connect() as connection:
        for target, one in published(state, "main").items():
            version = one.version
            part = Part(version.path, version.size_bytes, version.partition, version.packed)
            if target.asset == "clean":
                scan = scan_parts(state / "data", [part])
                wanted = [EVERYTHING, ReadSet.of(["amount"])]
                digests[target.partition] = digest_columns(connection, scan, version.schema, wanted)
    return digests


@pytest.mark.parametrize("publish", ["run", "each"])
@pytest.mark.parametrize("select", [(), ("clean",)], ids=["read", "not read yet"])
def test_each_partition_has_the_digests_of_its_own_rows(tmp_path, select, publish):
    project = shop(tmp_path)
    project.write({"assetflow.toml": f'{SETTINGS}publish = "{publish}"\n'})

    project.materialize(*select)

    assert sorted(stored(project)) == KEYS
    assert stored(project) == by_itself(project)
    assert len({one[EVERYTHING] for one in stored(project).values()}) == len(KEYS)


def test_large_partitions_among_small_ones_have_theirs(tmp_path):
    project = shop(tmp_path)
    rows = "".join(f"{number},{number % 7}\n" for number in range(1_500))
    project.write({f"data/raw/{KEYS[2]}.csv": f"k,amount\n{rows}"})

    project.materialize()

    assert stored(project) == by_itself(project)


def test_a_run_that_ends_before_they_are_found_leaves_what_they_can_be_found_from(
    tmp_path, monkeypatch
):
    project = shop(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Knowledge, "digest_rest", lambda _: None)
        project.materialize("clean")
    assert stored(project) == {key: {} for key in KEYS}

    again = project.materialize("clean", force=True)
    below = project.materialize()

    assert {step.outcome for step in again.steps} == {"unchanged"}
    assert {step.target.asset for step in below.steps} == {"total"}
    assert project.materialize().steps == ()


def test_an_early_partition_that_comes_out_the_same_stops_the_wave(tmp_path):
    project = shop(tmp_path)
    project.materialize()
    project.write({f"data/raw/{KEYS[1]}.csv": "k,amount\n2,10\n1,1\n"})

    result = project.materialize()

    assert [step.outcome for step in result.steps] == ["verified"]
