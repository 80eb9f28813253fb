"""An answer is carried over only where all that it depends on is the same."""

import pytest

from assetflow import api
from assetflow.errors import VersionsUnaudited
from tests.small_project import SmallProject, shop


def statuses(result) -> dict[str, str]:
    return {
        f"{step.target}.{one.check}": one.status + (" again" if one.carried_over else "")
        for step in result.steps
        for one in step.checks
    }


def test_a_reference_to_the_asset_itself_reads_what_it_refers_to(tmp_path):
    tree = """
        /* assetflow
        checks = [ { references = "parent", to = "tree.id" } ]
        */
        from read_csv('data/tree.csv')
        """
    data = "id,parent,name\n1,1,a\n2,1,b\n"
    project = SmallProject(tmp_path, {"data/tree.csv": data, "shop/tree.sql": tree})
    passed = project.materialize()

    project.write({"data/tree.csv": data.replace("2,1,b", "2,1,c")})
    renamed = project.materialize()
    project.write({"data/tree.csv": data.replace("1,1,a", "3,1,a")})
    failed = project.materialize()

    assert statuses(passed) == {"tree.references(parent in tree)": "passed"}
    assert statuses(renamed) == {"tree.references(parent in tree)": "passed again"}
    assert statuses(failed) == {"tree.references(parent in tree)": "failed"}


TWICE = """
    from typing import Annotated

    import pyarrow as pa
    from assetflow import Columns, From, check


    @check("clean")
    def known(
        clean: Annotated[pa.Table, Columns("id")],
        rich: Annotated[pa.Table, From("{other}"), Columns("amount")],
        named: Annotated[pa.Table, From("{other}"), Columns("customer")],
    ):
        return max(rich["amount"].to_pylist()) < 50
    """


def test_one_upstream_under_two_names_is_read_as_both_say(tmp_path):
    for other in ("clean", "raw_orders"):
        project = shop(tmp_path / other, **{"shop/known.py": TWICE.format(other=other)})
        passed = project.materialize("clean")
        project.write({"data/orders.csv": "id,customer,amount\n1,ann,10\n2,bob,70\n3,ann,5\n"})

        failed = project.materialize("clean")

        assert statuses(passed) == {"clean.known": "passed"}
        assert statuses(failed) == {"clean.known": "failed"}


PARTS = """
    import pyarrow as pa
    from assetflow import asset, check, static, AssetContext


    @asset(partitions=static(["a", "b"]), {options})
    def parts() -> pa.Table:
        return pa.table({{"part": ["a"]}})


    @check(parts)
    def belongs({parameters}):
        return {body}
    """


def test_what_is_told_its_partition_is_asked_of_each(tmp_path):
    parameters = "parts: pa.Table, context: AssetContext"
    body = 'parts["part"].to_pylist() == [context.partition.key]'
    text = PARTS.format(options="", parameters=parameters, body=body)
    project = SmallProject(tmp_path, {"shop/parts.py": text})

    first = statuses(project.materialize(partitions=["a"]))
    second = statuses(project.materialize(partitions=["b"]))

    assert first == {"parts[a].belongs": "passed"}
    assert second == {"parts[b].belongs": "failed"}


def test_a_column_of_keys_is_read_too(tmp_path):
    body = 'parts["part"].to_pylist() == parts["key"].to_pylist()'
    text = PARTS.format(options='key_column="key"', parameters="parts: pa.Table", body=body)
    project = SmallProject(tmp_path, {"shop/parts.py": text})

    first = statuses(project.materialize(partitions=["a"]))
    second = statuses(project.materialize(partitions=["b"]))

    assert first == {"parts[a].belongs": "passed"}
    assert second == {"parts[b].belongs": "failed"}


