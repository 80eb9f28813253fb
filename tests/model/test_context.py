from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from assetflow.errors import NotReportable, OutsideScratch
from assetflow.model.context import AssetContext, partition_of
from assetflow.model.partitions import WHOLE_KEYS, daily, keys_of, product, static


def test_a_unit_test_needs_no_arguments():
    context = AssetContext()

    assert not context.partition
    assert (context.asset, context.partition.key, context.attempt, context.environment) == (
        "",
        "",
        1,
        "main",
    )
    context.logger.debug("nothing is configured, nothing fails")
    assert context.path("model.bin").parent.is_dir()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (0.5, "0.5"),
        (True, "true"),
        (None, "null"),
        ("a", '"a"'),
        (np.int64(3), "3"),
        (np.float32(0.5), "0.5"),
        (float("nan"), '"nan"'),
        (Decimal("1.10"), '"1.10"'),
        (date(2026, 1, 5), '"2026-01-05"'),
        (Path("a/b"), '"a/b"'),
        ([1, (2, "x")], '[1, [2, "x"]]'),
        ({"a": {1: 2}}, '{"a": {"1": 2}}'),
    ],
)
def test_what_is_reported_is_kept_as_json(value, text):
    context = AssetContext("orders")

    context.report(found=value)

    assert context.reported == (("found", text),)


def test_the_last_word_on_a_name_counts():
    context = AssetContext("orders")

    context.report(rows=1, files=2)
    context.report(rows=3)

    assert context.reported == (("rows", "3"), ("files", "2"))


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(NotReportable) as caught:
        AssetContext().report(model=object())

    assert str(caught.value) == (
        "The metadata 'model' cannot be kept.\n"
        "  given  a value of the class object\n"
        "Report numbers, texts, dates, and lists and tables of them."
    )


def test_files_lie_in_the_folder_of_the_step(tmp_path):
    context = AssetContext(folder=tmp_path)

    assert context.path("a/model.bin") == tmp_path / "a/model.bin"
    assert (tmp_path / "a").is_dir()


@pytest.mark.parametrize("name", ["", "..", "../x", "a/../../x", "/etc/passwd", "."])
def test_no_file_lies_outside_of_it(tmp_path, name):
    with pytest.raises(OutsideScratch) as caught:
        AssetContext(folder=tmp_path).path(name)

    assert str(caught.value) == (
        f"{name!r} is not the name of a file in the folder of the step.\n"
        "Give a relative path without '..'."
    )


NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = daily("2026-01-01", "2026-02-01", timezone="Europe/Berlin")


def test_a_partition_has_its_key_and_its_time_in_its_zone():
    found = partition_of(keys_of(DAYS, NOW), ("2026-01-05",))

    assert AssetContext(partition=found).partition is found
    assert (found.key, str(found), found.keys) == ("2026-01-05", "2026-01-05", ("2026-01-05",))
    assert found.start.isoformat() == "2026-01-05T00:00:00+01:00"
    assert found.end.isoformat() == "2026-01-06T00:00:00+01:00"


def test_a_batch_has_the_keys_of_all_and_the_time_from_the_first_to_the_last():
    keys = keys_of(DAYS, NOW)

    found = partition_of(keys, keys.between("2026-01-05", "2026-01-07"))

    assert found.keys == ("2026-01-05", "2026-01-06", "2026-01-07")
    assert found.key == "2026-01-05..2026-01-07"
    assert (found.start.day, found.end.day) == (5, 8)


def test_a_partition_of_a_product_has_a_part_for_each_dimension():
    both = keys_of(product(day=DAYS, region=static(["eu", "us"])), NOW)

    found = partition_of(both, ("2026-01-05|us",))

    assert (found["day"], found["region"]) == ("2026-01-05", "us")
    assert found.start.day == 5
    with pytest.raises(KeyError):
        found["shop"]
    with pytest.raises(KeyError):
        partition_of(both, both[:2])["region"]


def test_a_partition_without_time_has_no_start():
    found = partition_of(keys_of(static(["eu"]), NOW), ("eu",))

    assert (found.key, found.start, found.end) == ("eu", None, None)
    assert found


def test_the_whole_is_no_partition():
    found = partition_of(WHOLE_KEYS, WHOLE_KEYS.keys)

    assert not found
    assert found == AssetContext().partition


def test_a_unit_test_may_give_a_key_alone():
    assert AssetContext(partition="2026-01-05").partition.key == "2026-01-05"
    assert AssetContext(partition="2026-01-05").partition.keys == ("2026-01-05",)
