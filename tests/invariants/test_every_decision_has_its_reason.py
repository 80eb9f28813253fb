# ruff: noqa: E501 - a query stands on one line
"""Invariant 6: every decision has its reason, and plan, result, log and status agree.

Each scenario edits a project that was materialized, then asks the plan, materializes with
the same arguments, and looks into the log; all of it through the command line's JSON.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from assetflow.cli.main import run
from assetflow.errors import named
from assetflow.metadata.outline import served
from assetflow.planning.reasons import WEIGHT
from tests.small_project import SmallProject, shop

PROVISIONAL = "upstream_may_change"
CODES = {reason.code for reason in WEIGHT}
FITTING = {
    "materialize": {"materialized", "unchanged"},
    "may_materialize": {"materialized", "unchanged", "verified", "reused"},
    "reuse": {"reused"},
    "verify": {"verified"},
    "check": {"checked", "verified"},
    "withdraw": {"withdrawn"},
    "blocked": {"skipped"},
}
VOLATILE = """
    import pyarrow as pa
    from assetflow import asset

    @asset
    def rates() -> pa.Table:
        return pa.table({"rate": [2]})
"""
COUNTED = "select customer, sum(amount)::bigint as total, count(*) as n from clean group by all"
FAILING = """
    import pyarrow as pa
    from assetflow import asset

    @asset
    def totals(clean: pa.Table) -> pa.Table:
        raise ValueError("no totals today")
"""
STOPPING = """
    import os, signal
    import pyarrow as pa
    from assetflow import asset

    @asset
    def totals(clean: pa.Table) -> pa.Table:
        os.kill(os.getpid(), signal.SIGINT)
        return clean.select(["customer"])
"""
LINKS = [f"link{number}" for number in range(6)]
CHAIN = {
    f"link{number}_sql": f"select * from {f'link{number - 1}' if number else 'clean'}"
    for number in range(6)
}
STOPPED = (("run_stopped", "the run was stopped before"),)
REPORT = """
    import pyarrow as pa
    from assetflow import asset

    @asset(renamed_from="report")
    def summary(totals: pa.Table) -> pa.Table:
        return totals.slice(0, 1)
"""
ORDERS = "id,customer,amount\n1,ann,10\n2,bob,20\n3,ann,{}\n"


CHECKED = """
    /* assetflow
    checks = [ { between = { column = "amount", min = 5 } } ]
    */
    select id, customer, amount from raw_orders where amount > 0
