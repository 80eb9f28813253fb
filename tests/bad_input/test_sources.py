"""Sources that are gone, broken, other than before, or change while they are read."""

import pytest

from tests.bad_input.shop import without_privilege
from tests.golden import assert_golden

JAN = "data/orders/jan.csv"
FEB = "data/orders/feb.csv"
MISFITS = {
    "source_column_renamed": {JAN: "id,amont\n1,2.5\n"},
    "source_column_gone": {JAN: "id\n1\n2\n"},
    "an_unknown_read_option": {
        "shop/more.py": "from assetflow import source\n\n"
        'source("stores", path="data/orders/*.csv", read_options={"delimiter": ";"})\n',
        "shop/more_stores.sql": "select * from stores\n",
    },
}
UNKNOWN = {
    "source_vanished": {JAN: None},
    "one_file_departs": {FEB: "id,amt\n3,4.0\n"},
    "one_file_lacks_a_column": {FEB: "id\n3\n"},
    "a_quote_that_is_not_closed": {JAN: 'id,amount\n1,"2.5\n2,3.0\n'},
    "a_row_with_too_many_values": {JAN: "id,amount\n1,2.5\n2,3.0,9,9\n"},
    "an_empty_csv": {JAN: ""},
    "a_csv_that_is_not_utf8": {JAN: b"id,amount\n1,2.5\n2,\xf6\xff\n"},
    "a_broken_parquet": {
        "shop/more.py": 'from assetflow import source\n\nsource("stores", path="stores.parquet")\n',
        "shop/more_stores.sql": "select * from stores\n",
        "stores.parquet": b"PAR1 this is no Parquet file at all PAR1",
    },
    "a_broken_json": {
        "shop/more.py": 'from assetflow import source\n\nsource("stores", path="stores.json")\n',
        "shop/more_stores.sql": "select * from stores\n",
        "stores.json": '[{"id": 1}, {"id": \n',
    },
    "a_folder_in_place_of_a_file": {
        "shop/more.py": """
            from assetflow import source

            source("stores", path="shop", format="csv")
        """,
        "shop/more_stores.sql": "select * from stores\n",
    },
    "a_file_in_a_query_that_is_not_there": {"shop/more.sql": "from read_csv('ordrs.csv')\n"},
    "observing_fails": {
        "shop/more.py": """
            from assetflow import source

            def look():
                return {}["version"]

            source("stores", observe=look)
        """,
        "shop/counted.py": """
            from assetflow import asset

            @asset
            def counted(stores: str):
                return [{"n": len(stores)}]
        """,
    },
    "observing_exits": {
        "shop/more.py": """
            import sys

            from assetflow import source

            source("stores", observe=lambda: sys.exit(4))
        """,
        "shop/counted.py": """
            from assetflow import asset

            @asset
            def counted(stores: str):
                return [{"n": len(stores)}]
        """,
    },
}


@pytest.mark.parametrize(("name", "files"), MISFITS.items(), ids=MISFITS)
def test_a_query_that_does_not_fit_its_source_stops_the_plan_and_nothing_is_lost(name, files, shop):
    served = shop.published()
    shop.write(files)

    said = shop.run("plan")
    document = shop.run("materialize", "--json")

    assert_golden(f"bad_input/{name}", said.err)
    assert said.code in {1, 2}
    assert (document.code, document.err) == (said.code, "")
    assert shop.normalised(document.document["error"]["headline"]) in said.err
    assert document.document["error"]["hint"]
    assert shop.published() == served


SPARED = {"shop/spared.sql": "select 1 as one\n", "shop/beside.sql": "select * from spared\n"}