def test_another_time_zone_is_another_question(tmp_path):
    night = """
        /* assetflow
        checks = [ { expression = "hour(seen) < 6" } ]
        */
        select timestamptz '2026-01-01 03:00:00+00' as seen
        """
    project = SmallProject(tmp_path, {"shop/night.sql": night})
    passed = project.materialize()

    project.write({"assetflow.toml": 'package = "shop"\ntimezone = "Asia/Tokyo"\n'})
    failed = project.materialize()
    page = api.check(project.load())

    assert statuses(passed) == {"night.expression(hour(seen) < 6)": "passed"}
    assert statuses(failed) == {"night.expression(hour(seen) < 6)": "failed"}
    assert [line.outcome.status for line in page.lines] == ["failed"]


def test_what_is_told_its_environment_is_asked_in_each(tmp_path):
    text = """
        import pyarrow as pa
        from assetflow import AssetContext, check


        @check("clean")
        def strict(clean: pa.Table, context: AssetContext):
            return context.environment != "main" or clean.num_rows > 5
        """
    project = shop(tmp_path)
    project.materialize()
    api.create_environment(project.load(), "trial")
    project.write({"shop/strict.py": text})

    trial = project.materialize("clean", environment="trial")
    main = project.materialize("clean")

    assert statuses(trial) == {"clean.strict": "passed"}
    assert statuses(main) == {"clean.strict": "failed"}


def test_what_is_told_its_environment_is_promoted_once_it_is_asked_there(tmp_path):
    text = """
        import pyarrow as pa
        from assetflow import AssetContext, check


        @check("clean")
        def known(clean: pa.Table, context: AssetContext):
            return context.environment in ("main", "trial") and clean.num_rows > 1
        """
    project = shop(tmp_path, **{"shop/known.py": text})
    project.materialize()
    api.create_environment(project.load(), "trial")
    project.write({"data/orders.csv": "id,customer,amount\n1,ann,1\n2,bob,2\n"})
    project.materialize(environment="trial")

    with pytest.raises(VersionsUnaudited, match="assetflow materialize --env main"):
        api.promote_environment(project.load(), "trial")
    result = project.materialize()

    assert {step.outcome for step in result.steps} == {"reused"}
    assert statuses(result) == {"clean.known": "passed"}
    assert len(project.rows("clean")) == 2


def test_a_figure_is_held_against_what_its_environment_knew(tmp_path):
    days = """
        /* assetflow
        partitions = { daily = { start = "2026-01-01", end = "2026-01-11" } }
        checks = [ { anomaly = "row_count", name = "usual", severity = "warn" } ]
        */
        select range as id from range(%d) where $partition_start is not null
        """
    project = SmallProject(tmp_path, {"shop/days.sql": days % 100})
    project.materialize(partitions=["2026-01-01"])
    api.create_environment(project.load(), "early")
    project.materialize(partitions=[f"2026-01-{day:02}" for day in range(2, 10)])
    project.write({"shop/days.sql": days % 3})

    early = project.materialize(partitions=["2026-01-10"], environment="early")
    api.create_environment(project.load(), "late")
    late = project.materialize(partitions=["2026-01-10"], environment="late", force=True)

    assert statuses(early) == {"days[2026-01-10].usual": "learning"}
    assert statuses(late) == {"days[2026-01-10].usual": "warned"}


def test_a_figure_is_held_against_its_own_history(tmp_path):
    days = """
        /* assetflow
        partitions = {{ daily = {{ start = "2026-01-01", end = "2026-01-11" }} }}
        checks = [ {{ anomaly = "sum", column = "{}", name = "usual", severity = "warn" }} ]
        */
        select range as few, 1000 + range as many from range(10) where $partition_start is not null
        """
    project = SmallProject(tmp_path, {"shop/days.sql": days.format("few")})
    for day in range(1, 10):
        known = project.materialize(partitions=[f"2026-01-{day:02}"])

    project.write({"shop/days.sql": days.format("many")})
    changed = project.materialize(partitions=["2026-01-10"])

    assert statuses(known) == {"days[2026-01-09].usual": "passed"}
    assert statuses(changed) == {"days[2026-01-10].usual": "learning"}
