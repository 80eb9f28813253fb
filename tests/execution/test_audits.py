"""What a run does with versions that pass, warn or fail their checks."""

from datetime import timedelta

import duckdb
import pytest

from assetflow import api
from assetflow.errors import ProjectErrors, VersionsRejected, VersionsUnaudited
from assetflow.execution.care import collect_garbage
from assetflow.quality.findings import finding
from tests.small_project import ORDERS, SmallProject, shop

FAILING = "id,customer,amount\n1,ann,10\n2,bob,3\n"
CHECKED = """
/* assetflow
checks = [ %s ]
*/
select id, customer, amount from raw_orders where amount > 0
"""

CLEAN = "select id, customer, amount from raw_orders where amount > 0\n"
LEAST = """
/* assetflow
checks = [ { between = { column = "amount", min = %s, name = "least" } } ]
*/
select id, customer, amount from raw_orders where amount > 0
"""


def statuses(result) -> dict[str, str]:
    return {
        f"{step.target.asset}.{one.check}": one.status
        for step in result.steps
        for one in step.checks
    }


def outcomes(result):
    return {step.target.asset: step.outcome for step in result.steps}


def test_what_passes_is_published_and_says_so(tmp_path):
    project = shop(tmp_path, **{"shop/clean.sql": LEAST % 5})

    result = project.materialize()

    assert result.status == "succeeded"
    assert statuses(result) == {"clean.least": "passed"}
    assert project.actions() == {}
    assert project.materialize().steps == ()


def reasons(result) -> dict[str, str]:
    return {step.target.asset: str(step.reasons[0]) for step in result.steps}


def failing(root, **files) -> SmallProject:
    """Return a shop that was published, whose source then gained a row that fails."""
    project = shop(root, **{"shop/clean.sql": LEAST % 5, **files})
    project.materialize()
    project.write({"data/orders.csv": FAILING})
    return project


def lines(project, *select, environment="main", **options) -> dict[tuple[str, str, bool], str]:
    page = api.check(project.load(environment), select, **options)
    return {
        (line.asset, line.outcome.check, line.is_published): line.outcome.status
        + (" again" if line.outcome.carried_over else "")
        for line in page.lines
    }


def amounts(project) -> list[int]:
    return sorted(row["amount"] for row in project.rows("clean"))


def test_what_fails_is_not_published_and_stops_what_is_made_from_it(tmp_path):
    project = failing(tmp_path)

    result = project.materialize()

    assert result.status == "failed"
    assert outcomes(result) == {"clean": "rejected", "totals": "skipped", "report": "skipped"}
    assert reasons(result) == {
        "clean": "rejected: least: 1 of 2 rows failed",
        "totals": "'clean' was rejected",
        "report": "'clean' was rejected",
    }
    assert amounts(project) == [5, 10, 20]


def test_what_was_rejected_is_kept_and_not_made_again(tmp_path):
    project = failing(tmp_path)
    project.materialize()

    actions = project.actions()
    again = project.materialize()

    assert actions == {"clean": "blocked"}
    assert again.status == "failed"
    assert set(outcomes(again).values()) == {"skipped"}
    assert reasons(again)["clean"] == (
        "the same code and inputs were rejected (least: 1 of 2 rows failed)"
    )
    assert lines(project) == {
        ("clean", "least", True): "passed again",
        ("clean", "least", False): "failed again",
    }
    served, rejected = sorted(api.check(project.load()).lines, key=lambda one: one.data)
    assert served.data == ""
    assert duckdb.read_parquet(str(tmp_path / rejected.data)).shape == (2, 3)


def test_a_changed_check_publishes_what_was_rejected_without_making_it_again(tmp_path):
    project = failing(tmp_path)
    project.materialize()
    project.write({"shop/clean.sql": LEAST % 1})

    result = project.materialize()

    assert outcomes(result) == {
        "clean": "reused",
        "totals": "materialized",
        "report": "materialized",
    }
    assert amounts(project) == [3, 10]
    assert project.actions() == {}


def test_a_changed_check_that_fails_too_rejects_again_without_making_it(tmp_path):
    project = failing(tmp_path)
    project.materialize()
    project.write({"shop/clean.sql": LEAST % 4})

    actions = project.actions()
    result = project.materialize()

    assert actions["clean"] == "reuse"
    assert outcomes(result)["clean"] == "rejected"
    assert amounts(project) == [5, 10, 20]
    assert project.actions() == {"clean": "blocked"}


def test_a_contract_of_a_query_is_asked_of_what_is_published_which_is_not_made_again(tmp_path):
    project = shop(tmp_path)
    project.materialize()
    columns = 'columns = { id = "BIGINT", customer = "VARCHAR", amount = "BIGINT" }'
    header = f'/* assetflow\ncontract = "exact"\n{columns}\n*/\n'
    project.write({"shop/clean.sql": header + CLEAN})

    result = project.materialize()

    assert outcomes(result) == {"clean": "checked"}
    assert statuses(result) == {"clean.contract": "passed"}
    assert project.actions() == {}


