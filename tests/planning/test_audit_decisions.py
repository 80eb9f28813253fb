"""What is published has met its checks; what did not is kept aside, and not made again."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetflow.model.names import AssetPartition
from assetflow.planning.reasons import CheckChanged, RejectedLastTime, UpstreamRejected
from assetflow.planning.steps import Request
from tests.planning.audited_world import AuditedWorld, Promise
from tests.planning.simulation import Formula, changed
from tests.planning.test_incremental_decisions import (
    ASSETS,
    COLUMN,
    ROWS,
    SMALL,
    SOURCES,
    apply,
    edits,
    formulas,
)


def small_world() -> AuditedWorld:
    """s0 → orders → totals; stores is made from s1."""
    return AuditedWorld(
        formulas={
            "orders": Formula({"s0": ("a",)}),
            "stores": Formula({"s1": ("a",)}),
            "totals": Formula({"orders": ("a",)}, salt=1),
        },
        sources={"s0": {"a": 1, "b": 0, "c": 0}, "s1": {"a": 5, "b": 0, "c": 0}},
    )


def steps_of(world, request=None):
    return {step.target.asset: step for step in world.plan(request or Request()).steps}


def source(world, name, value):
    world.sources[name] = {"a": value, "b": 0, "c": 0}


def served(world, name):
    return world.values()[name]["a"]


def test_what_fails_a_check_is_not_published_and_stops_what_is_made_from_it():
    world = small_world()
    world.promises["orders"] = (Promise("a", 3),)
    world.materialize()
    source(world, "s0", 3)

    ran = world.materialize()

    assert ran == ["orders"]
    assert world.rejected == {"orders"}
    assert world.stopped == {"totals"}
    assert served(world, "orders") == 1


def test_what_was_rejected_is_not_made_again_and_says_why():
    world = small_world()
    world.promises["orders"] = (Promise("a", 3),)
    source(world, "s0", 3)
    world.materialize()

    steps = steps_of(world)

    assert {name: step.action for name, step in steps.items()} == {
        "orders": "blocked",
        "totals": "blocked",
    }
    assert steps["orders"].reasons[0] == RejectedLastTime("v1", (("a ", "failed"),))
    assert steps["totals"].reasons[0] == UpstreamRejected("orders")
    assert world.materialize() == []
    assert world.asked == []


def test_a_volatile_asset_runs_again_after_it_was_rejected():
    world = small_world()
    changed(world, "orders", is_volatile=True)
    world.promises["orders"] = (Promise("c", 0),)
    world.materialize()

    assert world.rejected == {"orders"}
    assert world.materialize() == ["orders"]


def test_a_changed_check_audits_a_rejected_version_again_without_making_it():
    world = small_world()
    world.promises["orders"] = (Promise("a", 3),)
    source(world, "s0", 3)
    world.materialize()
    world.promises["orders"] = (Promise("a", 4),)

    action = steps_of(world)["orders"].action
    ran = world.materialize()

    assert (action, ran, served(world, "orders")) == ("reuse", ["totals"], 3)


def test_what_a_moving_check_rejected_is_audited_again_without_making_it():
    world = small_world()
    world.promises["orders"] = (Promise("a", 3, carries=False),)
    source(world, "s0", 3)
    world.materialize()

    steps = steps_of(world)
    ran = world.materialize()

    assert steps["orders"].action == "reuse"
    assert steps["orders"].verdict.to_audit
    assert (ran, world.asked, world.rejected) == ([], ["orders"], {"orders"})


def test_what_a_lasting_check_rejected_too_is_left_alone():
    world = small_world()
    world.promises["orders"] = (Promise("a", 5, carries=False), Promise("a", other="s1"))
    source(world, "s0", 5)
    world.materialize()

    assert steps_of(world)["orders"].action == "blocked"


def test_without_its_checks_a_rejected_version_is_published():
    world = small_world()
    world.promises["orders"] = (Promise("a", 3),)
    source(world, "s0", 3)
    world.materialize()
    world.promises.clear()

    assert world.materialize() == ["totals"]
    assert served(world, "orders") == 3


def test_a_new_check_is_asked_of_what_is_published_which_stays_served():
    world = small_world()
    world.materialize()
    world.promises["orders"] = (Promise("a", 1),)

    steps = steps_of(world)
    ran = world.materialize()

    assert {name: step.action for name, step in steps.items()} == {"orders": "check"}
    assert steps["orders"].reasons == (CheckChanged(("a ",)),)
    assert (ran, world.asked, served(world, "orders")) == ([], ["orders"], 1)
    assert steps_of(world) == {}


def test_new_content_of_what_a_check_reads_asks_it_again():
    world = small_world()
    world.promises["totals"] = (Promise("a", other="stores"),)
    world.materialize()
    source(world, "s1", 2)

    steps = steps_of(world)
    world.materialize()

    assert {name: step.action for name, step in steps.items()} == {
        "stores": "materialize",
        "totals": "check",
    }
    assert steps["totals"].before_audit == (AssetPartition("stores"),)
    assert steps["totals"].waits_on == ()
    assert world.asked == ["totals"]


def test_a_version_of_what_a_check_reads_with_the_same_columns_asks_nothing():
    world = small_world()
    world.promises["totals"] = (Promise("c", other="stores"),)
    world.materialize()
    source(world, "s1", 2)

    world.materialize()

    assert world.asked == []
    assert steps_of(world) == {}


def test_what_a_check_reads_may_be_rejected_itself_and_is_then_read_as_it_is_served():
    world = small_world()
    world.promises["totals"] = (Promise("a", other="stores"),)
    world.promises["stores"] = (Promise("a", 4),)
    world.materialize()
    source(world, "s1", 4)
    source(world, "s0", 3)

    ran = world.materialize()

    assert ran == ["orders", "stores", "totals"]
    assert world.rejected == {"stores"}
    assert (served(world, "totals"), served(world, "stores")) == (4, 5)


def test_a_warning_publishes():
    world = small_world()
    world.promises["orders"] = (Promise("a", 1, warns=True),)

    world.materialize()

    assert served(world, "orders") == 1
    assert [one.verdict for one in world.audits["v1"]] == ["failed"]


@st.composite
def promises(draw, place):
    other = draw(st.sampled_from(("", "", *SOURCES, *ASSETS[:place])))
    return Promise(draw(COLUMN), draw(SMALL), other, draw(st.sampled_from([False, False, True])))


def told(world, before):
    """Return, for each asset, the contents that it may serve, if it serves what it should.

    `before` is what was served. What was rejected, and what is made from that, stays.
    """
    rows, found, unsure = dict(world.sources), {}, set()
    for name in world.known().graph.assets:
        formula = world.formulas[name]
        stays = before.get(name)
        if (
            unsure.intersection(formula.reads)
            or formula.is_volatile
            or None in (rows.get(other) for other in formula.reads)
        ):
            unsure.add(name)
            found[name] = None
        else:
            row = formula.of({other: [rows[other]] for other in formula.reads})
            is_kept = world.kept(name, row, {one: rows.get(one) for one in (*SOURCES, *ASSETS)})
            found[name] = row if is_kept else stays
            if not is_kept:
                unsure.add(name)
        published = world.published.get(AssetPartition(name))
        rows[name] = world.content[published.version.version] if published else None
    return {name: row for name, row in found.items() if row is not None}


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_nothing_is_published_that_failed_and_everything_that_passed(data):
    world = AuditedWorld(
        {name: data.draw(formulas(place)) for place, name in enumerate(ASSETS)},
        {name: data.draw(ROWS) for name in SOURCES},
    )
    earlier: list[tuple] = []
    for *edit, (how, name, number) in data.draw(st.lists(edits(), min_size=1, max_size=6)):
        apply(world, earlier, *edit)
        place = data.draw(st.integers(0, len(ASSETS) - 1))
        few = st.lists(promises(place), max_size=2, unique_by=lambda one: one.name)
        world.promises[ASSETS[place]] = tuple(data.draw(few))
        if how == "die":
            world.materialize(die_after=number)
        elif how == "fail":
            world.materialize(failing=name)
        elif how == "lose":
            world.lose(name)
        before, versions = world.values(), {t: p.version for t, p in world.published.items()}
        takeable, made_before = world.takeable(), len(world.materializations)

        ran = world.materialize()

        made = {one.asset: one.key for one in world.materializations[made_before:]}
        assert not {(name, made[name]) for name in ran} & takeable
        contents = {name: world.values().get(name) for name in ASSETS} | world.sources
        for target, publication in world.published.items():
            row = world.content[publication.version.version]
            is_new = versions.get(target) != publication.version
            assert not is_new or world.kept(target.asset, row, contents)
            stays = target.asset in world.stopped | world.rejected
            assert stays or world.has_met_its_promises(target, publication.version.version)
        expected = told(world, before)
        assert {name: world.values().get(name) for name in expected} == expected
        if not any(formula.is_volatile for formula in world.formulas.values()):
            assert world.materialize() == []
            assert world.asked == []
            assert {step.action for step in world.plan().steps} <= {"blocked"}
