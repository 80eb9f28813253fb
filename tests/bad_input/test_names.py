"""Names that are odd but sound: reserved words, unicode, quotes in SQL, great length."""

import duckdb
import pytest

LONG = "a" * 200
NAMES = {
    "reserved words": {
        "shop/select.sql": 'select id as "from", amount as "order" from orders\n',
        "shop/order.sql": 'select "from" as "group" from "select"\n',
        "shop/group.sql": 'select count(*) as "select" from "order" as "table"\n',
    },
    "reserved words in python": {
        "shop/marts.py": """
            from typing import Annotated

            import pyarrow as pa
            from assetflow import From, asset

            @asset(name="class")
            def made():
                return [{"select": 1, "group by": 2}]

            @asset(name="table")
            def read(rows: Annotated[pa.Table, From("class")]):
                return rows
        """,
        "shop/from.sql": 'select "group by" as "a b" from "table"\n',
    },
    "unicode": {
        "shop/größe.sql": "select id as straße, amount as 数量 from orders\n",
        "shop/注文.sql": "select straße, 数量 * 2 as 二倍 from größe\n",
        "shop/marts.py": """
            import pyarrow as pa
            from assetflow import asset

            @asset
            def été(注文: pa.Table):
                return 注文
        """,
    },
    "long": {
        "shop/long.sql": f'/* assetflow\nname = "{LONG}"\n*/\nselect id as {LONG} from orders\n',
        "shop/short.sql": f"select * from {LONG}\n",
    },
    "dots": {
        "shop/dotted.sql": '/* assetflow\nname = "staging.orders"\n*/\nselect * from orders\n',
        "shop/last.sql": "select staging.orders.id from staging.orders\n",
    },
    "names of keywords of python": {
        "shop/lambda.sql": "select 1 as a\n",
        "shop/None.sql": "select * from lambda\n",
    },
    "names of what lies in the state": {
        "shop/data.sql": "select 1 as a\n",
        "shop/metadata.sql": "select * from data\n",
        "shop/con.sql": "select * from metadata\n",
    },
    "columns that differ in quotes": {
        "shop/odd.sql": """select id as "a""b", amount as "it's" from orders\n""",
        "shop/odder.sql": """select "a""b" + 1 as "a.b", "it's" as "%s {x} $y" from odd\n""",
    },
    "an empty table": {
        "shop/none.sql": "select * from orders where false\n",
        "shop/counted.sql": "select count(*) as n, max(id) as last from none\n",
    },
}


@pytest.mark.parametrize("files", NAMES.values(), ids=NAMES)
def test_a_sound_name_works_everywhere(files, shop):
    shop.write(files)

    made = shop.run("materialize", "--json")

    assert made.code == 0, made.out
    assert made.document["status"] == "succeeded"
    last = made.document["steps"][-1]["asset"]
    quoted = ".".join(f'"{part}"' for part in last.split("."))
    assert shop.run("sql", f"from {quoted}", "--json").code == 0
    assert shop.run("show", last).code == 0
    assert shop.run("lineage", last).code == 0
    assert shop.run("materialize", last).out.startswith("Everything is up to date")
    with duckdb.connect(shop.state / "catalog.duckdb", read_only=True) as catalog:
        shown = catalog.execute(
            "select schema_name, view_name from duckdb_views where not internal"
        )
        views = shown.fetchall()
        assert len(views) == len(shop.published())
        for schema, view in views:
            catalog.execute(f'from "{schema}"."{view}"').fetchall()
