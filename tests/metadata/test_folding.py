"""Folding takes in what journals hold: once, whole, and in whatever pieces it comes."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetflow.errors import JournalDamaged
from assetflow.metadata.encoding import encode
from assetflow.metadata.folder import journal_path, prepare
from assetflow.metadata.folding import fold
from assetflow.metadata.journal import Journal
from assetflow.metadata.recall import (
    candidates,
    events,
    publication_outcomes,
    published,
    run,
    runs,
    verify_events,
)
from assetflow.metadata.records import DigestAdded, EventHappened
from assetflow.metadata.store import Store
from assetflow.model.columns import ReadSet
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
    stepped,
    stored,
    withdrawal,
)
from tests.metadata.test_journal import SAMPLES


def table_names(connection):
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'store' order by all"
    )
    return [name for (name,) in rows.fetchall()]


def contents(state, *without):
    """Return every table as a sorted list of rows, but for numbers that follow the order."""
    order = {
        "materializations": "number",
        "observations": "number",
        "materialization_inputs": "materialization",
        "events": "number, hash",
        "publications": "sequence, applied_at",
        "current_publications": "sequence",
        "journals": "folded_bytes",
        "digests": "read_set",
        "asset_edges": "read_set",
        "read_sets": "read_set",
    }
    with Store(state).reading() as connection:
        return {
            table: sorted(
                map(
                    repr,
                    connection.execute(
                        f"select * {f'exclude ({order[table]})' if table in order else ''} "
                        f"from {table}"
                    ).fetchall(),
                )
            )
            for table in table_names(connection)
            if table not in without
        }


def test_nothing_to_fold_makes_nothing(state):
    assert fold(state, NOW).records == 0
    assert not state.exists()


def test_a_run_that_is_over_is_taken_whole_and_its_journal_removed(state):
    path = journaled(
        state, "r1", started(), *completed(1), publication("p1", change(1)), finished()
    )

    result = fold(state, NOW)

    assert (result.records, result.accepted, result.refused) == (6, (("p1", 1),), ())
    assert not path.exists()
    assert published_versions(published(state, "main")) == {"orders": "v1"}
    serving = published(state, "main")["orders", ""]
    assert (serving.version, serving.materialization) == (stored(), made())
    assert run(state, "r1").steps == (stepped(),)


def test_every_kind_of_record_is_taken_in(state):
    result = folded(state, "r1", *SAMPLES, stored("v1"), made("m1"))

    assert result.records == len(SAMPLES) + 2


def test_a_journal_at_work_is_taken_bit_by_bit_and_stays(state):
    journal = Journal(state, "r1")
    journal.append(started())
    assert fold(state, NOW).records == 1
    assert fold(state, NOW).records == 0
    for record in completed(1):
        journal.append(record)
    assert fold(state, NOW).records == 3
    assert runs(state)[0].status == "running"
    assert journal.path.exists()

    journal.append(publication("p1", change(1)))
    journal.append(finished())
    journal.close()
    assert fold(state, NOW).records == 2
    assert not journal.path.exists()
    assert runs(state)[0].status == "succeeded"
    assert published_versions(published(state, "main")) == {"orders": "v1"}


def test_a_run_that_died_is_marked_interrupted_and_its_work_is_kept(state):
    path = journaled(state, "r1", started(), *completed(1))
    with path.open("ab") as file:
        file.write(encode(finished())[:-9])

    fold(state, later(hours=1))

    assert not path.exists()
    found = runs(state)[0]
    assert (found.status, found.finished_at) == ("interrupted", later(hours=1))
    assert list(candidates(state, ["orders"])) == [("orders", "", "key of v1")]
    assert published(state, "main") == {}


def test_a_run_whose_journal_vanished_is_marked_interrupted(state):
    journal = Journal(state, "r1")
    journal.append(started())
    fold(state, NOW)
    journal.path.unlink()
    journal.close()

    folded(state, "r2", started("r2"), finished("r2"))

    assert {each.started.run: each.status for each in runs(state)} == {
        "r1": "interrupted",
        "r2": "succeeded",
    }


def test_an_empty_journal_that_was_left_behind_is_removed(state):
    path = journaled(state, "r1")

    fold(state, NOW)

    assert not path.exists()
    assert runs(state) == ()


def test_the_same_journal_again_changes_nothing(state):
    records = (started(), *completed(1), publication("p1", change(1)), *SAMPLES[3:5], finished())
    folded(state, "r1", *records)
    before = contents(state)

    with Store(state).writing() as connection:
        connection.execute("delete from journals")
    folded(state, "r1", *records)

    assert contents(state) == before


def test_a_damaged_line_stops_the_fold_and_loses_nothing(state):
    path = journaled(state, "r1", started(), *completed(1), finished())
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"size_bytes":1000', b'"size_bytes":"big"'))

    with pytest.raises(JournalDamaged) as raised:
        fold(state, NOW)

    assert raised.value.line == 2
    assert runs(state) == ()
    path.write_bytes(whole)
    assert fold(state, NOW).records == 5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{"record":"StepFinished"', b'{"record":"Unheard"'),
        (b'"rows":10', b'"rows":1e30'),
        (b'{"record":"StepFinished"', b"\x00\x00"),
        (b'"attempts":1', b'"attempts":9999999999'),
        (b'"asset":"orders"', b'"asset":"\xff\xfe"'),
    ],
)
def test_whatever_a_line_holds_it_is_a_clear_error(state, old, new):
    path = journaled(state, "r1", started(), *completed(1), finished())
    path.write_bytes(path.read_bytes().replace(old, new))

    with pytest.raises(JournalDamaged):
        fold(state, NOW)
    assert runs(state) == ()


def test_digests_that_are_added_later_are_kept_once(state):
    added = DigestAdded("v1", ReadSet.of(["id"]), "a1", "10:7")
    folded(state, "r1", *completed(1), publication("p1", change(1)), added, added)
    folded(state, "r2", added)

    found = published(state, "main")["orders", ""].version.digests
    assert found == (*stored().digests, (ReadSet.of(["id"]), "10:7"))


def test_digests_of_another_algorithm_are_given_when_asked_for(state):
    added = DigestAdded("v1", ReadSet.of(["id"]), "a2", "10:8")
    folded(state, "r1", *completed(1), publication("p1", change(1)), added)

    own = published(state, "main")["orders", ""].version
    other = published(state, "main", "a2")["orders", ""].version
    assert own == stored()
    assert (other.algorithm, other.digests) == ("a2", ((ReadSet.of(["id"]), "10:8"),))
    assert published(state, "main", "a3")["orders", ""].version == stored()


def test_a_publication_takes_effect_only_on_what_its_plan_saw(state):
    folded(state, "r1", *completed(1), publication("p1", change(1)))
    result = folded(
        state,
        "r2",
        *completed(2, run="r2"),
        *completed(3, "customers", run="r2"),
        publication("p2", change(2), change(3, "customers"), run="r2"),
    )

    assert result.accepted == ()
    assert [each.publication for each in result.refused] == ["p2"]
    assert "'orders'" in result.refused[0].why
    assert published_versions(published(state, "main")) == {"orders": "v1"}
    assert publication_outcomes(state, ["p1", "p2", "p3"]) == {"p1": 1, "p2": result.refused[0]}
    assert [event.kind for event in events(state)] == ["published", "publication_refused"]

    again = folded(
        state, "r3", publication("p3", change(2, expected=1), change(3, "customers"), run="r3")
    )
    assert again.accepted == (("p3", 2),)
    assert published_versions(published(state, "main")) == {"orders": "v2", "customers": "v3"}


def test_publications_follow_one_another_in_one_fold(state):
    journaled(state, "a", *completed(1), publication("p1", change(1)))
    journaled(state, "b", *completed(2), publication("p2", change(2, expected=1)))
    journaled(state, "c", *completed(3), publication("p3", change(3, expected=1)))

    result = fold(state, NOW)

    assert result.accepted == (("p1", 1), ("p2", 2))
    assert [each.publication for each in result.refused] == ["p3"]


def test_a_withdrawn_pointer_starts_again_from_nothing(state):
    folded(state, "r1", *completed(1), publication("p1", change(1)))
    folded(state, "r2", publication("p2", withdrawal(1)))
    assert published(state, "main") == {}

    assert folded(state, "r3", publication("p3", change(1, expected=2))).accepted == ()
    assert folded(state, "r4", publication("p4", change(1))).accepted == (("p4", 3),)


def test_environments_do_not_meet(state):
    folded(state, "r1", *completed(1), *completed(2), publication("p1", change(1)))
    folded(state, "r2", publication("p2", change(2), environment="dev"))

    assert published_versions(published(state, "main")) == {"orders": "v1"}
    assert published_versions(published(state, "dev")) == {"orders": "v2"}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([change(9)], "not there"),
        ([replace(change(1), materialization="m9")], "not there"),
        ([change(1), change(1)], "twice"),
        ([change(1, expected=7)], "another run"),
    ],
)
def test_a_publication_that_cannot_be_is_refused(state, changes, why):
    result = folded(state, "r1", *completed(1), publication("p1", *changes))

    assert why in result.refused[0].why
    assert published(state, "main") == {}


def test_a_run_at_work_hears_of_a_refusal_that_another_process_decided(state):
    folded(state, "r1", *completed(1), publication("p1", change(1)))
    journal = Journal(state, "r2")
    journal.append(publication("p2", change(1), run="r2"))
    fold(state, NOW)  # as another process

    assert [each.publication for each in fold(state, NOW).refused] == ["p2"]
    journal.close()


def test_a_publication_waits_for_what_it_publishes(state, monkeypatch):
    """A version in a journal that was read too early may be published by one read later."""
    early = Journal(state, "a")
    late = Journal(state, "b")
    early.append(started("a"))
    late.append(started("b"))
    from assetflow.metadata import folding

    read = folding.read_lines

    def read_and_go_on(path, offset):
        lines = read(path, offset)
        if path == early.path and not offset:
            for record in completed(1, run="a"):
                early.append(record)
            late.append(publication("p1", change(1), run="b"))
        return lines

    monkeypatch.setattr(folding, "read_lines", read_and_go_on)
    # The rest of the early journal came after it was read: its chunks end there.
    monkeypatch.setattr(
        folding, "_chunks", lambda journal, offset: _first_chunk(folding, journal, offset)
    )
    first = fold(state, NOW)
    monkeypatch.undo()
    second = fold(state, NOW)

    assert (first.accepted, first.refused) == ((), ())
    assert (second.accepted, second.refused) == ((("p1", 1),), ())
    early.close()
    late.close()


def _first_chunk(folding, journal, offset):
    whole = folding.read_lines(journal.path, offset)
    yield folding._without_late_publications(whole, offset, journal.size)


def test_the_audit_trail_is_chained(state):
    told = EventHappened("e1", NOW, "gc", None, "", "orders", (("removed", "1"),))
    folded(state, "r1", started(), *completed(1), publication("p1", change(1)), told, finished())

    kinds = [event.kind for event in events(state)]
    assert kinds == ["run_started", "published", "gc", "run_finished"]
    assert verify_events(state) is None


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("update events set detail = '[]' where number = 2", 2),
        ("update events set happened_at = '2026-01-05T12:00:00.000001Z' where number = 1", 1),
        ("delete from events where number = 2", 2),
        ("update events set asset = 'orders' where number = 3", 3),
        ("update events set number = 7 - number where number in (3, 4)", 3),
    ],
)
def test_tampering_with_the_trail_is_found(state, tampering, broken):
    folded(state, "r1", started(), *completed(1), publication("p1", change(1)), finished())
    folded(state, "r2", started("r2"), finished("r2"))
    assert verify_events(state) is None

    with Store(state).writing() as connection:
        connection.execute(tampering)

    assert verify_events(state).number == broken


def steps_of(run_id, numbers, assets):
    for number, asset in zip(numbers, assets, strict=True):
        yield from completed(f"{run_id}{number}", asset, run=run_id)


JOURNALS = st.lists(
    st.lists(st.sampled_from(["orders", "customers", "days"]), max_size=4), min_size=1, max_size=3
)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(journals=JOURNALS, data=st.data())
def test_any_split_into_folds_gives_the_same_tables(tmp_path_factory, journals, data):
    """Publications without conflicts: each run publishes in an environment of its own."""
    lines = {}
    for number, assets in enumerate(journals):
        run_id = f"r{number}"
        latest = {asset: f"{run_id}{step}" for step, asset in enumerate(assets)}
        lines[run_id] = [
            encode(record)
            for record in (
                started(run_id, run_id),
                *steps_of(run_id, range(len(assets)), assets),
                *steps_of(run_id, range(len(assets)), assets),
                publication(
                    f"p{run_id}",
                    *(change(which, asset) for asset, which in latest.items()),
                    environment=run_id,
                    run=run_id,
                ),
                finished(run_id),
            )
        ]
    at_once = tmp_path_factory.mktemp("once")
    bit_by_bit = tmp_path_factory.mktemp("bits")
    for state in (at_once, bit_by_bit):
        prepare(state)

    for run_id, each in lines.items():
        journal_path(at_once, run_id).write_bytes(b"".join(each))
    fold(at_once, NOW)

    growing = {run_id: Journal(bit_by_bit, run_id) for run_id in lines}
    rest = {run_id: b"".join(each) for run_id, each in lines.items()}
    while any(rest.values()):
        run_id = data.draw(st.sampled_from([name for name, left in rest.items() if left]))
        size = data.draw(st.integers(1 + len(rest[run_id]) // 3, len(rest[run_id])))
        with growing[run_id].path.open("ab") as file:
            file.write(rest[run_id][:size])
        rest[run_id] = rest[run_id][size:]
        if data.draw(st.booleans()):
            fold(bit_by_bit, NOW)
    for journal in growing.values():
        journal.close()
    fold(bit_by_bit, NOW)

    assert contents(bit_by_bit) == contents(at_once)
    assert verify_events(bit_by_bit) is None
