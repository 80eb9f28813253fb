"""Inputs without partitions that are cut by their event time for partitioned readers."""

from datetime import timedelta
from pathlib import Path

import pytest

from assetflow import api
from assetflow.metadata.recall import runs
from assetflow.metadata.store import Store
from assetflow.warehouse import slices
from tests.small_project import SmallProject

DAYS = [f"2026-01-{day:02}" for day in range(5, 9)]
HEADER = """/* assetflow
partitions = { daily = { start = "2026-01-05", end = "2026-01-09" } }
*/
"""
SOURCES = """
from assetflow import source

source("raw_orders", path="data/orders.csv", event_time="sold")
"""


def orders(**changed: int) -> str:
    """Return four days of two orders each; `changed` are amounts by day, as `d06=9`."""
    rows = [
        f"{n},{day} {hour}:00:00,{changed.get(f'd{day[-2:]}', 10)},home"
        for n, (day, hour) in enumerate((day, hour) for day in DAYS for hour in ("00", "23"))
    ]
    return "\n".join(["id,sold,amount,place", *rows, ""])


def shop(root: Path, **files: str) -> SmallProject:
    """raw_orders (a whole file) → amounts, places (a day each) → total (whole)."""
    return SmallProject(
        root,
        {
            "data/orders.csv": orders(),
            "shop/sources.py": SOURCES,
            "shop/amounts.sql": f"{HEADER}select id, amount from raw_orders\n",
            "shop/places.sql": f"{HEADER}select id, place from raw_orders\n",
            "shop/total.sql": "select sum(amount)::bigint as total from amounts\n",
            **files,
        },
    )


KEPT = {
    "shop/kept.sql": '/* assetflow\nevent_time = "sold"\n*/\nselect * from raw_orders\n',
    "shop/kept_days.py": """
        import pyarrow as pa
        from assetflow import asset, daily


        @asset(partitions=daily("2026-01-05", end="2026-01-09"))
        def kept_days(kept: pa.Table) -> list[dict]:
            return [{"rows": kept.num_rows, "amount": sum(kept["amount"].to_pylist())}]
        """,
}


def made(project: SmallProject, *select: str) -> dict[str, str]:
    result = project.materialize(*select)
    return {str(step.target): step.outcome for step in result.steps if step.outcome != "verified"}


def test_each_partition_reads_the_rows_of_its_time(tmp_path):
    project = shop(tmp_path)

    made(project)

    for number, day in enumerate(DAYS):
        rows = api.read(project.load(), "amounts", day).to_pylist()
        assert [row["id"] for row in rows] == [2 * number, 2 * number + 1]


def test_one_changed_day_of_a_whole_file_reruns_that_day_where_it_is_read(tmp_path):
    project = shop(tmp_path)
    made(project)

    project.write({"data/orders.csv": orders(d06=99)})

    assert made(project) == {"amounts[2026-01-06]": "materialized", "total": "materialized"}
    assert project.rows("total") == [{"total": 6 * 10 + 2 * 99}]
    assert made(project) == {}


def test_one_changed_day_of_an_asset_reruns_that_day(tmp_path):
    project = shop(tmp_path, **KEPT)
    made(project)

    project.write({"data/orders.csv": orders(d07=99)})

    assert made(project, "kept_days") == {
        "kept": "materialized",
        "kept_days[2026-01-07]": "materialized",
    }
    assert [row["amount"] for row in project.rows("kept_days")] == [198, 20, 20, 20]


ZONED = """/* assetflow
partitions = { daily = { start = "2026-01-05", end = "2026-01-09", timezone = "Asia/Tokyo" } }
partition_by = "sold"
%s
*/
select id, sold, sold::date as day from raw_orders
"""


