"""Every page as it is shown, at 80 and at 120 columns, without colours."""

import ast
import tomllib
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, Group
from rich.text import Text

from assetflow.model.names import AssetName, AssetPartition, PartitionKey
from assetflow.planning.pages import AuditResult, GcResult, PublicationSummary
from assetflow.planning.results import StepResult
from assetflow.quality.answers import Answer
from assetflow.report import listings
from assetflow.report.asset_report import asset_report
from assetflow.report.check_report import check_report
from assetflow.report.freshness_chart import freshness_chart
from assetflow.report.freshness_report import freshness_report
from assetflow.report.lineage_scope import LineageScope
from assetflow.report.lineage_tree import lineage_tree
from assetflow.report.palette import Name, Names, columns, fitted
from assetflow.report.plan_report import plan_report
from assetflow.report.proposals_text import proposals_text
from assetflow.report.repair_report import dead_letters_table, repair_report
from assetflow.report.rows_report import rows_report
from assetflow.report.run_checks import Found, unmet_checks
from assetflow.report.run_report import failure, run_page, run_summary, runs_table
from assetflow.report.status_report import status_report
from assetflow.report.step_line import step_line
from assetflow.report.words import shortened
from tests.golden import assert_golden, rendered
from tests.report import sample_ages as ages
from tests.report import sample_checks as checked
from tests.report import sample_listing as listed
from tests.report import sample_partitions as sliced
from tests.report import samples

