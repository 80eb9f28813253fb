"""Keys and windows of declared partitions, above all where clocks are changed."""

# ruff: noqa: DTZ001 - local times have no zone

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetflow.errors import UnknownPartition
from assetflow.model.names import WHOLE
from assetflow.model.partitions import (
    WHOLE_KEYS,
    TimePartitions,
    daily,
    dynamic,
    find_key_problem,
    find_problem,
    hourly,
    keys_of,
    monthly,
    product,
    static,
    weekly,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BERLIN = {"timezone": "Europe/Berlin"}
MADE_BY = {"hour": hourly, "day": daily, "week": weekly, "month": monthly}


def keys(partitions, now=NOW, **added):
    return keys_of(partitions, now, {name: tuple(said) for name, said in added.items()})


def hours_of(found):
    return {key: (found.window(key).end - found.window(key).start) / HOUR for key in found}


@pytest.mark.parametrize(
    ("zone", "first", "end", "hours"),
    [
        ("UTC", "2026-03-28", "2026-03-31", [24, 24, 24]),
        ("Europe/Berlin", "2026-03-28", "2026-03-31", [24, 23, 24]),
        ("Europe/Berlin", "2026-10-24", "2026-10-27", [24, 25, 24]),
        ("America/New_York", "2026-03-07", "2026-03-10", [24, 23, 24]),
        ("America/New_York", "2026-10-31", "2026-11-03", [24, 25, 24]),
        ("America/Sao_Paulo", "2017-10-14", "2017-10-17", [24, 23, 24]),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-19", [25, 24]),
        ("America/Sao_Paulo", "2018-11-03", "2018-11-06", [24, 23, 24]),
        ("Australia/Lord_Howe", "2026-04-04", "2026-04-07", [24, 24.5, 24]),
        ("Australia/Lord_Howe", "2026-10-03", "2026-10-06", [24, 23.5, 24]),
        ("Asia/Kolkata", "2026-03-28", "2026-03-31", [24, 24, 24]),
        ("America/Havana", "2026-03-07", "2026-03-10", [24, 23, 24]),
        ("America/Havana", "2026-10-31", "2026-11-03", [24, 25, 24]),
        ("America/St_Johns", "2006-10-28", "2006-10-31", [24, 25, 24]),
    ],
)
def test_the_day_on_which_clocks_are_changed_is_shorter_or_longer(zone, first, end, hours):
    assert [*hours_of(keys(daily(first, end, timezone=zone))).values()] == hours


def test_a_day_that_a_country_skipped_has_no_key():
    found = keys(daily("2011-12-28", "2012-01-02", timezone="Pacific/Apia"))

    assert [*found] == ["2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01"]
    assert found.window("2011-12-30") is None
    assert found.window("2011-12-29").end == found.window("2011-12-31").start


def test_a_day_whose_midnight_is_skipped_begins_at_the_change():
    found = keys(daily("2017-10-15", "2017-10-16", timezone="America/Sao_Paulo"))

    assert found.window("2017-10-15").start == datetime(2017, 10, 15, 3, tzinfo=UTC)
    assert found.local_start("2017-10-15") == datetime(2017, 10, 15)


def test_a_day_whose_midnight_comes_twice_begins_at_the_first():
    found = keys(daily("2026-11-01", "2026-11-02", timezone="America/Havana"))

    assert found.window("2026-11-01").start == datetime(2026, 11, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "first", "end", "expected"),
    [
        ("Europe/Berlin", "2026-03-29T01", "2026-03-29T04", ["01", "03"]),
        ("Europe/Berlin", "2026-10-25T01", "2026-10-25T04", ["01", "02", "02+01", "03"]),
        ("America/New_York", "2026-03-08T01", "2026-03-08T04", ["01", "03"]),
        ("America/New_York", "2026-11-01T00", "2026-11-01T03", ["00", "01", "01-05", "02"]),
        ("Australia/Lord_Howe", "2026-04-05T01", "2026-04-05T03", ["01", "01+1030", "02"]),
        ("Australia/Lord_Howe", "2026-10-04T01", "2026-10-04T04", ["01", "02", "03"]),
        ("Asia/Kolkata", "2026-03-29T01", "2026-03-29T04", ["01", "02", "03"]),
        ("America/Sao_Paulo", "2017-10-15T00", "2017-10-15T03", ["01", "02"]),
        ("America/St_Johns", "2006-10-28T23", "2006-10-29T01", ["23", "00", "23-0330", "00-0330"]),
    ],
)
def test_a_repeated_hour_is_two_and_a_skipped_one_none(zone, first, end, expected):
    found = keys(hourly(first, end, timezone=zone))

    assert [key[11:] for key in found] == expected
    assert all(
        one.window(a).end == one.window(b).start for one in [found] for a, b in pairwise(one)
    )


