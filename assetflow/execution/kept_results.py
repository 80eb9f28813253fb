"""How checks came out before, to be carried over where nothing that they read is different."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from assetflow.metadata.check_rows import ResultKept, results_by_digest, results_of
from assetflow.model.names import AssetName, Digest, VersionId
from assetflow.planning.audits import Audited, Term

_Question = tuple[str, str]
"""The fingerprint of a check, and that of what it read elsewhere."""


@dataclass(slots=True)
class KeptResults:
    """Results by version, and by what was read of whatever version of an asset.

    Those of `assets`, and of their `versions`, are read from the store when they are first
    asked for. All say that they are carried over. A check that broke is not among them: it is
    asked again.
    """

    state: Path
    assets: Collection[AssetName]
    versions: Collection[VersionId]
    _by_version: dict[tuple[VersionId, _Question], ResultKept] = field(default_factory=dict)
    _by_digest: dict[tuple[AssetName, _Question], dict[Digest, ResultKept]] = field(
        default_factory=dict
    )
    _taken: dict[tuple[VersionId, str], ResultKept] = field(default_factory=dict)
    _is_read: bool = False
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def add(self, audited: Audited) -> None:
        """Add what came of an audit."""
        with self._guard:
            self._read()
            for kept in kept_of(audited):
                outcome = replace(kept.evaluated.outcome, carried_over=True)
                self._add(replace(kept, evaluated=replace(kept.evaluated, outcome=outcome)))

    def of_version(self, version: VersionId, term: Term) -> ResultKept | None:
        """Return how a check of a version came out."""
        with self._guard:
            self._read()
            return self._by_version.get((version, _question(term)))

    def taken_of(self, version: VersionId, term: Term) -> ResultKept | None:
        """Return how a check came out that took rows of a version, whatever it read elsewhere."""
        with self._guard:
            self._read()
            return self._taken.get((version, term.fingerprint))

    def read(self, version: VersionId) -> None:
        """Read the results of one more version."""
        with self._guard:
            self._read()
            for found in results_of(self.state, [version], as_carried=True).values():
                for one in found:
                    self._add(one)

    def may_know(self, asset: AssetName, term: Term) -> bool:
        """Whether anything is known of a check, of some version that says what was read."""
        with self._guard:
            return (asset, _question(term)) in self._by_digest

    def of_digest(self, asset: AssetName, term: Term, digest: Digest) -> ResultKept | None:
        """Return how a check came out that read of a version what has this digest."""
        with self._guard:
            return self._by_digest.get((asset, _question(term)), {}).get(digest)

    def _read(self) -> None:
        if self._is_read:
            return
        self._is_read = True
        for one in results_by_digest(self.state, self.assets):
            self._add(one)
        for found in results_of(self.state, self.versions, as_carried=True).values():
            for one in found:
                self._add(one)

    def _add(self, one: ResultKept) -> None:
        if one.evaluated.outcome.status == "errored":
            return
        question = _question(one.evaluated.term)
        self._by_version[one.version, question] = one
        if one.evaluated.outcome.quarantined:
            self._taken[one.version, one.evaluated.term.fingerprint] = one
        if one.evaluated.digest:
            self._by_digest.setdefault((one.asset, question), {})[one.evaluated.digest] = one


def kept_of(audited: Audited) -> tuple[ResultKept, ...]:
    """Return the results of an audit, each by itself."""
    where = (audited.asset, audited.partition, audited.version, audited.run, audited.audited_at)
    return tuple(ResultKept(*where, one) for one in audited.results)


def _question(term: Term) -> _Question:
    return term.fingerprint, term.elsewhere
