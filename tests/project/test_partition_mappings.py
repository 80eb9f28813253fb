"""What a project says about partitions, across its assets and sources."""

from textwrap import dedent

import pytest

from assetflow.errors import ProjectErrors
from assetflow.model.names import AssetName
from tests.small_project import SmallProject

SOURCES = """
    from assetflow import daily, source

    source("raw", path="data/{day}.csv", partitions=daily("2026-01-01"))
    source("events", path="data/events.csv", event_time="at")
"""
DAILY = '/* assetflow\npartitions = { daily = { start = "2026-01-01" } }\n'
WEEKLY = '/* assetflow\npartitions = { weekly = { start = "2026-W02" } }\n'
MONTHLY = '/* assetflow\npartitions = { monthly = { start = "2026-01" } }\n'


def project(root, **files):
    paths = {f"shop/{name.replace('_', '.')}": text for name, text in files.items()}
    return SmallProject(root, {"shop/sources.py": SOURCES, **paths})


def mappings(root, **files):
    found = project(root, **files).load().analysis.graph.mappings
    return {f"{asset}.{name}": mapping.text for (asset, name), mapping in found.items()}


def errors(root, **files):
    with pytest.raises(ProjectErrors) as caught:
        project(root, **files).load()
    return [str(error) for error in caught.value.errors]


def test_every_input_has_its_mapping(tmp_path):
    assert mappings(
        tmp_path,
        days_sql=DAILY + "*/\nselect * from raw",
        months_sql=MONTHLY + "*/\nselect * from days",
        total_sql="select * from months",
        again_sql=DAILY + "*/\nselect * from months join total using (a)",
        cut_sql=DAILY + "*/\nselect * from events",
        whole_sql="select * from events",
        trailing_sql=DAILY + "mappings = { Days = { trailing = 7 } }\n*/\nselect * from days",
    ) == {
        "days.raw": "same",
        "months.days": "finer",
        "total.months": "all",
        "again.months": "coarser",
        "again.total": "whole",
        "cut.events": "slice by at in UTC",
        "whole.events": "whole",
        "trailing.days": "trailing 7",
    }


PYTHON = """
    from typing import Annotated

    import pyarrow as pa

    from assetflow import Trailing, asset, daily

    @asset(partitions=daily("2026-01-01"){more})
    def late(raw: {quote}Annotated[pa.Table, Trailing({count})]{quote}) -> pa.Table:
        return raw
"""

WHY = "weeks and months do not nest"
HINT = (
    "Say it with mappings: trailing, offset, latest or all for 'months', "
    "or give both the same partitions."
)


@pytest.mark.parametrize("quote", ["", '"'])
def test_an_annotation_says_the_mapping_of_its_input(tmp_path, quote):
    code = PYTHON.format(more="", quote=quote, count=7)

    assert mappings(tmp_path, late_py=code) == {"late.raw": "trailing 7"}


def test_what_is_wrong_with_mappings_is_told_together(tmp_path):
    code = PYTHON.format(more=', mappings={"raw": Trailing(2)}', quote="", count=7)

    found = errors(
        tmp_path,
        late_py=code,
        wrong_py=PYTHON.format(more="", quote="", count=0).replace("late", "wrong"),
        weeks_sql=WEEKLY + "*/\nselect * from months",
        months_sql=MONTHLY + "mappings = { row = { trailing = 2 } }\n*/\nselect * from raw",
    )

    assert sorted(found) == [
        dedent(text).strip()
        for text in (
            """
            'months' has no input 'row', for which it declares a mapping.
              inputs      raw
              defined in  shop/months.sql:1
            Did you mean 'raw'?
            """,
            """
            The input 'raw' of 'late' has two mappings.
              said by     its annotation, and `mappings`
              defined in  shop/late.py:8
            Keep one of them.
            """,
            """
            The mapping of the input 'raw' of 'wrong' cannot work.
              given       Trailing(count=0)
              expected    a number of windows from 1
              defined in  shop/wrong.py:8
            Change it to what is expected.
            """,
            f"""
            Which partitions of 'months' a partition of 'weeks' reads cannot be told: {WHY}.
              weeks       weekly in UTC
              months      monthly in UTC
              defined in  shop/weeks.sql:1
            {HINT}
            """,
        )
    ]


def code_version(root, **options):
    more = "".join(f", {name}={value!r}" for name, value in options.items())
    code = PYTHON.format(more=more, quote="", count=7)
    loaded = project(root, late_py=code, text_sql=DAILY + header(options) + "*/\nselect 1 as day")
    analysis = loaded.load().analysis
    return [analysis.facts(AssetName(name), {}).code_version for name in ("late", "text")]


def header(options):
    return "".join(f"{name} = {value!r}\n" for name, value in options.items())


def test_the_code_version_holds_the_column_of_the_partition_and_nothing_else_of_it(tmp_path):
    plain = code_version(tmp_path)

    assert code_version(tmp_path, key_column="made_for") == plain
    by_day = code_version(tmp_path, partition_by="day")
    assert [one == other for one, other in zip(by_day, plain, strict=True)] == [False, False]
    assert code_version(tmp_path, partition_by="day", batch_size=9) == by_day


def test_the_code_version_does_not_hold_the_range(tmp_path):
    before = code_version(tmp_path)

    loaded = project(
        tmp_path,
        late_py=PYTHON.format(more="", quote="", count=3).replace("-01-01", "-02-01"),
        text_sql=WEEKLY + "*/\nselect 1 as day",
    )

    analysis = loaded.load().analysis
    after = [analysis.facts(AssetName(name), {}).code_version for name in ("late", "text")]
    assert after == before
