"""The verbs: load, plan, materialize, status, freshness, lineage, show, read, connect, and more.

Functions over a Project. Here, and nowhere below, the clock is read.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.errors import (
    AssetflowError,
    BadOptionValue,
    EmptyProject,
    NeedsOption,
    NoDeadLetter,
    NothingToRepair,
    NotPartitioned,
    ProjectErrors,
    RetentionTooShort,
    StateUnusable,
    TwoChoices,
    UnknownEnvironment,
    UnknownPartition,
    UnknownTable,
    each_error,
)
from assetflow.graph.graph import AssetGraph
from assetflow.graph.selection import select as select_assets
from assetflow.graph.selection import wants_status
from assetflow.model.durations import parse_duration
from assetflow.model.names import WHOLE, AssetName, PartitionKey, RunId, check_name, folded
from assetflow.model.partitions import described
from assetflow.planning.asked import check_asked, partition_range
from assetflow.planning.listener import Silent
from assetflow.planning.plan import plan as make_plan
from assetflow.planning.reasons import CheckChanged
from assetflow.planning.steps import PartitionRange, Request
from assetflow.planning.wanted import wanted_partitions
from assetflow.project.analysis import Analysis
from assetflow.project.analysis_cache import AnalysisCache
from assetflow.project.loading import Declarations, load_declarations
from assetflow.project.lost_names import not_following
from assetflow.project.settings import Settings, find_project, read_settings
from assetflow.project.taken_configs import taken_configs

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from assetflow.execution.ageing import Ager
    from assetflow.execution.gathering import Place
    from assetflow.execution.knowledge import Knowledge
    from assetflow.execution.materializing import RunRequest
    from assetflow.execution.promoting import Realm
    from assetflow.execution.repairing import FailedCheck
    from assetflow.execution.resources import Resources
    from assetflow.graph.lineage import Lineage
    from assetflow.planning.check_pages import ChecksPage, ProposalsPage
    from assetflow.planning.freshness_pages import FreshnessHistory, FreshnessLine, FreshnessPage
    from assetflow.planning.listener import Listener
    from assetflow.planning.pages import (
        AssetPage,
        AuditResult,
        DynamicChange,
        DynamicKeys,
        EnvironmentLine,
        Finding,
        GcResult,
        PublicationLine,
        PublicationSummary,
        Rows,
        RunLine,
        RunPage,
        StepDiff,
    )
    from assetflow.planning.reach import Slices
    from assetflow.planning.repair import RepairPlan
    from assetflow.planning.repair_pages import DeadLetterLine, RepairPage
    from assetflow.planning.results import AssetStatus, RunResult
    from assetflow.planning.steps import Plan
    from assetflow.warehouse.connection import Engine


SHORTEST_RETENTION = 3600.0
AGES_TOLD = range(1970, 3000)


def now() -> datetime:
    """Return the present instant, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the clock that all others are given


@dataclass
class Project:
    """A loaded project in one environment. It holds no connection until something is asked."""

    root: Path
    settings: Settings
    environment: str
    declarations: Declarations
    analysis: Analysis
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def graph(self) -> AssetGraph:
        """Return the assets and how they relate."""
        return self.analysis.graph

    @property
    def state(self) -> Path:
        """Return the state folder."""
        return self.root / self.settings.state

    @cached_property
    def engine(self) -> Engine:
        """Return the DuckDB that computes for this project."""
        from assetflow.warehouse.connection import Engine

        return Engine(
            threads=self.settings.threads,
            memory_limit=self.settings.memory_limit,
            temp_directory=self.state / "tmp",
            timezone=self.settings.timezone,
            macros=[macro.sql for macro in self.declarations.macros],
        )

    @property
    def place(self) -> Place:
        """Return where the project works."""
        from assetflow.execution.gathering import Place

        return Place(self.root, self.state, self.environment)


def load(
    path: Path | str | None = None,
    *,
    environment: str = "main",
    environ: Mapping[str, str] | None = None,
) -> Project:
    """Return the project at `path`, or at the nearest folder with settings.

    Raises ProjectErrors with all that is wrong with its definitions, NoProject,
    EmptyProject, UnknownEnvironment.
    """
    variables = os.environ if environ is None else environ
    root = find_project(Path.cwd(), Path(path) if path is not None else None, variables)
    settings = read_settings(root)
    _check_environment(root / settings.state, settings, environment)
    declared = load_declarations(root, settings, environment, variables)
    return _project(declared, variables)