@pytest.mark.parametrize("more", ["", "batch_size = 4"], ids=["one", "batch"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_times_without_a_zone_mean_the_same_where_they_cut_and_where_they_tell(
    tmp_path, zone, more
):
    said = f'timezone = "{zone}"\n{more}'
    project = shop(tmp_path, **{"shop/amounts.sql": ZONED % said, "shop/total.sql": "select 1"})
    project.write({"shop/places.sql": "select 1"})
    text = SOURCES.replace('"sold")', f'"sold", timezone="{zone}")')
    project.write({"shop/sources.py": text})

    result = project.materialize()

    assert [step.error for step in result.steps if step.error] == []
    assert {step.outcome for step in result.steps} == {"materialized"}
    first = api.read(project.load(), "amounts", "2026-01-06").to_pylist()
    assert [row["id"] for row in first] == [1, 2]


def slices_remembered(project: SmallProject) -> set[str]:
    """Return the versions, and the states of sources, of which slices are remembered."""
    with Store(project.root / ".assetflow").reading() as connection:
        rows = connection.execute("select distinct version from slice_digests").fetchall()
    return {version for (version,) in rows}


def test_gc_forgets_the_slices_of_what_is_gone_and_no_others(tmp_path, monkeypatch):
    project = shop(tmp_path, **KEPT)
    made(project)
    before = slices_remembered(project)
    project.write({"data/orders.csv": orders(d07=99)})
    made(project)
    everything = slices_remembered(project)
    api.gc(project.load())
    assert slices_remembered(project) == everything

    later = api.now() + timedelta(days=8)
    monkeypatch.setattr(api, "now", lambda: later)
    api.gc(project.load())

    assert len(before) == 2
    assert slices_remembered(project) == everything - before
    assert made(project) == {}
    project.write({"data/orders.csv": orders()})
    assert made(project)["kept_days[2026-01-07]"] == "materialized"


def test_a_whole_is_scanned_once_for_all_its_readers_and_never_while_it_stays(
    tmp_path, monkeypatch
):
    from assetflow.execution import cutting

    scans = []
    monkeypatch.setattr(
        cutting,
        "digest_slices",
        lambda *how, **more: scans.append(1) or slices.digest_slices(*how, **more),
    )
    project = shop(tmp_path, **KEPT)
    made(project)
    assert len(scans) == 2  # the source and the asset
    before = len(runs(project.load().state))

    made(project)
    project.materialize("places", force=True)

    assert len(scans) == 2
    assert len(runs(project.load().state)) == before + 1


def test_a_wider_range_digests_what_is_new_alone(tmp_path):
    project = shop(tmp_path)
    made(project)

    wider = HEADER.replace("2026-01-09", "2026-01-11")
    project.write({"shop/amounts.sql": f"{wider}select id, amount from raw_orders\n"})

    assert made(project, "amounts") == {
        "amounts[2026-01-09]": "materialized",
        "amounts[2026-01-10]": "materialized",
    }


def test_a_row_that_moves_to_another_day_changes_both(tmp_path):
    project = shop(tmp_path)
    made(project)

    project.write({"data/orders.csv": orders().replace("1,2026-01-05 23", "1,2026-01-07 23")})

    assert set(made(project, "amounts")) == {"amounts[2026-01-05]", "amounts[2026-01-07]"}


def test_rows_without_a_time_belong_to_no_partition(tmp_path):
    project = shop(tmp_path)
    made(project)

    project.write({"data/orders.csv": orders() + "99,,1000,home\n"})

    assert made(project, "amounts", "places") == {}


ZONES = {
    "naive, in the zone of the project": ("", "2026-03-28 23:30:00", "2026-03-29"),
    "naive, in a declared zone": ('timezone="Europe/Berlin"', "2026-03-29 00:30:00", "2026-03-29"),
    "aware": ("", "2026-03-28 23:30:00+00", "2026-03-29"),
    "before the clocks go on": ('timezone="Europe/Berlin"', "2026-03-29 01:59:59", "2026-03-29"),
    "after the clocks went on": ("", "2026-03-29 21:59:59+00", "2026-03-29"),
    "after a day of 23 hours": ("", "2026-03-29 22:00:00+00", "2026-03-30"),
    "a date": ("", "2026-03-29", "2026-03-29"),
    "a date where a zone is declared": ('timezone="UTC"', "2026-03-29", "2026-03-29"),
}


@pytest.mark.parametrize("case", ZONES)
def test_days_are_those_of_the_zone_of_the_partitions(tmp_path, case):
    said, sold, expected = ZONES[case]
    how = '{ start = "2026-03-28", end = "2026-03-31", timezone = "Europe/Berlin" }'
    days = f"/* assetflow\npartitions = {{ daily = {how} }}\n*/\n"
    project = SmallProject(
        tmp_path,
        {
            "data/orders.csv": f"id,sold\n1,{sold}\n",
            "shop/sources.py": SOURCES.replace('sold")', f'sold", {said})'),
            "shop/days.sql": f"{days}select id from raw_orders\n",
        },
    )

    made(project)

    counts = {
        day: api.read(project.load(), "days", day).num_rows
        for day in ("2026-03-28", "2026-03-29", "2026-03-30")
    }
    assert {day for day, count in counts.items() if count} == {expected}


def test_a_batch_reads_all_its_windows_and_no_row_twice(tmp_path):
    batched = HEADER.replace("*/", 'batch_size = 3\npartition_by = "sold"\n*/')
    project = shop(
        tmp_path,
        **{
            "shop/amounts.sql": f"{batched}select id, sold, amount from raw_orders\n",
            "shop/total.sql": "select count(*) as total from amounts\n",
        },
    )

    made(project)
    assert project.rows("total") == [{"total": 8}]

    project.write({"data/orders.csv": orders(d06=99)})
    assert made(project, "amounts") == {"amounts[2026-01-06]": "materialized"}
    assert project.rows("amounts")[3]["amount"] == 99


def test_products_are_cut_by_their_dimension_of_time(tmp_path):
    both = HEADER.replace(
        'daily = { start = "2026-01-05", end = "2026-01-09" }',
        'product = { day = { daily = { start = "2026-01-05", end = "2026-01-07" } }, '
        'region = { static = ["eu", "us"] } }',
    )
    project = shop(
        tmp_path, **{"shop/both.sql": f"{both}select id, $partition_key as key from raw_orders\n"}
    )

    made(project, "both")

    found = api.read(project.load(), "both", "2026-01-06|us").to_pylist()
    assert [row["id"] for row in found] == [2, 3]


def test_readers_of_several_units_are_cut_each_by_its_own(tmp_path):
    months = '/* assetflow\npartitions = { monthly = { start = "2026-01", end = "2026-02" } }\n*/\n'
    project = shop(
        tmp_path, **{"shop/months.sql": f"{months}select sum(amount) as a from raw_orders\n"}
    )
    made(project)

    project.write({"data/orders.csv": orders(d06=99)})

    assert set(made(project, "months", "amounts")) == {"months[2026-01]", "amounts[2026-01-06]"}


def test_another_event_time_is_another_cut(tmp_path):
    project = shop(tmp_path)
    made(project)

    project.write({"shop/sources.py": SOURCES.replace('sold")', 'sold", timezone="Asia/Tokyo")')})

    assert set(made(project, "amounts")) == {f"amounts[{day}]" for day in DAYS}
    day = api.read(project.load(), "amounts", "2026-01-05").to_pylist()
    assert [row["id"] for row in day] == [1, 2]


UNFIT = {
    "no such column": ("when", "there is no such column"),
    "no time": ("amount", "it is of type BIGINT: it holds no time"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_source_that_cannot_be_cut_says_why(tmp_path, case):
    column, why = UNFIT[case]
    project = shop(tmp_path, **{"shop/sources.py": SOURCES.replace("sold", column)})

    steps = api.plan(project.load()).steps

    assert why in str(steps[0].reasons[0])
    assert {step.action for step in steps} == {"blocked"}


def test_an_asset_that_cannot_be_cut_is_an_error_of_the_plan(tmp_path):
    kept = KEPT["shop/kept.sql"].replace('"sold"', '"solt"')
    project = shop(tmp_path, **{**KEPT, "shop/kept.sql": kept})

    with pytest.raises(api.AssetflowError) as caught:
        api.plan(project.load())

    assert "The event time 'solt' cannot say to which time a row of 'kept' belongs." in str(
        caught.value
    )
    assert "Did you mean 'sold'?" in str(caught.value)


def test_a_preview_is_cut_too(tmp_path):
    project = shop(tmp_path)
    made(project)
    project.write({"data/orders.csv": orders(d06=99)})

    rows = api.preview(project.load(), "amounts").rows

    assert rows
    assert {row[1] for row in rows} <= {99, 10}


def test_the_type_of_the_event_time_may_be_declared_as_it_is_written(tmp_path):
    columns = {"id": "integer", "sold": "timestamp", "amount": "integer", "place": "varchar"}
    declared = SOURCES.replace('event_time="sold"', f'event_time="sold", columns={columns}')
    project = shop(tmp_path, **{"shop/sources.py": declared})

    assert set(made(project).values()) == {"materialized"}
