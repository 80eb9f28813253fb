"""The newest time in a column, from statistics and from rows."""

from datetime import UTC, datetime

import pytest

from assetflow.model.columns import Column
from assetflow.warehouse.event_times import newest_time

AWARE = "TIMESTAMP WITH TIME ZONE"


def instant(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# type, values, zone, the newest instant
CASES = {
    "naive in UTC": ("TIMESTAMP", ["2026-01-05 10:00", "2026-01-04"], "UTC", "2026-01-05 10:00"),
    "naive in a zone": ("TIMESTAMP", ["2026-01-05 10:00"], "Europe/Berlin", "2026-01-05 09:00"),
    "summer": ("TIMESTAMP", ["2026-07-05 10:00"], "Europe/Berlin", "2026-07-05 08:00"),
    "shown twice": ("TIMESTAMP", ["2026-10-25 02:30"], "Europe/Berlin", "2026-10-25 00:30"),
    "with a zone": (AWARE, ["2026-01-05 10:00+02"], "Europe/Berlin", "2026-01-05 08:00"),
    "a date": ("DATE", ["2026-01-05", "2025-12-31"], "Europe/Berlin", "2026-01-04 23:00"),
    "seconds": ("TIMESTAMP_S", ["2026-01-05 10:00:01"], "UTC", "2026-01-05 10:00:01"),
    "milliseconds": ("TIMESTAMP_MS", ["2026-01-05 10:00:00.001"], "UTC", "2026-01-05 10:00:00.001"),
    "nanoseconds": ("TIMESTAMP_NS", ["2026-01-05 10:00:00.01"], "UTC", "2026-01-05 10:00:00.01"),
    "before 1970": ("TIMESTAMP", ["1901-02-03 04:05"], "UTC", "1901-02-03 04:05"),
    "some are null": ("TIMESTAMP", [None, "2026-01-05", None], "UTC", "2026-01-05"),
    "all are null": ("TIMESTAMP", [None, None], "UTC", None),
    "no rows": ("TIMESTAMP", [], "UTC", None),
    "infinity": ("TIMESTAMP", ["infinity", "2026-01-05"], "UTC", "2026-01-05"),
    "nothing but infinity": ("TIMESTAMP", ["infinity"], "UTC", None),
    "far away": ("TIMESTAMP", ["20000-01-01"], "UTC", "9999-12-31"),
    "before Christ": ("TIMESTAMP", ["0044-03-15 (BC)"], "UTC", "0002-01-01"),
    "the first day": ("TIMESTAMP", ["0001-01-01"], "Asia/Tokyo", "0001-12-31 14:41:01"),
    "the last day": ("TIMESTAMP", ["9999-12-31 23:59"], "Pacific/Niue", "9999-12-31 11:00"),
    "texts": ("VARCHAR", ["2026-01-05", "2026-01-06 10:00", "none"], "UTC", "2026-01-06 10:00"),
    "texts with offsets": (
        "VARCHAR",
        ["2026-01-05T10:00:00+02:00", "2026-01-05 08:30:00Z", "2026-01-05 09:00:00", "2026-01-04"],
        "Europe/Berlin",
        "2026-01-05 08:30",
    ),
    "texts of a day": ("VARCHAR", ["2026-01-05"], "Europe/Berlin", "2026-01-04 23:00"),
}  # fmt: skip


@pytest.fixture
def written(cursor, tmp_path):
    """Write values into a Parquet file, and return it with the SQL that reads it."""

    def write(type_, values, name="a b's"):
        path = tmp_path / "it's.parquet"
        rows = ", ".join(f"({'null' if v is None else repr(v)}::{type_})" for v in values)
        table = f"(values {rows})" if values else f"(select null::{type_} where false)"
        cursor.execute(
            f"""copy (select x as "{name}" from {table} as t(x)) to
                '{str(path).replace("'", "''")}' (format parquet)"""
        )
        return path, f"""read_parquet('{str(path).replace("'", "''")}')"""

    return write


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("told_by", ["statistics", "rows"])
def test_the_newest_time_is_the_same_from_statistics_and_from_rows(cursor, written, case, told_by):
    type_, values, zone, newest = case
    path, scan = written(type_, values)
    paths = [path] if told_by == "statistics" else []

    found = newest_time(cursor, scan, Column("a b's", type_), zone, paths)

    assert found == (None if newest is None else instant(newest))


def test_statistics_are_enough_where_all_files_have_them(cursor, written):
    path, _ = written("TIMESTAMP", ["2026-01-05", None])

    found = newest_time(cursor, "no_such_table", Column("a b's", "TIMESTAMP"), "UTC", [path])

    assert found == instant("2026-01-05")


def test_rows_are_read_where_one_file_has_no_statistics(cursor, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    for day, told in ((5, True), (7, False)):
        times = pa.array([datetime(2026, 1, day)], pa.timestamp("us"))  # noqa: DTZ001
        table = pa.table({"at": times, "at2": times})
        pq.write_table(table, tmp_path / f"{day}.parquet", write_statistics=told)
    paths = sorted(tmp_path.glob("*.parquet"))
    scan = f"read_parquet({[str(path) for path in paths]})"

    found = newest_time(cursor, scan, Column("at", "TIMESTAMP"), "UTC", paths)

    assert found == instant("2026-01-07")
