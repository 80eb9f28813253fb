"""Values to be shown: a small shop, and a large one."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from assetflow.graph.lineage import ColumnLink, ColumnName, Lineage, LineageAsset
from assetflow.model.columns import Column, ReadSet
from assetflow.model.declared_inputs import Location
from assetflow.model.names import WHOLE, AssetName, AssetPartition, RunId, VersionId
from assetflow.planning.pages import (
    AssetPage,
    AuditResult,
    EnvironmentLine,
    EventLine,
    Finding,
    KeptFiles,
    PublicationLine,
    Rows,
    RunLine,
    RunPage,
    StepDiff,
    StepLine,
    VersionLine,
)
from assetflow.planning.reasons import (
    CodeChanged,
    InputChanged,
    NeverMaterialized,
    UpstreamFailed,
    UpstreamMayChange,
    UpstreamMissing,
    Verified,
    Withdrawn,
)
from assetflow.planning.results import AssetStatus, RunResult, StepResult
from assetflow.planning.steps import Plan, Step, Verdict

AT = datetime(2026, 1, 5, 13, 4, 11, tzinfo=UTC)
RUN = RunId("18ea51845c47172fdd01ef24")
LONG = "staging_customer_orders_with_everything_that_was_ever_known_about_them_daily"


def step(name, action, *reasons, partition=WHOLE):
    return Step(AssetPartition(AssetName(name), partition), Verdict(action, reasons), None, None)


PLAN = Plan(
    "main",
    (
        step("clean_orders", "materialize", CodeChanged(("amount", "clean_rows"))),
        step(
            "daily_revenue",
            "materialize",
            InputChanged("stores", ("store_id",)),
            UpstreamMayChange("clean_orders"),
        ),
        step("forecast", "may_materialize", UpstreamMayChange("daily_revenue")),
        step(LONG, "materialize", NeverMaterialized(), partition="2026-01-05"),
        step("stores", "verify", Verified(("raw_stores",))),
        step("broken", "blocked", UpstreamMissing("nowhere")),
        step("old_report", "withdraw", Withdrawn()),
    ),
    12,
    (
        (AssetName("forecast"), "calls open(), which no key can see: name the file in files=."),
        (AssetName("best"), "the result depends on the order of rows (limit without order by)"),
    ),
)  # fmt: skip
EMPTY_PLAN = Plan("main", (), 12)
LARGE_PLAN = Plan(
    "dev",
    tuple(
        step(f"asset_{place:04}", "may_materialize", UpstreamMayChange(f"asset_{place // 2:04}"))
        if place % 3
        else step(f"asset_{place:04}", "materialize", CodeChanged(()))
        for place in range(3000)
    ),
    7000,
)
DIFFS = (
    StepDiff(
        AssetPartition(AssetName("clean_orders")),
        columns_added=(Column("discount", "DOUBLE"),),
        columns_removed=(Column("note", "VARCHAR"),),
        columns_retyped=(("amount", "INTEGER", "DECIMAL(10,2)"),),
        rows_before=30411,
        rows_after=30420,
        rows_added=12,
        rows_removed=3,
    ),
    StepDiff(AssetPartition(AssetName("daily_revenue")), rows_before=5, rows_after=5, rows_added=0,
             rows_removed=0),
    StepDiff(AssetPartition(AssetName("forecast"))),
    StepDiff(AssetPartition(AssetName("broken")), problem="'nowhere' was never materialized"),
)  # fmt: skip

RESULT = RunResult(
    RUN,
    "failed",
    12.34,
    (
        StepResult(AssetPartition(AssetName("clean_orders")), "materialized",
                   (CodeChanged(("clean_rows",)),), rows=336776, seconds=0.41),
        StepResult(AssetPartition(AssetName("forecast")), "failed", (NeverMaterialized(),),
                   seconds=2.0, attempts=3,
                   error="'forecast' failed.\n  ZeroDivisionError: division by zero\n"
                         "  shop/forecast.py:12, in forecast\n"
                         "    return total / count"),
        StepResult(AssetPartition(AssetName("report")), "skipped", (UpstreamFailed("forecast"),)),
    ),
    9,
)  # fmt: skip
IDLE = RunResult(RUN, "succeeded", 0.2, (), 12)

RUNS = (
    RunLine(RUN, "failed", "main", AT, 12.34, {"materialized": 3, "failed": 1, "skipped": 2},
            "assetflow materialize"),
    RunLine(RunId("18ea5184a6c6b4cd32edb4c6"), "running", "dev", AT - timedelta(hours=1), None, {}),
    RunLine(RunId("18ea518cd7b3dae9517f6c18"), "succeeded", "main", AT - timedelta(days=1), 3700.0,
            {"materialized": 12000, "unchanged": 3, "verified": 44}),
)  # fmt: skip
RUN_PAGE = RunPage(
    RUNS[0],
    (
        StepLine(AssetName("clean_orders"), WHOLE, "materialized",
                 (("code_changed", "code changed (clean_rows)"),), 336776, 0.41),
        StepLine(AssetName("forecast"), WHOLE, "failed",
                 (("never_materialized", "never materialized"),
                  ("upstream_may_change", "'x' may change")), None, 2.0, 3,
                 "'forecast' failed.\n  ZeroDivisionError: division by zero\n  shop/forecast.py:12",
                 "fitting …\nfitting again …\n"),
        StepLine(AssetName("report"), WHOLE, "skipped",
                 (("upstream_failed", "'forecast' failed"),)),
    ),
)  # fmt: skip

LARGE_RUN_PAGE = RunPage(
    RUNS[2],
    tuple(
        StepLine(AssetName(f"asset_{n}"), WHOLE, "skipped" if n == 250 else "materialized", ())
        for n in range(300)
    ),
)


def status(name, sync, *reasons, health="unchecked", freshness="no_policy", behind=()):
    made = None if sync == "missing" else AT
    return AssetStatus(
        AssetName(name), sync, freshness, health, behind, {sync: 1}, reasons, made, 7
    )


STATUSES = (
    status("orders", "up_to_date", health="passed", freshness="fresh"),
    status("forecast", "stale", CodeChanged(("fit",)), UpstreamMayChange("daily_revenue")),
    status("report", "missing", NeverMaterialized()),
    status("stores", "up_to_date", health="failed", freshness="overdue"),
    status(LONG, "up_to_date", behind=(AssetName("orders"), AssetName("stores"))),
)


def link(source, target, kind):
    return ColumnLink(ColumnName(*source.split(".")), ColumnName(*target.split(".")), kind)


def lineage_of(focus=(), column=None):
    return Lineage(
        assets=(
            LineageAsset(AssetName("raw_orders"), "source",
                         (Column("amount", "VARCHAR"), Column("status", "VARCHAR"))),
            LineageAsset(AssetName("orders"), "sql",
                         (Column("amount", "DECIMAL(10,2)", "Paid."), Column("day", "DATE"))),
            LineageAsset(AssetName("stores"), "python", None),
            LineageAsset(AssetName("revenue"), "sql",
                         (Column("day", "DATE"), Column("revenue", "DECIMAL(38,2)"))),
            LineageAsset(AssetName("forecast"), "python", (Column("value", "DOUBLE"),)),
        ),
        edges=(("raw_orders", "orders"), ("orders", "revenue"), ("stores", "revenue"),
               ("orders", "forecast"), ("revenue", "forecast")),
        column_links=(
            link("raw_orders.amount", "orders.amount", "transformation"),
            link("raw_orders.status", "orders.", "filter"),
            link("orders.amount", "revenue.revenue", "aggregation"),
            link("orders.day", "revenue.day", "identity"),
            link("orders.day", "revenue.", "group"),
            link("stores.id", "revenue.", "join"),
            link("revenue.revenue", "forecast.value", "transformation"),
        ),
        read_sets={
            AssetName("orders"): {AssetName("raw_orders"): ReadSet.of(["amount", "status"])},
            AssetName("revenue"): {
                AssetName("orders"): ReadSet.of(["amount", "day"]),
                AssetName("stores"): ReadSet.of(()),
            },
            AssetName("forecast"): {
                AssetName("revenue"): ReadSet(ordered=True),
                AssetName("orders"): ReadSet(),
            },
        },
        focus=tuple(map(AssetName, focus)),
        column=None if column is None else ColumnName(*column.split(".")),
    )  # fmt: skip


PAGE = AssetPage(
    name=AssetName("daily_revenue"),
    kind="sql",
    location=Location("shop/marts/daily_revenue.sql", 1),
    description="Revenue of each store and day.",
    group="marts",
    tags=("daily",),
    owners=("team:finance",),
    upstream=(AssetName("orders"), AssetName("stores")),
    downstream=(AssetName("forecast"), AssetName("report")),
    schema=(
        Column("day", "DATE",
               "The day of the sale, in the store's own time zone, as printed on the receipt."),
        Column("revenue", "DECIMAL(38,2)"),
    ),
    read_by={AssetName("forecast"): ReadSet.of(["day", "revenue"]), AssetName("report"): ReadSet()},
    versions=(
        VersionLine(VersionId("v2"), AT, 336776, 1_500_000, RUN, "materialized", is_published=True),
        VersionLine(VersionId("v1"), AT - timedelta(days=1), 300000, 900, RunId("r1"), "unchanged",
                    is_published=False),
    ),
    metadata={
        "mean": tuple((AT, str(value)) for value in (1, 5, 2.5, 9)),
        "model": ((AT, '"ridge"'),),
    },
    sample_columns=("day", "revenue"),
    sample_rows=(("2026-01-05", Decimal("12.50")), ("2026-01-06", None)),
    status=STATUSES[1],
    text="select day, sum(amount) as revenue\nfrom orders\n",
)  # fmt: skip
FOLDER_PAGE = AssetPage(
    name=AssetName("report"),
    kind="python",
    location=Location("shop/report.py", 3),
    schema=(),
    versions=(
        VersionLine(VersionId("v2"), AT, None, 2743, RUN, "materialized", is_published=True),
    ),
    files=KeptFiles(".assetflow/data/report/_/v2/report", 2743,
                    (("images/low_visibility.svg", 1801), ("report.md", 942))),
)  # fmt: skip
FILE_PAGE = AssetPage(
    name=AssetName("model"),
    kind="python",
    location=Location("shop/model.py", 3),
    schema=(),
    files=KeptFiles(".assetflow/data/model/_/v1/model.bin", 1_500_000),
)
CALM_STATUSES = (
    status("orders", "up_to_date"),
    status("report", "missing", NeverMaterialized()),
    status("stg_customer_addresses_at_the_end_of_each_day", "up_to_date"),
)
ROWS = Rows(
    tuple(Column(f"a_rather_wide_column_{place}", "BIGINT") for place in range(8)),
    tuple(tuple(10**place + row for place in range(8)) for row in range(3)),
)
TEXTS = Rows(
    (Column("id", "INTEGER"), Column("text", "VARCHAR"), Column("ok", "BOOLEAN")),
    ((1, "two\nlines and [bold]brackets[/bold]", True), (2, None, False), (3, "x" * 90, None)),
)
ENVIRONMENTS = (
    EnvironmentLine("main", 1200, AT, AT),
    EnvironmentLine("dev", 3, AT, None),
)
PUBLICATIONS = (
    PublicationLine(12, AT, RUN, 3, 1, "env rollback main --to 9"),
    PublicationLine(9, AT - timedelta(days=1), RunId("18ea518cd7b3dae9517f6c18"), 1200, 0,
                    "assetflow materialize --exclude tag:slow --threads 2"),
)  # fmt: skip
AUDIT_OF_AN_ASSET = AuditResult(
    1,
    ok=True,
    problem="",
    tail=(EventLine("e1", AT, "versions_removed", None, "main", AssetName(LONG), (("n", "2"),)),),
)
AUDIT = AuditResult(
    4,
    ok=True,
    problem="",
    tail=(
        EventLine(
            "e1",
            AT,
            "run_started",
            RUN,
            "main",
            None,
            (
                ("command", "assetflow materialize --exclude tag:slow --threads 2"),
                ("user", "ada"),
                ("host", "mill"),
            ),
        ),
        EventLine(
            "e2",
            AT,
            "published",
            RUN,
            "main",
            None,
            (("publication", "18ea51845c47172fdd01ef25"), ("count", "1")),
        ),
        EventLine(
            "e3",
            AT,
            "run_finished",
            RUN,
            "",
            None,
            (("status", "succeeded"), ("materialized", "1"), ("withdrawn", "0")),
        ),
        EventLine(
            "e4",
            AT,
            "publication_refused",
            RUN,
            "dev",
            None,
            (("publication", "p2"), ("count", "12"), ("why", "'orders' moved meanwhile")),
        ),
    ),
)
FINDINGS = (
    Finding("settings", "ok", "assetflow.toml is valid."),
    Finding("state folder", "warn", "3 journals are not folded.", "Run any command that writes."),
    Finding("metadata", "error", "metadata.duckdb was made by a newer assetflow.", "Upgrade."),
)
