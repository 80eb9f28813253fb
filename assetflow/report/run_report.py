"""How runs look: one line each, one run with its steps, and how a run that just ended went."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from assetflow.model.names import AssetPartition
from assetflow.planning.pages import RunLine, RunPage, StepLine
from assetflow.planning.reasons import SourceUnknown
from assetflow.planning.results import RunResult, StepResult
from assetflow.report.palette import COLOURS, Name, columns, faint, state, strong
from assetflow.report.partition_ranges import (
    Alike,
    common_reasons,
    grouped,
    in_general,
    left_lines,
)
from assetflow.report.plan_report import noted, nothing_to_do, why
from assetflow.report.repair_report import mended_lines
from assetflow.report.run_checks import unmet_checks, unmet_of_lines, unmet_of_results
from assetflow.report.step_line import SHORTEST_TIME
from assetflow.report.words import SHORT_ID, counted, duration, instant, minute

MOST_FAILURES = 10
MOST_STEPS = 100
GONE_WRONG = frozenset({"failed", "rejected", "superseded", "skipped"})
MOST_OUTPUT_LINES = 40

ORDER = (
    "materialized",
    "unchanged",
    "reused",
    "verified",
    "checked",
    "withdrawn",
    "rejected",
    "failed",
    "skipped",
    "superseded",
)


def counts_text(counts: Mapping[str, int]) -> Text:
    """Return how many steps ended in each outcome, the good ones first.

    >>> counts_text({"failed": 1, "materialized": 12}).plain
    '12 materialized, 1 failed'
    """
    known = [outcome for outcome in ORDER if counts.get(outcome)]
    others = [outcome for outcome in counts if outcome not in ORDER and counts[outcome]]
    return Text(", ").join(
        Text(f"{counts[outcome]:,} {outcome}", style=COLOURS.get(outcome, ""))
        for outcome in (*known, *others)
    )


def runs_table(lines: Sequence[RunLine]) -> RenderableType:
    """Return one line for each run."""
    if not lines:
        return Text("No run yet. Start one with `assetflow materialize`.")
    titles = ("run", "status", "started (UTC)", "took", "steps")
    table = columns(titles, right=["took"], folds=["steps"])
    for line in lines:
        where = "" if line.environment == "main" else f" in {line.environment}"
        table.add_row(
            line.run_id[:SHORT_ID],
            state(line.status).append(where, style="default"),
            minute(line.started_at),
            duration(line.duration_seconds),
            counts_text(line.counts),
        )
    return table


def run_page(
    page: RunPage, *, everything: bool = False, with_output: bool = False
) -> RenderableType:
    """Return one run: what it was, its steps, then errors and what failed steps printed.

    `everything` shows each step of a long run; `with_output` what all steps printed.
    """
    line = page.line
    facts = columns(("fact", "value"), folds=["value"], header=False)
    facts.add_row(faint("status"), state(line.status))
    facts.add_row(faint("environment"), line.environment)
    facts.add_row(faint("started"), f"{instant(line.started_at)} UTC")
    if line.duration_seconds is not None:
        facts.add_row(faint("took"), duration(line.duration_seconds))
    if line.command:
        facts.add_row(faint("command"), Text(line.command))
    facts.add_row(faint("steps"), counts_text(line.counts) if line.counts else "none")
    parts: list[RenderableType] = [strong(f"Run {line.run_id}"), _indented(facts)]
    groups = grouped(page.steps, _target, _said, page.keys)
    shown = groups if everything else _most_telling(groups)
    if shown:
        parts += [Text(), _steps(shown)]
    if len(shown) < len(groups):
        parts.append(faint(f"… and {len(groups) - len(shown):,} more (use --all)"))
    if with_output:
        parts += [part for step in page.steps for part in _step_details(step)]
    else:
        parts += _failures(page)
    unmet = list(unmet_checks(unmet_of_lines(page.steps), page.keys))
    parts += [Text(), *unmet[:-1]] if unmet else []
    return Group(*parts, *_hidden_output(page.steps, with_output=with_output))


Failed = tuple[AssetPartition, str, int]
"""A step that failed: its target, its error and how often it was tried."""


def _failures(page: RunPage) -> Iterator[RenderableType]:
    """Yield the errors of a run, those that say the same of several partitions once."""
    failed = {_target(step): step for step in page.steps if step.error}
    alike = _alike([(target, step.error, step.attempts) for target, step in failed.items()])
    for same in alike[:MOST_FAILURES]:
        yield from _step_details(failed[same[0][0]])
        yield from _others(same)


def _alike(failures: Iterable[Failed]) -> list[list[Failed]]:
    """Return failures of one asset together whose errors say the same but for the partition."""
    found: dict[tuple[str, str], list[Failed]] = {}
    for one in failures:
        target, error, _ = one
        said = error.replace(target.partition, "") if target.partition else error
        found.setdefault((target.asset, said), []).append(one)
    return list(found.values())


def _others(same: Sequence[Failed]) -> Iterator[Text]:
    """Yield how many more partitions failed with such an error, if there are some."""
    if len(same) > 1:
        yield faint(f"… and so did {counted(len(same) - 1, 'more partition')}")


Lines = Sequence[Alike[StepLine]]
"""Steps of one asset that ended alike."""


def _target(step: StepLine) -> AssetPartition:
    return AssetPartition(step.asset, step.partition)


def _said(step: StepLine) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return by what a step is told from others: its outcome, and what its reasons are about."""
    return step.outcome, tuple((code, _about(text)) for code, text in step.reasons)