PAGES = {
    "assets": lambda: listings.assets_table(listed.GRAPH, listed.NAMES),
    "assets_few": lambda: listings.assets_table(listed.GRAPH, listed.NAMES[2:3]),
    "plan": lambda: plan_report(samples.PLAN),
    "plan_verbose": lambda: plan_report(samples.PLAN, verbose=True),
    "plan_empty": lambda: plan_report(samples.EMPTY_PLAN),
    "plan_large": lambda: plan_report(samples.LARGE_PLAN),
    "plan_diff": lambda: plan_report(samples.PLAN, diffs=samples.DIFFS),
    "run_failed": lambda: run_summary(samples.RESULT),
    "run_idle": lambda: run_summary(samples.IDLE),
    "runs": lambda: runs_table(samples.RUNS),
    "runs_none": lambda: runs_table(()),
    "run": lambda: run_page(samples.RUN_PAGE),
    "run_output": lambda: run_page(samples.RUN_PAGE, with_output=True),
    "run_large": lambda: run_page(samples.LARGE_RUN_PAGE),
    "status": lambda: status_report(samples.STATUSES),
    "status_calm": lambda: status_report(samples.CALM_STATUSES),
    "freshness": lambda: freshness_report(ages.PAGE),
    "freshness_all": lambda: freshness_report(ages.PAGE, everything=True),
    "freshness_calm": lambda: freshness_report(ages.CALM),
    "freshness_many": lambda: freshness_report(ages.MANY),
    "freshness_no_policy": lambda: freshness_report(ages.NO_POLICY),
    "freshness_none": lambda: freshness_report(ages.NO_LINE),
    "freshness_history": lambda: freshness_chart(ages.PAST),
    "freshness_history_good": lambda: freshness_chart(ages.GOOD_PAST),
    "freshness_history_deadline": lambda: freshness_chart(ages.DEADLINE_PAST),
    "freshness_history_no_policy": lambda: freshness_chart(ages.NO_POLICY_PAST),
    "freshness_history_none": lambda: freshness_chart(ages.NO_PAST),
    "freshness_history_ageless": lambda: freshness_chart(ages.AGELESS_PAST),
    "lineage_all": lambda: lineage_tree(samples.lineage_of(), LineageScope()),
    "lineage_asset": lambda: lineage_tree(samples.lineage_of(["revenue"]), LineageScope()),
    "lineage_up": lambda: lineage_tree(
        samples.lineage_of(["forecast"]), LineageScope(("up",), depth=1)
    ),
    "lineage_column": lambda: lineage_tree(
        samples.lineage_of(column="orders.amount"), LineageScope()
    ),
    "lineage_column_all_kinds": lambda: lineage_tree(
        samples.lineage_of(column="revenue.day"), LineageScope(all_kinds=True)
    ),
    "lineage_column_into_code": lambda: lineage_tree(
        samples.lineage_of(column="orders.day"), LineageScope()
    ),
    "lineage_column_of_code": lambda: lineage_tree(
        samples.lineage_of(column="stores.id"), LineageScope(all_kinds=True)
    ),
    "show": lambda: asset_report(samples.PAGE, with_text=True),
    "show_overdue": lambda: asset_report(replace(samples.PAGE, freshness=ages.PAGE.lines[2])),
    "show_folder": lambda: asset_report(samples.FOLDER_PAGE),
    "show_file": lambda: asset_report(samples.FILE_PAGE),
    "rows": lambda: rows_report(samples.ROWS, limit=3),
    "rows_of_text": lambda: rows_report(samples.TEXTS, limit=20),
    "environments": lambda: listings.environments_table(samples.ENVIRONMENTS),
    "publications": lambda: listings.publications_table(samples.PUBLICATIONS, "main"),
    "publications_none": lambda: listings.publications_table((), "dev"),
    "audit_of_an_asset": lambda: listings.audit_report(samples.AUDIT_OF_AN_ASSET),
    "audit": lambda: listings.audit_report(samples.AUDIT),
    "audit_broken": lambda: listings.audit_report(AuditResult(7, False, "event 3 was changed", ())),
    "plan_partitions": lambda: plan_report(sliced.PLAN),
    "plan_partitions_verbose": lambda: plan_report(sliced.PLAN, verbose=True),
    "plan_partitions_quiet": lambda: plan_report(sliced.QUIET_PLAN),
    "run_failed_partitions": lambda: run_summary(sliced.RESULT),
    "run_partitions": lambda: run_page(sliced.RUN_PAGE),
    "status_partitions": lambda: status_report(sliced.STATUSES),
    "show_partitions": lambda: asset_report(sliced.PAGE),
    "dynamic_keys": lambda: listings.dynamic_keys_table(sliced.DYNAMIC),
    "dynamic_keys_of_one": lambda: listings.dynamic_keys_table(sliced.DYNAMIC, "shops"),
    "dynamic_keys_added": lambda: listings.dynamic_change_text(sliced.ADDED),
    "dynamic_keys_removed": lambda: listings.dynamic_change_text(sliced.REMOVED),
    "checks": lambda: check_report(checked.PAGE),
    "checks_rows": lambda: check_report(checked.PAGE, with_rows=True),
    "checks_passing": lambda: check_report(checked.PASSING),
    "checks_none_declared": lambda: check_report(checked.NOTHING_DECLARED),
    "checks_none_made": lambda: check_report(checked.NOTHING_MADE),
    "checks_of_nothing": lambda: check_report(checked.NOTHING),
    "checks_partitions": lambda: check_report(checked.SLICED),
    "checks_whole": lambda: check_report(checked.WHOLE_TOO),
    "checks_large": lambda: check_report(checked.LARGE),
    "run_rejected": lambda: run_summary(checked.RESULT),
    "run_rejected_later": lambda: run_page(checked.RUN_PAGE),
    "run_warned_partitions": lambda: run_summary(checked.SLICED_RESULT),
    "status_checks": lambda: status_report(checked.STATUSES),
    "show_checks": lambda: asset_report(checked.ASSET_PAGE),
    "plan_checks": lambda: plan_report(checked.PLAN),
    "run_checked": lambda: run_summary(checked.SKIPPED),
    "repair": lambda: repair_report(checked.REPAIR),
    "repair_nothing": lambda: repair_report(checked.NO_REPAIR),
    "repair_unasked": lambda: repair_report(checked.UNASKED),
    "run_repaired": lambda: run_summary(checked.REPAIRED),
    "dead_letters": lambda: dead_letters_table(checked.DEAD_LETTERS),
    "dead_letters_none": lambda: dead_letters_table(()),
    "doctor": lambda: listings.findings_report(samples.FINDINGS),
}


@pytest.mark.parametrize("height", [12, 24, 60])
def test_a_screen_that_is_kept_has_room_for_what_is_most_urgent_and_the_summary(height):
    console = Console(width=80, file=StringIO())

    lines = console.render_lines(
        freshness_report(ages.MANY), console.options.update(height=height), pad=False
    )
    said = ["".join(part.text for part in line).strip() for line in lines]
    while not said[-1]:
        said.pop()

    assert len(said) == height
    assert said[1].startswith("late_000")
    assert said[-1] == "210 overdue, 50 fresh, as of 2026-01-05 13:04 UTC."


