"""Repairs of failed checks: which are due, what was tried, and what it changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from assetflow.metadata.records import RepairHappened
from assetflow.metadata.repairs import CheckedPartition, Tries
from assetflow.model.names import AssetName, AssetPartition, RunId
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.repair import Failing, Repair, RepairLimits
from assetflow.planning.repair_pages import Mended
from assetflow.quality.read_columns import OWN, read_sets
from assetflow.warehouse.layout import new_version_id

if TYPE_CHECKING:

    from assetflow.execution.knowledge import Knowledge
    from assetflow.planning.results import StepResult
    from assetflow.project.settings import RepairSettings

FailedCheck = tuple[AssetPartition, CheckOutcome]
Results = Mapping[AssetPartition, "StepResult"]


def limits_of(settings: RepairSettings) -> RepairLimits:
    """Return how often and how soon repairs may be tried."""
    return RepairLimits(settings.max_attempts, timedelta(seconds=settings.cool_down))


def asked_by_checks(results: Iterable[StepResult]) -> Iterator[FailedCheck]:
    """Yield the failed checks of rejected versions that say they are to be repaired."""
    for result in results:
        if result.outcome == "rejected":
            for one in result.checks:
                if one.on_failure == "repair" and one.status == "failed":
                    yield result.target, one


def failing_of(
    knowledge: Knowledge, failed: Iterable[FailedCheck], tried: Mapping[CheckedPartition, Tries]
) -> list[Failing]:
    """Return failed checks with what they read, and how often it was tried to mend them.

    What somebody resolved by hand is left out.
    """
    found = []
    for target, outcome in failed:
        before = tried.get(CheckedPartition(*target, outcome.check), Tries())
        if before.resolved_at is None:
            columns, others = _read(knowledge, target.asset, outcome.check)
            found.append(Failing(target, outcome, columns, others, before.count, before.last))
    return found


def _read(
    knowledge: Knowledge, name: AssetName, check: str
) -> tuple[tuple[str, ...], tuple[tuple[AssetName, tuple[str, ...]], ...]]:
    """Return which columns of its asset, and of others, a check reads; () stands for all."""
    facts = knowledge.facts[name]
    declared = next((one.check for one in facts.checks if one.check.name == check), None)
    if declared is None or facts.schema is None:
        return (), ()
    found = read_sets(declared, facts.schema)
    own = found.pop(OWN, None)
    others = tuple(
        (other, read_set.columns or ()) for other, read_set in found.items() if other != name
    )
    return (own.columns or () if own else ()), others


def happened(  # noqa: PLR0913 - the fields of the record
    kind: str,
    failing: Iterable[Failing],
    environment: str,
    run: RunId | None,
    at: datetime,
    *,
    note: str = "",
    user: str = "",
) -> Iterator[RepairHappened]:
    """Yield the record of each of `failing`: tried, mended, retried or resolved."""
    for one in failing:
        yield RepairHappened(
            happening=new_version_id(),
            run=run,
            environment=environment,
            asset=one.target.asset,
            partition=one.target.partition,
            check_name=one.outcome.check,
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
