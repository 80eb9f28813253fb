"""Make what a step is to make: read its inputs, compute, stage."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from assetflow.errors import (
    AssetflowError,
    KeyColumnTaken,
    NoTable,
    NotOneFile,
    SourceMoved,
    StepError,
    StepFailed,
    UndeclaredPartitionsAdded,
    WrongOutputs,
)
from assetflow.execution.capture import step_logger
from assetflow.execution.cutting import Whole, empty_scan
from assetflow.execution.deadlines import Ending, deadline
from assetflow.execution.frames import query_trace, user_traceback
from assetflow.execution.locks import Cancelled
from assetflow.execution.row_keys import RowKeys, row_keys
from assetflow.execution.serving import check_key_column
from assetflow.execution.source_states import SourceState, about, joined_scan
from assetflow.graph.mapping import is_slice
from assetflow.model.asset import Asset, PythonBody, SqlBody
from assetflow.model.columns import Schema, united
from assetflow.model.context import AssetContext, Partition, partition_of
from assetflow.model.declared_inputs import Form
from assetflow.model.names import (
    WHOLE,
    AssetName,
    AssetPartition,
    PartitionKey,
    RunId,
    VersionId,
)
from assetflow.model.partitions import KeySet, declared_names
from assetflow.planning.check_reads import measured_checks
from assetflow.planning.facts import SET_ASIDE
from assetflow.planning.history import InputRead, VersionStored
from assetflow.planning.steps import Step, Verdict
from assetflow.project.sql_facts import QuerySummary, partition_values
from assetflow.sql.query import rewrite
from assetflow.sql.types import stored_schema
from assetflow.warehouse.batches import stage_batch, stage_batch_value
from assetflow.warehouse.inputs import open_input
from assetflow.warehouse.layout import new_version_id
from assetflow.warehouse.sources import source_errors
from assetflow.warehouse.versions import NewVersion, Staged, describe, stage_query, stage_value

if TYPE_CHECKING:
    import io

    import duckdb

    from assetflow.execution.gathering import Place
    from assetflow.execution.knowledge import Knowledge
    from assetflow.execution.resources import Resources
    from assetflow.warehouse.connection import Engine

Settled = Sequence[tuple[Step, Verdict]]


@dataclass(frozen=True, slots=True)
class InputData:
    """One input as a function takes it: where the data lies, and in which form it arrives.

    `scan` is SQL; `path` stands for files, `answer` for what a source said of itself.
    """

    parameter: str
    form: str
    scan: str = ""
    schema: Schema = ()
    columns: tuple[str, ...] | None = None
    ordered: bool = False
    path: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What a function told its context: what it reports, and dynamic partitions that it adds.

    `partitions` are by the name of their definition.
    """

    metadata: tuple[tuple[str, str], ...] = ()
    partitions: tuple[tuple[str, tuple[PartitionKey, ...]], ...] = ()


NOTHING_TOLD = Told()


