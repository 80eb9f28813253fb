"""Each asset and partition has a place of its own, on every file system."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from assetflow.model.names import AssetName
from assetflow.warehouse.layout import encoded, new_version_id, packed_path, partitions_in

names = st.text(min_size=1, max_size=300)


@given(names, names)
def test_names_that_differ_lie_apart_even_without_case(left, right):
    same = encoded(left).casefold() == encoded(right).casefold()

    assert same == (left == right)


@given(names)
def test_a_name_is_one_safe_part_of_a_path(name):
    part = encoded(name)

    assert part not in {"", ".", "..", "_"}
    assert len(part) <= 120
    assert set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-%~")


def test_names_that_differ_in_case_alone_lie_apart():
    assert len({encoded(name).casefold() for name in ("ab", "Ab", "aB", "AB")}) == 4


def test_a_packed_file_says_how_many_partitions_it_holds():
    assert partitions_in(packed_path(AssetName("a-7"), 31)) == 31
    assert partitions_in(f"a-7/{new_version_id()}.parquet") is None


def test_version_ids_are_unique_and_sort_by_time():
    ids = [new_version_id() for _ in range(1000)]
    with ThreadPoolExecutor(4) as pool:
        more = list(pool.map(lambda _: new_version_id(), range(1000)))

    assert ids == sorted(ids)
    assert len({*ids, *more}) == 2000
    assert {len(id_) for id_ in ids} == {24}
