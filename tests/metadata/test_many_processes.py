"""Real processes: killed at any moment, or writing and reading at once, nothing is lost."""

import random
import signal
import subprocess
import sys
from pathlib import Path

from assetflow.metadata.folder import journal_paths
from assetflow.metadata.folding import fold
from assetflow.metadata.journal import read_journal
from assetflow.metadata.recall import candidates, published, runs, verify_events
from tests.metadata.making import NOW

ROOT = Path(__file__).parents[2]

WRITER = """
import sys
from pathlib import Path
from assetflow.metadata.folding import fold
from assetflow.metadata.journal import Journal
from tests.metadata.making import NOW, change, completed, finished, publication, started

state, run, count, every = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
journal = Journal(state, run)
journal.append(started(run))
for number in range(count):
    name = f"{run}_{number}"
    for record in completed(name, f"asset_{name}", run=run):
        journal.append(record)
    print(name, flush=True)
    if number % every == every - 1:
        news = range(number - every + 1, number + 1)
        changes = [change(f"{run}_{each}", f"asset_{run}_{each}") for each in news]
        journal.append(publication(f"p_{name}", *changes, run=run))
        journal.sync()
        assert fold(state, NOW).refused == ()
journal.append(finished(run))
journal.close()
fold(state, NOW)
"""

READER = """
import sys
from pathlib import Path
from assetflow.metadata.recall import published, verify_events
from assetflow.metadata.tail import JournalTail

state, every = Path(sys.argv[1]), int(sys.argv[2])
tail = JournalTail(state, "reader")
print("reading", flush=True)
seen = 0
while seen < int(sys.argv[3]):
    tail.poll()
    runs = {}
    for place in published(state, "main"):
        run, _, number = place.asset.removeprefix("asset_").rpartition("_")
        runs.setdefault(run, set()).add(int(number))
    for run, numbers in runs.items():
        assert numbers == set(range(len(numbers))), (run, sorted(numbers))
        assert len(numbers) % every == 0, (run, len(numbers))
    now = sum(map(len, runs.values()))
    assert now >= seen
    seen = now
assert verify_events(state) is None
"""


def process(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_four_writers_and_two_readers_meet_without_error_or_loss(state):
    writers, count, every = 4, 20, 10
    readers = [process(READER, state, every, writers * count) for _ in range(2)]
    at_work = [process(WRITER, state, f"r{each}", count, every) for each in range(writers)]

    try:
        for each in [*at_work, *readers]:
            _, problems = each.communicate(timeout=120)
            assert problems == ""
            assert each.returncode == 0
    finally:
        for each in [*at_work, *readers]:
            with each:
                each.kill()

    assert len(published(state, "main")) == writers * count
    assert {each.status for each in runs(state)} == {"succeeded"}
    assert journal_paths(state) == ()
    assert verify_events(state) is None


def test_whatever_was_completed_before_a_kill_is_found_again(state):
    chance = random.Random(5)
    completed = []
    for attempt in range(3):
        writer = process(WRITER, state, f"r{attempt}", 10_000, 10)
        wanted = chance.randrange(1, 60)
        completed += [writer.stdout.readline().strip() for _ in range(wanted)]
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        for path in journal_paths(state):
            read_journal(path)

        fold(state, NOW)

        found = candidates(state, [f"asset_{name}" for name in completed])
        assert {each.materialization.materialization for each in found.values()} == {
            f"m{name}" for name in completed
        }
        assert journal_paths(state) == ()
        assert {each.status for each in runs(state)} == {"interrupted"}
    assert len(published(state, "main")) % 10 == 0
    assert verify_events(state) is None
