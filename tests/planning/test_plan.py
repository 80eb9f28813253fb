"""What a plan says, on a small project whose assets are formulas."""

import pytest

from assetflow.model.names import AssetName, AssetPartition
from assetflow.planning.standing import standings
from assetflow.planning.steps import Request
from tests.planning.simulation import ALL, Formula, World, changed


def shop() -> World:
    """raw → orders → daily → report; stores feeds daily; rates is volatile."""
    return World(
        formulas={
            "orders": Formula({"raw": ("a", "b")}),
            "daily": Formula({"orders": ("a",), "stores": ("a",)}),
            "report": Formula({"daily": ("b",)}),
            "ignorant": Formula({"orders": ("a",)}, modulus=1),
            "beyond": Formula({"ignorant": ("a",)}),
            "rates": Formula({}, is_volatile=True),
        },
        sources={"raw": {"a": 1, "b": 2, "c": 3}, "stores": {"a": 5, "b": 6, "c": 7}},
    )


def actions(world: World, request: Request = ALL) -> dict[str, str]:
    return {step.target.asset: step.action for step in world.plan(request).steps}


def headline(world: World, name: str, request: Request = ALL) -> list[str]:
    steps = {step.target.asset: step for step in world.plan(request).steps}
    return [str(reason) for reason in steps[AssetName(name)].reasons]


def test_all_is_made_the_first_time():
    world = shop()

    assert set(actions(world).values()) == {"materialize"}
    assert world.materialize() == ["orders", "daily", "ignorant", "beyond", "rates", "report"]


def test_nothing_is_done_the_second_time():
    world = shop()
    world.materialize()

    plan = world.plan()

    assert plan.steps == ()
    assert plan.up_to_date == 6


def test_a_change_in_a_column_that_nobody_reads_only_verifies():
    world = shop()
    world.materialize()
    world.sources["raw"] = {"a": 1, "b": 2, "c": 99}

    assert actions(world) == {"orders": "verify"}
    assert world.materialize() == []
    assert actions(world) == {}


def test_a_change_runs_what_reads_it_and_what_may_follow():
    world = shop()
    world.materialize()
    world.sources["stores"] = {"a": 6, "b": 6, "c": 7}

    assert actions(world) == {"daily": "materialize", "report": "may_materialize"}
    assert headline(world, "daily") == ["'stores' changed (reads a)"]
    assert headline(world, "report") == ["'daily' may change"]


def test_an_unchanged_upstream_stops_the_wave():
    world = shop()
    world.materialize()
    world.sources["raw"] = {"a": 2, "b": 2, "c": 3}

    ran = world.materialize()

    assert "ignorant" in ran
    assert "beyond" not in ran


def test_a_reverted_change_is_reused():
    world = shop()
    world.materialize()
    changed(world, "daily", salt=5)
    world.materialize()
    changed(world, "daily", salt=0)

    assert actions(world)["daily"] == "reuse"
    assert world.materialize() == []


def test_an_older_version_of_a_volatile_asset_is_not_reused_after_a_revert():
    world = shop()
    world.materialize()
    changed(world, "rates", salt=1)
    world.materialize()
    changed(world, "rates", salt=0)

    assert actions(world) == {"rates": "materialize"}


def test_work_of_a_run_that_died_is_reused():
    world = shop()
    world.materialize(die_after=3)
    assert not world.published

    ran = world.materialize()

    assert len(ran) == 3
    assert world.values() == world.from_scratch()


def test_refresh_runs_volatile_assets_only():
    world = shop()
    world.materialize()

    assert actions(world, Request(refresh=True)) == {"rates": "materialize"}
    assert headline(world, "rates", Request(refresh=True)) == ["refresh requested"]


@pytest.mark.parametrize("how", [{"refresh": True}, {"force": True}, {}])
def test_what_a_run_refreshed_before_it_plans_again_is_taken_and_not_made_again(how):
    world = shop()
    changed(world, "daily", reads={"orders": ("a",), "rates": ("a",)})
    world.materialize()
    rates = AssetPartition(AssetName("rates"))
    world.materialize(Request(refresh=True), die_after=1)
    newest = world.materializations[-1].version

    steps = world.plan(Request(**how, done=frozenset({rates}))).steps

    (taken,) = [step for step in steps if step.target == rates]
    assert (taken.action, taken.verdict.candidate.version.version) == ("reuse", newest)
    assert newest != world.published[rates].version.version
    if not how:
        assert [step.target.asset for step in steps] == ["rates", "daily", "report"]