def test_hours_of_half_an_hour_are_where_clocks_are_changed_by_half_an_hour():
    autumn = keys(hourly("2026-04-05T01", "2026-04-05T03", timezone="Australia/Lord_Howe"))
    spring = keys(hourly("2026-10-04T01", "2026-10-04T04", timezone="Australia/Lord_Howe"))

    assert [*hours_of(autumn).values()] == [1, 0.5, 1]
    assert [*hours_of(spring).values()] == [1, 0.5, 1]


def test_what_clocks_show_twice_belongs_to_the_second_hour_only():
    found = keys(hourly("2026-10-25T01", "2026-10-25T04", timezone="Europe/Berlin"))

    shown = [(found.local_start(key).hour, found.local_end(key).hour) for key in found]

    assert shown == [(1, 2), (2, 2), (2, 3), (3, 4)]


@pytest.mark.parametrize(
    ("partitions", "expected"),
    [
        (daily("2024-02-28", "2024-03-02"), ["2024-02-28", "2024-02-29", "2024-03-01"]),
        (daily("2023-02-28", "2023-03-02"), ["2023-02-28", "2023-03-01"]),
        (monthly("2025-12", "2026-03"), ["2025-12", "2026-01", "2026-02"]),
        (monthly("2025-12-01", date(2026, 1, 1)), ["2025-12"]),
        (weekly("2020-W52", "2021-W02"), ["2020-W52", "2020-W53", "2021-W01"]),
        (weekly("2025-12-29", "2026-01-12"), ["2026-W01", "2026-W02"]),
        (hourly("2026-01-05", "2026-01-05T02"), ["2026-01-05T00", "2026-01-05T01"]),
        (hourly(datetime(2026, 1, 5, 13), "2026-01-05T14"), ["2026-01-05T13"]),
        (
            hourly(datetime(2026, 1, 5, 13, tzinfo=UTC), "2026-01-05T15", timezone="Europe/Berlin"),
            ["2026-01-05T14"],
        ),
        (static(["eu", "us"]), ["eu", "us"]),
        (dynamic("shops"), ["b", "a"]),
        (product(day=daily("2026-01-01", "2026-01-03"), region=static(["eu", "us"])),
         ["2026-01-01|eu", "2026-01-01|us", "2026-01-02|eu", "2026-01-02|us"]),
        (product(shop=dynamic("none"), region=static(["eu", "us"])), []),
        (None, [WHOLE]),
    ],
)  # fmt: skip
def test_the_keys_of_a_definition(partitions, expected):
    assert [*keys(partitions, shops=["b", "a"])] == expected


def test_an_offset_moves_the_window_and_not_the_key_also_when_clocks_are_changed():
    zone = ZoneInfo("Europe/Berlin")
    found = keys(daily("2026-03-28", "2026-03-31", timezone="Europe/Berlin", offset="06:00"))

    starts = [found.window(key).start.astimezone(zone) for key in found]

    assert [*found] == ["2026-03-28", "2026-03-29", "2026-03-30"]
    assert [(start.day, start.hour) for start in starts] == [(28, 6), (29, 6), (30, 6)]
    assert [*hours_of(found).values()] == [23, 24, 24]


def test_an_offset_in_the_hour_that_is_skipped_begins_at_the_change():
    found = keys(daily("2026-03-29", "2026-03-30", timezone="Europe/Berlin", offset="02:30"))

    assert found.window("2026-03-29").start == datetime(2026, 3, 29, 1, tzinfo=UTC)


MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("partitions", "boundary", "before", "after"),
    [
        (daily("2026-03-01"), datetime(2026, 3, 6, tzinfo=UTC), "2026-03-04", "2026-03-05"),
        (
            daily("2026-03-01", timezone="Europe/Berlin", offset="06:00"),
            datetime(2026, 3, 6, 5, tzinfo=UTC), "2026-03-04", "2026-03-05",
        ),
        (hourly("2026-03-01"), datetime(2026, 3, 6, 1, tzinfo=UTC),
         "2026-03-05T23", "2026-03-06T00"),
        (
            hourly("2026-10-25", timezone="Europe/Berlin"),
            datetime(2026, 10, 25, 1, tzinfo=UTC), "2026-10-25T01", "2026-10-25T02",
        ),
        (
            hourly("2026-10-25", timezone="Europe/Berlin"),
            datetime(2026, 10, 25, 2, tzinfo=UTC), "2026-10-25T02", "2026-10-25T02+01",
        ),
        (weekly("2026-W01"), datetime(2026, 1, 19, tzinfo=UTC), "2026-W02", "2026-W03"),
        (monthly("2025-01"), datetime(2026, 3, 1, tzinfo=UTC), "2026-01", "2026-02"),
        (
            daily("2017-10-01", timezone="America/Sao_Paulo"),
            datetime(2017, 10, 15, 3, tzinfo=UTC), "2017-10-13", "2017-10-14",
        ),
    ],
)  # fmt: skip
def test_without_an_end_the_last_key_is_that_of_the_last_window_that_has_ended(
    partitions, boundary, before, after
):
    assert keys(partitions, boundary - MOMENT)[-1] == before
    assert keys(partitions, boundary)[-1] == after
    assert keys(partitions, boundary + MOMENT)[-1] == after


def test_before_its_first_window_has_ended_a_definition_has_no_keys():
    partitions = daily("2026-10-31")

    assert [*keys(partitions, datetime(2026, 10, 31, 23, 59, tzinfo=UTC))] == []
    assert [*keys(partitions, datetime(2026, 1, 1, tzinfo=UTC))] == []


def test_with_an_end_the_keys_do_not_depend_on_the_clock():
    partitions = daily("2026-12-30", "2027-01-01")

    assert [*keys(partitions, datetime(2026, 1, 1, tzinfo=UTC))] == ["2026-12-30", "2026-12-31"]


def test_equal_definitions_share_their_keys():
    one, other = (daily("2026-01-01", timezone="Europe/Berlin") for _ in range(2))

    assert keys(one, NOW) is keys(other, NOW + HOUR)
    assert keys(one, NOW) is not keys(one, NOW + 24 * HOUR)


DAY = "a day, such as"


@pytest.mark.parametrize(
    ("partitions", "expected"),
    [
        (daily("2026-02-30"), DAY),
        (daily("yesterday"), DAY),
        (daily("2026-01-05T13:00"), DAY),
        (daily("0001-01-01"), DAY),
        (daily("9999-12-31"), DAY),
        (daily(5), DAY),
        (daily(""), DAY),
        (
            daily("2026-01-05", "2026-01-05"),
            "an end after the start '2026-01-05', not '2026-01-05'",
        ),
        (daily("2026-01-05", "2026-01-04"), "an end after the start"),
        (weekly("2026-01-01"), "a week or its Monday"),
        (weekly("2026-W54"), "a week or its Monday"),
        (weekly("2025-W53"), "a week or its Monday"),
        (monthly("2026-01-15"), "a month or its first day"),
        (monthly("2026-13"), "a month or its first day"),
        (hourly("2026-01-05T13:30"), "an hour, such as"),
        (hourly("2026-01-05T24"), "an hour, such as"),
        (hourly("2026-10-25T02+01", timezone="Europe/Berlin"), "an hour, such as"),
        (daily("2026-01-01", timezone="Europe/Berln"), "a time zone such as"),
        (daily("2026-01-01", timezone=""), "a time zone such as"),
        (daily("2026-01-01", timezone="../etc/passwd"), "a time zone such as"),
        (daily("2026-01-01", offset="24:00"), "an offset from"),
        (daily("2026-01-01", offset="6"), "an offset from"),
        (daily("2026-01-01", offset="06:60"), "an offset from"),
        (daily("2026-01-01", offset=6), "an offset from"),
        (static([]), "at least one key"),
        (static("eu"), "a list of at least one key"),
        (static(3), "a list of at least one key"),
        (static(["a", "A"]), "differ in more than case"),
        (static(["a", "a"]), "differ in more than case"),
        (static(["a", 3]), "each a text"),
        (dynamic(""), "a name for the dynamic keys"),
        (product(), "at least one dimension"),
        (product(day=daily("no")), "(dimension 'day')"),
        (product(inner=product(day=daily("2026-01-01"))), "'inner' is not"),
        (product(day="2026-01-01"), "'day' is not"),
    ],
    ids=str,
)
def test_a_definition_that_cannot_work_says_what_is_expected(partitions, expected):
    assert expected in (find_problem(partitions) or "")


