"""The truth table of freshness: what is said of data, by policy, calendar and past."""

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.partitions import daily, keys_of
from assetflow.planning.data_time import AgeHistory, DataTime, data_times
from assetflow.planning.newest_partitions import counting_keys
from assetflow.planning.overdue import judge_freshness
from tests.golden import assert_golden
from tests.planning.ageing import at, history, made, policy, seen

HOURLY = policy(max_lag="1h")
WARNED = policy(max_lag="6h", warn_lag="4h")
MORNING = policy(deadline="0 7 * * *", within="2h", timezone="Europe/Berlin")
NIGHTLY = policy(deadline="30 2 * * *", within="1h", timezone="Europe/Berlin")
MONTH_END = policy(deadline="0 18 L * *", within="1d", timezone="Europe/Berlin")
LEAP_DAY = policy(deadline="0 0 29 2 *", within="1d")
WEEKDAYS = policy(deadline="0 7 * * 1-5", within="12h")
BOTH = policy(max_lag="1d", deadline="0 7 * * *", within="2h")


@dataclass(frozen=True)
class Case:
    """What there is, and the instants at which it is looked at; `past` as of each of them."""

    policy: FreshnessPolicy | None
    data: str | AgeHistory | None
    looks: tuple[str, ...]
    zone: str = "UTC"
    path_seconds: float = 0.0
    partitions: dict[str, str] = field(default_factory=dict)
    as_of: str | None = None

    def data_time(self, now: datetime) -> DataTime | None:
        """Return the data time of the asset, "mart" where it has a past."""
        if isinstance(self.data, AgeHistory):
            past = self.data
            if self.partitions:
                keys = keys_of(daily("2026-01-01"), now)
                versions = [self.partitions[key] for key in self.published(keys, now)]
                past = AgeHistory(past.makings, past.states, {"mart": tuple(versions)})
            return data_times(past, now, self.as_of and at(self.as_of)).get("mart")
        return None if self.data is None else DataTime("mart", at(self.data, self.zone))

    def published(self, keys, now: datetime):
        return counting_keys(keys, self.partitions.keys(), now)