def _project(declared: Declarations, environ: Mapping[str, str]) -> Project:
    settings = declared.settings
    kept, rules = declared.root / settings.state / "cache", _rules()
    texts = AnalysisCache(kept / "queries.json", rules)
    cache = AnalysisCache(kept / "analysis.json", rules)
    keyed = {} if declared.errors else taken_configs(declared, environ, reads_secrets=False)
    analysis = Analysis(declared, texts, cache, keyed)
    found = not_following(analysis.errors, declared)
    errors = (*declared.errors, *found)
    if errors:
        raise ProjectErrors(errors)
    if not declared.assets:
        raise EmptyProject(settings.package, declared.root)
    return Project(
        declared.root, settings, declared.environment, analysis.declarations, analysis, environ
    )


def _rules() -> str:
    from importlib.metadata import version

    from assetflow import __version__

    return f"{__version__} sqlglot {version('sqlglot')} duckdb {version('duckdb')}"


def _check_environment(state: Path, settings: Settings, environment: str) -> None:
    if environment == "main" or environment in settings.environments:
        return
    from assetflow.metadata.recall import environments as known_environments

    names = {"main", *settings.environments, *known_environments(state)}
    if environment not in names:
        raise UnknownEnvironment(environment, names)


def plan(  # noqa: PLR0913 - each is an option of the command
    project: Project,
    select: Sequence[str] = (),
    *,
    exclude: Sequence[str] = (),
    only: bool = False,
    downstream: bool = False,
    force: bool = False,
    refresh: bool = False,
    partitions: Sequence[str] = (),
    latest: bool = False,
    max_partitions: int | None = None,
    overdue: bool = False,
    within: str | float | None = None,
) -> Plan:
    """Return what `materialize` with the same arguments would do, and why. Nothing is changed.

    `partitions` are keys and ranges ("2026-01-05..2026-01-09", both included); `latest` is
    the last partition of each asset. At most `max_partitions` of an asset run, the newest;
    where nothing is said of partitions, as many as the settings allow. With `overdue` it is
    the least that brings back what is older than its policy allows, or will be `within` a
    time, such as "30m".

    Raises ProjectErrors where a query does not fit the columns that its inputs have,
    NoPartitions, NoSuchPartitions and ReversedRange where `partitions` are none.
    """
    targets = selected(project, select, exclude)
    request = Request(targets, only, downstream, force, refresh)
    _check_beside_overdue(request, partitions, latest=latest, overdue=overdue)
    request = _about_partitions(project, request, partitions, max_partitions, latest=latest)
    request, held_back = _overdue(project, request, within, overdue=overdue)
    made = make_plan(_sound(gathered(project, request)).known(), request)
    seconds = _estimated_seconds(project, made)
    return replace(made, estimated_seconds=seconds, notes=(*made.notes, *held_back))


def _overdue(
    project: Project, request: Request, within: str | float | None, *, overdue: bool
) -> tuple[Request, tuple[tuple[AssetName, str], ...]]:
    """Return the request for the least that brings back what is overdue, if that is asked for.

    Beside it stands what holds back those that no run brings back.
    """
    from assetflow.execution.ageing import overdue_request

    if not overdue:
        if within is not None:
            raise NeedsOption("--within", "--overdue")
        return request, ()
    seconds = None if within is None else parse_duration(within)
    known = _ager(project).known(request.targets)
    names = known.stated.keys() if request.targets is None else request.targets
    return overdue_request(known, names, seconds)


def _check_beside_overdue(
    request: Request, partitions: Sequence[str], *, latest: bool, overdue: bool
) -> None:
    """Refuse what says otherwise than `overdue` which assets and partitions run."""
    others = {
        "--only": request.only,
        "--downstream": request.downstream,
        "--force": request.force,
        "--refresh": request.refresh,
        "--partition": bool(partitions),
        "--latest": latest,
    }
    for option, is_given in others.items():
        if overdue and is_given:
            raise TwoChoices("--overdue", option)


def _about_partitions(
    project: Project,
    request: Request,
    partitions: Sequence[str],
    most: int | None,
    *,
    latest: bool,
) -> Request:
    """Return `request` with the partitions that were asked for, if there are such."""
    if partitions and latest:
        raise TwoChoices("--partition", "--latest")
    ranges = tuple(partition_range(text) for text in partitions)
    if most is None and not ranges and not latest:
        most = project.settings.max_partitions
    request = replace(request, partitions=ranges, latest=latest, max_partitions=most)
    if ranges or latest:
        check_asked(_slices(project), request)
    return request