@pytest.mark.parametrize(
    "key", ["", " a", "a ", "a|b", "a..b", "a/b", "a\nb", "a\x00", "x" * 101, 3, None, "\u202ea"]
)
def test_some_texts_cannot_be_keys(key):
    assert find_key_problem(key)
    assert find_problem(static(["fine", key]))


@pytest.mark.parametrize("key", ["a", "New York", "é", "日本", "a.b", "x" * 100, "-", "a%2Fb"])
def test_other_texts_can(key):
    assert find_key_problem(key) is None


ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe"),
    *("Asia/Kolkata", "Pacific/Apia", "America/Havana", "America/St_Johns", "Africa/Casablanca"),
]
CHANGES = [
    datetime.fromisoformat(text)
    for text in (
        *("2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2017-10-14", "2018-02-17"),
        *("2026-04-04T20", "2026-10-03T20", "2011-12-28", "2006-10-28", "2006-04-01"),
    )
]


@st.composite
def timed(draw, units=("hour", "day", "week", "month")):
    unit = draw(st.sampled_from(units))
    made = MADE_BY[unit]
    grid = made("2020-01").grid if unit == "month" else made("2024-01-01").grid
    first = draw(
        st.sampled_from(CHANGES) | st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1))
    )
    spans = {"hour": 60 * HOUR, "day": 500 * HOUR, "week": 9000 * HOUR, "month": 30_000 * HOUR}
    last = (
        first
        + draw(st.floats(0.1, 1)) * spans[unit]
        + {"hour": 1, "day": 24, "week": 168, "month": 745}[unit] * HOUR
    )
    said = {"timezone": draw(st.sampled_from(ZONES))}
    if unit != "hour":
        hours, minutes = draw(st.integers(0, 23)), draw(st.sampled_from([0, 30]))
        said["offset"] = draw(st.sampled_from(["00:00", f"{hours:02}:{minutes:02}"]))
    return made(grid.key_of(first), grid.key_of(last), **said)


@settings(max_examples=150, deadline=None)
@given(timed())
def test_windows_follow_one_another_without_gap_or_overlap(partitions):
    found = keys(partitions)

    windows = [found.window(key) for key in found]

    assert find_problem(partitions) is None
    assert all(window.start < window.end for window in windows)
    assert all(one.end == other.start for one, other in pairwise(windows))
    assert len({*found}) == len(found)
    if windows:
        assert windows[0].start == partitions.grid.start(partitions.start)
        assert windows[-1].end == partitions.grid.start(partitions.end)


@settings(max_examples=100, deadline=None)
@given(timed(), st.data())
def test_each_instant_is_in_the_window_of_one_key(partitions, data):
    found = keys(partitions)
    if not found:
        return
    key = data.draw(st.sampled_from(found.keys))
    window = found.window(key)

    assert partitions.grid.key_at(window.start) == key
    assert partitions.grid.key_at(window.end - MOMENT) == key
    assert found.position_at(window.start) == found.index(key)
    assert found.position_at(found.window(found[0]).start - MOMENT) == 0
    assert found.position_at(found.window(found[-1]).end) == len(found)


@settings(max_examples=100, deadline=None)
@given(timed(), st.data())
def test_the_keys_of_a_narrower_range_are_those_of_the_wider(partitions, data):
    found = keys(partitions)
    plain = [key for key in found if len(key) <= len("2026-01-01T00")]
    if not plain:
        return
    start = data.draw(st.sampled_from(plain))
    narrower = TimePartitions(
        partitions.unit, start, partitions.end, partitions.timezone, partitions.offset_minutes
    )

    assert keys(narrower).keys == found[found.index(start) :]


simple = st.one_of(
    timed(),
    st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True).map(static),
)


@st.composite
def anything(draw):
    if draw(st.booleans()):
        return draw(simple)
    days, months = daily("2026-03-27", "2026-04-01", **BERLIN), monthly("2026-01", "2026-04")
    small = st.sampled_from([days, static(["a", "b", "c"]), static(["x"]), months])
    names = draw(st.lists(st.sampled_from("pqr"), min_size=1, unique=True))
    return product(**{name: draw(small) for name in names})


@settings(max_examples=150, deadline=None)
@given(anything(), st.data())
def test_ranges_hold_just_the_keys_that_they_were_made_of(partitions, data):
    found = keys(partitions)
    wanted = data.draw(st.sets(st.sampled_from(found.keys))) if found else set()

    ranges = found.ranges(wanted)

    held = [key for first, last in ranges for key in found.between(first, last)]
    assert {*held} == wanted
    assert len(held) == len(wanted)
    assert len(found.ranges(found)) == (1 if found else 0)