def test_a_new_check_that_fails_leaves_what_is_served_and_fails_the_run(tmp_path):
    project = shop(tmp_path)
    project.materialize()
    project.write({"shop/clean.sql": LEAST % 7})

    actions = project.actions()
    result = project.materialize()

    assert actions == {"clean": "check"}
    assert (result.status, outcomes(result)) == ("failed", {"clean": "checked"})
    assert amounts(project) == [5, 10, 20]
    assert project.actions() == {}
    assert project.materialize().status == "succeeded"


def test_only_what_is_new_is_asked(tmp_path):
    project = shop(tmp_path, **{"shop/clean.sql": LEAST % 5})
    project.materialize()
    more = '{ between = { column = "amount", min = 5, name = "least" } }, { unique = ["id"] }'
    project.write({"shop/clean.sql": CHECKED % more})

    result = project.materialize()

    (step,) = result.steps
    assert [(one.check, one.status, one.carried_over) for one in step.checks] == [
        ("least", "passed", True),
        ("unique(id)", "passed", False),
    ]


WARNING = '{ between = { column = "amount", min = 7, name = "least", %s } }'


@pytest.mark.parametrize("said", ['severity = "warn"', 'on_failure = "warn"'])
def test_a_warning_is_published_and_reported(tmp_path, said):
    project = shop(tmp_path, **{"shop/clean.sql": CHECKED % (WARNING % said)})

    result = project.materialize()

    assert result.status == "succeeded"
    assert statuses(result) == {"clean.least": "warned"}
    assert amounts(project) == [5, 10, 20]


def test_a_reference_is_asked_again_when_what_it_refers_to_changes(tmp_path):
    check = '{ references = { columns = ["customer"], to = "customers.name", name = "known" } }'
    project = shop(
        tmp_path,
        **{
            "shop/clean.sql": CHECKED % check,
            "shop/customers.sql": "select unnest(['ann', 'bob']) as name, 1 as age",
        },
    )
    first = project.materialize()
    project.write({"shop/customers.sql": "select unnest(['ann', 'bob']) as name, 2 as age"})
    same = project.materialize()
    project.write({"shop/customers.sql": "select unnest(['ann']) as name, 2 as age"})
    actions = project.actions()

    changed = project.materialize()

    assert statuses(first) == {"clean.known": "passed"}
    assert outcomes(same) == {"customers": "materialized", "clean": "verified"}
    assert actions == {"customers": "materialize", "clean": "check"}
    assert outcomes(changed) == {"customers": "materialized", "clean": "checked"}
    assert statuses(changed) == {"clean.known": "failed"}
    assert project.actions() == {}


FUNCTION = """
import numpy as np
import polars as pl
import pyarrow as pa
from decimal import Decimal
from assetflow import CheckResult, check

@check("clean")
def promise(clean: pa.Table):
    {}
"""
RETURNED = {
    "true": ("return True", "passed", ""),
    "false": ("return False", "failed", ""),
    "no rows": ("return clean.slice(0, 0)", "passed", ""),
    "an empty list": ("return []", "passed", ""),
    "rows": ("return clean.slice(1)", "failed", "2 of 3 rows failed"),
    "dicts": ('return [{"id": 1}]', "failed", "1 of 3 rows failed"),
    "a result": ('return CheckResult(False, "too late")', "failed", "too late"),
    "rows in a result": ("return CheckResult(False, failing_rows=clean)", "failed", "3 of 3 rows"),
    "nothing": ("return None", "errored", "returned None"),
    "nonsense": ('return "yes"', "errored", "returned 'yes'"),
    "an error": ("return clean.no_such", "errored", "no_such"),
    "a count of numpy": ("return CheckResult(False, failures=np.int64(2))", "failed", "2 rows"),
    "a truth of numpy": ("return CheckResult(np.bool_(True))", "passed", ""),
    "a number of numpy": ("return CheckResult(True, metric=np.float32(3))", "passed", ""),
    "a decimal": ("return CheckResult(True, metric=Decimal('3.5'))", "passed", ""),
    "no number": ("return CheckResult(True, metric=float('nan'))", "passed", ""),
    "a text as number": (
        "return CheckResult(True, metric='3')",
        "errored",
        "returned CheckResult(",
    ),
    "a text as truth": ("return CheckResult('no')", "errored", "returned CheckResult(passed='no'"),
    "no truth": ("return CheckResult(None)", "errored", "returned CheckResult(passed=None"),
    "fewer than none": ("return CheckResult(False, failures=-1)", "errored", "CheckResult("),
    "half a row": ("return CheckResult(False, failures=0.5)", "errored", "CheckResult("),
    "endless rows": ("return CheckResult(False, failures=10**30)", "errored", "CheckResult("),
    "no failures": ("return CheckResult(False, 'late', failures=0)", "failed", "0 rows failed"),
    "no failing rows": ("return CheckResult(False, failing_rows=clean[:0])", "failed", "0 of 3"),
    "no rows at all": ("return CheckResult(False, failing_rows='x')", "errored", "returned 'x'"),
    "an error as message": ("return CheckResult(False, ValueError('odd'))", "failed", "odd"),
    "no message": ("return CheckResult(False, None)", "failed", ""),
    "no Unicode": ("return CheckResult(False, 'a' + chr(0xD800))", "failed", "a?"),
    "a panic": ("raise pl.exceptions.PanicException('oh')", "errored", "PanicException: oh"),
    "maps": (
        "return pa.table({'m': pa.array([[(1.5, 'a')]], pa.map_(pa.float64(), pa.string()))})",
        "failed",
        "1 of 3 rows failed",
    ),
    "an exit": ("raise SystemExit(3)", "errored", "SystemExit"),
}


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """Ask all functions of one version, and return their answers in the order of RETURNED."""
    imports, _, function = FUNCTION.partition("\n\n")
    functions = [
        function.replace("promise", f"promise_{number}").format(body)
        for number, (body, _, _) in enumerate(RETURNED.values())
    ]
    text = "\n\n".join([imports, *functions])
    project = shop(tmp_path_factory.mktemp("answered"), **{"shop/promises.py": text})
    (step,) = project.materialize("clean").steps
    return dict(zip(RETURNED, step.checks, strict=True))


