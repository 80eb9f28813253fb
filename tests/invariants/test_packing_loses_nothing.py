"""Invariants 4 and 5 for packing: files are moved together, and no version is lost by it.

Processes are killed while they pack and before what they packed is folded; two of them pack
the same versions at once.

    ASSETFLOW_EXAMPLES=100 pytest tests/invariants/test_packing_loses_nothing.py
"""

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from assetflow import api
from assetflow.metadata.outline import served
from tests.invariants.mortals import nursery
from tests.small_project import SmallProject

KILLS = int(os.environ.get("ASSETFLOW_EXAMPLES", "5"))
CHANCE = random.Random(None if "ASSETFLOW_EXAMPLES" in os.environ else 7)
DAYS = [str(date(2026, 1, 1) + timedelta(days=day)) for day in range(40)]
PARTITIONED = """/* assetflow
partitions = { daily = { start = "2026-01-01", end = "2026-02-10" } }
*/
select day, amount from raw where day = $partition_start::date
"""
EVERYTHING = "call packed_partitions.Packer.pack 1"


class Calendar(SmallProject):
    """raw (CSV) → clean (forty days, two rows each) → total."""

    def __init__(self, root: Path) -> None:
        files = {
            "shop/sources.py": 'from assetflow import source\nsource("raw", path="data/raw.csv")\n',
            "shop/clean.sql": PARTITIONED,
            "shop/total.sql": "select count(*) as n, sum(amount)::bigint as amount from clean",
        }
        super().__init__(root, files, 'package = "shop"\nthreads = 1\n')
        self.amounts = dict.fromkeys(DAYS, 1)
        self.change(DAYS[0], 2)

    @property
    def state(self) -> Path:
        return self.root / ".assetflow"

    def change(self, day: str, amount: int) -> None:
        self.amounts[day] = amount
        rows = [f"{day},{amount}" for day, amount in self.amounts.items() for _ in range(2)]
        self.write({"data/raw.csv": "\n".join(["day,amount", *rows]) + "\n"})

    def wanted(self) -> list[tuple[str, int]]:
        return sorted((day, amount) for day, amount in self.amounts.items() for _ in range(2))

    def read(self) -> list[tuple[str, int]]:
        return sorted((str(row["day"]), row["amount"]) for row in self.rows("clean"))

    def files(self, *names: str) -> set[str]:
        return {part.path for parts in served(self.state, "main", names).values() for part in parts}

    def on_disk(self) -> set[str]:
        found = [path for path in (self.state / "data").rglob("*") if path.is_file()]
        return {str(path.relative_to(self.state / "data")) for path in found}


def assert_sound(project: Calendar, monkeypatch) -> None:
    """Hold what is served against the source, then let time pass and collect garbage."""
    with duckdb.connect(str(project.state / "catalog.duckdb"), read_only=True) as catalog:
        rows = catalog.execute("select day::varchar, amount from clean order by all").fetchall()
    assert rows == project.read() == project.wanted()
    assert project.materialize().steps == ()
    assert list((project.state / "journal").glob("*.jsonl")) == []
    assert api.audit(project.load()).ok
    assert "running" not in {run.status for run in api.runs(project.load(), 1000)}

    later = api.now() + timedelta(days=8)
    with monkeypatch.context() as patched:
        patched.setattr(api, "now", lambda: later)
        api.gc(project.load())

    assert project.on_disk() == project.files("clean", "total")
    assert project.read() == project.wanted()
    assert project.materialize().steps == ()


@pytest.fixture(scope="module")
def nursed():
    with nursery() as nursed:
        yield nursed


@pytest.fixture(scope="module")
def calls_that_pack(tmp_path_factory, nursed) -> int:
    """Count the calls of a run from the moment at which it packs."""
    project = Calendar(tmp_path_factory.mktemp("measured"))
    end = nursed.live(project.root, place=f"{EVERYTHING} 1000000")
    assert end.status == "succeeded"
    assert len(project.files("clean")) == 1
    return end.since


PLACES = {
    "before it packs": "call packing.pack 1",
    "when the file is written": "return packing.pack 1",
    "before it is told": "call versions.sync_versions 2",
    "when it is told": "return packed_partitions.Packer.pack 1",
    "while it is folded": "return moves.move_packed 1",
    "before the catalog is renewed": "call publishing.refresh_catalog 1",
}


@pytest.mark.parametrize("when", PLACES)
def test_killed_where_it_tells_a_packing_run_loses_nothing(tmp_path, nursed, monkeypatch, when):
    project = Calendar(tmp_path)

    assert nursed.live(project.root, place=PLACES[when]).signal == signal.SIGKILL

    assert project.read() == project.wanted()
    assert project.materialize().steps == ()
    assert_sound(project, monkeypatch)
    project.change(DAYS[7], 9)
    again = {str(step.target) for step in project.materialize().steps}
    assert {f"clean[{DAYS[7]}]", "total"} <= again
    assert len(project.files("clean")) <= 2
    assert_sound(project, monkeypatch)


def test_killed_anywhere_while_it_packs_the_next_run_goes_on(
    tmp_path, nursed, monkeypatch, calls_that_pack
):
    project = Calendar(tmp_path)
    for number in range(KILLS):
        for day in DAYS[number % 2 :: 2]:
            project.change(day, number + 2)
        moment = int((number + CHANCE.random()) * calls_that_pack / KILLS)

        end = nursed.live(project.root, place=f"{EVERYTHING} {moment}")

        assert end.signal in (0, signal.SIGKILL)
        assert project.read() == project.wanted()
    assert project.materialize().steps == ()
    assert_sound(project, monkeypatch)


# Two at once.


COMMAND = """
import os, sys
from assetflow.execution import packed_partitions
from assetflow.cli.main import main

sync = packed_partitions.sync_versions

def told(*given):
    os.write(int(tells), b"packed\\n")
    sys.stdin.readline()
    return sync(*given)

packed_partitions.sync_versions = told
tells, *arguments = sys.argv[1:]
sys.argv = ["assetflow", *arguments]
main()
"""


class Packing:
    """A command that has packed its files, and tells of them when it is let go."""

    def __init__(self, root: Path, partitions: str) -> None:
        asked = ("materialize", "clean", "--partition", partitions, "--json")
        self.hears, tells = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(tells), *asked, "--project", str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[tells],
            text=True,
        )
        os.close(tells)

    def has_packed(self) -> bool:
        with os.fdopen(self.hears) as heard:
            return heard.readline() == "packed\n"

    def go(self) -> dict[str, object]:
        self.process.stdin.write("go\n")
        self.process.stdin.close()
        said = self.process.stdout.read()
        assert self.process.wait(timeout=60) == 0, said
        return json.loads(said)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["first first", "second first"])
def test_two_processes_that_pack_the_same_versions_lose_none(tmp_path, monkeypatch, order):
    project = Calendar(tmp_path)
    with ExitStack() as processes:
        packing = []
        for partitions in (f"{DAYS[0]}..{DAYS[19]}", f"{DAYS[20]}..{DAYS[39]}"):
            one = Packing(tmp_path, partitions)
            processes.enter_context(one.process)
            processes.callback(one.process.kill)
            assert one.has_packed()
            packing.append(one)
        assert project.read() == project.wanted()

        answers = [packing[place].go() for place in order]

    assert [answer["status"] for answer in answers] == ["succeeded", "succeeded"]
    assert project.read() == project.wanted()
    assert len(project.files("clean")) == 1
    project.materialize()
    assert_sound(project, monkeypatch)
