"""A world whose assets make promises: what is made is audited before it is published."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from assetflow.model.checks import Check
from assetflow.model.columns import ReadSet
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import AssetName, AssetPartition, VersionId
from assetflow.planning.audits import Audited, CheckFacts, CheckRead
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.facts import AssetFacts
from assetflow.planning.history import History, Publication
from assetflow.planning.plan import Current, others_of, plan, settle
from assetflow.planning.steps import Request, Step, Verdict
from assetflow.planning.terms import has_seen, stops, terms_of, verdict_of
from assetflow.quality.answers import Answer
from tests.planning.simulation import ALL, NOW, Row, World


@dataclass(frozen=True)
class Promise:
    """A column is never `forbidden`, or never what it is in `other`."""

    column: str
    forbidden: int = -1
    other: str = ""
    warns: bool = False
    carries: bool = True

    @property
    def name(self) -> str:
        return f"{self.column} {self.other}"

    def facts(self) -> CheckFacts:
        reads = (CheckRead(AssetName(self.other), ReadSet.of([self.column])),)
        check = Check("expression", self.name, on_failure="warn" if self.warns else "block")
        read = reads if self.other else ()
        return CheckFacts(check, fingerprint(str(self)), read, carries=self.carries)

    def holds(self, row: Row, rows: Mapping[str, Row | None]) -> bool:
        if not self.other:
            return row[self.column] != self.forbidden
        there = rows[self.other]
        return there is not None and row[self.column] != there[self.column]


@dataclass
class AuditedWorld(World):
    """`asked` are the audits of a run that had to be asked, `rejected` what it rejected."""

    promises: dict[str, tuple[Promise, ...]] = field(default_factory=dict)
    audits: dict[VersionId, list[Audited]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    rejected: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)

    def facts(self, name: str) -> AssetFacts:
        checks = tuple(one.facts() for one in self.promises.get(name, ()))
        return replace(super().facts(name), checks=checks)

    def history(self) -> History:
        found = super().history()
        volatile = {
            target: one
            for target, one in found.volatile.items()
            if one.materialization.outcome != "rejected"
        }
        return replace(found, audits=self.audits, volatile=volatile)

    def takeable(self) -> set[tuple[str, str]]:
        """Return the assets and keys for which nothing should have to run."""
        newest = {one.asset: one for one in self.materializations}
        return {
            (one.asset, one.key)
            for one in self.materializations
            if one.version not in self.lost
            and (not one.is_volatile or (newest[one.asset] == one and one.outcome != "rejected"))
        }

    def materialize(
        self, request: Request = ALL, *, die_after: int | None = None, failing: str = ""
    ) -> list[str]:
        self.outside += 1
        known = self.known(request)
        current, failed = dict(known.current), dict[AssetPartition, str]()
        staged: dict[AssetPartition, Publication | None] = {}
        self.ran, self.asked, self.rejected, self.stopped = [], [], set(), set()
        for step in plan(known, request).steps:
            assert not {one for one in step.before_audit if one not in failed | staged | current}
            if step.action == "withdraw":
                staged[step.target] = None
            elif step.action == "blocked" or failed.keys() & {*step.waits_on}:
                failed[step.target] = "stopped"
                self.stopped.add(step.target.asset)
            else:
                verdict = settle(known, step, known.facts[step.target.asset], current)
                if verdict.action == "materialize" and len(self.ran) == die_after:
                    return self.ran
                if verdict.action == "materialize" and step.target.asset == failing:
                    verdict = replace(verdict, action="blocked")
                self._do(step, verdict, current, staged, failed)
        self._publish(staged)
        return self.ran

    def _do(
        self,
        step: Step,
        verdict: Verdict,
        current: dict[AssetPartition, VersionId],
        staged: dict[AssetPartition, Publication | None],
        failed: dict[AssetPartition, str],
    ) -> None:
        if verdict.action == "blocked":
            failed[step.target] = "failed"
            self.stopped.add(step.target.asset)
        elif verdict.action == "check":
            self._audit(step, step.last.version.version, current)
        elif verdict.action is not None:
            self.sequence += 1
            made = self._carry_out(step.target, verdict)
            version = made.version.version
            found = self._audit(step, version, current)
            is_served = step.last is not None and step.last.version.version == version
            if found == "rejected" and not is_served:
                self.materializations[-1] = replace(made.materialization, outcome="rejected")
                failed[step.target] = "rejected"
                self.rejected.add(step.target.asset)
            else:
                staged[step.target] = made
                current[step.target] = version

    def _audit(self, step: Step, version: VersionId, current: Current) -> str:
        facts = self.facts(step.target.asset)
        if not facts.checks:
            return "passed"
        others = others_of(self.known(), facts, step.target, current)
        terms = terms_of(facts.checks, others, self.digest_of)
        known = self.audits.setdefault(version, [])
        is_known = any(one.terms == terms.terms for one in known)
        if not is_known or not all(one.carries for one in facts.checks):
            self.asked.append(step.target.asset)
        rows = {
            one.read.upstream: self.content[one.versions[0]] if one.versions else None
            for one in others
        }
        outcomes = [
            self._outcome(one, self.content[version], rows)
            for one in self.promises[step.target.asset]
        ]
        audited = Audited(
            run=self.run_id,
            asset=step.target.asset,
            partition=step.target.partition,
            version=version,
            checks=facts.checks_key,
            terms=terms.terms,
            seen=terms.seen,
            verdict=verdict_of(outcomes),
            failed=tuple((one.check, "failed") for one in outcomes if stops(one)),
            audited_at=NOW + timedelta(seconds=sum(map(len, self.audits.values()))),
        )
        known.append(audited)
        return audited.verdict

    run_id = "r"

    @staticmethod
    def _outcome(promise: Promise, row: Row, rows: Mapping[str, Row | None]) -> CheckOutcome:
        status = "passed" if promise.holds(row, rows) else "failed"
        how = "warn" if promise.warns else "block"
        return CheckOutcome(promise.name, "expression", Answer(status), on_failure=how)

    def kept(self, name: str, row: Row, rows: Mapping[str, Row | None]) -> bool:
        """Whether a row of the asset `name` keeps all that blocks."""
        return all(one.holds(row, rows) for one in self.promises.get(name, ()) if not one.warns)

    def has_met_its_promises(self, target: AssetPartition, version: VersionId) -> bool:
        """Whether a version was audited by all that is promised now, as it can be read now."""
        facts = self.facts(target.asset)
        others = others_of(self.known(), facts, target, self.current())
        terms = terms_of(facts.checks, others, self.digest_of)
        audits = self.audits.get(version, ())
        return not facts.checks or any(has_seen(one, terms) for one in audits)
