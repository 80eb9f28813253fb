"""What is staged is what was computed, whole, under a name of its own, or nothing."""

import os
import re
import uuid
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assetflow.errors import (
    AssetReturnedNothing,
    AssetReturnedWrongThing,
    ColumnsDiffer,
    EmptyWithoutColumns,
    OutsideDataFolder,
    TypeNotStored,
    VersionMissing,
)
from assetflow.model.columns import EVERYTHING, EVERYTHING_ORDERED, Column, ReadSet
from assetflow.model.names import AssetName, AssetPartition, PartitionKey
from assetflow.warehouse.inputs import open_input
from assetflow.warehouse.layout import new_version_id
from assetflow.warehouse.versions import (
    NewVersion,
    describe,
    scan_sql,
    stage_query,
    stage_value,
    stored_path,
    sync_versions,
)

TARGET = AssetPartition(AssetName("orders"))


@pytest.fixture
def new(engine, data):
    def new(target=TARGET, **options):
        return NewVersion(data, target, new_version_id(), engine.algorithm, **options)

    return new


@pytest.fixture
def rows_of(cursor, data):
    def rows_of(staged):
        scan = scan_sql(data, [(staged.path, staged.size_bytes)])
        return cursor.execute(f"from {scan}").fetchall()

    return rows_of


def files_below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_query_becomes_a_file_with_its_digests(cursor, new, data, rows_of):
    wanted = (ReadSet.of(["a"]), ReadSet.of(["gone"]))

    staged = stage_query(cursor, "select 1 as a, 'x' as b", None, None, new(read_sets=wanted))

    assert rows_of(staged) == [(1, "x")]
    assert [read_set for read_set, _ in staged.digests] == [EVERYTHING, ReadSet.of(["a"])]
    assert (staged.rows, staged.format) == (1, "parquet")
    assert staged.schema == (Column("a", "INTEGER"), Column("b", "VARCHAR"))
    assert files_below(data) == [staged.path]
    assert staged.size_bytes == (data / staged.path).stat().st_size


def test_parameters_are_bound(cursor, new, rows_of):
    query = "select $partition_key as k, $n + 1 as n;"

    staged = stage_query(cursor, query, {"partition_key": "a|b", "n": 1}, None, new())

    assert rows_of(staged) == [("a|b", 2)]


def test_a_query_may_end_in_a_comment(cursor, new, rows_of):
    staged = stage_query(cursor, "with x as (select 1 a) from x -- all", None, None, new())

    assert rows_of(staged) == [(1,)]


def test_a_failing_query_leaves_nothing(cursor, new, data):
    with pytest.raises(duckdb.ConversionException):
        stage_query(cursor, "select 'x'::int + i as a from range(3) t(i)", None, None, new())

    assert files_below(data) == []


@pytest.mark.parametrize(
    ("expression", "type_", "value"),
    [
        ("1::hugeint", "DECIMAL(38,0)", 1),
        ("'a'::enum('a', 'b')", "VARCHAR", "a"),
        ("'101'::bit", "VARCHAR", "101"),
        ("null", "INTEGER", None),
        ("interval '1 microsecond'", "VARCHAR", "00:00:00.000001"),
        ("[1::hugeint]", "DECIMAL(38,0)[]", [1]),
    ],
)
def test_types_that_parquet_has_not_are_cast(cursor, new, rows_of, expression, type_, value):
    staged = stage_query(cursor, f"select {expression} as v", None, None, new())

    assert staged.schema == (Column("v", type_),)
    assert rows_of(staged) == [(value,)]


@pytest.mark.parametrize("expression", ["union_value(a := 1)", "'12:00:00+00'::timetz"])
def test_types_that_cannot_be_stored_are_an_error(cursor, new, data, expression):
    with pytest.raises(TypeNotStored):
        stage_query(cursor, f"select {expression} as v", None, None, new())

    assert files_below(data) == []


@pytest.mark.parametrize(
    "type_",
    [
        "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER",
        "UBIGINT", "HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL(4,1)", "DECIMAL(38,10)",
        "VARCHAR", "BLOB", "BIT", "UUID", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_S",
        "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "INTERVAL", "JSON",
        "ENUM('a', 'b')", "INTEGER[]", "INTEGER[3]", "VARCHAR[][]", "STRUCT(a INTEGER, b VARCHAR)",
        "MAP(VARCHAR, INTEGER)",
    ],
)  # fmt: skip
def test_the_recorded_schema_is_what_the_file_gives_back(cursor, new, data, type_):
    query = f"select null::{type_} as v"

    staged = stage_query(cursor, query, None, describe(cursor, query), new())

    scan = scan_sql(data, [(staged.path, staged.size_bytes)])
    assert describe(cursor, f"from {scan}") == staged.schema


