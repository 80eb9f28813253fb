"""Invariant 5: several processes materialize one project, and others read it meanwhile.

None of them fails, no record of any is lost, and no step is done by two of them.

    ASSETFLOW_EXAMPLES=50 pytest tests/invariants/test_two_writers.py       many rounds
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from assetflow import api
from assetflow.planning.listener import Silent
from assetflow.planning.results import StepResult
from tests.invariants.mills import Mill

ROUNDS = int(os.environ.get("ASSETFLOW_EXAMPLES", "3"))
FUNCTIONS = ("sifted", "counted", "packed")
COMMAND = """
import sys
import duckdb, pyarrow.parquet, sqlglot
import assetflow.execution.materializing
from assetflow.cli.main import main

print("ready", flush=True)
sys.stdin.readline()
sys.argv = ["assetflow", *sys.argv[1:]]
main()
"""


class Writer:
    """An `assetflow` command that has started, and does its work when it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout.readline() == "ready\n"

    def go(self) -> None:
        self.process.stdin.write("go\n")
        self.process.stdin.close()

    def is_at_work(self) -> bool:
        return self.process.poll() is None

    def answer(self) -> dict[str, object]:
        said = self.process.stdout.read()
        assert self.process.wait(timeout=60) == 0, said
        return json.loads(said)


@contextmanager
def writers(root: Path, selections: Sequence[Sequence[str]]) -> Iterator[list[Writer]]:
    with ExitStack() as open_processes:
        started = []
        for selection in selections:
            arguments = ["materialize", *selection, "--json", "--project", str(root)]
            process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            open_processes.enter_context(process)
            open_processes.callback(process.kill)
            started.append(process)
        yield [Writer(process) for process in started]


def look(mill: Mill) -> None:
    """Read in each way while others write."""
    assert len(mill.served()) == 1
    assert len(mill.served_by_catalog()) == 1
    api.status(api.load(mill.root))
    api.runs(api.load(mill.root))


def assert_sound(mill: Mill, answers: Sequence[dict[str, object]]) -> None:
    assert mill.served() == mill.served_by_catalog() == {mill.number}
    assert mill.ran_twice() == []
    assert mill.journaled() == []
    runs = {answer["run_id"] for answer in answers} - {""}
    assert runs <= {name for (name,) in mill.asked("select run from runs")}
    logged = Counter(mill.asked("select run, asset, outcome from steps"))
    said = {
        (answer["run_id"], step["asset"], step["outcome"])
        for answer in answers
        for step in answer["steps"]
    }
    assert said <= logged.keys()
    assert api.materialize(api.load(mill.root)).steps == ()
    assert api.audit(api.load(mill.root)).ok


@pytest.fixture
def mill(tmp_path):
    mill = Mill(tmp_path)
    assert api.materialize(api.load(mill.root)).status == "succeeded"
    return mill


def test_three_writers_share_the_work_while_others_read(mill):
    for number in range(1, ROUNDS + 1):
        mill.bring(number)
        with writers(mill.root, [(), (), ("sold", "baked")]) as crowd:
            for writer in crowd:
                writer.go()
            while any(writer.is_at_work() for writer in crowd):
                look(mill)
            answers = [writer.answer() for writer in crowd]

        assert {answer["status"] for answer in answers} == {"succeeded"}
        api.materialize(api.load(mill.root))
        assert_sound(mill, answers)

    assert mill.worked() == {
        f"{name} {number}": 1 for name in FUNCTIONS for number in range(ROUNDS + 1)
    }


def test_the_first_runs_of_all_can_begin_at_once(tmp_path):
    for place in range(max(ROUNDS // 3, 1)):
        mill = Mill(tmp_path / str(place))
        with writers(mill.root, [(), (), ()]) as crowd:
            for writer in crowd:
                writer.go()
            answers = [writer.answer() for writer in crowd]

        assert_sound(mill, answers)
        assert mill.worked() == {f"{name} 0": 1 for name in FUNCTIONS}


def test_what_changes_while_others_write_is_followed(mill):
    with writers(mill.root, [(), ()]) as crowd:
        mill.bring(1)
        for writer in crowd:
            writer.go()
        seen = len(mill.journaled())
        while any(writer.is_at_work() for writer in crowd) and len(mill.journaled()) <= seen:
            pass
        mill.bring(2)
        answers = [writer.answer() for writer in crowd]

    assert {answer["status"] for answer in answers} == {"succeeded"}
    api.materialize(api.load(mill.root))
    assert_sound(mill, answers)


class OvertakenOnce(Silent):
    """Lets another process publish the same assets while its own run is about to end."""

    def __init__(self, mill: Mill) -> None:
        self.mill = mill
        self.is_over = False

    def finished(self, result: StepResult) -> None:
        if result.target.asset == "sold" and not self.is_over:
            self.is_over = True
            with writers(self.mill.root, [("--force",)]) as (other,):
                other.go()
                assert other.answer()["status"] == "succeeded"


def test_a_run_that_is_overtaken_does_not_publish_over_the_other(mill):
    mill.bring(1)

    result = api.materialize(api.load(mill.root), listener=OvertakenOnce(mill))

    assert result.status == "succeeded"
    assert len(mill.asked("from refused_publications")) == 1
    assert mill.served() == {1}