"""


def spoils(project: SmallProject) -> None:
    writes(orders_csv=ORDERS.format(3))(project)


@dataclass(frozen=True)
class Scenario:
    """An edit, the arguments of the commands, and each expected action with its headline."""

    name: str
    edit: Callable[[SmallProject], object]
    expected: dict[str, tuple[str, str]]
    arguments: tuple[str, ...] = ()
    fails: frozenset[str] = frozenset()
    code: int = 0


def writes(**files: str) -> Callable[[SmallProject], object]:
    """Return the edit that writes `files`; `clean_sql` is `shop/clean.sql`, "" removes it."""

    def edit(project: SmallProject) -> None:
        for name, text in files.items():
            stem, _, suffix = name.rpartition("_")
            path = f"{'data' if suffix == 'csv' else 'shop'}/{stem}.{suffix}"
            project.write({path: text})
            if not text:
                (project.root / path).unlink()

    return edit


def reverts(project: SmallProject) -> None:
    before = (project.root / "shop/totals.sql").read_text("utf-8")
    project.write({"shop/totals.sql": COUNTED})
    project.materialize()
    project.write({"shop/totals.sql": before})


def loses_a_file(project: SmallProject) -> None:
    for path in (project.root / ".assetflow/data/totals").rglob("*.parquet"):
        path.unlink()


def fails_then_is_mended(project: SmallProject) -> None:
    writes(totals_sql="", totals_py=FAILING)(project)
    project.materialize()
    writes(totals_py="", totals_sql=COUNTED)(project)


def is_interrupted(project: SmallProject) -> None:
    writes(totals_sql="", totals_py=STOPPING)(project)
    assert project.materialize(threads=1).status == "interrupted"


MAY = ("may_materialize", "upstream_may_change")
NEW = ("materialize", "never_materialized")

SCENARIOS = (
    Scenario("nothing changed", writes(), {}),
    Scenario("a comment", writes(clean_sql="-- new\nselect id, customer, amount from raw_orders where amount > 0"), {}),
    Scenario(
        "code changed",
        writes(clean_sql="select id, customer, amount from raw_orders where amount > 9"),
        {"clean": ("materialize", "code_changed"), "totals": MAY, "report": MAY},
    ),
    Scenario(
        "code changed, content the same",
        writes(clean_sql="select id, customer, amount + 0 as amount from raw_orders where amount > 0"),
        {"clean": ("materialize", "code_changed"), "totals": MAY, "report": MAY},
    ),
    Scenario(
        "a column that few read",
        writes(orders_csv="id,customer,amount\n1,ann,10\n7,bob,20\n3,ann,5\n"),
        {"clean": ("materialize", "input_changed"), "totals": MAY, "report": MAY},
    ),
    Scenario(
        "a column that nobody reads",
        writes(orders_csv="id,customer,amount,x\n1,ann,10,1\n2,bob,20,2\n3,ann,5,3\n"),
        {"clean": ("verify", "verified")},
    ),
    Scenario(
        "an input more",
        writes(totals_sql="select customer, 1 as total from clean join raw_orders using (id, customer)"),
        {"totals": ("materialize", "code_changed"), "report": MAY},
    ),
    Scenario(
        "other inputs",
        writes(totals_sql="select customer, amount as total from raw_orders"),
        {"totals": ("materialize", "code_changed"), "report": MAY},
    ),
    Scenario("an asset more", writes(rates_py=VOLATILE), {"rates": NEW}),
    Scenario(
        "an asset less",
        writes(report_py=""),
        {"report": ("withdraw", "withdrawn")},
    ),
    Scenario(
        "another name",
        writes(report_py="", summary_py=REPORT),
        {"summary": ("reuse", "reused"), "report": ("withdraw", "withdrawn")},
    ),
    Scenario(
        "a revert",
        reverts,
        {"totals": ("reuse", "code_changed"), "report": ("reuse", "input_changed")},
    ),
    Scenario(
        "a lost file",
        loses_a_file,
        {"totals": ("materialize", "version_missing"), "report": MAY},
    ),
    Scenario(
        "a failure",
        writes(totals_sql="", totals_py=FAILING),
        {"totals": ("materialize", "code_changed"), "report": MAY},
        fails=frozenset({"totals", "report"}),
        code=1,
    ),
    Scenario(
        "a failure that stops all",
        writes(totals_sql="", totals_py=FAILING, **CHAIN),
        {"totals": ("materialize", "code_changed"), "report": MAY, **dict.fromkeys(LINKS, NEW)},
        ("--fail-fast", "--threads", "1"),
        fails=frozenset({"totals", "report"}),
        code=1,
    ),
    Scenario(
        "an interruption",
        writes(totals_sql="", totals_py=STOPPING, **CHAIN),
        {"totals": ("materialize", "code_changed"), "report": MAY, **dict.fromkeys(LINKS, NEW)},
        ("--threads", "1"),
        code=130,
    ),
    Scenario(
        "after an interruption",
        is_interrupted,
        {"totals": ("reuse", "code_changed"), "report": ("materialize", "input_changed")},
    ),
    Scenario(
        "after a failure",
        fails_then_is_mended,
        {"totals": ("materialize", "code_changed"), "report": MAY},
    ),
    Scenario(
        "by force",
        writes(),
        {"totals": ("materialize", "forced")},
        ("totals", "--force"),
    ),
    Scenario(
        "by force, with what follows",
        writes(),
        {"totals": ("materialize", "forced"), "report": MAY},
        ("totals", "--force", "--downstream"),
    ),
    Scenario(
        "newer data",
        lambda project: [writes(rates_py=VOLATILE)(project), project.materialize()],
        {"rates": ("materialize", "refresh_requested")},
        ("--refresh",),
    ),
    Scenario(
        "a selection without what it needs",
        writes(rates_py=VOLATILE, rated_sql="select rate + 1 as rate from rates"),
        {"rated": ("blocked", "upstream_missing")},
        ("rated", "--only"),
        fails=frozenset({"rated"}),
        code=1,
    ),
    Scenario(
        "a selection below something stale",
        writes(clean_sql="select id, customer, amount from raw_orders where amount > 9"),
        {},
        ("totals", "--only"),
    ),
    Scenario(
        "a source that is gone",
        writes(orders_csv="", beside_sql="select 1 as one"),
        {
            **dict.fromkeys(("clean", "totals", "report"), ("blocked", "source_unknown")),
            "beside": ("materialize", "never_materialized"),
        },
        code=1,
    ),
    Scenario("a check that is added", writes(clean_sql=CHECKED), {"clean": ("check", "check_changed")}),
    Scenario(
        "a check that is added and fails",
        writes(clean_sql=CHECKED.replace("min = 5", "min = 6")),
        {"clean": ("check", "check_changed")},
        code=1,
    ),
    Scenario(
        "data that a check rejects",
        lambda project: [writes(clean_sql=CHECKED)(project), project.materialize(), spoils(project)],
        {
            "clean": ("materialize", "input_changed"),
            **dict.fromkeys(("totals", "report"), ("may_materialize", "upstream_may_change")),
        },
        fails=frozenset({"clean", "totals", "report"}),
        code=1,
    ),
    Scenario(
        "what was rejected last time",
        lambda project: [
            *(writes(clean_sql=CHECKED)(project), project.materialize()),
            *(spoils(project), project.materialize()),
            writes(totals_sql=COUNTED)(project),
        ],
        {
            "clean": ("blocked", "rejected_last_time"),
            "totals": ("blocked", "upstream_rejected"),
        },
        code=1,
    ),
)  # fmt: skip


DAYS = 'partitions = { daily = { start = "2026-01-01", end = "2026-01-05" } }'
FLAKY = """
    import pyarrow as pa
    from assetflow import AssetContext, asset, daily

    @asset(partitions=daily("2026-01-01", "2026-01-05"), partition_by="day", batch_size=2)
    def flaky(clean: pa.Table, context: AssetContext) -> pa.Table:
        if "2026-01-03" in context.partition.keys:
            raise ValueError("no third day")
        return clean
