"""To which partition a file of a source belongs, by its path."""

import pytest

from assetflow import daily, dynamic, hourly, monthly, product, source, static, weekly
from assetflow.errors import BadPathPattern, SourceWithoutFiles
from assetflow.model.path_keys import glob_of, key_of_path

DAYS, HOURS = daily("2026-01-01"), hourly("2026-01-01", timezone="Europe/Berlin")
MONTHS, WEEKS = monthly("2026-01"), weekly("2026-W01")
REGIONS = static(["eu", "us"])
BOTH = product(day=DAYS, region=REGIONS)


@pytest.mark.parametrize(
    ("path", "partitions", "file", "key"),
    [
        ("data/{day}.csv", DAYS, "data/2026-01-05.csv", "2026-01-05"),
        ("data/{key}.csv", DAYS, "data/2026-01-05.csv", "2026-01-05"),
        ("data/{day}.csv", DAYS, "data/2026-02-30.csv", None),
        ("data/{day}.csv", DAYS, "data/latest.csv", None),
        ("data/{day}.csv", DAYS, "data/2026-01-05.csv.bak", None),
        ("data/{day}.csv", DAYS, "old/data/2026-01-05.csv", None),
        ("data/{day}.csv", DAYS, "data/1999-01-05.csv", "1999-01-05"),
        ("data/{day}/*.csv", DAYS, "data/2026-01-05/part-1.csv", "2026-01-05"),
        ("data/{day}/*.csv", DAYS, "data/2026-01-05/more/part-1.csv", None),
        ("data/**/{day}-?.csv", DAYS, "data/a/b/2026-01-05-1.csv", "2026-01-05"),
        ("data/**/{day}-?.csv", DAYS, "data/2026-01-05-1.csv", "2026-01-05"),
        ("data/{day}-[0-9].csv", DAYS, "data/2026-01-05-1.csv", "2026-01-05"),
        ("data/{day}-[0-9].csv", DAYS, "data/2026-01-05-a.csv", None),
        ("{day}/{day}.csv", DAYS, "2026-01-05/2026-01-05.csv", "2026-01-05"),
        ("{day}/{day}.csv", DAYS, "2026-01-05/2026-01-06.csv", None),
        ("a.b+c/{day}.csv", DAYS, "a.b+c/2026-01-05.csv", "2026-01-05"),
        ("a.b+c/{day}.csv", DAYS, "aXbbc/2026-01-05.csv", None),
        ("data/{hour}.csv", HOURS, "data/2026-01-05T13.csv", "2026-01-05T13"),
        ("data/{hour}.csv", HOURS, "data/2026-10-25T02+01.csv", "2026-10-25T02+01"),
        ("data/{hour}.csv", HOURS, "data/2026-03-29T02.csv", None),
        ("data/{week}.csv", WEEKS, "data/2026-W02.csv", "2026-W02"),
        ("data/{month}/*.csv", MONTHS, "data/2026-02/a.csv", "2026-02"),
        ("data/{key}.csv", REGIONS, "data/eu.csv", "eu"),
        ("data/{key}/*.csv", dynamic("shops"), "data/New York/a.csv", "New York"),
        ("data/{key}/*.csv", dynamic("shops"), "data/a|b/a.csv", None),
        ("data/{region}/{day}.csv", BOTH, "data/eu/2026-01-05.csv", "2026-01-05|eu"),
        ("data/{region}-{day}.csv", BOTH, "data/a-b-2026-01-05.csv", "2026-01-05|a-b"),
        ("data/year=*/month=*/*.csv", MONTHS, "data/year=2026/month=02/a.csv", "2026-02"),
        ("data/year=*/month=*/*.csv", MONTHS, "data/year=2026/month=2/a.csv", "2026-02"),
        ("data/year=*/month=*/*.csv", MONTHS, "data/year=2026/month=13/a.csv", None),
        ("data/year=*/month=*/*.csv", MONTHS, "data/year=2026/month=x/a.csv", None),
        ("year=*/month=*/day=*/a.csv", DAYS, "year=2026/month=01/day=05/a.csv", "2026-01-05"),
        ("year=*/month=*/day=*/a.csv", DAYS, "year=2026/month=02/day=30/a.csv", None),
        ("year=*/month=*/day=*/hour=*/*.csv", HOURS, "year=2026/month=1/day=5/hour=7/a.csv",
         "2026-01-05T07"),
        ("year=*/week=*/*.csv", WEEKS, "year=2026/week=2/a.csv", "2026-W02"),
        ("d/region=*/day={day}/*.csv", BOTH, "d/region=eu/day=2026-01-05/a.csv", "2026-01-05|eu"),
        ("d/region=*/day=*/*.csv", BOTH, "d/region=New%20York/day=2026-01-05/a.csv",
         "2026-01-05|New York"),
        ("region=*/year=*/month=*/day=*/*.csv", BOTH, "region=eu/year=2026/month=1/day=5/a.csv",
         "2026-01-05|eu"),
    ],
)  # fmt: skip
def test_the_key_of_a_file(path, partitions, file, key):
    assert key_of_path(source("raw", path=path, partitions=partitions), file) == key


