"""Audit versions: ask what they have not met yet, and say whether readers may see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from assetflow.metadata.check_rows import ResultKept
from assetflow.metadata.records import Audited, FailingRowsKept
from assetflow.model.names import AssetPartition, RunId, VersionId
from assetflow.planning.audits import CheckEvaluated, CheckFacts
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.terms import (
    OtherRead,
    Terms,
    has_seen,
    stops,
    terms_of,
    verdict_of,
)
from assetflow.quality.findings import finding

if TYPE_CHECKING:
    from assetflow.execution.asking import Asked, Asker
    from assetflow.execution.knowledge import Knowledge
    from assetflow.planning.facts import AssetFacts
    from assetflow.planning.history import VersionStored


@dataclass(frozen=True, slots=True)
class Subject:
    """A version to be audited, and what its checks read of others.

    `measured` are the values that were computed when it was stored. `set_aside` are how
    checks came out that took rows of it, which lie at `place`. `anew` asks all of its
    checks, also those whose answer is known. `scan` reads the version, where it stands for
    all partitions together.
    """

    target: AssetPartition
    facts: AssetFacts
    version: VersionStored
    others: tuple[OtherRead, ...] = ()
    measured: tuple[tuple[object, ...], ...] = ()
    anew: bool = False
    set_aside: Mapping[str, Asked] = field(default_factory=dict)
    place: str = ""
    scan: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """What came of an audit, in the order of declaration, and what is to be remembered of it."""

    results: tuple[ResultKept, ...] = ()
    records: tuple[FailingRowsKept | Audited, ...] = ()

    @property
    def outcomes(self) -> tuple[CheckOutcome, ...]:
        """Return how the checks came out."""
        return tuple(one.evaluated.outcome for one in self.results)

    @property
    def is_rejected(self) -> bool:
        """Whether the version may not be published."""
        return any(map(stops, self.outcomes))

    @property
    def failed(self) -> tuple[tuple[str, str], ...]:
        """Return the checks that stop it, with what is wrong."""
        return failed_of(self.outcomes)


NOTHING_AUDITED = Audit()


def failed_of(outcomes: Iterable[CheckOutcome]) -> tuple[tuple[str, str], ...]:
    """Return the checks that stop a version, with what is wrong."""
    return tuple((one.check, finding(one.answer)) for one in outcomes if stops(one))


def _taken(facts: CheckFacts, terms: Terms, asked: Asked) -> CheckEvaluated:
    """Return that a check failed, and that the rest could be published without what it took."""
    check, failures = facts.check, asked.answer.failures or 0
    outcome = CheckOutcome(
        check=check.name,
        kind=check.kind,
        answer=replace(asked.answer, status="warned"),
        columns=check.columns,
        severity=check.severity,
        on_failure=check.on_failure,
        quarantined=failures,
    )
    return CheckEvaluated(terms.of(check.name), outcome)


def _renamed(one: ResultKept, check: str) -> ResultKept:
    """Return a result under the name that its check has now."""
    evaluated = one.evaluated
    if evaluated.term.check == check:
        return one
    outcome = replace(evaluated.outcome, check=check)
    term = evaluated.term._replace(check=check)
    return replace(one, evaluated=replace(evaluated, term=term, outcome=outcome))


@dataclass(slots=True)
class Auditor:
    """Audits for one run. `asker` asks checks; what it needs not ask is carried over."""

    knowledge: Knowledge
    asker: Asker
    run: RunId
    clock: Callable[[], datetime]

    def audit(self, subject: Subject) -> Audit:
        """Return how the checks of a version came out, each asked or carried over."""
        checks = subject.facts.checks
        terms = terms_of(checks, subject.others, self.knowledge.digest_of)
        known = {} if subject.anew else self._carried(subject, terms)
        taken = {
            one.check.name: (_taken(one, terms, subject.set_aside[one.check.name]), found)
            for one in checks
            for found in (subject.set_aside.get(one.check.name),)
            if found is not None
        }
        to_ask = [one for one in checks if one.check.name not in known | taken]
        at = self.clock()
        version = subject.version.version
        asked = {**self._asked(subject, to_ask, terms, at), **taken}
        asset, key = subject.target
        new = {
            name: ResultKept(asset, key, version, self.run, at, one)
            for name, (one, _) in asked.items()
        }
        answers = {**known, **new}
        results = tuple(answers[one.check.name] for one in checks)
        # What is carried over from the version itself is kept already.
        to_keep = tuple(
            one.evaluated
            for one in results
            if one.version != version or not one.evaluated.outcome.carried_over
        )
        if not to_keep and self._is_known(version, terms, results):
            return Audit(results)
        audited = self._record(subject, terms, results, to_keep, at)
        self.knowledge.learn_audits([audited])
        self.knowledge.results.add(audited)
        rows = (
            FailingRowsKept(
                run=self.run,
                asset=subject.target.asset,
                partition=subject.target.partition,
                version=version,
                check_name=name,
                audited_at=at,
                columns=one.columns,
                rows=one.rows,
                place=subject.place if name in taken else "",
            )
            for name, (_, one) in asked.items()
            if one.rows or name in taken
        )
        return Audit(results, (*rows, audited))

    def _record(
        self,
        subject: Subject,
        terms: Terms,
        results: Sequence[ResultKept],
        to_keep: tuple[CheckEvaluated, ...],
        at: datetime,
    ) -> Audited:
        outcomes = [one.evaluated.outcome for one in results]
        return Audited(
            run=self.run,
            asset=subject.target.asset,
            partition=subject.target.partition,
            version=subject.version.version,
            checks=subject.facts.checks_key,
            terms=terms.terms,
            seen=terms.seen,
            verdict=verdict_of(outcomes),
            failed=failed_of(outcomes),
            audited_at=at,
            results=to_keep,
        )

    def _is_known(self, version: VersionId, terms: Terms, results: Sequence[ResultKept]) -> bool:
        """Whether the newest audit of a version says the same of the same."""
        known = self.knowledge.past.audits.get(version, [])
        if not known or not has_seen(known[-1], terms):
            return False
        return known[-1].verdict == verdict_of(one.evaluated.outcome for one in results)

    def _asked(
        self, subject: Subject, checks: Sequence[CheckFacts], terms: Terms, at: datetime
    ) -> dict[str, tuple[CheckEvaluated, Asked]]:
        """Return how each of `checks` came out, with what it took of the version before."""
        if not checks:
            return {}
        asked = self.asker.ask(subject, checks, terms, at)
        version = subject.version.version
        return {name: (self._taken_before(version, one), to) for name, (one, to) in asked.items()}

    def _taken_before(self, version: VersionId, one: CheckEvaluated) -> CheckEvaluated:
        """Return `one` with the rows that its check took of the version when that was made."""
        before = self.knowledge.results.taken_of(version, one.term)
        if before is None:
            return one
        first = before.evaluated.outcome
        answer = first.answer if one.outcome.status == "passed" else one.outcome.answer
        outcome = replace(one.outcome, answer=answer, quarantined=first.quarantined)
        # It tells of more than what can be read of the version: no other may have this result.
        return replace(one, outcome=outcome, digest=None)

    def _carried(self, subject: Subject, terms: Terms) -> dict[str, ResultKept]:
        """Return what need not be asked: nothing that it depends on is different."""
        found = {}
        for facts in subject.facts.checks:
            is_new = not facts.carries or facts.check.name in subject.set_aside
            one = None if is_new else self._carried_over(subject, facts, terms)
            if one is not None and one.evaluated.outcome.status != "errored":
                found[facts.check.name] = _renamed(one, facts.check.name)
        return found

    def _carried_over(self, subject: Subject, facts: CheckFacts, terms: Terms) -> ResultKept | None:
        results, term = self.knowledge.results, terms.of(facts.check.name)
        known = results.of_version(subject.version.version, term)
        if known is not None or not results.may_know(subject.target.asset, term):
            return known
        digest = self.asker.digest(subject, facts)
        return results.of_digest(subject.target.asset, term, digest) if digest else None