def _slices(project: Project) -> Slices:
    """Return which partitions there are now."""
    from assetflow.execution.gathering import slices_of

    with _state_that_may_be_read_only(project.state):
        _fold_leftovers(project)
    return slices_of(project.state, project.analysis, now())


def _estimated_seconds(project: Project, made: Plan) -> float | None:
    """Return what the steps of a plan that run cost before, together; None if none ran before."""
    from assetflow.metadata.rollups import usual_seconds

    counts = Counter(
        step.target.asset
        for step in made.steps
        if step.action in ("materialize", "may_materialize")
    )
    usual = usual_seconds(project.state, counts.keys())
    return sum(usual[name] * counts[name] for name in usual) if usual else None


def gathered(project: Project, request: Request | None) -> Knowledge:
    """Return what is known of `project` now, as far as a plan for `request` needs it.

    None stands for no plan: then nothing of the past is looked at.
    """
    from assetflow.execution.gathering import gather

    with _state_that_may_be_read_only(project.state):
        _fold_leftovers(project)
    return gather(project.place, project.analysis, project.engine, now(), request)


def _fold_leftovers(project: Project) -> None:
    from assetflow.execution.publishing import fold_leftovers
    from assetflow.execution.serving import key_columns

    keys = key_columns(project.graph)
    fold_leftovers(lambda: project.engine, project.state, now(), keys)


@contextlib.contextmanager
def _state_that_may_be_read_only(state: Path) -> Iterator[None]:
    """Let a look at the state pass where it cannot be written, or has no room left."""
    try:
        yield
    except StateUnusable:
        return
    except AssetflowError:
        if os.access(state, os.W_OK):
            raise


def _sound(knowledge: Knowledge) -> Knowledge:
    """Raise what is wrong with queries, given columns that are known for sure."""
    problems = [
        problem
        for facts in knowledge.facts.values()
        if facts.problem is not None and not facts.is_expected
        for problem in each_error(facts.problem)
    ]
    if problems:
        raise ProjectErrors(problems)
    return knowledge


def selected(
    project: Project,
    select: Sequence[str],
    exclude: Sequence[str] = (),
    *,
    with_sources: bool = False,
) -> frozenset[AssetName] | None:
    """Return the assets that are selected; None, for everything, where nothing is said."""
    if not select and not exclude:
        return None
    texts = select or ("*",)
    statuses = {}
    if wants_status((*texts, *exclude)):
        statuses = {
            one.asset: (
                one.sync,
                one.freshness,
                one.health,
                *(("rejected",) if one.rejected else ()),
            )
            for one in status(project)
        }
    return select_assets(project.graph, texts, exclude, statuses, with_sources=with_sources)


def plan_diff(project: Project, made: Plan) -> tuple[StepDiff, ...]:
    """Return what each step of a plan would do to the columns and rows that are published."""
    from assetflow.execution.previews import diffs

    targets = frozenset(step.target.asset for step in made.steps if step.facts is not None)
    return diffs(gathered(project, Request(targets)), project.root, made)


def materialize(  # noqa: PLR0913 - each is an option of the command
    project: Project,
    select: Sequence[str] = (),
    *,
    exclude: Sequence[str] = (),
    only: bool = False,
    downstream: bool = False,
    force: bool = False,
    refresh: bool = False,
    partitions: Sequence[str] = (),
    latest: bool = False,
    max_partitions: int | None = None,
    overdue: bool = False,
    within: str | float | None = None,
    fail_fast: bool = False,
    threads: int | None = None,
    listener: Listener | None = None,
    command: str = "",
) -> RunResult:
    """Bring the selected assets, and whatever they are made from, up to date; publish at once.

    A failed step does not raise: it is in the result. Raises what `plan` raises.
    """
    targets = selected(project, select, exclude)
    request = Request(targets, only, downstream, force, refresh)
    _check_beside_overdue(request, partitions, latest=latest, overdue=overdue)
    request = _about_partitions(project, request, partitions, max_partitions, latest=latest)
    request, held_back = _overdue(project, request, within, overdue=overdue)
    _fold_leftovers(project)
    asked = _asked(project, request, threads=threads, command=command)
    result = _run(project, replace(asked, fail_fast=fail_fast), listener)
    return replace(result, notes=(*result.notes, *held_back))


