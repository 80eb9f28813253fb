"""What was folded is found again: by environment, by key, by run, as of a moment."""

from dataclasses import replace

import pytest

from assetflow.errors import VersionsRemoved
from assetflow.metadata.environments import Request, create, delete, promote, rollback
from assetflow.metadata.folding import fold
from assetflow.metadata.journal import Journal
from assetflow.metadata.outline import moved_since
from assetflow.metadata.recall import (
    candidates,
    definition_parts,
    definitions,
    environments,
    events,
    materializations,
    newest_volatile,
    observations,
    pointers,
    publication_history,
    published,
    run,
    runs,
    versions,
)
from assetflow.metadata.records import Observed
from assetflow.metadata.retention import mark_removed, unreferenced
from assetflow.metadata.tail import JournalTail
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
    published_versions,
    started,
    stored,
    withdrawal,
)
from tests.metadata.test_journal import SAMPLES

DEFINITION, LINEAGE = SAMPLES[3], SAMPLES[4]
OBSERVATION = next(sample for sample in SAMPLES if isinstance(sample, Observed))


def versions_of(found):
    return sorted(pointer.version for pointer in found.values())


def test_the_newest_materialization_of_each_key_is_the_candidate(state):
    again = made("m9", "v2", key="key of v1", created_at=later(hours=1))
    folded(state, "r1", *completed(1), stored("v2"), made("m2", "v2"), again)
    folded(state, "r2", *completed(3, "customers", run="r2"))

    found = candidates(state, ["orders"])

    assert {key: each.materialization.materialization for key, each in found.items()} == {
        ("orders", "", "key of v1"): "m9",
        ("orders", "", "key of v2"): "m2",
    }
    assert found["orders", "", "key of v1"].version == stored("v2")
    assert candidates(state, []) == {}


def test_removed_and_volatile_ones_are_no_candidates(state):
    folded(state, "r1", *completed(1), *completed(2), stored("v3"))
    folded(state, "r2", made("m3", "v3", is_volatile=True))
    mark_removed(state, ["v1"], NOW)

    assert [key for _, _, key in candidates(state, ["orders"])] == ["key of v2"]


def volatile(number, run_id, **when):
    version = f"v{number}"
    record = made(f"m{number}", version, run=run_id, is_volatile=True, created_at=later(**when))
    return [stored(version, run=run_id), record]


def newest(state, environment):
    found = newest_volatile(state, environment, ["orders"])
    return found["orders", ""].version.version if found else None


def test_of_a_volatile_asset_only_the_newest_counts_in_its_environment(state):
    folded(state, "r1", started("r1"), *volatile(1, "r1", hours=1), *volatile(2, "r1", hours=2))
    folded(state, "r2", started("r2", "dev"), *volatile(3, "r2", hours=3))

    assert (newest(state, "main"), newest(state, "dev")) == ("v2", "v3")
    assert newest(state, "other") is None

    folded(state, "r3", publication("p1", change(1), environment="other", run="r3"))
    assert newest(state, "other") == "v1"

    mark_removed(state, ["v2"], NOW)
    assert newest(state, "main") is None


def test_what_was_made_while_an_asset_was_not_volatile_counts_as_newer(state):
    folded(state, "r1", started("r1"), *volatile(1, "r1", hours=1))
    folded(state, "r2", started("r2"), stored("v2", run="r2"))
    folded(state, "r3", started("r3"), made("m2", "v2", run="r3", created_at=later(hours=2)))

    assert newest(state, "main") is None


def test_the_newest_observation_of_each_source_is_kept(state):
    second = replace(OBSERVATION, state="s2", observed_at=later(hours=1))
    back = replace(OBSERVATION, observed_at=later(hours=2))
    folded(state, "r1", OBSERVATION, second)
    assert observations(state) == {"raw": {"": second}}

    folded(state, "r2", back)
    assert observations(state) == {"raw": {"": back}}


def test_runs_are_listed_newest_first(state):
    for number in range(3):
        run_id = f"r{number}"
        begun = started(run_id, at=later(minutes=number))
        folded(state, run_id, begun, *completed(number, run=run_id), finished(run_id))

    assert [each.started.run for each in runs(state, 2)] == ["r2", "r1"]
    assert run(state, "r1").summary == runs(state)[1]
    assert run(state, "r1").summary.counts == (("materialized", 1),)
    assert run(state, "unheard") is None