@pytest.mark.parametrize("case", RETURNED)
def test_a_function_answers_in_many_forms(answered, case):
    outcome, (_, status, said) = answered[case], RETURNED[case]

    assert outcome.status == status
    assert said in finding(outcome.answer) + outcome.answer.message


@pytest.mark.parametrize("passes", [True, False])
def test_what_a_function_answers_decides_of_the_run(tmp_path, passes):
    project = shop(tmp_path, **{"shop/promises.py": FUNCTION.format(f"return {passes}")})

    assert (project.materialize().status == "succeeded") == passes


def test_a_function_that_never_ends_is_left_behind(tmp_path):
    text = FUNCTION.format("import threading; threading.Event().wait(2)").replace(
        '"clean")', '"clean", timeout=0.2)'
    )
    project = shop(tmp_path, **{"shop/promises.py": text})

    result = project.materialize()

    assert statuses(result) == {"clean.promise": "errored"}
    assert result.steps[0].checks[0].answer.message == "it took longer than 0.2s"


def test_a_query_that_selects_failing_rows_is_a_check(tmp_path):
    project = shop(tmp_path, **{"shop/checks/few.sql": "select * from clean where amount > 15"})

    result = project.materialize()
    page = api.check(project.load())

    assert statuses(result) == {"clean.few": "failed"}
    (line,) = page.lines
    assert (line.is_published, line.outcome.carried_over) == (False, True)
    assert line.failing.rows == ((2, "bob", 20),)


def test_asking_again_carries_over_and_forced_does_not(tmp_path):
    project = shop(tmp_path, **{"shop/clean.sql": LEAST % 5})
    project.materialize()

    again = lines(project)
    forced = lines(project, force=True)

    assert (again, forced) == (
        {("clean", "least", True): "passed again"},
        {("clean", "least", True): "passed"},
    )
    (line,) = api.check(project.load()).lines
    assert [point.status for point in line.history] == ["passed", "passed"]


def test_asking_what_was_never_made_says_so(tmp_path):
    project = shop(tmp_path, **{"shop/clean.sql": LEAST % 5})

    page = api.check(project.load())

    assert (page.lines, page.unmade, page.without) == ((), ("clean",), ("totals", "report"))


def test_status_says_how_what_is_served_stands_and_what_was_rejected_since(tmp_path):
    project = failing(tmp_path)
    before = health(project)
    project.materialize()
    rejected = health(project)
    project.write({"shop/clean.sql": LEAST % 7})
    project.materialize()

    assert before == ("stale", "passed", (), ())
    assert rejected == ("stale", "passed", (), ("",))
    assert health(project) == ("stale", "passed", (), ("",))
    assert [one.asset for one in api.status(project.load(), ["status:rejected"])] == ["clean"]


def test_a_served_version_that_fails_a_new_check_is_unhealthy(tmp_path):
    project = shop(tmp_path)
    project.materialize()
    project.write({"shop/clean.sql": LEAST % 7})
    project.materialize()

    assert health(project) == ("up_to_date", "failed", ("least",), ())


