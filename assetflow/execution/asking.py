"""Ask checks of a version that lies there: what aggregates answer in one scan, then the rest."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from assetflow.execution.baselines import Baselines
from assetflow.execution.check_functions import call_check
from assetflow.execution.compute import InputData, created_at
from assetflow.metadata.check_rows import metrics
from assetflow.model.checks import Check, FunctionCheck
from assetflow.model.columns import EVERYTHING, ReadSet
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import AssetName, Digest, VersionId
from assetflow.planning.audits import CheckEvaluated, CheckFacts
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.check_reads import measured_checks, own_read_set, sees_partition
from assetflow.planning.history import InputRead, VersionStored
from assetflow.planning.terms import Terms
from assetflow.quality.answers import Answer, Known, Point
from assetflow.quality.judging import judged
from assetflow.quality.measures import is_measured
from assetflow.quality.queries import BASELINE, failing_rows, queries, reproducing
from assetflow.warehouse.auditing import FoundRows, ask, find_rows, measure
from assetflow.warehouse.disk import disk_errors

if TYPE_CHECKING:
    import duckdb

    from assetflow.execution.auditor import Subject
    from assetflow.execution.compute import Maker
    from assetflow.execution.knowledge import Knowledge

Values = tuple[object, ...]

_COMPARING = frozenset({"drift", "unchanged_schema"})
_GOOD = frozenset({"passed", "warned", "learning"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking a check: the answer, and failing rows as JSON."""

    answer: Answer
    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[str, ...] = ()


@dataclass(slots=True)
class Asker:
    """Asks for one run, with the means of its `maker`."""

    knowledge: Knowledge
    maker: Maker
    _metrics: dict[tuple[AssetName, str, str], list[tuple[str, str, str, float]]] = field(
        default_factory=dict
    )
    baselines: Baselines = field(init=False)

    def __post_init__(self) -> None:
        self.baselines = Baselines(self.knowledge)

    def ask(
        self, subject: Subject, checks: Sequence[CheckFacts], terms: Terms, at: datetime
    ) -> dict[str, tuple[CheckEvaluated, Asked]]:
        """Return how each of `checks` came out of a version, by its name."""
        cursor = self.maker.means.engine.cursor()
        question = _Question(self, subject, cursor, at)
        with self.maker.means.ending.reaching(cursor), disk_errors(self.knowledge.state):
            return {facts.check.name: self._evaluated(question, facts, terms) for facts in checks}

    def _evaluated(
        self, question: _Question, facts: CheckFacts, terms: Terms
    ) -> tuple[CheckEvaluated, Asked]:
        started = time.perf_counter()
        asked = question.asked(facts.check)
        check = facts.check
        outcome = CheckOutcome(
            check=check.name,
            kind=check.kind,
            answer=asked.answer,
            columns=check.columns,
            severity=check.severity,
            on_failure=check.on_failure,
        )
        digest = self.digest(question.subject, facts) if facts.carries else None
        seconds = round(time.perf_counter() - started, 4)
        evaluated = CheckEvaluated(terms.of(check.name), outcome, digest, seconds)
        return evaluated, asked

    def digest(self, subject: Subject, facts: CheckFacts) -> Digest | None:
        """Return the digest of what a check reads of a version.

        None where asking costs less than finding it, and it is not known.
        """
        if subject.scan:
            return None
        read_set = self._read_set(subject.version, facts.check)
        found = self._digest_of(subject.version, facts.check, read_set)
        key_column = self.knowledge.graph.assets[subject.target.asset].options.key_column
        if found is None or not sees_partition(facts.check, read_set, key_column):
            return found
        return Digest(fingerprint(found, subject.target.partition))

    def _read_set(self, version: VersionStored, check: Check) -> ReadSet:
        if version.format != "parquet":
            return EVERYTHING
        read_set = own_read_set(version.asset, check, version.schema)
        is_ordered = check.kind == "function" and version.ordered
        return replace(read_set, ordered=True) if is_ordered else read_set

    def _digest_of(self, version: VersionStored, check: Check, read_set: ReadSet) -> Digest | None:
        if version.format == "parquet" and is_measured(check):
            is_known = version.algorithm == self.knowledge.engine.algorithm
            return dict(version.digests).get(read_set) if is_known else None
        return self.knowledge.digest_of(version.asset, version.version, read_set)

    def others(self, subject: Subject, check: Check) -> dict[str, str]:
        """Return the SQL that reads each other table that `check` may name."""
        cursor = self.maker.means.engine.cursor()
        return _Question(self, subject, cursor, created_at(subject.version.version)).others(check)

    def points(self, subject: Subject, check: Check) -> tuple[Point, ...]:
        """Return what the figure of a check was for earlier versions, of each partition the last.

        A figure of another column, or of other rows, is none of it. Where partitions are no
        windows of time, those of the partition alone.
        """
        asset = subject.target.asset
        figure = reproducing(check, subject.version.schema, asset)
        known = asset, check.name, figure
        if known not in self._metrics:
            self._metrics[known] = metrics(
                self.knowledge.state, self.knowledge.environment, asset, check.name, figure
            )
        keys = self.knowledge.slices.keys[asset]
        found: dict[str, Point] = {}
        for partition, version, status, value in self._metrics[known]:
            if status not in _GOOD or version == subject.version.version:
                continue
            window = keys.window(partition) if partition in keys else None
            if window is not None and partition != subject.target.partition:
                found[partition] = Point(window.start, value)
            elif window is None and partition == subject.target.partition:
                found[version] = Point(created_at(VersionId(version)), value)
        return tuple(found.values())


class _MissingOther(Exception):
    """Another asset that a check reads has nothing to be read."""