def test_versions_and_materializations_of_an_asset_are_newest_first(state):
    for number in range(3):
        folded(state, f"r{number}", *completed(number, at=later(minutes=number)))

    assert [each.version for each in versions(state, "orders")] == ["v2", "v1", "v0"]
    found = materializations(state, "orders", 2)
    assert [each.materialization for each in found] == ["m2", "m1"]
    assert found[0].metadata == (("accuracy", "0.9"),)


def test_definitions_are_found_by_code_version(state):
    folded(state, "r1", DEFINITION, LINEAGE)
    folded(state, "r2", replace(DEFINITION, seen_at=later(hours=1)), LINEAGE)

    assert definitions(state, ["c1", "c2"]) == {("orders", "c1"): DEFINITION}
    assert definition_parts(state, ["c1"]) == {("orders", "c1"): (("id", "f"),)}


def three_publications(state):
    folded(state, "r1", *completed(1), publication("p1", change(1)), at=NOW)
    more = [*completed(2), *completed(3, "customers")]
    moves = [change(2, expected=1), change(3, "customers")]
    folded(state, "r2", *more, publication("p2", *moves), at=later(hours=1))
    folded(state, "r3", publication("p3", withdrawal(2)), at=later(hours=2))


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (None, ["v3"]),
        (3, ["v3"]),
        (2, ["v2", "v3"]),
        (1, ["v1"]),
        (0, []),
        (later(minutes=-1), []),
        (later(minutes=59), ["v1"]),
        (later(hours=1), ["v2", "v3"]),
        (later(days=9), ["v3"]),
    ],
)
def test_the_pointers_stand_as_they_stood(state, as_of, expected):
    three_publications(state)

    assert versions_of(pointers(state, "main", as_of)) == expected


def test_the_publications_are_listed_newest_first(state):
    three_publications(state)

    listed = publication_history(state, "main")
    assert [(each.sequence, each.publication, each.moved) for each in listed] == [
        (3, "p3", 1),
        (2, "p2", 2),
        (1, "p1", 1),
    ]
    assert listed[0].applied_at == later(hours=2)
    assert publication_history(state, "dev") == ()


def test_an_environment_starts_from_another_and_goes_its_own_way(state):
    three_publications(state)
    dev = Request("p4", "e1", "dev", NOW)
    folded(state, "e1", create(dev, pointers(state, "main", 2)))
    assert environments(state) == {"dev": 2, "main": 1}
    assert published_versions(published(state, "dev")) == {"customers": "v3", "orders": "v2"}

    folded(
        state, "r5", *completed(5, "days"), publication("p5", change(5, "days"), environment="dev")
    )
    back = promote(
        Request("p6", "e2", "main", NOW), pointers(state, "dev"), pointers(state, "main")
    )
    assert folded(state, "e2", back).refused == ()
    assert versions_of(pointers(state, "main")) == ["v2", "v3", "v5"]

    folded(state, "e3", delete(Request("p7", "e3", "dev", NOW), pointers(state, "dev")))
    assert environments(state) == {"main": 3}


def test_an_environment_that_is_there_is_not_started_again(state):
    three_publications(state)
    for number in range(2):
        request = Request(f"e{number}", f"e{number}", "dev", NOW)
        result = folded(state, f"e{number}", create(request, pointers(state, "main")))
    assert [each.publication for each in result.refused] == ["e1"]


def test_promoting_can_withdraw_what_the_source_does_not_have(state):
    three_publications(state)
    one = pointers(state, "main", 1)

    kept = promote(Request("p", "e", "main", NOW), one, pointers(state, "main"))
    exact = promote(Request("p", "e", "main", NOW), one, pointers(state, "main"), withdraw=True)

    assert kept.changes == (change(1),)
    assert exact.changes == (change(1), withdrawal(2, "customers"))


def test_a_rollback_is_a_new_publication_of_an_earlier_state(state):
    three_publications(state)
    request = Request("p4", "e1", "main", NOW)
    back = rollback(request, pointers(state, "main", 1), pointers(state, "main"))

    assert folded(state, "e1", back).accepted == (("p4", 4),)
    assert versions_of(pointers(state, "main")) == ["v1"]
    assert versions_of(pointers(state, "main", 3)) == ["v3"]


