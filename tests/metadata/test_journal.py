"""A journal keeps what was appended, and says whether its run lives."""

import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetflow.errors import JournalDamaged, StateUnusable
from assetflow.metadata.encoding import KINDS, decode, encode, kind_of, read_text
from assetflow.metadata.file_locks import try_lock
from assetflow.metadata.journal import Journal, read_journal, read_lines
from assetflow.metadata.records import (
    Audited,
    DefinitionSeen,
    DigestAdded,
    EventHappened,
    EventTimeFound,
    FailingRowsKept,
    LineageSeen,
    Observed,
    PartitionsChanged,
    RepairHappened,
    SlicesDigested,
    VersionsPacked,
)
from assetflow.model.columns import (
    EVERYTHING,
    EVERYTHING_ORDERED,
    Column,
    ColumnEdge,
    ReadSet,
    Schema,
)
from assetflow.model.file_states import FileState
from assetflow.planning.audits import CheckEvaluated, Term
from assetflow.planning.check_pages import CheckOutcome
from assetflow.quality.answers import Answer
from tests.metadata.making import (
    NOW,
    change,
    finished,
    made,
    publication,
    started,
    stepped,
    stored,
    withdrawal,
)

AUDITED = Audited(
    run="r1",
    asset="orders",
    partition="2026-01-05",
    version="v1",
    checks="c1",
    terms=(Term("between(amount)", "f1", "e1"),),
    seen="v7 -",
    verdict="failed",
    failed=(("between(amount)", "12 of 30 rows failed"),),
    audited_at=NOW,
    results=(
        CheckEvaluated(
            Term("between(amount)", "f1", "e1"),
            CheckOutcome(
                "between(amount)", "between", Answer("failed", "é", "", 12, 30, 0.5), ("amount",)
            ),
            "10:d",
            0.25,
        ),
    ),
)

SAMPLES = [
    started(),
    finished(),
    replace(stepped(), rows=None, materialization=None, error="boom\n  line two\t\x00"),
    DefinitionSeen(
        "orders", "c1", "sql", "select 'é\u2028' -- 漢\n", (("id", "f"),), "1", "a.sql", NOW
    ),
    LineageSeen(
        "orders",
        "c1",
        (("raw", "raw_orders"),),
        (("raw", EVERYTHING_ORDERED),),
        (ColumnEdge("raw", "id", "", "join"),),
    ),
    stored(),
    replace(stored(), rows=None, schema=(), digests=()),
    DigestAdded("v1", ReadSet.of([]), "a1", "10:"),
    SlicesDigested("v1", "slice by at in UTC", ReadSet.of(["id"]), "a1", (("w1", "3:"),)),
    EventTimeFound("v1", "at in UTC", NOW),
    EventTimeFound("v2", "at in UTC", None),
    made(),
    replace(made(), inputs=(), metadata=()),
    publication("p1", change(1), withdrawal(3, "customers", "2026-01-05")),
    Observed(
        "raw",
        "s1",
        "r1",
        NOW,
        (Column("id", "BIGINT"),),
        None,
        (FileState("a.csv", 1, 2**62, 3, 2**63, "d"),),
        "",
        "a1",
        ((EVERYTHING, "1:2"),),
    ),
    VersionsPacked("r1", "orders", "p.parquet", 9, None, NOW, (("v1", "2026-01-05"),)),
    PartitionsChanged("ch1", "stores", ("a", "b"), ("c",), NOW, None),
    EventHappened("e1", NOW, "gc", None, "", None, (("removed", "3"),)),
    AUDITED,
    FailingRowsKept("r1", "orders", "", "v1", "c", NOW, (("id", ""),), ("[1]",), "q/x.parquet"),
    RepairHappened("h1", "r1", "main", "orders", "", "least", NOW, "tried", "", "ann"),
]


def test_the_samples_are_of_every_kind():
    assert {type(sample) for sample in SAMPLES} == set(KINDS.values())


@pytest.mark.parametrize("record", SAMPLES, ids=lambda record: type(record).__name__)
def test_a_record_is_the_same_after_its_line(record):
    line = encode(record)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert kind_of(line) == type(record).__name__
    assert decode(line) == record


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives(text):
    record = replace(stepped(), output=text)

    assert decode(encode(record)) == record


def test_what_is_no_unicode_becomes_a_question_mark():
    record = replace(stepped(), output="caf\udce9")

    assert decode(encode(record)).output == "caf?"


def test_instants_are_kept_as_utc():
    berlin = datetime(2026, 1, 5, 13, tzinfo=timezone(timedelta(hours=1)))

    assert decode(encode(started(at=berlin))).started_at == NOW
    assert b'"2026-01-05T12:00:00.000000Z"' in encode(started(at=berlin))
    with pytest.raises(ValueError, match="no time zone"):
        encode(started(at=NOW.replace(tzinfo=None)))


