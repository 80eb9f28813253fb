"""Invariant 1 on the planner alone: incremental equals from scratch, with no needless run."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetflow.planning.steps import Request
from tests.planning.simulation import Formula, World, changed

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
    )


ROWS = st.fixed_dictionaries(dict.fromkeys(COLUMNS, SMALL))


@st.composite
def edits(draw) -> tuple:
    kind = draw(st.sampled_from(["source", "formula", "salt", "die", "select", "force", "remove"]))
    place = draw(st.integers(0, len(ASSETS) - 1))
    match kind:
        case "source":
            return kind, draw(st.sampled_from(SOURCES)), draw(ROWS)
        case "formula":
            return kind, ASSETS[place], draw(formulas(place))
        case "salt":
            return kind, ASSETS[place], draw(SMALL)
        case "remove":
            return kind, ASSETS[-1], None
        case _:
            return kind, ASSETS[place], draw(st.integers(0, 4))


def apply(world: World, edit: tuple) -> None:
    kind, name, value = edit
    request = Request(targets=frozenset({name} & world.formulas.keys()))
    match kind:
        case "source":
            world.sources[name] = value
        case "formula":
            world.formulas[name] = value
        case "salt" if name in world.formulas:
            changed(world, name, salt=value)
        case "die":
            world.materialize(die_after=value)
        case "select":
            world.materialize(request)
        case "force":
            world.materialize(Request(targets=request.targets, force=True))
        case "remove":
            world.formulas.pop(name, None)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_incremental_equals_from_scratch(data):
    world = World(
        {name: data.draw(formulas(place)) for place, name in enumerate(ASSETS)},
        {name: data.draw(ROWS) for name in SOURCES},
    )
    world.materialize()

    for edit in data.draw(st.lists(edits(), min_size=1, max_size=6)):
        apply(world, edit)
        known = {(made.asset, made.key) for made in world.materializations}
        ran = world.materialize()

        assert world.values() == world.from_scratch()
        made = {one.asset: one.key for one in world.materializations[-len(ran) or None :]}
        assert not {(name, made[name]) for name in ran if name in made} & known
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

    for edit in data.draw(st.lists(edits(), min_size=1, max_size=4)):
        apply(world, edit)
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