def test_an_ordered_query_keeps_its_order(cursor, new, rows_of):
    query = "select hash(i) as h from range(300000) t(i) order by h desc"

    staged = stage_query(cursor, query, None, None, new(ordered=True))

    found = rows_of(staged)
    assert found == sorted(found, reverse=True)
    assert staged.digests[0][0] == EVERYTHING_ORDERED


def test_the_same_content_has_the_same_digest_in_every_form(cursor, new):
    table = pa.table({"a": pa.array([1, 2], pa.int64()), "b": ["x", None]})
    pandas = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    polars = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    forms = [
        table,
        pa.RecordBatchReader.from_batches(table.schema, table.to_batches()),
        iter(table.to_batches()),
        iter([table]),
        pandas,
        polars,
        polars.lazy(),
        [{"a": 1, "b": "x"}, {"a": 2}],
        cursor.sql("select a::bigint a, b from (values (1, 'x'), (2, null)) t(a, b)"),
    ]

    staged = [stage_value(cursor, value, None, new()) for value in forms]

    assert {found.schema for found in staged} == {(Column("a", "BIGINT"), Column("b", "VARCHAR"))}
    assert len({found.digests for found in staged}) == 1
    assert {found.rows for found in staged} == {2}


def test_a_named_index_of_pandas_is_a_column(cursor, new, rows_of):
    frame = pd.DataFrame({"a": [1, 2, 3]}, index=pd.Index(["x", "y", "z"], name="key"))

    assert rows_of(stage_value(cursor, frame, None, new())) == [("x", 1), ("y", 2), ("z", 3)]
    assert rows_of(stage_value(cursor, frame[1:].reset_index(drop=True)[1:], None, new())) == [(3,)]


def test_what_is_null_in_a_list_stays_null_through_pandas(cursor, new, rows_of):
    query = """select [1, null] as a, [[1, null], null] as b, {'x': [null, 1.5]} as c,
        [null, 'x'] as d, [date '2026-01-05', null]::timestamp[] as e, [1, 2] as f, null::int[] as g
        """
    expected = cursor.sql(query).fetchall()

    staged = stage_value(cursor, cursor.sql(query).df(), None, new())

    assert rows_of(staged) == expected


def test_a_batch_of_other_columns_is_refused(cursor, new, data):
    batches = (pa.record_batch({name: [1]}) for name in "ab")

    with pytest.raises(AssetReturnedWrongThing, match=r"columns b \(int64\), not a \(int64\)"):
        stage_value(cursor, batches, None, new())

    assert files_below(data) == []


def test_a_relation_is_cast_too(cursor, new, rows_of):
    staged = stage_value(cursor, cursor.sql("select 1::hugeint as v, null as n"), None, new())

    assert staged.schema == (Column("v", "DECIMAL(38,0)"), Column("n", "INTEGER"))
    assert rows_of(staged) == [(1, None)]


def test_a_stream_is_read_once_in_its_order(cursor, new, rows_of):
    def batches():
        for start in range(0, 50_000, 1000):
            yield pa.record_batch({"i": pa.array(range(start, start + 1000))})

    staged = stage_value(cursor, batches(), None, new(ordered=True))

    assert rows_of(staged) == [(i,) for i in range(50_000)]


def test_a_lazy_frame_is_written_batch_by_batch_in_its_order(cursor, new, rows_of, monkeypatch):
    frame = pl.LazyFrame({"i": range(250_000)}).with_columns(s=pl.col("i").cast(pl.String))
    frame = frame.with_columns(pl.col("s").cast(pl.Categorical), n=pl.lit(None))
    monkeypatch.setattr(pl.LazyFrame, "collect", lambda *_: pytest.fail("collected whole"))

    staged = stage_value(cursor, frame, None, new(ordered=True))

    assert rows_of(staged) == [(i, str(i), None) for i in range(250_000)]
    assert staged.schema[1] == Column("s", "VARCHAR")


def test_a_lazy_frame_without_rows_has_its_columns(cursor, new):
    frame = pl.LazyFrame({"a": [1]}).filter(pl.col("a") > 1)

    staged = stage_value(cursor, frame, None, new())

    assert (staged.schema, staged.rows) == ((Column("a", "BIGINT"),), 0)


