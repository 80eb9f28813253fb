"""Sources whose paths say to which partition a file belongs."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetflow import api
from assetflow.execution.source_states import SourceState
from assetflow.metadata.recall import observations, runs
from tests.small_project import SmallProject

DAILY = 'daily("2026-01-05", end="2026-01-10")'
HEADER = """/* assetflow
partitions = { daily = { start = "2026-01-05", end = "2026-01-10" } }
*/
"""
DAYS = [f"2026-01-{day:02}" for day in range(5, 10)]


def orders_of(day: str, amount: int = 10, place: str = "home") -> str:
    return f"id,amount,place\n1,{amount},{place}\n2,{int(day[-2:])},{place}\n"


def files_of(days: list[str]) -> dict[str, str]:
    return {f"data/{day}.csv": orders_of(day) for day in days}


def shop(root: Path, days: list[str] = DAYS, **files: str) -> SmallProject:
    """raw_orders (a file a day) → amounts, places (SQL, a day each) → total (SQL, whole)."""
    return SmallProject(
        root,
        {
            **files_of(days),
            "shop/sources.py": f"""
                from assetflow import daily, source

                source("raw_orders", path="data/{{day}}.csv", partitions={DAILY})
                """,
            "shop/amounts.sql": f"{HEADER}select id, amount from raw_orders\n",
            "shop/places.sql": f"{HEADER}select id, place from raw_orders\n",
            "shop/total.sql": "select sum(amount)::bigint as total from amounts\n",
            **files,
        },
    )


def made(project: SmallProject, *select: str) -> dict[str, str]:
    """Return how each step ended that did not come out as nothing to do."""
    result = project.materialize(*select)
    return {str(step.target): step.outcome for step in result.steps}


def reasons(project: SmallProject) -> dict[str, list[str]]:
    steps = api.plan(project.load()).steps
    return {str(step.target): [str(reason) for reason in step.reasons] for step in steps}


def test_each_file_makes_its_own_partition(tmp_path):
    project = shop(tmp_path)

    outcomes = made(project)

    assert set(outcomes.values()) == {"materialized"}
    assert sorted(outcomes) == sorted(
        [*(f"{name}[{day}]" for name in ("amounts", "places") for day in DAYS), "total"]
    )
    day = api.read(project.load(), "amounts", "2026-01-07").to_pylist()
    assert day == [{"id": 1, "amount": 10}, {"id": 2, "amount": 7}]
    assert project.rows("total") == [{"total": 50 + 35}]


def test_a_changed_file_reruns_its_day_where_the_changed_columns_are_read(tmp_path):
    project = shop(tmp_path)
    made(project)

    project.write({"data/2026-01-07.csv": orders_of("2026-01-07", amount=99)})

    assert made(project) == {
        "amounts[2026-01-07]": "materialized",
        "places[2026-01-07]": "verified",
        "total": "materialized",
    }
    assert project.rows("total") == [{"total": 50 + 35 + 89}]


def test_nothing_is_written_while_no_file_changes(tmp_path):
    project = shop(tmp_path)
    made(project)
    for day in DAYS:
        os.utime(tmp_path / f"data/{day}.csv", (1_700_000_000, 1_700_000_000))
    made(project)
    state = project.load().state

    before = len(runs(state)), observations(state)

    assert made(project) == {}
    assert (len(runs(state)), observations(state)) == before


def test_only_partitions_that_changed_are_recorded(tmp_path):
    project = shop(tmp_path)
    for day in DAYS:
        os.utime(tmp_path / f"data/{day}.csv", (1_700_000_000, 1_700_000_000))
    made(project)
    old = observations(project.load().state)["raw_orders"]

    project.write({"data/2026-01-07.csv": orders_of("2026-01-07", amount=99)})
    made(project)

    new = observations(project.load().state)["raw_orders"]
    assert new.keys() == old.keys() == set(DAYS)
    assert [day for day in DAYS if new[day] != old[day]] == ["2026-01-07"]


def test_a_missing_file_is_a_gap_that_blocks_its_readers_by_name(tmp_path):
    project = shop(tmp_path, [day for day in DAYS if day != "2026-01-07"])

    outcomes = made(project)

    assert outcomes.pop("amounts[2026-01-07]") == "skipped"
    assert outcomes.pop("places[2026-01-07]") == "skipped"
    assert set(outcomes.values()) == {"materialized"}
    assert reasons(project) == {
        "amounts[2026-01-07]": ["'raw_orders' has no 2026-01-07"],
        "places[2026-01-07]": ["'raw_orders' has no 2026-01-07"],
    }

    project.write(files_of(["2026-01-07"]))

    assert made(project) == {
        "amounts[2026-01-07]": "materialized",
        "places[2026-01-07]": "materialized",
        "total": "materialized",
    }


def test_what_was_made_of_a_file_that_disappears_stays_served(tmp_path):
    project = shop(tmp_path)
    made(project)

    (tmp_path / "data/2026-01-07.csv").unlink()

    assert reasons(project)["amounts[2026-01-07]"] == ["'raw_orders' has no 2026-01-07"]
    assert made(project, "amounts", "places") == {
        "amounts[2026-01-07]": "skipped",
        "places[2026-01-07]": "skipped",
    }
    assert len(project.rows("amounts")) == 10


def test_a_late_file_adds_to_its_day(tmp_path):
    sources = f"""
        from assetflow import daily, source

        source("raw_orders", path="data/{{day}}*.csv", partitions={DAILY})
        """
    project = shop(tmp_path, **{"shop/sources.py": sources})
    made(project, "amounts")

    project.write({"data/2026-01-06-late.csv": "id,amount,place\n3,1000,home\n"})

    assert made(project, "amounts") == {"amounts[2026-01-06]": "materialized"}
    day = api.read(project.load(), "amounts", "2026-01-06").to_pylist()
    assert sorted(row["id"] for row in day) == [1, 2, 3]


def test_files_that_belong_to_no_partition_are_told(tmp_path):
    strays = {"data/2025-12-31.csv": "x\n", "data/notes.csv": "y\n"}
    project = shop(tmp_path, **strays)

    notes = api.plan(project.load()).notes

    told = "2 files are of none of its partitions: data/2025-12-31.csv, data/notes.csv"
    assert notes == (("raw_orders", told),)
    assert project.materialize("amounts").status == "succeeded"


BROKEN = {
    "another header": ("id,place\n1,home\n", "departs from the columns of its source"),
    "no header at all": ("", "It is empty"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_blocks_the_readers_of_its_partition_alone(tmp_path, kind):
    text, said = BROKEN[kind]
    project = shop(tmp_path)
    made(project)

    project.write(
        {"data/2026-01-07.csv": text, "data/2026-01-08.csv": orders_of("2026-01-08", amount=1)}
    )

    outcomes = made(project, "amounts")
    assert outcomes == {"amounts[2026-01-07]": "skipped", "amounts[2026-01-08]": "materialized"}
    (reason,) = reasons(project)["amounts[2026-01-07]"]
    assert reason.startswith("'raw_orders' is unknown: 'data/2026-01-07.csv'")
    assert said in reason
    assert any(one.name == "source raw_orders[2026-01-07]" for one in api.doctor(tmp_path))


def test_a_file_that_is_broken_from_the_start_is_left_out(tmp_path):
    project = shop(tmp_path, **{"data/2026-01-07.csv": "id,amount\n1,2\n"})

    outcomes = made(project, "amounts")

    assert outcomes.pop("amounts[2026-01-07]") == "skipped"
    assert set(outcomes.values()) == {"materialized"}


def test_a_source_without_any_file_is_unknown_as_a_whole(tmp_path):
    project = shop(tmp_path, [])

    assert all(
        "No file matches 'data/{day}.csv'" in reason or "failed" in reason or "unknown" in reason
        for said in reasons(project).values()
        for reason in said
    )


def test_columns_are_found_once_for_all_new_files(tmp_path, monkeypatch):
    from assetflow.execution import observing

    calls = []
    found = observing.schema_of_files
    monkeypatch.setattr(
        observing, "schema_of_files", lambda *how: calls.append(how[1]) or found(*how)
    )
    project = shop(tmp_path)
    made(project)
    project.write({"data/2026-01-07.csv": orders_of("2026-01-07", amount=99)})
    made(project)

    assert [len(paths) for paths in calls] == [5]


def test_text_in_a_later_file_does_not_change_the_types_of_the_others(tmp_path):
    project = shop(tmp_path, DAYS[:4])
    made(project)

    project.write({"data/2026-01-09.csv": "id,amount,place\n1,many,home\n"})
    result = project.materialize("amounts")

    (failed,) = [step for step in result.steps if step.outcome == "failed"]
    assert str(failed.target) == "amounts[2026-01-09]"
    assert "data/2026-01-09.csv" in failed.error
    assert "line 2" in failed.error


def test_a_source_that_moves_while_it_is_read_is_observed_again(tmp_path, monkeypatch):
    project = shop(tmp_path)
    still, moved = SourceState.is_still, []

    def is_still(self, root):
        if not moved:
            moved.append(self.partition)
            path = root / f"data/{DAYS[1]}.csv"
            path.write_text(orders_of(DAYS[1], amount=77))
        return still(self, root)

    monkeypatch.setattr(SourceState, "is_still", is_still)
    project.materialize("amounts")

    made(project, "amounts")
    made(project, "amounts")
    assert made(project, "amounts") == {}
    day = api.read(project.load(), "amounts", DAYS[1]).to_pylist()
    assert {"id": 1, "amount": 77} in day


HIVE = {
    "shop/sources.py": """
        from assetflow import monthly, source

        source(
            "raw_orders",
            path="data/year=*/month=*/*.csv",
            partitions=monthly("2026-01", end="2026-03"),
        )
        """,
    "shop/months.sql": """
        /* assetflow
        partitions = { monthly = { start = "2026-01", end = "2026-03" } }
        */
        select id from raw_orders
        """,
    "data/year=2026/month=01/a.csv": "id\n1\n",
    "data/year=2026/month=1/b.csv": "id\n2\n",
    "data/year=2026/month=02/a.csv": "id\n3\n",
}


def test_folders_tell_partitions(tmp_path):
    project = SmallProject(tmp_path, HIVE)

    assert set(made(project)) == {"months[2026-01]", "months[2026-02]"}
    assert api.read(project.load(), "months", "2026-01").to_pylist() == [{"id": 1}, {"id": 2}]

    project.write({"data/year=2026/month=02/b.csv": "id\n4\n"})

    assert made(project) == {"months[2026-02]": "materialized"}


INFERRED = {
    "shop/sources.py": """
        from assetflow import source

        source("raw_orders", path="data/{day}.csv")
        """,
    "shop/everything.sql": "select sum(amount)::bigint as total from raw_orders\n",
    "shop/places.sql": "select count(*) as orders from raw_orders\n",
}


def test_partitions_that_are_not_declared_are_those_of_the_files(tmp_path):
    project = shop(tmp_path, DAYS[:3], **INFERRED)
    outcomes = made(project)
    assert outcomes["amounts[2026-01-08]"] == "skipped"

    state = observations(project.load().state)["raw_orders"]
    assert sorted(state) == DAYS[:3]
    assert project.rows("everything") == [{"total": 30 + 18}]

    project.write(files_of(DAYS[3:4]))

    assert made(project, "everything") == {"everything": "materialized"}
    assert reasons(project)["amounts[2026-01-08]"] == ["never materialized"]
    assert reasons(project)["amounts[2026-01-09]"] == ["'raw_orders' has no 2026-01-09"]


def test_keys_that_are_not_declared_may_be_any(tmp_path):
    files = {
        "shop/sources.py": """
            from assetflow import source

            source("raw_orders", path="data/{key}/orders.csv")
            """,
        "data/eu/orders.csv": "id\n1\n",
        "data/us/orders.csv": "id\n2\n",
        "shop/total.sql": "select count(*) as orders from raw_orders\n",
    }
    project = SmallProject(tmp_path, files)
    made(project)
    assert project.rows("total") == [{"orders": 2}]

    project.write({"data/asia/orders.csv": "id\n3\n"})

    assert made(project) == {"total": "materialized"}
    assert project.rows("total") == [{"orders": 3}]


def test_a_partitioned_source_is_shown_and_queried_as_one_table(tmp_path):
    project = shop(tmp_path)

    assert api.sql(project.load(), "select count(*) from raw_orders").rows == ((10,),)
    page = api.show(project.load(), "raw_orders")
    assert [column.name for column in page.schema] == ["id", "amount", "place"]
    assert len(page.sample_rows) == 2


def test_all_that_a_trailing_window_reads_arrives(tmp_path):
    trailing = HEADER.replace("*/", "mappings = { raw_orders = { trailing = 2 } }\n*/")
    project = shop(
        tmp_path,
        **{"shop/two_days.sql": f"{trailing}select sum(amount)::bigint as a from raw_orders\n"},
    )
    made(project)

    assert [row["a"] for row in project.rows("two_days")] == [15, 31, 33, 35, 37]

    project.write({"data/2026-01-07.csv": orders_of("2026-01-07", amount=99)})

    assert {target for target in made(project) if "two_days" in target} == {
        "two_days[2026-01-07]",
        "two_days[2026-01-08]",
    }


def test_a_batch_reads_the_files_of_its_partitions(tmp_path):
    batched = HEADER.replace("*/", 'batch_size = 5\npartition_by = "day"\n*/')
    project = shop(
        tmp_path,
        **{
            **{f"data/{day}.csv": f"day,amount\n{day},{int(day[-2:])}\n" for day in DAYS},
            "shop/amounts.sql": f"{batched}select day, amount from raw_orders\n",
            "shop/places.sql": "select 1 as one\n",
        },
    )

    assert set(made(project).values()) == {"materialized"}
    day = api.read(project.load(), "amounts", "2026-01-08").to_pylist()
    assert [row["amount"] for row in day] == [8]


@st.composite
def changes(draw):
    day = draw(st.sampled_from(DAYS))
    rows = draw(st.none() | st.lists(st.integers(0, 3), max_size=3))
    return day, rows


def change(root: Path, now: dict[str, str], step: list) -> None:
    """Give days other rows, or none, in `now` and in the files."""
    for day, rows in step:
        if rows is None:
            now.pop(day, None)
            (root / f"data/{day}.csv").unlink(missing_ok=True)
        else:
            now[day] = orders_of(day) + "".join(f"{n},{n},home\n" for n in rows)
            (root / f"data/{day}.csv").write_text(now[day])


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.lists(changes(), min_size=1, max_size=3), min_size=1, max_size=2))
def test_incremental_equals_from_scratch(tmp_path_factory, steps):
    root = tmp_path_factory.mktemp("incremental")
    project = shop(root)
    made(project)
    now = {day: orders_of(day) for day in DAYS}
    for step in steps:
        change(root, now, step)
        made(project)
        if not now:
            return

    scratch = shop(
        tmp_path_factory.mktemp("scratch"),
        [],
        **{f"data/{day}.csv": text for day, text in now.items()},
    )
    made(scratch)
    for day in now:
        for asset in ("amounts", "places"):
            expected = api.read(scratch.load(), asset, day).to_pylist()
            assert api.read(project.load(), asset, day).to_pylist() == expected
    assert all(step.action == "blocked" for step in api.plan(project.load()).steps)