def health(project, asset="clean"):
    status = next(one for one in api.status(project.load()) if one.asset == asset)
    return status.sync, status.health, status.unmet, status.rejected


def test_what_was_rejected_is_of_no_matter_once_the_source_is_as_it_was(tmp_path):
    project = failing(tmp_path)
    project.materialize()
    project.write({"data/orders.csv": ORDERS})

    assert project.actions() == {}
    assert health(project) == ("up_to_date", "passed", (), ())
    assert lines(project) == {("clean", "least", True): "passed again"}
    assert [one.is_published for one in api.show(project.load(), "clean").checks] == [True]
    assert not api.selected(project.load(), ["status:rejected"], ())


def test_what_failed_is_not_promoted_nor_what_was_not_asked(tmp_path):
    settings = 'package = "shop"\n[environments.dev]\n'
    project = shop(tmp_path, **{"shop/clean.sql": LEAST % 5, "assetflow.toml": settings})
    project.materialize(environment="dev")
    project.write({"shop/clean.sql": LEAST % 7})

    with pytest.raises(VersionsUnaudited, match="1 version has not met the checks of now"):
        api.promote_environment(project.load("dev"), "dev")
    assert lines(project, environment="dev") == {("clean", "least", True): "failed"}
    with pytest.raises(VersionsRejected, match="1 version failed checks"):
        api.promote_environment(project.load("dev"), "dev")
    project.write({"shop/clean.sql": LEAST % 5})
    assert api.promote_environment(project.load("dev"), "dev").published == 3


def test_what_failed_since_is_not_rolled_back_to(tmp_path):
    project = shop(tmp_path)
    project.materialize()
    project.write({"shop/clean.sql": LEAST % 7})
    project.materialize()
    project.write({"data/orders.csv": "id,customer,amount\n1,ann,10\n"})
    project.materialize()

    with pytest.raises(VersionsRejected):
        api.rollback_environment(project.load(), "main")
    assert amounts(project) == [10]


ASIDE = '{ between = { column = "amount", min = 7, name = "least", on_failure = "quarantine" } }'


@pytest.mark.parametrize("severity", ["error", "warn"])
def test_rows_that_fail_are_set_aside_and_the_rest_is_published(tmp_path, severity):
    check = ASIDE.replace(" }", f', severity = "{severity}" }}', 1)
    project = shop(tmp_path, **{"shop/clean.sql": CHECKED % check})

    result = project.materialize()

    assert result.status == "succeeded"
    (outcome,) = (one for step in result.steps for one in step.checks)
    assert (outcome.status, outcome.quarantined) == ("warned", 1)
    assert amounts(project) == [10, 20]
    (line,) = api.check(project.load()).lines
    (kept,) = (tmp_path / ".assetflow").glob("quarantine/clean/*.parquet")
    assert line.failing.place == kept.relative_to(tmp_path).as_posix()
    rows = duckdb.read_parquet(str(kept)).project("id, amount, assetflow_check").fetchall()
    assert rows == [(3, 5, "least")]
    assert len(list((tmp_path / ".assetflow/data/clean").iterdir())) == 1
    assert project.actions() == {}


def test_a_forced_check_still_tells_how_many_rows_were_set_aside(tmp_path):
    project = shop(tmp_path, **{"shop/clean.sql": CHECKED % ASIDE})
    project.materialize()

    lines = [
        api.check(project.load(), force=force).lines[0] for force in (False, True, True, False)
    ]
    status = next(one for one in api.status(project.load()) if one.asset == "clean")

    told = [(one.outcome.status, one.outcome.quarantined, one.outcome.answer) for one in lines]
    assert told == [told[0]] * 4
    assert told[0][:2] == ("warned", 1)
    assert [one.outcome.carried_over for one in lines] == [True, False, False, True]
    assert lines[-1].failing == lines[0].failing
    assert (status.health, status.unmet) == ("warned", ("least",))


def test_a_quarantine_that_refers_to_others_follows_them(tmp_path):
    told = 'columns = ["customer"], to = "customers.name", on_failure = "quarantine"'
    check = f"{{ references = {{ {told} }} }}"
    customers = "select unnest([%s]) as name"
    project = shop(
        tmp_path,
        **{"shop/clean.sql": CHECKED % check, "shop/customers.sql": customers % "'ann'"},
    )
    project.materialize()
    before = amounts(project)
    project.write({"shop/customers.sql": customers % "'ann', 'bob'"})

    actions = project.actions()
    project.materialize()

    assert before == [5, 10]
    assert actions["clean"] == "may_materialize"
    assert amounts(project) == [5, 10, 20]
    assert project.actions() == {}