def _asked(project: Project, request: Request, *, threads: int | None, command: str) -> RunRequest:
    from assetflow.execution.materializing import RunRequest
    from assetflow.warehouse.layout import new_version_id

    return RunRequest(
        request=request,
        run=RunId(new_version_id()),
        threads=threads or project.settings.threads,
        publish=project.settings.publish,
        command=command,
    )


def _run(project: Project, asked: RunRequest, listener: Listener | None) -> RunResult:
    from assetflow.execution.materializing import Materializing

    run = Materializing(
        place=project.place,
        settings=project.settings,
        resources=_resources(project),
        analysis=project.analysis,
        engine=project.engine,
        asked=asked,
        listener=listener or Silent(),
        clock=now,
        check=_sound,
    )
    return run.run()


def repair_plan(
    project: Project,
    select: Sequence[str] = (),
    *,
    exclude: Sequence[str] = (),
    partitions: Sequence[str] = (),
) -> RepairPage:
    """Return what a repair of the failed checks of the selected assets would do, and why.

    Asked for by hand, no repair has to wait for the next attempt.
    """
    from assetflow.execution.repairing import limits_of, repair_page

    planned, knowledge = _planned_repairs(project, select, exclude, partitions)
    limits = limits_of(project.settings.repair)
    page = repair_page(planned, limits, project.environment, knowledge)
    targets = selected(project, select, exclude)
    return replace(page, unasked=tuple(_unasked(knowledge, targets)))


def _unasked(knowledge: Knowledge, targets: Collection[AssetName] | None) -> Iterator[AssetName]:
    """Yield which of `targets` have checks that were not asked as they are now."""
    found: dict[AssetName, None] = {}
    for step in make_plan(knowledge.known(), Request()).steps:
        is_changed = any(isinstance(reason, CheckChanged) for reason in step.reasons)
        if step.verdict.to_audit or is_changed:
            found[step.target.asset] = None
    yield from (name for name in found if targets is None or name in targets)


def repair(  # noqa: PLR0913 - each is an option of the command
    project: Project,
    select: Sequence[str] = (),
    *,
    exclude: Sequence[str] = (),
    partitions: Sequence[str] = (),
    threads: int | None = None,
    listener: Listener | None = None,
    command: str = "",
) -> RunResult:
    """Make again the least that can mend the failed checks of the selected assets.

    Raises NothingToRepair where nothing can give other data, or all was tried in vain.
    """
    planned, _ = _planned_repairs(project, select, exclude, partitions)
    repairs = tuple(one for one in planned.repairs if one.remedies)
    if not repairs:
        raise NothingToRepair(_unrepaired(planned))
    asked = _asked(project, planned.request(), threads=threads, command=command)
    return _run(project, replace(asked, repairs=repairs), listener)


def _unrepaired(planned: RepairPlan) -> dict[str, str]:
    """Return why nothing is tried for each failed check."""
    nothing = "nothing upstream can give other data"
    why = [(repair.failing, nothing) for repair in planned.repairs]
    why += [(one, f"tried {one.attempts} times in vain") for one in planned.exhausted]
    return {f"{one.target}: {one.outcome.check}": text for one, text in why}


def _planned_repairs(
    project: Project, select: Sequence[str], exclude: Sequence[str], partitions: Sequence[str]
) -> tuple[RepairPlan, Knowledge]:
    from assetflow.execution.repairing import failing_of, limits_of
    from assetflow.metadata.repairs import tries
    from assetflow.planning.repair import plan_repairs

    _fold_leftovers(project)
    targets = selected(project, select, exclude)
    request = _about_partitions(project, Request(targets), partitions, None, latest=False)
    knowledge = _sound(gathered(project, Request()))
    wanted = wanted_partitions(knowledge.slices, replace(request, only=True))
    failed = [
        (target, outcome)
        for target, outcome in _known_failed(project, knowledge)
        if target.partition in wanted.get(target.asset, ())
    ]
    tried = tries(project.state, project.environment)
    failing = failing_of(knowledge.facts, failed, tried)
    limits = limits_of(project.settings.repair)
    return plan_repairs(knowledge.known(), failing, limits, None), knowledge


def _known_failed(project: Project, knowledge: Knowledge) -> list[FailedCheck]:
    from assetflow.execution.repairing import known_failed
    from assetflow.planning.standing import to_be_changed

    steps = make_plan(knowledge.known(), Request()).steps
    changed = to_be_changed(steps)
    unsettled = {step.target: step.reasons for step in steps if step.target in changed}
    return list(known_failed(knowledge, project.environment, unsettled))


