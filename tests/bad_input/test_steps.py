"""Assets that fail while they run: only what is downstream stops, and all is said once."""

import pytest

from tests.golden import assert_golden

HEAD = """
import os
import sys
import time
from pathlib import Path

import pyarrow as pa

from assetflow import AssetContext, asset, resource

"""


def asset(body, options="", parameters=""):
    """Return the module of one asset, `bad`, of which another one is made."""
    lines = "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))
    return {
        "shop/bad.py": f"{HEAD}\n@asset{options}\ndef bad({parameters}):\n{lines}",
        "shop/later.sql": "select * from bad\n",
    }


NESTED = """
try:
    price({})
except KeyError as error:
    raise ValueError("no price for 'tea'") from error
"""
PRICE = """

def price(prices):
    return prices["tea"]
"""
ODD = """
class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text")

raise Odd
"""
TWO = '(outputs=["bad", "worse"])'
RESOURCE = """

@resource
def client():
    raise ConnectionError("no answer from api.example.org")
"""
GENERATOR = """
def batches():
    yield pa.record_batch({"a": [1, 2]})
    raise OSError("the connection was reset")
schema = pa.schema([("a", pa.int64())])
return pa.RecordBatchReader.from_batches(schema, batches())
"""
FAILS = {
    "returns_nothing": asset("pass"),
    "returns_text": asset("return 'done'"),
    "returns_numbers": asset("return [1, 2]"),
    "returns_mixed_rows": asset("return [{'a': 1}, {'a': 'x'}]"),
    "returns_an_empty_list": asset("return []"),
    "returns_two_columns_of_one_name": asset("return pa.table([[1], [2]], names=['a', 'A'])"),
    "returns_no_columns": asset("return pa.table({})"),
    "returns_a_missing_path": asset("return Path('nowhere.bin')"),
    "returns_too_few_outputs": asset("return [{'a': 1}]", TWO),
    "returns_other_columns": asset("return [{'a': 'x'}]", '(columns={"a": "BIGINT", "b": "DATE"})'),
    "raises": {**asset(NESTED), "shop/bad.py": asset(NESTED)["shop/bad.py"] + PRICE},
    "raises_without_text": asset(ODD),
    "raises_a_group": asset("raise ExceptionGroup('two', [ValueError('a'), TypeError('b')])"),
    "fails_to_assert": asset("assert 1 + 1 == 3"),
    "exits": asset("sys.exit(3)"),
    "panics": asset("import polars\nraise polars.exceptions.PanicException('index out of bounds')"),
    "interrupts_itself": asset("raise KeyboardInterrupt"),
    "recurses_for_ever": {
        **asset("return bottomless(1)"),
        "shop/bad.py": asset("return bottomless(1)")["shop/bad.py"]
        + "\n\ndef bottomless(n):\n    return bottomless(n + 1)\n",
    },
    "fails_while_it_streams": asset(GENERATOR),
    "reports_what_cannot_be_kept": asset(
        "context.report(model=object())\nreturn [{'a': 1}]", "", "context: AssetContext"
    ),
    "fails_with_its_resource": {
        **asset("return [{'a': 1}]", "", "client"),
        "shop/bad.py": asset("return [{'a': 1}]", "", "client")["shop/bad.py"] + RESOURCE,
    },
    "takes_too_long_in_sql": {
        "shop/bad.sql": '/* assetflow\ntimeout = "0.2s"\n*/\nselect sum(a.range * b.range) as a\n'
        "from range(1000000) a, range(1000000) b\n",
        "shop/later.sql": "select * from bad\n",
    },
    "cannot_cast": {
        "shop/bad.sql": "select\n    id,\n    ('x' || amount)::integer as n\nfrom orders\n",
        "shop/later.sql": "select * from bad\n",
    },
    "takes_several_files_as_one": {
        **asset("return [{'a': 1}]", "", "parts: Path"),
        "shop/more.py": 'from assetflow import source\n\nsource("parts", path="parts/*.csv")\n',
        "parts/one.csv": "id\n1\n",
        "parts/two.csv": "id\n2\n",
    },
}
IN_PROCESSES = {
    "takes_too_long": asset("time.sleep(60)", '(timeout="0.2s")'),
    "raises_in_a_process": asset("raise ValueError('no price')", '(isolation="process")'),
    "takes_too_long_in_a_process": asset("time.sleep(60)", '(isolation="process", timeout="3s")'),
    "ends_its_process": asset("print('so far')\nos._exit(3)", '(isolation="process")'),
    "is_killed": asset("os.kill(os.getpid(), 9)", '(isolation="process")'),
    "exits_in_a_process": asset("sys.exit(3)", '(isolation="process")'),
}


