"""How far a run has come, as a value, and how that looks on a terminal and in a log."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from assetflow.model.names import AssetName, AssetPartition, RunId
from assetflow.planning.results import StepResult
from assetflow.planning.steps import Plan
from assetflow.report.palette import COLOURS, Name
from assetflow.report.plan_report import plan_summary
from assetflow.report.words import counted, duration

MOST_RUNNING = 8
MOST_LINES = 50
BAR_WIDTH = 30
PERCENT = 100
STRIDE = 10
MOST_FAILURES = 10
"""So many failures of one asset are told one by one while a long run goes on."""

FAILURES = frozenset({"failed", "rejected", "superseded"})


@dataclass(frozen=True, slots=True)
class Progress:
    """What has started and what has ended of `total` steps.

    `running` are (target, when it started), the earliest first; instants are seconds of
    any one clock. `totals` are the steps of the assets that have several, `ended` how many
    of these ended, and `failures` how many of each asset's failed.
    """

    total: int = 0
    began_at: float = 0.0
    done: int = 0
    failed: int = 0
    running: tuple[tuple[AssetPartition, float], ...] = ()
    waits: str = field(default="")
    totals: Mapping[AssetName, int] = field(default_factory=dict)
    ended: Mapping[AssetName, int] = field(default_factory=dict)
    failures: Mapping[AssetName, int] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, began_at: float) -> "Progress":
        """Return the progress with all steps of `plan` ahead."""
        counts = Counter(step.target.asset for step in plan.steps)
        totals = {name: count for name, count in counts.items() if count > 1}
        return cls(total=len(plan.steps), began_at=began_at, totals=totals)

    def with_started(self, target: AssetPartition, at: float) -> "Progress":
        """Return the progress after the step of `target` began."""
        return replace(self, running=(*self.running, (target, at)), waits="")

    def with_finished(self, result: StepResult) -> "Progress":
        """Return the progress after a step ended, whether it had begun or not."""
        running = tuple(entry for entry in self.running if entry[0] != result.target)
        asset, ended, failures = result.target.asset, self.ended, self.failures
        if asset in self.totals:
            ended = {**ended, asset: ended.get(asset, 0) + 1}
        if result.outcome in FAILURES:
            failures = {**failures, asset: failures.get(asset, 0) + 1}
        return replace(
            self,
            done=self.done + 1,
            failed=sum(failures.values()),
            running=running,
            ended=ended,
            failures=failures,
        )

    def with_repeated(self, target: AssetPartition) -> "Progress":
        """Return the progress after a step ended as it had before, in an earlier plan."""
        running = tuple(entry for entry in self.running if entry[0] != target)
        return replace(self, done=self.done + 1, running=running)

    def with_message(self, text: str) -> "Progress":
        """Return the progress with what is being waited for."""
        return replace(self, waits=text)

    @property
    def percent(self) -> int:
        """Return how much is done, 100 only when all is."""
        return PERCENT * self.done // self.total if self.total else PERCENT

    def tells(self, result: StepResult) -> bool:
        """Whether a step that just ended has a line: each of a short run, and first failures."""
        if self.is_short:
            return True
        return result.outcome in FAILURES and self.failures[result.target.asset] <= MOST_FAILURES

    def is_last_told(self, result: StepResult) -> bool:
        """Whether further failures of the same asset are counted only."""
        found = self.failures.get(result.target.asset, 0)
        return self.tells(result) and not self.is_short and found == MOST_FAILURES

    @property
    def is_short(self) -> bool:
        """Whether there are so few steps that each may have a line of its own."""
        return self.total <= MOST_LINES


def heading(plan: Plan, run: RunId) -> Text:
    """Return the first line of a run: its name, by which it can be cancelled, and its size."""
    return Text(f"Run {run}: ", style="dim").append_text(plan_summary(plan))


def progress_view(progress: Progress, now: float) -> RenderableType:
    """Return the view for a terminal: a bar, and what runs for how long."""
    parts: list[RenderableType] = [_bar(progress, now)]
    if progress.running:
        parts.append(_running(progress, now))
    if progress.waits:
        parts.append(Text(f"  {progress.waits}", style="yellow", no_wrap=True, overflow="ellipsis"))
    return Group(*parts)


def _bar(progress: Progress, now: float) -> Text:
    filled = BAR_WIDTH * progress.done // progress.total if progress.total else BAR_WIDTH
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("━" * filled, style="green" if not progress.failed else "yellow")
    text.append("━" * (BAR_WIDTH - filled), style="bright_black")
    text.append(f" {progress.done:,} of {counted(progress.total, 'step')}")
    if progress.failed:
        text.append(f", {progress.failed:,} failed", style=COLOURS["failed"])
    return text.append(f"  {duration(max(0.0, now - progress.began_at))}", style="dim")


def _running(progress: Progress, now: float) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=1)
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    started: dict[AssetName, tuple[AssetPartition, float]] = {}
    for target, since in progress.running:
        started.setdefault(target.asset, (target, since))
    for target, since in list(started.values())[:MOST_RUNNING]:
        took = Text(duration(max(0.0, now - since)), style="dim")
        table.add_row("", Name(_named(progress, target)), took)
    if len(started) > MOST_RUNNING:
        table.add_row("", Text(f"… and {len(started) - MOST_RUNNING} more", style="dim"), "")
    return table


def _named(progress: Progress, target: AssetPartition) -> str:
    """Return what runs: a step, or an asset with how many of its partitions are done."""
    total = progress.totals.get(target.asset)
    if total is None:
        return str(target)
    return f"{target.asset}  {progress.ended.get(target.asset, 0):,} of {total:,}"


def counted_only(result: StepResult) -> Text:
    """Return the line that says of which asset no more failures are told one by one."""
    name = result.target.asset
    return Text(f"  Further failures of '{name}' are counted; the end has them.", style="dim")


def log_lines(before: Progress, after: Progress) -> Iterator[str]:
    """Yield a line for each tenth of a long run that was reached between two moments."""
    if after.is_short or after.percent // STRIDE == before.percent // STRIDE:
        return
    failed = f", {after.failed:,} failed" if after.failed else ""
    tenth = after.percent // STRIDE * STRIDE
    yield f"{tenth:>3} %  {after.done:,} of {counted(after.total, 'step')}{failed}"
