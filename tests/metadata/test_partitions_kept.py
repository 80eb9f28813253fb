"""Packed files, dynamic keys, partitions of sources, and stores from before there were any."""

from dataclasses import replace

import pytest

from assetflow.metadata import store as store_module
from assetflow.metadata.encoding import encode
from assetflow.metadata.folder import journal_paths
from assetflow.metadata.folding import fold
from assetflow.metadata.migrations import MIGRATIONS
from assetflow.metadata.recall import (
    events,
    materializations,
    observations,
    published,
    remembered,
    verify_events,
    versions,
)
from assetflow.metadata.records import Observed, PartitionsChanged, VersionsPacked
from assetflow.metadata.retention import mark_removed, unreferenced
from assetflow.metadata.rollups import (
    dynamic_keys,
    published_keys,
    roll_ups,
    usual_seconds,
)
from assetflow.metadata.store import Store
from assetflow.model.names import AssetPartition
from tests.metadata.making import (
    NOW,
    change,
    completed,
    finished,
    folded,
    journaled,
    later,
    made,
    publication,
    started,
    stored,
    withdrawal,
)

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
PACKED = "orders/packed.parquet"


def packed(*numbers, path=PACKED, at=NOW):
    moved = tuple((f"v{number}", DAYS[number - 1]) for number in numbers)
    return VersionsPacked("r1", "orders", path, 2500, 30, at, moved)


def three_days(state, *more):
    steps = [record for n in (1, 2, 3) for record in completed(n, partition=DAYS[n - 1])]
    moves = [change(n, partition=DAYS[n - 1]) for n in (1, 2, 3)]
    folded(state, "r1", started(), *steps, publication("p1", *moves), *more, finished())


def places(state):
    return {
        one.version: (one.path, one.size_bytes, one.packed) for one in versions(state, "orders")
    }


def test_a_packed_version_lies_in_the_new_file_and_is_the_same_else(state):
    three_days(state)
    before = published(state, "main")

    folded(state, "r2", packed(1, 2))

    assert places(state) == {
        "v1": (PACKED, 2500, True),
        "v2": (PACKED, 2500, True),
        "v3": ("orders/v3.parquet", 1000, False),
    }
    moved = replace(before["orders", DAYS[0]].version, path=PACKED, size_bytes=2500, packed=True)
    assert published(state, "main")["orders", DAYS[0]].version == moved


def test_a_file_of_one_partition_is_not_a_shared_one(state):
    three_days(state, packed(1))

    assert places(state)["v1"] == (PACKED, 2500, False)


def test_packing_twice_changes_nothing_and_the_last_packing_wins(state):
    again = packed(1, 2, 3, path="orders/all.parquet", at=later(hours=1))
    three_days(state, packed(1, 2), again)
    once = places(state)

    folded(state, "r2", packed(1, 2), again)

    assert places(state) == once
    assert set(once.values()) == {("orders/all.parquet", 2500, True)}
    assert [event.kind for event in events(state)].count("versions_packed") == 2
    assert verify_events(state) is None


def test_a_file_goes_when_no_version_in_it_is_kept(state):
    three_days(state, packed(1, 2))
    month = later(days=30)

    left = unreferenced(state, month)
    mark_removed(state, [], month, [path for path, _ in left.files])

    assert left.versions == ()
    assert left.files == (("orders/v1.parquet", 1000), ("orders/v2.parquet", 1000))
    assert unreferenced(state, month).files == ()
    assert unreferenced(state, later(minutes=59), 0.0).files == ()

    folded(state, "r2", publication("p2", withdrawal(1, partition=DAYS[0]), run="r2"))
    assert unreferenced(state, later(days=60)).versions == ()
    folded(state, "r3", publication("p3", withdrawal(1, partition=DAYS[1]), run="r3"))
    gone = unreferenced(state, later(days=60))
    assert sorted(one.version for one in gone.versions) == ["v1", "v2"]
    assert gone.files == ((PACKED, 2500),)


def test_a_file_to_which_nothing_moved_is_left_at_once(state):
    three_days(state)
    mark_removed(state, [], NOW)

    folded(state, "r2", replace(packed(1), versions=(("nothing", DAYS[0]),)))

    assert unreferenced(state, later(days=30)).files == ((PACKED, 2500),)


def keys_changed(change, added=(), removed=(), at=NOW):
    return PartitionsChanged(change, "stores", tuple(added), tuple(removed), at, None)


def test_dynamic_keys_are_kept_in_the_order_in_which_they_came(state):
    first, second = keys_changed("c1", ["b", "a", "b"]), keys_changed("c2", ["c", "b"], ["a"])
    third = keys_changed("c3", ["a"])
    folded(state, "r1", first, second, third)

    folded(state, "r2", second, first)

    assert dynamic_keys(state) == {"stores": ("b", "c", "a")}
    told = [(event.kind, event.detail) for event in events(state)]
    assert told[:3] == [
        ("partition_added", '[["partitions","stores"],["key","b"],["key","a"],["key","b"]]'),
        ("partition_removed", '[["partitions","stores"],["key","a"]]'),
        ("partition_added", '[["partitions","stores"],["key","c"],["key","b"]]'),
    ]
    assert len(told) == 4


