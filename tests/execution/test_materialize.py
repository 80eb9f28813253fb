"""What a run does with a small real project: what ran, what it published, what it kept."""

from dataclasses import replace

import pytest

from assetflow import api
from assetflow.errors import ProjectErrors
from tests.small_project import shop


@pytest.fixture
def project(tmp_path):
    return shop(tmp_path)


def test_the_first_run_makes_everything_and_the_second_nothing(project):
    assert project.outcomes() == dict.fromkeys(["clean", "totals", "report"], "materialized")
    assert project.outcomes() == {}
    assert project.rows("totals") == [
        {"customer": "ann", "total": 15},
        {"customer": "bob", "total": 20},
    ]


def test_a_comment_changes_nothing(project):
    project.materialize()
    project.write(
        {
            "shop/totals.sql": """
        -- what each customer spent
        SELECT customer, sum(amount)::BIGINT AS total
        FROM clean GROUP BY ALL
        """
        }
    )

    assert project.actions() == {}


def test_a_column_that_nobody_reads_downstream_stops_the_wave(project):
    project.materialize()
    project.write({"data/orders.csv": "id,customer,amount\n7,ann,10\n8,bob,20\n9,ann,5\n"})

    assert project.actions() == {
        "clean": "materialize",
        "totals": "may_materialize",
        "report": "may_materialize",
    }
    assert project.outcomes() == {
        "clean": "materialized",
        "totals": "verified",
        "report": "verified",
    }


def test_rows_in_another_order_are_the_same_table(project):
    project.materialize()
    project.write({"data/orders.csv": "id,customer,amount\n3,ann,5\n2,bob,20\n1,ann,10\n"})

    assert project.actions() == {"clean": "verify"}


def test_a_broken_query_is_told_at_plan_and_loses_nothing(project):
    project.materialize()
    project.write(
        {"shop/totals.sql": "select customer, sum(amont) as total from clean group by all"}
    )

    with pytest.raises(ProjectErrors, match="amount"):
        project.materialize()
    assert api.load  # the published content is still read below, by a sound project
    project.write(
        {"shop/totals.sql": "select customer, sum(amount)::bigint as total from clean group by all"}
    )
    assert project.actions() == {}


def test_a_failure_stops_only_what_is_downstream_of_it(project):
    project.write(
        {
            "shop/broken.py": """
            import pyarrow as pa
            from assetflow import asset

            @asset
            def broken(clean: pa.Table) -> pa.Table:
                raise ValueError("no good")

            @asset
            def behind(broken: pa.Table) -> pa.Table:
                return broken
            """
        }
    )

    result = project.materialize()

    outcomes = {step.target.asset: step.outcome for step in result.steps}
    assert result.status == "failed"
    assert outcomes == {
        "clean": "materialized",
        "totals": "materialized",
        "report": "materialized",
        "broken": "failed",
        "behind": "skipped",
    }
    assert project.rows("report")
    errors = {step.target.asset: step.error for step in result.steps}
    assert "shop/broken.py:6 in broken" in errors["broken"]
    assert "assetflow/execution" not in errors["broken"]


def test_fail_fast_begins_nothing_more(project):
    project.write(
        {
            "shop/a_broken.sql": "select error('no good') as x from raw_orders",
            "shop/z_late.sql": "select * from report",
        }
    )

    outcomes = project.outcomes(fail_fast=True, threads=1)

    assert outcomes["a_broken"] == "failed"
    assert outcomes["z_late"] == "skipped"


def test_all_publishes_nothing_unless_all_passed(project):
    project.write(
        {
            "assetflow.toml": 'package = "shop"\npublish = "all"\n',
            "shop/broken.sql": "select error('no good') as x from clean",
        }
    )

    assert project.materialize().status == "failed"
    assert {step.sync for step in api.status(project.load())} == {"missing"}

    project.write({"shop/broken.sql": "select 1 as x from clean"})
    assert project.outcomes()["clean"] == "reused"


def test_each_publishes_step_by_step(project):
    project.write(
        {
            "assetflow.toml": 'package = "shop"\npublish = "each"\n',
            "shop/broken.sql": "select error('no good') as x from clean",
        }
    )

    assert project.materialize().status == "failed"
    assert project.rows("clean")
    assert project.actions() == {"broken": "materialize"}


