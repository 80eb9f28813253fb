"""By which terms a version is audited now, whether it met them, and the verdict. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from assetflow.model.columns import ReadSet
from assetflow.model.fingerprint import FINGERPRINT_LENGTH, fingerprint
from assetflow.model.names import AssetName, Digest, PartitionKey, VersionId
from assetflow.planning.audits import Audited, AuditVerdict, CheckFacts, CheckRead, Term
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.trace import digest_of_parts, read_set_text

WholeDigestOf = Callable[[AssetName, VersionId, ReadSet, str], Digest]
"""Gives the digest of a read-set of a version of an asset, or of a state of a source."""

NOTHING_SEEN = "-"
"""Stands for an asset of which nothing was there when a check wanted to read it."""


@dataclass(frozen=True, slots=True)
class OtherRead:
    """What one check would read now of another asset, in the order of its partitions.

    With `is_pending`, some of it is made first.
    """

    check: str
    read: CheckRead
    partitions: tuple[PartitionKey, ...]
    versions: tuple[VersionId, ...]
    is_pending: bool = False

    @property
    def token(self) -> str:
        """Return what names the versions; the store finds the same for what is published."""
        if not self.versions:
            return NOTHING_SEEN
        if self.read.is_aligned or self.partitions == ("",):
            return self.versions[0]
        return token_of(self.partitions, self.versions)


def token_of(partitions: Iterable[PartitionKey], versions: Iterable[VersionId]) -> str:
    """Return one name for the versions of several partitions, in their order."""
    pairs = zip(partitions, versions, strict=True)
    text = ",".join(f"{key}={version}" for key, version in pairs)
    return sha256(text.encode()).hexdigest()[:FINGERPRINT_LENGTH]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a version has to meet now: the checks, and the content of others that they read."""

    terms: tuple[Term, ...] = ()
    seen: str = ""
    names: Mapping[str, tuple[AssetName, ...]] = field(default_factory=dict, compare=False)

    def of(self, check: str) -> Term:
        """Return the term of a check."""
        return next(term for term in self.terms if term.check == check)


def distinct_reads(checks: Iterable[CheckFacts]) -> tuple[tuple[AssetName, bool], ...]:
    """Return which others `checks` read, and whether aligned, in the order of `Audited.seen`."""
    return tuple(sorted({(read.upstream, read.is_aligned) for one in checks for read in one.reads}))


def terms_of(
    checks: Sequence[CheckFacts], others: Sequence[OtherRead], digest_of: WholeDigestOf
) -> Terms:
    """Return what a version is audited by, given what its checks read of others."""
    by_check: dict[str, list[OtherRead]] = {}
    for one in others:
        by_check.setdefault(one.check, []).append(one)
    tokens = {(one.read.upstream, one.read.is_aligned): one.token for one in others}
    return Terms(
        terms=tuple(
            Term(
                facts.check.name,
                facts.fingerprint,
                _elsewhere(by_check.get(facts.check.name, ()), digest_of),
            )
            for facts in sorted(checks, key=lambda facts: facts.check.name)
        ),
        seen=" ".join(tokens[one] for one in sorted(tokens)),
        names={name: tuple(one.read.upstream for one in found) for name, found in by_check.items()},
    )


def _elsewhere(others: Sequence[OtherRead], digest_of: WholeDigestOf) -> str:
    if not others:
        return ""
    read = []
    for one in sorted(others, key=lambda one: one.read.upstream):
        digests = [
            digest_of(one.read.upstream, version, one.read.read_set, "") for version in one.versions
        ]
        digest = digest_of_parts(digests) if digests else NOTHING_SEEN
        read.append(fingerprint(read_set_text(one.read.read_set), digest, *one.partitions))
    return fingerprint(*read)


def met(audits: Iterable[Audited], terms: Terms) -> Audited | None:
    """Return the newest of `audits` under just these terms, None if there is none."""
    fitting = [one for one in audits if one.terms == terms.terms]
    return max(fitting, key=lambda one: one.audited_at, default=None)


def has_seen(audited: Audited, terms: Terms) -> bool:
    """Whether an audit was by these terms, and of these very versions of others."""
    return (audited.terms, audited.seen) == (terms.terms, terms.seen)


def unmet(audits: Iterable[Audited], terms: Terms) -> tuple[tuple[str, ...], tuple[AssetName, ...]]:
    """Return the checks that no audit of a version answers, and others whose content is new.

    A check is named where its definition is; else the others that it reads.
    """
    answered = {term for one in audits for term in one.terms}
    defined = {(term.check, term.fingerprint) for term in answered}
    checks = [t.check for t in terms.terms if (t.check, t.fingerprint) not in defined]
    others = [
        name
        for term in terms.terms
        if term not in answered and term.check not in checks
        for name in terms.names.get(term.check, ())
    ]
    return tuple(checks), tuple(dict.fromkeys(others))


def verdict_of(outcomes: Iterable[CheckOutcome]) -> AuditVerdict:
    """Return what becomes of a version whose checks came out so."""
    found = tuple(outcomes)
    stopping = [one.status for one in found if stops(one)]
    if stopping:
        return "rejected" if "failed" in stopping else "broken"
    if any(one.has_failed for one in found):
        return "failed"
    bad = ("warned", "failed", "errored")
    return "warned" if any(one.status in bad for one in found) else "passed"


def stops(outcome: CheckOutcome) -> bool:
    """Whether a version with this outcome may not be published."""
    return outcome.has_failed and outcome.on_failure != "warn"