def test_partitions_of_a_source_have_states_of_their_own(state):
    whole = Observed("raw", "s1", "r1", NOW, (), None, (), "", "a1", ())
    monday = replace(whole, source="files", state="s2", partition="2026-01-05")
    newer = replace(monday, state="s3", observed_at=later(hours=1))
    tuesday = replace(monday, state="s2", partition="2026-01-06")
    folded(state, "r1", whole, monday, newer, tuesday)

    assert observations(state) == {
        "raw": {"": whole},
        "files": {"2026-01-05": newer, "2026-01-06": tuesday},
    }


def test_only_what_is_wanted_is_remembered(state):
    three_days(state)
    everything = remembered(state, "main")

    some = remembered(state, "main", {"orders": [DAYS[1]]}, {"orders": [DAYS[0], DAYS[2]]})

    second = AssetPartition("orders", DAYS[1])
    assert some.published == {second: everything.published[second]}
    assert {key[1] for key in some.candidates} == {DAYS[0], DAYS[2]}
    assert remembered(state, "main", {}, {}).candidates == {}
    assert len(everything.published) == len(everything.candidates) == 3


def test_partitions_are_wanted_each_of_its_own_asset(state):
    named = [(1, "orders", 0), (2, "orders", 1), (3, "stock", 0), (4, "stock", 1)]
    steps = [one for n, asset, day in named for one in completed(n, asset, partition=DAYS[day])]
    moves = [change(n, asset, partition=DAYS[day]) for n, asset, day in named]
    folded(state, "r1", started(), *steps, publication("p1", *moves), finished())

    wanted = {"orders": [DAYS[0]], "stock": [DAYS[1]]}
    some = remembered(state, "main", wanted, wanted)

    pairs = {("orders", DAYS[0]), ("stock", DAYS[1])}
    assert set(some.published) == {key[:2] for key in some.candidates} == pairs
    assert all(one.version.digests for one in some.published.values())


def test_partitions_are_counted_and_their_cost_is_the_median(state):
    three_days(state)
    seconds = [made(f"x{n}", "v1", seconds=float(n), run="r2") for n in range(1, 4)]
    verified = made("x9", "v1", seconds=99.0, run="r2", outcome="verified")
    folded(state, "r2", *seconds, verified)

    (counts,) = roll_ups(state, "main").values()

    assert (counts.published, counts.rows, counts.materialized_at) == (3, 30, NOW)
    assert published_keys(state, "main", ["orders", "other"]) == {"orders": DAYS}
    assert published_keys(state, "dev", ["orders"]) == {}
    assert usual_seconds(state, ["orders", "other"]) == {"orders": pytest.approx(0.75)}


OLD_ROWS = (
    "insert into read_sets values (1, null, false)",
    """insert into versions values ('v1', 'orders', '', 'r1', '2026-01-05 12:00:00',
       'orders/v1.parquet', 'parquet', '[["id","BIGINT",""]]', 10, 1000, false, 'a1')""",
    """insert into materializations values (1, 'm1', 'r1', 'orders', '', 'v1', 'k1', 'c1',
       'materialized', false, '2026-01-05 12:00:00', 0.5, '[]', '[]')""",
    """insert into materialization_inputs values
       (1, 'raw', 'raw', 'sql', 'whole', '[""]', '["s1"]', 1, '10:1')""",
    """insert into current_publications values ('main', 'orders', '', 1, 'v1', 'm1')""",
    """insert into observations values (1, 'raw', 's1', 'r1', '2026-01-05 12:00:00', '[]', null,
       '[]', '', 'a1', '[]')""",
)


@pytest.fixture
def old_store(state, monkeypatch):
    with monkeypatch.context() as old:
        old.setattr(store_module, "MIGRATIONS", MIGRATIONS[:1])
        old.setattr(store_module, "LATEST", 1)
        with Store(state).writing() as connection:
            for statement in OLD_ROWS:
                connection.execute(statement)
    return state


def test_a_store_from_before_partitions_is_brought_up_to_date(old_store):
    (publication_,) = published(old_store, "main").values()

    assert publication_.version.path == "orders/v1.parquet"
    assert not publication_.version.packed
    assert publication_.materialization.window == ""
    assert [use.versions for use in publication_.materialization.inputs] == [("s1",)]
    assert observations(old_store)["raw"].keys() == {""}
    with Store(old_store).reading() as connection:
        assert connection.execute("select inputs from materializations").fetchall() == [(1,)]
        assert connection.execute("select made, stored from current_publications").fetchall() == [
            (1, 1)
        ]


def test_an_upgraded_store_goes_on(old_store):
    folded(old_store, "r2", *completed(2, run="r2"), publication("p2", change(2, expected=1)))

    assert published(old_store, "main")["orders", ""].version.version == "v2"
    assert len(materializations(old_store, "orders")) == 2


def without(field, record):
    """Return the line of `record` as a version wrote it that did not know its last field."""
    line = encode(record)
    assert field in line
    return line[: line.rindex(b',"' + field)] + b"}\n"


def test_lines_from_before_partitions_are_folded(state):
    seen = Observed("raw", "s1", "r1", NOW, (), None, (), "", "a1", ())
    lines = (without(b"packed", stored()), without(b"window", made()), without(b"partition", seen))
    journaled(state, "r1").write_bytes(b"".join(lines))

    fold(state, NOW)

    assert not journal_paths(state)
    assert versions(state, "orders") == (stored(),)
    assert materializations(state, "orders") == (made(),)
    assert observations(state) == {"raw": {"": seen}}
