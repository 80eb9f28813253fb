"""Audits of versions, as values: which checks were asked, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from assetflow.model.checks import Check
from assetflow.model.columns import ReadSet
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import AssetName, Digest, PartitionKey, RunId, VersionId
from assetflow.planning.check_pages import CheckOutcome

AuditVerdict = Literal["passed", "warned", "failed", "broken", "rejected"]
"""`failed`: a check of severity error failed that stops nothing. `rejected`: one that does.

`broken`: nothing failed that stops it, but such a check could not be asked.
"""


@dataclass(frozen=True, slots=True)
class CheckRead:
    """What a check reads of another asset or of a source: all there is of it.

    With `is_aligned`, of the same partition alone.
    """

    upstream: AssetName
    read_set: ReadSet
    is_aligned: bool = False


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """A check as it is declared now: its fingerprint, and what it reads of others.

    `carries` says that its answer depends on nothing else than its definition and what it
    reads, so that an earlier answer may stand for a new one.
    """

    check: Check
    fingerprint: str
    reads: tuple[CheckRead, ...] = ()
    carries: bool = True


class Term(NamedTuple):
    """One check of an audit: its fingerprint, and that of what it read `elsewhere`."""

    check: str
    fingerprint: str
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class CheckEvaluated:
    """How a check of a version came out. `term` says by what, but for the version itself.

    `digest` is of what it read of the version; None where nobody needed to know.
    """

    term: Term
    outcome: CheckOutcome
    digest: Digest | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Audited:
    """A version was audited under some terms, and the verdict.

    `checks` is the fingerprint of what is declared. `seen` names the versions of others
    that were read: other versions with the same content give the same `terms`. `failed`
    are the checks that block, with what is wrong. `results` are those that were not known
    of this version before.
    """

    run: RunId
    asset: AssetName
    partition: PartitionKey
    version: VersionId
    checks: str
    terms: tuple[Term, ...]
    seen: str
    verdict: AuditVerdict
    failed: tuple[tuple[str, str], ...]
    audited_at: datetime
    results: tuple[CheckEvaluated, ...] = ()


@dataclass(frozen=True, slots=True)
class FailingRowsKept:
    """Some rows of a version that failed a check, each as JSON, to be looked at.

    `place` is where all of them lie, relative to the state folder, "" where nowhere.
    """

    run: RunId
    asset: AssetName
    partition: PartitionKey
    version: VersionId
    check_name: str
    audited_at: datetime
    columns: tuple[tuple[str, str], ...]
    rows: tuple[str, ...]
    place: str = ""


def checks_key(checks: Iterable[CheckFacts]) -> str:
    """Return the fingerprint of what is declared, "" where nothing is."""
    found = sorted((facts.check.name, facts.fingerprint) for facts in checks)
    return fingerprint(*(fingerprint(*one) for one in found)) if found else ""
