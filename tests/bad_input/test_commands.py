"""Commands that ask for what cannot be."""

import pytest

from tests.golden import assert_golden

WRONG = {
    "unknown_selection": ["materialize", "ordres"],
    "unreadable_selection": ["plan", "+"],
    "unknown_status": ["plan", "status:rotten"],
    "unknown_tag": ["plan", "tag:daily"],
    "unknown_column": ["lineage", "orders.amont"],
    "unknown_asset_of_lineage": ["lineage", "ordres"],
    "unknown_asset": ["show", "ordres"],
    "unknown_run": ["run", "show", "42"],
    "unknown_run_to_cancel": ["run", "cancel", "42"],
    "unknown_environment": ["plan", "--env", "prd"],
    "promote_an_unknown_environment": ["env", "promote", "prd"],
    "delete_an_unknown_environment": ["env", "delete", "prd"],
    "create_from_an_unknown_environment": ["env", "create", "dev", "--from", "prd"],
    "create_main": ["env", "create", "main"],
    "delete_main": ["env", "delete", "main"],
    "a_bad_name_of_an_environment": ["env", "create", "../dev"],
    "no_earlier_state": ["env", "rollback", "main"],
    "a_bad_moment": ["env", "rollback", "main", "--to", "yesterday"],
    "a_future_sequence": ["env", "rollback", "main", "--to", "99"],
    "a_query_that_does_not_parse": ["sql", "selec 1"],
    "a_query_of_an_unknown_table": ["sql", "select * from ordres"],
    "a_query_of_an_unknown_column": ["sql", "select amont from orders"],
    "a_query_that_would_write": ["sql", "delete from orders"],
    "a_preview_of_an_unknown_asset": ["sql", "--asset", "ordres"],
    "a_proposal_for_a_source": ["check", "--suggest", "raw_orders"],
    "a_proposal_and_a_selection": ["check", "orders", "--suggest", "orders"],
    "a_report_of_checks_in_no_folder": ["check", "--junit", "nowhere/checks.xml"],
    "a_failure_of_no_status": ["check", "--fail-on", "warnt"],
    "another_project": ["plan", "--project", "shop"],
    "a_project_that_is_not_there": ["plan", "--project", "elsewhere"],
}


@pytest.mark.parametrize(("name", "arguments"), WRONG.items(), ids=WRONG)
def test_a_command_that_cannot_be_carried_out_says_why(name, arguments, shop):
    before = shop.kept()

    said = shop.run(*arguments)
    document = shop.run(*arguments, "--json")

    assert_golden(f"bad_input/{name}", said.err)
    assert (said.code, said.out) == (2, "")
    assert (document.code, document.err) == (2, "")
    assert shop.normalised(document.document["error"]["headline"]) in said.err
    assert shop.kept() == before


def test_an_environment_is_created_once(shop):
    assert shop.run("env", "create", "dev").code == 0

    said = shop.run("env", "create", "dev")

    assert said.code == 2
    assert_golden("bad_input/environment_exists", said.err)
