"""Every command on a small real project, as a user runs it."""

import json
import shutil
from pathlib import Path

import pytest

from assetflow.cli.main import run
from assetflow.project.scaffold import scaffold


@pytest.fixture
def shop(tmp_path, monkeypatch):
    scaffold(tmp_path, "shop")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    scaffold(folder, "shop")
    assert run(["materialize", "--project", str(folder)]) == 0
    return folder


@pytest.fixture
def made(template, tmp_path, monkeypatch):
    folder = tmp_path / "made"
    shutil.copytree(template, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")
    return folder


def document(capfd, *arguments, code=0):
    assert run([*arguments, "--json"]) == code
    return json.loads(capfd.readouterr().out)


def page(capfd, *arguments, code=0):
    assert run(list(arguments)) == code
    return capfd.readouterr().out


def test_a_new_project_works_at_once(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)

    files = document(capfd, "init", "shop")["files"]
    result = document(capfd, "materialize", "--project", "shop")

    assert all(Path(file).is_file() for file in files)
    assert result["status"] == "succeeded"
    assert result["counts"] == {"materialized": 3}


def test_a_second_init_changes_nothing(shop, capfd):
    error = document(capfd, "init", ".", "--name", "shop", code=2)["error"]

    assert error["code"] == "files_in_the_way"


def test_ls_has_sources_and_assets_upstream_first(shop, capfd):
    names = [asset["name"] for asset in document(capfd, "ls")]

    assert names == ["raw_orders", "clean_orders", "best_customers", "daily_revenue"]
    assert [one["name"] for one in document(capfd, "ls", "+daily_revenue")] == [
        "raw_orders",
        "clean_orders",
        "daily_revenue",
    ]


@pytest.mark.parametrize("selection", ["raw_orders", "kind:source", "path:shop/sources.py"])
def test_ls_selects_sources_like_assets(shop, capfd, selection):
    listed = document(capfd, "ls", selection)

    assert [(one["name"], one["kind"]) for one in listed] == [("raw_orders", "source")]
    assert "raw_orders  source" in page(capfd, "ls", selection)


def test_an_empty_selection_is_said_as_what_it_is(shop, capfd):
    printed = page(capfd, "ls", "kind:source,kind:sql")

    assert printed == "Nothing is selected. List all that there is with `assetflow ls`.\n"


def test_plan_materialize_and_status_agree(shop, capfd):
    before = document(capfd, "plan")
    assert document(capfd, "plan", "--fail-on", "stale", code=1) == before
    assert {one["sync"] for one in document(capfd, "status", "--fail-on", "stale", code=1)} == {
        "missing"
    }

    result = document(capfd, "materialize")

    planned = {step["asset"] for step in before["steps"]}
    assert {step["asset"] for step in result["steps"]} == planned
    assert document(capfd, "plan", "--fail-on", "stale")["steps"] == []
    assert {one["sync"] for one in document(capfd, "status", "--fail-on", "stale")} == {
        "up_to_date"
    }


def test_a_dry_run_is_the_plan_and_leaves_nothing(shop, capfd):
    dry = document(capfd, "materialize", "daily_revenue", "--dry-run")

    assert dry == document(capfd, "plan", "daily_revenue")
    assert document(capfd, "runs") == []


def test_a_run_in_a_pipe_reads_as_lines(shop, capfd):
    lines = page(capfd, "materialize").splitlines()

    assert lines[0].endswith(": 3 to materialize.")
    assert {line.split("  ")[0] for line in lines[1:4]} == {
        "✓ clean_orders",
        "✓ daily_revenue",
        "✓ best_customers",
    }
    assert lines[4].startswith("Succeeded in ")


def test_a_failed_step_is_said_twice_and_ends_with_1(made, capfd):
    path = made / "shop" / "best_customers.py"
    path.write_text(path.read_text().replace("context.report(", "1 / 0; context.report("))

    printed = page(capfd, "materialize", code=1)

    assert "✗ best_customers  failed" in printed
    assert "'best_customers' failed." in printed
    assert "ZeroDivisionError: division by zero" in printed
    assert "Traceback" not in printed
    run_id = document(capfd, "runs")[0]["run_id"]
    assert "ZeroDivisionError" in page(capfd, "run", run_id[:16])
    assert document(capfd, "run", run_id)["steps"][0]["outcome"] == "failed"


def test_a_column_is_followed_up_and_down(made, capfd):
    found = document(capfd, "lineage", "clean_orders.amount")

    edges = {(edge["from"], edge["to"], edge["kind"]) for edge in found["column_edges"]}
    assert ("raw_orders.amount", "clean_orders.amount", "transformation") in edges
    assert ("clean_orders.amount", "daily_revenue.revenue", "aggregation") in edges
    tree = page(capfd, "lineage", "clean_orders.amount")
    assert "raw_orders.amount  transformed" in tree
    assert "daily_revenue.revenue  aggregated" in tree


@pytest.mark.parametrize(
    ("form", "start"),
    [("mermaid", "flowchart LR"), ("dot", "digraph"), ("json", '{"assets"'),
     ("openlineage", '[{"eventTime"'), ("tree", "raw_orders  source")],
)  # fmt: skip
def test_lineage_comes_in_several_forms(made, capfd, form, start):
    assert page(capfd, "lineage", "--format", form).startswith(start)


def test_show_and_sql_look_into_the_data(made, capfd):
    shown = document(capfd, "show", "daily_revenue")
    rows = document(capfd, "sql", "select count(*) as n from daily_revenue")
    preview = document(capfd, "sql", "--asset", "daily_revenue", "--limit", "1")

    assert [column["name"] for column in shown["columns"]] == ["day", "revenue", "orders"]
    assert rows == {"columns": [{"name": "n", "type": "BIGINT"}], "rows": [[3]]}
    assert len(preview["rows"]) == 1
    assert "Revenue and number of orders of each day." in page(capfd, "show", "daily_revenue")


def test_a_change_is_previewed_before_it_is_made(made, capfd):
    path = made / "shop" / "daily_revenue.sql"
    path.write_text(path.read_text().replace("count(*) as orders", "max(amount) as largest"))

    (diff,) = document(capfd, "plan", "--diff")["diffs"]

    assert [column["name"] for column in diff["columns_added"]] == ["largest"]
    assert [column["name"] for column in diff["columns_removed"]] == ["orders"]
    assert "+ largest" in page(capfd, "plan", "--diff")


def test_environments_are_made_listed_and_deleted(made, capfd):
    assert document(capfd, "env", "create", "dev")["published"] == 3
    assert {line["name"] for line in document(capfd, "env")} == {"main", "dev"}
    assert document(capfd, "plan", "--env", "dev")["steps"] == []
    assert document(capfd, "env", "delete", "dev")["withdrawn"] == 3


def test_a_deleted_environment_is_said_to_be_deleted(made, capfd):
    page(capfd, "env", "create", "dev")

    assert page(capfd, "env", "delete", "dev").startswith("Environment 'dev' is deleted. It ")


def test_the_numbers_that_a_rollback_takes_are_listed(made, capfd):
    path = made / "shop" / "daily_revenue.sql"
    path.write_text(path.read_text().replace("count(*) as orders", "max(amount) as largest"))
    document(capfd, "materialize")

    after, before = document(capfd, "env", "history")

    assert (after["published"], before["published"]) == (1, 3)
    assert document(capfd, "env", "history", "--limit", "1") == [after]
    assert str(before["number"]) in page(capfd, "env", "history").split()
    document(capfd, "env", "rollback", "main", "--to", str(before["number"]))
    columns = [column["name"] for column in document(capfd, "show", "daily_revenue")["columns"]]
    query = document(capfd, "sql", "from daily_revenue")["columns"]
    assert "largest" in columns
    assert [column["name"] for column in query] == ["day", "revenue", "orders"]


def test_a_run_whose_id_is_ambiguous_is_not_guessed(made, capfd):
    document(capfd, "materialize", "--force")
    names = [run["run_id"] for run in document(capfd, "runs")]

    for command in ("show", "cancel"):
        error = document(capfd, "run", command, names[0][:2], code=2)["error"]
        assert error["code"] == "ambiguous_run"
        assert set(error["facts"]) == set(names)
    assert document(capfd, "run", names[0])["run_id"] == names[0]
    assert document(capfd, "run", "zz", code=2)["error"]["code"] == "unknown_run"


def test_files_are_shown_with_where_they_are_kept(made, capfd):
    (made / "shop" / "report.py").write_text(
        "from pathlib import Path\n"
        "from assetflow import AssetContext, asset\n\n\n"
        "@asset\n"
        "def report(daily_revenue, context: AssetContext) -> Path:\n"
        "    folder = context.path('pages')\n"
        "    (folder / 'images').mkdir(parents=True)\n"
        "    (folder / 'index.md').write_text('hello')\n"
        "    (folder / 'images' / 'one.svg').write_text('<svg/>')\n"
        "    return folder\n"
    )
    document(capfd, "materialize", "report")

    kept = document(capfd, "show", "report")["files"]
    shown = page(capfd, "show", "report")

    assert (made / kept["path"] / "index.md").read_text() == "hello"
    assert [(one["path"], one["size_bytes"]) for one in kept["files"]] == [
        ("images/one.svg", 6),
        ("index.md", 5),
    ]
    assert kept["path"] in shown
    assert "Columns" not in shown


@pytest.mark.parametrize("retention", ["59m", "0s", "3599s"])
def test_a_retention_below_an_hour_is_refused(made, capfd, retention):
    error = document(capfd, "gc", "--retention", retention, code=2)["error"]

    assert error["code"] == "retention_too_short"
    assert "versions" in document(capfd, "gc", "--retention", "1h", "--dry-run")


def test_a_cutoff_says_that_what_is_read_is_the_same(made, capfd):
    path = made / "shop" / "clean_orders.sql"
    path.write_text(path.read_text().replace("from raw_orders", "from (from raw_orders)"))

    steps = {step["asset"]: step for step in document(capfd, "materialize")["steps"]}

    assert steps["clean_orders"]["outcome"] == "unchanged"
    for name in ("daily_revenue", "best_customers"):
        assert steps[name]["outcome"] == "verified"
        assert [reason["code"] for reason in steps[name]["reasons"]] == ["verified"]
        assert steps[name]["reasons"][0]["text"] == "what it reads of 'clean_orders' is the same"


@pytest.mark.parametrize(
    ("arguments", "key"),
    [(["gc", "--dry-run"], "versions"), (["audit"], "ok")],
)
def test_the_care_commands_answer(made, capfd, arguments, key):
    assert key in document(capfd, *arguments)
    assert page(capfd, *arguments).strip()


def test_doctor_finds_a_project_that_cannot_be_loaded(made, capfd):
    (made / "shop" / "broken.sql").write_text("select * from nowhere")

    findings = document(capfd, "doctor", code=1)

    assert {"name", "status", "text", "hint"} == findings[0].keys()
    assert [one["name"] for one in findings if one["status"] == "error"] == ["project"]


def test_what_a_project_prints_does_not_mix_with_its_document(made, capfd):
    path = made / "shop" / "sources.py"
    path.write_text(f"{path.read_text()}\nprint('loaded')\n")

    assert document(capfd, "plan")["steps"] == []


def test_names_are_kept_for_the_shell(made):
    from assetflow.cli.completion import complete_names

    assert complete_names("") == []
    run(["ls"])

    assert set(complete_names("+")) >= {"+clean_orders", "+raw_orders"}


def test_doctor_says_what_is_wrong_once(made, capfd):
    (made / "shop" / "broken.sql").write_text("select * from nowhere")

    (problem,) = (one for one in document(capfd, "doctor", code=1) if one["status"] == "error")

    assert problem["text"]
    assert problem["text"] not in problem["hint"]
