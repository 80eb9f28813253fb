"""What is told of a run whose steps are looked at more than once: each thing once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assetflow.execution.run import GOOD
from assetflow.model.names import AssetPartition, RunId
from assetflow.planning.results import StepResult

if TYPE_CHECKING:
    from assetflow.planning.listener import Listener
    from assetflow.planning.steps import Plan


@dataclass(slots=True)
class Telling:
    """Passes on to a listener what is new, over all the plans that one run carries out."""

    listener: Listener
    _told: dict[AssetPartition, StepResult] = field(default_factory=dict)

    def planned(self, plan: Plan, run: RunId) -> None:
        """Pass on the first plan."""
        self.listener.planned(plan, run)

    def planned_again(self, plan: Plan, why: str = "") -> None:
        """Pass on a further plan; where it has a reason of its own, what failed is told anew."""
        if why:
            self._told = {key: one for key, one in self._told.items() if one.outcome in GOOD}
        self.listener.planned_again(plan, why)

    def started(self, target: AssetPartition) -> None:
        """Pass on that the step of `target` began."""
        self.listener.started(target)

    def finished(self, result: StepResult) -> None:
        """Pass on how a step ended; of one that ended as before, that it is over."""
        before = self._told.get(result.target)
        if before is not None and _says_no_more(before, result):
            self.listener.repeated(result.target)
        else:
            self._told[result.target] = result
            self.listener.finished(result)

    def repeated(self, target: AssetPartition) -> None:
        """Pass on that a step ended as it had before."""
        self.listener.repeated(target)

    def message(self, text: str) -> None:
        """Pass on a sentence."""
        self.listener.message(text)


def _says_no_more(before: StepResult, result: StepResult) -> bool:
    """Whether what is told of a step holds still: it was found again, or came to the same."""
    if result.outcome in ("reused", "verified"):
        return before.outcome in GOOD
    if (before.outcome, result.outcome) == ("rejected", "skipped"):
        return True
    return (before.outcome, before.reasons) == (result.outcome, result.reasons)
