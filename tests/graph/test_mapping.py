"""Which partitions of an upstream a partition reads, and exactly the inverse of it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetflow.errors import MappingNotInferred
from assetflow.graph.mapping import Edge, Slice, is_slice, resolve
from assetflow.model.mappings import AllPartitions, Latest, Offset, Trailing
from assetflow.model.partitions import (
    daily,
    dynamic,
    hourly,
    keys_of,
    monthly,
    product,
    static,
    weekly,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)
BERLIN = {"timezone": "Europe/Berlin"}
DAYS = daily("2026-01-01", "2026-03-01")
MONTHS = monthly("2026-01", "2026-03")
REGIONS = static(["eu", "us"])
CUT = Slice("at")
BOTH = product(day=DAYS, region=REGIONS)


def keys(partitions):
    return keys_of(partitions, NOW, {"shops": ("b", "a")})


def reads(key, below, above, declared=None, **known):
    mapping = resolve(declared, below, above, **known)
    found = mapping.reads(key, keys(below), keys(above))
    return mapping.text, found


@pytest.mark.parametrize(
    ("below", "above", "key", "text", "expected"),
    [
        (None, None, "", "whole", [""]),
        (DAYS, None, "2026-01-05", "whole", [""]),
        (None, MONTHS, "", "all", ["2026-01", "2026-02"]),
        (DAYS, DAYS, "2026-01-05", "same", ["2026-01-05"]),
        (daily("2025-12-01"), DAYS, "2025-12-31", "same", []),
        (MONTHS, DAYS, "2026-02", "finer", [f"2026-02-{n:02}" for n in range(1, 29)]),
        (monthly("2025-12"), DAYS, "2025-12", "finer", []),
        (DAYS, MONTHS, "2026-02-07", "coarser", ["2026-02"]),
        (DAYS, monthly("2026-02"), "2026-01-07", "coarser", []),
        (weekly("2026-W01"), DAYS, "2026-W01", "finer", [f"2026-01-{n:02}" for n in range(1, 5)]),
        (
            daily("2026-10-24", "2026-10-26", offset="06:00", **BERLIN),
            hourly("2026-10-24", "2026-10-26", **BERLIN),
            "2026-10-24",
            "finer",
            [
                *(f"2026-10-24T{n:02}" for n in range(6, 24)),
                *("2026-10-25T00", "2026-10-25T01", "2026-10-25T02", "2026-10-25T02+01"),
                *("2026-10-25T03", "2026-10-25T04", "2026-10-25T05"),
            ],
        ),
        (REGIONS, static(["us", "asia", "eu"]), "us", "same", ["us"]),
        (dynamic("shops"), dynamic("shops"), "a", "same", ["a"]),
        (BOTH, BOTH, "2026-01-05|us", "dimensions day, region", ["2026-01-05|us"]),
        (DAYS, BOTH, "2026-01-05", "dimensions day, region: all",
         ["2026-01-05|eu", "2026-01-05|us"]),
        (BOTH, DAYS, "2026-01-05|us", "dimensions day", ["2026-01-05"]),
        (BOTH, REGIONS, "2026-01-05|us", "dimensions region", ["us"]),
        (product(region=REGIONS, month=MONTHS), BOTH, "us|2026-02",
         "dimensions day: finer, region", [f"2026-02-{n:02}|us" for n in range(1, 29)]),
    ],
)  # fmt: skip
def test_what_is_read_where_nothing_is_said(below, above, key, text, expected):
    assert reads(key, below, above) == (text, tuple(expected))


@pytest.mark.parametrize(
    ("below", "text"),
    [(DAYS, CUT.text), (BOTH, CUT.text), (REGIONS, "whole"), (None, "whole"),
     (product(one=DAYS, other=MONTHS), "whole")],
)  # fmt: skip
def test_a_whole_upstream_with_an_event_time_is_cut_where_there_is_one_time(below, text):
    key = keys(below)[0]

    expected = key if text.startswith("slice") else ""
    assert reads(key, below, None, cut=CUT) == (text, (expected,))


@pytest.mark.parametrize(
    ("declared", "below", "above", "key", "text", "expected"),
    [
        (Trailing(3), DAYS, DAYS, "2026-01-05", "trailing 3",
         ["2026-01-03", "2026-01-04", "2026-01-05"]),
        (Trailing(3), DAYS, DAYS, "2026-01-01", "trailing 3", ["2026-01-01"]),
        (Trailing(1), DAYS, DAYS, "2026-01-05", "trailing 1", ["2026-01-05"]),
        (Trailing(3), daily("2026-01-01"), DAYS, "2026-03-02", "trailing 3", ["2026-02-28"]),
        (Trailing(3), daily("2026-01-01"), DAYS, "2026-03-03", "trailing 3", []),
        (Trailing(2), MONTHS, DAYS, "2026-01", "trailing 2", ["2026-01-30", "2026-01-31"]),
        (Trailing(2), DAYS, MONTHS, "2026-02-14", "trailing 2", ["2026-01", "2026-02"]),
        (Offset(-1), DAYS, DAYS, "2026-01-05", "offset -1", ["2026-01-04"]),
        (Offset(-1), DAYS, DAYS, "2026-01-01", "offset -1", []),
        (Offset(1), DAYS, DAYS, "2026-02-28", "offset 1", []),
        (Offset(-1), daily("2026-01-01"), DAYS, "2026-03-01", "offset -1", ["2026-02-28"]),
        (Offset(-1), BOTH, BOTH, "2026-01-05|us", "dimensions day: offset -1, region",
         ["2026-01-04|us"]),
        (Trailing(2), DAYS, BOTH, "2026-01-02", "dimensions day: trailing 2, region: all",
         ["2026-01-01|eu", "2026-01-01|us", "2026-01-02|eu", "2026-01-02|us"]),
        (Latest(), DAYS, REGIONS, "2026-01-02", "latest", ["us"]),
        (Latest(), None, DAYS, "", "latest", ["2026-02-28"]),
        (Latest(), REGIONS, BOTH, "us", "dimensions day: latest, region", ["2026-02-28|us"]),
        (AllPartitions(), DAYS, REGIONS, "2026-01-02", "all", ["eu", "us"]),
        (Trailing(2), weekly("2026-W05"), MONTHS, "2026-W05", "trailing 2", ["2026-01", "2026-02"]),
    ],
)  # fmt: skip
def test_what_is_read_where_it_is_declared(declared, below, above, key, text, expected):
    assert reads(key, below, above, declared) == (text, tuple(expected))


@pytest.mark.parametrize(
    ("declared", "below", "blocks"),
    [
        (None, None, False),
        (AllPartitions(), DAYS, False),
        (AllPartitions("block"), DAYS, True),
        (AllPartitions("block"), None, True),
        (None, DAYS, True),
        (Trailing(3), DAYS, True),
        (Latest(), DAYS, True),
    ],
)
def test_a_missing_partition_blocks_but_where_all_are_read(declared, below, blocks):
    assert resolve(declared, below, DAYS).blocks is blocks


def test_a_dimension_that_is_read_whole_blocks():
    assert resolve(None, DAYS, BOTH).blocks


@pytest.mark.parametrize(
    ("declared", "below", "above", "why"),
    [
        (None, weekly("2026-W01"), MONTHS, "weeks and months do not nest"),
        (None, MONTHS, weekly("2026-W01"), "weeks and months do not nest"),
        (None, DAYS, daily("2026-01-01", **BERLIN), "their windows are of different time zones"),
        (None, DAYS, daily("2026-01-01", offset="06:00"), "begin at different times of the day"),
        (None, daily("2026-01-01", offset="06:30"), hourly("2026-01-01"), "different times of the"),
        (None, DAYS, REGIONS, "their keys are of different kinds"),
        (None, static(["eu", "asia"]), REGIONS, "the upstream has no 'asia'"),
        (None, dynamic("a"), dynamic("b"), "their dynamic keys have different names"),
        (None, dynamic("shops"), BOTH, "they have no dimension in common"),
        (None, product(a=DAYS, b=MONTHS), DAYS, "they have no dimension in common"),
        (None, product(day=MONTHS, region=static(["asia"])), BOTH, "(dimension 'region')"),
        (Trailing(2), None, DAYS, "'trailing 2' needs windows of time on both sides"),
        (Offset(-1), REGIONS, REGIONS, "'offset -1' needs windows of time on both sides"),
        (Latest(), DAYS, None, "the upstream has no partitions"),
    ],
    ids=str,
)
def test_what_cannot_be_told_names_both_sides(declared, below, above, why):
    with pytest.raises(MappingNotInferred) as caught:
        resolve(declared, below, above, edge=Edge("marts", "orders", "shop/marts.sql:1"))

    assert why in caught.value.headline
    assert caught.value.facts == {
        "marts": str(below or "no partitions"),
        "orders": str(above or "no partitions"),
        "defined in": "shop/marts.sql:1",
    }


def test_the_error_reads_so():
    with pytest.raises(MappingNotInferred) as caught:
        resolve(None, weekly("2026-W01"), MONTHS, edge=Edge("marts", "orders", "shop/marts.sql:1"))

    assert str(caught.value) == (
        "Which partitions of 'orders' a partition of 'marts' reads cannot be told: "
        "weeks and months do not nest.\n"
        "  marts       weekly in UTC\n"
        "  orders      monthly in UTC\n"
        "  defined in  shop/marts.sql:1\n"
        "Say it with mappings: trailing, offset, latest or all for 'orders', "
        "or give both the same partitions."
    )


def test_mappings_are_equal_by_value():
    assert resolve(None, DAYS, BOTH) == resolve(None, DAYS, BOTH)
    assert hash(resolve(Trailing(2), DAYS, BOTH)) == hash(resolve(Trailing(2), DAYS, BOTH))
    assert resolve(Trailing(2), DAYS, DAYS) != resolve(Trailing(3), DAYS, DAYS)


def ranges_of(made, *bounds, **said):
    """Return definitions over each pair of `bounds`, in a strategy."""
    pairs = [(one, other) for at, one in enumerate(bounds) for other in bounds[at + 1 :]]
    return st.sampled_from([made(one, other, **said) for one, other in pairs])


def times(zone, offset):
    said = {"timezone": zone, "offset": offset}
    bounds = ("2026-03-20", "2026-03-28", "2026-04-02", "2026-04-07", "2026-05-01")
    return st.one_of(
        ranges_of(daily, *bounds, **said),
        ranges_of(hourly, "2026-03-28", "2026-03-29T12", "2026-04-05", "2026-04-06", timezone=zone),
        ranges_of(weekly, "2026-W12", "2026-W13", "2026-W14", "2026-W16", "2026-W20", **said),
        ranges_of(monthly, "2026-02", "2026-03", "2026-04", "2026-06", **said),
    )


@st.composite
def definition(draw, zone, offset):
    time = times(zone, offset)
    regions = st.lists(st.sampled_from("abc"), min_size=1, unique=True).map(static)
    simple = time | regions | st.just(dynamic("shops"))
    kind = draw(st.sampled_from(["none", "simple", "simple", "product"]))
    if kind == "none":
        return None
    if kind == "simple":
        return draw(simple)
    names = draw(st.lists(st.sampled_from("pqr"), min_size=1, unique=True))
    small = (
        ranges_of(daily, "2026-03-28", "2026-03-31", "2026-04-02", timezone=zone, offset=offset)
        | ranges_of(monthly, "2026-02", "2026-03", "2026-05", timezone=zone, offset=offset)
        | regions
    )
    return product(**{name: draw(small) for name in names})


@st.composite
def edges(draw):
    zone = draw(st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]))
    offset = draw(st.sampled_from(["00:00", "06:00"]))
    below, above = draw(definition(zone, offset)), draw(definition(zone, offset))
    counts = st.integers(1, 5)
    declared = draw(
        st.none()
        | counts.map(Trailing)
        | st.integers(-3, 3).map(Offset)
        | st.sampled_from([Latest(), AllPartitions(), AllPartitions("block")])
    )
    return declared, below, above, draw(st.booleans())


@settings(max_examples=600, deadline=None)
@given(edges())
def test_readers_are_exactly_the_inverse_of_reads(edge):
    declared, below, above, has_event_time = edge
    cut = CUT if has_event_time else None
    try:
        mapping = resolve(declared, below, above, cut=cut)
    except MappingNotInferred:
        return
    lower, upper = keys(below), keys(above)

    read = {key: mapping.reads(key, lower, upper) for key in lower}

    upstream = lower if is_slice(mapping) else upper
    if not is_slice(mapping):
        assert all(one in upper for found in read.values() for one in found)
        assert all(
            [upper.index(one) for one in found] == sorted(upper.index(one) for one in found)
            for found in read.values()
        )
    for key in upstream:
        expected = tuple(one for one in lower if key in read[one])
        assert mapping.readers(key, lower, upper) == expected


@pytest.mark.parametrize("declared", [None, Trailing(3), Latest(), AllPartitions()])
def test_a_key_that_the_upstream_has_not_has_no_readers(declared):
    mapping = resolve(declared, DAYS, DAYS)

    assert mapping.readers("2027-01-01", keys(DAYS), keys(DAYS)) == ()


def test_a_whole_upstream_that_is_cut_has_all_as_readers_or_the_one_of_a_slice():
    mapping = resolve(None, DAYS, None, cut=CUT)

    assert mapping.readers("", keys(DAYS), keys(None)) == keys(DAYS).keys
    assert mapping.readers("2026-01-05", keys(DAYS), keys(None)) == ("2026-01-05",)
    assert mapping.readers("2027-01-05", keys(DAYS), keys(None)) == ()


def test_a_trailing_mapping_counts_days_that_were_and_not_the_one_that_was_skipped():
    days = daily("2011-12-20", "2012-01-10", timezone="Pacific/Apia")

    assert reads("2012-01-01", days, days, Trailing(3))[1] == (
        "2011-12-29",
        "2011-12-31",
        "2012-01-01",
    )


def test_nothing_is_read_of_an_upstream_without_keys():
    empty = daily("2026-12-01")

    assert reads("2026-01-05", DAYS, empty, Trailing(3))[1] == ()
    assert reads("2026-01-05", DAYS, empty, Latest())[1] == ()
    assert reads("2026-01", MONTHS, empty)[1] == ()


def test_only_the_last_time_of_a_product_has_readers_where_the_latest_is_read():
    mapping, own = resolve(Latest(), None, BOTH), keys(None)

    assert mapping.readers("2026-02-28|eu", own, keys(BOTH)) == ("",)
    assert mapping.readers("2026-02-27|eu", own, keys(BOTH)) == ()


def test_windows_that_only_touch_share_no_time():
    assert reads("2026-01", MONTHS, DAYS)[1][-1] == "2026-01-31"
