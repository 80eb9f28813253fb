"""Partitions on the command line: named, shown as ranges, previewed, added and removed."""

import json

import pytest

from assetflow import api
from assetflow.cli.main import run
from assetflow.errors import BadPartitionKey, NothingAsOf, NotPartitioned, UnknownPartition
from tests.small_project import SmallProject

DAILY = 'partitions = { daily = { start = "2026-01-01", end = "2026-02-01" } }'
HEADER = f"/* assetflow\n{DAILY}\n*/\n"


@pytest.fixture
def days(tmp_path, monkeypatch):
    """raw (CSV) → days (daily, fails on the 9th if asked) → trailing (daily), total (whole)."""
    rows = "\n".join(f"2026-01-{day:02},{day}" for day in range(1, 32))
    project = SmallProject(
        tmp_path,
        {
            "data/raw.csv": f"day,amount\n{rows}\n",
            "shop/sources.py": """
                from assetflow import source

                source("raw", path="data/raw.csv")
                """,
            "shop/days.sql": f"{HEADER}select * from raw where day = $partition_start::date\n",
            "shop/trailing.sql": HEADER.replace(
                "\n*/", "\nmappings = { days = { trailing = 3 } }\n*/"
            )
            + "select sum(amount)::bigint as amount from days\n",
            "shop/total.sql": "select sum(amount)::bigint as amount from days\n",
        },
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return project


def document(capfd, *arguments, code=0):
    assert run([*arguments, "--json"]) == code
    return json.loads(capfd.readouterr().out)


def page(capfd, *arguments, code=0):
    assert run(list(arguments)) == code
    return capfd.readouterr().out


def made(plan):
    """Return the partitions of each asset that a plan or a run is about."""
    found = {}
    for step in plan["steps"]:
        found.setdefault(step["asset"], []).append(step["partition"])
    return found


@pytest.mark.parametrize(
    ("said", "days_of_january"),
    [
        (["--partition", "2026-01-05"], [5]),
        (["--partition", "2026-01-05..2026-01-07"], [5, 6, 7]),
        (["--partition", "2026-01-30", "--partition", "2026-01-05..2026-01-06"], [5, 6, 30]),
        (["--latest"], [31]),
        (["--max-partitions", "2"], [30, 31]),
        (["--partition", "2026-01-05..2026-01-09", "--max-partitions", "1"], [9]),
        ([], list(range(1, 32))),
    ],
    ids=str,
)
def test_the_partitions_that_are_named_run_and_no_others(days, capfd, said, days_of_january):
    keys = [f"2026-01-{day:02}" for day in days_of_january]

    assert made(document(capfd, "plan", "days", *said)) == {"days": keys}
    assert sorted(made(document(capfd, "materialize", "days", *said))["days"]) == keys


def test_what_is_made_of_a_partition_runs_and_nothing_that_was_not_asked_for(days, capfd):
    plan = made(document(capfd, "plan", "--partition", "2026-01-05"))

    assert plan == {
        "days": ["2026-01-03", "2026-01-04", "2026-01-05"],
        "trailing": ["2026-01-05"],
        "total": [None],
    }


def test_what_is_left_by_a_cap_is_said_in_ranges(days, capfd):
    plan = document(capfd, "plan", "days", "--max-partitions", "2")

    assert plan["left"] == [
        {"asset": "days", "partitions": 29, "ranges": ["2026-01-01..2026-01-29"]}
    ]
    printed = page(capfd, "materialize", "days", "--max-partitions", "2")
    assert "Left for later: days 2026-01-01..2026-01-29 (29)" in printed


def test_the_settings_cap_a_backfill_that_nobody_asked_for(days, capfd):
    days.write({"assetflow.toml": 'package = "shop"\nmax_partitions = 3\n'})

    assert len(document(capfd, "plan", "days")["steps"]) == 3
    assert len(document(capfd, "plan", "days", "--max-partitions", "9")["steps"]) == 9
    named = ("--partition", "2026-01-01..2026-01-05")
    assert len(document(capfd, "plan", "days", *named)["steps"]) == 5


@pytest.mark.parametrize(
    ("said", "code", "hint"),
    [
        (["--partition", "2027-01-05"], "no_such_partitions", "Ask for partitions that there"),
        (["--partition", "january"], "no_such_partitions", "Ask for partitions that there"),
        (["--partition", "2026-01-07..2026-01-05"], "reversed_range", "2026-01-05..2026-01-07"),
        (["total", "--only", "--partition", "2026-01-05"], "no_partitions", "Leave out"),
        (["total", "--latest"], "no_partitions", "Leave out '--latest'"),
        (["--latest", "--partition", "2026-01-05"], "two_choices", "Keep one"),
        (["--max-partitions", "0"], "bad_option_value", "--max-partitions 4"),
    ],
    ids=str,
)
def test_partitions_that_cannot_be_asked_for_are_an_error(days, capfd, said, code, hint):
    for verb in ("plan", "materialize"):
        error = document(capfd, verb, *said, code=2)["error"]

        assert error["code"] == code
        assert hint in error["hint"]


def test_an_unknown_partition_is_told_with_those_that_there_are(days, capfd):
    facts = document(capfd, "plan", "--partition", "2027-01-05", code=2)["error"]["facts"]

    assert facts == {
        "days": "2026-01-01..2026-01-31",
        "trailing": "2026-01-01..2026-01-31",
    }


def test_a_partition_that_one_of_the_selected_assets_has_is_enough(days, capfd):
    monthly = HEADER.replace("daily", "monthly").replace("-01-01", "-01").replace("-02-01", "-02")
    days.write({"shop/monthly.sql": f"{monthly}select count(*) as n from days\n"})

    plan = made(document(capfd, "plan", "days", "monthly", "--partition", "2026-01-05"))

    assert plan.keys() == {"days", "monthly"}
    assert document(capfd, "plan", "--partition", "2026-02", code=2)


def test_steps_of_which_the_same_is_to_be_said_are_one_line(days, capfd):
    run(["materialize", "--partition", "2026-01-01..2026-01-09"])
    capfd.readouterr()
    days.write(
        {"data/raw.csv": "day,amount\n" + "".join(f"2026-01-0{d},7\n" for d in (2, 3, 4, 9))}
    )

    lines = page(capfd, "plan", "days", "--partition", "2026-01-01..2026-01-09").splitlines()

    assert [line.split()[:3] for line in lines if "days" in line] == [
        ["materialize", "days", "2026-01-01..2026-01-09"]
    ]


def test_status_counts_partitions_and_says_which_are_missing(days, capfd):
    run(["materialize", "--partition", "2026-01-03..2026-01-31"])
    capfd.readouterr()

    found = {one["asset"]: one for one in document(capfd, "status")}

    assert found["days"]["partitions"] == {"up_to_date": 31}
    assert found["trailing"]["partitions"] == {"up_to_date": 29, "missing": 2}
    assert found["trailing"]["ranges"] == {"missing": ["2026-01-01..2026-01-02"]}
    printed = page(capfd, "status")
    assert "29 of 31 up to date; missing 2026-01-01..2026-01-02" in printed


def test_show_and_ls_say_what_is_declared(days, capfd):
    run(["materialize", "days", "--partition", "2026-01-03..2026-01-04"])
    capfd.readouterr()

    shown = document(capfd, "show", "days")["partitions"]

    assert shown["definition"] == "daily from 2026-01-01 to 2026-01-31"
    assert (shown["count"], shown["published"]) == (31, ["2026-01-03..2026-01-04"])
    assert shown["missing"] == ["2026-01-01..2026-01-02", "2026-01-05..2026-01-31"]
    assert "daily" in page(capfd, "ls")
    listed = {one["name"]: one["partitions"] for one in document(capfd, "ls")}
    assert listed["total"] is None
    assert listed["days"] == shown["definition"]


def test_a_plan_estimates_what_it_costs_from_what_it_cost(days, capfd):
    assert document(capfd, "plan")["estimated_seconds"] is None
    run(["materialize", "days"])
    capfd.readouterr()

    assert document(capfd, "plan", "--force", "days")["estimated_seconds"] > 0


def test_a_preview_is_of_the_last_partition_or_of_the_one_that_is_named(days, capfd):
    assert document(capfd, "sql", "--asset", "days")["rows"] == [["2026-01-31", 31]]
    named = ("sql", "--asset", "days", "--partition", "2026-01-05")
    assert document(capfd, *named)["rows"] == [["2026-01-05", 5]]
    trailing = ("sql", "--asset", "trailing", "--partition", "2026-01-05")
    assert document(capfd, *trailing)["rows"] == [[3 + 4 + 5]]


def test_one_partition_can_be_read_and_all_together(days):
    days.materialize("days", partitions=["2026-01-05..2026-01-06"])
    project = days.load()

    assert api.read(project, "days", "2026-01-05").num_rows == 1
    assert api.read(project, "days").num_rows == 2
    assert api.connect(project).sql("select count(*) from days").fetchall() == [(2,)]
    with pytest.raises(NothingAsOf, match="2026-01-07"):
        api.read(project, "days", "2026-01-07")
    with pytest.raises(UnknownPartition):
        api.read(project, "days", "2027-01-07")
    with pytest.raises(NotPartitioned):
        api.read(project, "total", "2026-01-05")


SHOPS = """
    from assetflow import AssetContext, asset, dynamic


    @asset(partitions=dynamic("shops"))
    def sales(context: AssetContext) -> list[dict]:
        return [{"shop": context.partition.key}]


    @asset(isolation="ISOLATION")
    def discover(context: AssetContext) -> list[dict]:
        context.add_partitions("shops", ["berlin", "paris"])
        context.add_partitions("shops", ["paris"])
        return [{"n": 2}]
    """


@pytest.fixture
def shops(tmp_path, monkeypatch):
    project = SmallProject(tmp_path, {"shop/sales.py": SHOPS.replace("ISOLATION", "thread")})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return project


def test_keys_are_added_listed_and_removed(shops, capfd):
    assert document(capfd, "partitions", "add", "shops", "rome", "oslo")["added"] == [
        "rome", "oslo",
    ]  # fmt: skip
    again = document(capfd, "partitions", "add", "shops", "oslo", "bonn")
    assert (again["added"], again["known"]) == (["bonn"], ["oslo"])
    assert document(capfd, "partitions", "remove", "shops", "rome")["removed"] == ["rome"]

    assert document(capfd, "partitions", "shops") == [
        {"name": "shops", "keys": ["oslo", "bonn"], "assets": ["sales"]}
    ]
    assert page(capfd, "partitions", "shops") == "oslo\nbonn\n"
    assert document(capfd, "runs") == []


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (["add", "shop", "rome"], "unknown_dynamic_partitions"),
        (["add", "shops", "a/b"], "bad_partition_key"),
        (["add", "shops", "Oslo"], "bad_partition_key"),
        (["add", "shops", "rome", "ROME"], "bad_partition_key"),
        (["remove", "shops", "rome"], "unknown_dynamic_key"),
        (["list", "sales"], "unknown_dynamic_partitions"),
        (["add", "shops"], "missing_argument"),
    ],
    ids=str,
)
def test_a_key_that_cannot_be_changes_nothing(shops, capfd, said, code):
    document(capfd, "partitions", "add", "shops", "oslo")

    assert document(capfd, "partitions", *said, code=2)["error"]["code"] == code
    assert document(capfd, "partitions", "shops")[0]["keys"] == ["oslo"]


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_what_an_asset_discovers_is_made_by_the_next_run(shops, capfd, isolation):
    shops.write({"shop/sales.py": SHOPS.replace("ISOLATION", isolation)})

    printed = page(capfd, "materialize")
    assert "2 partitions are added to 'shops'; the next run makes what is due." in printed
    assert shops.actions() == {"sales": "materialize"}
    shops.materialize()

    assert [row["shop"] for row in shops.rows("sales")] == ["berlin", "paris"]
    assert not shops.actions()


