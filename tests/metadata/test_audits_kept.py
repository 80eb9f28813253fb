"""What is remembered of audits and checks, and what the store shows to be audited."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetflow.metadata.check_rows import (
    audits_of,
    check_points,
    kept_rows,
    rejected_versions,
    results_by_digest,
    results_of,
)
from assetflow.metadata.doubt import ExpectedOther, standing
from assetflow.metadata.recall import newest_volatile, remembered
from assetflow.model.columns import EVERYTHING
from assetflow.model.names import WHOLE
from assetflow.planning.audits import (
    Audited,
    CheckEvaluated,
    CheckRead,
    FailingRowsKept,
    Term,
)
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.terms import OtherRead
from assetflow.quality.answers import Answer
from tests.metadata.making import NOW, change, folded, later, made, publication, started, stored
from tests.metadata.test_doubt import SCHEMES, Making, keys

FAILED = Answer("failed", "12", "0", 12, 30_411, 0.5, "select 'it''s'", "é")


def evaluated(answer=FAILED, check="amount_between", digest=None, **changes):
    outcome = CheckOutcome(check, "between", answer, ("amount",), **changes)
    return CheckEvaluated(Term(check, "f1"), outcome, digest, 0.25)


def audited(version="v1", at=NOW, asset="orders", partition="", run="r1", **changes):
    record = Audited(
        run=run,
        asset=asset,
        partition=partition,
        version=version,
        checks="c1",
        terms=(Term("amount_between", "f1"),),
        seen="",
        verdict="rejected",
        failed=(("amount_between", "12 of 30,411 rows failed"),),
        audited_at=at,
        results=(evaluated(),),
    )
    return replace(record, **changes)


def test_an_audit_comes_back_as_it_was_recorded(state):
    folded(state, "r1", stored(), audited())

    assert audits_of(state, ["v1"]) == {"v1": [audited(results=())]}


def test_results_come_back_as_they_were_recorded_the_newest_of_each_check(state):
    passed = Answer("passed", rows=3)
    again = audited(at=later(hours=1), results=(evaluated(passed, carried_over=True),))
    folded(state, "r1", stored(), audited(), again)

    (kept,) = results_of(state, ["v1"])["v1"]

    assert kept.evaluated == evaluated(passed, carried_over=True)
    assert (kept.version, kept.at, kept.run) == ("v1", later(hours=1), "r1")
    assert [
        point.status for point in check_points(state, ["orders"])["orders", "", "amount_between"]
    ] == ["failed", "passed"]


def test_only_what_was_asked_says_what_holds_for_other_versions(state):
    asked = evaluated(digest="d1")
    carried = replace(asked, digest="d2", outcome=replace(asked.outcome, carried_over=True))
    without = evaluated()
    folded(
        state,
        "r1",
        *(
            audited(at=later(hours=n), results=(one,))
            for n, one in enumerate((asked, carried, without))
        ),
    )

    known = replace(asked, outcome=replace(asked.outcome, carried_over=True))
    assert [one.evaluated for one in results_by_digest(state, ["orders"])] == [known]
    assert results_by_digest(state, ["stores"]) == ()


def test_folding_an_audit_again_adds_nothing(state):
    records = stored(), audited()
    folded(state, "r1", *records)
    folded(state, "r2", *records)

    assert audits_of(state, ["v1"]) == {"v1": [audited(results=())]}
    assert len(check_points(state, ["orders"])["orders", "", "amount_between"]) == 1


def test_failing_rows_come_back_the_newest_of_each_check(state):
    columns = (("id", "BIGINT"), ("amount", "DOUBLE"))
    first = FailingRowsKept("r1", "orders", "", "v1", "c", NOW, columns, ('{"id":1}', '{"id":"é"}'))
    newer = replace(first, audited_at=later(hours=1), rows=(), place="quarantine/x.parquet")
    folded(state, "r1", first, newer)

    assert kept_rows(state, ["v1", "v2"]) == {("v1", "c"): newer}


def test_audits_are_told_with_the_versions_that_a_plan_may_take(state):
    folded(state, "r1", stored(), made(), audited())

    past = remembered(state, "main")

    assert past.audits == {"v1": [audited(results=())]}


@pytest.mark.parametrize(("outcome", "found"), [("rejected", []), ("materialized", ["v2"])])
def test_a_rejected_volatile_version_is_not_reused_nor_an_older_one_in_its_place(
    state, outcome, found
):
    first = made(is_volatile=True)
    second = made("m2", "v2", is_volatile=True, created_at=later(hours=1), outcome=outcome)
    folded(state, "r1", started(), stored(), first, stored("v2"), second)

    newest = newest_volatile(state, "main", ["orders"])

    assert [one.version.version for one in newest.values()] == found


def test_a_version_is_rejected_until_a_newer_one_is_published(state):
    rejected = made("m2", "v2", outcome="rejected")
    folded(
        state,
        "r1",
        started(),
        stored(),
        made(),
        stored("v2"),
        rejected,
        publication("p1", change(1)),
    )
    before = rejected_versions(state, "main", ["orders"])
    folded(
        state,
        "r2",
        started("r2"),
        stored("v3"),
        made("m3", "v3", run="r2"),
        publication("p2", change(3, expected=1), run="r2"),
    )

    assert before == {("orders", ""): "v2"}
    assert rejected_versions(state, "main", ["orders"]) == {}
    assert rejected_versions(state, "dev", ["orders"]) == {}


class Auditing(Making):
    """Audits what is published, rightly or not, and remembers what a look would find."""

    def audit(self, chance):
        self.unaudited = set()
        for one in self.expected:
            if chance.random() < 0.3:
                continue
            others = tuple(
                ExpectedOther(name, found, chance.random() < 0.5 and found is one.keys)
                for name, found in sorted(self.all_keys().items())
                if name != one.asset and chance.random() < 0.5
            )
            self.expected[self.expected.index(one)] = checked = replace(
                one, checks=f"checks {one.asset}", others=others
            )
            for key in one.keys:
                if (one.asset, key) in self.now:
                    self._audit(chance, checked, key)

    def all_keys(self):
        made = {one.asset: one.keys for one in self.expected}
        return {**made, "raw": keys(None), "files": keys(SCHEMES[1])}

    def _audit(self, chance, one, key):
        right = {
            "checks": one.checks,
            "seen": " ".join(self.token(each, key) for each in one.others),
        }
        wrong = chance.choice([{}, {}, {}, {"checks": "old"}, {"seen": "other"}, None])
        if wrong is not None:
            version = self.now[one.asset, key]
            self.records.append(
                audited(version, later(seconds=len(self.records)), one.asset, key, **right | wrong)
            )
        if wrong is None or right | wrong != right:
            self.unaudited.add((one.asset, key))

    def token(self, other, key):
        wanted = [key] if other.is_aligned else list(other.keys)
        there = [one for one in wanted if (other.upstream, one) in self.now]
        versions = tuple(self.now[other.upstream, one] for one in there)
        read = CheckRead(other.upstream, EVERYTHING, other.is_aligned)
        return OtherRead("c", read, tuple(there), versions).token

    def doubtful(self):
        before = super().doubtful()
        return {
            one.asset: found
            for one in self.expected
            if (
                found := tuple(
                    key
                    for key in one.keys
                    if key in before.get(one.asset, ()) or (one.asset, key) in self.unaudited
                )
            )
        }


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_what_has_not_met_its_checks_is_doubtful_and_nothing_else(tmp_path_factory, seed):
    chance = random.Random(seed)
    making = Auditing({"raw": {WHOLE: "s raw"}, "files": {k: f"s {k}" for k in keys(SCHEMES[1])}})
    for number in range(4):
        asset = making.declare(f"asset_{number}", chance.choice(SCHEMES), [])
        for key in asset.keys:
            if chance.random() < 0.8:
                making.make(asset, key)
    making.audit(chance)
    state = tmp_path_factory.mktemp("store") / "state"

    found = making.fold(state)

    assert found.doubtful == making.doubtful()
    assert standing(state, "main", making.expected, making.states) == found