def test_an_equal_result_is_unchanged_and_stops_there(project):
    project.materialize()
    project.write(
        {"shop/clean.sql": "select id, customer, amount from raw_orders where amount > 1"}
    )

    assert project.outcomes() == {"clean": "unchanged", "totals": "verified", "report": "verified"}


def test_a_revert_is_reused(project):
    project.materialize()
    project.write({"shop/clean.sql": "select id, customer, amount + 1 as amount from raw_orders"})
    project.materialize()
    project.write(
        {"shop/clean.sql": "select id, customer, amount from raw_orders where amount > 0"}
    )

    assert project.outcomes() == {"clean": "reused", "totals": "reused", "report": "reused"}


def test_a_version_whose_file_is_gone_is_made_again(project):
    project.materialize()
    for path in (project.root / ".assetflow/data/totals").rglob("*.parquet"):
        path.unlink()

    step, _ = api.plan(project.load()).steps
    assert str(step.reasons[0]).endswith("are gone")
    assert project.outcomes()["totals"] == "materialized"
    assert project.rows("totals")


def test_a_helper_that_changes_is_named(project):
    project.write(
        {
            "shop/helpers.py": "def rate():\n    return 2\n",
            "shop/report.py": """
            import pyarrow as pa
            from assetflow import asset
            from shop.helpers import rate

            @asset
            def report(totals: pa.Table) -> pa.Table:
                return totals.slice(0, rate())
            """,
        }
    )
    project.materialize()
    project.write({"shop/helpers.py": "def rate():\n    return 1\n"})

    (step,) = api.plan(project.load()).steps
    assert str(step.reasons[0]) == "code changed (shop.helpers.rate)"


def test_a_removed_asset_is_withdrawn(project):
    project.materialize()
    (project.root / "shop/report.py").unlink()

    assert project.outcomes() == {"report": "withdrawn"}
    assert project.actions() == {}


def test_a_renamed_asset_keeps_its_version(project):
    project.materialize()
    (project.root / "shop/totals.sql").rename(project.root / "shop/sums.sql")
    header = '/* assetflow\nrenamed_from = "totals"\n*/\n'
    text = (project.root / "shop/sums.sql").read_text()
    project.write(
        {
            "shop/sums.sql": header + text,
            "shop/report.py": """
                from assetflow import asset

                @asset
                def report(sums):
                    return sums.slice(0, 1)
                """,
        }
    )

    outcomes = project.outcomes()

    assert outcomes["sums"] == "reused"
    assert outcomes["totals"] == "withdrawn"
    assert project.rows("sums")[0] == {"customer": "ann", "total": 15}


def test_a_volatile_asset_runs_when_asked_to(project):
    project.write(
        {
            "shop/rates.py": """
            from assetflow import asset

            @asset
            def rates():
                return [{"rate": 1}]
            """
        }
    )
    project.materialize()

    assert project.outcomes() == {}
    assert project.outcomes(refresh=True) == {"rates": "unchanged"}


def test_environments_share_versions_and_are_promoted(project):
    project.materialize()
    api.create_environment(project.load(), "dev")
    project.write(
        {"shop/totals.sql": "select customer, max(amount) as total from clean group by all"}
    )

    outcomes = project.materialize(environment="dev").counts

    assert outcomes == {"materialized": 2}
    assert project.rows("totals")[0]["total"] == 15
    assert project.rows("totals", "dev")[0]["total"] == 10
    api.promote_environment(project.load(), "dev")
    assert project.rows("totals")[0]["total"] == 10
    assert project.actions() == {}
    api.rollback_environment(project.load(), "main")
    assert project.rows("totals")[0]["total"] == 15


def test_promoting_says_which_settings_are_different(project):
    project.write(
        {
            "data/sample.csv": "id,customer,amount\n1,ann,1\n",
            "assetflow.toml": """
                package = "shop"
                variables = { region = "all", year = 2026 }

                [environments.dev]
                variables = { region = "north", year = 2026, more = true }
                sources = { raw_orders = "data/sample.csv" }

                [environments.qa]
                variables = { region = "north", more = true }
                """,
        }
    )
    project.materialize(environment="dev")

    to_main = api.promote_environment(project.load(), "dev")
    to_qa = api.promote_environment(project.load(), "dev", "qa")

    assert (to_main.published, to_main.origin) == (3, "dev")
    assert to_main.differing == {"variables": ("more", "region"), "sources": ("raw_orders",)}
    assert to_qa.differing == {"sources": ("raw_orders",)}
    assert api.promote_environment(project.load(), "main", "main").differing == {}
    assert project.actions()["clean"] == "materialize"


