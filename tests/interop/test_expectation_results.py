"""Suites of Great Expectations as checks: what version 1.24.1 gave for them is recorded."""

import json
from pathlib import Path

import pandas as pd
import pytest

from assetflow.interop.expectation_results import result_of

RECORDED = json.loads(Path(__file__).with_name("recorded_suites.json").read_text("utf-8"))
PROBLEM = 'Error: The column "nope" in BatchData does not exist.'
TABLE = pd.DataFrame({"id": [1, 1, 3], "amount": [-1.0, 200.0, None]})


def test_every_row_that_is_unexpected_counts_once():
    result = result_of(RECORDED["rows"], TABLE)

    assert (result.passed, result.failures, result.rows) == (False, 2, 3)
    assert result.failing_rows["id"].to_list() == [1, 3]
    assert result.failing_rows.index.to_list() == [0, 1]


def test_all_that_is_not_met_is_told():
    result = result_of(RECORDED["mixed"], TABLE)

    assert result.message.splitlines() == [
        f"nope: expect_column_values_to_be_in_set: {PROBLEM}",
        "amount: expect_column_values_to_not_be_null (1 of 3)",
        "amount: expect_column_values_to_be_between (1 of 3)",
        "amount: expect_column_mean_to_be_between: 99.5",
        "expect_table_row_count_to_be_between: 3",
        "amount, id: expect_column_pair_values_a_to_be_greater_than_b (2 of 3)",
        "id: expect_column_values_to_be_unique (2 of 3)",
    ]


def test_an_expectation_about_no_rows_cannot_be_tolerated():
    result = result_of(RECORDED["mixed"], TABLE)

    assert not result.passed
    assert result.failures is None
    assert "expect_table_row_count_to_be_between: 3" in result.observed
    assert len(result.failing_rows) == 2


def test_an_expectation_that_only_warns_is_told_and_fails_nothing():
    result = result_of(RECORDED["warn"], TABLE)

    assert (result.passed, result.failures) == (True, 0)
    assert result.message == "id: expect_column_values_to_be_unique (2 of 3)"


@pytest.mark.parametrize("severity", [None, "", "critical"])
def test_where_no_severity_is_known_a_suite_fails(severity):
    (unmet, *_) = RECORDED["rows"]["results"]
    config = {**unmet["expectation_config"], "severity": severity}

    result = result_of({"results": [{**unmet, "expectation_config": config}]}, TABLE)

    assert not result.passed


def test_a_long_suite_is_told_in_short():
    results = RECORDED["rows"]["results"][:1] * 30

    assert result_of({"results": results}, TABLE).message.splitlines()[-1] == "and 10 more"