def test_ranges_are_runs_of_neighbours():
    found = keys(daily("2013-01-01", "2013-03-01"))
    wanted = [*found.between("2013-01-05", "2013-01-09"), "2013-02-01"]

    assert found.ranges(reversed(wanted)) == [
        ("2013-01-05", "2013-01-09"),
        ("2013-02-01", "2013-02-01"),
    ]


def test_keys_that_are_gone_stand_by_themselves_behind_the_ranges():
    found = keys(daily("2013-01-01", "2013-01-03"))

    assert found.ranges(["2014-01-01", "2013-01-01"]) == [
        ("2013-01-01", "2013-01-01"),
        ("2014-01-01", "2014-01-01"),
    ]


def test_ranges_of_a_product_are_boxes():
    found = keys(product(day=daily("2026-01-01", "2026-02-01"), region=static(["eu", "us"])))

    box = found.between("2026-01-05|us", "2026-01-06|us")

    assert box == ("2026-01-05|us", "2026-01-06|us")
    assert found.ranges(box) == [("2026-01-05|us", "2026-01-06|us")]


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        ("2026-01-30", "2026-02-10", 2),
        ("2025-01-01", "2026-01-02", 2),
        ("2025-01-01", "2027-01-01", 31),
        ("2026-01-05", "2026-01-04", 0),
    ],
)
def test_the_ends_of_a_range_need_not_be_partitions(first, last, count):
    assert len(keys(daily("2026-01-01", "2026-02-01")).between(first, last)) == count


def test_the_ends_of_a_range_of_hours_may_be_hours_that_clocks_skip_or_repeat():
    spring = keys(hourly("2026-03-29", "2026-03-30", timezone="Europe/Berlin"))
    autumn = keys(hourly("2026-10-25", "2026-10-26", timezone="Europe/Berlin"))

    assert spring.between("2026-03-29T01", "2026-03-29T02") == ("2026-03-29T01", "2026-03-29T03")
    assert autumn.between("2026-10-25T02", "2026-10-25T02+01") == (
        "2026-10-25T02",
        "2026-10-25T02+01",
    )


@pytest.mark.parametrize(
    ("partitions", "key"),
    [
        (daily("2026-01-01", "2026-02-01"), "2026-01"),
        (daily("2026-01-01", "2026-02-01"), "2026-02-30"),
        (static(["eu", "us"]), "e"),
        (product(day=daily("2026-01-01", "2026-02-01"), region=static(["eu"])), "2026-01-01"),
    ],
)
def test_a_range_to_what_is_no_key_is_refused(partitions, key):
    with pytest.raises(UnknownPartition) as caught:
        keys(partitions).between(key, key)

    assert str(caught.value).startswith(f"{key!r} is no key of these partitions.")


def test_a_product_with_one_time_has_its_windows():
    found = keys(product(region=static(["eu"]), day=daily("2026-01-01", "2026-02-01")))

    assert found.window("eu|2026-01-05").text == "2026-01-05T00:00:00Z/2026-01-06T00:00:00Z"
    assert found.local_end("eu|2026-01-05") == datetime(2026, 1, 6)


@pytest.mark.parametrize("partitions", [None, static(["a"]), dynamic("a")])
def test_without_time_there_are_no_windows(partitions):
    assert keys(partitions).window("a") is None
    assert keys(partitions).local_start("a") is None


def test_the_whole_is_one_key():
    assert [*WHOLE_KEYS] == [WHOLE]
    assert keys(None) is WHOLE_KEYS


def test_a_definition_is_shown_as_it_is_written():
    made = daily("2026-01-01", "2026-02-01", timezone="Europe/Berlin", offset="06:00")

    assert repr(made) == (
        "daily('2026-01-01', '2026-02-01', timezone='Europe/Berlin', offset='06:00')"
    )
    assert repr(hourly("2026-01-01T00")) == "hourly('2026-01-01T00')"
    assert str(made) == "daily in Europe/Berlin from 06:00"


def test_what_clocks_show_of_the_day_before_after_midnight_belongs_to_the_new_day():
    found = keys(daily("2006-10-28", "2006-10-31", timezone="America/St_Johns"))
    midnight = found.window("2006-10-29").start

    assert midnight == datetime(2006, 10, 29, 2, 30, tzinfo=UTC)
    assert found.partitions.grid.key_at(midnight + timedelta(minutes=30)) == "2006-10-29"
    assert found.position_at(midnight + timedelta(minutes=30)) == 1