def test_an_earlier_state_can_be_read(project):
    project.materialize()
    before = api.now()
    project.write({"data/orders.csv": "id,customer,amount\n1,ann,99\n"})
    project.materialize()

    table = api.read(project.load(), "totals", as_of=before)

    assert {"customer": "ann", "total": 15} in table.to_pylist()
    assert project.rows("totals") == [{"customer": "ann", "total": 99}]


def test_an_upgrade_of_the_canonical_rules_reruns_nothing(project, monkeypatch):
    from assetflow.project import analysis, sql_facts

    project.materialize()

    def marked(text, *arguments, **options):
        query = parse(text, *arguments, **options)
        return replace(query, canonical=f"other: {query.canonical}", frame=f"other: {query.frame}")

    parse = sql_facts.parse_query
    for module in (analysis, sql_facts):
        monkeypatch.setattr(module, "parse_query", marked)
    monkeypatch.setattr(analysis, "CANONICALIZER", "other rules")
    (project.root / ".assetflow/cache/queries.json").unlink()

    assert project.actions() == {}
    project.write({"shop/totals.sql": "select customer, 1 as total from clean group by all"})
    assert project.actions() == {"totals": "materialize", "report": "may_materialize"}
    assert project.outcomes() == {"totals": "materialized", "report": "materialized"}
    assert project.actions() == {}


def test_a_pivot_whose_columns_the_data_decides_follows_the_data(project):
    project.write(
        {
            "shop/wide.sql": "pivot clean on customer using sum(amount) group by id",
            "shop/anns.sql": "select id, ann from wide",
        }
    )
    assert project.materialize().status == "succeeded"
    assert project.rows("wide")[0] == {"id": 1, "ann": 10, "bob": None}

    project.write({"data/orders.csv": "id,customer,amount\n1,ann,11\n2,eve,7\n"})

    assert project.materialize().status == "succeeded"
    assert project.rows("wide") == [
        {"id": 1, "ann": 11, "eve": None},
        {"id": 2, "ann": None, "eve": 7},
    ]
    assert project.rows("anns") == [{"id": 1, "ann": 11}, {"id": 2, "ann": None}]
    assert project.actions() == {}

    project.write({"data/orders.csv": "id,customer,amount\n2,eve,7\n"})
    result = project.materialize()
    assert {s.target.asset: s.outcome for s in result.steps}["anns"] == "failed"
    assert "ann" in next(s.error for s in result.steps if s.target.asset == "anns")


CHANGES = {
    "an expression": (
        "select customer, sum(amount + 1)::bigint as total from clean group by all",
        "code changed (column total)",
    ),
    "a filter": (
        "select customer, sum(amount)::bigint as total from clean where id > 0 group by all",
        "code changed (query)",
    ),
    "a column more": (
        "select customer, sum(amount)::bigint as total, 1 as one from clean group by all",
        "code changed (column one, output columns)",
    ),
    "an order of columns": (
        "select sum(amount)::bigint as total, customer from clean group by all",
        "code changed (output columns)",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_in_a_query_is_named(project, change):
    project.materialize()
    text, said = CHANGES[change]
    project.write({"shop/totals.sql": text})

    steps = {step.target.asset: step for step in api.plan(project.load()).steps}
    assert str(steps["totals"].reasons[0]) == said


def test_what_is_refreshed_is_published_although_the_run_plans_again(project):
    moving = """
        from pathlib import Path

        import pyarrow as pa

        from assetflow import asset

        ORDERS = Path(__file__).parent.parent / "data" / "orders.csv"
        CALLS = Path(__file__).parent.parent / "calls.txt"

        @asset(volatile=True)
        def calls() -> pa.Table:
            with CALLS.open("a") as file:
                file.write("called ")
            calls = CALLS.read_text().split()
            if len(calls) == 2:
                ORDERS.write_text(ORDERS.read_text() + "4,cid,7\\n")
            return pa.table({"calls": [len(calls)]})
        """
    project.write({"shop/calls.py": moving})
    project.materialize()

    result = project.materialize(refresh=True)

    assert result.status == "succeeded"
    assert project.rows("calls") == [{"calls": 2}]
    assert project.rows("totals")[-1] == {"customer": "cid", "total": 7}
    assert project.actions() == {}
