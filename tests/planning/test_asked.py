"""What is asked of partitions by name: read, checked, and shown as ranges."""

from datetime import UTC, datetime

import pytest

from assetflow.model.names import PartitionKey
from assetflow.model.partitions import (
    daily,
    described,
    dynamic,
    hourly,
    keys_of,
    monthly,
    product,
    static,
    weekly,
)
from assetflow.planning.asked import partition_range, span
from assetflow.planning.reasons import (
    InputChanged,
    NeverMaterialized,
    Reused,
    UpstreamMissing,
    VersionMissing,
)
from assetflow.planning.steps import ranges_of

NOW = datetime(2026, 1, 10, tzinfo=UTC)
DAYS = keys_of(daily("2026-01-01"), NOW)
LETTERS = keys_of(static(list("gfedcba")), NOW)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("a", "a", "a"),
        ("a..b", "a", "b"),
        (" a .. b ", "a", "b"),
        ("a..", "a", "a"),
        ("2026-01-05|eu..2026-01-06|us", "2026-01-05|eu", "2026-01-06|us"),
    ],
)
def test_a_range_is_two_keys_joined_by_dots(text, first, last):
    assert partition_range(text) == (first, last)


@pytest.mark.parametrize(
    ("keys", "wanted", "shown"),
    [
        (DAYS, DAYS[:3], ["2026-01-01..2026-01-03"]),
        (DAYS, (DAYS[0], DAYS[2]), ["2026-01-01", "2026-01-03"]),
        (LETTERS, ("a", "c", "b"), ["c", "b", "a"]),
        (LETTERS, ("a", "z"), ["a", "z"]),
        (LETTERS, LETTERS[:5], ["g..c"]),
        (DAYS, (), []),
    ],
)
def test_neighbours_in_time_are_a_range_and_a_few_others_stand_by_themselves(keys, wanted, shown):
    assert [str(one) for one in ranges_of(keys, map(PartitionKey, wanted))] == shown


def test_a_span_is_from_the_first_key_to_the_last():
    assert span(DAYS) == "2026-01-01..2026-01-09"
    assert span(keys_of(dynamic("shops"), NOW)) == "no partition yet"


@pytest.mark.parametrize(
    ("partitions", "text"),
    [
        (daily("2026-01-01"), "daily from 2026-01-01"),
        (daily("2026-01-01", end="2026-03-01"), "daily from 2026-01-01 to 2026-02-28"),
        (
            daily("2026-03-28", end="2026-03-30", timezone="Europe/Berlin", offset="06:00"),
            "daily from 2026-03-28 to 2026-03-29 in Europe/Berlin, each from 06:00",
        ),
        (hourly("2026-01-01", end="2026-01-02"), "hourly from 2026-01-01T00 to 2026-01-01T23"),
        (weekly("2026-W02", end="2026-W03"), "weekly from 2026-W02 to 2026-W02"),
        (monthly("2026-01"), "monthly from 2026-01"),
        (
            product(day=daily("2026-01-01"), region=static(["eu"])),
            "daily from 2026-01-01 by static (eu)",
        ),
    ],
    ids=str,
)
def test_a_definition_is_described_by_what_it_has(partitions, text):
    assert described(partitions) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (InputChanged("a", ("x",), ("2026-01",)), InputChanged("a", ("x",), ("2026-02",))),
        (VersionMissing("v1"), VersionMissing("v2")),
        (Reused("v1"), Reused("v2")),
        (UpstreamMissing("a", ("2026-01",)), UpstreamMissing("a", ("2026-02",))),
    ],
    ids=str,
)
def test_reasons_that_differ_in_the_partition_alone_say_the_same_in_general(one, other):
    assert str(one) != str(other)
    assert one.in_general == other.in_general


def test_reasons_that_differ_otherwise_stay_apart():
    reasons = [
        InputChanged("a", ("x",)),
        InputChanged("b", ("x",)),
        InputChanged("a", ("y",)),
        UpstreamMissing("a"),
        UpstreamMissing("a", ("2026-01",)),
        NeverMaterialized(),
    ]

    assert len({reason.in_general for reason in reasons}) == len(reasons)
