"""Running partitions of small real projects: gaps, failures, batches, packing, definitions."""

import os
from collections import Counter
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import duckdb
import pytest

from assetflow import api
from assetflow.errors import NothingAsOf
from assetflow.execution import packed_partitions
from assetflow.metadata.outline import served
from assetflow.planning.listener import Silent
from assetflow.planning.results import RunResult
from tests.small_project import SmallProject

DAYS = 'partitions = { daily = { start = "2026-01-01", end = "2026-01-06" } }'
KEYS = tuple(f"2026-01-{day:02}" for day in range(1, 6))
RAN = ("materialized", "unchanged")
PYTHON = """\
from pathlib import Path

import duckdb
import pyarrow as pa
from assetflow import AssetContext, Offset, Retries, asset, daily

DAYS = daily("2026-01-01", "2026-01-06")


"""


def query(text: str, *header: str) -> str:
    lines = "\n".join(header)
    return f"/* assetflow\n{lines}\n*/\n{text}\n"


def function(text: str, *decorator: str) -> str:
    options = ", ".join(("partitions=DAYS", *decorator))
    return f"{PYTHON}@asset({options})\n{dedent(text).strip()}\n"


def raw(*, days: int = 5, **amounts: int) -> str:
    """Return a CSV of two orders a day; `amounts` changes the first of a day (d3=7)."""
    rows = [
        f"2026-01-{day:02},{k},{amounts.get(f'd{day}', day) if k == 0 else day * 10}"
        for day in range(1, days + 1)
        for k in range(2)
    ]
    return "\n".join(["day,k,amount", *rows]) + "\n"


def slices(root, **files: str) -> SmallProject:
    """raw (CSV, whole) → clean (daily SQL), and what `files` adds."""
    named = {
        f"shop/{name}.{'py' if 'import' in text else 'sql'}": text for name, text in files.items()
    }
    return SmallProject(
        root,
        {
            "data/raw.csv": raw(),
            "shop/sources.py": """
                from assetflow import source

                source("raw", path="data/raw.csv")
                """,
            "shop/clean.sql": query(
                "select day, k, amount from raw where day = $partition_start::date", DAYS
            ),
            **named,
        },
    )


def ran(result: RunResult, *outcomes: str) -> list[str]:
    """Return what ran, or ended in `outcomes`, as asset[key] in order of name."""
    wanted = outcomes or RAN
    return sorted(str(step.target) for step in result.steps if step.outcome in wanted)


def keys_of(result: RunResult, asset: str, *outcomes: str) -> list[str]:
    wanted = outcomes or RAN
    return sorted(
        step.target.partition
        for step in result.steps
        if step.target.asset == asset and step.outcome in wanted
    )


def errors(result: RunResult) -> list[str]:
    return [step.error for step in result.steps if step.error]


def versions(project: SmallProject, asset: str) -> dict[str, str]:
    """Return which version is published of each partition."""
    found = served(project.root / ".assetflow", "main", [asset]).get(asset, ())
    return {part.partition: part.version for part in found}


def restricted(project: SmallProject, *ranges: str) -> RunResult:
    """Materialize some partitions of `clean` only."""
    return project.materialize("clean", partitions=ranges)


def test_each_partition_is_made_of_the_rows_that_map_to_it(tmp_path):
    project = slices(
        tmp_path,
        trail=query(
            "select sum(amount)::bigint as total, count(*) as n from clean",
            DAYS,
            "mappings = { clean = { trailing = 2 } }",
        ),
        before=query("select k, amount from clean", DAYS, "mappings = { clean = { offset = -1 } }"),
        weeks=query(
            "select count(*) as n from clean",
            'partitions = { weekly = { start = "2026-W01", end = "2026-W02" } }',
        ),
        whole="select count(*) as n from clean",
        named=function("""
            def named(clean: pa.Table, context: AssetContext) -> pa.Table:
                return pa.table({"key": [context.partition.key], "n": [len(clean)]})
            """),
    )

    result = project.materialize()

    assert (result.status, errors(result)) == ("succeeded", [])
    assert project.rows("whole") == [{"n": 10}]
    assert project.rows("weeks") == [{"n": 8}]
    assert len(project.rows("before")) == 8
    assert [row["n"] for row in project.rows("trail")].count(2) == 1
    assert {row["key"]: row["n"] for row in project.rows("named")} == dict.fromkeys(KEYS, 2)
    assert project.materialize().steps == ()