def dead_letters(project: Project, select: Sequence[str] = ()) -> tuple[DeadLetterLine, ...]:
    """Return the failed checks whose repairs are used up, with what was said of them."""
    from assetflow.execution.repairing import dead_letters_of, limits_of
    from assetflow.metadata.repairs import tries

    _fold_leftovers(project)
    targets = selected(project, select, ())
    knowledge = _sound(gathered(project, Request()))
    found = dead_letters_of(
        _known_failed(project, knowledge),
        tries(project.state, project.environment),
        limits_of(project.settings.repair),
    )
    return tuple(one for one in found if targets is None or one.asset in targets)


def retry_dead_letters(
    project: Project, select: Sequence[str] = (), *, note: str = ""
) -> tuple[DeadLetterLine, ...]:
    """Let repairs try again what they tried in vain; return what that is about."""
    return _close(project, "retried", select, note)


def resolve_dead_letters(
    project: Project, select: Sequence[str] = (), *, note: str = ""
) -> tuple[DeadLetterLine, ...]:
    """Say of dead letters that they were looked at: no run tries them; return which."""
    return _close(project, "resolved", select, note)


def _close(
    project: Project, kind: str, select: Sequence[str], note: str
) -> tuple[DeadLetterLine, ...]:
    from assetflow.execution.promoting import user_name
    from assetflow.execution.repairing import happened, keep
    from assetflow.metadata.repairs import CheckedPartition

    letters = list(dead_letters(project, select))
    if kind == "resolved":
        letters = [one for one in letters if one.resolved_at is None]
    if not letters:
        raise NoDeadLetter("--retry" if kind == "retried" else "--resolve", select)
    of = [CheckedPartition(one.asset, one.partition, one.check) for one in letters]
    records = happened(kind, of, project.environment, None, now(), note=note, user=user_name())
    keep(project.state, list(records), now)
    return tuple(letters)


def status(
    project: Project, select: Sequence[str] = (), exclude: Sequence[str] = ()
) -> tuple[AssetStatus, ...]:
    """Return how each selected asset stands: in sync, in freshness, in health."""
    targets = selected(project, select, exclude)
    knowledge = gathered(project, Request())
    recency = {name: line.facts.status for name, line in _lines(knowledge, project, targets)}
    return tuple(
        replace(one, freshness=recency.get(one.asset, "no_policy"))
        for one in _standings(project, knowledge)
        if targets is None or one.asset in targets
    )


def _standings(project: Project, knowledge: Knowledge) -> Iterator[AssetStatus]:
    """Yield how each asset stands, but for how old it is."""
    from assetflow.metadata.rollups import roll_ups
    from assetflow.planning.standing import standings

    known = knowledge.known()
    whole = {name: known.slices.keys[name] for name, facts in known.facts.items() if facts.whole}
    yield from standings(known, roll_ups(project.state, project.environment, whole))


def check(
    project: Project,
    select: Sequence[str] = (),
    *,
    exclude: Sequence[str] = (),
    partitions: Sequence[str] = (),
    latest: bool = False,
    force: bool = False,
) -> ChecksPage:
    """Return how the checks of the selected assets stand: evaluated, or carried over.

    They are those of the published versions, and of versions that were rejected since.
    With `force` nothing is carried over. The results are recorded. Raises what `plan` raises.
    """
    from assetflow.execution.checking import Checking
    from assetflow.execution.compute import Means
    from assetflow.execution.gathering import gather

    targets = selected(project, select, exclude)
    request = Request(targets, force=force)
    request = _about_partitions(project, request, partitions, None, latest=latest)
    _fold_leftovers(project)
    knowledge = gather(project.place, project.analysis, project.engine, now(), None)
    means = Means(project.engine, _resources(project), project.root)
    command = " ".join(["check", *select])
    return Checking(project.place, _sound(knowledge), means, now, command).page(request)


def suggest(project: Project, name: str) -> ProposalsPage:
    """Return checks that what is published of an asset passes, ready to be declared.

    Raises NothingAsOf where nothing is published, NotATable of files, SourceNotChecked.
    """
    from assetflow.execution.proposing import proposals

    _fold_leftovers(project)
    return proposals(project.place, project.graph, project.engine, _named(project, name))


def _resources(project: Project) -> Resources:
    """Return what functions are given, opened when one of them asks for it."""
    from assetflow.execution.resources import Resources

    configs = taken_configs(project.declarations, project.environ, reads_secrets=True)
    declared = {resource.name: resource for resource in project.declarations.resources}
    return Resources(declared, configs)