DAYS = """
/* assetflow
partitions = { daily = { start = "2026-01-01", end = "2026-01-04" } }
partition_by = "day"
batch_size = %s
checks = [ %s ]
*/
select day, id from read_csv('data/days.csv', columns={'day': 'DATE', 'id': 'BIGINT'})
where day >= $partition_start and day < $partition_end
"""
LAST = "select count(*) as n from days"
GOOD_DAYS = "day,id\n2026-01-01,1\n2026-01-02,2\n2026-01-03,3\n"


def days(root, check, data=GOOD_DAYS, batch_size=1) -> SmallProject:
    files = {"shop/days.sql": DAYS % (batch_size, check), "shop/last.sql": LAST}
    return SmallProject(root, {"data/days.csv": data, **files})


def by_partition(result):
    return {str(step.target): step.outcome for step in result.steps}


@pytest.mark.parametrize("batch_size", [1, 5])
def test_of_partitions_only_those_that_fail_are_rejected(tmp_path, batch_size):
    check = '{ between = { column = "id", max = 2 } }'
    project = days(tmp_path, check, batch_size=batch_size)

    result = project.materialize()

    assert by_partition(result) == {
        "days[2026-01-01]": "materialized",
        "days[2026-01-02]": "materialized",
        "days[2026-01-03]": "rejected",
        "last": "skipped",
    }
    assert [row["id"] for row in project.rows("days")] == [1, 2]


WHOLE = '{ unique = { columns = ["id"], scope = "whole" } }'


def test_a_check_of_the_whole_is_asked_of_all_partitions_together(tmp_path):
    project = days(tmp_path, WHOLE)
    first = project.materialize()
    project.write({"data/days.csv": GOOD_DAYS.replace("03,3", "03,1")})

    again = project.materialize()
    after = project.materialize()

    assert first.status == "succeeded"
    assert statuses(first) == {"days.unique(id)": "passed"}
    assert by_partition(again) == {
        "days[2026-01-01]": "unchanged",
        "days[2026-01-02]": "unchanged",
        "days[2026-01-03]": "rejected",
        "last": "skipped",
    }
    assert after.status == "failed"
    assert by_partition(after) == {"days[2026-01-03]": "skipped"}
    assert [row["id"] for row in project.rows("days")] == [1, 2, 3]


def test_what_failed_by_itself_is_not_asked_as_a_whole(tmp_path):
    own = '{ between = { column = "id", max = 3 } }'
    project = days(tmp_path, f"{own}, {WHOLE}")
    project.materialize()
    project.write({"data/days.csv": GOOD_DAYS.replace("03,3", "03,4")})
    project.materialize()

    assert [key for key in lines(project) if not key[2]] == [("days", "between(id)", False)]


def test_what_failed_as_a_whole_is_told_until_a_check_or_the_data_lets_it_pass(tmp_path):
    project = days(tmp_path, WHOLE)
    project.materialize()
    before = health(project, "days")
    project.write({"data/days.csv": GOOD_DAYS.replace("03,3", "03,1")})
    project.materialize()

    plan = api.plan(project.load())

    assert before == ("up_to_date", "passed", (), ())
    assert health(project, "days") == ("stale", "passed", (), ("2026-01-03",))
    assert {str(one.target): one.action for one in plan.steps} == {"days[2026-01-03]": "blocked"}
    assert str(plan.steps[0].reasons[0]) == (
        "the same code and inputs were rejected (unique(id): 1 of 3 rows failed)"
    )
    told = {("days", "unique(id)", True): "passed", ("days", "unique(id)", False): "failed"}
    assert lines(project) == {key: f"{status} again" for key, status in told.items()}
    checks = api.show(project.load(), "days").checks
    assert {(one.asset, one.outcome.check, one.is_published): one.outcome.status
            for one in checks} == told  # fmt: skip


@pytest.mark.parametrize(
    "files",
    [
        {"data/days.csv": GOOD_DAYS.replace("03,3", "03,4")},
        {"shop/days.sql": DAYS % (1, WHOLE.replace('"id"', '"day", "id"'))},
    ],
    ids=["other data", "another check"],
)
def test_what_failed_as_a_whole_is_published_once_it_passes(tmp_path, files):
    project = days(tmp_path, WHOLE)
    project.materialize()
    project.write({"data/days.csv": GOOD_DAYS.replace("03,3", "03,1")})
    project.materialize()
    project.write(files)

    result = project.materialize()

    assert result.status == "succeeded"
    assert [row["id"] for row in project.rows("days")] in ([1, 2, 4], [1, 1, 2], [1, 2, 1])
    assert health(project, "days") == ("up_to_date", "passed", (), ())
    assert project.actions() == {}


def test_a_whole_that_is_served_and_fails_a_new_check_is_unhealthy(tmp_path):
    project = days(tmp_path, "", GOOD_DAYS.replace("03,3", "03,1"))
    project.materialize()
    project.write({"shop/days.sql": DAYS % (1, WHOLE)})

    result = project.materialize()

    assert result.status == "failed"
    assert health(project, "days") == ("up_to_date", "failed", ("unique(id)",), ())
    assert project.actions() == {}


