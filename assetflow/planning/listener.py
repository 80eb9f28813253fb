"""Whoever follows a run while it happens: a terminal, a log, a test."""

from typing import Protocol

from assetflow.model.names import AssetPartition, RunId
from assetflow.planning.results import StepResult
from assetflow.planning.steps import Plan


class Listener(Protocol):
    """Is told of a run as it goes; called by the thread that runs it, so it must be quick.

    Only a message may come from another thread.
    """

    def planned(self, plan: Plan, run: RunId) -> None:
        """Take the plan that `run` is going to carry out."""

    def planned_again(self, plan: Plan, why: str = "") -> None:
        """Take a further plan of the same run, and why there is one, "" if that was said."""

    def started(self, target: AssetPartition) -> None:
        """Take note that the step of `target` began."""

    def finished(self, result: StepResult) -> None:
        """Take how a step ended; it may never have started."""

    def repeated(self, target: AssetPartition) -> None:
        """Take note that a step of a further plan ended as it had before."""

    def message(self, text: str) -> None:
        """Take one sentence for the user: a wait for another process, a retry."""


class Silent:
    """A listener that says nothing."""

    def planned(self, plan: Plan, run: RunId) -> None:
        """Say nothing of the plan."""

    def planned_again(self, plan: Plan, why: str = "") -> None:
        """Say nothing of a further plan."""

    def started(self, target: AssetPartition) -> None:
        """Say nothing of the start."""

    def finished(self, result: StepResult) -> None:
        """Say nothing of the end."""

    def repeated(self, target: AssetPartition) -> None:
        """Say nothing of the end."""

    def message(self, text: str) -> None:
        """Say nothing."""
