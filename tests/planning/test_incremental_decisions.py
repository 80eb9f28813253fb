"""Invariant 1 on the planner alone: incremental equals from scratch, with no needless run."""

from collections.abc import Collection

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetflow.model.names import AssetName, AssetPartition
from assetflow.planning.steps import Request
from tests.planning.simulation import ALL, Formula, World, changed

SOURCES = ("s0", "s1")
ASSETS = tuple(f"n{place}" for place in range(6))
COLUMNS = ("a", "b", "c")
SMALL = st.integers(0, 3)


@st.composite
def formulas(draw, place: int) -> Formula:
    before = (*SOURCES, *ASSETS[:place])
    names = draw(st.lists(st.sampled_from(before), max_size=3, unique=True))
    columns = st.lists(st.sampled_from(COLUMNS), max_size=3, unique=True).map(tuple)
    return Formula(
        reads={name: draw(columns) for name in names},
        salt=draw(SMALL),
        modulus=draw(st.sampled_from([1, 2, 7])),
        is_volatile=draw(st.sampled_from([False, False, True])),
    )


COLUMN = st.sampled_from(COLUMNS)
ROWS = st.fixed_dictionaries(dict.fromkeys(COLUMNS, SMALL))


KINDS = (
    *("source", "column", "column", "formula", "reads", "reads", "salt", "remove"),
    *("revert", "revert"),
)
HOWS = (
    *("all", "all", "die", "die", "select", "only", "force", "refresh", "again"),
    *("fail", "lose"),
)


VALUES = {
    "source": ROWS,
    "column": st.dictionaries(COLUMN, SMALL, min_size=1, max_size=1),
    "reads": st.lists(COLUMN, min_size=1, max_size=2, unique=True).map(tuple),
    "salt": SMALL,
    "remove": st.none(),
    "revert": SMALL,
}


@st.composite
def edits(draw) -> tuple:
    """Draw what becomes of a world, and how it is materialized first."""
    kind = draw(st.sampled_from(KINDS))
    place = len(ASSETS) - 1 if kind == "remove" else draw(st.integers(0, len(ASSETS) - 1))
    name = draw(st.sampled_from(SOURCES)) if kind in ("source", "column") else ASSETS[place]
    value = draw(formulas(place) if kind == "formula" else VALUES[kind])
    how = draw(st.sampled_from(HOWS)), draw(st.sampled_from(ASSETS)), draw(st.integers(0, 4))
    return kind, name, value, how


def apply(world: World, earlier: list[tuple], kind: str, name: str, value: object) -> None:
    """Edit `world`; what it was before is added to `earlier`."""
    earlier.append((dict(world.formulas), dict(world.sources)))
    match kind:
        case "source":
            world.sources[name] = value
        case "column":
            world.sources[name] = {**world.sources[name], **value}
        case "reads" if name in world.formulas:
            inputs = world.formulas[name].reads
            changed(world, name, reads={**inputs, **dict.fromkeys([*inputs][:1], value)})
        case "formula":
            world.formulas[name] = value
        case "salt" if name in world.formulas:
            changed(world, name, salt=value)
        case "remove":
            world.formulas.pop(name, None)
        case "revert":
            formulas, sources = earlier[-1 - value % len(earlier)]
            world.formulas, world.sources = dict(formulas), dict(sources)


def run(
    world: World, request: Request = ALL, may_run: Collection[str] = (), **how: object
) -> set[str]:
    """Materialize; nothing may run that could be taken, but for what was asked to run."""
    takeable, made_before = world.takeable(), len(world.materializations)

    ran = world.materialize(request, **how)

    made = {one.asset: one.key for one in world.materializations[made_before:]}
    assert not {(name, made[name]) for name in ran if name not in may_run} & takeable
    return set(ran)


def go(world: World, how: str, name: str, number: int) -> None:
    """Materialize in some way before all is brought up to date."""
    targets = frozenset({name} & world.formulas.keys())
    match how:
        case "die":
            run(world, die_after=number)
        case "select" | "only":
            served = set(world.published)
            run(world, Request(targets=targets, only=how == "only"))
            assert served <= set(world.published)
        case "force":
            assert targets <= run(world, Request(targets=targets, force=True), targets)
        case "refresh":
            volatile = {name for name, one in world.formulas.items() if one.is_volatile}
            assert volatile <= run(world, Request(refresh=True), volatile)
        case "again":
            plan_again(world, number)
        case "fail":
            run(world, failing=name)
        case "lose":
            world.lose(name)


def plan_again(world: World, number: int) -> None:
    """Refresh what is volatile, but plan again before the run is done; all of it is published."""
    volatile = {name for name, one in world.formulas.items() if one.is_volatile}
    first = run(world, Request(refresh=True), volatile, die_after=number)
    made = {one.asset: one.version for one in world.materializations}
    done = frozenset(AssetPartition(AssetName(name)) for name in first)

    second = run(world, Request(refresh=True, done=done), volatile)

    assert volatile <= first | second
    assert not first & second
    for target in done:
        assert world.published[target].version.version == made[target.asset]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_incremental_equals_from_scratch(data):
    world = World(
        {name: data.draw(formulas(place)) for place, name in enumerate(ASSETS)},
        {name: data.draw(ROWS) for name in SOURCES},
    )
    world.materialize()
    earlier: list[tuple] = []

    for *edit, how in data.draw(st.lists(edits(), min_size=1, max_size=6)):
        apply(world, earlier, *edit)
        go(world, *how)

        run(world)

        assert world.values() == world.from_scratch()
        assert world.plan().steps == ()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_what_is_unknown_stops_what_is_made_from_it_and_nothing_else(data):
    world = World(
        {name: data.draw(formulas(place)) for place, name in enumerate(ASSETS)},
        {name: data.draw(ROWS) for name in SOURCES},
    )
    if data.draw(st.booleans()):
        world.materialize()
    world.gone = set(data.draw(st.sampled_from([["s0"], ["s1"], SOURCES])))

    earlier: list[tuple] = []
    for *edit, _how in data.draw(st.lists(edits(), min_size=1, max_size=4)):
        apply(world, earlier, *edit)
        served = world.values()
        ran = world.materialize()

        below = world.known().graph.all_downstream(world.gone) & world.formulas.keys()
        values, right = world.values(), world.from_scratch()
        assert not set(ran) & below
        for name in world.formulas:
            assert values.get(name) == (served.get(name) if name in below else right[name])
        assert {step.target.asset: step.action for step in world.plan().steps} == dict.fromkeys(
            below, "blocked"
        )

    world.gone = set()
    world.materialize()
    assert world.values() == world.from_scratch()
    assert world.plan().steps == ()
