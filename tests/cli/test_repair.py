"""`repair`: what it says where nothing can be tried, and with what it exits."""

import json

import pytest

from assetflow.cli.main import run
from tests.small_project import shop

PRICED = """
/* assetflow
checks = [ { between = { column = "amount", min = %s } } ]
*/
select id, customer, amount from raw_orders
"""


@pytest.mark.parametrize(
    ("least", "code", "states"), [(1, 0, []), (6, 1, ["nothing_differs"])], ids=["none", "failed"]
)
def test_where_nothing_can_be_tried_the_exit_code_says_whether_a_check_failed(
    tmp_path, monkeypatch, capfd, least, code, states
):
    shop(tmp_path, **{"shop/clean.sql": PRICED % least}).materialize()
    monkeypatch.chdir(tmp_path)

    assert run(["repair", "--json"]) == code
    printed = json.loads(capfd.readouterr().out)
    assert [line["state"] for line in printed["repairs"]] == states


def test_where_nothing_can_be_tried_the_reason_is_told(tmp_path, monkeypatch, capfd):
    shop(tmp_path, **{"shop/clean.sql": PRICED % 6}).materialize()
    monkeypatch.chdir(tmp_path)
    run(["repair", "--dry-run"])
    planned = capfd.readouterr()

    run(["repair"])

    assert "mend it where it comes from" in planned.out
    assert capfd.readouterr() == planned
