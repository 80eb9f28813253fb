"""Versions of partitions, packed or not, are what they would be by themselves."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetflow.errors import (
    AssetReturnedWrongThing,
    ReservedColumn,
    RowsOutsidePartition,
    UnfitPartitionColumn,
    VersionMissing,
)
from assetflow.model.columns import EVERYTHING, EVERYTHING_ORDERED, Column, ReadSet, Schema
from assetflow.model.names import AssetName, AssetPartition, PartitionKey
from assetflow.warehouse import digests as digests_module
from assetflow.warehouse.batches import stage_batch, stage_batch_value
from assetflow.warehouse.digests import digest_columns
from assetflow.warehouse.layout import new_version_id
from assetflow.warehouse.packing import PACKED_ROWS, Packable, pack, what_to_pack
from assetflow.warehouse.partition_columns import (
    KeyWindow,
    TextKeys,
    TimeKeys,
    check_rows_inside,
    key_expression,
)
from assetflow.warehouse.parts import Part, scan_parts
from assetflow.warehouse.slices import digest_slices
from assetflow.warehouse.versions import NewVersion, describe, stage_query, stage_value

KEYS = ("b", "a'", "Ö|表", "empty")
SETS = (ReadSet.of(["i"]), ReadSet.of([]), ReadSet.of(["i", "k"], ordered=True))
FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
rows_of_keys = st.lists(st.tuples(st.sampled_from(KEYS[:3]), st.integers(0, 3)), max_size=30)


@pytest.fixture
def new(engine, data):
    def new(key, **options):
        target = AssetPartition(AssetName("orders"), PartitionKey(key))
        return NewVersion(data, target, new_version_id(), engine.algorithm, SETS, **options)

    return new


def by_column(_schema: Schema) -> str:
    """Return the SQL of the key of a row, which is in a column of its own."""
    return "k"


def part_of(staged, key):
    return Part(staged.path, staged.size_bytes, PartitionKey(key), staged.packed)


def table(rows):
    keys, numbers = [row[0] for row in rows], [row[1] for row in rows]
    return pa.table({"k": pa.array(keys, pa.string()), "i": pa.array(numbers, pa.int64())})


def singles(cursor, new, rows, **options):
    tables = {key: table([row for row in rows if row[0] == key]) for key in KEYS}
    return [stage_value(cursor, tables[key], None, new(key, **options)) for key in KEYS]


@FEW
@given(rows=rows_of_keys, small=st.sampled_from([0, 4, 1000]), ordered=st.booleans())
def test_a_batch_is_what_its_partitions_are_alone(cursor, new, rows, small, ordered):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digests_module, "SMALL", small)
        alone = singles(cursor, new, rows, ordered=ordered)
        made = [new(key, ordered=ordered) for key in KEYS]
        batch = stage_batch_value(cursor, table(rows), None, made, by_column)

    assert [one.digests for one in batch] == [one.digests for one in alone]
    assert [one.rows for one in batch] == [one.rows for one in alone]
    assert [one.schema for one in batch] == [one.schema for one in alone]
    assert len({one.path for one in batch}) == 1


@FEW
@given(
    rows=rows_of_keys,
    packed=st.sets(st.sampled_from(KEYS)),
    chosen=st.sets(st.sampled_from(KEYS), min_size=1),
)
def test_parts_read_the_same_wherever_they_lie(cursor, new, data, rows, packed, chosen):
    staged = dict(zip(KEYS, singles(cursor, new, rows), strict=True))
    parts = {key: part_of(one, key) for key, one in staged.items()}
    if packed:
        file = pack(cursor, data, AssetName("orders"), [parts[k] for k in KEYS if k in packed])
        parts |= {k: Part(file.path, file.size_bytes, PartitionKey(k), True) for k in packed}
    wanted = [parts[key] for key in KEYS if key in chosen]
    expected = [row for key in KEYS if key in chosen for row in rows if row[0] == key]

    plain = cursor.execute(f"from {scan_parts(data, wanted)}").fetchall()
    in_order = cursor.execute(f"from {scan_parts(data, wanted, ordered=True)}").fetchall()
    keyed = cursor.execute(f"from {scan_parts(data, wanted, key_column='Key')}").fetchall()

    assert sorted(plain) == sorted(expected)
    assert in_order == expected
    assert sorted(keyed) == sorted((*row, row[0]) for row in expected)


def test_parts_of_differing_schemas_have_the_newest_first(cursor, new, data):
    old = stage_query(cursor, "select 1::integer a, 'x' gone", None, None, new("a'"))
    newer = stage_query(cursor, "select 2.5::double b, 7::bigint a", None, None, new("b"))
    parts = [part_of(old, "a'"), part_of(newer, "b")]

    scan = scan_parts(data, parts, schema=newer.schema, key_column="k")

    assert [tuple(column)[:2] for column in describe(cursor, f"from {scan}")] == [
        ("b", "DOUBLE"), ("a", "BIGINT"), ("gone", "VARCHAR"), ("k", "VARCHAR"),
    ]  # fmt: skip
    found = cursor.execute(f"from {scan} order by a").fetchall()
    assert found == [(None, 1, "x", "a'"), (2.5, 7, None, "b")]


def test_a_file_that_is_gone_is_missing(cursor, new, data):
    staged = stage_query(cursor, "select 1 a", None, None, new("b"))

    with pytest.raises(VersionMissing):
        scan_parts(data, [part_of(staged, "b")._replace(size_bytes=1)])


def test_rows_of_no_partition_are_refused_with_examples(cursor, new, data):
    query = "select i, case when i < 7 then 'b' when i < 9 then 'zz' end k from range(10) t(i)"

    with pytest.raises(RowsOutsidePartition) as raised:
        stage_batch(cursor, query, None, None, [new("b"), new("c")], "k")

    assert raised.value.headline == "3 rows lie outside one of 2 partitions."
    assert raised.value.facts["row 1"] == "zz: i = 7, k = zz"
    assert raised.value.facts["row 3"] == "no partition: i = 9, k = None"
    assert not list(data.rglob("*.*"))


@pytest.mark.parametrize("form", ["relation", "rows", "stream"])
def test_a_batch_may_be_returned_in_any_form(cursor, new, data, form):
    rows = table([("b", 1), ("a'", 2), ("b", 3)])
    query = "select * from (values ('b', 1), ('a''', 2), ('b', 3)) t(k, i)"
    value = {
        "relation": lambda: cursor.sql(query),
        "rows": rows.to_pylist,
        "stream": lambda: iter(rows.to_batches()),
    }[form]()

    batch = stage_batch_value(cursor, value, None, [new("b"), new("a'")], by_column)

    assert [one.rows for one in batch] == [2, 1]
    scan = scan_parts(data, [part_of(one, k) for one, k in zip(batch, ("b", "a'"), strict=True)])
    assert sorted(cursor.execute(f"from {scan}").fetchall()) == [("a'", 2), ("b", 1), ("b", 3)]


def test_a_path_is_no_batch(cursor, new, tmp_path):
    with pytest.raises(AssetReturnedWrongThing, match="batch_size=1"):
        stage_batch_value(cursor, tmp_path, None, [new("b")], by_column)


@pytest.mark.parametrize("name", ["assetflow_partition", "Assetflow_Partition"])
@pytest.mark.parametrize("form", ["query", "table", "relation"])
def test_the_column_of_packed_files_is_reserved(cursor, new, data, name, form):
    stage = {
        "query": lambda: stage_query(cursor, f"select 1 as {name}", None, None, new("b")),
        "table": lambda: stage_value(cursor, pa.table({name: [1]}), None, new("b")),
        "relation": lambda: stage_value(cursor, cursor.sql(f"select 1 as {name}"), None, new("b")),
    }[form]

    with pytest.raises(ReservedColumn, match=name.lower()):
        stage()

    assert not list(data.rglob("*.*"))


def days(zone, first, count, offset=timedelta()):
    """Return daily windows as the clocks of `zone` show them."""

    def begin(day):
        naive = datetime.combine(day, datetime.min.time()) + offset
        return naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)

    found = [first + timedelta(days=place) for place in range(count + 1)]
    return TimeKeys(
        tuple(
            KeyWindow(PartitionKey(day.isoformat()), begin(day), begin(after))
            for day, after in pairwise(found)
        ),
        zone,
    )


BERLIN = days("Europe/Berlin", date(2026, 3, 28), 3)
SHIFTED = days("Europe/Berlin", date(2026, 3, 28), 3, timedelta(hours=6))
LOCAL_MEAN = days("Europe/Amsterdam", date(1930, 1, 1), 3)


def hours(*starts):
    return TimeKeys(
        tuple(
            KeyWindow(PartitionKey(key), begin, begin + timedelta(hours=1)) for key, begin in starts
        ),
        "Europe/Berlin",
    )


FOLD = hours(
    ("2026-10-25T02", datetime(2026, 10, 25, 0, tzinfo=UTC)),
    ("2026-10-25T02+01", datetime(2026, 10, 25, 1, tzinfo=UTC)),
)


@pytest.mark.parametrize(
    ("keys", "type_", "value", "key"),
    [
        (BERLIN, "DATE", "2026-03-29", "2026-03-29"),
        (BERLIN, "DATE", "2026-03-31", None),
        (BERLIN, "DATE", "infinity", None),
        (BERLIN, "TIMESTAMP", "2026-03-28 23:59:59.999999", "2026-03-28"),
        (BERLIN, "TIMESTAMP", "2026-03-29 00:00:00", "2026-03-29"),
        (BERLIN, "TIMESTAMP", "infinity", None),
        (BERLIN, "TIMESTAMP_S", "2026-03-30 12:00:00", "2026-03-30"),
        (BERLIN, "TIMESTAMP_NS", "2026-03-30 12:00:00", "2026-03-30"),
        (BERLIN, "TIMESTAMP WITH TIME ZONE", "2026-03-28 22:59:59+00", "2026-03-28"),
        (BERLIN, "TIMESTAMP WITH TIME ZONE", "2026-03-28 23:00:00+00", "2026-03-29"),
        (BERLIN, "TIMESTAMP WITH TIME ZONE", "2026-03-29 22:00:00+00", "2026-03-30"),
        (BERLIN, "TIMESTAMP WITH TIME ZONE", "2026-03-30 22:00:00+00", None),
        (BERLIN, "VARCHAR", "2026-03-29", "2026-03-29"),
        (SHIFTED, "DATE", "2026-03-29", "2026-03-29"),
        (SHIFTED, "TIMESTAMP", "2026-03-29 05:59:59", "2026-03-28"),
        (SHIFTED, "TIMESTAMP", "2026-03-29 06:00:00", "2026-03-29"),
        (LOCAL_MEAN, "TIMESTAMP", "1930-01-02 00:00:00", "1930-01-02"),
        (LOCAL_MEAN, "TIMESTAMP WITH TIME ZONE", "1930-01-01 23:40:28+00", "1930-01-02"),
        (FOLD, "TIMESTAMP", "2026-10-25 02:30:00", "2026-10-25T02"),
        (FOLD, "TIMESTAMP WITH TIME ZONE", "2026-10-25 01:30:00+00", "2026-10-25T02+01"),
        (TextKeys((PartitionKey("eu"),)), "VARCHAR", "eu", "eu"),
        (TextKeys((PartitionKey("7"),)), "BIGINT", "7", "7"),
    ],
)
def test_the_partition_of_a_row_is_told_from_a_column(cursor, keys, type_, value, key):
    scan = f"(select '{value}'::{type_} as v union all by name select null::{type_} as v)"

    expression = key_expression("v", type_, keys)

    one = f"(from {scan} where v is not null)"
    assert cursor.execute(f"select {expression} from {one}").fetchall() == [(key,)]
    if key is None:
        with pytest.raises(RowsOutsidePartition, match="1 row lies outside"):
            check_rows_inside(cursor, one, "v", type_, keys)
    else:
        check_rows_inside(cursor, one, "v", type_, keys)
    with pytest.raises(RowsOutsidePartition, match=r"row \d +no partition: v = None"):
        check_rows_inside(cursor, f"(from {scan} where v is null)", "v", type_, keys)


def test_a_repeated_local_hour_is_inside_of_both(cursor):
    second = TimeKeys(FOLD.windows[1:], FOLD.timezone)

    half_past, three = (f"(select timestamp '2026-10-25 {t}' v)" for t in ("02:30", "03:00"))

    check_rows_inside(cursor, half_past, "v", "TIMESTAMP", second)
    with pytest.raises(RowsOutsidePartition):
        check_rows_inside(cursor, three, "v", "TIMESTAMP", second)


@pytest.mark.parametrize(("keys", "type_"), [(FOLD, "DATE"), (BERLIN, "BIGINT")])
def test_a_column_that_tells_no_partition_is_refused(keys, type_):
    with pytest.raises(UnfitPartitionColumn):
        key_expression("v", type_, keys)


@FEW
@given(
    places=st.lists(st.one_of(st.none(), st.integers(-5, 80)), max_size=40),
    small=st.sampled_from([0, 4, 1000]),
    keys=st.sampled_from([BERLIN, LOCAL_MEAN, days("UTC", date(2026, 3, 28), 3)]),
)
def test_a_slice_has_the_digests_of_its_rows(cursor, places, small, keys):
    begin = keys.windows[0].start
    moments = [None if place is None else begin + timedelta(hours=place) for place in places]
    instants = pa.array(moments, pa.timestamp("us", "UTC"))
    numbers = pa.array(range(len(places)), pa.int64())
    cursor.register("rows", pa.table({"t": instants, "i": numbers}))
    cursor.execute("create or replace temp table sliced as from rows order by i")
    schema = describe(cursor, "from sliced")
    sets = [EVERYTHING, EVERYTHING_ORDERED, ReadSet.of(["i"]), ReadSet.of([])]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digests_module, "SMALL", small)
        found = digest_slices(cursor, "sliced", schema, sets, "t", keys)
        naive = {
            window.key: digest_columns(
                cursor,
                f"(from sliced where t >= '{window.start}' and t < '{window.end}' order by i)",
                schema,
                sets,
            )
            for window in keys.windows
        }

    assert found == naive


def packables(rows_of_files, schema=()):
    return [
        Packable(Part(f"a/{n}.parquet", 1, PartitionKey(str(n))), rows, schema)
        for n, rows in enumerate(rows_of_files)
    ]


@pytest.mark.parametrize(
    ("rows", "packed"),
    [
        ([10] * 15, []),
        ([10] * 16, [16]),
        ([10] * 16 + [600_000] * 20, [16]),
        ([10] * 15 + [5_000] * 15, []),
        ([10] * 2 + [5_000] * 16, [18]),
        ([250_000] * 16, [4, 4, 4, 4]),
        ([250_000] * 3, []),
        ([365_000] * 10, [2, 3, 2, 3]),
        ([10] * 3 + [350_000] * 3, [6]),
        ([], []),
    ],
)
def test_small_files_are_packed_when_there_are_enough(rows, packed):
    assert [len(group) for group in what_to_pack(packables(rows))] == packed


def test_files_of_differing_schemas_are_not_packed_together():
    other = (Column("a", "INTEGER"),)

    assert what_to_pack([*packables([10] * 12), *packables([10] * 12, other)]) == ()


def key_of(packable):
    return packable.part.partition


@pytest.mark.parametrize("rows", [1, 100, 1_000, 20_000, 200_000])
def test_few_files_stay_and_few_rows_are_rewritten(rows):
    files: list[list[Packable]] = []
    written, most = 0, 0
    added = 3_000
    for day in range(added):
        part = Part(f"a/{day}.parquet", 1, PartitionKey(f"{day:05d}"))
        files.append([Packable(part, rows)])
        parts = sorted((each for file in files for each in file), key=key_of)
        for group in what_to_pack(parts) if day % 8 == 0 else ():
            written += max(1_000, sum(each.rows for each in group))
            moved = {key_of(each) for each in group}
            left = [[each for each in file if key_of(each) not in moved] for file in files]
            path = f"a/packed{day}-{key_of(group[0])}.parquet"
            there = [each.part._replace(path=path, is_packed=True) for each in group]
            files = [*filter(None, left), [Packable(part, rows) for part in there]]
        small = [file for file in files if len(file) * rows <= PACKED_ROWS // 2]
        most = max(most, len(small))

    assert most <= 4 * 23
    assert written <= 5 * added * max(rows, 1_000)
    assert len(files) <= added * rows / (PACKED_ROWS * 0.5) + 4 * 23
