"""A state folder that cannot be written, was damaged, moved, or is held by someone else."""

import json
import re
import resource
import shutil
import signal
import subprocess
import sys

import duckdb
import pytest

from assetflow.metadata.store import Store
from tests.bad_input.shop import Shop, without_privilege
from tests.golden import assert_golden

HOLD = """
import sys
import time
from pathlib import Path
import duckdb  # noqa: TID253 - it looks at the files from outside

while not Path("hold").exists():
    time.sleep(0.01)
held = duckdb.connect(sys.argv[1])
Path("held").touch()
sys.stdin.read()
"""
NEW = {"shop/totals.sql": "select sum(amount) as total from orders\n"}


def store(shop):
    return shop.state / "metadata.duckdb"


def damaged(shop):
    """The middle of the store is overwritten."""
    data = bytearray(store(shop).read_bytes())
    data[4096 : len(data) // 2] = b"\xa5" * (len(data) // 2 - 4096)
    store(shop).write_bytes(data)


def truncated(shop):
    store(shop).write_bytes(store(shop).read_bytes()[:10_000])


def foreign(shop):
    store(shop).unlink()
    with duckdb.connect(store(shop)) as other:
        other.execute("create table customers as select 1 as id")


def text(shop):
    store(shop).write_text("this is no database\n" * 1000)


def empty(shop):
    store(shop).write_bytes(b"")


def newer(shop):
    with duckdb.connect(store(shop)) as other:
        other.execute("insert into migrations values (9999, 'from the future')")


def folder(shop):
    store(shop).unlink()
    store(shop).mkdir()


DAMAGES = [damaged, truncated, foreign, text, empty, newer, folder]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_store_that_cannot_be_used_is_never_written_to(damage, shop):
    content = store(shop).read_bytes()
    damage(shop)
    found = store(shop).read_bytes() if store(shop).is_file() else None

    said = {name: shop.run(name) for name in ("plan", "materialize", "status", "runs", "audit")}
    document = shop.run("materialize", "--json")

    assert_golden(f"bad_input/store_{damage.__name__}", _as_found(said["plan"].err))
    assert {one.code for one in said.values()} == {1}
    assert {one.out for one in said.values()} == {""}
    assert document.document["error"]["hint"]
    assert shop.run("doctor").code == 1
    assert (store(shop).read_bytes() if store(shop).is_file() else None) == found

    if store(shop).is_dir():
        store(shop).rmdir()
    store(shop).write_bytes(content)
    assert shop.run("materialize").out == "Everything is up to date: 1 asset.\n"


def _as_found(error):
    """Return the message without the words of DuckDB, which differ between its versions."""
    return re.sub(r"(found|because)( +)(?!a DuckDB).*", r"\1\2<what DuckDB says>", error)


def test_after_the_store_was_moved_aside_a_new_history_begins(shop):
    store(shop).rename(shop.root / "aside.duckdb")

    assert shop.run("materialize").code == 0
    assert shop.run("sql", "select count(*) from orders", "--json").document["rows"] == [[2]]


def unfolded(shop):
    """Materialize in a process that ends before it publishes, and return its journal."""
    shop.write(NEW)
    code = (
        "import os\n"
        "from assetflow.execution.publishing import Publisher\n"
        "Publisher.publish = lambda *_: os._exit(9)\n"
        "from assetflow.cli.main import run\n"
        "run(['materialize', '--threads', '1'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=shop.root, check=False, capture_output=True, text=True
    )
    assert done.returncode == 9, done.stderr
    (journal,) = (shop.state / "journal").glob("*.jsonl")
    return journal


def test_a_torn_last_line_of_a_journal_does_not_count(shop):
    journal = unfolded(shop)
    whole = journal.read_bytes()
    last = whole.rstrip(b"\n").rpartition(b"\n")[2]
    assert json.loads(last)
    journal.write_bytes(whole[: -len(last) // 2])

    said = shop.run("materialize", "--json")

    assert (said.code, said.document["status"]) == (0, "succeeded")
    assert [step["outcome"] for step in said.document["steps"]] == ["reused"]
    assert "totals" in shop.published()


def test_a_damaged_line_in_a_journal_is_named_and_nothing_is_lost(shop):
    journal = unfolded(shop)
    lines = journal.read_bytes().split(b"\n")
    lines[2] = b'{"kind": "Version' + b"\x00" * 10
    journal.write_bytes(b"\n".join(lines))
    served = shop.published()

    said = shop.run("materialize")

    assert said.code == 1
    assert_golden("bad_input/journal_damaged", said.err)
    assert journal.exists()
    assert shop.published() == served
    assert shop.run("plan").code == 1

    journal.rename(shop.root / "aside.jsonl")
    assert shop.run("materialize").code == 0
    assert "totals" in shop.published()


def test_a_project_that_was_moved_goes_on_working(shop, tmp_path):
    moved = Shop(tmp_path / "elsewhere", shop.capture)
    shop.root.rename(moved.root)

    assert moved.run("materialize").out == "Everything is up to date: 1 asset.\n"
    assert moved.run("sql", "select count(*) from orders", "--json").document["rows"] == [[2]]
    moved.write(NEW)
    assert moved.run("materialize").code == 0
    with duckdb.connect(moved.state / "catalog.duckdb", read_only=True) as catalog:
        assert catalog.execute("select count(*) from orders").fetchone() == (2,)


def test_the_catalog_of_a_moved_project_is_right_without_a_run(shop, tmp_path):
    moved = Shop(tmp_path / "elsewhere", shop.capture)
    shop.root.rename(moved.root)

    moved.run("materialize")

    with duckdb.connect(moved.state / "catalog.duckdb", read_only=True) as catalog:
        assert catalog.execute("select count(*) from orders").fetchone() == (2,)


def test_two_projects_that_share_a_state_folder(shop, tmp_path):
    other = Shop(tmp_path / "other", shop.capture)
    shutil.copytree(shop.root, other.root, ignore=shutil.ignore_patterns(".assetflow"))
    setting = f'package = "shop"\nstate = "{shop.state}"\n'
    other.write({"assetflow.toml": setting})

    said = other.run("materialize")

    assert said.code == 0
    assert shop.run("materialize").out == "Everything is up to date: 1 asset.\n"


def test_a_version_whose_file_is_gone_is_made_again(shop):
    for file in (shop.state / "data").rglob("*.parquet"):
        file.unlink()

    query = shop.run("sql", "select * from orders")
    said = shop.run("materialize", "--json")

    assert query.code in {1, 2}
    assert_golden("bad_input/version_gone", query.err)
    assert (said.code, said.document["steps"][0]["reasons"][0]["code"]) == (0, "version_missing")


def read_only(shop):
    for path in [shop.root, *shop.root.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_a_project_that_may_only_be_read_can_be_looked_at(shop, request):
    request.addfinalizer(lambda: [path.chmod(0o755) for path in [shop.root, *shop.root.rglob("*")]])
    read_only(shop)

    for arguments in (["plan"], ["status"], ["sql", "from orders"], ["runs"], ["show", "orders"]):
        said = shop.process(*arguments, preexec_fn=without_privilege)
        assert (said.code, said.err) == (0, ""), arguments


def test_a_state_folder_that_may_only_be_read_is_said(shop, request):
    request.addfinalizer(lambda: [path.chmod(0o755) for path in [shop.root, *shop.root.rglob("*")]])
    served = shop.published()
    shop.write(NEW)
    read_only(shop)

    said = shop.process("materialize", preexec_fn=without_privilege)
    document = shop.process("materialize", "--json", preexec_fn=without_privilege)

    assert said.code == 1
    assert_golden("bad_input/read_only_state", said.err)
    assert document.document["error"]["hint"]
    assert shop.published() == served


def test_a_new_project_that_may_only_be_read(shop, request):
    request.addfinalizer(lambda: [path.chmod(0o755) for path in [shop.root, *shop.root.rglob("*")]])
    shutil.rmtree(shop.state)
    read_only(shop)

    planned = shop.process("plan", preexec_fn=without_privilege)
    said = shop.process("materialize", preexec_fn=without_privilege)

    assert (planned.code, planned.err) == (0, "")
    assert said.code == 1
    assert_golden("bad_input/read_only_project", said.err)


def a_small_disk():
    """No file of this process may grow beyond a million bytes, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))


BIG = {"shop/big.sql": "select range as id, hash(range) as noise from range(400000)\n"}
BIG_PYTHON = {
    "shop/big.py": """
        import random

        import pyarrow as pa
        from assetflow import asset

        @asset
        def big():
            numbers = [random.random() for _ in range(200_000)]
            return pa.table({"noise": numbers})
    """
}


@pytest.mark.parametrize("files", [BIG, BIG_PYTHON], ids=["sql", "python"])
def test_a_full_disk_fails_the_step_and_loses_nothing(files, shop):
    served = shop.published()
    shop.write(files | NEW)

    said = shop.process("materialize", "--threads", "1", "--json", preexec_fn=a_small_disk)

    assert said.code == 1
    assert served.items() <= shop.published().items()
    steps = {step["asset"]: step for step in said.document["steps"]}
    assert steps["big"]["outcome"] == "failed"
    assert "The disk is full" in steps["big"]["error"]
    assert steps["totals"]["outcome"] == "materialized"
    assert not list((shop.state / "data").rglob("*.partial"))

    again = shop.run("materialize", "--json")
    assert again.code == 0
    assert {step["asset"] for step in again.document["steps"]} == {"big"}


def no_room_at_all():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_disk_without_any_room_is_said_before_anything_runs(shop):
    served = shop.published()
    shop.write(NEW)

    said = shop.process("materialize", preexec_fn=no_room_at_all)

    assert said.code == 1
    assert_golden("bad_input/no_room", said.text)
    assert shop.published() == served
    assert shop.run("materialize").code == 0


@pytest.fixture
def holder(shop, monkeypatch):
    """Another process, that opens the store for writing when there is a file `hold`."""
    monkeypatch.setattr(Store.__init__, "__defaults__", (0.3,))
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store(shop))], cwd=shop.root, stdin=subprocess.PIPE
    )
    yield process
    process.communicate(b"")


@pytest.mark.parametrize("command", ["plan", "status", "runs"])
def test_a_store_that_another_process_holds_is_said_with_its_holder(command, shop, holder):
    (shop.root / "hold").touch()
    while not (shop.root / "held").exists():
        assert holder.poll() is None

    said = shop.run(command)

    assert said.code == 1
    assert_golden("bad_input/store_held", said.err)


HOLDS = """
    import time
    from pathlib import Path

    from assetflow import asset

    @asset
    def holds():
        Path("hold").touch()
        while not Path("held").exists():
            time.sleep(0.01)
        return [{"a": 1}]
"""


def test_a_run_whose_store_is_held_is_published_by_the_next_command(shop, holder):
    shop.write({"shop/holds.py": HOLDS} | NEW)

    said = shop.run("materialize", "--threads", "1")
    holder.communicate(b"")

    assert said.code == 1
    assert_golden("bad_input/unpublished", said.out)
    assert f"(PID {holder.pid})" in said.printed
    assert shop.run("runs", "--json").document[0]["status"] == "unpublished"
    assert {"totals", "holds"} <= shop.published().keys()