@pytest.mark.parametrize("is_sql", [True, False])
def test_proposals_are_ready_to_be_pasted(is_sql):
    page = replace(checked.PROPOSALS, is_sql=is_sql)

    text = proposals_text(page)

    assert_golden(f"report/proposals_{'sql' if is_sql else 'python'}", f"{text}\n")
    if is_sql:
        assert len(tomllib.loads(text)["checks"]) == 3
    else:
        ast.parse(text.replace("checks=[", "dict(checks=[") + ")")


def test_where_nothing_stands_out_nothing_is_proposed():
    page = replace(checked.PROPOSALS, proposals=())

    assert proposals_text(page) == "Nothing stands out in the 30,411 rows of 'orders'."


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_looks_as_it_did(name, width):
    assert_golden(f"report/{name}_{width}", rendered(PAGES[name](), width))


@pytest.mark.parametrize("width", [20, 40])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_narrow_terminal(name, width):
    assert rendered(PAGES[name](), width).strip()


def test_a_finished_step_stands_on_one_line():
    lines = [rendered(step_line(step), 100) for step in samples.RESULT.steps]

    assert lines == [
        "✓ clean_orders  materialized  336,776 rows  0.41s  code changed (clean_rows)\n",
        "✗ forecast  failed  2.0s  never materialized\n",
        "- report  skipped  'forecast' failed\n",
    ]


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (0, "✓ raw  materialized  30,411 rows  0.40s  never materialized"),
        (
            1,
            ("✗ orders  rejected  30,411 rows  0.40s  between_amount and 1 more failed"),
        ),
        (2, f"! {samples.LONG}  materialized  30,408 rows  0.40s  1 check warned  code changed"),
    ],
)
def test_a_finished_step_says_what_its_checks_found(place, line):
    assert rendered(step_line(checked.RESULT.steps[place]), 160) == f"{line}\n"


def test_an_error_that_names_its_partition_has_no_heading():
    target = AssetPartition(AssetName("days"), PartitionKey("2026-01-01"))

    texts = ["'days' failed.", "'days[2026-01-01]' was computed but not published."]

    headings = [[line.plain for line in failure(target, text, 1)][:-1] for text in texts]
    assert headings == [["days[2026-01-01]"], []]


def test_a_long_name_leaves_room_on_its_line_for_how_the_step_ended():
    result = replace(samples.RESULT.steps[0], target=AssetPartition(AssetName(samples.LONG)))

    line = rendered(Group(step_line(result, 80)), 80)

    assert line == (
        "✓ staging_custom…ut_them_daily  materialized  336,776 rows  0.41s  code changed…\n"
    )


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (listings.gc_text(GcResult(0, 0, dry_run=False)), "Nothing to remove."),
        (listings.gc_text(GcResult(2, 2500, dry_run=True)), "Would remove 2 versions, 2.5 KB."),
        (listings.gc_text(GcResult(1, 10, dry_run=False)), "Removed 1 version, 10 B."),
        (
            listings.gc_text(GcResult(0, 2500, dry_run=False)),
            "Removed 2.5 KB in files that no version needs any more.",
        ),
        (
            listings.publication_text(PublicationSummary("dev", 1, 0)),
            "Environment 'dev': 1 asset published.",
        ),
        (
            listings.publication_text(PublicationSummary("dev", 0, 0)),
            "Environment 'dev' shows the same already.",
        ),
        (
            listings.publication_text(PublicationSummary("dev", 12, 2)),
            "Environment 'dev': 12 assets published, 2 withdrawn.",
        ),
        (
            listings.publication_text(
                PublicationSummary(
                    "qa", 2, 0, "dev", {"variables": ("a", "b"), "sources": ("raw",)}
                )
            ),
            (
                "Environment 'qa': 2 assets published.\n"
                "What is published may come of settings that are different in 'dev' and 'qa':\n"
                "  variables  a, b\n"
                "  sources    raw\n"
                "`assetflow plan --env qa` says what would be made anew."
            ),
        ),
        (
            listings.publication_text(PublicationSummary("dev", 0, 1)),
            "Environment 'dev': 1 asset withdrawn.",
        ),
        (
            listings.deletion_text(PublicationSummary("dev", 0, 2)),
            (
                "Environment 'dev' is deleted. It showed 2 assets; versions that nothing else "
                "shows are kept for the retention."
            ),
        ),
    ],
)
def test_what_was_done_is_said_in_a_sentence(page, text):
    assert page.plain == text