def _lines(
    knowledge: Knowledge, project: Project, targets: Collection[AssetName] | None
) -> Iterator[tuple[AssetName, FreshnessLine]]:
    """Yield how old each of `targets` is that has a freshness policy, by what was seen already."""
    from assetflow.execution.gathering import sight_of
    from assetflow.execution.rejected_ages import told_lines

    ager = replace(_ager(project), sight=sight_of(knowledge))
    asked = [name for name in ager.stated() if targets is None or name in targets]
    if asked:
        yield from ((line.asset, line) for line in told_lines(ager, ager.known(asked), asked))


def freshness(
    project: Project,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    *,
    at: datetime | None = None,
) -> FreshnessPage:
    """Return how old the data of each selected asset is, against what its policy allows.

    Sources that have a policy, or are selected, are told, too. `at` is a moment of the past:
    then nothing is observed, and what was known by then counts. Raises NaiveEventTime.
    """
    from assetflow.execution.ageing import with_trends
    from assetflow.execution.rejected_ages import told_lines
    from assetflow.planning.freshness_pages import FreshnessPage, urgency

    targets = selected(project, select, exclude, with_sources=True)
    ager = _ager(project, at)
    known = ager.known(targets)
    names = [name for name in known.names if targets is None or name in targets]
    if not select:
        names = [name for name in names if name in project.graph.assets or name in known.stated]
    lines = with_trends(ager, sorted(told_lines(ager, known, names), key=urgency))
    return FreshnessPage(known.now, tuple(lines))


def freshness_history(
    project: Project, name: str, *, days: float = 7.0, at: datetime | None = None
) -> FreshnessHistory:
    """Return how old one asset was in the last `days`, and how often it was fresh.

    `at` is the moment up to which it is told. Raises UnknownTable.
    """
    from assetflow.execution.ageing import history_of

    return history_of(_ager(project, at), _named(project, name), days)


def _ager(project: Project, at: datetime | None = None) -> Ager:
    from assetflow.execution.ageing import Ager

    with _state_that_may_be_read_only(project.state):
        _fold_leftovers(project)
    instant = now() if at is None else _told_instant(at)
    engine = project.engine
    return Ager(project.place, project.analysis, engine, instant, is_past=at is not None)


def _told_instant(at: datetime) -> datetime:
    if at.year not in AGES_TOLD:
        hint = "Write it like 2026-01-05T13:00."
        raise BadOptionValue("--at", str(at), "an instant between 1970 and 2999 (UTC)", hint)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def lineage(project: Project, select: Sequence[str] = ()) -> Lineage:
    """Return how assets and columns reach one another: all, those selected, or one column."""
    from assetflow.execution.tracing import lineage_of

    return lineage_of(gathered(project, None), select)


def show(project: Project, name: str) -> AssetPage:
    """Return all there is to say of one asset or source."""
    from assetflow.execution.looking import page_of

    found = _named(project, name)
    knowledge = gathered(project, Request())
    standing = {one.asset: one for one in _standings(project, knowledge)}.get(found)
    line = dict(_lines(knowledge, project, {found})).get(found)
    if standing is not None and line is not None:
        standing = replace(standing, freshness=line.facts.status)
    return replace(page_of(knowledge, project.root, found, standing), freshness=line)


def _named(project: Project, name: str) -> AssetName:
    names = (*project.graph.assets, *project.graph.sources)
    for known in names:
        if folded(known) == folded(name):
            return known
    raise UnknownTable(name, names)


def runs(project: Project, limit: int = 20) -> tuple[RunLine, ...]:
    """Return the newest runs, newest first, those at work included."""
    from assetflow.execution.looking import run_lines

    with _state_that_may_be_read_only(project.state):
        _fold_leftovers(project)
    return run_lines(project.state, limit)


def run(project: Project, run_id: str) -> RunPage:
    """Return one run with its steps; the beginning of its id is enough, if only one has it.

    Raises UnknownRun, AmbiguousRun.
    """
    from assetflow.execution.looking import run_page

    return run_page(project.state, run_id, _slices(project).keys)


def cancel(project: Project, run_id: str, *, at_once: bool = False) -> None:
    """Ask a run, of whatever process, to stop: what runs is finished, nothing is published.

    With `at_once`, what runs is not finished either: its queries are interrupted.
    """
    from assetflow.execution.stopping import request_stop

    request_stop(project.state, RunId(run_id), at_once=at_once)