"""


def slice_of(query: str, *header: str) -> str:
    lines = "\n".join((DAYS, *header))
    return f"/* assetflow\n{lines}\n*/\n{query}\n"


def sold(*amounts: int) -> str:
    rows = [f"2026-01-{day:02},{amount}" for day, amount in enumerate(amounts, 1)]
    return "\n".join(["day,amount", *rows, ""])


def days(root: Path) -> SmallProject:
    """sold (CSV with an event time) → clean (daily) → trail (two days), total (whole)."""
    return SmallProject(
        root,
        {
            "data/sold.csv": sold(1, 2, 3, 4),
            "shop/sources.py": """
                from assetflow import source

                source("sold", path="data/sold.csv", event_time="day")
                """,
            "shop/clean.sql": slice_of("select day, amount from sold"),
            "shop/trail.sql": slice_of(
                "select sum(amount)::bigint as amount from clean",
                "mappings = { clean = { trailing = 2 } }",
            ),
            "shop/total.sql": "select count(*) as n, sum(amount)::bigint as amount from clean",
        },
    )


def drops_a_day(project: SmallProject) -> None:
    text = (project.root / "shop/clean.sql").read_text("utf-8")
    project.write({"shop/clean.sql": text.replace("2026-01-01", "2026-01-02")})


def loses_a_day(project: SmallProject) -> None:
    state = project.root / ".assetflow"
    (path,) = (
        one.path
        for one in served(state, "main", ["clean"])["clean"]
        if one.partition == "2026-01-02"
    )
    (state / "data" / path).unlink()


def per_day(name: str, what: tuple[str, str], *numbers: int) -> dict[str, tuple[str, str]]:
    return {f"{name}[2026-01-{number:02}]": what for number in numbers}


CODE = ("materialize", "code_changed")
INPUT = ("materialize", "input_changed")
DAILY = (
    Scenario("nothing changed", writes(), {}),
    Scenario(
        "one day of the data",
        writes(sold_csv=sold(1, 20, 3, 4)),
        {
            **per_day("clean", INPUT, 2),
            **per_day("clean", ("verify", "verified"), 1, 3, 4),
            **per_day("trail", MAY, 2, 3),
            "total": MAY,
        },
    ),
    Scenario(
        "other code",
        writes(trail_sql=slice_of("select 1 as n from clean")),
        per_day("trail", CODE, 1, 2, 3, 4),
    ),
    Scenario(
        "a day less",
        drops_a_day,
        {**per_day("clean", ("withdraw", "withdrawn"), 1), **per_day("trail", INPUT, 1, 2), "total": INPUT},
    ),
    Scenario(
        "a lost day",
        loses_a_day,
        {
            **per_day("clean", ("materialize", "version_missing"), 2),
            **per_day("trail", MAY, 2, 3),
            "total": MAY,
        },
    ),
    Scenario(
        "a batch of which one fails",
        writes(flaky_py=FLAKY, below_sql=slice_of("select amount from flaky")),
        {**per_day("flaky", NEW, 1, 2, 3, 4), **per_day("below", NEW, 1, 2, 3, 4)},
        fails=frozenset({"flaky[2026-01-03]", "below[2026-01-03]"}),
        code=1,
    ),
    Scenario(
        "some days by force",
        writes(),
        {**per_day("trail", ("materialize", "forced"), 2, 3)},
        ("trail", "--force", "--partition", "2026-01-02..2026-01-03"),
    ),
    Scenario(
        "the newest of what is new",
        writes(more_sql=slice_of("select amount + 1 as amount from clean")),
        per_day("more", NEW, 3, 4),
        ("more", "--max-partitions", "2"),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What one document says of each asset: an action, outcome or sync, and the reasons."""

    what: str
    reasons: tuple[tuple[str, str], ...]

    @property
    def firm(self) -> set[tuple[str, str]]:
        return {reason for reason in self.reasons if reason[0] != PROVISIONAL}


