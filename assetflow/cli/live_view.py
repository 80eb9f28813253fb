"""What a person sees of a run while it happens: a calm view on a terminal, lines in a pipe."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from assetflow.model.names import AssetPartition, RunId
from assetflow.planning.listener import Listener
from assetflow.planning.results import StepResult
from assetflow.planning.steps import Plan
from assetflow.report.progress import (
    Progress,
    counted_only,
    heading,
    log_lines,
    progress_view,
)
from assetflow.report.step_line import step_line

FRAMES_PER_SECOND = 8


@contextmanager
def following(console: Console) -> Iterator[Listener]:
    """Give a listener that shows a run on `console` until it ended."""
    if not console.is_terminal:
        yield LogView(console)
        return
    view = LiveView(console)
    with Live(
        console=console,
        get_renderable=view.frame,
        refresh_per_second=FRAMES_PER_SECOND,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield view


class LogView:
    """Prints a line for each step of a short run, and for each tenth of a long one."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress = Progress()

    def planned(self, plan: Plan, run: RunId) -> None:
        """Begin with all steps of the plan ahead."""
        self.progress = Progress.of(plan, time.monotonic())
        if plan.steps:
            self.console.print(heading(plan, run))

    def planned_again(self, plan: Plan, why: str = "") -> None:
        """Say why there is a further plan, and begin with its steps ahead."""
        self.progress = Progress.of(plan, self.progress.began_at)
        if why:
            self.console.print(Text(why, style="dim"), soft_wrap=True)

    def started(self, target: AssetPartition) -> None:
        """Take note; a line comes when the step ends."""
        self.progress = self.progress.with_started(target, time.monotonic())

    def finished(self, result: StepResult) -> None:
        """Print how the step ended, if it failed or there are few."""
        before, self.progress = self.progress, self.progress.with_finished(result)
        if self.progress.tells(result):
            self.console.print(step_line(result), soft_wrap=True)
        if self.progress.is_last_told(result):
            self.console.print(counted_only(result), soft_wrap=True)
        for line in log_lines(before, self.progress):
            self.console.print(Text(line))

    def repeated(self, target: AssetPartition) -> None:
        """Count a step of which all is said."""
        before, self.progress = self.progress, self.progress.with_repeated(target)
        for line in log_lines(before, self.progress):
            self.console.print(Text(line))

    def message(self, text: str) -> None:
        """Print the message."""
        self.console.print(Text(text, style="dim"), soft_wrap=True)


class LiveView:
    """Shows a bar and what runs; prints above it what failed, and each step of a short run.

    `frame` and `message` are called by threads of their own; they share values that are
    replaced whole, each by one of them alone.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress: Progress | None = None
        self.said = ""

    def frame(self) -> RenderableType:
        """Return the view as of now."""
        if self.progress is None:
            return Text("Planning …", style="dim")
        return progress_view(self.progress.with_message(self.said), time.monotonic())

    def planned(self, plan: Plan, run: RunId) -> None:
        """Begin with all steps of the plan ahead."""
        self.progress = Progress.of(plan, time.monotonic())
        if plan.steps:
            self.console.print(heading(plan, run))

    def planned_again(self, plan: Plan, why: str = "") -> None:
        """Print why there is a further plan, and begin with its steps ahead."""
        began_at = self.progress.began_at if self.progress else time.monotonic()
        self.progress = Progress.of(plan, began_at)
        if why:
            self.console.print(Text(why, style="dim"))

    def started(self, target: AssetPartition) -> None:
        """Show the step among those that run."""
        self.said = ""
        if self.progress is not None:
            self.progress = self.progress.with_started(target, time.monotonic())

    def finished(self, result: StepResult) -> None:
        """Move the bar; print how the step ended, if it failed or there are few."""
        if self.progress is None:
            return
        self.progress = self.progress.with_finished(result)
        if self.progress.tells(result):
            line = step_line(result, self.console.width)
            self.console.print(line, no_wrap=True, overflow="ellipsis")
        if self.progress.is_last_told(result):
            self.console.print(counted_only(result), no_wrap=True, overflow="ellipsis")

    def repeated(self, target: AssetPartition) -> None:
        """Move the bar."""
        if self.progress is not None:
            self.progress = self.progress.with_repeated(target)

    def message(self, text: str) -> None:
        """Show what is waited for, until the next step begins."""
        self.said = text
