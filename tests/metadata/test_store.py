"""The store opens for a moment, waits for others, and says clearly what is wrong with its file."""

import os
import subprocess
import sys
import textwrap
import threading

import duckdb
import pytest

from assetflow.errors import (
    StateUnusable,
    StoreDamaged,
    StoreFromNewer,
    StoreLocked,
)
from assetflow.metadata import store as store_module
from assetflow.metadata.folder import prepare
from assetflow.metadata.folding import fold
from assetflow.metadata.migrations import LATEST, MIGRATIONS, Migration
from assetflow.metadata.recall import published, run, runs
from assetflow.metadata.store import BLOCK_SIZE, STORAGE_VERSION, Store, explain
from tests.bad_input.shop import without_privilege
from tests.metadata.making import (
    NOW,
    change,
    completed,
    finished,
    folded,
    journaled,
    publication,
    started,
)


def filled(state):
    folded(state, "r1", started(), *completed(1), publication("p1", change(1)), finished())
    return state / "metadata.duckdb"


def test_reading_where_there_is_no_store_makes_nothing(state):
    assert published(state, "main") == {}
    assert runs(state) == ()
    assert not state.exists()


def test_the_file_says_from_which_duckdb_on_it_can_be_opened(state):
    path = filled(state)

    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as store (read_only)")
        (tags,) = connection.execute(
            "select tags from duckdb_databases() where database_name = 'store'"
        ).fetchone()
        (size,) = connection.execute(
            "select block_size from pragma_database_size() where database_name = 'store'"
        ).fetchone()
    assert tags["storage_version"].startswith(STORAGE_VERSION)
    assert size == BLOCK_SIZE


def test_nothing_is_left_open_or_beside_the_store(state):
    path = filled(state)

    assert sorted(each.name for each in state.iterdir()) == [
        ".gitignore",
        "journal",
        "locks",
        "metadata.duckdb",
    ]
    with duckdb.connect(str(path), read_only=True):
        pass


def test_an_error_inside_takes_all_of_it_back(state):
    filled(state)

    def write_and_fail():
        with Store(state).writing() as connection:
            connection.execute("delete from runs")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert len(runs(state)) == 1


def test_the_process_that_holds_the_store_is_named(state):
    path = filled(state)
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open'); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        with pytest.raises(StoreLocked) as raised, Store(state, 0.05).reading():
            pass
        with pytest.raises(StoreLocked), Store(state, 0.05).writing():
            pass
        other.stdin.close()
        other.wait()

    assert raised.value.pid == other.pid
    assert str(other.pid) in str(raised.value)
    assert "python" in raised.value.program
    assert len(runs(state)) == 1


def test_a_reader_that_stays_shuts_out_writers_only(state):
    path = filled(state)
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(path)!r}, read_only=True);"
        "print('open'); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        assert len(runs(state)) == 1
        with pytest.raises(StoreLocked) as raised, Store(state, 0.05).writing():
            pass
        other.stdin.close()
        other.wait()
    assert raised.value.pid == other.pid


def test_threads_of_one_process_take_turns(state):
    filled(state)
    problems = []

    def read():
        try:
            for _ in range(5):
                assert len(runs(state)) == 1
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            problems.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_use_within_a_use_is_an_error_and_no_deadlock(state):
    filled(state)

    with Store(state).reading(), pytest.raises(StoreLocked) as raised:
        Store(state, 0.05).reading().__enter__()
    assert raised.value.pid == os.getpid()


def corrupted(path):
    data = bytearray(path.read_bytes())
    for place in range(12_288 + 100, len(data), 997):
        data[place] ^= 0xFF
    path.write_bytes(data)


DAMAGES = {
    "text": lambda path: path.write_text("hello\n" * 5000),
    "nothing": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:20_000]),
    "corrupted": corrupted,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_store_is_said_and_left_as_it_is(state, damage):
    path = filled(state)
    damage(path)
    before = path.read_bytes() if path.is_file() else None
    journal = journaled(state, "r2", started("r2"))

    with pytest.raises((StoreDamaged, StateUnusable)) as raised:
        published(state, "main")
    with pytest.raises((StoreDamaged, StateUnusable)):
        fold(state, NOW)

    assert str(path) in str(raised.value)
    assert journal.exists()
    assert before is None or path.read_bytes() == before


def test_moving_a_damaged_store_aside_starts_a_new_history(state):
    path = filled(state)
    path.write_text("hello")
    path.rename(state / "damaged.duckdb")

    assert folded(state, "r2", started("r2"), finished("r2")).records == 2


def test_a_duckdb_file_of_something_else_is_left_alone(state):
    state.mkdir()
    path = state / "metadata.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table orders as select 1 as id")

    with pytest.raises(StoreDamaged, match="cannot be read"):
        runs(state)
    with pytest.raises(StoreDamaged):
        folded(state, "r1", started())

    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("show tables").fetchall() == [("orders",)]


def test_a_store_of_a_newer_version_is_refused(state):
    filled(state)
    with Store(state).writing() as connection:
        connection.execute("insert into migrations values ($1, 'the future')", [LATEST + 1])

    with pytest.raises(StoreFromNewer):
        runs(state)
    with pytest.raises(StoreFromNewer):
        folded(state, "r2", started("r2"))


