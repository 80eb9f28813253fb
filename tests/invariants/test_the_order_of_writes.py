"""Invariant 4 again, for what a kill cannot show: the machine itself may stop at any moment.

What a process has written stays when it is killed, but not when the power goes. So the
order counts in which files are named, lines are told, and both are brought to the disk.
Here a run writes that order down, and it is held against what must come before what.
"""

import json
import math
import os
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pytest

from assetflow import api
from assetflow.metadata import journal
from assetflow.metadata.store import Store
from assetflow.planning.results import RunResult
from tests.invariants.journeys import Stopping
from tests.invariants.mills import Mill


@dataclass
class Diary:
    """What was done to files, in order: ("told", a line), ("synced", a file's id) and so on."""

    events: list[tuple[str, object]] = field(default_factory=list)

    def did(self, what: str, about: object = None) -> None:
        self.events.append((what, about))

    def lines(self, kind: str) -> list[dict[str, object]]:
        return [about for what, about in self.events if what == "told" and about["record"] == kind]

    def when(self, what: str, about: object = None) -> list[int]:
        return [place for place, event in enumerate(self.events) if event == (what, about)]

    def told(self, kind: str) -> list[int]:
        return [place for line in self.lines(kind) for place in self.when("told", line)]

    def is_between(self, what: str, about: object, after: int, before: int) -> bool:
        return any(after < place < before for place in self.when(what, about))


def identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def line_of(descriptor: int, data: bytes) -> dict[str, object] | None:
    """Return the record that is written, and by its journal's id where; None of other writes."""
    if not data.startswith(b'{"record"'):
        return None
    return {**json.loads(data), "journal": identity(os.fstat(descriptor))}


def file_of(descriptor: int) -> tuple[int, int]:
    return identity(os.fstat(descriptor))


def last_name(*paths: object) -> str | None:
    """Return what the file is called now; None where it was called so before."""
    return Path(paths[-1]).name if len(set(map(str, paths))) == len(paths) else None


NOTED = {
    "write": ("told", line_of),
    "fsync": ("synced", file_of),
    "rename": ("named", last_name),
    "replace": ("named", last_name),
    "unlink": ("removed", last_name),
}


def noted(diary: Diary, what: str, about: Callable[..., object], doing: Callable[..., object]):
    def done(*given: object, **named: object) -> object:
        found = doing(*given, **named)
        if (told := about(*given)) is not None:
            diary.did(what, told)
        return found

    return done


@pytest.fixture
def diary(monkeypatch):
    """Give a diary that is written from now on."""
    diary, writing = Diary(), Store.writing

    @contextmanager
    def committed(store: Store):
        with writing(store) as connection:
            yield connection
        diary.did("committed")

    for name, (what, about) in NOTED.items():
        monkeypatch.setattr(os, name, noted(diary, what, about, getattr(os, name)))
    monkeypatch.setattr(Store, "writing", committed)
    monkeypatch.setattr(journal, "SYNC_SECONDS", math.inf)  # what is synced is asked for
    return diary


def on_disk(path: Path) -> tuple[int, int]:
    return identity(path.stat())


def ran(mill: Mill, **options: object) -> RunResult:
    return api.materialize(api.load(mill.root), **options)


def test_what_is_told_is_there_and_comes_after_what_it_rests_on(tmp_path, diary):
    ran(Mill(tmp_path))

    places = {}
    for one in diary.lines("VersionStored"):
        (places[one["version"]],) = diary.when("told", one)
        assert diary.is_between("named", last_name(one["path"]), 0, places[one["version"]])
    made = {one["materialization"]: one for one in diary.lines("Materialized")}
    assert len(made) == len(diary.lines("StepFinished")) == 6
    for one in made.values():
        assert places[one["version"]] < diary.when("told", one)[0]
    for one in diary.lines("StepFinished"):
        rests_on = made[one["materialization"]]
        assert diary.when("told", rests_on)[0] < diary.when("told", one)[0]
    assert max(diary.told("StepFinished")) < min(diary.told("Published"))
    kinds = [about["record"] for what, about in diary.events if what == "told"]
    assert (kinds[0], kinds[-1]) == ("RunStarted", "RunFinished")


def test_versions_are_on_the_disk_before_their_publication_is_told(tmp_path, diary):
    mill = Mill(tmp_path)
    stopped = ran(mill, listener=Stopping(3, is_hard=False))
    assert (stopped.status, diary.lines("Published")) == ("interrupted", [])

    taken = [one.outcome for one in ran(mill).steps]

    assert "reused" in taken
    (published,) = diary.lines("Published")
    (told,) = diary.told("Published")
    paths = {one["version"]: str(one["path"]) for one in diary.lines("VersionStored")}
    assert len(published["changes"]) == 6
    data = mill.state / "data"
    for change in published["changes"]:
        path = PurePosixPath(paths[change["version"]])
        for needed in (path, *path.parents):
            assert diary.is_between("synced", on_disk(data / needed), 0, told), needed


def test_a_publication_is_on_the_disk_before_it_takes_effect(tmp_path, diary):
    mill = Mill(tmp_path)

    ran(mill)

    (published,) = diary.lines("Published")
    (told,) = diary.told("Published")
    effect = min(place for place in diary.when("committed") if place > told)
    assert diary.is_between("synced", published["journal"], told, effect)
    assert diary.is_between("synced", on_disk(mill.state / "journal"), 0, effect)


def test_the_end_of_a_run_is_told_last_and_its_journal_goes_last(tmp_path, diary):
    mill = Mill(tmp_path)

    ran(mill)

    (published,), (finished,) = diary.told("Published"), diary.told("RunFinished")
    folded = min(place for place in diary.when("committed") if place > finished)
    (line,) = diary.lines("RunFinished")
    (removed,) = diary.when("removed", f"{line['run']}.jsonl")
    assert diary.is_between("committed", None, published, finished)
    assert diary.is_between("synced", line["journal"], finished, folded)
    assert diary.is_between("named", "catalog.duckdb", folded, removed)
