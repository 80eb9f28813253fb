"""Data time as it is derived from what was made of what, now and as of any moment."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetflow.errors import NaiveEventTime
from assetflow.model.names import WHOLE
from assetflow.model.partitions import daily, keys_of, product, static
from assetflow.planning.data_time import (
    AdvancingDerivation,
    AgeHistory,
    Derivation,
    Making,
    StateSeen,
    VersionsRead,
    data_times,
    event_instant,
)
from assetflow.planning.freshness_past import PastOfAsset, PointerMove, age_points
from assetflow.planning.newest_partitions import counting_keys, newest_due, newest_read
from tests.golden import assert_golden
from tests.planning.ageing import at, history, made, seen

NOW = at("05 12:00")


def derived(*records, now=NOW, as_of=None, ageing=None, **current):
    return data_times(history(*records, ageing=ageing, **current), now, as_of and at(as_of))


def test_an_asset_is_as_old_as_its_oldest_input():
    found = derived(
        seen("orders", "o", "05 10:00"),
        seen("stores", "s", "05 08:00"),
        made("clean", "c", "05 11:00", {"orders": "o"}),
        made("mart", "m", "05 11:30", {"clean": "c", "stores": "s"}),
    )

    assert (found["clean"].at, found["mart"].at) == (at("05 10:00"), at("05 08:00"))
    assert found["mart"].path == ("stores", "mart")
    assert found["mart"].root == "stores"


def test_inputs_that_do_not_age_count_for_nothing():
    found = derived(
        seen("orders", "o", "05 10:00"),
        seen("countries", "n", "01 00:00"),
        made("constant", "k", "01 00:00"),
        made("mart", "m", "05 11:30", {"countries": "n", "orders": "o", "constant": "k"}),
        made("map", "p", "05 11:30", {"countries": "n", "constant": "k"}),
        ageing={"countries": "never"},
    )

    assert found["mart"].at == at("05 10:00")
    assert (found["constant"].at, found["constant"].is_known) == (None, True)
    assert (found["map"].at, found["map"].is_known) == (None, True)


def test_looking_renews_a_source_only_where_that_is_said():
    records = (
        seen("rates", "r", "01 00:00"),
        made("mart", "m", "05 11:00", {"rates": "r"}),
    )

    assert derived(*records)["mart"].at == at("01 00:00")
    assert derived(*records, ageing={"rates": "when_looked"})["mart"].at == at("05 11:00")


def test_a_source_that_looking_renews_was_in_the_past_as_recent_as_the_last_look_or_read():
    records = (
        seen("rates", "r", "01 00:00", "02 00:00"),
        made("mart", "m", "03 11:00", {"rates": "r"}),
    )
    ageing = {"rates": "when_looked"}

    at_reads = derived(*records, as_of="04 00:00", ageing=ageing, rates=["r"])
    before = derived(*records, as_of="03 00:00", ageing=ageing, rates=["r"])

    assert (at_reads["rates"].at, before["rates"].at) == (at("03 11:00"), at("02 00:00"))


def test_a_volatile_asset_is_as_recent_as_its_events_else_as_its_run():
    found = derived(
        made("load", "l", "05 11:00", is_volatile=True),
        made("events", "e", "05 11:00", is_volatile=True, event_time=at("05 09:00")),
    )

    assert found["load"].at == at("05 11:00")
    assert found["events"].at == at("05 09:00")


def test_a_volatile_asset_is_no_newer_than_what_it_is_made_from():
    found = derived(
        seen("orders", "o", "05 08:00"),
        made("stamped", "s", "05 11:00", {"orders": "o"}, is_volatile=True),
    )

    assert found["stamped"].at == at("05 08:00")
    assert found["stamped"].path == ("orders", "stamped")


def test_a_run_that_gives_the_same_version_renews_it():
    records = (
        made("load", "l", "05 06:00", is_volatile=True),
        made("mart", "m", "05 06:30", {"load": "l"}),
        made("load", "l", "05 11:00", is_volatile=True),
    )

    assert derived(*records)["mart"].at == at("05 11:00")
    assert derived(*records, as_of="05 10:59")["mart"].at == at("05 06:00")


def test_what_was_not_seen_yet_does_not_count_as_of_then():
    records = (
        seen("orders", "o", "05 08:00", "05 09:00"),
        made("mart", "m", "05 09:00", {"orders": "o"}, published="05 09:30"),
    )

    assert derived(*records, as_of="05 09:30")["mart"].at == at("05 08:00")
    assert not derived(*records, as_of="05 09:29")["mart"].is_known
    assert not derived(*records, as_of="05 08:59")["orders"].is_known


def test_the_newest_that_can_be_told_counts():
    found = derived(
        seen("orders", "o", "05 08:00"),
        made("mart", "m", "05 09:00", {"orders": "o"}),
        made("mart", "m", "05 10:00", {"orders": "lost"}),
    )

    assert found["mart"].at == at("05 08:00")


def test_several_partitions_that_count_are_as_old_as_the_oldest():
    found = derived(
        seen("raw", "a", "05 08:00"),
        seen("raw", "b", "05 07:00"),
        made("mart", "m", "05 09:00", {"raw": ("a", "b")}),
        raw=["a", "b"],
    )

    assert found["mart"].at == found["raw"].at == at("05 07:00")


def test_a_read_of_no_partition_counts_for_nothing():
    found = derived(
        seen("orders", "o", "05 08:00"),
        made("mart", "m", "05 09:00", {"raw": (), "orders": "o"}),
    )

    assert found["mart"].at == at("05 08:00")


def test_a_circle_that_a_changed_graph_has_made_ends():
    found = derived(
        seen("orders", "o", "05 08:00"),
        made("a", "a1", "05 08:30", {"orders": "o"}),
        made("b", "b1", "05 09:00", {"a": "a1"}),
        made("a", "a1", "05 10:00", {"b": "b1"}),
    )

    assert found["a"].at == found["b"].at == at("05 08:00")


def test_chains_may_be_longer_than_calls_can_nest():
    records = [seen("raw", "v", "05 08:00"), made("n0", "v", "05 09:00", {"raw": "v"})]
    records += [made(f"n{n}", "v", "05 09:00", {f"n{n - 1}": "v"}) for n in range(1, 5000)]

    found = data_times(AgeHistory(records[1:], records[:1], {"n4999": ("v",)}), NOW)

    assert found["n4999"].at == at("05 08:00")
    assert len(found["n4999"].path) == 5001


@given(st.data())
def test_no_asset_is_newer_than_a_root_that_ages(data):
    hours = st.integers(0, 23)
    records = [seen(f"s{n}", "v", f"04 {data.draw(hours):02}:00") for n in range(3)]
    names = [one.source for one in records]
    oldest = {one.source: one.newest for one in records}
    for n in range(6):
        reads = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        records.append(made(f"a{n}", "v", "05 00:00", dict.fromkeys(reads, "v")))
        names.append(f"a{n}")
        oldest[f"a{n}"] = min(oldest[name] for name in reads)

    found = derived(*records)

    assert {name: one.at for name, one in found.items()} == oldest
    for name, one in found.items():
        assert oldest[one.root] == oldest[name]


def test_a_history_of_each_minute_leaves_no_minute_out():
    count, begin = 1500, at("05 00:00")
    times = [begin + timedelta(minutes=minute) for minute in range(count)]
    states = [StateSeen("raw", f"s{n}", one, one) for n, one in enumerate(times)]
    makings = [
        Making("mart", "m", one, one, (VersionsRead("raw", (f"s{n}",)),))
        for n, one in enumerate(times)
    ]
    moves = [PointerMove(one, WHOLE, "m") for one in times]
    past = PastOfAsset("mart", keys_of(None, begin), moves, AgeHistory(makings, states))

    found = age_points(past, begin, times[-1])

    assert [(point.at, point.data_time) for point in found] == list(zip(times, times, strict=True))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_going_on_from_moment_to_moment_tells_what_each_moment_tells(data):
    hours = st.integers(0, 47)
    records = [
        seen("raw", data.draw(st.sampled_from("xyz")), f"01 {data.draw(hours) % 24:02}:00", when)
        for when in sorted(f"05 {data.draw(hours) % 24:02}:30" for _ in range(4))
    ]
    names = ["raw", "load", "clean", "mart"]
    for _ in range(8):
        place = data.draw(st.integers(1, 3))
        when = f"0{5 + (hour := data.draw(hours)) // 24} {hour % 24:02}:00"
        reads = {} if place == 1 else {names[place - 1]: data.draw(st.sampled_from("xyz"))}
        reads |= {"raw": data.draw(st.sampled_from("xyz"))} if place == 3 else {}
        one = made(
            names[place], data.draw(st.sampled_from("xyz")), when, reads, is_volatile=place == 1
        )
        records.append(one)
    whole = history(*records, ageing={"raw": data.draw(st.sampled_from(["ages", "when_looked"]))})
    going = AdvancingDerivation(whole)

    for hour in range(0, 48, 6):
        moment = at(f"0{5 + hour // 24} {hour % 24:02}:15")
        going.advance(moment)
        alone = Derivation(whole, moment, moment)
        for name in names:
            for version in "xyz":
                found = going.of_versions(name, [version])
                expected = alone.of_versions(name, [version])
                assert (found.at, found.is_known) == (expected.at, expected.is_known)


@pytest.mark.parametrize(
    ("value", "zone", "instant"),
    [
        ("2026-07-01T12:00:00Z", "", "2026-07-01 12:00"),
        ("2026-07-01T12:00:00", "Europe/Berlin", "2026-07-01 10:00"),
        ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25 00:30"),
        ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29 01:00"),
    ],
)
def test_event_times_are_instants_by_the_clocks_of_their_zone(value, zone, instant):
    found = event_instant(datetime.fromisoformat(value), zone, "orders", "ordered_at")

    assert found == at(instant)


def test_a_date_stands_for_its_beginning():
    found = event_instant(date(2026, 7, 1), "Europe/Berlin", "orders", "ordered_on")

    assert found == at("2026-06-30 22:00")


def test_an_event_time_of_no_zone_is_told():
    with pytest.raises(NaiveEventTime) as error:
        event_instant(datetime.fromisoformat("2026-07-01"), "", "orders", "ordered_at")

    assert_golden("bad_input/naive_event_time", f"{error.value}\n")


DAYS = daily("2026-01-01", end="2026-01-10")
BOTH = product(region=static(["eu", "us"]), day=DAYS)


@pytest.mark.parametrize(
    ("published", "counting"),
    [
        (["2026-01-03", "2026-01-04"], ["2026-01-04"]),
        (["2026-01-01", "2026-01-03"], ["2026-01-03"]),
        (["2026-01-04", "2026-01-05"], ["2026-01-04"]),
        (["2026-01-06"], ["2026-01-06"]),
        ([], []),
    ],
)
def test_the_newest_partition_that_should_exist_counts(published, counting):
    keys = keys_of(DAYS, NOW)

    assert newest_due(keys, NOW) == ("2026-01-04",)
    assert counting_keys(keys, published, NOW) == tuple(counting)


def test_before_the_first_partition_is_due_none_should_exist():
    assert newest_due(keys_of(DAYS, NOW), at("01 12:00")) == ()


def test_of_a_product_each_other_dimension_has_its_newest():
    keys = keys_of(BOTH, NOW)

    assert newest_due(keys, NOW) == ("eu|2026-01-04", "us|2026-01-04")
    published = {"eu|2026-01-04", "us|2026-01-02", "us|2026-01-07"}
    assert counting_keys(keys, published, NOW) == ("eu|2026-01-04", "us|2026-01-02")


def test_of_what_was_read_each_other_dimension_has_its_newest():
    both = keys_of(BOTH, NOW)

    read = ["eu|2026-01-03", "eu|2026-01-04", "us|2026-01-02", "us|2026-01-01"]
    assert newest_read(both, read) == (1, 2)
    assert newest_read(keys_of(DAYS, NOW), ["2026-01-04", "2026-01-03"]) == (0,)


def test_partitions_without_time_count_all():
    keys = keys_of(static(["eu", "us", "asia"]), NOW)

    assert newest_due(keys, NOW) == ("eu", "us", "asia")
    assert counting_keys(keys, {"asia", "eu"}, NOW) == ("eu", "asia")
    assert counting_keys(keys_of(None, NOW), {""}, NOW) == ("",)
