from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from assetflow.errors import NotReportable, OutsideScratch
from assetflow.model.context import AssetContext


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
