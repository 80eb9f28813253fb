"""Repairs of failed checks: which are due, what was tried, and what it changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from assetflow.metadata.check_rows import results_of
from assetflow.metadata.folding import fold
from assetflow.metadata.journal import Journal
from assetflow.metadata.presence import run_presence
from assetflow.metadata.records import EventHappened, RepairHappened
from assetflow.metadata.repairs import CheckedPartition, Tries, failed_versions
from assetflow.model.names import AssetName, AssetPartition, RunId
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.check_reads import own_read_set
from assetflow.planning.reasons import Reason, RejectedLastTime
from assetflow.planning.repair import (
    Failing,
    Repair,
    RepairLimits,
    RepairPlan,
    repair_lines,
)
from assetflow.planning.repair_pages import DeadLetterLine, Mended, RepairPage
from assetflow.planning.standing import rejected_again
from assetflow.warehouse.layout import new_version_id

if TYPE_CHECKING:
    from pathlib import Path

    from assetflow.execution.knowledge import Knowledge
    from assetflow.planning.facts import AssetFacts
    from assetflow.planning.results import StepResult
    from assetflow.project.settings import RepairSettings

FailedCheck = tuple[AssetPartition, CheckOutcome]
Results = Mapping[AssetPartition, "StepResult"]


def limits_of(settings: RepairSettings) -> RepairLimits:
    """Return how often and how soon repairs may be tried."""
    return RepairLimits(settings.max_attempts, timedelta(seconds=settings.cool_down))


def is_rejected(result: StepResult) -> bool:
    """Whether a step gave what failed its checks, or would have given the same again."""
    was_last_time = any(isinstance(reason, RejectedLastTime) for reason in result.reasons)
    return result.outcome == "rejected" or (result.outcome == "skipped" and was_last_time)


def known_failed(
    knowledge: Knowledge,
    environment: str,
    unsettled: Mapping[AssetPartition, Collection[Reason]],
) -> Iterator[FailedCheck]:
    """Yield the checks of severity error that failed, of what is rejected or served now.

    What was rejected counts of the `unsettled` alone, which a plan does something about, for the
    reasons that each has: of others what is served is what would be made.
    """
    checked = {name: facts.checks for name, facts in knowledge.facts.items() if facts.checks}
    found = failed_versions(knowledge.state, environment, checked.keys(), unsettled)
    again = rejected_again(unsettled).items()
    versions = {**found, **{target: one for target, one in again if target.asset in checked}}
    results = results_of(knowledge.state, versions.values())
    for target, version in versions.items():
        declared = {one.check.name: one.fingerprint for one in checked[target.asset]}
        newest = {
            one.evaluated.outcome.check: one.evaluated.outcome
            for one in results.get(version, ())
            if declared.get(one.evaluated.term.check) == one.evaluated.term.fingerprint
        }
        for outcome in newest.values():
            if outcome.status == "failed" and outcome.has_failed:
                yield target, outcome


def repair_page(
    planned: RepairPlan, limits: RepairLimits, environment: str, knowledge: Knowledge
) -> RepairPage:
    """Return the plan of a repair, to be looked at."""
    lines = tuple(repair_lines(planned, limits))
    names = {line.asset for line in lines} | {
        one.asset for line in lines for one in (*line.chosen, *line.left_out)
    }
    return RepairPage(lines, environment, {name: knowledge.slices.keys[name] for name in names})


def dead_letters_of(
    failed: Iterable[FailedCheck], tried: Mapping[CheckedPartition, Tries], limits: RepairLimits
) -> Iterator[DeadLetterLine]:
    """Yield what was tried as often as it may be, and is failed still."""
    for target, outcome in failed:
        found = tried.get(CheckedPartition(*target, outcome.check), Tries())
        if found.last is not None and found.count >= limits.max_attempts:
            yield DeadLetterLine(
                asset=target.asset,
                check=outcome.check,
                answer=outcome.answer,
                attempts=found.count,
                since=found.last,
                partition=target.partition,
                run=found.run,
                note=found.note,
                resolved_at=found.resolved_at,
            )


def keep(state: Path, records: Sequence[RepairHappened], clock: Callable[[], datetime]) -> None:
    """Remember what somebody did about dead letters, and that it was done."""
    journal_of = RunId(new_version_id())
    with run_presence(state), closing(Journal(state, journal_of)) as journal:
        for record in records:
            journal.append(record)
            journal.append(
                EventHappened(
                    event=new_version_id(),
                    happened_at=record.happened_at,
                    kind=f"dead_letter_{record.kind}",
                    run=None,
                    environment=record.environment,
                    asset=record.asset,
                    detail=(
                        ("partition", record.partition),
                        ("check", record.check_name),
                        ("note", record.note),
                        ("user", record.user),
                    ),
                )
            )
        journal.sync()
        fold(state, clock())
        journal.discard()


def failing_of(
    facts: Mapping[AssetName, AssetFacts],
    failed: Iterable[FailedCheck],
    tried: Mapping[CheckedPartition, Tries],
) -> list[Failing]:
    """Return failed checks with what they read, and how often it was tried to mend them.

    What somebody resolved by hand is left out.
    """
    found = []
    for target, outcome in failed:
        before = tried.get(CheckedPartition(*target, outcome.check), Tries())
        if before.resolved_at is None:
            columns, others = _read(facts[target.asset], outcome.check)
            found.append(Failing(target, outcome, columns, others, before.count, before.last))
    return found


def _read(
    facts: AssetFacts, check: str
) -> tuple[tuple[str, ...], tuple[tuple[AssetName, tuple[str, ...]], ...]]:
    """Return which columns of its asset, and of others, a check reads; () stands for all."""
    declared = next((one for one in facts.checks if one.check.name == check), None)
    if declared is None:
        return (), ()
    others = tuple((read.upstream, read.read_set.columns or ()) for read in declared.reads)
    if facts.schema is None:
        return declared.check.columns, others
    return own_read_set(facts.asset, declared.check, facts.schema).columns or (), others


def happened(  # noqa: PLR0913 - the fields of the record
    kind: str,
    of: Iterable[CheckedPartition],
    environment: str,
    run: RunId | None,
    at: datetime,
    *,
    note: str = "",
    user: str = "",
) -> Iterator[RepairHappened]:
    """Yield the record of each: tried, mended, retried or resolved."""
    for one in of:
        yield RepairHappened(
            happening=new_version_id(),
            run=run,
            environment=environment,
            asset=one.asset,
            partition=one.partition,
            check_name=one.check,
            happened_at=at,
            kind=kind,
            note=note,
            user=user,
        )


def mended_by(
    repairs: Iterable[Repair], results: Results
) -> dict[AssetPartition, tuple[tuple[Failing, Mended], ...]]:
    """Return how the checks came out that `repairs` were about, where they were asked again."""
    found: dict[AssetPartition, tuple[tuple[Failing, Mended], ...]] = {}
    for repair in repairs:
        failing = repair.failing
        result = results.get(failing.target)
        after = (
            [one for one in result.checks if one.check == failing.outcome.check] if result else []
        )
        for one in after:
            mended = Mended(one.check, failing.outcome.answer, one.answer)
            found[failing.target] = (*found.get(failing.target, ()), (failing, mended))
    return found