def test_a_step_that_fails_adds_nothing(shops, capfd):
    failing = SHOPS.replace("ISOLATION", "thread").replace('[{"n": 2}]', "1 / 0")
    shops.write({"shop/sales.py": failing})

    run(["materialize"])
    capfd.readouterr()

    assert document(capfd, "partitions", "shops")[0]["keys"] == []


def test_partitions_that_nothing_declares_cannot_be_discovered(shops):
    shops.write({"shop/sales.py": SHOPS.replace('partitions("shops"', 'partitions("shop"')
                 .replace("ISOLATION", "thread")})  # fmt: skip

    (failed,) = shops.materialize("discover").steps

    assert failed.outcome == "failed"
    assert "added partitions to 'shop', which no asset declares" in failed.error
    assert "Did you mean 'shops'?" in failed.error


def test_the_data_of_a_removed_key_is_withdrawn_by_a_run_of_everything(shops, capfd):
    shops.materialize()
    shops.materialize()
    project = shops.load()
    api.remove_partitions(project, "shops", ["paris"])

    assert "withdraw  sales  paris  no longer declared" in page(capfd, "plan")
    (standing,) = document(capfd, "status", "sales")
    assert (standing["sync"], standing["partitions"]) == ("stale", {"up_to_date": 1, "stale": 1})
    shops.materialize("sales")
    assert len(shops.rows("sales")) == 2
    shops.materialize()

    assert [row["shop"] for row in shops.rows("sales")] == ["berlin"]


def test_a_key_that_was_removed_can_be_added_again(shops):
    shops.materialize()
    project = shops.load()
    api.remove_partitions(project, "shops", ["paris"])

    api.add_partitions(project, "shops", ["paris"])

    assert api.partitions(project, "shops")[0].keys == ("berlin", "paris")


def test_a_text_is_one_key_and_not_its_letters(shops):
    assert api.add_partitions(shops.load(), "shops", "rome").added == ("rome",)
    with pytest.raises(BadPartitionKey):
        api.add_partitions(shops.load(), "shops", [""])


def test_environments_count_assets_and_say_when_they_mean_partitions(days, capfd):
    days.materialize("days", partitions=["2026-01-05..2026-01-07"])

    said = page(capfd, "env", "create", "dev")

    assert said == "Environment 'dev': 3 partitions of 1 asset published.\n"
    assert {one["name"]: one["assets"] for one in document(capfd, "env")} == {"main": 1, "dev": 1}
