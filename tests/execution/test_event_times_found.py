"""How recent the data of sources and volatile assets is, as runs record it."""

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from assetflow import api
from tests.small_project import SmallProject

ORDERS = "id,sold\n1,2026-01-05 10:00:00\n2,2026-01-04 23:00:00\n"
SOURCES = """
from assetflow import source

source("raw_orders", path="data/orders.csv", event_time="sold", timezone="Europe/Berlin")
source("raw_days", path="data/days/{day}.csv", event_time="sold")
source("raw_rates", path="data/rates.csv")
"""
RATES = """
import datetime as dt

from assetflow import asset


@asset(event_time="at")
def rates() -> list[dict]:
    return [{"at": dt.datetime(2026, 1, 6, 12, tzinfo=dt.UTC), "rate": 2}]


@asset(event_time="at")
def stored(rates) -> list[dict]:
    return rates.to_pylist()
"""


def shop(root: Path) -> SmallProject:
    return SmallProject(
        root,
        {
            "data/orders.csv": ORDERS,
            "data/days/2026-01-05.csv": "id,sold\n1,2026-01-05 08:00:00\n",
            "data/days/2026-01-06.csv": "id,sold\n1,2026-01-06 09:00:00\n",
            "data/rates.csv": "id,sold\n1,2026-01-05 08:00:00\n",
            "shop/sources.py": SOURCES,
            "shop/rates.py": RATES,
            "shop/orders.sql": "select * from raw_orders",
            "shop/days.sql": "select * from raw_days",
            "shop/others.sql": "select * from raw_rates",
        },
    )


@pytest.fixture
def project(tmp_path):
    return shop(tmp_path)


def recorded(project):
    path = str(project.root / ".assetflow" / "metadata.duckdb")
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(
            """select coalesce(o.source || coalesce('/' || nullif(o.partition, ''), ''), v.asset),
                      timed_by, newest
               from event_times as e left join observations as o on o.state = e.version
               left join versions as v using (version) order by newest"""
        ).fetchall()


def test_a_run_records_the_newest_event_time_of_what_it_read_and_of_volatile_assets(project):
    project.materialize()

    assert recorded(project) == [
        ("raw_days/2026-01-05", "sold in UTC", datetime(2026, 1, 5, 8)),  # noqa: DTZ001
        ("raw_orders", "sold in Europe/Berlin", datetime(2026, 1, 5, 9)),  # noqa: DTZ001
        ("raw_days/2026-01-06", "sold in UTC", datetime(2026, 1, 6, 9)),  # noqa: DTZ001
        ("rates", "at in UTC", datetime(2026, 1, 6, 12)),  # noqa: DTZ001
    ]


def test_a_run_with_nothing_to_do_finds_nothing_anew(project):
    project.materialize()
    before = recorded(project)

    project.materialize()

    assert recorded(project) == before


def test_a_file_that_changed_is_of_another_time(project):
    project.materialize()

    project.write({"data/orders.csv": f"{ORDERS}3,2026-02-01 00:00:00\n"})
    project.materialize()

    assert recorded(project)[-1][::2] == ("raw_orders", datetime(2026, 1, 31, 23))  # noqa: DTZ001


def test_a_source_without_a_time_says_so(project):
    project.write({"data/orders.csv": "id,sold\n"})
    project.write(
        {
            "shop/sources.py": SOURCES.replace(
                'event_time="sold", timezone',
                'columns={"id": "bigint", "sold": "TIMESTAMP"}, event_time="sold", timezone',
            )
        }
    )

    assert project.outcomes("orders") == {"orders": "materialized"}
    assert recorded(project) == [("raw_orders", "sold in Europe/Berlin", None)]


def test_what_cannot_be_read_has_no_event_time(project):
    project.materialize()
    before = recorded(project)

    project.write({"data/orders.csv": f"{ORDERS}3,2026-02-31 00:00:00\n"})
    result = api.materialize(project.load(), ["orders"])

    assert result.status == "failed"
    assert recorded(project) == before
