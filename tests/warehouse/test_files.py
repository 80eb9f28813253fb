"""A source is looked at cheaply, and no change to its files goes unseen."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetflow.errors import SourceIsFolder, SourceNotFound, SourceUnreadable
from assetflow.warehouse import files as files_module
from assetflow.warehouse.files import (
    observe_files,
    source_paths,
    state_id,
    verify_unchanged,
)

LATER = 10_000_000_000
"""Nanoseconds after which a written file has settled."""


def write(path: Path, text: str) -> int:
    """Write a file, and return an instant at which it has settled."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path.stat().st_mtime_ns + LATER


@pytest.fixture
def read_paths(monkeypatch):
    """Record whose content is read."""
    read: list[str] = []
    content_of = files_module.content_of

    def recording(path):
        read.append(path.name)
        return content_of(path)

    monkeypatch.setattr(files_module, "content_of", recording)
    return read


def test_files_are_found_by_glob_and_sorted(tmp_path):
    now = 0
    for name in ("b.csv", "a.csv", "sub/deep/c.csv", "d.txt"):
        now = write(tmp_path / "data" / name, name)

    flat = observe_files(tmp_path, "data/*.csv", None, now)
    deep = observe_files(tmp_path, "data/**/*.csv", None, now)
    whole = observe_files(tmp_path, str(tmp_path / "data" / "a.csv"), None, now)

    assert [file.path for file in flat] == ["data/a.csv", "data/b.csv"]
    assert [file.path for file in deep] == ["data/a.csv", "data/b.csv", "data/sub/deep/c.csv"]
    assert source_paths(tmp_path, whole) == (tmp_path / "data" / "a.csv",)


def test_a_name_with_glob_characters_is_found_as_it_is(tmp_path):
    now = write(tmp_path / "a[1]*.csv", "x")

    assert [file.path for file in observe_files(tmp_path, "a[1]*.csv", None, now)] == ["a[1]*.csv"]


def test_what_did_not_move_is_not_read_again(tmp_path, read_paths):
    now = write(tmp_path / "a.csv", "1")
    write(tmp_path / "b.csv", "2")
    first = observe_files(tmp_path, "*.csv", None, now)

    second = observe_files(tmp_path, "*.csv", first, now)

    assert second == first
    assert sorted(read_paths) == ["a.csv", "b.csv"]


def test_only_what_moved_is_read(tmp_path, read_paths):
    now = write(tmp_path / "a.csv", "1")
    write(tmp_path / "b.csv", "2")
    first = observe_files(tmp_path, "*.csv", None, now)
    read_paths.clear()
    write(tmp_path / "b.csv", "3")

    second = observe_files(tmp_path, "*.csv", first, now)

    assert read_paths == ["b.csv"]
    assert state_id(second) != state_id(first)


@pytest.mark.parametrize("ahead", [0, 1_999_999_999, -LATER])
def test_a_file_that_may_still_change_is_read_until_it_settled(tmp_path, read_paths, ahead):
    write(tmp_path / "a.csv", "1")
    mtime = (tmp_path / "a.csv").stat().st_mtime_ns

    first = observe_files(tmp_path, "a.csv", None, mtime + ahead)
    second = observe_files(tmp_path, "a.csv", first, mtime + ahead)
    third = observe_files(tmp_path, "a.csv", second, mtime + LATER)
    fourth = observe_files(tmp_path, "a.csv", third, mtime + LATER)

    assert read_paths == ["a.csv"] * 3
    assert fourth == third != first
    assert state_id(fourth) == state_id(first)


