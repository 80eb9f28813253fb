"""Values to be shown that have partitions: a year of days, with a gap and a failure."""

from datetime import UTC, datetime

from assetflow.model.declared_inputs import Location
from assetflow.model.names import AssetName, AssetPartition, PartitionKey
from assetflow.model.partitions import daily, keys_of, monthly, static
from assetflow.planning.pages import (
    AssetPage,
    DynamicChange,
    DynamicKeys,
    PartitionsPage,
    RunLine,
    RunPage,
    StepLine,
)
from assetflow.planning.reasons import (
    CodeChanged,
    InputChanged,
    NeverMaterialized,
    UpstreamFailed,
    UpstreamMissing,
    Withdrawn,
)
from assetflow.planning.results import AssetStatus, RunResult, StepResult
from assetflow.planning.steps import Plan, Step, Verdict, ranges_of

AT = datetime(2026, 1, 5, 13, 4, 11, tzinfo=UTC)
DAYS = keys_of(daily("2013-01-01", end="2014-01-01"), AT)
MONTHS = keys_of(monthly("2013-01", end="2014-01"), AT)
REGIONS = keys_of(static(["eu", "us", "asia"]), AT)
FLIGHTS, WEEK, MONTHLY = map(AssetName, ("flights", "last_week", "monthly_flights"))
KEYS = {FLIGHTS: DAYS, WEEK: DAYS, MONTHLY: MONTHS, AssetName("by_region"): REGIONS}


def days(first, last=None):
    return DAYS.between(first, last or first)


def step(asset, key, action, *reasons):
    return Step(AssetPartition(asset, key), Verdict(action, reasons), None, None)


def read(key):
    return InputChanged("flights", ("delay",), (str(key),))


CHANGED = (*days("2013-01-05", "2013-01-09"), *days("2013-02-01"))
PLAN = Plan(
    "main",
    (
        *(step(FLIGHTS, k, "materialize", InputChanged("weather", ("temp",))) for k in CHANGED),
        *(step(FLIGHTS, k, "materialize", NeverMaterialized()) for k in days("2013-03-01")),
        *(step(WEEK, k, "materialize", read(k)) for k in days("2013-01-05", "2013-01-15")),
        step(WEEK, "2013-03-03", "blocked", UpstreamMissing("flights", ("2013-03-01",))),
        step(WEEK, "2013-03-04", "blocked", UpstreamMissing("flights", ("2013-03-02",))),
        *(step(MONTHLY, k, "materialize", CodeChanged(("mean",))) for k in MONTHS[::2]),
        step("by_region", "us", "materialize", CodeChanged(())),
        step("by_region", "asia", "materialize", CodeChanged(())),
        step("by_region", PartitionKey("mars"), "withdraw", Withdrawn()),
        step("by_region", PartitionKey(""), "withdraw", Withdrawn()),
    ),
    701,
    (),
    tuple(AssetPartition(FLIGHTS, key) for key in days("2013-06-01", "2013-12-31")),
    KEYS,
    185.0,
)
QUIET_PLAN = Plan("main", (), 745, keys=KEYS)

RESULT = RunResult(
    "18ea51845c47172fdd01ef24",
    "failed",
    12.34,
    (
        *(StepResult(AssetPartition(FLIGHTS, k), "materialized", (NeverMaterialized(),), 24, 0.1)
          for k in days("2013-03-01", "2013-03-02")),
        StepResult(AssetPartition(FLIGHTS, "2013-03-03"), "failed", (NeverMaterialized(),),
                   error="'flights' failed.\n  ValueError: no such day"),
        *(StepResult(AssetPartition(WEEK, k), "skipped", (UpstreamFailed("flights"),))
          for k in days("2013-03-03", "2013-03-09")),
    ),
    340,
    left=tuple(AssetPartition(FLIGHTS, key) for key in days("2013-01-01", "2013-02-28")),
    keys=KEYS,
)  # fmt: skip
RUN_PAGE = RunPage(
    RunLine(RESULT.run, "failed", "main", AT, 12.34,
            {"materialized": 2, "failed": 1, "skipped": 7}),
    tuple(
        StepLine(one.target.asset, one.target.partition, one.outcome,
                 tuple((reason.code, str(reason)) for reason in one.reasons),
                 one.rows, one.seconds, error=one.error)
        for one in RESULT.steps
    ) + tuple(StepLine(WEEK, k, "materialized", (("input_changed", str(read(k))),), 7, 0.2)
              for k in days("2013-05-01", "2013-05-31")),
    KEYS,
)  # fmt: skip

MISSING = days("2013-02-01", "2013-02-05")
STATUSES = (
    AssetStatus(FLIGHTS, "stale", "no_policy", "unchecked", (),
                {"up_to_date": 350, "missing": 5, "stale": 10}, (NeverMaterialized(),), AT, 8400,
                {"missing": ranges_of(DAYS, MISSING), "stale": ranges_of(DAYS, DAYS[-10:])}),
    AssetStatus(MONTHLY, "up_to_date", "no_policy", "unchecked", (), {"up_to_date": 12}, (), AT,
                12, {}),
    AssetStatus(AssetName("shops"), "up_to_date", "no_policy", "unchecked", (), {}, (), None, None,
                {}),
    AssetStatus(AssetName("airports"), "up_to_date", "no_policy", "unchecked", (),
                {"up_to_date": 1}, (), AT, 12),
)  # fmt: skip
PAGE = AssetPage(
    name=FLIGHTS,
    kind="sql",
    location=Location("shop/flights.sql", 1),
    schema=(),
    status=STATUSES[0],
    partitions=PartitionsPage(
        "daily from 2013-01-01 to 2013-12-31", 365,
        published=ranges_of(DAYS, [key for key in DAYS if key not in MISSING]),
        missing=ranges_of(DAYS, MISSING),
        obsolete=ranges_of(DAYS, [PartitionKey("2012-12-31")]),
        published_count=360, missing_count=5, files=2, size_bytes=1_500_000,
    ),
)  # fmt: skip
DYNAMIC = (
    DynamicKeys("shops", ("berlin", "paris"), (AssetName("sales"), AssetName("stock"))),
    DynamicKeys("models", (), (AssetName("fits"),)),
)
ADDED = DynamicChange("shops", added=("berlin", "paris"), known=("rome",))
REMOVED = DynamicChange("shops", removed=("berlin",))
