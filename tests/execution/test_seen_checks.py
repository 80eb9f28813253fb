"""What is shown of checks beside `check`: runs, assets, and checks that are proposed."""

import ast
import tomllib
from dataclasses import replace

import pytest

from assetflow import api
from assetflow.errors import NotATable, NothingAsOf, SourceNotChecked
from assetflow.report.proposals_text import proposals_text
from tests.small_project import shop

CHECKED = """
/* assetflow
checks = [
  {{ between = "amount", min = {least}, name = "least" }},
  {{ unique = "id" }},
  {{ not_null = "customer", severity = "warn" }},
]
*/
select id, customer, amount from raw_orders
"""
BROKEN = "id,customer,amount\n1,ann,10\n2,,-20\n"
MANY = "id,customer,amount\n" + "".join(
    f"{number},{'ann' if number % 2 else 'bob'},{number / 2}\n" for number in range(1, 41)
)
FILE = """
from pathlib import Path
from assetflow import AssetContext, asset


@asset
def letter(context: AssetContext) -> Path:
    path = context.path("letter.txt")
    path.write_text("dear all")
    return path
"""


def rejected(root):
    project = shop(root, **{"shop/clean.sql": CHECKED.format(least=0)})
    project.materialize()
    project.write({"data/orders.csv": BROKEN})
    return project, project.materialize()


def test_a_rejection_is_told_with_its_checks_and_a_way_out(tmp_path):
    _, result = rejected(tmp_path)

    error = next(step.error for step in result.steps if step.target.asset == "clean")
    assert error == (
        "'clean' was computed but not published: 1 blocking check failed.\n"
        "  least  1 of 2 rows failed\n"
        "What was published before is still served. "
        "See the rows with `assetflow check clean --rows`."
    )


def test_a_rejection_of_the_first_version_says_that_nothing_is_served(tmp_path):
    project = shop(tmp_path, **{"shop/clean.sql": CHECKED.format(least=100)})

    result = project.materialize()

    (error,) = [step.error for step in result.steps if step.error]
    assert "Nothing is served." in error


def test_a_run_is_remembered_with_what_its_checks_found(tmp_path):
    project, result = rejected(tmp_path)

    page = api.run(project.load(), result.run)

    (step,) = [step for step in page.steps if step.asset == "clean"]
    assert {one.check: one.status for one in step.checks} == {
        "least": "failed",
        "unique(id)": "passed",
        "not_null(customer)": "warned",
    }
    assert [step.checks for step in page.steps if step.asset != "clean"] == [(), ()]


def test_an_asset_shows_the_checks_of_what_is_served_and_of_what_was_rejected(tmp_path):
    project, _ = rejected(tmp_path)

    page = api.show(project.load(), "clean")

    assert [(one.outcome.check, one.outcome.status, one.is_published) for one in page.checks] == [
        ("least", "passed", True),
        ("unique(id)", "passed", True),
        ("not_null(customer)", "passed", True),
        ("least", "failed", False),
        ("unique(id)", "passed", False),
        ("not_null(customer)", "warned", False),
    ]
    assert [one.status for one in page.checks[0].history] == ["passed", "failed"]
    assert page.checks[3].failing.rows == ((2, None, -20),)


def test_an_asset_shows_no_check_that_is_not_declared_any_more(tmp_path):
    project, _ = rejected(tmp_path)
    project.write({"shop/clean.sql": "select id, customer, amount from raw_orders\n"})

    assert api.show(project.load(), "clean").checks == ()


@pytest.mark.parametrize("name", ["raw_orders", "totals"])
def test_what_has_no_checks_shows_none(tmp_path, name):
    project, _ = rejected(tmp_path)

    assert api.show(project.load(), name).checks == ()


def test_checks_are_proposed_that_what_is_published_passes(tmp_path):
    project = shop(tmp_path, **{"data/orders.csv": MANY})
    project.materialize()

    page = api.suggest(project.load(), "clean")
    declared = "\n".join(["/* assetflow", proposals_text(page), "*/"])
    project.write({"shop/clean.sql": f"{declared}\nselect id, customer, amount from raw_orders\n"})

    kinds = {one.kind for one in page.proposals}
    assert (page.rows, page.is_sql) == (40, True)
    assert kinds >= {"not_null", "row_count", "unique", "accepted_values", "between"}
    assert api.check(project.load()).counts == {"passed": len(page.proposals)}


def test_checks_that_are_declared_are_not_proposed_again(tmp_path):
    project = shop(tmp_path, **{"data/orders.csv": MANY})
    project.materialize()
    every = api.suggest(project.load(), "clean").proposals
    one = 'checks = [ { unique = "ID" }, { not_null = "amount" }, { matches = '
    one += '{ column = "customer", pattern = "a", where = "id > 0", max_fraction = 0.9 } } ]'
    query = "select id, customer, amount from raw_orders\n"
    project.write({"shop/clean.sql": f"/* assetflow\n{one}\n*/\n{query}"})

    page = api.suggest(project.load(), "clean")
    declared = "\n".join(["/* assetflow", proposals_text(replace(page, proposals=every)), "*/"])
    project.write({"shop/clean.sql": f"{declared}\n{query}"})
    nothing = api.suggest(project.load(), "clean")

    assert [each.kind for each in page.proposals] == [
        each.kind for each in every if each.kind != "unique"
    ]
    assert page.proposals[0].columns == ("id", "customer")
    assert "\n# 1 more is declared already.\n" in proposals_text(page)
    assert (nothing.proposals, nothing.declared) == ((), len(every))
    assert proposals_text(nothing) == (
        f"Nothing stands out in the 40 rows of 'clean' beside {len(every)} declared checks."
    )


def test_proposals_can_be_pasted_in_either_form(tmp_path):
    project = shop(tmp_path, **{"data/orders.csv": MANY})
    project.materialize()

    page = api.suggest(project.load(), "clean")

    for one in page.proposals:
        assert tomllib.loads(f"checks = [ {one.header} ]")["checks"][0].keys() == {one.kind}
        assert ast.parse(one.python).body


@pytest.mark.parametrize(
    ("name", "error"),
    [("raw_orders", SourceNotChecked), ("totals", NothingAsOf), ("letter", NotATable)],
)
def test_where_nothing_can_be_proposed_that_is_said(tmp_path, name, error):
    project = shop(tmp_path, **{"shop/letter.py": FILE})
    project.materialize("letter")

    with pytest.raises(error):
        api.suggest(project.load(), name)
