"""Invariant 3: readers see the state before a publication or after it, never between.

Another process materializes again and again, each time from a source of another number.
Whoever reads meanwhile, through Python or through the catalog, finds one number alone.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from assetflow import api
from tests.project.written import write, write_file

RUNS = 12
ROWS = 40
TABLES = ("first", "second", "third", "fourth")

MARTS = """
    import pyarrow as pa

    from assetflow import asset

    @asset
    def second(first: pa.Table) -> pa.Table:
        return first

    @asset
    def fourth(third: pa.Table, numbers: pa.Table) -> pa.Table:
        return pa.concat_tables([third, numbers.select(["state"])])
"""

WRITER = f"""
import os, sys
from pathlib import Path
from assetflow import api

root = Path(sys.argv[1])
for state in range(1, {RUNS} + 1):
    written = root / "data" / "numbers.new"
    written.write_text("state\\n" + f"{{state}}\\n" * {ROWS})
    os.replace(written, root / "data" / "numbers.csv")
    result = api.materialize(api.load(root))
    assert result.status == "succeeded", result
    assert len(result.counts) == 1, result.counts
"""


@dataclass(frozen=True)
class Looks:
    """What was seen at each look, while the writer was at work and when it was done."""

    connected: list[tuple[set[int], set[int]]] = field(default_factory=list)
    in_catalog: list[set[int]] = field(default_factory=list)
    kept_open: list[set[int]] = field(default_factory=list)


@pytest.fixture(scope="module")
def looks(tmp_path_factory) -> Looks:
    root = tmp_path_factory.mktemp("numbers")
    make(root)
    looks = Looks()
    with api.connect(api.load(root)) as kept_open, writing(root) as writer:
        while writer.poll() is None:
            looks.connected.append(looked_twice(root))
            looks.in_catalog.append(looked_into_catalog(root))
            looks.kept_open.append(states(kept_open))
    assert writer.returncode == 0
    looks.connected.append(looked_twice(root))
    looks.in_catalog.append(looked_into_catalog(root))
    return looks


def make(root: Path) -> None:
    write(
        root,
        assetflow_toml='package = "shop"\nthreads = 2\n',
        shop__sources_py="from assetflow import source\nsource('numbers', path='data/*.csv')",
        shop__first_sql="select state from numbers",
        shop__marts_py=MARTS,
        shop__third_sql="select state from second where state >= 0",
        data__numbers_csv="state\n" + "0\n" * ROWS,
    )
    write_file(root, "shop/__init__.py", "")
    assert api.materialize(api.load(root)).status == "succeeded"


@contextmanager
def writing(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(root)]) as process:
        try:
            yield process
        finally:
            process.kill()


def states(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """Return the numbers in all tables, each asked by itself."""
    found: set[int] = set()
    for table in TABLES:
        rows = connection.execute(f"select state, count(*) from {table} group by all").fetchall()
        assert {count % ROWS for _, count in rows} == {0}
        found |= {state for state, _ in rows}
    return found


def looked_twice(root: Path) -> tuple[set[int], set[int]]:
    with api.connect(api.load(root)) as connection:
        return states(connection), states(connection)


def looked_into_catalog(root: Path) -> set[int]:
    catalog = root / ".assetflow" / "catalog.duckdb"
    with duckdb.connect(str(catalog), read_only=True) as connection:
        return states(connection)


def test_a_connection_shows_one_state_of_all_tables_as_long_as_it_is_open(looks):
    seen = [before for before, _ in looks.connected]

    assert all(len(found) == 1 for found in seen)
    assert all(before == after for before, after in looks.connected)
    assert {min(found) for found in looks.kept_open} == {0}


def test_the_catalog_shows_one_state_of_all_tables(looks):
    assert all(len(found) == 1 for found in looks.in_catalog)


@pytest.mark.parametrize("way", ["connected", "in_catalog"])
def test_later_looks_show_later_states_up_to_the_last(looks, way):
    seen = [
        min(found)
        for found in (
            [one for one, _ in looks.connected] if way == "connected" else looks.in_catalog
        )
    ]

    assert seen == sorted(seen)
    assert seen[-1] == RUNS
    assert len(set(seen)) > 2