SILENT = history(
    seen("weather", "w1", "04 22:00"),
    made("load", "l1", "05 00:00", is_volatile=True, event_time=at("04 22:00")),
    made("load", "l2", "05 06:00", is_volatile=True, event_time=at("04 22:00")),
    made("mart", "m1", "05 06:05", {"load": "l2"}),
)
SILENT_FILE = history(
    seen("weather", "w1", "04 22:00"),
    made("clean", "c1", "04 23:00", {"weather": "w1"}),
    made("mart", "m1", "04 23:05", {"clean": "c1"}),
    made("mart", "m2", "05 06:05", {"clean": "c1"}),
)
VERIFIED = history(
    seen("orders", "o1", "05 00:00"),
    seen("orders", "o2", "05 06:00", "05 06:10"),
    made("clean", "c1", "05 00:30", {"orders": "o1"}),
    made("mart", "m1", "05 00:40", {"clean": "c1"}),
    made("clean", "c1", "05 06:30", {"orders": "o2"}),
)
RENEWED_WHERE_IT_WAS_READ = history(
    seen("orders", "o1", "05 00:00"),
    seen("orders", "o2", "05 06:00", "05 06:10"),
    made("clean", "c1", "05 00:30", {"orders": "o1"}),
    made("mart", "m1", "05 00:40", {"clean": "c1"}),
    made("clean", "c2", "05 06:30", {"orders": "o2"}),
)
DAYS = history(
    seen("raw", "r3", "04 00:10"),
    seen("raw", "r4", "05 00:10"),
    seen("raw", "r1", "05 06:00"),
    made("mart", "d3", "04 00:30", {"raw": "r3"}),
    made("mart", "d4", "05 00:30", {"raw": "r4"}),
    made("mart", "d1", "05 06:30", {"raw": "r1"}),
)
STORED = {"2026-01-01": "d1", "2026-01-03": "d3", "2026-01-04": "d4"}
CASES = {
    "a warning, and a deadline before it": Case(
        policy(max_lag="1d", warn_lag="23h", deadline="0 7 * * *", within="5h"),
        "05 00:00",
        ("05 05:59", "05 06:01", "05 07:01"),
    ),
    "no policy": Case(None, "05 00:00", ("05 12:00",)),
    "no data yet": Case(HOURLY, None, ("05 12:00",)),
    "no data yet, with a deadline": Case(MORNING, None, ("05 12:00",)),
    "at most an hour old": Case(
        HOURLY, "05 12:00", ("05 12:00", "05 12:48", "05 12:49", "05 13:00", "05 13:00:01")
    ),
    "the usual duration is longer than a fifth": Case(
        HOURLY, "05 12:00", ("05 12:30", "05 12:31"), path_seconds=1800
    ),
    "a warning of its own": Case(WARNED, "05 00:00", ("05 04:00", "05 04:01", "05 06:01")),
    "a deadline exactly now": Case(
        MORNING,
        "05 04:59",
        ("05 06:59:59", "05 07:00", "05 07:00:01"),
        zone="Europe/Berlin",
    ),
    "just recent enough at the deadline": Case(
        MORNING, "05 05:00", ("05 07:00:01", "06 06:59", "06 07:01"), zone="Europe/Berlin"
    ),
    "clocks go forward": Case(
        MORNING, "2026-03-28 07:00", ("2026-03-29 06:59", "2026-03-29 07:01"), "Europe/Berlin"
    ),
    "a deadline that clocks skip": Case(
        NIGHTLY, "2026-03-28 02:30", ("2026-03-29 03:00", "2026-03-29 03:01"), "Europe/Berlin"
    ),
    "clocks go back": Case(
        MORNING, "2026-10-24 07:00", ("2026-10-25 06:59", "2026-10-25 07:01"), "Europe/Berlin"
    ),
    "a deadline that clocks show twice": Case(
        NIGHTLY, "2026-10-25 01:30", ("2026-10-25 04:00", "2026-10-26 02:31"), "Europe/Berlin"
    ),
    "an hour of lag while clocks go forward": Case(
        HOURLY, "2026-03-29 01:30", ("2026-03-29 03:30", "2026-03-29 03:31"), "Europe/Berlin"
    ),
    "month ends": Case(
        MONTH_END, "2026-01-31 12:00", ("2026-02-27 12:00", "2026-02-28 18:01"), "Europe/Berlin"
    ),
    "the end of a leap February": Case(
        MONTH_END, "2028-01-31 12:00", ("2028-02-28 18:01", "2028-02-29 18:01"), "Europe/Berlin"
    ),
    "leap days": Case(
        LEAP_DAY, "2026-03-01 00:00", ("2027-03-01 00:00", "2028-02-29 00:00", "2028-02-29 00:01")
    ),
    "not due on a weekend": Case(
        WEEKDAYS, "2026-01-09 06:00", ("2026-01-10 07:01", "2026-01-12 07:00", "2026-01-12 07:01")
    ),
    "a lag and a deadline": Case(BOTH, "05 06:00", ("05 23:00", "06 06:00", "06 06:01")),
    "a lag and an earlier deadline": Case(
        BOTH, "05 04:00", ("05 06:00", "05 07:01", "06 04:01")
    ),
    "a source that went silent while its loads succeed": Case(
        policy(max_lag="6h"), SILENT, ("05 06:10",)
    ),
    "a file that went silent": Case(policy(max_lag="6h"), SILENT_FILE, ("05 06:10",)),
    "a verified step": Case(policy(max_lag="3h"), VERIFIED, ("05 07:00",)),
    "a verified step, as of before": Case(
        policy(max_lag="3h"), VERIFIED, ("05 03:30",), as_of="05 03:30"
    ),
    "an upstream that is newer than what was read": Case(
        policy(max_lag="3h"), RENEWED_WHERE_IT_WAS_READ, ("05 07:00",)
    ),
    "a partition not yet due": Case(
        policy(max_lag="30h"), DAYS, ("05 23:00", "06 00:01", "06 06:11"), partitions=STORED
    ),
    "a backfill of an old partition": Case(
        policy(max_lag="6h"), DAYS, ("05 06:40",), partitions=STORED
    ),
    "the newest partition is missing": Case(
        policy(max_lag="30h"), DAYS, ("07 01:00",), partitions=STORED
    ),
    "event times in the future": Case(
        HOURLY,
        history(made("mart", "m1", "05 06:00", is_volatile=True, event_time=at("2027-01-01"))),
        ("05 12:00",),
    ),
    "a clock that went backwards": Case(HOURLY, "05 12:00", ("05 11:00",)),
    "recorded when the clock was ahead": Case(
        HOURLY, history(made("mart", "m1", "05 12:00", is_volatile=True)), ("05 11:00",)
    ),
    "a file of which nobody knows the time": Case(
        HOURLY, history(seen("raw", "r", None), made("mart", "m", "05 06:00", {"raw": "r"})),
        ("05 06:00",),
    ),
    "nothing that it is made from ages": Case(
        HOURLY,
        history(
            seen("raw", "r", "01 00:00"),
            made("mart", "m", "05 06:00", {"raw": "r"}),
            ageing={"raw": "never"},
        ),
        ("05 12:00",),
    ),
}  # fmt: skip


def shown(case: Case, look: str) -> str:
    """Return one line of the table: all that is said at `look`."""
    now = at(look, case.zone)
    data = case.data_time(now)
    facts = judge_freshness(case.policy, data, now, case.path_seconds)
    said = {
        "lag": facts.lag_seconds,
        "allowed": facts.allowed_seconds,
        "data": facts.data_time,
        "due": facts.due_at,
        "since": facts.since,
        "deadline": facts.next_deadline,
        "path": " > ".join(data.path) if data and data.via else None,
        "capped": data.capped if data else None,
    }
    told = (f"{key} {text(value)}" for key, value in said.items() if value is not None)
    return f"  {text(now)}  {facts.status:9} {', '.join(told)}".rstrip()


def text(value) -> str:
    if isinstance(value, float):
        return f"{value / 3600:g}h"
    if not isinstance(value, datetime):
        return str(value)
    return f"{value:%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def test_the_table_of_what_is_said():
    lines = []
    for name, case in CASES.items():
        lines += [f"{name} ({case.policy})", *(shown(case, look) for look in case.looks), ""]

    assert_golden("freshness/truth_table", "\n".join(lines))


@pytest.mark.parametrize(("name", "case"), CASES.items(), ids=CASES)
def test_what_is_due_becomes_overdue_just_after(name, case):
    now = at(case.looks[0], case.zone)
    facts = judge_freshness(case.policy, case.data_time(now), now)
    if facts.due_at is None:
        return
    data = case.data_time(now)

    assert judge_freshness(case.policy, data, facts.due_at).status != "overdue"
    later = facts.due_at.replace(microsecond=1)
    assert judge_freshness(case.policy, data, later).since == facts.due_at