def test_a_lazy_frame_of_a_polars_without_batches_is_collected(cursor, new, rows_of, monkeypatch):
    monkeypatch.delattr(pl.LazyFrame, "collect_batches")

    assert rows_of(stage_value(cursor, pl.LazyFrame({"a": [1, 2]}), None, new())) == [(1,), (2,)]


def test_what_a_lazy_frame_raises_while_it_is_read_comes_through(cursor, new, data):
    def fails(values: pl.Series) -> pl.Series:
        raise ZeroDivisionError("mine")

    frame = pl.LazyFrame({"a": [1, 2]}).select(
        pl.col("a").map_batches(fails, return_dtype=pl.Int64)
    )

    with pytest.raises(Exception, match="mine") as raised:
        stage_value(cursor, frame, None, new())
    assert "duckdb" not in type(raised.value).__module__
    assert files_below(data) == []


@pytest.mark.parametrize("form", ["iterator", "reader"])
def test_what_a_stream_raises_comes_through(cursor, new, data, form):
    def batches():
        yield pa.record_batch({"i": [1]})
        raise ZeroDivisionError("mine")

    value = batches()
    if form == "reader":
        value = pa.RecordBatchReader.from_batches(pa.schema({"i": pa.int64()}), value)

    with pytest.raises(ZeroDivisionError if form == "iterator" else Exception, match="mine"):
        stage_value(cursor, value, None, new())
    assert files_below(data) == []


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (None, AssetReturnedNothing, "The asset returned None."),
        (42, AssetReturnedWrongThing, "an int"),
        ({"a": [1]}, AssetReturnedWrongThing, "a dict"),
        ([1, 2], AssetReturnedWrongThing, "An item is an int, not a dict."),
        ([{1: 2}], AssetReturnedWrongThing, "named 1"),
        ([{"a": 1}, {"a": "x"}], AssetReturnedWrongThing, "a list of 2 rows"),
        ([{"a": 1}, {"a": "x"}], AssetReturnedWrongThing, "Column 'a'"),
        ([{"a": object()}], AssetReturnedWrongThing, "a list of 1 row,"),
        (uuid.UUID(int=1), AssetReturnedWrongThing, "a uuid.UUID"),
        ([{}], AssetReturnedWrongThing, "It has no columns."),
        ([], EmptyWithoutColumns, "an empty list"),
        (iter([]), EmptyWithoutColumns, "an iterator without batches"),
        (iter([1]), AssetReturnedWrongThing, "an iterator of an int"),
        (pa.table({}), AssetReturnedWrongThing, "It has no columns."),
        (pa.table([[1], [2]], names=["a", "A"]), AssetReturnedWrongThing, "'a' and 'A'"),
        (pd.DataFrame({1: [1]}), AssetReturnedWrongThing, "named 1"),
        (pd.DataFrame({"a": [1, "x"]}), AssetReturnedWrongThing, "a pandas.DataFrame"),
        (Path("/nowhere/model.bin"), AssetReturnedWrongThing, "Nothing exists there."),
    ],
)
def test_what_cannot_be_stored_is_refused_with_the_forms(cursor, new, data, value, error, said):
    with pytest.raises(error, match=re.escape(said)):
        stage_value(cursor, value, None, new())

    assert files_below(data) == []


DECLARED = (Column("a", "INT"), Column("b", "TEXT"))


@pytest.mark.parametrize(
    "value",
    [
        pa.table({"b": ["x"], "A": pa.array([1], pa.int32())}),
        [{"b": "x", "a": 1}],
        pd.DataFrame({"a": pd.Series([1], dtype="int32"), "b": ["x"]}),
    ],
)
def test_declared_columns_give_names_types_and_order(cursor, new, rows_of, value):
    staged = stage_value(cursor, value, DECLARED, new())

    assert staged.schema == (Column("a", "INTEGER"), Column("b", "VARCHAR"))
    assert rows_of(staged) == [(1, "x")]


NULLS = {"a": pa.array([1], pa.int32()), "b": pa.nulls(1)}