def test_one_late_row_reruns_only_what_is_made_from_its_day(tmp_path):
    project = slices(
        tmp_path,
        trail=query(
            "select sum(amount)::bigint as total from clean",
            DAYS,
            "mappings = { clean = { trailing = 2 } }",
        ),
        doubled=query("select day, amount * 2 as amount from clean", DAYS),
    )
    project.materialize()

    project.write({"data/raw.csv": raw(d3=77)})
    result = project.materialize()

    assert keys_of(result, "clean", "materialized") == ["2026-01-03"]
    assert keys_of(result, "doubled") == ["2026-01-03"]
    assert keys_of(result, "trail") == ["2026-01-03", "2026-01-04"]
    assert project.materialize().steps == ()


FLAKY = """
    def flaky(clean: pa.Table, context: AssetContext) -> pa.Table:
        if context.partition.key == "2026-01-03" and Path("{root}/switch").read_text() == "off":
            raise ValueError("no third day")
        return clean
    """


def flaky(root, *decorator: str) -> str:
    (root / "switch").write_text("off")
    return function(FLAKY.format(root=root), *decorator)


BELOW = query("select k, amount + 1 as amount from flaky", DAYS)


BEHIND = {
    "same": (DAYS, "", ["below[2026-01-03]"]),
    "trailing": (DAYS, "{ trailing = 2 }", ["below[2026-01-03]", "below[2026-01-04]"]),
    "before": (DAYS, "{ offset = -1 }", ["below[2026-01-04]"]),
    "all": (DAYS, '"all"', [f"below[{key}]" for key in KEYS]),
    "coarser": ('partitions = { monthly = { start = "2026-01", end = "2026-02" } }', "", None),
    "whole": ("", "", ["below"]),
}


@pytest.mark.parametrize("mapping", BEHIND)
def test_what_a_run_of_its_upstream_alone_left_behind_is_found(tmp_path, mapping):
    partitions, said, expected = BEHIND[mapping]
    header = (partitions, f"mappings = {{ clean = {said} }}" if said else "")
    text = "select sum(amount)::bigint as total from clean"
    project = slices(tmp_path, below=query(text, *header))
    project.materialize()
    project.write({"data/raw.csv": raw(d3=77)})
    project.materialize("clean")

    result = project.materialize()

    assert ran(result) == (expected or ["below[2026-01]"])
    assert {step.target.asset for step in result.steps} == {"below"}
    assert project.materialize().steps == ()


def test_a_partition_that_fails_fails_alone_and_the_next_run_makes_it_and_what_reads_it(tmp_path):
    project = slices(tmp_path, flaky=flaky(tmp_path), below=BELOW)

    first = project.materialize()

    others = [key for key in KEYS if key != "2026-01-03"]
    assert first.status == "failed"
    assert keys_of(first, "flaky") == keys_of(first, "below") == others
    assert ran(first, "failed", "skipped") == ["below[2026-01-03]", "flaky[2026-01-03]"]
    assert "no third day" in errors(first)[0]
    assert "partition   2026-01-03" in errors(first)[0]
    assert len(project.rows("below")) == 8

    (tmp_path / "switch").write_text("on")
    second = project.materialize()

    assert second.status == "succeeded"
    assert ran(second) == ["below[2026-01-03]", "flaky[2026-01-03]"]
    assert project.materialize().steps == ()


def test_nothing_is_published_unless_all_passed_where_the_settings_say_so(tmp_path):
    project = slices(tmp_path, flaky=flaky(tmp_path), below=BELOW)
    project.write({"assetflow.toml": 'package = "shop"\npublish = "all"\n'})

    assert project.materialize().status == "failed"
    with pytest.raises(NothingAsOf):
        project.rows("below")

    (tmp_path / "switch").write_text("on")
    second = project.materialize()
    assert second.status == "succeeded"
    assert ran(second) == ["below[2026-01-03]", "flaky[2026-01-03]"]
    assert len(ran(second, "reused")) == 13
    assert len(project.rows("below")) == 10


