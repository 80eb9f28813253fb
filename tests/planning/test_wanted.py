"""Which partitions a request is about."""

import pytest

from assetflow.model.names import AssetName, PartitionKey
from assetflow.model.partitions import daily, weekly
from assetflow.planning.steps import PartitionRange, Request
from assetflow.planning.wanted import wanted_partitions
from tests.planning.simulation import Formula, World

DAYS = daily("2025-12-15", "2025-12-29")
WEEKS = weekly("2025-12-15", "2025-12-29")
WEEK = {f"2025-12-{day}" for day in range(15, 22)}


@pytest.fixture
def world() -> World:
    """Weeks over days, weeks over the files of days, and weeks over what has no partitions."""
    world = World({}, {})
    world.parts["files"] = {}
    reads = {"days": "files", "weeks": "days", "weeks_of_files": "files"}
    reads |= {"whole": "days", "weeks_of_whole": "whole"}
    world.partitions |= {"files": DAYS, "days": DAYS}
    world.partitions |= {name: WEEKS for name in reads if name.startswith("weeks")}
    world.formulas |= {name: Formula({other: ("a",)}, 0, 7) for name, other in reads.items()}
    return world


def _wanted(world: World, **asked: object) -> dict[str, set[str]]:
    day = PartitionKey("2025-12-17")
    request = Request(partitions=(PartitionRange(day, day),), **asked)
    found = wanted_partitions(world.known(request).slices, request)
    return {str(name): set(keys) for name, keys in found.items() if keys}


def _targets(*names: str) -> frozenset[AssetName]:
    return frozenset(map(AssetName, names))


@pytest.mark.parametrize("name", ["weeks", "weeks_of_files"])
def test_what_is_coarser_is_asked_for_what_is_made_from_the_named_day(world, name):
    found = _wanted(world, targets=_targets(name))

    assert found.pop(name) == {"2025-W51"}
    assert found == ({"days": WEEK} if name == "weeks" else {})


def test_only_the_selection_is_asked(world):
    assert _wanted(world, targets=_targets("weeks"), only=True) == {"weeks": {"2025-W51"}}


def test_a_named_day_never_asks_for_all_partitions_by_way_of_a_whole(world):
    assert "weeks_of_whole" not in _wanted(world)
    assert not _wanted(world, targets=_targets("weeks_of_whole"))


def test_what_is_only_upstream_is_asked_for_as_far_as_it_is_read(world):
    world.partitions["few"] = daily("2025-12-16", "2025-12-18")
    world.formulas["few"] = Formula({"days": ("a",)}, 0, 7)
    request = Request(targets=_targets("few"))

    found = wanted_partitions(world.known(request).slices, request)

    two = {"2025-12-16", "2025-12-17"}
    assert {name: set(keys) for name, keys in found.items()} == {"few": two, "days": two}


def test_a_whole_that_is_selected_asks_for_all_that_it_reads(world):
    request = Request(targets=_targets("whole"))

    found = wanted_partitions(world.known(request).slices, request)

    assert len(found["days"]) == len(world.known(request).slices.keys["days"])
