"""What a repair tries: the nearest upstreams that can give other data, and nothing else."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetflow.model.columns import ColumnEdge, ReadSet
from assetflow.model.names import AssetName, AssetPartition, CodeVersion, PartitionKey
from assetflow.model.partitions import daily
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.facts import AssetFacts, InputFacts
from assetflow.planning.plan import plan
from assetflow.planning.repair import (
    Failing,
    Repair,
    RepairLimits,
    RepairPlan,
    find_repair,
    plan_repairs,
    reaching,
    repair_lines,
)
from assetflow.planning.steps import Request
from assetflow.quality.answers import Answer
from tests.planning.simulation import NOW, Formula, World, changed

LIMITS = RepairLimits(max_attempts=3, cool_down=timedelta(minutes=10))


def shop() -> World:
    """rates, volatile, gives prices, raw orders, and both daily; notes, volatile, only report."""
    return World(
        formulas={
            "rates": Formula({}, is_volatile=True),
            "notes": Formula({}, is_volatile=True),
            "prices": Formula({"rates": ("a",)}),
            "orders": Formula({"raw": ("a",)}),
            "daily": Formula({"orders": ("a",), "prices": ("a",)}),
            "report": Formula({"daily": ("c",), "notes": ("c",)}),
        },
        sources={"raw": {"a": 1, "b": 2, "c": 3}},
    )


def failing(name: str, *columns: str, key: str = "", **others: object) -> Failing:
    target = AssetPartition(AssetName(name), PartitionKey(key))
    outcome = CheckOutcome("some_check", "not_null", Answer("failed", failures=1, rows=2), columns)
    return Failing(target, outcome, columns, **others)


def remedies(repair: Repair) -> list[str]:
    return [str(remedy.target) for remedy in repair.remedies]


def left_out(repair: Repair) -> dict[str, str]:
    return {one.asset: str(one.reason) for one in repair.left_out}


def test_the_nearest_volatile_asset_is_made_again_and_the_way_down_settles():
    world = shop()
    world.materialize()

    repair = find_repair(world.known(), failing("daily", "a"))

    assert remedies(repair) == ["rates"]
    assert [str(name) for name in repair.remedies[0].path] == ["daily.a", "prices.a", "rates.a"]
    assert [str(target) for target in repair.scope] == ["rates", "prices", "daily"]
    assert left_out(repair) == {
        "prices": "would give the same data again",
        "orders": "would give the same data again",
        "raw": "is still as it was read: mend it where it comes from",
    }


def test_columns_that_are_not_reached_leave_their_upstreams_out():
    world = shop()
    world.materialize()

    repair = find_repair(world.known(), failing("report", "a"))

    assert remedies(repair) == ["notes"]
    assert left_out(repair)["daily"] == "would give the same data again"
    assert left_out(repair)["orders"] == "daily.c is not made from it"


def test_a_changed_source_is_taken_through_what_reads_it():
    world = shop()
    world.materialize()
    world.sources["raw"] = {"a": 5, "b": 2, "c": 3}

    repair = find_repair(world.known(), failing("orders", "a"))

    assert [(str(one.target), str(one.reason)) for one in repair.remedies] == [
        ("orders", "'raw' changed since it was read")
    ]


def test_stale_code_is_a_remedy_for_what_is_below_it():
    world = shop()
    world.materialize()
    changed(world, "orders", salt=3)

    repair = find_repair(world.known(), failing("daily", "a"))

    assert remedies(repair) == ["rates", "orders"]
    assert [one.runs_anyway for one in repair.remedies] == [False, True]


def test_where_nothing_can_change_it_is_said_and_nothing_is_asked():
    world = shop()
    world.materialize()
    world.gone.add("raw")

    found = plan_repairs(world.known(), [failing("orders", "a")], LIMITS, NOW)

    assert found.repairs[0].remedies == ()
    assert left_out(found.repairs[0])["raw"] == "'raw' is unknown: It is gone. Bring it."
    assert found.request().exactly == frozenset()
    assert plan(world.known(found.request()), found.request()).steps == ()


def test_what_a_check_reads_of_others_may_be_mended_there():
    world = shop()
    world.materialize()
    one = failing("orders", "a", others=((AssetName("prices"), ("a",)),))

    assert remedies(find_repair(world.known(), one)) == ["rates"]


def test_a_repair_runs_the_remedies_and_what_follows_and_nothing_else():
    world = shop()
    world.materialize()
    found = plan_repairs(world.known(), [failing("daily", "a")], LIMITS, NOW)

    steps = plan(world.known(found.request()), found.request()).steps

    assert [(str(step.target), step.action) for step in steps] == [
        ("rates", "materialize"),
        ("prices", "may_materialize"),
        ("daily", "may_materialize"),
    ]
    assert str(steps[0].reasons[0]) == "could repair some_check of 'daily'"
    assert world.materialize(found.request()) == ["rates", "prices", "daily"]


def test_only_the_partition_that_failed_is_repaired():
    days = daily("2026-01-01", "2026-01-04")
    world = World(
        formulas={
            "rates": Formula({}, is_volatile=True),
            "prices": Formula({"rates": ("a",)}),
        },
        sources={},
    )
    world.partitions = {"rates": days, "prices": days}
    world.known()
    world.materialize()
    found = plan_repairs(world.known(), [failing("prices", "a", key="2026-01-02")], LIMITS, NOW)

    assert world.materialize(found.request()) == ["rates[2026-01-02]", "prices[2026-01-02]"]


@pytest.mark.parametrize(
    ("attempts", "minutes_ago", "expected"),
    [
        (0, None, "repairable"),
        (1, 60, "repairable"),
        (1, 5, "cooling_down"),
        (3, 60, "exhausted"),
    ],
)
def test_repairs_are_limited_and_have_to_cool_down(attempts, minutes_ago, expected):
    world = shop()
    world.materialize()
    last = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)
    one = failing("daily", "a", attempts=attempts, last_attempt=last)

    found = plan_repairs(world.known(), [one], LIMITS, NOW)

    assert [line.state for line in repair_lines(found, LIMITS)] == [expected]


@pytest.mark.parametrize(
    ("answers", "found", "counted"),
    [
        ([("", 20, 37), ("", 224, 438)], "244 of 475 rows failed", (244, 475)),
        ([("", 20, 37), ("", 4, None)], "24 rows failed", (24, None)),
        ([("0.4", None, None), ("0.3", None, None)], "0.4 in 2026-01-01", (None, None)),
        ([("2 rows twice", 2, 9)], "2 rows twice", (2, 9)),
        ([("0.4", None, None)] * 2, "0.4", (None, None)),
    ],
)
def test_what_failed_is_added_up_over_the_partitions(answers, found, counted):
    days = ["2026-01-01", "2026-01-02"]
    failed = [
        Failing(one.target, replace(one.outcome, answer=Answer("failed", *values)), attempts=3)
        for day, (text, failures, rows) in zip(days, answers, strict=False)
        for one in [failing("daily", key=day)]
        for values in [(text, "", failures, rows)]
    ]

    (line,) = repair_lines(RepairPlan(exhausted=tuple(failed)), LIMITS)

    answer = line.outcome.answer
    assert (answer.observed, (answer.failures, answer.rows)) == (found, counted)
    assert len(line.partitions) == len(answers)


EDGES = (
    ColumnEdge("raw", "amount", "Total", "aggregation"),
    ColumnEdge("raw", "kind", "Total", "conditional"),
    ColumnEdge("raw", "day", "", "filter"),
)
RAW = InputFacts("raw", AssetName("raw"), "sql", ReadSet.of(["amount", "kind", "day"]))
SUMS = AssetFacts(AssetName("sums"), CodeVersion("1"), inputs=(RAW,), column_edges=EDGES)


@pytest.mark.parametrize(
    ("wanted", "by_value", "expected"),
    [
        (frozenset({"total"}), True, {"amount"}),
        (frozenset({"total"}), False, {"amount", "kind", "day"}),
        (frozenset({"other"}), True, set()),
        (frozenset({"other"}), False, {"day"}),
        (frozenset(), True, {"day"}),
        (None, True, {"amount", "kind", "day"}),
    ],
)
def test_columns_are_followed_by_value_and_where_it_is_asked_by_rows(wanted, by_value, expected):
    assert reaching(SUMS, RAW, wanted, by_value=by_value) == expected


def test_a_second_attempt_follows_what_decides_rows_as_well():
    world = shop()
    world.materialize()
    known = world.known()
    joined = replace(
        known.facts[AssetName("report")],
        column_edges=(
            ColumnEdge("notes", "c", "a", "identity"),
            ColumnEdge("daily", "c", "", "join"),
        ),
    )
    known = replace(known, facts={**known.facts, AssetName("report"): joined})

    first = find_repair(known, failing("report", "a"))
    second = find_repair(known, failing("report", "a", attempts=1))

    assert remedies(first) == ["notes"]
    assert remedies(second) == ["rates", "notes"]


SMALL = st.integers(0, 3)


@st.composite
def worlds(draw) -> World:
    """A few assets, some volatile, some that ignore what they read."""
    names: list[str] = []
    formulas = {}
    for place in range(draw(st.integers(2, 6))):
        reads = draw(st.lists(st.sampled_from(["raw", *names]), max_size=3, unique=True))
        columns = st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True)
        formulas[f"n{place}"] = Formula(
            {other: tuple(draw(columns)) for other in reads},
            salt=draw(SMALL),
            modulus=draw(st.sampled_from([1, 7])),
            is_volatile=draw(st.booleans()),
        )
        names.append(f"n{place}")
    return World(formulas, {"raw": {"a": draw(SMALL), "b": draw(SMALL), "c": 0}})


@given(worlds(), st.data())
def test_where_anything_could_change_a_column_there_is_a_remedy(world, data):
    name = data.draw(st.sampled_from(sorted(world.formulas)))
    column = data.draw(st.sampled_from(["a", "b"]))
    world.materialize()
    if data.draw(st.booleans()):
        world.sources["raw"] = {"a": data.draw(SMALL), "b": data.draw(SMALL), "c": 0}
    found = plan_repairs(world.known(), [failing(name, column)], LIMITS, NOW)
    before, other = world.values()[name][column], deepcopy(world)

    other.materialize(Request(refresh=True))
    ran = world.materialize(found.request())

    if other.values()[name][column] != before:
        assert found.repairs[0].remedies
    reachable = {str(target) for repair in found.repairs for target in repair.scope}
    assert set(ran) <= reachable
    if not found.repairs[0].remedies:
        assert ran == []