def test_a_gap_in_the_middle_is_found_and_filled(tmp_path):
    project = slices(tmp_path, total="select count(*) as n from clean")
    restricted(project, "2026-01-01..2026-01-02")
    restricted(project, "2026-01-05")
    assert len(project.rows("clean")) == 6

    result = project.materialize()

    assert keys_of(result, "clean") == ["2026-01-03", "2026-01-04"]
    assert project.rows("total") == [{"n": 10}]
    assert project.materialize().steps == ()


# Batches.


BATCHED = ('partition_by="day"', "batch_size=3")
BATCH_HEADER = ('partition_by = "day"', "batch_size = 3")


def test_a_batch_makes_several_partitions_from_the_union_of_what_they_read(tmp_path):
    project = slices(
        tmp_path,
        many=query("select day, k, amount + 1 as amount from clean", DAYS, *BATCH_HEADER),
        called=function(
            """
            def called(clean: pa.Table, context: AssetContext) -> pa.Table:
                with open("{root}/calls", "a") as calls:
                    calls.write(f"{context.partition.key} {len(clean)}\\n")
                return clean
            """.replace("{root}", str(tmp_path)),
            *BATCHED,
        ),
    )

    result = project.materialize()

    assert (result.status, errors(result)) == ("succeeded", [])
    assert sorted((tmp_path / "calls").read_text().split("\n")) == [
        "",
        "2026-01-01..2026-01-03 6",
        "2026-01-04..2026-01-05 4",
    ]
    assert [row["amount"] for row in project.rows("many")] == [
        row["amount"] + 1 for row in project.rows("clean")
    ]
    assert project.rows("called") == project.rows("clean")
    for key in KEYS:
        assert api.read(project.load(), "many", key).num_rows == 2
    assert project.materialize().steps == ()


def test_the_partitions_of_a_batch_share_its_time(tmp_path, monkeypatch):
    project = slices(tmp_path, many=query("select day, k from clean", DAYS, *BATCH_HEADER))
    project.materialize("clean")
    ticks = count()
    clock = SimpleNamespace(perf_counter=lambda: next(ticks))
    monkeypatch.setattr("assetflow.execution.run.time", clock)

    result = project.materialize("many", threads=1)

    seconds = {step.target.partition: step.seconds for step in result.steps}
    batch, rest = ({seconds[key] for key in keys} for keys in (KEYS[:3], KEYS[3:]))
    assert len(batch) == len(rest) == 1
    assert sum(seconds.values()) <= next(ticks)


def test_a_partition_of_a_batch_that_came_out_the_same_keeps_its_version(tmp_path):
    project = slices(
        tmp_path,
        many=query(
            "select day, k, amount // 2 as amount from raw "
            "where day >= $partition_start::date and day < $partition_end::date",
            DAYS,
            *BATCH_HEADER,
        ),
        below=query("select sum(amount)::bigint as amount from many", DAYS),
    )
    project.materialize()
    before = versions(project, "many")

    project.write({"data/raw.csv": raw(d2=9)})
    result = project.materialize()

    after = versions(project, "many")
    assert [key for key in KEYS if before[key] != after[key]] == ["2026-01-02"]
    assert keys_of(result, "many", "unchanged") == [key for key in KEYS if key != "2026-01-02"]
    assert keys_of(result, "below") == ["2026-01-02"]
    assert project.materialize().steps == ()


def test_partitions_without_rows_are_made_and_read_as_empty_tables(tmp_path):
    project = slices(
        tmp_path,
        many=query(
            "select day, k, amount from raw where k = 7 and day >= $partition_start::date",
            DAYS,
            *BATCH_HEADER,
        ),
        one=function("""
            def one(many: pa.Table) -> pa.Table:
                assert many.column_names == ["day", "k", "amount"], many.column_names
                return many
            """),
        total="select count(*) as n, sum(amount)::bigint as amount from many",
    )

    result = project.materialize()

    assert (result.status, errors(result)) == ("succeeded", [])
    assert project.rows("total") == [{"n": 0, "amount": None}]
    assert api.read(project.load(), "one").column_names == ["day", "k", "amount"]
    assert api.read(project.load(), "many", "2026-01-02").num_rows == 0
    assert project.materialize().steps == ()


@pytest.mark.parametrize("header", [('partition_by = "day"',), BATCH_HEADER], ids=["one", "batch"])
def test_rows_of_another_partition_are_an_error_that_shows_them(tmp_path, header):
    project = slices(
        tmp_path,
        many=query("select day + 1 as day, k from clean where day = '2026-01-05'", DAYS, *header),
    )

    result = project.materialize()

    failed = keys_of(result, "many", "failed")
    assert failed == ["2026-01-05"]
    assert "2026-01-06" in errors(result)[0]
    assert keys_of(result, "many") == [key for key in KEYS if key not in failed]


