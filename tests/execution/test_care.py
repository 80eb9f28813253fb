"""Looking after the state: gc, the audit trail, the doctor, a run that is stopped."""

from datetime import timedelta

import pytest

from assetflow import api
from assetflow.errors import NotRunning
from assetflow.execution.care import collect_garbage
from assetflow.execution.stopping import STOPPING_AS_ASKED
from assetflow.planning.listener import Silent
from tests.small_project import shop

WEEK = 7 * 24 * 3600.0


@pytest.fixture
def project(tmp_path):
    return shop(tmp_path)


def files(project) -> int:
    return len(list((project.root / ".assetflow/data").rglob("*.parquet")))


def test_gc_removes_what_nobody_points_to_after_the_retention(project):
    project.materialize()
    project.write({"data/orders.csv": "id,customer,amount\n1,ann,99\n"})
    project.materialize()
    assert files(project) == 6
    state = project.root / ".assetflow"
    later = api.now() + timedelta(days=8)

    assert api.gc(project.load()).versions == 0
    assert collect_garbage(state, later, WEEK, dry_run=True).versions == 3
    assert files(project) == 6
    assert collect_garbage(state, later, WEEK, dry_run=False).versions == 3

    assert files(project) == 3
    assert project.rows("totals") == [{"customer": "ann", "total": 99}]
    assert project.actions() == {}


def test_what_gc_removed_is_made_again_and_not_reused(project):
    project.materialize()
    text = (project.root / "shop/totals.sql").read_text()
    project.write({"shop/totals.sql": "select customer, 1 as total from clean group by all"})
    project.materialize()
    later = api.now() + timedelta(days=8)
    collect_garbage(project.root / ".assetflow", later, WEEK, dry_run=False)

    project.write({"shop/totals.sql": text})

    assert project.outcomes()["totals"] == "materialized"


def test_versions_of_another_environment_are_kept(project):
    project.materialize()
    api.create_environment(project.load(), "dev")
    project.write({"data/orders.csv": "id,customer,amount\n1,ann,99\n"})
    project.materialize()
    later = api.now() + timedelta(days=8)

    assert collect_garbage(project.root / ".assetflow", later, WEEK, dry_run=False).versions == 0


def test_the_trail_tells_runs_and_publications_and_holds(project):
    project.materialize()

    result = api.audit(project.load())

    assert result.ok
    assert [event.kind for event in result.tail] == ["run_started", "published", "run_finished"]


def test_the_doctor_finds_versions_that_are_gone(project):
    project.materialize()
    next((project.root / ".assetflow/data/totals").rglob("*.parquet")).unlink()

    found = {one.name: one for one in api.doctor(project.root)}

    assert found["environment main"].status == "error"
    assert found["environment main"].text == "the files of 1 of 3 versions are gone"
    assert found["project"].status == "ok"


class Told(Silent):
    """A listener that keeps the messages."""

    def __init__(self):
        self.messages = []

    def message(self, text):
        self.messages.append(text)


def test_a_run_that_is_asked_to_stop_publishes_nothing_and_is_taken_up(project):
    project.write(
        {
            "shop/stopping.py": """
                from assetflow import AssetContext, api, asset

                @asset
                def stopping(clean, context: AssetContext):
                    from pathlib import Path
                    project = api.load(Path(__file__).parents[1], environ={})
                    api.cancel(project, context.run)
                    import threading
                    threading.Event().wait(0.5)
                    return clean

                @asset
                def after(stopping):
                    return stopping
                """
        }
    )

    told = Told()

    result = project.materialize("after", threads=1, listener=told)

    assert told.messages == [STOPPING_AS_ASKED]
    outcomes = {step.target.asset: step.outcome for step in result.steps}
    assert result.status == "interrupted"
    assert outcomes == {"clean": "materialized", "stopping": "materialized", "after": "skipped"}
    assert api.runs(project.load())[0].status == "interrupted"
    assert {one.sync for one in api.status(project.load())} == {"missing"}
    again = project.outcomes("stopping")
    assert again == {"clean": "reused", "stopping": "reused"}


ENDED = {
    "a query": {"shop/endless.sql": "select sum(i) as s from range(1000000000000) r(i), first\n"},
    "a query of a function": {
        "shop/endless.py": """
            import duckdb
            from assetflow import asset

            @asset
            def endless(first: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
                return first.query("f", "select sum(i) as s from f, range(1000000000000) r(i)")
        """
    },
    "a function": {
        "shop/endless.py": """
            import threading
            from assetflow import asset

            @asset
            def endless(first):
                threading.Event().wait()
        """
    },
    "a process": {
        "shop/endless.py": """
            import threading
            from assetflow import asset

            @asset(isolation="process")
            def endless(first):
                threading.Event().wait()
        """
    },
}


@pytest.mark.parametrize("files", ENDED.values(), ids=ENDED)
def test_a_run_that_is_ended_waits_for_no_step(project, files):
    project.write(
        {
            **files,
            "shop/first.sql": "select 1 as one\n",
            "shop/ending.py": """
                from assetflow import AssetContext, api, asset

                @asset
                def ending(first, context: AssetContext):
                    from pathlib import Path
                    project = api.load(Path(__file__).parents[1], environ={})
                    api.cancel(project, context.run, at_once=True)
                    return first
                """,
        }
    )

    result = project.materialize("endless", "ending", threads=2)

    steps = {step.target.asset: step for step in result.steps}
    assert result.status == "interrupted"
    assert steps["first"].outcome == "materialized"
    assert steps["endless"].outcome == "skipped"
    assert [reason.code for reason in steps["endless"].reasons] == ["run_stopped"]
    assert not list((project.root / ".assetflow").rglob("*.partial"))
    assert not list((project.root / ".assetflow/locks").glob("*.end"))
    assert project.outcomes("first") == {"first": "reused"}


def test_only_a_run_at_work_can_be_stopped(project):
    with pytest.raises(NotRunning):
        api.cancel(project.load(), "nothing")
