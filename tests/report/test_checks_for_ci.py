"""Checks in the forms that CI systems and code hosts read: JUnit XML and SARIF."""

import json
from dataclasses import replace
from typing import get_args
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetflow.model.checks import CheckKind
from assetflow.model.names import AssetName
from assetflow.planning.check_pages import ChecksPage
from assetflow.quality.answers import Answer
from assetflow.report.json_shapes import as_text
from assetflow.report.junit import junit_xml
from assetflow.report.sarif import RULES, sarif_json
from tests.golden import assert_golden
from tests.report import sample_checks as checked


def test_junit_is_as_it_was():
    assert_golden("report/checks_junit", junit_xml(checked.PAGE))


def test_junit_counts_what_its_cases_say():
    root = ET.fromstring(junit_xml(checked.PAGE))

    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["stores", "orders", checked.LONG]
    for one in (root, *suites):
        assert one.get("tests") == str(len(one.findall(".//testcase")))
        assert one.get("failures") == str(len(one.findall(".//failure")))
        assert one.get("errors") == str(len(one.findall(".//error")))
        assert one.get("skipped") == str(len(one.findall(".//skipped")))


def test_a_page_without_checks_is_a_document_too():
    assert ET.fromstring(junit_xml(checked.NOTHING)).get("tests") == "0"
    assert sarif_json(checked.NOTHING, "1")["runs"][0]["results"] == []


@pytest.mark.parametrize(
    ("status", "severity", "junit", "level"),
    [
        ("passed", "error", [], None),
        ("failed", "error", ["failure"], "error"),
        ("errored", "error", ["error"], "error"),
        ("warned", "warn", ["system-out"], "warning"),
        ("warned", "error", ["system-out"], "warning"),
        ("errored", "warn", ["system-out"], "warning"),
        ("learning", "warn", ["skipped"], None),
    ],
)
def test_each_status_has_its_place(status, severity, junit, level):
    outcome = replace(
        checked.NEGATIVE, severity=severity, answer=Answer(status, "3", "2", message="why")
    )
    page = ChecksPage((replace(checked.LINES[0], outcome=outcome),))

    case = ET.fromstring(junit_xml(page)).find(".//testcase")
    results = sarif_json(page, "1")["runs"][0]["results"]

    assert [child.tag for child in case] == junit
    assert [result["level"] for result in results] == ([level] if level else [])


@given(st.text(), st.text())
def test_any_text_makes_a_document_that_can_be_read(message, partition):
    answer = Answer("failed", message, message, message=message, sql=message)
    outcome = replace(checked.NEGATIVE, answer=answer)
    line = replace(checked.LINES[0], outcome=outcome, partition=partition, description=message)
    page = ChecksPage((replace(line, asset=AssetName(partition or "a")),))

    root = ET.fromstring(junit_xml(page).encode("utf-8"))
    document = json.loads(as_text(sarif_json(page, "1")))

    assert len(root.findall(".//failure")) == 1
    assert len(document["runs"][0]["results"]) == 1


def test_an_alert_is_known_again_and_told_from_others():
    results = sarif_json(checked.PAGE, "1.2.3")["runs"][0]["results"]

    prints = [result["partialFingerprints"]["assetflowCheck/v1"] for result in results]
    later = replace(checked.LINES[2], evaluated_at=None, version="v9")
    again = sarif_json(ChecksPage((later,)), "2")["runs"][0]["results"]
    assert len(set(prints)) == len(prints)
    assert again[0]["partialFingerprints"]["assetflowCheck/v1"] in prints


def test_every_result_names_a_rule_that_is_there():
    run = sarif_json(checked.PAGE, "1.2.3")["runs"][0]

    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    assert RULES.keys() == set(get_args(CheckKind))