class Messages(Silent):
    """Remembers what a run says beside its steps."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def message(self, text: str) -> None:
        self.said.append(text)


COUNTED = """
    def flaky(clean: pa.Table, context: AssetContext) -> pa.Table:
        with open("{root}/calls", "a") as calls:
            calls.write(f"{{context.partition.key}} {{context.attempt}}\\n")
        if "2026-01-03" in context.partition.keys and Path("{root}/switch").read_text() == "off":
            raise ValueError("no third day")
        return clean
    """


def flaky_batches(root, *decorator: str) -> SmallProject:
    """clean → flaky in batches of three, where the third day fails → below."""
    (root / "switch").write_text("off")
    text = function(COUNTED.format(root=root), *BATCHED, *decorator)
    return slices(root, flaky=text, below=BELOW)


def calls(root) -> list[str]:
    return (root / "calls").read_text().splitlines()


def test_after_a_batch_that_failed_each_partition_is_tried_so_that_one_fails_alone(tmp_path):
    project, messages = flaky_batches(tmp_path), Messages()

    first = project.materialize(listener=messages, threads=1)
    published = project.rows("below")
    (tmp_path / "switch").write_text("on")
    second = project.materialize()

    assert first.status == "failed"
    assert sorted(calls(tmp_path)[:5]) == [
        "2026-01-01 2",
        "2026-01-01..2026-01-03 1",
        "2026-01-02 2",
        "2026-01-03 2",
        "2026-01-04..2026-01-05 1",
    ]
    assert messages.said == ["A batch of 'flaky' failed: its 3 partitions are tried one by one."]
    assert ran(first, "failed", "skipped") == ["below[2026-01-03]", "flaky[2026-01-03]"]
    assert "partition   2026-01-03\n" in errors(first)[0]
    assert "which led to" not in errors(first)[0]
    others = [key for key in KEYS if key != "2026-01-03"]
    assert keys_of(first, "below") == keys_of(first, "flaky") == others
    assert len(published) == 8
    tried = {s.target.partition: s.attempts for s in first.steps if s.target.asset == "flaky"}
    assert [tried[key] for key in KEYS] == [2, 2, 2, 1, 1]
    assert ran(second) == ["below[2026-01-03]", "flaky[2026-01-03]"]
    assert project.materialize().steps == ()


def test_a_batch_that_may_be_tried_again_is_so_before_its_partitions_are_tried(tmp_path):
    project = flaky_batches(tmp_path, 'retries=Retries(1, backoff="0s")')

    result = project.materialize("flaky", threads=1)

    batch = "2026-01-01..2026-01-03"
    assert sorted(calls(tmp_path))[:5] == [
        "2026-01-01 3",
        f"{batch} 1",
        f"{batch} 2",
        "2026-01-02 3",
        "2026-01-03 3",
    ]
    assert keys_of(result, "flaky", "failed") == ["2026-01-03"]


def test_where_the_first_failure_is_to_stop_a_run_no_partition_is_tried_after_it(tmp_path):
    project = flaky_batches(tmp_path)
    text = (tmp_path / "shop/flaky.py").read_text().replace('"2026-01-03" in', '"2026-01-02" in')
    project.write({"shop/flaky.py": text})

    result = project.materialize("flaky", fail_fast=True, threads=1)

    assert keys_of(result, "flaky", "failed") == ["2026-01-02"]
    assert "2026-01-03 2" not in calls(tmp_path)
    assert "flaky[2026-01-03]" in ran(result, "skipped")


def test_a_query_that_fails_in_a_batch_fails_for_its_own_partition_alone(tmp_path):
    project = slices(
        tmp_path,
        many=query(
            "select day, k, if(amount = 20, error('twenty'), amount) as amount from clean",
            DAYS,
            *BATCH_HEADER,
        ),
    )

    result = project.materialize()

    assert keys_of(result, "many", "failed") == ["2026-01-02"]
    assert "twenty" in errors(result)[0]
    assert keys_of(result, "many") == [key for key in KEYS if key != "2026-01-02"]
    assert len(files_of(project, "many")) == 3


FORMS = {
    "table": "return clean",
    "reader": "return clean.to_reader()",
    "frame": "return clean.to_pandas()",
    "polars": "return pl.from_arrow(clean)",
    "lazy": "return pl.from_arrow(clean).lazy()",
    "rows": "return clean.to_pylist()",
    "relation": "return clean.filter('true')",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("decorator", [(), BATCHED], ids=["one", "batch"])
def test_functions_return_partitions_in_each_form(tmp_path, form, decorator):
    project = slices(
        tmp_path,
        called=function(
            f"""
            def called(clean: {"duckdb.DuckDBPyRelation" if form == "relation" else "pa.Table"}):
                import polars as pl

                {FORMS[form]}
            """,
            *decorator,
        ),
    )

    result = project.materialize()

    assert (result.status, errors(result)) == ("succeeded", [])
    assert project.rows("called") == project.rows("clean")


def test_batches_run_in_processes_of_their_own(tmp_path):
    project = slices(
        tmp_path,
        apart=function(
            """
            def apart(clean: pa.Table, context: AssetContext) -> pa.Table:
                import os

                partition = context.partition
                assert clean.column("day").to_pylist()[0] == partition.start.date()
                column = [f"{partition.key} {partition.start:%d} {partition.end:%d}"] * len(clean)
                return clean.append_column("made", [column]).append_column(
                    "process", [[os.getpid()] * len(clean)]
                )
            """,
            *BATCHED,
            'isolation="process"',
        ),
    )

    result = project.materialize()

    assert (result.status, errors(result)) == ("succeeded", [])
    rows = project.rows("apart")
    assert Counter(row["made"] for row in rows) == {
        "2026-01-01..2026-01-03 01 04": 6,
        "2026-01-04..2026-01-05 04 06": 4,
    }
    assert os.getpid() not in {row["process"] for row in rows}


def test_a_batch_is_tried_again_as_a_whole(tmp_path):
    text = """
        def often(clean: pa.Table, context: AssetContext) -> pa.Table:
            if context.attempt == 1:
                raise ValueError("not yet")
            return clean
        """
    project = slices(tmp_path, often=function(text, *BATCHED, 'retries=Retries(1, backoff="0s")'))
    project.write(
        {
            "shop/often.py": (tmp_path / "shop/often.py")
            .read_text()
            .replace("asset,", "Retries, asset,")
        }
    )

    result = project.materialize()

    assert (result.status, errors(result)) == ("succeeded", [])
    assert {step.attempts for step in result.steps if step.target.asset == "often"} == {2}


@pytest.mark.parametrize("decorator", [(), BATCHED], ids=["one", "batch"])
def test_several_outputs_are_made_slice_by_slice_in_one_call(tmp_path, decorator):
    options = ", ".join(('outputs=["left", "right"]', "partitions=DAYS", *decorator))
    text = PYTHON + (
        f"@asset({options})\n"
        "def both(clean: pa.Table, context: AssetContext):\n"
        f"    with open('{tmp_path}/calls', 'a') as calls:\n"
        "        calls.write(context.partition.key + chr(10))\n"
        "    return clean, clean.slice(0, 1)\n"
    )
    project = slices(tmp_path, both=text)

    result = project.materialize()

    assert (result.status, errors(result)) == ("succeeded", [])
    assert len((tmp_path / "calls").read_text().split()) == (2 if decorator else 5)
    assert project.rows("left") == project.rows("clean")
    assert len(project.rows("right")) == (2 if decorator else 5)
    assert project.materialize().steps == ()


# Packing.


FORTY = 'partitions = { daily = { start = "2026-01-01", end = "2026-02-10" } }'


def files_of(project: SmallProject, asset: str) -> set[str]:
    found = served(project.root / ".assetflow", "main", [asset]).get(asset, ())
    return {part.path for part in found}


def forty(root) -> SmallProject:
    """A project of forty days, materialized one run a day."""
    rows = [
        f"{date(2026, 1, 1) + timedelta(days=day)},{k},{day}" for day in range(40) for k in range(2)
    ]
    project = slices(
        root,
        clean=query("select day, k, amount from raw where day = $partition_start::date", FORTY),
        total="select count(*) as n, sum(amount)::bigint as amount from clean",
    )
    project.write({"data/raw.csv": "\n".join(["day,k,amount", *rows]) + "\n"})
    return project


def test_small_files_are_packed_and_each_reader_and_gc_follow(tmp_path, monkeypatch):
    project = forty(tmp_path)
    days = [str(date(2026, 1, 1) + timedelta(days=day)) for day in range(40)]
    for day in days[:8]:
        assert keys_of(restricted(project, day), "clean") == [day]
    project.write({"assetflow.toml": 'package = "shop"\n[environments.dev]\n'})
    api.create_environment(project.load(), "dev")
    before = project.rows("clean", "dev")
    for day in days[8:]:
        restricted(project, day)

    assert len(files_of(project, "clean")) < 20
    assert len(versions(project, "clean")) == 40
    loaded = project.load()
    assert api.read(loaded, "clean").num_rows == 80
    assert api.read(loaded, "clean", "2026-01-17").to_pylist() == [
        {"day": date(2026, 1, 17), "k": k, "amount": 16} for k in range(2)
    ]
    assert api.sql(loaded, "select count(*) from clean").rows == ((80,),)
    with duckdb.connect(str(tmp_path / ".assetflow/catalog.duckdb"), read_only=True) as catalog:
        assert catalog.execute("select count(*), sum(amount) from clean").fetchall() == [(80, 1560)]
    project.materialize()
    assert project.rows("total") == [{"n": 80, "amount": 1560}]
    assert set(keys_of(project.materialize("clean", force=True), "clean", "unchanged")) == set(days)
    assert project.materialize().steps == ()

    later = api.now() + timedelta(days=8)
    monkeypatch.setattr(api, "now", lambda: later)
    api.gc(project.load())

    left = {str(path.relative_to(tmp_path / ".assetflow/data")) for path in parquet(tmp_path)}
    assert left == {*files_of(project, "clean"), *files_of(project, "total")}
    assert project.rows("clean", "dev") == before
    assert len(project.rows("clean")) == 80
    assert project.materialize().steps == ()


def parquet(root) -> list[Path]:
    return [*(root / ".assetflow/data").rglob("*.parquet")]


# The partition key as a column.


def test_readers_see_the_partition_key_as_a_column_where_the_asset_says_so(tmp_path):
    project = slices(
        tmp_path,
        keyed=query("select k, amount from clean", DAYS, 'key_column = "made_for"'),
        summed="select made_for, sum(amount)::bigint as amount from keyed group by all",
        counted="select count(*) as n from keyed where made_for > '2026-01-02'",
        pair=query(
            "select max(made_for) as newest from keyed",
            DAYS,
            "mappings = { keyed = { trailing = 2 } }",
        ),
        before=query(
            "select made_for, k from keyed", DAYS, "mappings = { keyed = { offset = -1 } }"
        ),
        listed="""
            import pyarrow as pa
            from assetflow import asset


            @asset
            def listed(keyed: pa.Table) -> pa.Table:
                return keyed
            """,
    )

    result = project.materialize()

    assert (result.status, errors(result)) == ("succeeded", [])
    assert [row["made_for"] for row in project.rows("summed")] == list(KEYS)
    assert project.rows("counted") == [{"n": 6}]
    assert [row["newest"] for row in project.rows("pair")] == list(KEYS)
    assert api.read(project.load(), "listed").column_names == ["k", "amount", "made_for"]
    assert {row["made_for"] for row in project.rows("before")} == set(KEYS[:-1])
    assert api.lineage(project.load()).read_sets["counted"]["keyed"].columns == ("made_for",)
    assert project.materialize().steps == ()

    project.write({"data/raw.csv": raw(d3=8)})
    result = project.materialize()
    assert keys_of(result, "keyed", "materialized") == ["2026-01-03"]
    assert {"before[2026-01-04]", "counted", *PAIRS} <= set(ran(result, "verified"))
    assert {str(step.target) for step in result.steps if step.outcome in RAN} >= {
        "summed",
        "listed",
    }

    path = tmp_path / "shop/keyed.sql"
    path.write_text(path.read_text().replace("made_for", "day_of"))
    project.write({"shop/summed.sql": "select 1 as one from keyed", "shop/counted.sql": "select 1"})
    project.write({"shop/pair.sql": "select 1", "shop/before.sql": "select 1"})
    result = project.materialize()
    assert "listed" in ran(result)
    assert api.read(project.load(), "listed").column_names == ["k", "amount", "day_of"]


PAIRS = ["pair[2026-01-03]", "pair[2026-01-04]"]


# Changed definitions.


def ranged(start: str, end: str, **more: str) -> str:
    said = ", ".join(f'{name} = "{value}"' for name, value in more.items())
    more_said = f", {said}" if said else ""
    return f'partitions = {{ daily = {{ start = "{start}", end = "{end}"{more_said} }} }}'


COPY = "select day, k, amount from clean"


def actions(project: SmallProject) -> dict[str, str]:
    return {str(step.target): step.action for step in api.plan(project.load()).steps}


def test_a_wider_range_starts_only_what_is_new_and_a_narrower_withdraws_the_rest(tmp_path):
    project = slices(tmp_path, copy=query(COPY, ranged("2026-01-02", "2026-01-04")))
    project.materialize()

    project.write({"shop/copy.sql": query(COPY, ranged("2026-01-01", "2026-01-06"))})
    assert actions(project) == {
        f"copy[{key}]": "materialize" for key in ("2026-01-01", "2026-01-04", "2026-01-05")
    }
    project.materialize()
    before = versions(project, "copy")

    project.write({"shop/copy.sql": query(COPY, ranged("2026-01-02", "2026-01-05"))})
    assert actions(project) == {f"copy[{KEYS[0]}]": "withdraw", f"copy[{KEYS[4]}]": "withdraw"}
    project.materialize()
    assert len(project.rows("copy")) == 6

    project.write({"shop/copy.sql": query(COPY, ranged("2026-01-01", "2026-01-06"))})
    assert ran(project.materialize(), "reused") == [f"copy[{KEYS[0]}]", f"copy[{KEYS[4]}]"]
    assert versions(project, "copy") == before


def test_partitions_are_turned_off_and_on_again_without_a_loss(tmp_path):
    daily, whole = query(COPY, DAYS), f"{COPY}\n"
    project = slices(tmp_path, copy=daily, total="select count(*) as n from copy")
    project.materialize()
    before = versions(project, "copy")

    project.write({"shop/copy.sql": whole})
    planned = actions(project)
    assert planned["copy"] == "materialize"
    assert [planned[f"copy[{key}]"] for key in KEYS] == ["withdraw"] * 5
    project.materialize()
    assert (len(project.rows("copy")), project.rows("total")) == (10, [{"n": 10}])

    project.write({"shop/copy.sql": daily})
    assert actions(project)["copy"] == "withdraw"
    result = project.materialize()
    assert ran(result, "reused")[:5] == [f"copy[{key}]" for key in KEYS]
    assert ran(result) == []
    assert versions(project, "copy") == before
    assert project.rows("total") == [{"n": 10}]


def test_another_time_zone_is_other_windows_and_runs_them_again(tmp_path):
    text = "select $partition_start as start, count(*) as n from raw"
    project = slices(tmp_path, timed=query(text, DAYS))
    project.materialize()

    zoned = ranged("2026-01-01", "2026-01-06", timezone="Europe/Berlin", offset="06:00")
    project.write({"shop/timed.sql": query(text, zoned)})
    result = project.materialize()

    assert keys_of(result, "timed") == list(KEYS)
    assert str(project.rows("timed")[0]["start"]) == "2026-01-01 06:00:00"
    assert project.materialize().steps == ()


def test_older_partitions_made_by_older_code_are_read_by_name_with_the_newest_types(tmp_path):
    project = slices(tmp_path)
    project.write({"shop/clean.sql": query("select day, 1::integer as n from raw", DAYS)})
    project.materialize()
    project.write(
        {"shop/clean.sql": query("select 'new' as mark, 5000000000 as n, day from raw", DAYS)}
    )
    restricted(project, "2026-01-05")

    table = api.read(project.load(), "clean")

    assert set(table.column_names) == {"mark", "n", "day"}
    assert str(table.schema.field("n").type) == "int64"
    assert Counter(table.column("mark").to_pylist()) == {None: 40, "new": 10}
    assert project.materialize().status == "succeeded"
    assert api.read(project.load(), "clean").column("mark").null_count == 0


def test_partitions_of_a_batch_whose_inputs_have_other_columns_are_as_if_made_alone(tmp_path):
    project = slices(
        tmp_path,
        copy=query("select * from clean", DAYS, 'partition_by = "day"', "batch_size = 5"),
    )
    mine = "from raw where day = $partition_start"
    project.write({"shop/clean.sql": query(f"select day, 1::integer as n {mine}", DAYS)})
    project.materialize("clean")
    project.write({"shop/clean.sql": query(f"select day, 1::integer as n, k {mine}", DAYS)})
    restricted(project, "2026-01-03")

    result = project.materialize("copy", only=True)

    assert keys_of(result, "copy") == list(KEYS)
    columns = {key: api.read(project.load(), "copy", key).column_names for key in KEYS}
    assert columns.pop("2026-01-03") == ["day", "n", "k"]
    assert set(map(tuple, columns.values())) == {("day", "n")}


def test_a_batch_is_of_neighbours_so_that_what_lies_between_stays_out(tmp_path):
    mine = "select * from raw where day >= $partition_start and day < $partition_end"
    project = slices(tmp_path, copy=query(mine, DAYS, 'partition_by = "day"', "batch_size = 5"))
    restricted_to = project.materialize("copy", partitions=["2026-01-03"])
    assert keys_of(restricted_to, "copy") == ["2026-01-03"]

    result = project.materialize("copy")

    assert errors(result) == []
    assert keys_of(result, "copy") == ["2026-01-01", "2026-01-02", "2026-01-04", "2026-01-05"]


def test_functions_without_inputs_run_again_only_where_they_are_asked_to(tmp_path):
    project = slices(
        tmp_path,
        fetched=function("""
            def fetched(context: AssetContext) -> pa.Table:
                return pa.table({"key": [context.partition.key]})
            """),
    )
    assert keys_of(project.materialize(), "fetched") == list(KEYS)
    assert project.materialize().steps == ()

    again = project.materialize("fetched", partitions=["2026-01-02..2026-01-03"], refresh=True)

    assert keys_of(again, "fetched", "unchanged") == ["2026-01-02", "2026-01-03"]
    assert project.materialize().steps == ()


def test_a_function_reads_nothing_of_a_function_whose_columns_only_a_version_tells(tmp_path):
    project = slices(
        tmp_path,
        first=function("""
            def first(clean: pa.Table) -> pa.Table:
                return clean.select(["k", "amount"])
            """),
        before=function(
            """
            def before(first: pa.Table) -> pa.Table:
                assert first.column_names == ["k", "amount"], first.column_names
                return first
            """,
            'mappings={"first": Offset(-1)}',
        ),
        queried=query(
            "select k, amount from first", DAYS, "mappings = { first = { offset = -1 } }"
        ),
    )

    result = project.materialize()

    assert (result.status, errors(result)) == ("succeeded", [])
    assert api.read(project.load(), "before", KEYS[0]).column_names == ["k", "amount"]
    assert api.read(project.load(), "queried", KEYS[0]).num_rows == 0
    assert project.materialize().steps == ()


def test_a_function_that_reads_nothing_runs_again_when_the_columns_that_it_gets_are_others(
    tmp_path,
):
    project = slices(
        tmp_path,
        before=function(
            """
            def before(clean: pa.Table) -> pa.Table:
                return clean
            """,
            'mappings={"clean": Offset(-1)}',
        ),
    )
    project.materialize()
    project.write({"shop/clean.sql": query("select *, 1 as more from raw", DAYS)})

    result = project.materialize()

    assert keys_of(result, "before") == list(KEYS)
    assert "more" in api.read(project.load(), "before", KEYS[0]).column_names
    assert project.materialize().steps == ()


class Died(BaseException):
    """The process is gone, as far as the run can tell."""


def test_a_run_that_dies_while_it_packs_loses_nothing(tmp_path, monkeypatch):
    project = forty(tmp_path)

    def die(*_arguments: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(packed_partitions, "sync_versions", die)
        with pytest.raises(Died):
            project.materialize()
    assert len(versions(project, "clean")) == 40
    assert project.materialize().steps == ()
    assert project.rows("total") == [{"n": 80, "amount": 1560}]

    project.write({"data/raw.csv": (tmp_path / "data/raw.csv").read_text() + "2026-01-01,9,9\n"})
    project.materialize()
    assert len(files_of(project, "clean")) < 20
    assert project.rows("total") == [{"n": 81, "amount": 1569}]
    assert project.materialize().steps == ()