def test_what_was_asked_as_a_whole_is_promoted_and_what_was_not_is_not(tmp_path):
    project = days(tmp_path, WHOLE)
    project.materialize()
    api.create_environment(project.load(), "trial")
    project.write({"data/days.csv": GOOD_DAYS.replace("03,3", "03,4")})
    project.materialize(environment="trial")
    api.promote_environment(project.load(), "trial")
    promoted = [row["id"] for row in project.rows("days")]
    project.write({"data/days.csv": GOOD_DAYS.replace("03,3", "03,5")})
    project.materialize(environment="trial")
    few = '{ row_count = { max = 2, scope = "whole" } }'
    project.write({"shop/days.sql": DAYS % (1, few)})

    assert promoted == [1, 2, 4]
    with pytest.raises(VersionsUnaudited, match="days"):
        api.promote_environment(project.load(), "trial")
    assert lines(project, "days", environment="trial") == {("days", "row_count", True): "failed"}
    with pytest.raises(VersionsRejected, match="days"):
        api.promote_environment(project.load(), "trial")


def test_a_new_check_of_the_whole_is_asked_once(tmp_path):
    project = days(tmp_path, "")
    project.materialize()
    project.write({"shop/days.sql": DAYS % (1, WHOLE)})

    actions = project.actions()
    result = project.materialize()

    assert actions == {"days": "check"}
    assert statuses(result) == {"days.unique(id)": "passed"}
    assert by_partition(result) == {"days[2026-01-03]": "checked"}
    assert project.actions() == {}
    assert lines(project) == {("days", "unique(id)", True): "passed again"}


def size_of(state) -> int:
    return sum(file.stat().st_size for file in state.glob("*/*/*.parquet"))


def test_what_was_rejected_or_set_aside_goes_with_its_version(tmp_path):
    project = shop(tmp_path, **{"shop/clean.sql": CHECKED % ASIDE})
    project.materialize()
    project.write({"shop/clean.sql": LEAST % 15})
    project.materialize()
    project.write({"shop/clean.sql": LEAST % 1})
    project.materialize()
    state, later = tmp_path / ".assetflow", api.now() + timedelta(days=30)
    before = len(list(state.glob("data/clean/*"))), len(list(state.glob("quarantine/clean/*")))
    size = size_of(state)

    would = collect_garbage(state, later, 3600, dry_run=True)
    done = collect_garbage(state, later, 3600, dry_run=False)

    assert before == (2, 1)
    assert would.bytes == done.bytes == size - size_of(state)
    assert len(list(state.glob("data/clean/*"))) == 1
    assert list(state.glob("quarantine/**/*.parquet")) == []
    assert amounts(project) == [5, 10, 20]


PEOPLE = """
from assetflow import source

source("raw_orders", path="data/orders.csv")
source("people", path="data/people.csv")
"""
TO_PEOPLE = CHECKED % '{ references = { columns = ["customer"], to = "people.name" } }'


def test_a_check_may_refer_to_a_source_that_no_asset_reads(tmp_path):
    project = shop(
        tmp_path,
        **{
            "shop/sources.py": PEOPLE,
            "data/people.csv": "name\nann\nbob\n",
            "shop/clean.sql": TO_PEOPLE,
        },
    )

    first = project.materialize("clean")
    nothing = project.materialize()
    project.write({"data/people.csv": "name\nann\n"})
    second = project.materialize()

    assert statuses(first) == {"clean.references(customer in people)": "passed"}
    assert outcomes(nothing) == {"totals": "materialized", "report": "materialized"}
    assert outcomes(second) == {"clean": "checked"}
    assert statuses(second) == {"clean.references(customer in people)": "failed"}


FLAKY = """
from pathlib import Path

from assetflow import check

ANSWER = Path(__file__).parent.parent / "answer.txt"


@check("clean")
def reachable(clean) -> bool:
    if not ANSWER.exists():
        raise ConnectionError("the service is down")
    return True
"""


def test_a_check_that_broke_is_asked_again_until_it_can_be(tmp_path):
    project = shop(tmp_path, **{"shop/flaky.py": FLAKY})

    broken = project.materialize()
    again = project.materialize()
    project.write({"answer.txt": "up"})
    mended = project.materialize()

    assert statuses(broken) == statuses(again) == {"clean.reachable": "errored"}
    assert outcomes(broken)["clean"] == outcomes(again)["clean"] == "rejected"
    assert outcomes(mended)["clean"] == "reused"
    assert project.materialize().steps == ()


