"""Cron expressions at the edges of calendars and clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetflow.model.cron import find_cron_problem, next_tick, tick_before

START = datetime(2026, 1, 1, tzinfo=UTC)
CRONS = ["0 7 * * *", "30 2 * * *", "*/30 * * * *", "0 7 * * 1-5", "0 0 31 * *", "0 0 29 2 *"]
ZONES = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]


def at(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("cron", "after", "fires"),
    [
        ("0 7 * * *", "2026-01-05 06:59", "2026-01-05 07:00"),
        ("0 7 * * *", "2026-01-05 07:00", "2026-01-06 07:00"),
        ("0 7 * * *", "2026-01-05 06:59:59.999", "2026-01-05 07:00"),
        ("0 7 * * *", "2026-01-05 07:00:00.001", "2026-01-06 07:00"),
        ("0 7 * * 1-5", "2026-01-09 08:00", "2026-01-12 07:00"),
        ("0 0 31 * *", "2026-01-31 00:00", "2026-03-31 00:00"),
        ("0 0 L * *", "2026-02-01 00:00", "2026-02-28 00:00"),
        ("0 0 29 2 *", "2026-01-01 00:00", "2028-02-29 00:00"),
        ("0 7 * * *", "2026-03-28 12:00", "2026-03-29 07:00"),
        ("30 2 * * *", "2026-03-28 12:00", "2026-03-29 03:00"),
        ("30 2 * * *", "2026-03-29 03:00", "2026-03-30 02:30"),
    ],
)
def test_the_next_tick_follows_the_clocks_of_the_zone(cron, after, fires):
    found = next_tick(cron, "Europe/Berlin", at(after, "Europe/Berlin"))

    assert found == at(fires, "Europe/Berlin")


def test_what_clocks_show_twice_fires_once():
    first = next_tick("30 2 * * *", "Europe/Berlin", at("2026-10-25 01:00", "Europe/Berlin"))

    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    for minutes in (1, 30, 45, 59, 60, 61, 90):
        following = next_tick("30 2 * * *", "Europe/Berlin", first + timedelta(minutes=minutes))
        assert following == at("2026-10-26 02:30", "Europe/Berlin")


@pytest.mark.parametrize("minutes", [1, 30, 59, 60, 61, 90])
def test_backwards_the_first_of_two_times_is_not_missed(minutes):
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert tick_before("30 2 * * *", "Europe/Berlin", first + timedelta(minutes=minutes)) == first


@given(
    st.sampled_from(CRONS),
    st.sampled_from(ZONES),
    st.integers(0, 3 * 365 * 86400).map(lambda n: START + timedelta(seconds=n)),
)
def test_backwards_is_the_inverse_of_forwards(cron, zone, instant):
    before, after = tick_before(cron, zone, instant), next_tick(cron, zone, instant)

    assert before < instant < after
    assert next_tick(cron, zone, before) in (instant, after)


@pytest.mark.parametrize("text", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 feb *"])
def test_a_cron_that_never_fires_is_told(text):
    assert find_cron_problem(text) == "a cron expression that fires; this one never does"


@pytest.mark.parametrize(
    "text", ["", "daily", "@daily", "0 7", "60 7 * * *", "0 7 * 13 *", "0 0 7 * * *", "0 7 * * 9"]
)
def test_what_is_no_cron_is_told(text):
    assert find_cron_problem(text) == 'a cron expression of five fields, such as "0 7 * * 1-5"'


@pytest.mark.parametrize("text", CRONS)
def test_a_cron_that_fires_has_no_problem(text):
    assert find_cron_problem(text) is None