def test_an_older_store_is_brought_up_to_date_even_by_reading(state, monkeypatch):
    filled(state)
    more = Migration(LATEST + 1, "more", ("create table more (id integer)",))
    monkeypatch.setattr(store_module, "MIGRATIONS", (*MIGRATIONS, more))
    monkeypatch.setattr(store_module, "LATEST", more.number)

    assert len(runs(state)) == 1
    with Store(state).reading() as connection:
        assert connection.execute("from more").fetchall() == []
        assert connection.execute("from migrations").fetchall() == [
            *((each.number, each.name) for each in MIGRATIONS),
            (more.number, "more"),
        ]


def test_a_migration_that_fails_leaves_the_store_as_it_was(state, monkeypatch):
    filled(state)
    statements = ("create table more (id integer)", "select * from nowhere")
    monkeypatch.setattr(
        store_module, "MIGRATIONS", (*MIGRATIONS, Migration(LATEST + 1, "more", statements))
    )
    monkeypatch.setattr(store_module, "LATEST", LATEST + 1)

    with pytest.raises(duckdb.CatalogException):
        runs(state)
    monkeypatch.undo()

    with Store(state).reading() as connection:
        assert connection.execute("from migrations").fetchall() == [
            (each.number, each.name) for each in MIGRATIONS
        ]
        with pytest.raises(duckdb.CatalogException):
            connection.execute("from more")


def test_migrations_are_numbered_from_one():
    assert [each.number for each in MIGRATIONS] == list(range(1, LATEST + 1))


def test_a_store_of_a_newer_duckdb_names_both(state):
    message = (
        "IO Error: Trying to read a database file with version number 69, "
        "but we can only read versions between 64 and 68.\nThe database file was created"
    )

    error = explain(state / "metadata.duckdb", message)

    assert isinstance(error, StoreFromNewer)
    assert "69" in str(error)
    assert duckdb.__version__ in str(error)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('IO Error: Could not write all bytes to file "x": No space left on device', StateUnusable),
        ('IO Error: Cannot open file "x": Permission denied', StateUnusable),
        ('IO Error: Cannot open file "x": Read-only file system', StateUnusable),
        ("IO Error: Corrupt database file: computed checksum", StoreDamaged),
        ('Error: Failure while replaying WAL file "x.wal"', StoreDamaged),
        ("Binder Error: no such column", type(None)),
    ],
)
def test_what_duckdb_says_is_understood(state, message, kind):
    assert type(explain(state, message)) is kind


def test_a_full_disk_loses_nothing(state, full_after):
    path = filled(state)
    size = path.stat().st_size
    steps = [
        record for number in range(2, 400) for record in completed(number, f"a{number}", run="r2")
    ]
    journal = journaled(state, "r2", started("r2"), *steps, finished("r2"))

    with full_after(size + 1000), pytest.raises(StateUnusable):
        fold(state, NOW)

    assert journal.exists()
    assert len(runs(state)) in (1, 2)  # it was the commit, or what follows it, that found no room
    fold(state, NOW)
    assert not journal.exists()
    assert len(runs(state)) == 2
    assert len(run(state, "r2").steps) == 398


def test_a_killed_writer_leaves_all_or_nothing(state):
    filled(state)
    code = f"""
        import os, signal
        from pathlib import Path
        from assetflow.metadata.store import Store
        with Store(Path({str(state)!r})).writing() as connection:
            connection.execute("delete from runs")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)

    assert len(runs(state)) == 1


def test_a_folder_without_rights_is_read_and_its_refusal_said(state):
    filled(state)
    journaled(state, "r2", started("r2"))
    code = f"""
        from datetime import datetime
        from pathlib import Path
        from assetflow.errors import StateUnusable
        from assetflow.metadata.folding import fold
        from assetflow.metadata.recall import runs
        state = Path({str(state)!r})
        print(len(runs(state)))
        try:
            fold(state, datetime.fromisoformat({NOW.isoformat()!r}))
        except StateUnusable as error:
            print(error.code)
    """
    state.chmod(0o500)
    (state / "metadata.duckdb").chmod(0o400)
    try:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            preexec_fn=without_privilege, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.split() == ["1", StateUnusable.code]
    finally:
        (state / "metadata.duckdb").chmod(0o600)
        state.chmod(0o700)


def test_a_state_folder_begun_on_a_full_disk_is_finished_later(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    ignore = state / ".gitignore"
    ignore.symlink_to("/dev/full")

    with pytest.raises(StateUnusable) as raised:
        prepare(state)
    assert raised.value.facts == {"path": state, "because": "No space left on device"}

    ignore.unlink()
    ignore.touch()
    prepare(state)
    assert ignore.read_text() == "*\n"


def test_readers_of_stores_that_nobody_made_share_no_tables_of_their_own(tmp_path):
    with Store(tmp_path / "a").reading() as one:
        one.execute("create temp table asked as select 1 as n")
        with Store(tmp_path / "b").reading() as other:
            assert other.execute("select count(*) from versions").fetchone() == (0,)
            with pytest.raises(duckdb.CatalogException):
                other.execute("from asked")
