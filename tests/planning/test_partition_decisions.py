"""Invariant 1 slice by slice: schemes, mappings, gaps, late data and removed keys."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetflow.errors import AssetflowError
from assetflow.model.mappings import AllPartitions, Latest, Offset, Trailing
from assetflow.model.names import AssetName, AssetPartition, PartitionKey
from assetflow.model.partitions import daily, product, static, weekly
from assetflow.planning.reach import reach
from assetflow.planning.steps import PartitionRange, Request
from tests.planning.simulation import Formula, World, changed

DAYS = daily("2025-12-15", "2025-12-29")
SHORT = daily("2025-12-18", "2025-12-24")
WEEKS = weekly("2025-12-15", "2025-12-29")
REGIONS = static(["north", "south"])
BOTH = product(day=SHORT, region=REGIONS)
SCHEMES = (None, DAYS, SHORT, WEEKS, REGIONS, BOTH)
DECLARED = (None, Trailing(3), Offset(-1), Latest(), AllPartitions(), AllPartitions("block"))

SOURCES = ("s0", "s1")
ASSETS = tuple(f"n{place}" for place in range(4))
COLUMNS = ("a", "b")
SMALL = st.integers(0, 2)
ROWS = st.fixed_dictionaries({**dict.fromkeys("ab", SMALL), "c": st.just(0)})
DAY_KEYS = tuple(f"2025-12-{day}" for day in range(15, 29))


@st.composite
def worlds(draw) -> World:
    """A few assets of all schemes over two sources by day, some of whose days are missing."""
    world = World({}, {"whole": draw(ROWS)})
    for source in SOURCES:
        world.partitions[source] = DAYS
        days = draw(st.lists(st.sampled_from(DAY_KEYS), min_size=6, unique=True))
        world.parts[source] = {PartitionKey(day): draw(ROWS) for day in days}
    for place, name in enumerate(ASSETS):
        scheme = draw(st.sampled_from(SCHEMES))
        if scheme is not None:
            world.partitions[name] = scheme
        before = draw(st.lists(st.sampled_from((*SOURCES, "whole", *ASSETS[:place])), max_size=2))
        reads = {}
        for other in dict.fromkeys(before):
            world.mappings[name, other] = draw(st.sampled_from(DECLARED))
            try:
                world.mapping(name, other)
            except AssetflowError:
                world.mappings[name, other] = None
                try:
                    world.mapping(name, other)
                except AssetflowError:
                    continue
            reads[other] = draw(st.lists(st.sampled_from(COLUMNS), max_size=2, unique=True))
        columns = {other: tuple(names) for other, names in reads.items()}
        modulus = draw(st.sampled_from([1, 2, 7]))
        world.formulas[name] = Formula(columns, draw(SMALL), modulus)
    return world


def edit(world: World, data) -> None:
    """Let something happen: late data, a gap, another code, a partial or a broken run."""
    name, source = data.draw(st.sampled_from(ASSETS)), data.draw(st.sampled_from(SOURCES))
    day = data.draw(st.sampled_from(DAY_KEYS))
    match data.draw(st.sampled_from(["row", "gap", "salt", "die", "days", "force", "range"])):
        case "row":
            world.parts[source][PartitionKey(day)] = data.draw(ROWS)
        case "gap":
            world.parts[source].pop(PartitionKey(day), None)
        case "salt":
            changed(world, name, salt=data.draw(SMALL))
        case "die":
            world.materialize(die_after=data.draw(st.integers(0, 9)))
        case "days":
            asked = PartitionRange(PartitionKey(day), PartitionKey("2025-12-24"))
            world.materialize(Request(partitions=(asked,), max_partitions=2))
        case "force":
            world.materialize(Request(targets=frozenset({name}), force=True, latest=True))
        case "range" if world.partitions.get(name) in (DAYS, SHORT):
            world.partitions[name] = DAYS if world.partitions[name] == SHORT else SHORT


def held_back(world: World) -> set[str]:
    """Return what is blocked, and what is made from that: it stays as it was before."""
    blocked: dict[AssetName, set[PartitionKey]] = {}
    for step in world.plan().steps:
        blocked.setdefault(step.target.asset, set()).add(step.target.partition)
    held = reach(world.known(Request()).slices, blocked)
    return {str(AssetPartition(name, key)) for name, keys in held.items() for key in keys}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_incremental_equals_from_scratch_slice_by_slice(data):
    world = data.draw(worlds())
    world.materialize()
    for _ in range(data.draw(st.integers(1, 4))):
        edit(world, data)
        known = {(made.asset, made.partition, made.key) for made in world.materializations}
        count = len(world.materializations)
        ran = world.materialize()

        clean, found = world.built_anew(), world.values()
        blocked = held_back(world)
        assert {name: found.get(name) for name in clean if name not in blocked} == {
            name: row for name, row in clean.items() if name not in blocked
        }
        assert found.keys() - clean.keys() <= blocked
        assert {step.action for step in world.plan().steps} <= {"blocked"}
        made = {
            (f"{one.asset}[{one.partition}]" if one.partition else one.asset): one
            for one in world.materializations[count:]
        }
        keys = {(made[name].asset, made[name].partition, made[name].key) for name in ran}
        assert not keys & known