@pytest.mark.parametrize(
    ("name", "files"), (FAILS | IN_PROCESSES).items(), ids=FAILS | IN_PROCESSES
)
def test_a_failure_stops_what_is_downstream_and_nothing_else(name, files, shop):
    served = shop.published()
    shop.write({**files, "shop/side.sql": "select count(*) as n from orders\n"})

    run = shop.process if name == "takes_too_long" else shop.run
    said = run("materialize", "--threads", "1", "--json")

    assert said.code == 1
    assert served.items() <= shop.published().items()
    assert "side" in shop.published()
    assert "bad" not in shop.published()
    steps = {step["asset"]: step for step in said.document["steps"]}
    assert_golden(f"bad_input/{name}", shop.normalised(steps["bad"]["error"]))
    assert {name: step["outcome"] for name, step in steps.items() if name != "worse"} == {
        "bad": "failed", "later": "skipped", "side": "materialized"
    }  # fmt: skip


def test_after_a_correction_only_what_failed_is_made(shop):
    shop.write(asset("raise ValueError"))
    assert shop.run("materialize").code == 1

    shop.write(asset("return [{'a': 1}]"))
    mended = shop.run("materialize", "--json").document

    assert mended["status"] == "succeeded"
    assert {step["asset"] for step in mended["steps"]} == {"bad", "later"}


def test_a_failure_is_shown_when_it_happens_and_later(shop):
    shop.write(asset("print('so far')\nraise ValueError('no price')"))

    said = shop.run("materialize")
    later = shop.run("run", "show", shop.runs()[0].run_id)

    assert said.code == 1
    assert later.code == 0
    for shown in (said.out, later.out):
        assert "shop/bad.py:14 in bad" in shown
        assert "ValueError: no price" in shown
        assert ".py:" not in shown.replace("shop/bad.py:", "")
    assert "so far" in later.out


def test_much_output_is_kept_without_its_middle(shop):
    shop.write(asset("for number in range(200_000):\n    print('line', number)\nraise ValueError"))

    shop.run("materialize")
    page = shop.run("run", "show", shop.runs()[0].run_id, "--json").document

    output = next(step["output"] for step in page["steps"] if step["asset"] == "bad")
    assert "line 0\n" in output
    assert "line 199999\n" in output
    assert len(output) < 200_000


def test_a_resource_that_cannot_be_closed_loses_nothing(shop):
    shop.write(
        {
            "shop/good.py": f"""{HEAD}
@resource
def client():
    yield "open"
    raise ConnectionError("already gone")

@asset
def good(client):
    return [{{"a": 1}}]
"""
        }
    )

    said = shop.run("materialize")

    assert said.code == 0
    assert "good" in shop.published()
    assert "ConnectionError: already gone" in said.text


def test_a_timeout_that_passed_before_the_query_began_still_ends_it(shop):
    files = FAILS["takes_too_long_in_sql"]
    query = files["shop/bad.sql"].replace('"0.2s"', '"0.001s"')
    shop.write({"shop/bad.sql": query})

    said = shop.run("materialize", "--json")

    assert said.code == 1
    assert "took longer than its timeout" in said.document["steps"][0]["error"]
