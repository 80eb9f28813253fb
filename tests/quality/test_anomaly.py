"""Figures far from what they were stand out, and ordinary ones do not."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from assetflow.quality.anomaly import FEWEST_POINTS, expected_range
from assetflow.quality.answers import Point

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday


def day(number):
    return START + timedelta(days=number)


def series(count, value_of, seed=1):
    noise = random.Random(seed)
    return [Point(day(n), value_of(n) * noise.gauss(1, 0.03)) for n in range(count)]


def is_ordinary(history, number, value):
    found = expected_range(history, day(number))
    return found.low <= value <= found.high


def test_fewer_than_seven_points_tell_nothing():
    assert expected_range(series(FEWEST_POINTS - 1, lambda _: 100), day(99)) is None
    assert expected_range(series(FEWEST_POINTS, lambda _: 100), day(99)) is not None


def test_the_tested_point_is_never_part_of_what_it_is_held_against():
    history = series(FEWEST_POINTS, lambda _: 100)
    own = Point(day(99), 1_000_000)

    assert expected_range([*history, own], day(99)) == expected_range(history, day(99))
    assert expected_range(history, history[0].at) is None


def test_of_one_time_the_last_point_counts():
    history = series(10, lambda _: 100)

    repeated = [Point(point.at, 5.0) for point in history] + history

    assert expected_range(repeated, day(10)) == expected_range(history, day(10))


def test_weekends_are_held_against_weekends():
    history = series(42, lambda n: 1000 if n % 7 < 5 else 300)

    assert is_ordinary(history, 47, 300)
    assert not is_ordinary(history, 47, 1000)
    assert is_ordinary(history, 42, 1000)
    assert not is_ordinary(history, 42, 300)


def test_what_was_seen_before_is_ordinary_while_weekdays_are_not_known():
    history = series(10, lambda n: 1000 if n % 7 < 5 else 300)

    assert is_ordinary(history, 12, 310)
    assert not is_ordinary(history, 12, 0)


def test_a_trend_is_followed():
    history = series(40, lambda n: 1000 + 50 * n)

    assert is_ordinary(history, 40, 3000)
    assert not is_ordinary(history, 40, 1500)


@pytest.mark.parametrize("number", [80, 400])
def test_a_trend_is_carried_no_farther_than_it_was_seen(number):
    history = series(40, lambda n: 1000 + 50 * n)

    assert is_ordinary(history, number, 1000 + 50 * 79)
    assert not is_ordinary(history, number, 1000 + 50 * 300)


def test_a_trend_is_carried_back_no_farther_than_it_was_seen():
    history = [Point(day(100 + n), 9000.0 + 50 * n) for n in range(40)]

    assert is_ordinary(history, 0, 9000 - 50 * 39)
    assert not is_ordinary(history, 0, 9000 - 50 * 100)


def test_one_outlier_in_the_history_hides_no_other():
    history = series(30, lambda n: 100_000 if n == 20 else 100)

    assert not is_ordinary(history, 30, 200)


@pytest.mark.parametrize(("value", "expected"), [(100, True), (100.4, True), (103, False)])
def test_what_never_changed_may_change_a_little(value, expected):
    history = [Point(day(number), 100.0) for number in range(20)]

    assert is_ordinary(history, 20, value) is expected


def test_a_higher_sensitivity_bears_more():
    history = series(20, lambda _: 100)

    narrow, wide = (expected_range(history, day(20), sensitivity) for sensitivity in (3.0, 6.0))

    assert wide.low < narrow.low < narrow.high < wide.high
