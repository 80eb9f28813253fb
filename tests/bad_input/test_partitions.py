"""What cannot be said of partitions, asked of them, or made for them."""

import pytest

from tests.golden import assert_golden

DAYS = 'partitions = { daily = { start = "2026-01-01", end = "2026-01-04" } }'
SHOPS = """
from assetflow import AssetContext, asset, dynamic


@asset(partitions=dynamic("shops"))
def visits(context: AssetContext) -> list[dict]:
    return [{"shop": context.partition.key}]
"""
ASKED = {
    "an_unknown_partition": ["plan", "daily", "--partition", "2026-01-07"],
    "a_partition_of_another_kind": ["plan", "daily", "--partition", "eu"],
    "a_reversed_range": ["plan", "--partition", "2026-01-03..2026-01-01"],
    "a_partition_of_an_asset_without": ["sql", "--asset", "orders", "--partition", "2026-01-01"],
    "a_preview_of_an_unknown_partition": ["sql", "--asset", "daily", "--partition", "2026-02-30"],
    "partitions_where_nothing_has_some": ["plan", "orders", "--partition", "2026-01-01"],
    "partitions_and_the_latest": ["plan", "--partition", "2026-01-01", "--latest"],
    "unknown_dynamic_partitions": ["partitions", "add", "shosp", "rome"],
    "a_bad_partition_key": ["partitions", "add", "shops", "rome|paris"],
    "an_unknown_dynamic_key": ["partitions", "remove", "shops", "rom"],
}


def daily(query: str, *header: str) -> dict[str, str]:
    lines = "\n".join((DAYS, *header))
    return {"shop/bad.sql": f"/* assetflow\n{lines}\n*/\n{query}\n"}


@pytest.fixture
def shop(shop):
    days = daily("select $partition_key as day")["shop/bad.sql"]
    shop.write({"shop/daily.sql": days, "shop/visits.py": SHOPS})
    assert shop.run("partitions", "add", "shops", "rome").code == 0
    assert shop.run("materialize").code == 0
    return shop


@pytest.mark.parametrize(("name", "arguments"), ASKED.items(), ids=ASKED)
def test_a_command_about_partitions_that_are_none_says_why(name, arguments, shop):
    before = shop.kept()

    said = shop.run(*arguments)

    assert_golden(f"bad_input/{name}", said.err)
    assert (said.code, said.out) == (2, "")
    assert shop.kept() == before


WRONG = {
    "a_mapping_to_no_window": daily(
        "select * from daily", "mappings = { daily = { trailing = 0 } }"
    ),
    "two_mappings_of_one_input": {
        "shop/bad.py": """
            from typing import Annotated

            import pyarrow as pa
            from assetflow import Latest, Trailing, asset, daily as days

            @asset(partitions=days("2026-01-01"), mappings={"daily": Latest()})
            def bad(daily: Annotated[pa.Table, Trailing(2)]) -> pa.Table:
                return daily
        """
    },
    "partitions_of_what_is_observed": {
        "shop/bad.py": """
            from assetflow import daily, source

            source("weather", observe=lambda: "1", partitions=daily("2026-01-01"))
        """
    },
    "a_key_column_that_is_taken": daily("select 1 as a, 2 as B", 'key_column = "b"'),
    "a_batch_without_a_column": daily("select 1 as a", "batch_size = 7"),
    "an_event_time_that_is_no_time": {
        "shop/bad.sql": '/* assetflow\nevent_time = "amount"\n*/\nselect amount from orders\n'
    },
}


@pytest.mark.parametrize(("name", "files"), WRONG.items(), ids=WRONG)
def test_partitions_that_cannot_work_are_told_before_anything_runs(name, files, shop):
    before = shop.kept()
    shop.write(files)

    said = shop.run("plan")

    assert_golden(f"bad_input/{name}", said.err)
    assert (said.code, said.out) == (2, "")
    assert shop.run("materialize").code == 2
    assert shop.kept() == before


FAILS = {
    "rows_outside_their_partition": daily(
        "select $partition_start + to_days(i) as day, i as n from range(-1, 3) t(i)",
        'partition_by = "day"',
    ),
    "a_partition_column_that_is_no_time": daily("select 1 as day", 'partition_by = "day"'),
    "a_reserved_column": daily("select 1 as assetflow_partition"),
    "partitions_added_to_what_is_not_declared": {
        "shop/bad.py": """
            from assetflow import AssetContext, asset

            @asset
            def bad(context: AssetContext) -> list[dict]:
                context.add_partitions("shosp", ["rome"])
                return [{"a": 1}]
        """
    },
    "a_returned_key_column": {
        "shop/bad.py": """
            from assetflow import asset, daily as days

            @asset(partitions=days("2026-01-01", "2026-01-02"), key_column="day")
            def bad() -> list[dict]:
                return [{"Day": 1}]
        """
    },
}


@pytest.mark.parametrize(("name", "files"), FAILS.items(), ids=FAILS)
def test_a_partition_that_cannot_be_kept_fails_and_says_why(name, files, shop):
    served = shop.published()
    shop.write(files)

    said = shop.run("materialize", "--threads", "1", "--json")

    assert said.code == 1
    errors = [step["error"] for step in said.document["steps"] if step["outcome"] == "failed"]
    assert_golden(f"bad_input/{name}", shop.normalised(errors[0]))
    assert shop.published() == served