def sql(project: Project, query: str, limit: int | None = None) -> Rows:
    """Return the rows of a query over the published tables and the sources."""
    from assetflow.execution.previews import Previews, check_reads, fetched, tables_of

    tables = tables_of(query)
    if tables is None:
        check_reads(query)
        return fetched(connect(project), query)
    sources = frozenset(name for name in project.graph.sources if folded(name) in tables)
    return Previews(gathered(project, Request(sources)), project.root).rows(query, limit)


def preview(project: Project, name: str, limit: int = 20, partition: str | None = None) -> Rows:
    """Return rows that a SQL asset would give now; nothing is kept.

    Of an asset with partitions, rows of `partition`, else of the last one. Raises
    UnknownPartition.
    """
    from assetflow.execution.previews import Previews

    found = _named(project, name)
    key = _partition_of(_slices(project), found, partition)
    ranges = () if key == WHOLE else (PartitionRange(key, key),)
    targets = frozenset({found} & project.graph.assets.keys())
    request = Request(targets or frozenset({found}), partitions=ranges)
    knowledge = gathered(project, request)
    stale = frozenset(step.target for step in make_plan(knowledge.known(), request).steps)
    return Previews(knowledge, project.root, stale).preview(found, limit, key)


def _partition_of(slices: Slices, name: AssetName, partition: str | None) -> PartitionKey:
    """Return the key `partition` of an asset, else its last; "" where there is none.

    Raises NotPartitioned, UnknownPartition for a key that is none of its.
    """
    keys = slices.keys[name]
    if partition is None:
        return keys[-1] if keys else WHOLE
    if keys.partitions is None:
        raise NotPartitioned(name, partition)
    if partition not in keys:
        raise UnknownPartition(partition, described(keys.partitions), keys)
    return PartitionKey(partition)


def read(
    project: Project,
    asset: str,
    partition: str | None = None,
    as_of: datetime | int | None = None,
) -> pa.Table | Path:
    """Return what is published of an asset: a table, or the path of the files it made.

    `as_of` is an instant or a sequence number of the past. Raises UnknownPartition for a
    `partition` that the asset does not have now, NothingAsOf where nothing is published.
    """
    from assetflow.execution.looking import read_asset
    from assetflow.execution.serving import key_columns

    name = _named(project, asset)
    key = None if partition is None else PartitionKey(partition)
    if key is not None and as_of is None:
        key = _partition_of(_slices(project), name, key)
    column = key_columns(project.graph).get(name, "")
    return read_asset(project.place, project.engine, name, key, as_of, column)


def connect(project: Project) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection of its own, whose views are one state of the publications."""
    from assetflow.execution.looking import connected
    from assetflow.execution.serving import key_columns

    keys = key_columns(project.graph)
    return connected(project.place, project.settings.timezone, keys)


def partitions(project: Project, name: str = "") -> tuple[DynamicKeys, ...]:
    """Return the keys of the dynamic partitions `name`, else of all that are declared.

    Raises UnknownDynamicPartitions where none are declared under that name.
    """
    from assetflow.execution.dynamic_partitions import dynamic_partitions

    with _state_that_may_be_read_only(project.state):
        _fold_leftovers(project)
    return dynamic_partitions(project.state, project.graph, name)


def add_partitions(project: Project, name: str, keys: Sequence[str]) -> DynamicChange:
    """Add `keys` to the dynamic partitions `name`; those that are there already stay.

    Raises UnknownDynamicPartitions, BadPartitionKey.
    """
    from assetflow.execution.dynamic_partitions import add

    return add(project.state, project.graph, name, keys, now)


def remove_partitions(project: Project, name: str, keys: Sequence[str]) -> DynamicChange:
    """Remove `keys` from the dynamic partitions `name`; the next full run withdraws their data.

    Raises UnknownDynamicPartitions, UnknownDynamicKey.
    """
    from assetflow.execution.dynamic_partitions import remove

    return remove(project.state, project.graph, name, keys, now)


def _realm(project: Project, environment: str) -> Realm:
    """Return where environments are; what `environment` gets has to meet its checks there."""
    from assetflow.execution.promoting import Realm
    from assetflow.execution.serving import key_columns
    from assetflow.planning.audits import checks_key
    from assetflow.planning.check_reads import AskedIn, by_scope, check_facts

    asked_in = AskedIn(environment, project.settings.timezone)
    checks, whole = dict[AssetName, str](), dict[AssetName, str]()
    for name, asset in project.graph.assets.items():
        is_partitioned = asset.options.partitions is not None
        own, together = by_scope(asset.options.checks, is_partitioned=is_partitioned)
        if own:
            checks[name] = checks_key(check_facts(name, own, asked_in))
        if together:
            whole[name] = checks_key(check_facts(name, together, asked_in))
    keys = _slices(project).keys if whole else {}
    return Realm(
        engine=project.engine,
        state=project.state,
        keys=key_columns(project.graph),
        clock=now,
        checks=checks,
        whole=whole,
        partitions={name: keys[name] for name in whole},
    )


def environments(project: Project) -> tuple[EnvironmentLine, ...]:
    """Return the environments: those that serve something, and those of the settings."""
    from assetflow.execution.promoting import environment_lines

    return environment_lines(project.state, project.settings.environments)


def publications(project: Project, limit: int = 20) -> tuple[PublicationLine, ...]:
    """Return the newest publications of the project's environment, newest first."""
    from assetflow.execution.promoting import publication_lines

    with _state_that_may_be_read_only(project.state):
        _fold_leftovers(project)
    return publication_lines(project.state, project.environment, limit)


