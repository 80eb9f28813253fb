"""Checks to be shown: a shop whose orders were rejected, and a year of days."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from assetflow.errors import VersionRejected
from assetflow.graph.lineage import ColumnName
from assetflow.model.columns import Column
from assetflow.model.declared_inputs import Location
from assetflow.model.names import WHOLE, AssetName, AssetPartition, VersionId
from assetflow.planning.check_pages import (
    CheckLine,
    CheckOutcome,
    CheckPoint,
    ChecksPage,
    FailingRows,
    ProposalsPage,
)
from assetflow.planning.pages import RunLine, RunPage, StepLine
from assetflow.planning.reasons import (
    CheckChanged,
    CodeChanged,
    InputChanged,
    NeverMaterialized,
    RejectedLastTime,
    UpstreamFailed,
    UpstreamRejected,
)
from assetflow.planning.repair_pages import (
    DeadLetterLine,
    Mended,
    RepairLine,
    RepairPage,
    RepairUpstream,
)
from assetflow.planning.repair_reasons import (
    CanDiffer,
    SameData,
    SourceChanged,
    SourceUnchanged,
    Unrelated,
)
from assetflow.planning.results import AssetStatus, RunResult, StepResult
from assetflow.planning.steps import Plan, Step, Verdict
from assetflow.quality.answers import Answer
from assetflow.quality.suggestions import Suggestion
from tests.report.sample_partitions import DAYS, FLIGHTS, KEYS
from tests.report.samples import AT, LONG, RUN
from tests.report.samples import PAGE as SHOWN

ORDERS, STORES, FORECAST = map(AssetName, ("orders", "stores", "forecast"))
PLACE = Location("shop/staging/orders.sql", 1)


def past(*metrics, status="passed"):
    last = len(metrics) - 1
    return tuple(
        CheckPoint(AT - timedelta(days=last - n), status if n == last else "passed", metric)
        for n, metric in enumerate(metrics)
    )


def line(asset, outcome, *, published=True, **more):
    version = VersionId("v2" if published else "v3")
    more = {"data": "" if published else f".assetflow/data/{asset}/v3.parquet", **more}
    return CheckLine(
        AssetName(asset), version, published, outcome, evaluated_at=AT, run=RUN, place=PLACE, **more
    )


FAILING = FailingRows(
    (Column("order_id", "BIGINT"), Column("amount", "DECIMAL(10,2)"), Column("note", "VARCHAR")),
    ((17, Decimal("-3.00"), "refund"), (18, Decimal("-0.50"), None)),
    12,
    ".assetflow/quarantine/orders/v3",
)
NEGATIVE = CheckOutcome(
    "between_amount", "between",
    Answer("failed", "12 of 30,411 rows failed", "at least 0", 12, 30411, 12.0,
           "select * from orders\nwhere amount < 0"),
    ("amount",),
)  # fmt: skip
NOT_NEGATIVE = Answer("passed", "0 of 30,000 rows failed", "at least 0", 0, 30000)
UNIQUE_BROKEN = CheckOutcome(
    "unique_id", "unique", Answer("failed", "", "", 2, 40, 2.0), ("id",), on_failure="repair"
)
BROKEN = CheckOutcome(
    "no_fraud", "function",
    Answer("errored", message="ZeroDivisionError: division by zero\n  shop/checks.py:12"),
)  # fmt: skip
UNKNOWN_STORES = CheckOutcome(
    "references_store_id", "references",
    Answer("warned", "40 of 30,411 rows failed", "in stores, but for 0.1 % of the rows", 40,
           30411, 40.0, "select * from orders anti join …"),
    ("store_id",), "warn", "warn",
)  # fmt: skip
ODD_COUNT = CheckOutcome(
    "anomaly_row_count", "anomaly",
    Answer("learning", "30,411 rows", message="learning: 4 of 7 earlier versions"),
    severity="warn", on_failure="warn",
)  # fmt: skip
UNIQUE = CheckOutcome(
    "unique_order_id", "unique",
    Answer("passed", "0 of 30,411 rows failed", "each once", 0, 30411, 0.0), ("order_id",),
    carried_over=True,
)  # fmt: skip
MANY = CheckOutcome(
    "row_count", "row_count", Answer("passed", "30,411 rows", "at least 1 rows", metric=30411.0),
    carried_over=True,
)  # fmt: skip
QUARANTINED = CheckOutcome(
    "accepted_values_status", "accepted_values",
    Answer("warned", "3 of 30,411 rows failed", "one of paid, open, returned", 3, 30411, 3.0),
    ("status",),
    on_failure="quarantine", quarantined=3,
)  # fmt: skip

LINES = (
    line("stores", MANY, history=past(30000.0, 30100.0, 30411.0)),
    line("orders", UNIQUE, published=False),
    line("orders", NEGATIVE, published=False, failing=FAILING,
         description="Nobody pays less than nothing.",
         history=past(0.0, 0.0, 1.0, 0.0, 12.0, status="failed")),
    line("orders", UNKNOWN_STORES, published=False, history=past(37.0, 41.0, 40.0)),
    line("orders", ODD_COUNT, published=False),
    line("orders", BROKEN, published=False, history=past(None, None, None, status="errored")),
    line("orders", replace(NEGATIVE, answer=NOT_NEGATIVE,
                           carried_over=True)),
    line(LONG, QUARANTINED),
)  # fmt: skip
PAGE = ChecksPage(LINES, unmade=(FORECAST,), without=(AssetName("raw"), AssetName("report")))
PASSING = ChecksPage((LINES[0],))
NOTHING_DECLARED = ChecksPage((), without=(ORDERS, STORES))
NOTHING_MADE = ChecksPage((), unmade=(ORDERS, STORES))
NOTHING = ChecksPage(())


def day_line(key, failures):
    status = "failed" if failures else "passed"
    answer = Answer(status, "", "at least 0", failures, 24)
    outcome = CheckOutcome("between_delay", "between", answer, ("delay",))
    return line(FLIGHTS, outcome, partition=key, published=not failures)


def day_count(key, rows):
    answer = Answer("passed" if rows else "failed", f"{rows} rows", "at least 1")
    return line(FLIGHTS, CheckOutcome("row_count", "row_count", answer), partition=key)


SLICED = ChecksPage(
    (
        *(day_line(key, place % 5 == 4) for place, key in enumerate(DAYS[:30])),
        *(day_count(key, 24 + place % 3) for place, key in enumerate(DAYS[:30])),
        day_count(DAYS[30], 0),
    ),
    keys=KEYS,
)
DOUBLED = CheckOutcome("unique(id)", "unique", Answer("failed", "", "each once", 2, 744), ("id",))
WHOLE_TOO = replace(
    SLICED, lines=(*SLICED.lines[:24], line(FLIGHTS, DOUBLED, history=past(0, 2), published=False))
)
LARGE = ChecksPage(
    tuple(
        line(f"asset_{place // 5:04}", CheckOutcome(
            f"check_{place % 5}", "not_null",
            Answer("failed" if place % 400 == 0 else "passed", "", "", place % 400 == 0, 1000),
            carried_over=place % 400 != 0))
        for place in range(5000)
    )
)  # fmt: skip


def result(name, outcome, *reasons, **more):
    target = AssetPartition(AssetName(name), more.pop("partition", WHOLE))
    return StepResult(target, outcome, reasons, **more)


REJECTED_ERROR = str(
    VersionRejected(
        "orders",
        "",
        [("between_amount", "12 of 30,411 rows failed"),
         ("no_fraud", "ZeroDivisionError: division by zero")],
        is_served=True,
    )
)  # fmt: skip
RESULT = RunResult(
    RUN,
    "failed",
    12.34,
    (
        result("raw", "materialized", NeverMaterialized(), rows=30411, seconds=0.4,
               checks=(UNIQUE, MANY)),
        result("orders", "rejected", CodeChanged(()), rows=30411, seconds=0.4,
               error=REJECTED_ERROR, checks=(UNIQUE, UNKNOWN_STORES, NEGATIVE, BROKEN)),
        result(LONG, "materialized", CodeChanged(()), rows=30408, seconds=0.4,
               checks=(QUARANTINED,)),
        result("report", "skipped", UpstreamFailed("orders")),
    ),
    9,
)  # fmt: skip
RUN_PAGE = RunPage(
    RunLine(RUN, "failed", "main", AT, 12.34, {"materialized": 2, "rejected": 1, "skipped": 1}),
    tuple(
        StepLine(one.target.asset, one.target.partition, one.outcome,
                 tuple((reason.code, str(reason)) for reason in one.reasons),
                 one.rows, one.seconds, error=one.error, checks=one.checks)
        for one in RESULT.steps
    ),
)  # fmt: skip
SLICED_RESULT = RunResult(
    RUN,
    "succeeded",
    2.0,
    tuple(
        result("flights", "materialized", NeverMaterialized(), partition=key,
               checks=(replace(QUARANTINED, quarantined=place, answer=replace(
                   QUARANTINED.answer, failures=place, status="warned" if place else "passed")),))
        for place, key in enumerate(DAYS[:5])
    ),
    0,
    keys=KEYS,
)  # fmt: skip


def standing(name, health, *reasons, unmet=(), rejected=(), sync="up_to_date"):
    return AssetStatus(AssetName(name), sync, "no_policy", health, (), {sync: 1}, reasons, AT, 7,
                       unmet=unmet, rejected=rejected)  # fmt: skip


STATUSES = (
    standing("stores", "passed"),
    standing("raw", "unchecked"),
    standing("orders", "failed", unmet=("between_amount", "no_fraud", "references_store_id")),
    standing("payments", "warned", unmet=("anomaly_row_count",), rejected=("",)),
    standing("refunds", "passed", rejected=("a", "b", "c"), sync="stale"),
    standing(
        "returns",
        "passed",
        CodeChanged(()),
        RejectedLastTime("v7", (("between_amount", "12 of 30,411 rows failed"),)),
        rejected=("",),
        sync="stale",
    ),
)
ASSET_PAGE = replace(SHOWN, checks=tuple(one for one in LINES if one.asset == "orders"))


def column(text):
    asset, _, name = text.partition(".")
    return ColumnName(AssetName(asset), name)


def upstream(asset, reason, *path, keys=(WHOLE,)):
    return RepairUpstream(AssetName(asset), reason, tuple(map(column, path)), keys)


REPAIR = RepairPage(
    (
        RepairLine(
            ORDERS, NEGATIVE, "repairable",
            chosen=(
                upstream("exchange_rates", CanDiffer(),
                         "orders.amount", "clean_orders.amount", "exchange_rates.rate"),
            ),
            left_out=(
                upstream("stores", Unrelated(("amount",))),
                upstream("calendar", SameData(), "orders.amount", "calendar."),
                upstream("raw_orders", SourceUnchanged(), "orders.amount", "raw_orders.amount"),
            ),
            attempts=1, max_attempts=3, not_before=AT,
        ),
        RepairLine(STORES, UNIQUE_BROKEN, "nothing_differs",
                   left_out=(upstream("raw_stores", SourceUnchanged(), "stores.id",
                                      "raw_stores.id"),)),
        RepairLine(
            FLIGHTS, NEGATIVE, "exhausted", DAYS[4:7], attempts=3, max_attempts=3,
            chosen=(upstream("stg_weather", SourceChanged("weather"), "flights.delay",
                             "stg_weather.", keys=DAYS[4:7]),),
        ),
    ),
    keys=KEYS,
)  # fmt: skip
NO_REPAIR = RepairPage(())
UNASKED = RepairPage((), unasked=(ORDERS, STORES))
REPAIRED = RunResult(
    RUN, "succeeded", 3.0,
    (
        result("exchange_rates", "materialized", CanDiffer(), rows=31, seconds=0.2),
        result("orders", "materialized", InputChanged("exchange_rates", ("rate",)), rows=30411,
               seconds=0.4,
               mended=(Mended("between_amount", NEGATIVE.answer,
                              NOT_NEGATIVE),
                       Mended("row_count", Answer("failed", "0", "at least 1"),
                              Answer("passed", "30,411 rows", "at least 1 rows")))),
    ),
    3,
)  # fmt: skip
DEAD_LETTERS = (
    DeadLetterLine(FLIGHTS, "between_delay", NEGATIVE.answer, 3, AT, DAYS[4], RUN),
    DeadLetterLine(ORDERS, "no_fraud", BROKEN.answer, 2, AT, run=RUN,
                   note="the bank confirmed it", resolved_at=AT + timedelta(hours=2)),
)  # fmt: skip


def step(name, action, *reasons, partition=WHOLE):
    return Step(AssetPartition(AssetName(name), partition), Verdict(action, reasons), None, None)


PLAN = Plan(
    "main",
    (
        step("orders", "check", CheckChanged(("between_amount", "no_fraud"))),
        step("stores", "check", CheckChanged((), ("regions",))),
        step("payments", "blocked",
             RejectedLastTime("v7", (("between_amount", "12 of 30,411 rows failed"),))),
        *(step(FLIGHTS, "check", CheckChanged(("between_delay",)), partition=key)
          for key in DAYS[:40]),
        *(step(FLIGHTS, "blocked", RejectedLastTime(
              f"v{key}", (("between_delay", f"{place} of 24 rows failed"),)), partition=key)
          for place, key in enumerate(DAYS[50:53], 1)),
    ),
    9,
    keys=KEYS,
)  # fmt: skip
SKIPPED = RunResult(
    RUN,
    "failed",
    2.0,
    (
        result("stores", "checked", CheckChanged(("row_count",)), seconds=0.1,
               checks=(replace(MANY, carried_over=False, answer=Answer(
                   "failed", "30,411 rows", "at least 40,000 rows", metric=30411.0)),)),
        result("report", "skipped", UpstreamRejected("orders")),
    ),
    9,
)  # fmt: skip


PROPOSALS = ProposalsPage(
    ORDERS,
    (
        Suggestion("unique", 'unique("order_id")', '{ unique = ["order_id"] }',
                 "30,411 different values in 30,411 rows"),
        Suggestion("not_null", 'not_null("order_id", "status")',
                 '{ not_null = ["order_id", "status"] }', "no nulls in 30,411 rows"),
        Suggestion("accepted_values",
                 'accepted_values("status", ["cancelled", "open", "paid", "returned", "sent"])',
                 '{ accepted_values = { column = "status", values = ["cancelled", "open", '
                 '"paid", "returned", "sent"] } }', "5 different values in 30,411 rows"),
    ),
    30411,
)  # fmt: skip