UP_LATER = """
from pathlib import Path

from assetflow import check, source

PRICES = Path(__file__).parent.parent / "prices.csv"
source("prices", path="prices.csv")


@check("clean")
def reachable(clean) -> bool:
    if len(PRICES.read_text()) < 12:
        PRICES.write_text("price\\n1\\n2\\n3\\n")
        raise ConnectionError("the service is not up yet")
    return True
"""


def test_a_check_that_broke_before_the_run_planned_again_is_asked_again(tmp_path):
    project = shop(
        tmp_path,
        **{
            "shop/later.py": UP_LATER,
            "shop/prices_seen.sql": "select price from prices",
            "prices.csv": "price\n1\n",
        },
    )

    result = project.materialize()

    assert result.status == "succeeded"
    assert statuses(result) == {"clean.reachable": "passed"}
    assert outcomes(result)["clean"] == "reused"
    assert len(project.rows("prices_seen")) == 3
    assert project.actions() == {}


def test_a_check_that_broke_of_what_is_served_is_asked_again_by_check_alone(tmp_path):
    project = shop(tmp_path)
    project.materialize()
    project.write({"shop/flaky.py": FLAKY})

    broken = project.materialize()
    again = project.materialize()
    project.write({"answer.txt": "up"})
    before = health(project)
    asked = lines(project)

    assert (broken.status, outcomes(broken)) == ("failed", {"clean": "checked"})
    assert (again.status, again.steps) == ("succeeded", ())
    assert before == ("up_to_date", "failed", ("reachable",), ())
    assert asked == {("clean", "reachable", True): "passed"}
    assert health(project) == ("up_to_date", "passed", (), ())


REFERRING = """
/* assetflow
checks = [
    { references = "customer", to = "customers.customer" },
    { references = "amount", to = "prices.amount" },
]
*/
select id, customer, amount from raw_orders where amount > 0
"""


def test_what_checks_are_asked_against_is_made_before_an_asset_that_is_selected(tmp_path):
    project = shop(
        tmp_path,
        **{
            "shop/clean.sql": REFERRING,
            "shop/customers.sql": "select distinct customer from raw_customers",
            "shop/unneeded.sql": "select customer from customers",
            "shop/more.py": """
                from assetflow import source

                source("raw_customers", path="data/customers.csv")
                source("prices", path="data/prices.csv")
            """,
            "data/customers.csv": "customer\nann\nbob\n",
            "data/prices.csv": "amount\n10\n20\n5\n",
        },
    )

    result = project.materialize("clean")

    assert outcomes(result) == {"customers": "materialized", "clean": "materialized"}
    assert project.actions("clean") == {}
    assert project.outcomes("clean", only=True) == {}


def test_of_what_was_never_looked_at_no_rejection_needs_to_know(tmp_path):
    project = shop(
        tmp_path,
        **{
            "shop/clean.sql": (LEAST % 50).replace('name = "least"', 'on_failure = "repair"'),
            "shop/elsewhere.sql": "select * from prices",
            "shop/farther.py": """
                import pyarrow as pa

                from assetflow import asset

                @asset
                def farther(elsewhere: pa.Table) -> pa.Table:
                    return elsewhere
            """,
            "shop/more.py": "from assetflow import source\nsource('prices', path='prices.csv')\n",
            "prices.csv": "amount\n10\n",
        },
    )

    result = project.materialize("clean")

    assert outcomes(result) == {"clean": "rejected"}


PROMISING = """
import pyarrow as pa

from assetflow import asset

COLUMNS = {"id": {"type": "BIGINT", "nullable": False}, "name": "VARCHAR"}


@asset(columns=COLUMNS, contract="%s")
def people() -> pa.Table:
    return pa.table(%s)
"""


@pytest.mark.parametrize(
    ("contract", "table", "outcome"),
    [
        ("additive", "{'name': ['a'], 'id': [1], 'more': [2]}", "materialized"),
        ("exact", "{'name': ['a'], 'id': [1]}", "materialized"),
        ("exact", "{'id': [1], 'name': ['a'], 'more': [2]}", "rejected"),
        ("additive", "{'id': [1]}", "rejected"),
        ("additive", "{'id': ['one'], 'name': ['a']}", "rejected"),
        ("additive", "{'id': [1, None], 'name': ['a', 'b']}", "rejected"),
        ("additive", "{'id': [1], 'name': pa.nulls(1)}", "materialized"),
    ],
)
def test_what_a_function_returns_is_held_against_its_contract(tmp_path, contract, table, outcome):
    project = SmallProject(tmp_path, {"shop/people.py": PROMISING % (contract, table)})

    result = project.materialize()

    assert [step.error for step in result.steps if step.outcome == "failed"] == []
    assert outcomes(result) == {"people": outcome}


DRIFTING = """
/* assetflow
checks = [ { drift = { column = "amount", baseline = "%s", method = "ks" }, name = "same" } ]
*/
select id, customer, amount from raw_orders
"""


