"""What the store shows to be up to date is; all else is doubtful."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetflow.errors import MappingNotInferred
from assetflow.graph.mapping import Slice, is_slice, resolve
from assetflow.metadata.doubt import Expected, ExpectedInput, doubtful_of_files, standing
from assetflow.metadata.records import VersionsPacked
from assetflow.model.columns import EVERYTHING, ReadSet
from assetflow.model.mappings import AllPartitions, Latest, Offset, Trailing
from assetflow.model.names import WHOLE, AssetPartition
from assetflow.model.partitions import daily, keys_of, monthly, static
from assetflow.planning.history import InputRead
from tests.metadata.making import (
    AMOUNTS,
    NOW,
    change,
    folded,
    made,
    publication,
    stored,
    withdrawal,
)

TODAY = datetime(2026, 2, 3, tzinfo=UTC)
SETTINGS = (("zone", "UTC"),)
SCHEMES = [
    None,
    daily("2026-01-30", "2026-02-03"),
    daily("2026-01-31", "2026-02-03"),
    monthly("2026-01-01", "2026-03-01"),
    static(["north", "söuth"]),
]
DECLARED = [None, None, None, Trailing(2), Offset(-1), Latest(), AllPartitions("block")]


def keys(scheme):
    return keys_of(scheme, TODAY, {})


class Making:
    """Materializes partition by partition, and remembers what an up-to-date store would say."""

    def __init__(self, sources):
        self.states = sources
        self.now = {(name, key): state for name, by in sources.items() for key, state in by.items()}
        self.records, self.changes, self.expected, self.traces = [], [], [], {}

    def declare(self, name, scheme, reads):
        """`reads` are (upstream, its scheme, mapping)."""
        inputs = tuple(
            ExpectedInput(upstream, upstream, "sql", mapping, AMOUNTS, keys(above))
            for upstream, above, mapping in reads
        )
        self.expected.append(Expected(name, f"code {name}", SETTINGS, keys(scheme), inputs))
        return self.expected[-1]

    def read(self, asset, use, key):
        """Return what an input has to read now, None where something that it needs is missing."""
        whole = is_slice(use.mapping)
        wanted = use.mapping.reads(key, asset.keys, use.upstream_keys)
        found = {one: self.now.get((use.upstream, WHOLE if whole else one)) for one in wanted}
        if use.mapping.blocks and None in found.values():
            return None
        there = {one: version for one, version in found.items() if version is not None}
        what = (use.form, use.mapping.text, tuple(there), tuple(there.values()))
        return InputRead(use.name, use.upstream, *what, AMOUNTS, "digest")

    def trace(self, asset, key):
        window = asset.keys.window(key)
        inputs = tuple(self.read(asset, use, key) for use in asset.inputs)
        content = (f"code {asset.asset}", SETTINGS, window.text if window else "", inputs)
        return None if None in inputs else content

    def make(self, asset, key, **different):
        """Publish a partition whose trace is right, but for what is `different`."""
        trace = self.trace(asset, key)
        if trace is None:
            return
        number = f"{len(self.records)}"
        version = f"v{number}"
        names = ("code_version", "settings", "window", "inputs")
        record = made(
            f"m{number}", version, asset.asset, key, **dict(zip(names, trace, strict=True))
        )
        record = replace(record, **different)
        kept = stored(version, asset.asset, key)
        self.records += [kept, record]
        self.changes.append(change(number, asset.asset, key))
        self.now[asset.asset, key] = version
        self.traces[asset.asset, key] = tuple(getattr(record, name) for name in names)

    def drop_last(self):
        """Take the publication back that came last: whoever read it is behind."""
        place = self.changes.pop()
        del self.now[place.asset, place.partition], self.traces[place.asset, place.partition]

    def fold(self, state):
        folded(state, "r1", *self.records, publication("p1", *self.changes))
        return standing(state, "main", self.expected, self.states)

    def doubtful(self):
        """Return what a look at each partition by itself finds."""
        found = {
            one.asset: tuple(
                key
                for key in one.keys
                if self.trace(one, key) is None
                or self.trace(one, key) != self.traces.get((one.asset, key))
            )
            for one in self.expected
        }
        return {name: doubtful for name, doubtful in found.items() if doubtful}


def resolved(declared, below, above, *, cut):
    try:
        return resolve(declared, below, above, cut=cut)
    except MappingNotInferred:
        return None


def generated(chance):
    """Make a small project with all kinds of mappings, some of it changed, missing or behind."""
    above = {"raw": None, "files": SCHEMES[1]}
    states = {name: {key: f"s {name} {key}" for key in keys(above[name])} for name in above}
    making = Making(states)
    for number in range(4):
        name, scheme = f"asset_{number}", chance.choice(SCHEMES)
        reads = [
            (upstream, above[upstream], mapping)
            for upstream in chance.sample(sorted(above), chance.randint(0, 2))
            for mapping in [
                resolved(
                    chance.choice(DECLARED),
                    scheme,
                    above[upstream],
                    cut=Slice("at") if chance.random() < 0.5 else None,
                )
            ]
            if mapping is not None
        ]
        asset = making.declare(name, scheme, reads)
        above[name] = scheme
        for key in asset.keys:
            if chance.random() < 0.9:
                changed = {"code_version": "old"} if chance.random() < 0.1 else {}
                making.make(asset, key, **changed)
    if making.changes and chance.random() < 0.5:
        making.drop_last()
    for asset in making.expected:
        if chance.random() < 0.2 and making.traces:
            key = chance.choice(list(asset.keys))
            making.changes = [
                one for one in making.changes if (one.asset, one.partition) != (asset.asset, key)
            ]
            making.now.pop((asset.asset, key), None)
            making.traces.pop((asset.asset, key), None)
            making.make(asset, key)
    return making


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**9))
def test_it_finds_what_a_look_at_each_partition_finds(tmp_path_factory, seed):
    making = generated(random.Random(seed))

    found = making.fold(tmp_path_factory.mktemp("store") / "state")

    assert found.doubtful == making.doubtful()
    assert found.obsolete == ()
    assert sum(found.published.values()) == len(making.changes)


RAW = InputRead("raw", "raw", "sql", "same", ("2026-01-31",), ("s1",), AMOUNTS, "digest")
DIFFERENCES = {
    "code": {"code_version": "other"},
    "settings": {"settings": (("zone", "CET"),)},
    "window": {"window": "2026-01-31T06:00:00Z/2026-02-01T06:00:00Z"},
    "no inputs": {"inputs": ()},
    "another input": {"inputs": (RAW, replace(RAW, name="more"))},
    "the name of an input": {"inputs": (replace(RAW, name="more"),)},
    "the upstream": {"inputs": (replace(RAW, upstream="more"),)},
    "the form": {"inputs": (replace(RAW, form="arrow"),)},
    "the mapping": {"inputs": (replace(RAW, mapping="trailing 1"),)},
    "the columns read": {"inputs": (replace(RAW, read_set=EVERYTHING),)},
    "columns that nothing else reads": {"inputs": (replace(RAW, read_set=ReadSet.of(["id"])),)},
    "the partition read": {"inputs": (replace(RAW, partitions=("2026-02-01",)),)},
    "more partitions read": {
        "inputs": (replace(RAW, partitions=("2026-01-31", "2026-02-01"), versions=("s1", "s2")),)
    },
    "the version read": {"inputs": (replace(RAW, versions=("s2",)),)},
}


def three_days():
    days = SCHEMES[2]
    making = Making({"raw": {key: f"s{number}" for number, key in enumerate(keys(days), 1)}})
    same = resolve(None, days, days)
    return making, making.declare("orders", days, [("raw", days, same)])


@pytest.mark.parametrize("difference", DIFFERENCES.values(), ids=DIFFERENCES)
def test_each_difference_makes_its_partition_doubtful_and_no_other(state, difference):
    making, orders = three_days()
    for key in orders.keys:
        making.make(orders, key, **(difference if key == "2026-01-31" else {}))

    found = making.fold(state)

    assert found.doubtful == {"orders": ("2026-01-31",)}


def test_without_a_difference_nothing_is_doubtful(state):
    making, orders = three_days()
    for key in orders.keys:
        making.make(orders, key)

    found = making.fold(state)

    assert found.doubtful == {}
    assert found.published == {"orders": 3}
    assert sorted(found.files) == [(f"orders/v{n}.parquet", 1000, "parquet") for n in (0, 2, 4)]


def test_what_was_never_made_is_doubtful_in_another_environment_too(state):
    making, orders = three_days()
    making.make(orders, "2026-02-01")
    making.fold(state)

    missing = standing(state, "dev", making.expected, making.states)

    assert missing.doubtful == {"orders": tuple(orders.keys)}
    assert missing.published == {"orders": 0}


def test_a_key_or_an_asset_that_is_not_declared_any_more_is_obsolete(state):
    making, orders = three_days()
    making.states["raw"] |= {"2026-01-30": "s0"}
    making.now["raw", "2026-01-30"] = "s0"
    wider = replace(orders.inputs[0], upstream_keys=keys(SCHEMES[1]))
    for key in keys(SCHEMES[1]):
        making.make(replace(orders, inputs=(wider,), keys=keys(SCHEMES[1])), key)
    making.make(replace(orders, asset="gone", inputs=(), keys=keys(None)), WHOLE)

    found = making.fold(state)

    assert found.obsolete == (AssetPartition("gone"), AssetPartition("orders", "2026-01-30"))
    assert found.doubtful == {}
    assert found.published == {"orders": 3}


def test_packed_partitions_share_a_file_and_stay_sure(state):
    making, orders = three_days()
    for key in orders.keys:
        making.make(orders, key)
    making.fold(state)

    moved = tuple((making.now["orders", key], key) for key in orders.keys[:2])
    folded(state, "r2", VersionsPacked("r2", "orders", "packed.parquet", 7, 20, NOW, moved))
    found = standing(state, "main", making.expected, making.states)

    assert found.doubtful == {}
    assert found.files == (("orders/v4.parquet", 1000, "parquet"), ("packed.parquet", 7, "parquet"))
    assert doubtful_of_files(state, "main", ["packed.parquet", "other"]) == (
        AssetPartition("orders", "2026-01-31"),
        AssetPartition("orders", "2026-02-01"),
    )


def test_a_withdrawn_partition_is_doubtful(state):
    making, orders = three_days()
    for key in orders.keys:
        making.make(orders, key)
    making.fold(state)

    folded(state, "r2", publication("p2", withdrawal(1, "orders", "2026-02-02"), run="r2"))
    found = standing(state, "main", making.expected, making.states)

    assert found.doubtful == {"orders": ("2026-02-02",)}
    assert found.published == {"orders": 2}


@pytest.mark.parametrize(("missing", "doubtful"), [("skip", {}), ("block", {"total": (WHOLE,)})])
def test_what_was_read_without_a_partition_is_doubtful_where_its_absence_blocks(
    state, missing, doubtful
):
    making, orders = three_days()
    for key in orders.keys[:2]:
        making.make(orders, key)
    skips = resolve(AllPartitions(), None, SCHEMES[2])
    reads = ExpectedInput("orders", "orders", "sql", skips, AMOUNTS, orders.keys)
    total = Expected("total", "code total", SETTINGS, keys(None), (reads,))
    making.make(total, WHOLE)
    mapping = resolve(AllPartitions(missing), None, SCHEMES[2])
    making.expected.append(replace(total, inputs=(replace(reads, mapping=mapping),)))

    found = making.fold(state)

    assert found.doubtful == {"orders": (orders.keys[2],), **doubtful}