def test_a_state_whose_versions_were_removed_cannot_come_back(state):
    three_publications(state)
    mark_removed(state, ["v1"], NOW)

    with pytest.raises(VersionsRemoved, match="main"):
        rollback(
            Request("p4", "e1", "main", NOW), pointers(state, "main", 1), pointers(state, "main")
        )
    assert folded(state, "e1", publication("p4", change(1))).refused != ()


def unreferenced_at(state, instant, retention=7 * 24 * 3600.0):
    return sorted(each.version for each in unreferenced(state, instant, retention).versions)


def test_retention_counts_from_when_the_last_pointer_left(state):
    three_publications(state)  # v1 left after 1 hour, v2 after 2 hours
    week = {"days": 7}

    assert unreferenced_at(state, later(hours=1, minutes=-1, **week)) == []
    assert unreferenced_at(state, later(hours=1, minutes=1, **week)) == ["v1"]
    assert unreferenced_at(state, later(hours=2, minutes=1, **week)) == ["v1", "v2"]
    assert unreferenced_at(state, later(days=99)) == ["v1", "v2"]


def test_retention_counts_from_the_last_of_several_times(state):
    three_publications(state)
    folded(state, "r4", publication("p4", change(1)), at=later(hours=3))
    folded(state, "r5", publication("p5", withdrawal(4)), at=later(hours=4))

    assert unreferenced_at(state, later(days=7, hours=3, minutes=59)) == ["v2"]
    assert unreferenced_at(state, later(days=7, hours=4, minutes=1)) == ["v1", "v2"]


def test_a_version_that_was_never_published_counts_from_its_making(state):
    folded(state, "r1", *completed(1), at=later(days=3))

    assert unreferenced_at(state, later(days=6)) == []
    assert unreferenced_at(state, later(days=8)) == ["v1"]


def test_retention_is_an_hour_at_least(state):
    folded(state, "r1", *completed(1))

    assert unreferenced_at(state, later(minutes=59), 0.0) == []
    assert unreferenced_at(state, later(minutes=61), 0.0) == ["v1"]


def test_a_version_that_any_environment_shows_stays(state):
    three_publications(state)
    folded(state, "r4", publication("p4", change(1), environment="dev"))

    assert unreferenced_at(state, later(days=99)) == ["v2"]


def test_a_version_that_is_pointed_to_again_is_not_marked(state):
    three_publications(state)
    folded(state, "r4", publication("p4", change(1)))

    mark_removed(state, ["v1", "v2", "v2"], NOW)
    mark_removed(state, ["v2"], NOW)

    assert [each.version for each in versions(state, "orders")] == ["v1"]
    assert unreferenced_at(state, later(days=99)) == []


def test_a_tail_gives_what_others_complete_as_they_go(state):
    folded(state, "r0", *completed(0))
    own = Journal(state, "own")
    tail = JournalTail(state, "own")
    assert tail.poll() == {}

    other = Journal(state, "other")
    other.append(started("other"))
    own.append(started("own"))
    assert tail.poll() == {"main": [started("other")]}
    for record in completed(1, run="other"):
        other.append(record)
    assert tail.poll() == {"main": [*completed(1, run="other")]}
    assert tail.poll() == {}
    other.close()
    own.close()


def test_a_tail_finds_what_came_and_was_folded_between_two_looks(state):
    tail = JournalTail(state, "own")
    journaled(state, "r1", started("r1"), *completed(1), finished("r1"))
    journaled(state, "own", started("own"), *completed(2, run="own"))
    fold(state, NOW)

    assert tail.poll() == {"main": [stored("v1"), made("m1")]}
    assert tail.poll() == {}


def test_events_can_be_limited_to_the_newest(state):
    three_publications(state)

    assert [each.number for each in events(state)] == [1, 2, 3]
    assert [each.number for each in events(state, 2)] == [2, 3]


def test_what_moved_since_a_publication_is_told_by_name(state):
    three_publications(state)

    assert moved_since(state, "main", 0) == (3, {"customers", "orders"})
    assert moved_since(state, "main", 2) == (3, {"orders"})
    assert moved_since(state, "main", 3) == (3, frozenset())
    assert moved_since(state, "dev", 0) == (0, frozenset())