def test_a_change_that_keeps_size_and_times_is_seen_while_the_file_settles(tmp_path):
    path = tmp_path / "a.csv"
    write(path, "1")
    before = path.stat()
    first = observe_files(tmp_path, "a.csv", None, before.st_mtime_ns)
    path.write_text("2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    second = observe_files(tmp_path, "a.csv", first, before.st_mtime_ns + LATER)

    assert state_id(second) != state_id(first)


def test_a_touched_file_has_the_same_state(tmp_path):
    now = write(tmp_path / "a.csv", "1")
    first = observe_files(tmp_path, "a.csv", None, now)
    os.utime(tmp_path / "a.csv", ns=(now, now - LATER - 5))

    second = observe_files(tmp_path, "a.csv", first, now)

    assert second != first
    assert state_id(second) == state_id(first)


def test_a_renamed_file_is_another_state(tmp_path):
    now = write(tmp_path / "a.csv", "1")
    first = observe_files(tmp_path, "*.csv", None, now)
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")

    assert state_id(observe_files(tmp_path, "*.csv", first, now)) != state_id(first)


@pytest.mark.parametrize("change", ["written", "replaced", "removed", "none"])
def test_a_move_between_reads_is_seen(tmp_path, change):
    path = tmp_path / "a.csv"
    now = write(path, "1")
    files = observe_files(tmp_path, "a.csv", None, now)

    if change == "written":
        path.write_text("2")
    if change == "replaced":
        write(tmp_path / "new", "1")
        stat = path.stat()
        os.utime(tmp_path / "new", ns=(stat.st_atime_ns, stat.st_mtime_ns))
        (tmp_path / "new").rename(path)
    if change == "removed":
        path.unlink()

    assert verify_unchanged(tmp_path, files) is (change == "none")


def test_a_path_without_files_says_what_is_near(tmp_path):
    write(tmp_path / "data" / "orders.csv", "1")

    with pytest.raises(SourceNotFound) as raised:
        observe_files(tmp_path, "data/order.csv", None, 0)

    assert raised.value.facts == {"nearest folder": "data", "it holds": "orders.csv"}
    assert raised.value.hint == "Did you mean 'orders.csv'?"
    for pattern in ("nowhere/*.csv", "data/**/x", "/nowhere/x.csv"):
        with pytest.raises(SourceNotFound):
            observe_files(tmp_path, pattern, None, 0)


def test_what_is_near_leaves_hidden_names_out(tmp_path):
    write(tmp_path / ".assetflow" / "metadata", "1")

    with pytest.raises(SourceNotFound) as raised:
        observe_files(tmp_path, "assetflow.csv", None, 0)

    assert raised.value.facts["it holds"] == "nothing"


@pytest.mark.parametrize(
    ("path", "files", "hint"),
    [
        ("data", ["a.txt", "b.csv", "c.json"], "'data/*.csv'"),
        ("data/", ["a.txt", "b.parquet"], "'data/*.parquet'"),
        ("data", [], "'data/*.csv'"),
    ],
)
def test_a_folder_is_told_as_one_with_a_pattern_for_its_files(tmp_path, path, files, hint):
    (tmp_path / "data").mkdir()
    for name in files:
        write(tmp_path / "data" / name, "1")

    with pytest.raises(SourceIsFolder) as raised:
        observe_files(tmp_path, path, None, 0)

    assert raised.value.headline == f"{path!r} is a folder."
    assert raised.value.facts == {"it holds": ", ".join(files) or "nothing"}
    assert raised.value.hint == f"Name its files with a pattern, such as {hint}."


def test_a_broken_link_is_unreadable(tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "gone")

    with pytest.raises(SourceUnreadable, match="No such file"):
        observe_files(tmp_path, "a.csv", None, 0)


def test_a_file_that_changes_while_it_is_read_is_unreadable(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    now = write(path, "1")

    def growing(_):
        with path.open("a") as stream:
            stream.write("x")
        return "content"

    monkeypatch.setattr(files_module, "content_of", growing)

    with pytest.raises(SourceUnreadable, match="changes while it is read"):
        observe_files(tmp_path, "a.csv", None, now)


edits = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["", "1", "2", None])), max_size=8
)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=edits)
def test_incremental_observations_equal_those_from_nothing(tmp_path, edits):
    for name in "abz":
        (tmp_path / f"{name}.csv").unlink(missing_ok=True)
    now = write(tmp_path / "z.csv", "always")
    previous = None
    for name, text in edits:
        path = tmp_path / f"{name}.csv"
        if text is None:
            path.unlink(missing_ok=True)
        else:
            now = write(path, text)

        previous = observe_files(tmp_path, "*.csv", previous, now)

        assert state_id(previous) == state_id(observe_files(tmp_path, "*.csv", None, now))


def test_a_clock_set_back_trusts_no_earlier_look(tmp_path, read_paths):
    now = write(tmp_path / "a.csv", "1")
    first = observe_files(tmp_path, "a.csv", None, now)

    observe_files(tmp_path, "a.csv", first, now - LATER)

    assert read_paths == ["a.csv"] * 2


def test_another_inode_is_a_move_unless_none_was_recorded(tmp_path):
    now = write(tmp_path / "a.csv", "1")
    (file,) = observe_files(tmp_path, "a.csv", None, now)

    assert not verify_unchanged(tmp_path, [replace(file, inode=file.inode + 1)])
    assert verify_unchanged(tmp_path, [replace(file, inode=0)])