@pytest.mark.parametrize(
    "value",
    [
        pa.table(NULLS),
        pa.table(NULLS).to_reader(),
        iter(pa.table(NULLS).to_batches()),
        pl.DataFrame({"a": [1], "b": [None]}, schema_overrides={"a": pl.Int32}),
        pd.DataFrame({"a": pd.Series([1], dtype="int32"), "b": [None]}),
        [{"a": 1, "b": None}],
        duckdb.sql("select 1::int as a, null as b"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_column_of_nulls_alone_fits_any_declared_type(cursor, new, rows_of, value):
    staged = stage_value(cursor, value, DECLARED, new())

    assert staged.schema == (Column("a", "INTEGER"), Column("b", "VARCHAR"))
    assert rows_of(staged) == [(1, None)]


@pytest.mark.parametrize("value", [uuid.UUID(int=1), str(uuid.UUID(int=1)), None])
def test_rows_may_hold_uuids(cursor, new, rows_of, value):
    staged = stage_value(cursor, [{"u": value}], (Column("u", "uuid"),), new())

    assert staged.schema == (Column("u", "UUID"),)
    assert rows_of(staged) == [(value and uuid.UUID(int=1),)]


@pytest.mark.parametrize("value", [[], iter([]), pd.DataFrame({"b": [], "a": []})])
def test_nothing_with_declared_columns_is_an_empty_table(cursor, new, rows_of, value):
    staged = stage_value(cursor, value, DECLARED, new())

    assert staged.schema == (Column("a", "INTEGER"), Column("b", "VARCHAR"))
    assert rows_of(staged) == []


@pytest.mark.parametrize(
    ("value", "facts"),
    [
        (pa.table({"a": [1], "b": ["x"]}), {"a": "declared INTEGER, returned BIGINT"}),
        (pa.table({"b": ["x"]}), {"a": "declared INTEGER, returned not"}),
        (
            pa.table({"a": pa.array([1], pa.int32()), "b": ["x"], "c": [1]}),
            {"c": "declared not, returned BIGINT"},
        ),
        ([{"a": 1, "b": "x", "c": 1}], {"c": "declared not, returned BIGINT"}),
    ],
)
def test_columns_that_differ_from_the_declared_are_named(cursor, new, value, facts):
    with pytest.raises(ColumnsDiffer) as raised:
        stage_value(cursor, value, DECLARED, new())

    assert raised.value.facts == facts


@pytest.mark.parametrize("value", [1.5, 2**40, "1"])
def test_rows_are_not_bent_to_the_declared_types(cursor, new, value):
    with pytest.raises(AssetReturnedWrongThing, match="Column 'a'"):
        stage_value(cursor, [{"a": value, "b": "x"}], DECLARED, new())


def test_a_returned_file_is_copied_and_keeps_its_name(cursor, new, data, tmp_path):
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")

    staged = stage_value(cursor, model, None, new())
    model.write_bytes(b"later")

    kept = stored_path(data, staged.path, staged.size_bytes)
    assert (kept.name, kept.read_bytes()) == ("model.bin", b"weights")
    assert (staged.format, staged.schema, staged.rows) == ("files", (), None)


def test_the_digest_of_files_is_that_of_names_within_and_bytes(cursor, new, tmp_path):
    def folder(name, **files):
        (tmp_path / name / "sub").mkdir(parents=True)
        for file, text in files.items():
            (tmp_path / name / "sub" / file).write_text(text)
        return tmp_path / name

    def digest(path):
        return stage_value(cursor, path, None, new()).digests[0][1]

    assert digest(folder("one", a="1", b="2")) == digest(folder("two", a="1", b="2"))
    assert digest(folder("three", a="12", b="")) != digest(folder("four", a="1", b="2"))
    assert digest(folder("five", c="1", b="2")) != digest(tmp_path / "one")
    assert digest(folder("six", a="1") / "sub" / "a") == digest(tmp_path / "four" / "sub" / "a")


def test_a_file_in_the_scratch_folder_is_moved(cursor, new, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "big.bin").write_bytes(b"x")

    stage_value(cursor, scratch / "big.bin", None, new(scratch=scratch))

    assert files_below(scratch) == []


def test_links_are_followed_and_odd_files_refused(cursor, new, data, tmp_path):
    (tmp_path / "real").write_text("1")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "real")

    staged = stage_value(cursor, folder, None, new(scratch=tmp_path))

    assert not (data / staged.path / "link").is_symlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(AssetReturnedWrongThing, match="neither a file nor a folder"):
        stage_value(cursor, folder, None, new())


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("table", pa.Table),
        ("reader", pa.RecordBatchReader),
        ("relation", duckdb.DuckDBPyRelation),
        ("pandas", pd.DataFrame),
        ("polars", pl.DataFrame),
        ("polars_lazy", pl.LazyFrame),
        ("rows", list),
    ],
)
def test_an_input_arrives_in_its_form_and_can_be_returned(cursor, new, data, form, kind):
    staged = stage_query(
        cursor, "select i, -i as j, 'x' as k from range(5) t(i)", None, None, new()
    )
    scan = scan_sql(data, [(staged.path, staged.size_bytes)])

    value = open_input(cursor, form, scan, ["j", "i"])

    assert isinstance(value, kind)
    again = stage_value(cursor, value, None, new())
    assert again.schema == (Column("j", "BIGINT"), Column("i", "BIGINT"))
    assert again.rows == 5