def create_environment(project: Project, name: str, source: str = "main") -> PublicationSummary:
    """Start an environment with all that `source` serves; no data is copied."""
    from assetflow.execution.promoting import create

    check_name(name, "environment")
    return create(_realm(project, name), name, source)


def promote_environment(project: Project, name: str, target: str = "main") -> PublicationSummary:
    """Publish in `target` all that the environment `name` serves, at once.

    The summary says which settings are different in the two: what `name` serves may come
    of them.
    """
    from assetflow.execution.promoting import promote

    moved = promote(_realm(project, target), name, target)
    return replace(moved, origin=name, differing=project.settings.differing(name, target))


def rollback_environment(
    project: Project, name: str, to: datetime | int | None = None
) -> PublicationSummary:
    """Publish an earlier state again: that of an instant or sequence, else the one before."""
    from assetflow.execution.promoting import rollback

    return rollback(_realm(project, name), name, to)


def delete_environment(project: Project, name: str) -> PublicationSummary:
    """Withdraw all that an environment serves; versions stay for the retention."""
    from assetflow.execution.promoting import delete

    return delete(_realm(project, name), name)


def gc(
    project: Project, *, dry_run: bool = False, retention_seconds: float | None = None
) -> GcResult:
    """Remove versions that nothing has pointed to for the retention, else that of the settings.

    Raises RetentionTooShort for less than an hour.
    """
    from assetflow.execution.care import collect_garbage

    seconds = project.settings.retention if retention_seconds is None else retention_seconds
    if seconds < SHORTEST_RETENTION:
        raise RetentionTooShort(seconds)
    return collect_garbage(project.state, now(), seconds, dry_run=dry_run)


def audit(project: Project, limit: int = 20) -> AuditResult:
    """Return whether the chain of events holds, and the newest of them."""
    from assetflow.execution.looking import audit_result

    return audit_result(project.state, limit)


def doctor(path: Path | str | None = None) -> tuple[Finding, ...]:
    """Look at a project, its state and the machine; what is wrong is found, not raised."""
    from assetflow.execution.ageing import policy_findings
    from assetflow.execution.care import findings
    from assetflow.planning.pages import Finding

    try:
        root = find_project(Path.cwd(), Path(path) if path is not None else None, os.environ)
        settings = read_settings(root)
        about_state = tuple(findings(root / settings.state))
        project = load(root)
        unseen = _sound(gathered(project, Request())).unseen
        policies = tuple(policy_findings(_ager(project).known()))
    except AssetflowError as error:
        more = str(error).removeprefix(error.headline).removesuffix(error.headline).strip("\n")
        problem = Finding("project", "error", error.headline, more)
        return (*(about_state if "about_state" in locals() else ()), problem)
    broken = [
        Finding(f"source {target}", "error", one.error.headline, str(one.error))
        for target, one in unseen.items()
    ]
    count = len(project.graph.assets)
    return (
        *about_state,
        *broken,
        *policies,
        Finding("project", "ok", f"{count} assets, all of them bind"),
    )


def init(path: Path | str, name: str = "") -> tuple[Path, ...]:
    """Write a small working project into `path`; return its files, relative to it.

    `name` is that of its package, else made from the folder's. Raises FilesInTheWay
    rather than overwrite anything.
    """
    from assetflow.project.scaffold import scaffold

    return scaffold(Path(path), name)
