"""What one step can be asked to do: forms, outputs, retries, limits, resources."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from assetflow import api
from assetflow.model.columns import ReadSet
from tests.small_project import SmallProject, shop


def made(root, code: str, **files: str) -> SmallProject:
    return shop(root, **{"shop/own.py": code, **files})


FORMS = {
    "table": ("pa.Table", "x.num_rows"),
    "reader": ("pa.RecordBatchReader", "sum(b.num_rows for b in x)"),
    "relation": ("duckdb.DuckDBPyRelation", "len(x.fetchall())"),
    "pandas": ("pd.DataFrame", "len(x)"),
    "polars": ("pl.DataFrame", "x.height"),
    "polars_lazy": ("pl.LazyFrame", "x.collect().height"),
    "rows": ("list[dict]", "len(x)"),
}


def test_instants_are_read_shown_and_queried(tmp_path):
    files = {"shop/instants.sql": "select timestamptz '2026-03-29 02:30:00+02' as at"}
    code = """
        from assetflow import asset

        @asset
        def hours(instants: list[dict]) -> list[dict]:
            return [{"hour": row["at"].hour} for row in instants]
        """
    project = made(tmp_path, code, **files)

    assert project.materialize("hours").status == "succeeded"

    instant = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert project.rows("hours") == [{"hour": 0}]
    assert api.show(project.load(), "instants").sample_rows == ((instant,),)
    assert api.sql(project.load(), "from instants").rows == ((instant,),)


@pytest.mark.parametrize("form", FORMS)
def test_inputs_arrive_in_the_form_that_is_asked_for(tmp_path, form):
    annotation, count = FORMS[form]
    code = f"""
        import duckdb, pandas as pd, polars as pl, pyarrow as pa
        from assetflow import asset

        @asset
        def counted(clean: {annotation}) -> list[dict]:
            x = clean
            return [{{"n": {count}}}]
        """

    project = made(tmp_path, code)

    assert project.materialize("counted").status == "succeeded"
    assert project.rows("counted") == [{"n": 3}]


RETURNS = {
    "table": "clean",
    "reader": "pa.RecordBatchReader.from_batches(clean.schema, iter(clean.to_batches()))",
    "pandas": "clean.to_pandas()",
    "polars": "pl.from_arrow(clean)",
    "polars_lazy": "pl.from_arrow(clean).lazy()",
    "rows": "clean.to_pylist()",
    "batches": "(batch for batch in clean.to_batches())",
}


@pytest.mark.parametrize("form", RETURNS)
def test_any_of_the_forms_may_be_returned(tmp_path, form):
    code = f"""
        import pandas as pd, polars as pl, pyarrow as pa
        from assetflow import asset

        @asset
        def same(clean: pa.Table):
            return {RETURNS[form]}
        """

    project = made(tmp_path, code)

    assert project.materialize("same").status == "succeeded"
    assert project.rows("same") == project.rows("clean")


def test_a_relation_may_be_returned(tmp_path):
    code = """
        import duckdb
        from assetflow import asset

        @asset
        def big(clean: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
            return clean.filter("amount > 9")
        """

    project = made(tmp_path, code)

    assert project.materialize("big").status == "succeeded"
    assert len(project.rows("big")) == 2


def test_a_file_is_kept_as_the_version(tmp_path):
    code = """
        from pathlib import Path
        from assetflow import AssetContext, asset

        @asset
        def model(clean, context: AssetContext) -> Path:
            path = context.path("model.txt")
            path.write_text(f"rows {clean.num_rows}")
            return path

        @asset
        def size(model: Path) -> list[dict]:
            return [{"text": model.read_text()}]
        """

    project = made(tmp_path, code)

    assert project.materialize("size").status == "succeeded"
    assert project.rows("size") == [{"text": "rows 3"}]
    assert api.read(project.load(), "model").read_text() == "rows 3"
    assert project.actions() == {"report": "materialize", "totals": "materialize"}


def test_one_function_makes_several_assets(tmp_path):
    code = """
        from assetflow import asset

        CALLS = []

        @asset(outputs=["small", "large"])
        def split(clean):
            CALLS.append(1)
            rows = clean.to_pylist()
            assert len(CALLS) == 1
            return (
                [row for row in rows if row["amount"] < 10],
                [row for row in rows if row["amount"] >= 10],
            )
        """

    project = made(tmp_path, code)

    assert project.outcomes("small", "large") == {
        "clean": "materialized",
        "small": "materialized",
        "large": "materialized",
    }
    assert len(project.rows("large")) == 2
    assert project.actions("small", "large") == {}


def test_a_step_is_tried_again(tmp_path):
    code = """
        from assetflow import AssetContext, asset

        @asset(retries={"attempts": 2, "backoff": 0.01})
        def shaky(clean, context: AssetContext):
            print("attempt", context.attempt)
            if context.attempt < 3:
                raise OSError("not yet")
            return clean
        """

    result = made(tmp_path, code).materialize("shaky")

    step = next(step for step in result.steps if step.target.asset == "shaky")
    assert (step.outcome, step.attempts) == ("materialized", 3)
    assert step.output == "attempt 1\nattempt 2\nattempt 3\n"


def test_a_step_that_fails_each_time_fails_with_what_it_printed(tmp_path):
    code = """
        from assetflow import asset

        @asset(retries={"attempts": 1, "backoff": 0.01})
        def broken(clean):
            print("trying")
            raise OSError("never")
        """

    result = made(tmp_path, code).materialize("broken")

    step = next(step for step in result.steps if step.target.asset == "broken")
    assert (step.outcome, step.attempts) == ("failed", 2)
    assert step.output == "trying\ntrying\n"
    assert step.error.endswith("OSError: never")


TIMEOUTS = {
    "python": ("thread", "import threading; threading.Event().wait(60)"),
    "process": ("process", "import threading; threading.Event().wait(60)"),
}


@pytest.mark.parametrize("kind", TIMEOUTS)
def test_a_function_has_its_timeout(tmp_path, kind):
    isolation, wait = TIMEOUTS[kind]
    code = f"""
        from assetflow import asset

        @asset(timeout="1s", isolation="{isolation}")
        def slow(clean):
            {wait}
            return clean
        """

    result = made(tmp_path, code).materialize("slow")

    assert result.counts == {"materialized": 1, "failed": 1}
    assert "took longer than its timeout of 1 second." in result.steps[-1].error


def test_a_query_has_its_timeout(tmp_path):
    query = """
        /* assetflow
        timeout = "0.5s"
        */
        select sum(a.range * b.range) as x from range(100000000) a, range(1000000) b, clean
        """

    result = shop(tmp_path, **{"shop/slow.sql": query}).materialize("slow")

    assert "took longer than its timeout of 0.5 seconds" in result.steps[-1].error


def test_a_step_can_run_in_a_process_of_its_own(tmp_path):
    code = """
        import os
        from assetflow import AssetContext, asset

        @asset(isolation="process")
        def apart(clean, context: AssetContext):
            print("printed apart")
            context.logger.info("logged apart")
            context.report(rows=clean.num_rows)
            return [{"pid": os.getpid()}]
        """
    project = made(tmp_path, code)

    result = project.materialize("apart")

    assert result.status == "succeeded"
    (row,) = project.rows("apart")
    assert row["pid"] != __import__("os").getpid()
    assert "printed apart" in result.steps[-1].output
    assert "logged apart" in result.steps[-1].output
    assert [v for _, v in api.show(project.load(), "apart").metadata["rows"]] == ["3"]


def test_a_failure_in_a_process_reads_like_any_other(tmp_path):
    code = """
        from assetflow import asset

        @asset(isolation="process")
        def apart(clean):
            raise ValueError("far away")
        """

    error = made(tmp_path, code).materialize("apart").steps[-1].error

    assert error.startswith("'apart' failed.\n  defined in  shop/own.py:4\n")
    assert error.endswith("ValueError: far away")


def test_a_process_that_dies_is_a_failure(tmp_path):
    code = """
        import os
        from assetflow import asset

        @asset(isolation="process")
        def apart(clean):
            os._exit(3)
        """

    error = made(tmp_path, code).materialize("apart").steps[-1].error

    assert error.startswith("The process that made 'apart' died (exit code 3).")


SAYS = """
    import os, subprocess, sys
    from assetflow import asset

    os.write(1, b"at import\\n")

    @asset(isolation="process"{options})
    def apart(clean):
        subprocess.run(["echo", "another process"], check=True)
        os.write(1, b"by descriptor\\n")
        print("printed")
        {end}
    """
ENDS = {
    "returns": ("", "return clean"),
    "raises": ("", "raise ValueError"),
    "ends_the_process": ("", "os._exit(3)"),
    "takes_too_long": (', timeout="5s"', "subprocess.run(['sleep', '600'])"),
}


@pytest.mark.parametrize("end", ENDS)
def test_all_that_a_process_prints_is_kept_however_it_ends(tmp_path, end):
    options, last = ENDS[end]

    result = made(tmp_path, SAYS.format(options=options, end=last)).materialize("apart")

    lines = result.steps[-1].output.splitlines()
    assert lines[:4] == ["at import", "another process", "by descriptor", "printed"]
    assert result.steps[-1].outcome == ("materialized" if end == "returns" else "failed")


@pytest.mark.parametrize("end", ["return clean", "os._exit(3)"])
def test_what_a_process_started_ends_with_it(tmp_path, end):
    pid = tmp_path / "pid"
    code = f"""
        import os, pathlib, subprocess
        from assetflow import asset

        @asset(isolation="process")
        def apart(clean):
            left = subprocess.Popen(["sleep", "600"])
            pathlib.Path({str(pid)!r}).write_text(str(left.pid))
            {end}
        """

    made(tmp_path, code).materialize("apart")

    assert not is_running(int(pid.read_text()))


def is_running(pid: int) -> bool:
    """Whether a process runs; one that is dead, but that nobody has waited for, does not."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return bool(found.stdout.strip()) and not found.stdout.startswith("Z")


def test_resources_are_made_once_and_closed(tmp_path):
    code = """
        from assetflow import asset, resource

        LOG = []

        @resource
        def client():
            LOG.append("open")
            yield LOG
            print_to = open("closed.txt", "w")
            print_to.write(",".join(LOG))
            print_to.close()

        @asset
        def one(clean, client):
            client.append("one")
            return clean

        @asset
        def two(one, client):
            client.append("two")
            return one
        """
    project = made(tmp_path, code.replace('"closed.txt"', repr(str(tmp_path / "closed.txt"))))

    assert project.materialize("two").status == "succeeded"
    assert (tmp_path / "closed.txt").read_text() == "open,one,two"


def test_values_of_a_config_enter_the_key_and_secrets_do_not(tmp_path, monkeypatch):
    code = """
        from assetflow import Config, Secret, asset

        class Api(Config):
            limit: int = 1
            token: Secret

        @asset
        def limited(clean, settings: Api):
            assert settings.token.reveal()
            return clean.slice(0, settings.limit)
        """
    settings = 'package = "shop"\n[config.api]\nlimit = {}\ntoken = {{ file = "token.txt" }}\n'
    project = made(tmp_path, code)
    project.write({"assetflow.toml": settings.format(1), "token.txt": "s3cret"})
    assert project.materialize("limited").status == "succeeded"

    project.write({"token.txt": "another"})
    assert project.actions("limited") == {}
    project.write({"assetflow.toml": settings.format(2)})
    (step,) = api.plan(project.load(), ["limited"]).steps
    assert str(step.reasons[0]) == "code changed (settings.limit)"
    stored = (tmp_path / ".assetflow/metadata.duckdb").read_bytes()
    assert b"s3cret" not in stored


def test_variables_and_macros_are_part_of_the_queries_that_use_them(tmp_path):
    project = shop(
        tmp_path,
        **{
            "shop/macros/money.sql": "create macro cents(x) as x * 100;",
            "shop/priced.sql": "select cents(amount) as cents from clean where amount >= $least",
        },
    )
    settings = 'package = "shop"\nvariables = {{ least = {} }}\n'
    project.write({"assetflow.toml": settings.format(10)})
    project.materialize()
    assert project.rows("priced") == [{"cents": 1000}, {"cents": 2000}]

    project.write({"assetflow.toml": settings.format(20)})
    assert project.actions() == {"priced": "materialize"}
    project.materialize()
    project.write({"shop/macros/money.sql": "create macro cents(x) as x * 1000;"})
    (step,) = api.plan(project.load()).steps
    assert str(step.reasons[0]) == "code changed (macro cents)"


def test_files_that_a_query_reads_itself_are_watched(tmp_path):
    project = shop(
        tmp_path, **{"shop/direct.sql": "select count(*) as n from read_csv('data/orders.csv')"}
    )
    project.materialize()
    assert project.rows("direct") == [{"n": 3}]

    project.write({"data/orders.csv": "id,customer,amount\n1,ann,1\n"})

    assert "direct" in project.actions()
    project.materialize()
    assert project.rows("direct") == [{"n": 1}]


def test_a_source_may_tell_its_own_version(tmp_path):
    code = """
        from pathlib import Path
        from assetflow import asset, source

        source("feed", observe=lambda: Path(__file__).with_name("feed.txt").read_text())

        @asset
        def loaded(feed: str):
            return [{"version": feed}]
        """
    project = made(tmp_path, code, **{"shop/feed.txt": "v1"})
    project.materialize("loaded")
    assert project.actions("loaded") == {}

    project.write({"shop/feed.txt": "v2"})

    assert project.actions("loaded") == {"loaded": "materialize"}
    project.materialize("loaded")
    assert project.rows("loaded") == [{"version": "v2"}]


def test_assets_made_in_a_loop_are_assets(tmp_path):
    code = """
        from assetflow import asset

        def top(limit):
            @asset(name=f"top_{limit}")
            def made(clean):
                return clean.slice(0, limit)

        for limit in (1, 2):
            top(limit)
        """
    project = made(tmp_path, code)

    project.materialize("top_*")

    assert (len(project.rows("top_1")), len(project.rows("top_2"))) == (1, 2)


def test_a_pool_bounds_what_runs_together(tmp_path):
    code = """
        import threading
        from assetflow import asset

        NOW, MOST = [], []

        def make(number):
            @asset(name=f"pooled_{number}", pool="api")
            def pooled(clean):
                NOW.append(number)
                MOST.append(len(NOW))
                threading.Event().wait(0.01)
                NOW.remove(number)
                return [{"together": max(MOST)}]

        for number in range(6):
            make(number)
        """
    project = made(tmp_path, code)
    project.write({"assetflow.toml": 'package = "shop"\nthreads = 4\npools = { api = 1 }\n'})

    assert project.materialize("pooled_*").status == "succeeded"
    assert {project.rows(f"pooled_{n}")[0]["together"] for n in range(6)} == {1}


def test_nothing_is_read_as_a_table_from_python_variables(tmp_path):
    project = shop(tmp_path, **{"shop/odd.sql": "select * from sys"})

    with pytest.raises(api.ProjectErrors, match="No asset or source is named 'sys'"):
        project.materialize()
    assert "sys" in sys.modules


def test_a_dotted_name_is_taken_by_a_parameter_of_another_name(tmp_path):
    code = """
        from typing import Annotated
        import pyarrow as pa
        from assetflow import Columns, From, asset

        @asset
        def counted(events: Annotated[pa.Table, From("staging.events"), Columns("id")]):
            return [{"columns": ",".join(events.column_names)}]
        """
    header = '/* assetflow\nname = "staging.events"\n*/\n'
    project = made(tmp_path, code, **{"shop/e.sql": header + "select id, amount from clean"})

    assert project.materialize("counted").status == "succeeded"
    assert project.rows("counted") == [{"columns": "id"}]
    assert api.lineage(project.load(), ["counted"]).read_sets["counted"] == {
        "staging.events": ReadSet.of(["id"])
    }


def test_another_way_to_read_a_source_is_another_state(tmp_path):
    project = shop(tmp_path, **{"data/orders.csv": "id,customer,amount\n1,ann,10\n2,-,20\n"})
    project.materialize()
    assert [row["customer"] for row in project.rows("totals")] == ["-", "ann"]

    project.write(
        {
            "shop/sources.py": """
                from assetflow import source

                source("raw_orders", path="data/orders.csv", read_options={"nullstr": "-"})
                """
        }
    )

    assert project.outcomes()["clean"] == "materialized"
    assert {row["customer"] for row in project.rows("totals")} == {None, "ann"}
