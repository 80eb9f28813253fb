"""How old some data is, as pages show it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from assetflow.model.freshness import FreshnessPolicy, StatedPolicy
from assetflow.planning.data_time import DataTime
from assetflow.planning.freshness_pages import AgePoint, FreshnessLine, FreshnessPage
from assetflow.planning.freshness_past import freshness_history
from assetflow.planning.overdue import Bottleneck, judge_freshness

AT = datetime(2026, 1, 5, 13, 4, 11, tzinfo=UTC)
HOUR = 3600.0
LONG = "staging_customer_orders_with_everything_that_was_ever_known_about_them_daily"
SILENT = (
    "'raw_weather' has no newer file: running will not help; its owner is team:ingest"
)  # fmt: skip
FUTURE = "'raw_flights' has data of the future (2027-01-01 00:00 UTC): it counts as of now"
SIX_HOURS = FreshnessPolicy(6 * HOUR, slo=0.99)
BY_NINE = FreshnessPolicy(
    deadline="0 9 * * 1-5", within_seconds=2 * HOUR, timezone="Europe/Berlin"
)  # fmt: skip


def line(name, policy, hours, path=(), text="", *, helps=False, **more):
    data = None if hours is None else DataTime(name, AT - timedelta(hours=hours))
    held = Bottleneck((*path, name), helps, text) if hours is not None else None
    stated = None if policy is None else StatedPolicy(policy, more.pop("origin", "itself"))
    return FreshnessLine(name, judge_freshness(policy, data, AT), stated, held, **more)


def trend(*hours):
    return tuple(None if each is None else each * HOUR for each in hours)


PAGE = FreshnessPage(
    AT,
    (
        line(
            "daily_revenue",
            BY_NINE,
            30,
            ("raw_weather", "weather", "hourly_weather"),
            SILENT,
            trend=trend(6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 27, 30),
        ),
        line("raw_weather", FreshnessPolicy(24 * HOUR), 30, text=SILENT, is_source=True),
        line(
            LONG,
            SIX_HOURS,
            6.75,
            ("rates",),
            "'rates' can be run again",
            helps=True,
            trend=trend(None, None, 1, 3, 5, 7, 1, 3, 5, 1, 3, 6.75),
            origin="group marts",
        ),
        line(
            "carrier_ranking",
            SIX_HOURS,
            5.5,
            ("raw_flights",),
            "'raw_flights' has newer data: running will help",
            helps=True,
            notes=(FUTURE,),
        ),
        line("report", SIX_HOURS, None, notes=("never materialized",)),
        line("route_delays", SIX_HOURS, 1.2, ("raw_flights",), trend=trend(1, 2, 1, 2, 1, 1.2)),
        replace(
            line("airports", SIX_HOURS, 0),
            facts=judge_freshness(SIX_HOURS, DataTime("airports", None), AT),
            bottleneck=None,
        ),
        line("scratch", None, 50, ("raw_flights",)),
    ),
)  # fmt: skip
CALM = FreshnessPage(AT, tuple(one for one in PAGE.lines if one.facts.status == "fresh"))
NO_POLICY = FreshnessPage(AT, PAGE.lines[-1:])
NO_LINE = FreshnessPage(AT, ())
MANY = FreshnessPage(
    AT,
    (
        *(line(f"late_{n:03}", SIX_HOURS, 9 - n / 100, ("raw",), SILENT) for n in range(210)),
        *(line(f"mart_{n:03}", SIX_HOURS, 1, ("raw",)) for n in range(50)),
    ),
)


def points(*steps):
    """Return points from (hours ago, hours that the data was old then)."""
    found = []
    for ago, old in steps:
        at = AT - timedelta(hours=ago)
        found.append(AgePoint(at, None if old is None else at - timedelta(hours=old)))
    return tuple(found)


def history(policy, *steps, days=7):
    stated = policy and StatedPolicy(policy, "group marts")
    start = AT - timedelta(days=days)
    return freshness_history("daily_revenue", stated, points(*steps), start, AT)


PAST = history(
    SIX_HOURS,
    (168, None),
    (150, 1),
    *((ago, 1) for ago in range(145, 60, -5)),
    *((ago, 1) for ago in range(48, 0, -4)),
)
GOOD_PAST = history(
    FreshnessPolicy(6 * HOUR, slo=0.5), *((ago, 1) for ago in range(24, 0, -3)), days=1
)
DEADLINE_PAST = history(BY_NINE, (168, 3), (120, 1), (53, 20), (20, 1))
NO_POLICY_PAST = history(None, (100, 1), (40, 1))
NO_PAST = history(SIX_HOURS)
AGELESS_PAST = replace(NO_PAST, points=(AgePoint(AT - timedelta(days=2), None, is_ageless=True),))
