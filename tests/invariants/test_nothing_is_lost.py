"""Invariant 4: killed at any point, any number of times, nothing that was completed is lost.

Processes are killed with the signal that nothing can catch, at moments all over a run. To
kill many more, at other moments:

    ASSETFLOW_EXAMPLES=300 pytest tests/invariants/test_nothing_is_lost.py
"""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field

import pytest

from assetflow import api
from tests.invariants.mills import Mill
from tests.invariants.mortals import Nursery, nursery

KILLS = int(os.environ.get("ASSETFLOW_EXAMPLES", "9"))
CHANCE = random.Random(None if "ASSETFLOW_EXAMPLES" in os.environ else 7)
IDENTITY = {
    "Materialized": ("materializations", "materialization"),
    "VersionStored": ("versions", "version"),
    "RunStarted": ("runs", "run"),
    "RunFinished": ("run_endings", "run"),
    "StepFinished": ("steps", "run || ' ' || asset || ' ' || outcome"),
}


@pytest.fixture(scope="module")
def nursed():
    with nursery() as nursed:
        yield nursed


@dataclass
class Memory:
    """What journals were seen to hold: by table, what names each record there."""

    seen: dict[str, set[str]] = field(default_factory=dict)

    def look(self, mill: Mill) -> None:
        for line in mill.journaled():
            kind = str(line["record"])
            if kind in IDENTITY:
                self.seen.setdefault(kind, set()).add(_name(kind, line))

    def lost(self, mill: Mill) -> dict[str, set[str]]:
        """Return what was seen in a journal and is not in the store."""
        queries = {
            kind: f"select {IDENTITY[kind][1]} from {IDENTITY[kind][0]}" for kind in self.seen
        }
        stored = mill.names(queries)
        return {
            kind: names - stored[kind] for kind, names in self.seen.items() if names - stored[kind]
        }


def _name(kind: str, line: dict[str, object]) -> str:
    if kind == "StepFinished":
        return f"{line['run']} {line['asset']} {line['outcome']}"
    return str(line[IDENTITY[kind][1]])


def assert_sound(mill: Mill, memory: Memory) -> None:
    """Hold the state of a project, all of whose runs have ended, against all that was seen."""
    # Before any command is asked, which would mend the catalog.
    assert mill.served_by_catalog() == {mill.number}
    assert mill.served() == {mill.number}
    assert memory.lost(mill) == {}
    assert mill.ran_twice() == []
    assert mill.journaled() == []
    assert api.materialize(api.load(mill.root)).steps == ()
    assert api.audit(api.load(mill.root)).ok
    assert "running" not in {run.status for run in api.runs(api.load(mill.root), 1000)}


def calls_of_a_run(mill: Mill, nursed: Nursery) -> int:
    mill.bring(mill.number + 1)
    end = nursed.live(mill.root)
    assert end.status == "succeeded"
    return end.calls


def moments(calls: int, count: int) -> list[int]:
    """Return moments all over so many calls, in any order."""
    found = [int((place + CHANCE.random()) * calls / count) + 1 for place in range(count)]
    CHANCE.shuffle(found)
    return found


def test_after_any_kills_the_next_run_completes_and_repeats_nothing(tmp_path, nursed):
    mill, memory = Mill(tmp_path), Memory()
    assert nursed.live(mill.root).status == "succeeded"
    calls = calls_of_a_run(mill, nursed)

    for kill, moment in enumerate(moments(calls, KILLS)):
        before = mill.served()
        if kill % 3 == 0:
            mill.bring(mill.number + 1)
        nursed.live(mill.root, dies_at=moment)
        memory.look(mill)
        assert mill.served() in (before, {mill.number})

        if kill % 3 == 2:
            assert nursed.live(mill.root).status == "succeeded"
            assert_sound(mill, memory)


def test_killed_before_anything_was_published_the_first_run_completes(tmp_path, nursed):
    calls = calls_of_a_run(Mill(tmp_path / "measured"), nursed)
    for place, moment in enumerate(moments(calls, max(KILLS // 4, 3))):
        mill, memory = Mill(tmp_path / str(place)), Memory()

        nursed.live(mill.root, dies_at=moment)
        memory.look(mill)

        assert nursed.live(mill.root).status == "succeeded"
        assert_sound(mill, memory)


@dataclass(frozen=True)
class Deaths:
    """Where one run after the other dies, and how many of them had begun and not finished."""

    places: tuple[str, ...]
    interrupted: int
    repeats: tuple[str, ...] = ()


DEATHS = {
    "when three steps are recorded": Deaths(("return run.Execution.record 3",), 1),
    "in the midst of a line": Deaths(("torn 6", "return run.Execution.record 1"), 2, ("sifted",)),
    "when all is made": Deaths(("call publishing.Publisher.publish 1",), 1),
    "when the publication is journaled": Deaths(("return journal.Journal.sync 1",), 1),
    "while what another left is folded": Deaths(
        ("call publishing.Publisher.publish 1", "return folding._remove 1"), 1
    ),
    "before the catalog is renewed": Deaths(("call publishing.refresh_catalog 1",), 0),
    "when the journal is gone": Deaths(("return journal.Journal.discard 1",), 0),
}


@pytest.fixture(scope="module")
def old_mill(tmp_path_factory, nursed):
    mill = Mill(tmp_path_factory.mktemp("mill"), threads=1)
    assert nursed.live(mill.root).status == "succeeded"
    return mill


@pytest.mark.parametrize("when", DEATHS)
def test_killed_where_it_tells_nothing_is_done_twice(old_mill, nursed, when):
    mill, memory, deaths = old_mill, Memory(), DEATHS[when]
    mill.bring(mill.number + 1)
    interrupted = statuses(mill)["interrupted"]

    for place in deaths.places:
        assert nursed.live(mill.root, place=place).signal == signal.SIGKILL
        memory.look(mill)

    assert nursed.live(mill.root).status == "succeeded"
    assert_sound(mill, memory)
    assert statuses(mill)["interrupted"] == interrupted + deaths.interrupted
    again = {f"{name} {mill.number}" for name in deaths.repeats}
    assert {
        call for call, times in mill.worked().items() if times > 1 and call not in again
    } == set()


def statuses(mill: Mill) -> Counter[str]:
    return Counter(run.status for run in api.runs(api.load(mill.root), 1000))


def test_a_command_killed_from_outside_is_completed_by_the_next(tmp_path):
    mill, memory = Mill(tmp_path), Memory()
    for round_ in range(max(KILLS // 8, 2)):
        mill.bring(round_ + 1)
        with materializing(mill) as process:
            wait_for_lines(mill, process, CHANCE.randint(1, 30))
            process.send_signal(signal.SIGKILL)
        memory.look(mill)

    with materializing(mill) as process:
        assert process.wait(timeout=60) == 0
    assert_sound(mill, memory)


def materializing(mill: Mill) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "assetflow", "materialize", "--json"]
    return subprocess.Popen([*command, "--project", str(mill.root)], stdout=subprocess.DEVNULL)


def wait_for_lines(mill: Mill, process: subprocess.Popen[bytes], lines: int) -> None:
    """Return when the journals hold so many lines, or the process has ended."""
    while process.poll() is None and len(mill.journaled()) < lines:
        pass