def test_a_colour_never_stands_without_its_word():
    from rich.console import Console

    console = Console(width=100, color_system="standard", force_terminal=True, no_color=False)
    with console.capture() as captured:
        console.print(plan_report(samples.PLAN))

    assert "\x1b[33mmaterialize" in captured.get()
    assert "\x1b[31mblocked" in captured.get()


@pytest.mark.parametrize("name", ["売上高" * 20, "é" * 60, "a" * 60, "e\u0301" * 40])
@pytest.mark.parametrize("width", range(1, 41, 3))
def test_a_name_in_any_script_is_shortened_to_the_columns_of_a_terminal(name, width):
    short = shortened(name, width)

    assert cell_len(short) <= width
    assert short == name or "…" in short


@given(
    columns=st.lists(
        st.tuples(st.integers(1, 90), st.sampled_from(["stays", "shortens", "folds"])), min_size=1
    ),
    room=st.integers(1, 200),
)
def test_no_column_is_cut_where_there_is_room(columns, room):
    needs, ways = [need for need, _ in columns], [way for _, way in columns]

    widths = fitted(needs, ways, room)

    assert all(1 <= width <= need for width, need in zip(widths, needs, strict=True))
    assert all(width == need for width, (need, way) in zip(widths, columns, strict=True)
               if way == "stays")  # fmt: skip
    if sum(needs) <= room:
        assert widths == needs


def test_reasons_keep_their_room_beside_long_names():
    name, why = fitted([60, 40], ["shortens", "folds"], 70)

    assert (name, why) == (30, 40)


def test_ranges_of_partitions_are_not_broken_while_reasons_can_give_way():
    table = columns(["partitions", "why"], folds=["partitions", "why"], header=False)
    table.add_row("2025-03-04..2025-03-05, 2025-11-30 (3)", Text("word " * 30))

    assert "2025-03-04..2025-03-05," in rendered(table, 44)


def test_an_error_that_many_partitions_have_is_shown_once():
    def failed(asset: str, key: str, error: str) -> StepResult:
        target = AssetPartition(AssetName(asset), PartitionKey(key))
        return StepResult(target, "failed", (), error=f"It failed.\n  partition  {key}\n{error}")

    many = [failed("orders", f"2026-01-{day:02}", "no rates") for day in range(1, 32)]
    steps = (*many, failed("orders", "2026-02-01", "no room"), failed("sums", "2026-01", "no"))
    page = rendered(run_summary(replace(samples.RESULT, steps=steps)), 100)

    assert [page.count(text) for text in ("no rates", "no room", "sums[2026-01]")] == [1, 1, 1]
    assert "and so did 30 more partitions" in page
    assert "more failure" not in page


def test_a_name_that_fits_is_shown_whole():
    table = columns(["reads"], folds=["reads"], header=False)
    table.add_row(Names(["raw_orders"]))
    table.add_row(Names([]))

    assert rendered(table, 80) == "raw_orders\n\n"


def test_names_in_a_row_are_not_broken_inside():
    table = columns(["name", "reads", "text"], folds=["reads", "text"])
    table.add_row(Name("orders"), Names([samples.LONG, "stores"], 3), Text("word " * 30))

    lines = rendered(table, 60).splitlines()

    assert any("stores and 3 more" in line for line in lines)
    assert any(line.lstrip().startswith("orders") and "_daily," in line for line in lines)


def test_the_worst_of_several_partitions_is_named_whatever_the_order_in_which_they_ended():
    found = [
        Found(
            AssetPartition(AssetName("days"), PartitionKey(key)),
            replace(checked.NEGATIVE, answer=Answer("failed", "", "", failures, rows)),
        )
        for key, failures, rows in (("b", 2, 9), ("a", 2, 8), ("c", 1, 7))
    ]

    texts = {rendered(Group(*unmet_checks(order, {})), width=80) for order in (found, found[::-1])}

    (text,) = texts
    assert "2 of 8 rows failed in a" in text
