"""Publications take effect whole or not at all, whatever order they come in."""

from hypothesis import given
from hypothesis import strategies as st

from assetflow.metadata.compare_and_set import Slot, decide, slot_of
from tests.metadata.making import change, publication, withdrawal

CHANGES = st.lists(
    st.builds(
        lambda asset, expected, number: (
            withdrawal(expected, asset) if number == 0 else change(number, asset, "", expected)
        ),
        st.sampled_from("abc"),
        st.integers(0, 4),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=3,
)
PUBLICATIONS = st.lists(st.tuples(CHANGES, st.sampled_from(["main", "dev"])), max_size=8)


def named(publications):
    return [
        publication(f"p{number}", *changes, environment=environment)
        for number, (changes, environment) in enumerate(publications)
    ]


def sequences(accepted, before):
    pointers = dict(before)
    for sequence, published in accepted:
        for each in published.changes:
            assert pointers.get(slot_of(published, each), 0) == each.expected
        for each in published.changes:
            pointers[slot_of(published, each)] = sequence if each.version else 0
    return pointers


@given(PUBLICATIONS, st.integers(0, 4))
def test_every_comparison_of_an_accepted_publication_held(publications, start):
    before = {Slot("main", "a", ""): start}
    decided = decide(named(publications), before, frozenset(), 4)

    numbers = [sequence for sequence, _ in decided.accepted]
    assert numbers == list(range(5, 5 + len(numbers)))
    assert len(decided.accepted) + len(decided.refused) == len(publications)
    sequences(decided.accepted, before)


@given(PUBLICATIONS, st.integers(0, 8))
def test_deciding_in_two_goes_is_deciding_in_one(publications, cut):
    all_of_them = named(publications)
    at_once = decide(all_of_them, {}, frozenset(), 0)

    first = decide(all_of_them[:cut], {}, frozenset(), 0)
    pointers = sequences(first.accepted, {})
    second = decide(all_of_them[cut:], pointers, frozenset(), len(first.accepted))

    assert (*first.accepted, *second.accepted) == at_once.accepted
    assert (*first.refused, *second.refused) == at_once.refused


def test_a_refusal_names_the_first_asset_and_counts_the_others():
    changes = [change(number, asset, "", 1) for number, asset in enumerate("abc", 1)]
    decided = decide([publication("p1", *changes)], {}, frozenset(), 0)

    ((_, why),) = decided.refused
    assert why == "'a' (and 2 more) was published by another run meanwhile"