@dataclass(frozen=True, slots=True)
class Made:
    """A version as it was stored, what the asset told of itself, and what checks measured."""

    version: VersionStored
    told: Told = NOTHING_TOLD
    measured: tuple[tuple[object, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an asset's function: a small value, so that another process can make it.

    `new` are the versions to stage, by the place of their output in what is returned.
    """

    asset: AssetName
    run: RunId
    attempt: int
    environment: str
    partition: Partition
    rows: RowKeys | None
    inputs: tuple[InputData, ...]
    new: tuple[tuple[int, tuple[NewVersion, ...]], ...]
    scratch: Path


@dataclass(frozen=True, slots=True)
class Means:
    """What steps are made with. `resources` are shared by all; `ending` ends them all at once."""

    engine: Engine
    resources: Resources
    root: Path
    ending: Ending = field(default_factory=Ending)


@dataclass(slots=True)
class Maker:
    """Makes versions for one run."""

    knowledge: Knowledge
    place: Place
    means: Means
    _assets: Mapping[AssetName, Asset] = field(init=False)

    def __post_init__(self) -> None:
        self._assets = self.knowledge.analysis.graph.assets

    def make(
        self, settled: Settled, run: RunId, attempt: int, sink: io.StringIO
    ) -> dict[AssetPartition, Made]:
        """Return what was made for each of `settled`; raises StepFailed and its like."""
        asset = self._assets[settled[0][0].target.asset]
        read = tuple(joined(verdict.inputs for _, verdict in settled))
        inputs = [use for use in read if use.form != SET_ASIDE]
        self._check_sources(read)
        with errors_of(self._partition(asset, [step for step, _ in settled])):
            if isinstance(asset.body, SqlBody):
                made = self._query(asset, settled, inputs, run)
            else:
                made = self._call(asset, settled, inputs, run, attempt, sink)
        self._check_sources(read)
        self._check_key_column(asset, made.values())
        return made

    def _check_key_column(self, asset: Asset, made: Collection[Made]) -> None:
        try:
            for one in made:
                check_key_column(asset, one.version.schema)
        except KeyColumnTaken:
            for one in made:
                self.discard(one.version)
            raise

    def discard(self, version: VersionStored) -> None:
        """Remove the files of a version that nothing will point to."""
        path = self.knowledge.data / version.path
        if version.format == "files":
            shutil.rmtree(path.parent, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def _check_sources(self, inputs: Sequence[InputRead]) -> None:
        for source in self._sources(inputs):
            if not source.is_still(self.place.root):
                raise SourceMoved(source.source.name)

    def _sources(self, inputs: Sequence[InputRead]) -> Iterator[SourceState]:
        """Yield the sources among what is read, each of their partitions by itself."""
        for use in inputs:
            for state in use.versions:
                source = self.knowledge.source(use.upstream, state)
                if source is not None:
                    yield source

    def _query(
        self, asset: Asset, settled: Settled, inputs: Sequence[InputRead], run: RunId
    ) -> dict[AssetPartition, Made]:
        sql = self.knowledge.analysis.sql
        query = sql.runnable(asset)
        scans = {use.name: self._data(asset, use).scan for use in inputs}
        text = rewrite(query, scans, scans)
        steps = [step for step, _ in settled]
        summary = sql.summary(asset)
        parameters = {**sql.parameters(asset, summary), **self._span(asset, summary, steps)}
        facts = steps[0].facts
        assert facts is not None
        cursor = self.means.engine.cursor()
        with (
            user_errors(asset, self.place.root),
            self._files_read(inputs),
            deadline(asset, cursor, self.means.ending),
        ):
            new = [self.new_version(step) for step in steps]
            rows = self._row_keys(asset, steps)
            made = _staged_query(cursor, text, parameters, facts.described, new, rows)
        return {
            step.target: Made(stored(staged, step.target, run), measured=staged.measured)
            for step, staged in zip(steps, made, strict=True)
        }

    @contextlib.contextmanager
    def _files_read(self, inputs: Sequence[InputRead]) -> Iterator[None]:
        """Let what goes wrong in a file of a source name the source, the file and the line."""
        with contextlib.ExitStack() as errors:
            for source in self._sources(inputs):
                errors.enter_context(about(source.source, self.place.root))
                errors.enter_context(source_errors(source.paths))
            yield

    def _call(
        self,
        asset: Asset,
        settled: Settled,
        inputs: Sequence[InputRead],
        run: RunId,
        attempt: int,
        sink: io.StringIO,
    ) -> dict[AssetPartition, Made]:
        body = asset.body
        assert isinstance(body, PythonBody)
        outputs = body.outputs or (asset.name,)
        scratch = self.knowledge.state / "tmp" / new_version_id()
        steps = [step for step, _ in settled]
        places: dict[int, list[Step]] = {}
        for step in steps:
            places.setdefault(outputs.index(step.target.asset), []).append(step)
        call = Call(
            asset=asset.name,
            run=run,
            attempt=attempt,
            environment=self.place.environment,
            partition=self._partition(asset, steps),
            rows=self._row_keys(asset, steps),
            inputs=tuple(self._data(asset, use) for use in inputs),
            new=tuple(
                (place, tuple(self.new_version(step, scratch) for step in made))
                for place, made in places.items()
            ),
            scratch=scratch,
        )
        staged, told = self._staged(asset, call, sink)
        self._check_added(asset, told)
        return {
            step.target: Made(stored(one, step.target, run), told, one.measured)
            for place, made in staged.items()
            for step, one in zip(places[place], made, strict=True)
        }

    def _check_added(self, asset: Asset, told: Told) -> None:
        """Raise UndeclaredPartitionsAdded for partitions of a name that nothing declares."""
        graph = self.knowledge.graph
        declared = declared_names(
            (
                *(one.options.partitions for one in graph.assets.values()),
                *(source.partitions for source in graph.sources.values()),
            )
        )
        for name, _ in told.partitions:
            if name not in declared:
                raise UndeclaredPartitionsAdded(asset.name, name, declared)

    def _span(
        self, asset: Asset, summary: QuerySummary, steps: Sequence[Step]
    ) -> dict[str, object]:
        """Return what a query knows of the partitions that it makes, as far as it asks."""
        keys = self.knowledge.slices.keys[asset.name]
        values = partition_values(keys, slices_in_order(keys, steps))
        return {name: value for name, value in values.items() if name in summary.parameters}

    def _row_keys(self, asset: Asset, steps: Sequence[Step]) -> RowKeys | None:
        keys = self.knowledge.slices.keys[asset.name]
        timezone = self.knowledge.analysis.declarations.settings.timezone
        return row_keys(asset, keys, slices_in_order(keys, steps), timezone)

    def _partition(self, asset: Asset, steps: Sequence[Step]) -> Partition:
        keys = self.knowledge.slices.keys[asset.name]
        return partition_of(keys, slices_in_order(keys, steps))

    def _staged(
        self, asset: Asset, call: Call, sink: io.StringIO
    ) -> tuple[dict[int, list[Staged]], Told]:
        if asset.options.isolation == "process":
            from assetflow.execution.worker import call_in_process

            return call_in_process(asset, call, self.place, self.means.ending, sink)
        with scratch_folder(call.scratch):
            return stage_call(asset, call, self.means, sink)

    def new_version(self, step: Step, scratch: Path | None = None) -> NewVersion:
        """Return the version that `step` is to store, and what is to be known of it."""
        facts = step.facts
        assert facts is not None
        wanted = self.knowledge.wanted.get(step.target.asset, ())
        options = self._assets[step.target.asset].options
        # What comes back from another process are plain values; there is no need to send more.
        is_here = options.isolation != "process"
        return NewVersion(
            data=self.knowledge.data,
            target=step.target,
            version=new_version_id(),
            algorithm=self.means.engine.algorithm,
            read_sets=tuple(sorted(wanted, key=str)),
            ordered=facts.ordered,
            float_digits=options.float_digits,
            scratch=scratch,
            digest_later=step.last is None and step.target.partition != WHOLE,
            checks=measured_checks(facts.checks) if is_here else (),
            is_contract=options.contract is not None,
        )

    def _data(self, asset: Asset, use: InputRead) -> InputData:
        """Return where the data of `use` lies, of a whole only the time that is made of it."""
        mapping = self.knowledge.slices.mappings.get((asset.name, use.name))
        if mapping is None or not is_slice(mapping):
            return self.read_whole(use)
        data = self.read_whole(replace(use, versions=use.versions[:1]))
        if not data.scan:
            return data
        whole = Whole(data.scan, data.schema)
        cut = self.knowledge.cut_scan(asset.name, use.upstream, use.partitions, whole)
        return replace(data, scan=cut, path="")

    def read_whole(self, use: InputRead) -> InputData:
        """Return where the data of `use` lies: a source's files, or a stored version."""
        columns = use.read_set.columns
        if not use.versions:
            schema = self.knowledge.schema_of(use.upstream)
            return InputData(use.name, use.form, empty_scan(schema), schema, columns)
        sources = list(self._sources([use]))
        if sources:
            files = [file for source in sources for file in source.files]
            return InputData(
                parameter=use.name,
                form=use.form,
                scan=joined_scan(sources),
                schema=sources[0].schema,
                columns=columns,
                path=str(self.place.root / files[0].path) if len(files) == 1 else "",
                answer=sources[0].answer,
            )
        versions = [self.knowledge.versions[version] for version in use.versions]
        is_table = all(version.format == "parquet" for version in versions)
        return InputData(
            parameter=use.name,
            form=use.form,
            scan=self.knowledge.scan(use.upstream, versions) if is_table else "",
            schema=united(version.schema for version in versions),
            columns=columns,
            ordered=all(version.ordered for version in versions),
            path=str(self.knowledge.data / versions[0].path) if len(versions) == 1 else "",
        )


def _staged_query(
    cursor: duckdb.DuckDBPyConnection,
    text: str,
    parameters: Mapping[str, object],
    schema: Schema | None,
    new: Sequence[NewVersion],
    rows: RowKeys | None,
) -> list[Staged]:
    """Run a query into one version, or into those of several partitions."""
    if len(new) > 1:
        assert rows is not None
        columns = schema or describe(cursor, text, parameters)
        key = rows.expression(stored_schema(columns))
        return stage_batch(cursor, text, parameters, columns, new, key)
    staged = stage_query(cursor, text, parameters, schema, new[0])
    if rows is not None:
        rows.check(cursor, new[0].data, staged)
    return [staged]


def _staged_value(
    cursor: duckdb.DuckDBPyConnection,
    value: object,
    declared: Schema | None,
    new: Sequence[NewVersion],
    rows: RowKeys | None,
) -> list[Staged]:
    """Store what a function returned as one version, or as those of several partitions."""
    if len(new) > 1:
        assert rows is not None
        return stage_batch_value(cursor, value, declared, new, rows.expression)
    staged = stage_value(cursor, value, declared, new[0])
    if rows is not None and staged.format == "parquet":
        rows.check(cursor, new[0].data, staged)
    return [staged]


def slices_in_order(keys: KeySet, steps: Iterable[Step]) -> list[PartitionKey]:
    """Return the partitions that `steps` make, each once, in the order of the definition."""
    return sorted({step.target.partition for step in steps}, key=keys.index)


def joined(reads: Iterable[Sequence[InputRead]]) -> Iterator[InputRead]:
    """Yield each input of steps that are made together, with all that one of them reads."""
    found: dict[str, list[InputRead]] = {}
    for inputs in reads:
        for use in inputs:
            found.setdefault(use.name, []).append(use)
    for uses in found.values():
        pairs = dict.fromkeys(
            pair for use in uses for pair in zip(use.partitions, use.versions, strict=True)
        )
        yield replace(
            uses[0],
            partitions=tuple(key for key, _ in pairs),
            versions=tuple(version for _, version in pairs),
        )


def stage_call(
    asset: Asset,
    call: Call,
    means: Means,
    sink: TextIO,
) -> tuple[dict[int, list[Staged]], Told]:
    """Call the function of `asset`, stage what it returns, and tell what it reported."""
    body = asset.body
    assert isinstance(body, PythonBody)
    context = AssetContext(
        asset.name,
        partition=call.partition,
        run=call.run,
        attempt=call.attempt,
        environment=call.environment,
        logger=step_logger(asset.name, sink),
        folder=call.scratch,
    )
    cursor = means.engine.cursor()

    def work() -> dict[int, list[Staged]]:
        arguments = means.resources.arguments(asset)
        if body.context:
            arguments[body.context] = context
        for item in call.inputs:
            arguments[item.parameter] = opened(cursor, item)
        values = outputs_of(asset, body.function(**arguments))
        return {
            place: _staged_value(cursor, values[place], asset.options.columns, new, call.rows)
            for place, new in call.new
        }

    with user_errors(asset, means.root), deadline(asset, cursor, means.ending) as limited:
        staged = limited(work)
    return staged, Told(context.reported, context.added)


def opened(cursor: duckdb.DuckDBPyConnection, item: InputData) -> object:
    """Return the data of an input in the form that the function takes."""
    if item.form == "value":
        return item.answer
    if item.form == "path":
        if not item.path:
            raise NotOneFile(item.parameter)
        return Path(item.path)
    if not item.scan:
        raise NoTable(item.parameter, item.form)
    return open_input(cursor, cast("Form", item.form), item.scan, item.columns)


def outputs_of(asset: Asset, value: object) -> Sequence[object]:
    """Return what a function returned for each of its outputs, in their order.

    A function of several outputs returns a tuple in their order, or a dict by name.
    """
    body = asset.body
    assert isinstance(body, PythonBody)
    if not body.outputs:
        return [value]
    if isinstance(value, Mapping) and value.keys() == set(body.outputs):
        return [value[name] for name in body.outputs]
    if isinstance(value, tuple) and len(value) == len(body.outputs):
        return value
    raise WrongOutputs(body.outputs, value)


def stored(staged: Staged, target: AssetPartition, run: RunId) -> VersionStored:
    """Return the record of a staged version."""
    return VersionStored(
        version=staged.version,
        asset=target.asset,
        partition=target.partition,
        run=run,
        created_at=created_at(staged.version),
        path=staged.path,
        format=staged.format,
        schema=staged.schema,
        rows=staged.rows,
        size_bytes=staged.size_bytes,
        ordered=staged.ordered,
        algorithm=staged.algorithm,
        digests=staged.digests,
        packed=staged.packed,
    )


def created_at(version: VersionId) -> datetime:
    """Return the instant that the id of a version holds, in UTC."""
    return datetime.fromtimestamp(int(version[:16], 16) / 1e9, UTC)


@contextlib.contextmanager
def user_errors(asset: Asset, root: Path) -> Iterator[None]:
    """Turn what a user's code raises into StepFailed, with the user's own frames.

    What would end the process ends the step alone, a panic of polars too: Ctrl-C itself
    never arrives here.
    """
    try:
        yield
    except StepError as error:
        named = {} if repr(str(asset.name)) in error.headline else {"asset": asset.name}
        error.facts = {**named, "defined in": asset.location, **error.facts}
        raise
    except (AssetflowError, Cancelled):
        raise
    except BaseException as error:
        if isinstance(asset.body, SqlBody):
            shown = query_trace(error, asset.location.path, asset.body)
        else:
            shown = user_traceback(error, root)
        raise StepFailed(asset.name, str(asset.location), shown) from error


@contextlib.contextmanager
def errors_of(partition: Partition) -> Iterator[None]:
    """Let what is said of a failure name the partition that was made, or the range of a batch."""
    try:
        yield
    except StepError as error:
        if partition and "made" not in error.facts:
            error.facts = {"partition": partition, **error.facts}
        raise


@contextlib.contextmanager
def scratch_folder(path: Path) -> Iterator[None]:
    """Have a folder for a step's own files, and remove it after."""
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        shutil.rmtree(path, ignore_errors=True)