def test_files_of_a_source_without_partitions_have_no_key():
    assert key_of_path(source("raw", path="data/*.csv"), "data/a.csv") is None


@pytest.mark.parametrize(
    ("path", "glob"),
    [
        ("data/{day}/*.csv", "data/*/*.csv"),
        ("data/year=*/month=*/*.csv", "data/year=*/month=*/*.csv"),
        ("{region}-{day}.csv", "*-*.csv"),
    ],
)
def test_placeholders_stand_for_anything_in_a_glob(path, glob):
    assert glob_of(path) == glob


@pytest.mark.parametrize(
    ("path", "partitions", "why"),
    [
        ("data/{region}.csv", None, "it has placeholders, but the source no partitions"),
        ("data/*.csv", DAYS, "nothing in it says the key of a file"),
        ("data/{month}.csv", DAYS, "{month} is none of {day}, {key}"),
        ("data/{date}.csv", DAYS, "{date} is none of {day}, {key}"),
        ("data/{day}.csv", REGIONS, "{day} is none of {key}"),
        ("data/{key}.csv", BOTH, "{key} is none of {day}, {region}"),
        ("data/{day}.csv", BOTH, "nothing in it says the region of a file"),
        ("year=*/month=*/*.csv", DAYS, "nothing in it says the key of a file"),
        ("year=*/year=*/month=*/*.csv", MONTHS, "the folder year=* is there twice"),
        ("region=*/*.csv", REGIONS, "nothing in it says the key of a file"),
    ],
)
def test_a_path_that_does_not_tell_the_partition_of_a_file_is_refused(path, partitions, why):
    with pytest.raises(BadPathPattern) as caught:
        source("raw", path=path, partitions=partitions)

    assert caught.value.headline.endswith(f"does not tell its partitions: {why}.")


def test_the_error_of_a_path_says_what_to_write():
    with pytest.raises(BadPathPattern) as caught:
        source("raw", path="data/*.csv", partitions=DAYS)

    assert caught.value.hint == (
        "Write {day} or {key} where the path has the key, or year=*/month=* for such folders."
    )


def test_an_event_time_needs_no_partitions():
    made = source("raw", path="data/*.csv", event_time="at", timezone="Europe/Berlin")

    assert (made.event_time, made.timezone, made.partitions) == ("at", "Europe/Berlin", None)
    with pytest.raises(BadPathPattern, match="Leave out partitions="):
        source("raw", path="data/*.csv", event_time="at", partitions=DAYS)


@pytest.mark.parametrize("said", [{"partitions": DAYS}, {"event_time": "at"}])
def test_what_a_function_observes_has_no_partitions(said):
    with pytest.raises(SourceWithoutFiles) as caught:
        source("raw", observe=lambda: "1", **said)

    assert f"so it cannot have {next(iter(said))!r}" in str(caught.value)