def test_two_streams_are_read_side_by_side(cursor, new, data):
    staged = stage_query(cursor, "select i from range(300000) t(i)", None, None, new())
    scan = scan_sql(data, [(staged.path, staged.size_bytes)])

    readers = [open_input(cursor, "reader", scan, None) for _ in range(2)]
    pairs = list(zip(*readers, strict=True))

    assert sum(left.num_rows for left, _ in pairs) == 300_000
    assert all(left.equals(right) for left, right in pairs)


def test_two_relations_can_be_joined(cursor, new, data):
    staged = stage_query(cursor, "select i from range(3) t(i)", None, None, new())
    scan = scan_sql(data, [(staged.path, staged.size_bytes)])

    left, right = (open_input(cursor, "relation", scan, None) for _ in range(2))

    assert stage_value(cursor, left.join(right, "i"), None, new()).rows == 3


def test_a_version_that_is_gone_or_changed_is_missing(cursor, new, data):
    staged = stage_query(cursor, "select 1 as a", None, None, new())
    versions = [(staged.path, staged.size_bytes)]

    with (data / staged.path).open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(VersionMissing, match="was changed"):
        scan_sql(data, versions)

    (data / staged.path).unlink()
    with pytest.raises(VersionMissing, match="is gone"):
        scan_sql(data, versions)


def test_a_path_out_of_the_data_folder_is_refused(data):
    for path in ("../x.parquet", "/etc/passwd", "a/../../x", ""):
        with pytest.raises(OutsideDataFolder):
            scan_sql(data, [(path, 1)])


def test_versions_and_their_folders_are_synced(cursor, new, data, tmp_path):
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "folder" / "sub" / "file").write_text("x")
    query = stage_query(cursor, "select 1 as a", None, None, new())
    files = stage_value(cursor, tmp_path / "folder", None, new())

    sync_versions(data, [query.path, files.path])

    with pytest.raises(FileNotFoundError):
        sync_versions(data, ["gone/x.parquet"])


@pytest.mark.parametrize(
    ("asset", "partition"),
    [
        ("orders", "2026-01-05"),
        ("Größe.表", "a|b"),
        ("x" * 200, "表" * 200),
        ("orders", ".."),
        ("orders", "it's [*?]%"),
        ("orders", "a/b\\c\n"),
    ],
)
def test_any_name_has_a_path(cursor, new, data, rows_of, asset, partition):
    target = AssetPartition(AssetName(asset), PartitionKey(partition))

    staged = stage_query(cursor, "select 1 as a", None, None, new(target))

    assert rows_of(staged) == [(1,)]
    assert len(Path(staged.path).parts) == 2


def test_zero_rows_and_nulls_alone_are_stored(cursor, new, rows_of):
    empty = stage_query(cursor, "select 1 as a where false", None, None, new())
    nulls = stage_value(cursor, pa.table({"n": pa.nulls(3)}), None, new())

    assert (empty.rows, rows_of(empty)) == (0, [])
    assert nulls.schema == (Column("n", "INTEGER"),)
    assert rows_of(nulls) == [(None,)] * 3


def test_the_metadata_of_the_file_agrees(cursor, new, data):
    staged = stage_query(cursor, "select i from range(200000) t(i)", None, None, new())

    assert pq.read_metadata(data / staged.path).num_rows == staged.rows == 200_000


def test_a_folder_named_like_a_partition_is_no_column(engine, cursor, tmp_path):
    data = tmp_path / "run=7" / "data"
    new = NewVersion(data, TARGET, new_version_id(), engine.algorithm)

    staged = stage_query(cursor, "select 1 as a", None, None, new)

    scan = scan_sql(data, [(staged.path, staged.size_bytes)])
    assert [column.name for column in describe(cursor, f"from {scan}")] == ["a"]


def test_a_schema_that_is_not_the_querys_leaves_nothing(cursor, new, data):
    with pytest.raises(duckdb.BinderException):
        stage_query(cursor, "select 1 as a", None, (Column("b", "INTEGER"),), new())

    assert files_below(data) == []