@pytest.mark.parametrize(("name", "files"), UNKNOWN.items(), ids=UNKNOWN)
def test_a_source_that_cannot_be_read_blocks_what_is_made_from_it_alone(name, files, shop):
    served = shop.published()
    shop.write({**files, **SPARED, "shop/below.sql": "select id from orders\n"})

    page = shop.run("plan")
    planned = shop.run("plan", "--json").document
    status = {one["asset"]: one for one in shop.run("status", "--json").document}
    ran = shop.run("materialize", "--json")

    assert_golden(f"bad_input/{name}", page.out)
    assert (page.code, page.err, ran.code) == (0, "", 1)
    blocked = {step["asset"]: step for step in planned["steps"] if step["action"] == "blocked"}
    steps = {step["asset"]: step for step in ran.document["steps"]}
    assert blocked
    for asset, step in blocked.items():
        (reason,) = step["reasons"]
        assert reason["code"] == "source_unknown"
        assert all(reason[fact] for fact in ("source", "file", "problem", "hint"))
        assert (steps[asset]["outcome"], steps[asset]["reasons"]) == ("skipped", [reason])
        assert status[asset]["sync"] == ("unknown" if asset in served else "missing")
        assert status[asset]["reasons"] == [reason]
        assert shop.published().get(asset) == served.get(asset)
    assert all(steps[name]["outcome"] == "materialized" for name in ("spared", "beside"))
    assert {"spared", "beside"} <= shop.published().keys()
    assert status.keys() - blocked.keys() >= {"spared", "beside"}
    assert shop.run("status", *blocked, "--fail-on", "stale").code == 1


def test_a_run_says_once_what_is_wrong_with_a_source(shop):
    shop.write({JAN: None, **SPARED, "shop/below.sql": "select id from orders\n"})

    said = shop.run("materialize")

    assert said.code == 1
    assert_golden("bad_input/run_with_a_source_that_vanished", said.out)
    logged = shop.run("run", shop.runs()[0].run_id, "--json").document["steps"]
    reasons = {step["asset"]: step["reasons"] for step in logged}
    assert reasons["orders"] == reasons["below"]
    assert reasons["orders"][0]["code"] == "source_unknown"


def test_fail_fast_goes_on_past_what_was_blocked_from_the_start(shop):
    shop.write({JAN: None, **SPARED})

    steps = shop.run("materialize", "--fail-fast", "--threads", "1", "--json").document["steps"]

    assert {step["asset"]: step["outcome"] for step in steps} == {
        "orders": "skipped",
        "spared": "materialized",
        "beside": "materialized",
    }


def test_all_or_nothing_is_nothing_where_a_source_is_unknown(shop):
    served = shop.published()
    shop.write({JAN: None, **SPARED, "assetflow.toml": 'package = "shop"\npublish = "all"\n'})

    assert shop.run("materialize").code == 1
    assert shop.published() == served


def test_the_columns_that_a_source_had_last_keep_lineage_useful(shop):
    shop.write({JAN: None, "shop/below.sql": "select amount + 1 as more from orders\n"})

    lineage = shop.run("lineage", "below.more", "--json").document

    edges = {(edge["from"], edge["to"]) for edge in lineage["column_edges"]}
    assert edges == {("raw_orders.amount", "orders.amount"), ("orders.amount", "below.more")}
    page = shop.run("show", "orders", "--json").document
    assert page["status"]["sync"] == "unknown"
    assert shop.run("show", "raw_orders").code == 0


def test_a_look_at_the_rows_of_a_source_that_is_gone_says_so(shop):
    shop.write({JAN: None})

    for arguments in (["sql", "from raw_orders"], ["sql", "--asset", "orders"]):
        said = shop.run(*arguments)
        assert said.code == 1
        assert "No file matches 'data/orders/*.csv'." in said.err
    assert shop.run("plan", "--diff").code == 0


def test_the_doctor_names_a_source_that_cannot_be_read(shop):
    shop.write({JAN: None})

    said = shop.run("doctor", "--json")

    assert said.code == 1
    found = {one["name"]: one for one in said.document}
    assert found["source raw_orders"]["status"] == "error"
    assert "nearest folder" in found["source raw_orders"]["hint"]


def test_another_environment_is_not_touched_by_a_source_of_this_one(shop):
    shop.write(
        {
            "assetflow.toml": """
                package = "shop"

                [environments.dev.sources]
                raw_orders = "sample.csv"
            """
        }
    )
    assert shop.run("env", "create", "dev").code == 0

    assert "blocked" in shop.run("plan", "--env", "dev").out
    assert shop.run("plan").out == "Everything is up to date: 1 asset.\n"


