"""Other tools open the catalog and see the published versions, whole."""

import time

import duckdb
import pytest

from assetflow.errors import OutsideDataFolder
from assetflow.warehouse.catalog import CatalogChange, update_catalog, write_catalog
from assetflow.warehouse.removal import leftovers, remove_versions, stored_versions


@pytest.fixture
def scan_of(cursor, tmp_path):
    def scan_of(number):
        path = tmp_path / f"{number}.parquet"
        cursor.execute(f"copy (select {number} as v) to '{path}' (format parquet)").fetchall()
        return f"read_parquet(['{path}'])"

    return scan_of


def read(path, query):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_views_show_what_is_published(cursor, tmp_path, scan_of):
    path = tmp_path / "catalog.duckdb"
    views = {"orders": scan_of(1), "staging.orders": scan_of(2), "a.b.c": scan_of(3)}
    views |= {"main.orders": scan_of(4), "select": scan_of(5)}

    assert write_catalog(cursor, path, views) == 5

    query = 'select (from orders), (from staging.orders), (from "a.b".c), (from "main.orders")'
    assert read(path, query) == [(1, 2, 3, 4)]
    assert read(path, 'from "select"') == [(5,)]


def test_only_changed_views_are_rewritten(cursor, tmp_path, scan_of):
    path = tmp_path / "catalog.duckdb"
    views = {"a": scan_of(1), "b": scan_of(2), "s.c": scan_of(3)}
    write_catalog(cursor, path, views)
    inode = path.stat().st_ino

    assert write_catalog(cursor, path, views) == 0
    assert path.stat().st_ino == inode
    assert write_catalog(cursor, path, views | {"b": scan_of(4)}) == 1
    assert write_catalog(cursor, path, {"a": scan_of(1)}) == 0
    assert read(path, "select view_name from duckdb_views() where not internal") == [("a",)]
    assert not [file for file in tmp_path.iterdir() if "catalog.duckdb." in file.name]


def test_an_open_reader_keeps_what_it_sees(cursor, tmp_path, scan_of):
    path = tmp_path / "catalog.duckdb"
    write_catalog(cursor, path, {"a": scan_of(1)})

    with duckdb.connect(str(path), read_only=True) as reader:
        write_catalog(cursor, path, {"a": scan_of(2)})
        assert reader.execute("from a").fetchall() == [(1,)]

    assert read(path, "from a") == [(2,)]


@pytest.mark.parametrize("text", ["garbage", ""])
def test_what_is_no_catalog_is_replaced(cursor, tmp_path, scan_of, text):
    path = tmp_path / "catalog.duckdb"
    path.write_text(text)
    path.with_name("catalog.duckdb.wal").write_text("leftover")

    write_catalog(cursor, path, {"a": scan_of(1)})

    assert read(path, "from a") == [(1,)]
    assert not path.with_name("catalog.duckdb.wal").exists()


def test_a_view_that_fails_leaves_the_catalog_as_it_was(cursor, tmp_path, scan_of):
    path = tmp_path / "catalog.duckdb"
    write_catalog(cursor, path, {"a": scan_of(1)})

    with pytest.raises(duckdb.Error):
        write_catalog(cursor, path, {"a": scan_of(2), "b": "read_parquet(['/nowhere.parquet'])"})

    assert read(path, "from a") == [(1,)]
    assert not list(tmp_path.glob("*.partial*"))
    assert cursor.execute("select 1").fetchall() == [(1,)]


def test_an_empty_catalog_can_be_opened(cursor, tmp_path):
    path = tmp_path / "catalog.duckdb"

    write_catalog(cursor, path, {})

    assert read(path, "select count(*) from duckdb_views() where not internal") == [(0,)]