def said(steps: list[dict], key: str) -> dict[str, Said]:
    """Return the steps of a document by asset and partition; of several, the last."""
    return {
        named(step["asset"], step.get("partition") or ""): Said(
            step[key], tuple((reason["code"], reason["text"]) for reason in step["reasons"])
        )
        for step in steps
    }


class Commands:
    """The command line over one project, each answer a JSON document."""

    def __init__(self, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.capfd = capfd

    def ask(self, *arguments: str) -> tuple[int, dict]:
        self.capfd.readouterr()
        code = run([*arguments, "--json", "--project", str(self.root)])
        return code, json.loads(self.capfd.readouterr().out)


@pytest.fixture
def project(tmp_path):
    project = shop(tmp_path)
    project.materialize()
    return project


@pytest.fixture
def commands(project, capfd):
    return Commands(project.root, capfd)


def assert_reasoned(found: dict[str, Said]) -> None:
    for one in found.values():
        assert one.reasons
        assert {code for code, _ in one.reasons} <= CODES
        assert all(text for _, text in one.reasons)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_plan_result_log_and_status_agree(scenario, project, commands):
    scenario.edit(project)
    only_for_runs = ("--threads", "1", "--fail-fast")
    flags = [word for word in scenario.arguments if word not in only_for_runs]

    _, planned = commands.ask("plan", *flags)
    plan = said(planned["steps"], "action")
    _, whole_plan = commands.ask("plan")
    _, statuses = commands.ask("status")
    code, result = commands.ask("materialize", *scenario.arguments)

    assert {name: (one.what, one.reasons[0][0]) for name, one in plan.items()} == scenario.expected
    assert_reasoned(plan)
    assert_status_follows_plan(said(statuses, "sync"), said(whole_plan["steps"], "action"))
    assert_result_follows_plan(said(result["steps"], "outcome"), plan, scenario.fails)
    assert result["up_to_date"] == planned["up_to_date"]
    assert code == scenario.code
    if result["run_id"]:
        assert_log_says_the_same(commands, result)


@pytest.mark.parametrize("scenario", DAILY, ids=lambda one: one.name)
def test_plan_result_and_log_agree_on_each_partition(scenario, tmp_path, capfd):
    project = days(tmp_path)
    project.materialize()
    commands = Commands(tmp_path, capfd)
    scenario.edit(project)

    _, planned = commands.ask("plan", *scenario.arguments)
    plan = said(planned["steps"], "action")
    _, statuses = commands.ask("status")
    _, whole_plan = commands.ask("plan")
    code, result = commands.ask("materialize", *scenario.arguments)

    assert {name: (one.what, one.reasons[0][0]) for name, one in plan.items()} == scenario.expected
    assert_reasoned(plan)
    assert_result_follows_plan(said(result["steps"], "outcome"), plan, scenario.fails)
    assert result["up_to_date"] == planned["up_to_date"]
    assert code == scenario.code
    waiting = {step["asset"] for step in whole_plan["steps"] if step["action"] != "verify"}
    assert waiting == {one["asset"] for one in statuses if one["sync"] != "up_to_date"}
    if result["run_id"]:
        assert_log_says_the_same(commands, result)


def assert_status_follows_plan(statuses: dict[str, Said], plan: dict[str, Said]) -> None:
    for name, status in statuses.items():
        step = plan.get(name)
        if step is None or step.what in ("verify", "check"):
            assert status.what == "up_to_date"
        else:
            is_unsure = step.what in {"may_materialize", "blocked"}
            is_rejected = step.reasons[0][0] == "rejected_last_time"
            assert status.what in {"stale", "missing", "unknown"}
            assert (status.what == "unknown") == (is_unsure and not is_rejected)
        assert status.reasons == (step.reasons if step else (("up_to_date", "up to date"),))
    assert {name for name, one in plan.items() if one.what != "withdraw"} <= statuses.keys()


def assert_result_follows_plan(
    result: dict[str, Said], plan: dict[str, Said], fails: frozenset[str]
) -> None:
    assert result.keys() == plan.keys()
    assert_reasoned(result)
    for name, step in plan.items():
        one = result[name]
        if name in fails or one.reasons == STOPPED:
            assert one.what in {"failed", "rejected", "skipped"}
        else:
            assert one.what in FITTING[step.what]
            assert one.firm == set(one.reasons)
            assert step.firm <= one.firm


def assert_log_says_the_same(commands: Commands, result: dict) -> None:
    _, log = commands.ask("run", "show", result["run_id"])
    _, runs = commands.ask("runs")
    outcomes = said(result["steps"], "outcome")
    assert said(log["steps"], "outcome") == outcomes
    assert [log["status"], log["counts"]] == [result["status"], result["counts"]]
    assert runs[0]["run_id"] == result["run_id"]
    assert runs[0]["counts"] == result["counts"]
    assert sum(result["counts"].values()) == len(outcomes)
