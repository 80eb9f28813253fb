"""A distribution that moved is told from one that chance alone moved."""

from datetime import UTC, datetime

import duckdb
import pytest

from assetflow.model.check_options import Drift
from assetflow.model.columns import Column
from assetflow.quality.answers import Known
from assetflow.quality.drift import Counts, drift
from assetflow.quality.judging import judged
from assetflow.quality.queries import BASELINE, queries
from assetflow.warehouse.auditing import ask

METHODS = ("psi", "ks", "js")
KNOWN = Known(datetime(2026, 1, 22, tzinfo=UTC))


def answer_of(type_, before, now, method, where=None, rows=4000):
    """Return the answer for values of `type_`, which SQL expressions over `i` give."""
    schema = (Column("x", type_), Column("i", "BIGINT"))
    check = Drift(column="x", method=method, where=where).frozen()
    with duckdb.connect() as opened:
        for name, value in (("before", before), ("now", now)):
            opened.execute(
                f"create table {name} as "
                f"select ({value})::{type_} as x, i from range({rows}) as r(i)"
            )
        values = ask(opened, queries(check, schema, "now", {BASELINE: "before"}))
    return judged(check, schema, values, rows, KNOWN)


SAME = [
    ("DOUBLE", "hash(i) % 1000 / 10", "hash(i + 5000) % 1000 / 10"),
    ("DECIMAL(9,2)", "hash(i) % 1000", "hash(i + 5000) % 1000"),
    ("INTEGER", "hash(i) % 3", "hash(i + 5000) % 3"),
    ("VARCHAR", "'v' || hash(i) % 5", "'v' || hash(i + 5000) % 5"),
    ("VARCHAR", "'v' || hash(i) % 900", "'v' || hash(i + 5000) % 900"),
    ("DATE", "date '2026-01-01' + (hash(i) % 90)::int", "date '2026-01-01' + (hash(-i) % 90)::int"),
    ("BOOLEAN", "hash(i) % 2", "hash(i + 5000) % 2"),
    ("DOUBLE", "7", "7"),
    ("DOUBLE", "null", "null"),
]
MOVED = [
    ("DOUBLE", "hash(i) % 1000 / 10", "hash(i) % 1000 / 10 + 30"),
    ("INTEGER", "hash(i) % 3", "hash(i) % 5"),
    ("VARCHAR", "'v' || hash(i) % 5", "'v' || hash(i) % 3"),
    ("VARCHAR", "'v' || hash(i) % 5", "'new'"),
    ("DATE", "date '2026-01-01' + (hash(i) % 90)::int", "date '2026-03-01' + (hash(i) % 90)::int"),
    ("DOUBLE", "hash(i) % 1000", "case when hash(i) % 2 = 0 then hash(i) % 1000 end"),
    ("DOUBLE", "7", "8"),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("type_", "before", "now"), SAME)
def test_another_sample_of_the_same_is_no_drift(type_, before, now, method):
    found = answer_of(type_, before, now, method)

    assert (found.status, found.message) == ("passed", "")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rows", [100, 1000])
def test_what_is_frequent_on_one_side_by_chance_is_no_drift(method, rows):
    many = "'v' || hash(i + {}) % 900"

    pairs = [(many.format(seed * rows), many.format((seed + 1) * rows)) for seed in range(0, 30, 2)]
    found = [answer_of("VARCHAR", *pair, method, rows=rows).status for pair in pairs]

    assert found.count("failed") <= 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("type_", "before", "now"), MOVED)
def test_what_moved_is_drift(type_, before, now, method):
    found = answer_of(type_, before, now, method)

    assert (found.status, found.message) == ("failed", "")


def test_only_the_rows_that_are_asked_for_are_compared():
    moved = "case when i < 2000 then 1 else i end"

    assert answer_of("DOUBLE", "1", moved, "psi").status == "failed"
    assert answer_of("DOUBLE", "1", moved, "psi", where="i < 2000").status == "passed"


def test_without_rows_on_one_side_nothing_can_be_told():
    assert drift("psi", [Counts(0, 10)]) is None
    assert drift("ks", []) is None


def test_few_rows_may_differ_by_chance():
    few, many = ([Counts(size, 2 * size), Counts(2 * size, size)] for size in (4, 4000))

    assert drift("psi", few).distance < drift("psi", few).chance
    assert drift("psi", many).distance > drift("psi", many).chance


@pytest.mark.parametrize(("method", "distance"), [("psi", 0.678), ("js", 0.344), ("ks", 0.4)])
def test_distances_are_those_of_the_textbooks(method, distance):
    bins = [Counts(7_000_000, 3_000_000), Counts(3_000_000, 7_000_000)]

    assert drift(method, bins).distance == pytest.approx(distance, abs=0.001)