@dataclass(slots=True)
class _Question:
    """One version of which several checks are asked."""

    asker: Asker
    subject: Subject
    cursor: duckdb.DuckDBPyConnection
    at: datetime
    _measured: dict[str, Values] = field(init=False)

    def __post_init__(self) -> None:
        names = [check.name for check in measured_checks(self.subject.facts.checks)]
        self._measured = dict(zip(names, self.subject.measured, strict=False))

    @property
    def scan(self) -> str:
        """Return the SQL that reads the version."""
        version = self.subject.version
        return self.subject.scan or self.asker.knowledge.scan(version.asset, [version])

    def asked(self, check: Check) -> Asked:
        """Return what came of asking one check."""
        version = self.subject.version
        try:
            if isinstance(check.body, FunctionCheck):
                return self._called(check)
            if version.format != "parquet":
                message = f"'{version.asset}' is kept as files; no table can be asked."
                return Asked(Answer("errored", message=message))
            return self._answered(check)
        except _MissingOther as error:
            message = f"'{error}' was never materialized."
            return Asked(Answer("errored", message=message))

    def _answered(self, check: Check) -> Asked:
        version, scan, others = self.subject.version, self.scan, self.others(check)
        values = self._values(check)
        texts = queries(check, version.schema, scan, others)
        values = (*values, *ask(self.cursor, texts, check.timeout_seconds))
        answer = judged(check, version.schema, values, version.rows or 0, self._known(check))
        sql = reproducing(check, version.schema, version.asset)
        found = FoundRows()
        if answer.failures and check.kept_rows:
            shown = failing_rows(check, version.schema, scan, others)
            found = find_rows(self.cursor, shown, check.kept_rows, check.timeout_seconds)
        return Asked(replace(answer, sql=sql), *kept_as_text(found))

    def _values(self, check: Check) -> Values:
        if not is_measured(check):
            return ()
        if check.name not in self._measured:
            own = measured_checks(self.subject.facts.checks)
            wanted = own if check in own else (check,)
            found = measure(
                self.cursor, self.scan, self.subject.version.schema, wanted, check.timeout_seconds
            )
            self._measured.update(zip([one.name for one in wanted], found, strict=True))
        return self._measured[check.name]

    def others(self, check: Check) -> dict[str, str]:
        """Return the SQL that reads each table that `check` may name."""
        own = self.subject.target.asset
        read = self.asker.maker.read_whole
        others: dict[str, str] = {use.upstream: read(use).scan for use in self._uses(check)}
        baseline = self._baseline(check) if check.kind == "drift" else None
        if baseline is not None:
            others[AssetName(BASELINE)] = self.asker.knowledge.scan(own, [baseline])
        return {own: self.scan, **others}

    def _baseline(self, check: Check) -> VersionStored | None:
        return None if check.inputs else self.asker.baselines.of(self.subject, check)

    def _uses(self, check: Check) -> list[InputRead]:
        """Return what a check reads of others, as it is served now."""
        return [
            InputRead(
                name=one.read.upstream,
                upstream=one.read.upstream,
                form="sql",
                mapping="",
                partitions=one.partitions,
                versions=one.versions,
                read_set=one.read.read_set,
                digest=Digest(""),
            )
            for one in self.subject.others
            if one.check == check.name and self._is_there(one.read.upstream, one.versions)
        ]

    @staticmethod
    def _is_there(upstream: AssetName, versions: tuple[object, ...]) -> bool:
        if not versions:
            raise _MissingOther(upstream)
        return True

    def _known(self, check: Check) -> Known:
        subject = self.subject
        keys = self.asker.knowledge.slices.keys[subject.target.asset]
        key = subject.target.partition
        window = keys.window(key) if key in keys else None
        stands_for = window.start if window else created_at(subject.version.version)
        baseline = self._baseline(check) if check.kind in _COMPARING else None
        history = self.asker.points(subject, check) if check.kind == "anomaly" else ()
        return Known(self.at, stands_for, baseline.schema if baseline else None, history)

    def _called(self, check: Check) -> Asked:
        version = self.subject.version
        others = {use.upstream: use for use in self._uses(check)}
        data = []
        for item in check.inputs:
            upstream = AssetName(item.upstream or item.name)
            if upstream == version.asset:
                read = self._own_data()
            else:
                read = self.asker.maker.read_whole(others[upstream])
            columns = item.columns
            data.append(replace(read, parameter=item.name, form=item.form, columns=columns))
        answer, found = call_check(check, data, self.subject, self.asker.maker)
        return Asked(answer, *kept_as_text(found))

    def _own_data(self) -> InputData:
        version = self.subject.version
        is_table = version.format == "parquet"
        return InputData(
            parameter="",
            form="",
            scan=self.scan if is_table else "",
            schema=version.schema,
            ordered=version.ordered,
            path=str(self.asker.knowledge.data / version.path),
        )


def kept_as_text(found: FoundRows) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return the columns of rows, and each row as JSON."""
    return found.columns, tuple(
        json.dumps(_with_text_keys(row), default=_plain) for row in found.rows
    )


def _with_text_keys(value: object) -> object:
    """Return `value` with the keys of maps, which may be of any type, as JSON has them."""
    match value:
        case dict():
            return {_key(key): _with_text_keys(one) for key, one in value.items()}
        case list() | tuple():
            return [_with_text_keys(one) for one in value]
    return value


def _key(key: object) -> str:
    return key if isinstance(key, str) else json.dumps(key, default=_plain).strip('"')


def _plain(value: object) -> object:
    match value:
        case Decimal() | timedelta():
            return str(value)
        case date():
            return value.isoformat()
        case bytes():
            return value.hex()
    return str(value)
