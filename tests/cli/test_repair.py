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


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--list", "--retry"], "two_choices"),
        (["--list", "--partition", "2026-01-01"], "two_choices"),
        (["--resolve", "--exclude", "totals"], "two_choices"),
        (["--note", "known"], "needs_option"),
        (["--list", "--note", "known"], "needs_option"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_options_that_mean_nothing_together_are_refused(
    tmp_path, monkeypatch, capfd, options, problem
):
    shop(tmp_path)
    monkeypatch.chdir(tmp_path)

    assert run(["repair", *options, "--json"]) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == problem


def test_a_note_is_refused_where_there_is_nothing_to_note_it_of(tmp_path, monkeypatch, capfd):
    shop(tmp_path, **{"shop/clean.sql": PRICED % 6})
    monkeypatch.chdir(tmp_path)

    assert run(["repair", "--note", "known since May"]) == 2
    assert capfd.readouterr().err == (
        "'--note' says more of '--retry' or '--resolve', which is not given.\n"
        "Add --retry or --resolve.\n"
    )