def test_an_update_rewrites_what_followed(cursor, tmp_path, scan_of):
    path = tmp_path / "catalog.duckdb"
    write_catalog(cursor, path, {"a": scan_of(1), "b": scan_of(2), "s.c": scan_of(3)}, 7)
    asked = []

    def since(sequence):
        asked.append(sequence)
        changed = {"a": scan_of(4), "t.d": scan_of(5)}
        return CatalogChange(changed, ["s.c", "never"], 9) if sequence < 9 else None

    assert update_catalog(cursor, path, since)
    inode = path.stat().st_ino
    assert update_catalog(cursor, path, since)

    assert asked == [7, 9]
    assert path.stat().st_ino == inode
    assert read(path, "select (from a), (from b), (from t.d)") == [(4, 2, 5)]
    names = "select view_name from duckdb_views() where not internal order by 1"
    assert read(path, names) == [("a",), ("b",), ("d",)]
    assert read(path, "select count(*) from information_schema.tables") == [(3,)]


@pytest.mark.parametrize("content", [None, b"", b"garbage", "without"])
def test_a_catalog_that_says_no_sequence_is_made_whole(cursor, tmp_path, scan_of, content):
    path = tmp_path / "catalog.duckdb"
    if content == "without":
        with duckdb.connect(str(path)) as connection:
            connection.execute("create view a as select 1")
    elif content is not None:
        path.write_bytes(content)

    assert not update_catalog(cursor, path, lambda _: CatalogChange({}, [], 1))

    write_catalog(cursor, path, {"a": scan_of(1)}, 3)
    assert update_catalog(cursor, path, lambda found: CatalogChange({}, ["a"], found + 1))
    assert read(path, "select count(*) from information_schema.tables") == [(0,)]


def test_an_update_that_fails_leaves_the_catalog_to_be_made_whole(cursor, tmp_path, scan_of):
    path = tmp_path / "catalog.duckdb"
    write_catalog(cursor, path, {"a": scan_of(1)}, 3)
    change = CatalogChange({"a": scan_of(2), "b": "read_parquet(['/nowhere.parquet'])"}, [], 4)

    assert not update_catalog(cursor, path, lambda _: change)

    assert read(path, "from a") == [(1,)]
    assert not list(tmp_path.glob("*.partial*"))


def versions_in(data):
    for path in ("a/_/1.parquet", "a/_/2.parquet", "a/3.parquet", "b/_/4/model.bin", "b/5/x"):
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_text("12345")


def test_versions_are_removed_with_their_empty_folders(data):
    versions_in(data)

    freed = remove_versions(
        data, ["a/_/1.parquet", "a/3.parquet", "b/_/4/model.bin", "b/5/x", "b/gone.parquet"]
    )

    assert freed == 20
    assert list(stored_versions(data)) == ["a/_/2.parquet"]
    assert sorted(path.name for path in data.iterdir()) == ["a"]


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/hosts", "a", "a/_", "linked/_/x"])
def test_nothing_is_removed_outside_the_data_folder(data, tmp_path, path):
    versions_in(data)
    (tmp_path / "elsewhere" / "_").mkdir(parents=True)
    (tmp_path / "elsewhere" / "_" / "x").write_text("mine")
    (data / "linked").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OutsideDataFolder):
        remove_versions(data, ["a/_/1.parquet", path])

    assert (data / "a/_/1.parquet").exists()
    assert (tmp_path / "elsewhere" / "_" / "x").exists()


def test_a_link_is_removed_and_not_followed(data, tmp_path):
    versions_in(data)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("x")
    (data / "a" / "_" / "5").symlink_to(tmp_path / "mine")

    remove_versions(data, ["a/_/5"])

    assert (tmp_path / "mine" / "file").exists()


def test_half_written_files_are_leftovers_and_no_versions(data):
    versions_in(data)
    (data / "a/_/9.parquet.partial").write_text("x")
    (data / "a/9.parquet.partial").write_text("x")

    known = ["a/_/1.parquet", "a/3.parquet", "b/_/4/model.bin"]

    left = leftovers(data, known, time.time() + 1)

    assert not [path for path in stored_versions(data) if "partial" in path]
    assert left == [
        ("a/9.parquet.partial", 1),
        ("a/_/2.parquet", 5),
        ("a/_/9.parquet.partial", 1),
        ("b/5/x", 5),
    ]
    assert leftovers(data, known, time.time() - 1000) == []
    assert remove_versions(data, [path for path, _ in left]) == 12
    assert list(stored_versions(data)) == known
