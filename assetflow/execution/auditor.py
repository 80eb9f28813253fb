"""Audit versions: ask what they have not met yet, and say whether readers may see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from assetflow.metadata.records import Audited, FailingRowsKept
from assetflow.model.names import AssetPartition, RunId
from assetflow.planning.audits import CheckEvaluated, CheckFacts
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.terms import (
    OtherRead,
    Terms,
    has_seen,
    stops,
    terms_of,
    verdict_of,
    what_failed,
)

if TYPE_CHECKING:
    from assetflow.execution.asking import Asker
    from assetflow.execution.knowledge import Knowledge
    from assetflow.planning.facts import AssetFacts
    from assetflow.planning.history import VersionStored


@dataclass(frozen=True, slots=True)
class Subject:
    """A version to be audited, and what its checks read of others.

    `measured` are the values that were computed when it was stored. `anew` asks all of its
    checks, also those whose answer is known.
    """

    target: AssetPartition
    facts: AssetFacts
    version: VersionStored
    others: tuple[OtherRead, ...] = ()
    measured: tuple[object, ...] = ()
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Audit:
    """What came of an audit, in the order of declaration, and what is to be remembered of it."""

    outcomes: tuple[CheckOutcome, ...] = ()
    records: tuple[FailingRowsKept | Audited, ...] = ()

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
    return tuple((one.check, what_failed(one)) for one in outcomes if stops(one))


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
        to_ask = [one for one in checks if one.check.name not in known]
        at = self.clock()
        asked, rows = self.asker.ask(subject, to_ask, terms, at) if to_ask else ({}, [])
        evaluated = {**known, **asked}
        ordered = [evaluated[one.check.name] for one in checks]
        outcomes = tuple(one.outcome for one in ordered)
        audited = self._record(subject, terms, ordered, at)
        if not audited.results and self._is_known(audited, terms):
            return Audit(outcomes)
        self.knowledge.learn_audits([audited])
        self.knowledge.results.add(audited)
        kept = (
            FailingRowsKept(self.run, *subject.target, subject.version.version, name, at, *found)
            for name, *found in rows
        )
        return Audit(outcomes, (*kept, audited))

    def _record(
        self, subject: Subject, terms: Terms, evaluated: Sequence[CheckEvaluated], at: datetime
    ) -> Audited:
        outcomes = [one.outcome for one in evaluated]
        version = subject.version.version
        kept = self.knowledge.results
        results = [one for one in evaluated if not kept.has(version, one)]
        return Audited(
            run=self.run,
            asset=subject.target.asset,
            partition=subject.target.partition,
            version=version,
            checks=subject.facts.checks_key,
            terms=terms.terms,
            seen=terms.seen,
            verdict=verdict_of(outcomes),
            failed=failed_of(outcomes),
            audited_at=at,
            results=tuple(results),
        )

    def _is_known(self, audited: Audited, terms: Terms) -> bool:
        """Whether the newest audit of the version says the same of the same."""
        known = self.knowledge.past.audits.get(audited.version, ())
        return bool(known) and has_seen(known[-1], terms) and known[-1].verdict == audited.verdict

    def _carried(self, subject: Subject, terms: Terms) -> dict[str, CheckEvaluated]:
        """Return what need not be asked: nothing that it depends on is different."""
        found = {}
        for facts in subject.facts.checks:
            one = self._carried_over(subject, facts, terms) if facts.carries else None
            if one is not None:
                name = facts.check.name
                outcome = replace(one.outcome, check=name, carried_over=True)
                found[name] = replace(one, term=terms.of(name), outcome=outcome)
        return found

    def _carried_over(
        self, subject: Subject, facts: CheckFacts, terms: Terms
    ) -> CheckEvaluated | None:
        results, term = self.knowledge.results, terms.of(facts.check.name)
        known = results.of_version(subject.version.version, term)
        if known is not None or not results.may_know(subject.target.asset, term):
            return known
        digest = self.asker.digest(subject.version, facts)
        return results.of_digest(subject.target.asset, term, digest) if digest else None
