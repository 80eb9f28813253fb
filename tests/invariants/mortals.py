"""Processes that materialize a project and can be made to die in the midst of it.

`Nursery` starts one process that has everything imported, and forks a child from it for
each run. A child counts the calls that assetflow's floors of action make, and kills
itself, with the signal that nothing can catch, at the one it is told: by its number, or by
its name.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FrameType

from assetflow import api

CHECKOUT = Path(__file__).parents[2]
_CALLS = ("call", "c_call")
WATCHED = tuple(f"assetflow/{part}/" for part in ("execution", "metadata", "warehouse"))


@dataclass(frozen=True)
class Life:
    """What a child is to do: materialize `root`, and die at its call number `dies_at`.

    Or where `place` says: "call" or "return", a function such as `journal.Journal.sync`, and
    which time, and how many calls later; "torn" and a number dies with half of that line of
    the journal written.
    """

    root: str
    dies_at: int = 0
    place: str = ""


@dataclass(frozen=True)
class End:
    """How a child ended: by which signal, or with which status of its run, after which calls.

    `since` are the calls after the place that it was told.
    """

    signal: int
    status: str
    calls: int
    since: int


class Nursery:
    """The process from which children are forked; one child lives at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def live(self, root: Path, dies_at: int = 0, place: str = "") -> End:
        """Let a child materialize `root`, and return when it has ended."""
        life = Life(str(root), dies_at, place)
        self.process.stdin.write(json.dumps(asdict(life)) + "\n")
        self.process.stdin.flush()
        return End(**json.loads(self.process.stdout.readline()))


@contextmanager
def nursery() -> Iterator[Nursery]:
    command = [sys.executable, "-m", "tests.invariants.mortals"]
    with subprocess.Popen(
        command, cwd=CHECKOUT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Nursery(process)
        finally:
            process.stdin.close()
            process.wait(timeout=60)


class _Fate:
    """Counts the calls of a process, of all its threads, and ends it at one of them."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.calls = 0
        self.passed = 0
        self.lines = 0
        self.is_watched: dict[CodeType, bool] = {}
        self.since = 0
        self.event, self.function, self.times, self.later = [*life.place.split(), *[""] * 4][:4]

    def begin(self) -> None:
        if self.event == "torn":
            os.write = partial(self._written, os.write)
            return
        threading.setprofile(self._called)
        sys.setprofile(self._called)

    def _called(self, frame: FrameType, event: str, _argument: object) -> None:
        if event not in _CALLS and event != self.event:
            return
        code = frame.f_code
        if code not in self.is_watched:
            self.is_watched[code] = any(part in code.co_filename for part in WATCHED)
        if not self.is_watched[code]:
            return
        self.calls += event in _CALLS
        if event == self.event and self.function == _name(code):
            self.passed += 1
        if event in _CALLS and self.calls == self.life.dies_at:
            _die()
        if self.times and self.passed >= int(self.times):
            self.since += event in _CALLS
            if self.since >= int(self.later or 0):
                _die()

    def _written(self, write: Callable[[int, bytes], int], descriptor: int, data: bytes) -> int:
        self.lines += data.startswith(b'{"record"')
        if self.lines == int(self.function):
            write(descriptor, data[: len(data) // 2])
            _die()
        return write(descriptor, data)


def _name(code: CodeType) -> str:
    return f"{Path(code.co_filename).stem}.{code.co_qualname}"


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _materialize(life: Life, report: int) -> None:
    """Be the child: run, and say through `report` how it went."""
    fate = _Fate(life)
    fate.begin()
    result = api.materialize(api.load(life.root))
    sys.setprofile(None)
    said = {"status": result.status, "calls": fate.calls, "since": fate.since}
    os.write(report, json.dumps(said).encode())


def _live(life: Life) -> End:
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _materialize(life, writes)
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as report:
        said = report.read()
    _, status = os.waitpid(child, 0)
    ended = json.loads(said) if said else {"status": "", "calls": 0, "since": 0}
    return End(os.WTERMSIG(status), **ended)


def main() -> None:
    for name in ("duckdb", "pyarrow.parquet", "sqlglot", "assetflow.execution.materializing"):
        importlib.import_module(name)  # once, for all children
    for line in sys.stdin:
        print(json.dumps(asdict(_live(Life(**json.loads(line))))), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
