"""`check`: what it prints and writes, and with what it exits."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from assetflow import api
from assetflow.cli.main import run
from assetflow.planning.check_pages import ChecksPage
from assetflow.project.scaffold import scaffold
from assetflow.quality.answers import Answer
from tests.report import sample_checks as checked

MOMENTS = """/* assetflow
checks = [{ expression = "n < 2" }]
*/
select n, '2026-01-05 07:00'::timestamp + to_hours(n) as at,
       ('2026-01-05 07:00:00.5+00')::timestamptz as seen, '2026-01-05T07:00:00' as note
from (values (1), (2)) as v(n)
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    scaffold(tmp_path, "shop")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def answers(shop, monkeypatch):
    """Return a function that lets every check of the project come out as a page says."""
    return lambda page: monkeypatch.setattr(api, "check", lambda *_, **__: page)


def page_of(status, severity="error"):
    outcome = replace(checked.NEGATIVE, severity=severity, answer=Answer(status, "3", "2"))
    return ChecksPage((replace(checked.LINES[0], outcome=outcome),))


@pytest.mark.parametrize(
    ("status", "severity", "by_default", "on_warned"),
    [
        ("passed", "error", 0, 0),
        ("learning", "error", 0, 0),
        ("failed", "error", 1, 1),
        ("errored", "error", 1, 1),
        ("warned", "warn", 0, 1),
        ("warned", "error", 0, 1),
        ("errored", "warn", 0, 1),
    ],
)
def test_the_exit_code_says_whether_a_check_failed(
    answers, status, severity, by_default, on_warned
):
    answers(page_of(status, severity))

    assert run(["check"]) == by_default
    assert run(["check", "--fail-on", "failed"]) == by_default
    assert run(["check", "--fail-on", "warned"]) == on_warned


def test_failing_rows_have_their_instants_as_queries_show_them(shop, capfd):
    (shop / "shop" / "moments.sql").write_text(MOMENTS)
    run(["materialize", "moments"])
    capfd.readouterr()

    run(["check", "moments", "--rows"])
    page = capfd.readouterr().out
    run(["check", "moments", "--json"])
    (document,) = json.loads(capfd.readouterr().out)

    assert "2026-01-05 09:00:00  2026-01-05 07:00:00.500000+00:00  2026-01-05T07:00:00" in page
    assert document["sample"]["rows"] == [
        [2, "2026-01-05T09:00:00", "2026-01-05T07:00:00.500000+00:00", "2026-01-05T07:00:00"]
    ]
    types = [column["type"] for column in document["sample"]["columns"]]
    assert types == ["INTEGER", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "VARCHAR"]


def test_files_for_ci_are_written_beside_what_is_printed(shop, answers, capfd):
    answers(checked.PAGE)

    code = run(["check", "--junit", "checks.xml", "--sarif", "checks.sarif", "--json"])

    printed = json.loads(capfd.readouterr().out)
    sarif = json.loads((shop / "checks.sarif").read_text("utf-8"))
    assert code == 1
    assert len(printed) == len(checked.LINES)
    assert len(ET.parse(shop / "checks.xml").findall(".//testcase")) == len(checked.LINES)
    assert len(sarif["runs"][0]["results"]) == 4


@pytest.mark.parametrize("option", ["--junit", "--sarif"])
@pytest.mark.parametrize("file", ["nowhere/checks.out", "."])
def test_a_file_that_cannot_be_written_is_said(shop, answers, capfd, option, file):
    answers(checked.PASSING)

    assert run(["check", option, file, "--json"]) == 2
    error = json.loads(capfd.readouterr().out)["error"]
    assert error["code"] == "file_not_writable"
    assert error["facts"][option] == file


def test_failing_rows_are_shown_when_asked_for(shop, answers, capfd):
    answers(checked.PAGE)

    run(["check"])
    without = capfd.readouterr().out
    run(["check", "--rows"])
    with_rows = capfd.readouterr().out

    assert "refund" not in without
    assert "refund" in with_rows
    assert "select * from orders\n" in with_rows


def test_all_checks_are_shown_when_asked_for(shop, answers, capfd):
    answers(checked.LARGE)

    run(["check"])
    short = capfd.readouterr().out
    run(["check", "--all"])
    long = capfd.readouterr().out

    assert "more that passed (use --all)" in short
    assert long.count("passed*") == 4987


@pytest.mark.parametrize(
    "others",
    [["orders"], ["--rows"], ["--junit", "x.xml"], ["--fail-on", "warned"], ["--force"]],
    ids=" ".join,
)
def test_what_means_nothing_beside_suggestions_is_refused(shop, capfd, others):
    assert run(["check", "--suggest", "daily_revenue", *others, "--json"]) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "two_choices"
