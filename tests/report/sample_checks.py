"""Checks to be shown: a shop whose orders were rejected, and a year of days."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from assetflow.model.columns import Column
from assetflow.model.declared_inputs import Location
from assetflow.model.names import AssetName, VersionId
from assetflow.planning.check_pages import (
    CheckLine,
    CheckOutcome,
    CheckPoint,
    ChecksPage,
    FailingRows,
)
from assetflow.quality.answers import Answer
from tests.report.sample_partitions import DAYS, FLIGHTS, KEYS
from tests.report.samples import AT, LONG, RUN

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
    Answer("failed", "min -3.00", "at least 0", 12, 30411, 12.0,
           "select * from orders\nwhere amount < 0"),
    ("amount",),
)  # fmt: skip
BROKEN = CheckOutcome(
    "no_fraud", "function",
    Answer("errored", message="ZeroDivisionError: division by zero\n  shop/checks.py:12"),
)  # fmt: skip
UNKNOWN_STORES = CheckOutcome(
    "references_store_id", "references",
    Answer("warned", "", "at most 0.1 %", 40, 30411, 40.0, "select * from orders anti join …"),
    ("store_id",), "warn", "warn",
)  # fmt: skip
ODD_COUNT = CheckOutcome(
    "anomaly_row_count", "anomaly",
    Answer("learning", "4 points", "7 points", message="too little history to tell"),
    severity="warn", on_failure="warn",
)  # fmt: skip
UNIQUE = CheckOutcome(
    "unique_order_id", "unique", Answer("passed", "", "", 0, 30411, 0.0), ("order_id",),
    carried_over=True,
)  # fmt: skip
MANY = CheckOutcome(
    "row_count", "row_count", Answer("passed", "30,411", "at least 1", metric=30411.0),
    carried_over=True,
)  # fmt: skip
QUARANTINED = CheckOutcome(
    "accepted_values_status", "accepted_values",
    Answer("warned", "", "paid, open, returned", 3, 30411, 3.0), ("status",),
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
    line("orders", replace(NEGATIVE, answer=Answer("passed", "min 0.00", "at least 0", 0, 30000),
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
LARGE = ChecksPage(
    tuple(
        line(f"asset_{place // 5:04}", CheckOutcome(
            f"check_{place % 5}", "not_null",
            Answer("failed" if place % 400 == 0 else "passed", "", "", place % 400 == 0, 1000),
            carried_over=place % 400 != 0))
        for place in range(5000)
    )
)  # fmt: skip