def _about(text: str) -> str:
    """Return the name that a reason is about, "" if it names none."""
    return text.split("'")[1] if text.count("'") > 1 else ""


def _reasons(steps: Sequence[StepLine]) -> list[str]:
    """Return what the reasons of steps say: as they are, if all say the same."""
    return [
        alike[0][1] if len(set(alike)) == 1 else _in_short(*alike[0])
        for alike in zip(*(step.reasons for step in steps), strict=True)
    ]


def _in_short(code: str, text: str) -> str:
    about = _about(text)
    words = code.replace("_", " ")
    return f"{words} ('{about}')" if about else words


def _most_telling(groups: Lines) -> Lines:
    """Return at most MOST_STEPS of `groups`, what went wrong before what went well."""
    if len(groups) <= MOST_STEPS:
        return groups
    wrong = [group for group in groups if group.members[0].outcome in GONE_WRONG]
    right = [group for group in groups if group.members[0].outcome not in GONE_WRONG]
    return (wrong + right)[:MOST_STEPS]


def _hidden_output(steps: Iterable[StepLine], *, with_output: bool) -> Iterator[RenderableType]:
    quiet = sum(bool(step.output.strip()) and not step.error for step in steps)
    if quiet and not with_output:
        yield Text()
        yield faint(f"{counted(quiet, 'step')} printed something: --output shows it.")


def _steps(groups: Lines) -> RenderableType:
    has_ranges = any(group.ranges for group in groups)
    slices = ["partitions"] if has_ranges else []
    titles = ("outcome", "asset", *slices, "rows", "took", "why")
    table = columns(titles, ("rows", "took"), folds=["why"])
    for group in groups:
        rows = [step.rows for step in group.members if step.rows is not None]
        seconds = sum(step.seconds for step in group.members)
        table.add_row(
            state(group.members[0].outcome),
            Name(group.asset),
            *([group.lines] if has_ranges else []),
            f"{sum(rows):,}" if rows else "",
            duration(seconds) if seconds >= SHORTEST_TIME else "",
            why(_reasons(group.members)),
        )
    return table


def _step_details(step: StepLine) -> Iterator[RenderableType]:
    if step.error:
        yield Text()
        yield from failure(_target(step), step.error, step.attempts)
    if step.output.strip():
        yield Text()
        yield faint(f"What {_target(step)} printed")
        yield _indented(Text(_last_lines(step.output)))


def failure(target: AssetPartition, error: str, attempts: int) -> Iterator[Text]:
    """Yield the error of a step, with its partition on top if the error does not name it."""
    if target.partition and f"'{target}'" not in error.partition("\n")[0]:
        yield strong(str(target))
    yield error_text(error, attempts)


