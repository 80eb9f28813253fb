"""Set the rows aside that fail a check of on_failure "quarantine", and store the rest anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assetflow.execution.compute import Made, stored
from assetflow.model.names import AssetName
from assetflow.planning.terms import terms_of
from assetflow.quality.conditions import failing_condition
from assetflow.warehouse.disk import disk_errors
from assetflow.warehouse.layout import PARTIAL, absolute, version_path
from assetflow.warehouse.parts import Part, scan_parts
from assetflow.warehouse.quoting import quoted_text
from assetflow.warehouse.versions import stage_query

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from assetflow.execution.asking import Asked
    from assetflow.execution.auditor import Auditor, Subject
    from assetflow.execution.compute import Maker
    from assetflow.planning.history import VersionStored
    from assetflow.planning.steps import Step

QUARANTINE = "quarantine"
"""The folder, beside that of the versions, for rows that were set aside."""

FAILING = frozenset({"failed", "warned"})
"""More rows fail than are borne: at either severity they are set aside."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of a version, and how the checks came out that took the rest of it.

    `place` is where the rows lie that were set aside, relative to the state folder.
    """

    made: Made
    asked: Mapping[str, Asked] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True, slots=True)
class SettingAside:
    """Sets rows aside for one run."""

    maker: Maker
    auditor: Auditor

    def rest_of(self, step: Step, subject: Subject, made: Made) -> Remaining:
        """Return `made` without the rows that fail, which are kept by themselves."""
        checks = [one for one in subject.facts.checks if one.check.on_failure == QUARANTINE]
        if not checks or made.version.format != "parquet":
            return Remaining(made)
        terms = terms_of(checks, subject.others, self.maker.knowledge.digest_of)
        answers = self.auditor.asker.ask(subject, checks, terms, self.auditor.clock())
        found = {
            one.check: answers[one.check.name][1]
            for one in checks
            if answers[one.check.name][1].answer.status in FAILING
        }
        if not found:
            return Remaining(made)
        scan, schema = self._scan(made.version), made.version.schema
        fails = {
            check.name: failing_condition(check, schema, self.auditor.asker.others(subject, check))
            for check in found
        }
        cursor = self.maker.means.engine.cursor()
        place = self._keep(cursor, scan, fails, made.version)
        new = self.maker.new_version(step)
        rest = f"select * from {scan} where not ({' or '.join(fails.values())})"
        staged = stage_query(cursor, rest, None, schema, new)
        version = stored(staged, step.target, made.version.run)
        remaining = Made(version, made.told, staged.measured)
        return Remaining(remaining, {check.name: one for check, one in found.items()}, place)

    def _scan(self, version: VersionStored) -> str:
        """Return the SQL that reads a version as it was stored, and nothing beside it."""
        part = Part(version.path, version.size_bytes, version.partition, version.packed)
        return scan_parts(self._data, [part], key_column="", schema=(), ordered=version.ordered)

    @property
    def _data(self) -> Path:
        return self.maker.knowledge.data

    def _keep(
        self,
        cursor: duckdb.DuckDBPyConnection,
        scan: str,
        fails: Mapping[str, str],
        version: VersionStored,
    ) -> str:
        """Write the rows that fail, with check and run, and return where."""
        about = f"{quoted_text(version.run)} as assetflow_run"
        rows = " union all ".join(
            f"select *, {quoted_text(name)} as assetflow_check, {about} from {scan} where {one}"
            for name, one in fails.items()
        )
        place = f"{QUARANTINE}/{version_path(AssetName(version.asset), version.version)}"
        path = absolute(self.maker.knowledge.state, place)
        partial = path.with_name(path.name + PARTIAL)
        with disk_errors(partial):
            path.parent.mkdir(parents=True, exist_ok=True)
            cursor.execute(f"copy ({rows}) to {quoted_text(str(partial))} (format parquet)")
            partial.rename(path)
        return place