SPOILT = {
    "values_of_another_type": {JAN: "id,amount\n1,cheap\n"},
}


@pytest.mark.parametrize("files", SPOILT.values(), ids=SPOILT)
def test_values_that_cannot_be_used_fail_their_step(files, shop):
    served = shop.published()
    shop.write(files)

    said = shop.run("materialize", "--json")

    assert said.code == 1
    (step,) = said.document["steps"]
    assert "shop/orders.sql:1" in step["error"]
    assert "Could not convert string" in step["error"]
    assert "Possible solutions" not in step["error"]
    assert shop.published() == served


def test_what_is_published_is_served_while_a_source_is_broken(shop):
    shop.write({JAN: None})

    assert shop.run("sql", "select sum(amount) as total from orders", "--json").document[
        "rows"
    ] == [[5.5]]
    assert shop.run("runs").code == 0
    assert shop.run("env").code == 0


def test_a_source_that_returns_is_taken_as_if_nothing_had_been(shop):
    content = (shop.root / JAN).read_bytes()
    shop.write({JAN: None})
    assert shop.run("materialize").code == 1

    shop.write({JAN: content})

    assert shop.run("materialize").out == "Everything is up to date: 1 asset.\n"


def test_a_source_that_may_not_be_read(shop):
    (shop.root / JAN).chmod(0)

    said = shop.process("plan", preexec_fn=without_privilege)

    assert said.code == 0
    assert_golden("bad_input/source_unreadable", said.out)


MEDDLING = """
import os
from pathlib import Path

import pyarrow as pa
from assetflow import asset


@asset
def totals(raw_orders: pa.Table):
    path = Path("data/orders/jan.csv")
    turn = Path("turn")
    count = int(turn.read_text()) if turn.exists() else 0
    turn.write_text(str(count + 1))
    if count < {times}:
        {does}
    return [{{"rows": raw_orders.num_rows}}]
"""
REPLACED = 'path.write_text("id,amount\\n" + "1,2.5\\n" * (count + 3))'


def meddling(times, does=REPLACED):
    return {"shop/totals.py": MEDDLING.format(times=times, does=does)}


def test_a_source_that_is_replaced_once_while_it_is_read_is_read_again(shop):
    shop.write(meddling(1))

    said = shop.run("materialize", "--json")

    assert (said.code, said.document["status"]) == (0, "succeeded")
    rows = shop.run("sql", "select t.rows, (select count(*) from orders) from totals t", "--json")
    assert rows.document["rows"] == [[3, 3]]


def test_a_source_that_never_stands_still_gives_nothing(shop):
    served = shop.published()
    shop.write(meddling(99))

    said = shop.run("materialize", "--json")

    assert said.code == 1
    assert said.document["status"] == "failed"
    outcomes = {step["asset"]: step["outcome"] for step in said.document["steps"]}
    assert outcomes["totals"] in {"failed", "superseded"}
    assert shop.published() == served

    shop.write(meddling(0))
    assert shop.run("materialize").code == 0


def test_a_source_that_vanishes_while_it_is_read(shop):
    served = shop.published()
    shop.write(meddling(99, "path.unlink()"))

    said = shop.run("materialize", "--json")

    assert said.code == 1
    assert shop.published() == served
    shop.write({**meddling(0), JAN: "id,amount\n1,2.5\n2,3.0\n"})
    assert shop.run("materialize").code == 0


def test_a_source_that_vanishes_between_plan_and_step(shop):
    served = shop.published()
    shop.write(
        {
            "shop/first.py": """
                from pathlib import Path
                from assetflow import asset

                @asset
                def first():
                    Path("data/orders/jan.csv").unlink(missing_ok=True)
                    return [{"a": 1}]
            """,
            "shop/second.sql": "select o.id from raw_orders o, first\n",
        }
    )

    said = shop.run("materialize", "--json")

    assert said.code == 1
    assert served.items() <= shop.published().items()
    assert "second" not in shop.published()