def error_text(error: str, attempts: int = 1) -> Text:
    """Return the text of an error with its first line in front, and how often it was tried."""
    headline, _, rest = error.strip("\n").partition("\n")
    text = Text(headline, style="bold red")
    if attempts > 1:
        text.append(f" Tried {attempts} times.", style="not bold")
    return text.append(f"\n{rest}", style="not bold default") if rest else text


def _last_lines(text: str) -> str:
    lines = text.rstrip().splitlines()
    cut = len(lines) - MOST_OUTPUT_LINES
    if cut <= 0:
        return "\n".join(lines)
    return "\n".join([f"… {counted(cut, 'line')} before, in --json", *lines[-MOST_OUTPUT_LINES:]])


def _indented(renderable: RenderableType) -> Padding:
    return Padding(renderable, (0, 0, 0, 2))


def run_summary(result: RunResult) -> RenderableType:
    """Return how a run ended: its failures again, the counts, and where to look."""
    parts: list[RenderableType] = []
    failures = _alike([(one.target, one.error, one.attempts) for one in result.steps if one.error])
    parts += [Text()] if failures else []
    for same in failures[:MOST_FAILURES]:
        parts += [*failure(*same[0]), *_others(same), Text()]
    more = sum(map(len, failures[MOST_FAILURES:]))
    if more:
        parts += [Text(f"… and {counted(more, 'more failure')}"), Text()]
    parts += [Text(text, style="red") for text in _unknown_sources(result)]
    if result.problem:
        parts.append(Text(result.problem, style="red"))
    parts += [
        *_unmade(result),
        *mended_lines((step.target, one) for step in result.steps for one in step.mended),
        *unmet_checks(unmet_of_results(result.steps), result.keys),
    ]
    notes = list(noted(result.notes))
    parts += [*notes[bool(parts) :], Text()] if notes else []
    return Group(*parts, *left_lines(result.left, result.keys), *_last_words(result))


def _unmade(result: RunResult) -> Iterator[RenderableType]:
    """Yield which partitions were not made, by asset and reason."""
    wrong = [step for step in result.steps if step.outcome in GONE_WRONG]
    groups = grouped(wrong, lambda step: step.target, _why_not, result.keys)
    if not any(group.ranges for group in groups):
        return
    table = columns(
        ("outcome", "asset", "partitions", "why"), folds=["partitions", "why"], header=False
    )
    for group in groups[:MOST_STEPS]:
        said = common_reasons([step.reasons for step in group.members])
        outcome = group.members[0].outcome
        is_told = outcome in ("failed", "rejected") or _is_unknown(group.members[0])
        because = why([] if is_told else said)
        table.add_row(state(outcome), Name(group.asset), group.partitions, because)
    yield table
    yield Text()


def _is_unknown(step: StepResult) -> bool:
    """Whether it is said of a source why the step was not made."""
    return any(isinstance(reason, SourceUnknown) for reason in step.reasons)


def _why_not(step: StepResult) -> tuple[str, tuple[str, ...]]:
    return step.outcome, in_general(step.reasons)


def _unknown_sources(result: RunResult) -> Iterable[str]:
    """Return what is wrong with sources, each once, however many assets are made from it."""
    reasons = (reason for step in result.steps for reason in step.reasons)
    return dict.fromkeys(str(one) for one in reasons if isinstance(one, SourceUnknown))


def _last_words(result: RunResult) -> Iterator[Text]:
    if not result.steps and result.status == "succeeded":
        yield nothing_to_do(result)
        return
    text = state(result.status)
    text.plain = text.plain.capitalize()
    text.append(f" in {duration(result.duration_seconds)}: ", style="default")
    text.append_text(counts_text({str(name): count for name, count in result.counts.items()}))
    if result.up_to_date:
        text.append(f", {result.up_to_date:,} up to date", style="default")
    yield text.append(".", style="default")
    hint = HINTS.get(result.status)
    if hint:
        yield faint(hint.format(run=result.run[:SHORT_ID]))


HINTS = {
    "failed": "What passed is published. Look closer with `assetflow run {run}`.",
    "interrupted": "What was completed is kept; the next `assetflow materialize` finds it again.",
    "unpublished": "What was made is kept; the next command publishes it. "
    "Look closer with `assetflow run {run}`.",
}