WRONG = {
    "no JSON": b"{",
    "no record": b"[]",
    "unknown kind": b'{"record":"Forgotten"}',
    "missing field": b'{"record":"RunStarted","run":"r1"}',
    "wrong type": encode(finished()).replace(b'"succeeded"', b"7"),
    "wrong instant": encode(finished()).replace(b"2026-01-05T", b"someday"),
    "wrong length": encode(finished()).replace(b'["materialized",1]', b'["materialized"]'),
    "no UTF-8": encode(finished()).replace(b"succeeded", b"\xff"),
}


@pytest.mark.parametrize("line", WRONG.values(), ids=WRONG)
def test_a_line_that_is_no_record_is_refused(line):
    with pytest.raises(ValueError):  # noqa: PT011 - the reason is JSON's or our own
        decode(line)


def test_a_journal_gives_back_what_was_appended_and_where_it_goes_on(tmp_path):
    journal = Journal(tmp_path, "r1")
    for record in SAMPLES[:5]:
        journal.append(record)
    first, offset = read_journal(journal.path)
    for record in SAMPLES[5:]:
        journal.append(record)
    second, end = read_journal(journal.path, offset)
    journal.close()

    assert [*first, *second] == SAMPLES
    assert end == journal.path.stat().st_size
    assert read_journal(journal.path, end) == ((), end)


def test_a_torn_last_line_does_not_count(tmp_path):
    journal = Journal(tmp_path, "r1")
    journal.append(started())
    journal.append(finished())
    journal.close()
    whole = journal.path.read_bytes()
    first_end = whole.index(b"\n") + 1

    for size in {*range(first_end, len(whole), 17), first_end + 1, len(whole) - 1}:
        journal.path.write_bytes(whole[:size])
        assert read_journal(journal.path) == ((started(),), first_end)


def test_damage_is_named_with_file_and_line(tmp_path):
    path = tmp_path / "r1.jsonl"
    good = encode(started())
    path.write_bytes(good + b"{broken}\n" + good)

    with pytest.raises(JournalDamaged) as raised:
        read_journal(path)
    assert raised.value.line == 2
    assert f"{path}:2" in str(raised.value)

    with pytest.raises(JournalDamaged) as raised:
        read_journal(path, len(good))
    assert raised.value.line == 2


@pytest.mark.parametrize("limit", [1, 7, 100, 10_000])
def test_lines_are_whole_however_much_is_read_at_once(tmp_path, limit):
    lines = [encode(sample) for sample in SAMPLES]
    path = tmp_path / "r1.jsonl"
    path.write_bytes(b"".join(lines) + b"torn")

    found, offset = [], 0
    while (chunk := read_lines(path, offset, limit)).lines:
        found += chunk.lines
        offset = chunk.next_offset

    assert found == [line.rstrip(b"\n") for line in lines]


def test_threads_do_not_mix_their_lines(tmp_path):
    journal = Journal(tmp_path, "r1")

    def write(thread):
        for number in range(200):
            journal.append(stored(f"{thread}-{number}"))

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()

    records, _ = read_journal(journal.path)
    assert {record.version for record in records} == {
        f"{thread}-{number}" for thread in range(4) for number in range(200)
    }


def test_a_journal_is_locked_while_its_run_lives(tmp_path):
    journal = Journal(tmp_path, "r1")
    descriptor = os.open(journal.path, os.O_RDONLY)

    assert not try_lock(descriptor)
    journal.close()
    assert try_lock(descriptor)
    os.close(descriptor)


def test_a_closed_journal_takes_nothing_and_closes_again(tmp_path):
    journal = Journal(tmp_path, "r1")
    journal.close()
    journal.close()

    with pytest.raises(ValueError, match="closed"):
        journal.append(started())


def test_one_run_has_one_journal(tmp_path):
    journal = Journal(tmp_path, "r1")
    with pytest.raises(StateUnusable):
        Journal(tmp_path, "r1")
    journal.close()


def test_a_line_that_finds_no_room_leaves_nothing_behind(tmp_path, full_after):
    journal = Journal(tmp_path, "r1")
    journal.append(started())
    size = journal.path.stat().st_size

    with full_after(size + 10), pytest.raises(StateUnusable):
        journal.append(finished())

    assert journal.path.stat().st_size == size
    journal.append(finished())
    journal.close()
    assert read_journal(journal.path)[0] == (started(), finished())


def test_the_state_folder_keeps_itself_out_of_git(tmp_path):
    Journal(tmp_path / ".assetflow", "r1").close()

    assert (tmp_path / ".assetflow" / ".gitignore").read_text() == "*\n"


def test_a_state_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StateUnusable):
        Journal(tmp_path / "file" / ".assetflow", "r1")


def test_instants_sort_as_their_texts_do():
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)

    assert encode(started(at=early)) < encode(started(at=late))


def test_what_was_kept_before_a_type_gained_fields_has_their_defaults():
    assert read_text(Schema, '[["a","DATE",""]]') == (Column("a", "DATE"),)
    assert read_text(Schema, '[["a","DATE"]]') == (Column("a", "DATE"),)
    with pytest.raises(ValueError, match="zip"):
        read_text(Schema, '[["a"]]')