def amounts_csv(low: int) -> str:
    rows = (f"{number},ann,{low + number % 10}" for number in range(200))
    return "\n".join(["id,customer,amount", *rows, ""])


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        ("previous", ["learning", "passed", "passed", "failed"]),
        ("first", ["learning", "passed", "passed", "failed"]),
        ("2020-01-01", ["learning", "learning", "learning", "learning"]),
        ("2999-01-01", ["learning", "passed", "passed", "failed"]),
    ],
)
def test_drift_is_from_the_baseline_that_is_said(tmp_path, baseline, expected):
    clean = {"shop/clean.sql": DRIFTING % baseline}
    project = shop(tmp_path, **clean, **{"data/orders.csv": amounts_csv(0)})
    found = [statuses(project.materialize())["clean.same"]]

    for low in (1, 2, 9):
        project.write({"data/orders.csv": amounts_csv(low)})
        found.append(statuses(project.materialize())["clean.same"])

    assert found == expected


def test_drift_since_the_first_is_seen_where_each_step_is_small(tmp_path):
    found = {}
    for baseline in ("previous", "first"):
        clean = {"shop/clean.sql": DRIFTING % baseline}
        project = shop(tmp_path / baseline, **clean, **{"data/orders.csv": amounts_csv(0)})
        project.materialize()
        for low in (1, 2, 3, 4):
            project.write({"data/orders.csv": amounts_csv(low)})
            found[baseline] = statuses(project.materialize())["clean.same"]

    assert found == {"previous": "passed", "first": "failed"}


SPLIT = """
import pyarrow as pa

from assetflow import asset, check


@asset(outputs=["trips", "zones"])
def split(clean: pa.Table) -> tuple[pa.Table, pa.Table]:
    customers = clean.column("customer").to_pylist()
    return pa.table({"zone": customers}), pa.table({"zone": [one for one in customers if one]})


@check("trips")
def in_a_zone(trips: pa.Table, zones: pa.Table) -> bool:
    return set(trips["zone"].to_pylist()) <= set(zones["zone"].to_pylist())
"""
IN_TURN = """

@check("zones")
def has_trips(zones: pa.Table, trips: pa.Table) -> bool:
    return set(zones["zone"].to_pylist()) <= set(trips["zone"].to_pylist())
"""


def test_a_check_reads_what_the_same_call_made_beside_its_asset(tmp_path):
    project = shop(tmp_path, **{"shop/split.py": SPLIT})

    first = project.materialize("trips")
    nothing = project.actions("trips")
    project.write({"data/orders.csv": FAILING.replace("bob", "cid")})
    second = project.materialize("trips")

    assert statuses(first) == statuses(second) == {"trips.in_a_zone": "passed"}
    assert outcomes(second)["trips"] == "materialized"
    assert (nothing, project.actions("trips")) == ({}, {})


def test_what_was_made_beside_an_asset_is_read_as_it_is_served_if_it_is_rejected(tmp_path):
    few = "import pyarrow as pa\nfrom assetflow import check\n\n@check('zones')\n"
    few += "def few(zones: pa.Table) -> bool:\n    return zones.num_rows < 4\n"
    project = shop(tmp_path, **{"shop/split.py": SPLIT, "shop/few.py": few})
    project.materialize("trips", "zones")
    project.write({"data/orders.csv": FAILING + "3,cid,4\n4,dan,5\n"})

    result = project.materialize("trips", "zones")

    assert statuses(result) == {"zones.few": "failed", "trips.in_a_zone": "failed"}
    assert {outcomes(result)[name] for name in ("trips", "zones")} == {"rejected"}


def test_checks_that_read_one_another_of_one_call_are_refused(tmp_path):
    project = shop(tmp_path, **{"shop/split.py": SPLIT + IN_TURN})

    with pytest.raises(ProjectErrors, match="wait for one another"):
        project.load()


LOSING = """
import shutil
from pathlib import Path

import pyarrow as pa
from assetflow import asset, references

@asset(volatile=True, checks=[references("id", to="clean.id", on_failure="{}")])
def losing() -> pa.Table:
    shutil.rmtree(Path(__file__).parents[1] / ".assetflow/data/clean")
    return pa.table({{"id": [1]}})
"""


@pytest.mark.parametrize("on_failure", ["block", "quarantine"])
def test_what_cannot_be_audited_fails_alone(tmp_path, on_failure):
    project = shop(tmp_path)
    project.materialize("clean")
    project.write({"shop/losing.py": LOSING.format(on_failure), "shop/other.sql": "select 1 as a"})

    result = project.materialize("losing", "other")

    assert outcomes(result) == {"losing": "failed", "other": "materialized"}
    assert result.status == "failed"
    assert project.materialize("other").steps == ()