def test_force_runs_the_selection_and_an_equal_result_stops_there():
    world = shop()
    world.materialize()
    request = Request(targets=frozenset({AssetName("orders")}), force=True)

    assert actions(world, request) == {"orders": "materialize"}
    assert world.materialize(request) == ["orders"]
    assert world.plan().steps == ()


def test_materialize_brings_what_is_upstream_up_to_date_too():
    world = shop()

    assert set(actions(world, Request(targets=frozenset({AssetName("report")})))) == {
        "orders",
        "daily",
        "report",
    }


def test_downstream_adds_what_follows_with_what_that_needs():
    world = shop()
    request = Request(targets=frozenset({AssetName("orders")}), downstream=True)

    assert set(actions(world, request)) == {"orders", "daily", "report", "ignorant", "beyond"}


def test_only_keeps_to_the_selection_and_says_what_else_is_stale():
    world = shop()
    world.materialize()
    world.sources["raw"] = {"a": 2, "b": 2, "c": 3}
    request = Request(targets=frozenset({AssetName("daily")}), only=True)

    plan = world.plan(request)

    assert plan.steps == ()
    assert plan.notes == (("daily", "'orders' is stale too, but not selected"),)


def test_only_is_blocked_by_an_upstream_that_was_never_made():
    world = shop()
    request = Request(targets=frozenset({AssetName("report")}), only=True)

    assert actions(world, request) == {"report": "blocked"}
    assert headline(world, "report", request) == ["'daily' was never materialized"]


def test_what_is_no_longer_declared_is_withdrawn():
    world = shop()
    world.materialize()
    del world.formulas["report"]

    assert actions(world) == {"report": "withdraw"}
    assert actions(world, Request(targets=frozenset({AssetName("daily")}))) == {}
    world.materialize()
    assert AssetPartition(AssetName("report")) not in world.published


@pytest.mark.parametrize(
    ("reads", "reason"),
    [
        ({"daily": ("b",), "stores": ("a",)}, "reads 'stores' now"),
        ({}, "no longer reads 'daily'"),
    ],
)
def test_inputs_that_come_and_go_are_named(reads, reason):
    world = shop()
    world.materialize()
    changed(world, "report", reads=reads)

    assert reason in headline(world, "report")


def test_what_is_made_from_a_source_that_is_gone_is_blocked_and_the_rest_goes_on():
    world = shop()
    world.materialize()
    world.sources["raw"] = {"a": 2, "b": 2, "c": 3}
    world.gone = {"stores"}
    served = dict(world.published)

    assert actions(world) == {
        "orders": "materialize",
        "daily": "blocked",
        "ignorant": "may_materialize",
        "beyond": "may_materialize",
        "report": "blocked",
    }
    said = ["'stores' is unknown: It is gone. Bring it."]
    assert headline(world, "daily") == headline(world, "report") == said
    assert world.materialize() == ["orders", "ignorant"]
    for name in ("daily", "report"):
        target = AssetPartition(AssetName(name))
        assert world.published[target] == served[target]


def test_each_source_that_is_gone_is_named_once():
    world = shop()
    world.gone = {"raw", "stores"}

    assert headline(world, "daily") == headline(world, "report")
    assert sorted(headline(world, "report")) == [
        "'raw' is unknown: It is gone. Bring it.",
        "'stores' is unknown: It is gone. Bring it.",
    ]


@pytest.mark.parametrize("request_", [Request(force=True), Request(refresh=True)])
def test_no_demand_makes_anything_from_a_source_that_is_gone(request_):
    world = shop()
    world.materialize()
    world.gone = {"raw"}

    assert actions(world, request_)["orders"] == "blocked"
    assert headline(world, "orders", request_) == ["'raw' is unknown: It is gone. Bring it."]


def test_only_takes_what_is_published_above_it_and_says_that_it_may_be_behind():
    world = shop()
    world.materialize()
    world.gone = {"raw"}
    changed(world, "report", salt=1)
    request = Request(targets=frozenset({AssetName("report")}), only=True)

    assert actions(world, request) == {"report": "materialize"}

    request = Request(targets=frozenset({AssetName("daily")}), only=True)
    assert world.plan(request).notes == (("daily", "'raw' is unknown: It is gone. Bring it."),)


def test_what_is_made_from_a_source_that_is_gone_is_not_known_to_be_up_to_date():
    world = shop()
    world.materialize()
    world.gone = {"stores"}
    world.formulas["new"] = Formula({"stores": ("a",)})

    sync = {one.asset: one.sync for one in standings(world.known(), {})}

    assert sync == {
        "orders": "up_to_date",
        "daily": "unknown",
        "report": "unknown",
        "ignorant": "up_to_date",
        "beyond": "up_to_date",
        "rates": "up_to_date",
        "new": "missing",
    }
