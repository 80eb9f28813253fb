"""Decide about one asset's partition: what is to be done with it, and every reason why.

Pure. A rule is a function that yields reasons; `judge` asks them all. Early cutoff is
nothing but this: a key that comes out the same gives no reason to run.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from assetflow.graph.mapping import is_slice
from assetflow.model.columns import ReadSet
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import (
    AssetName,
    AssetPartition,
    Digest,
    Key,
    PartitionKey,
    VersionId,
)
from assetflow.planning.audits import Audited, CheckFacts
from assetflow.planning.facts import AssetFacts, InputFacts
from assetflow.planning.history import (
    Candidate,
    History,
    InputRead,
    Publication,
    VersionStored,
)
from assetflow.planning.reasons import (
    CheckChanged,
    CodeChanged,
    InputAdded,
    InputChanged,
    InputRemoved,
    NeverMaterialized,
    Reason,
    RejectedLastTime,
    Reused,
    SourceUnknown,
    UpstreamMayChange,
    UpstreamMissing,
    Verified,
    VersionMissing,
    by_weight,
)
from assetflow.planning.steps import Verdict
from assetflow.planning.terms import OtherRead, Terms, has_seen, met, terms_of, unmet
from assetflow.planning.trace import digest_of_parts, key_of

DigestOf = Callable[[AssetName, VersionId, ReadSet, str], Digest]
"""Gives the digest of a read-set of a version of an asset, or of a state of a source.

The last is the window of the slice which is read of a whole; "" is all of it.
"""

PartsOf = Callable[[AssetName, str], Mapping[str, str] | None]
"""Gives the named parts of an earlier code version of an asset, if they are known."""

IsThere = Callable[[VersionStored], bool]
"""Tells whether the files of a stored version are there, as they were written."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the past says, and what can be found out about it when it is asked for."""

    history: History
    digest_of: DigestOf
    parts_of: PartsOf
    is_there: IsThere


@dataclass(frozen=True, slots=True)
class Read:
    """What one partition reads of one input now.

    `partitions` and the `versions` that would be read of them (states, of a source) are
    in the order of the upstream's definition. With `is_pending`, some of it is made
    first. `missing` are ranges of what was never made; `unknown` says which sources that
    it is made from cannot be observed.
    """

    use: InputFacts
    partitions: tuple[PartitionKey, ...]
    versions: tuple[VersionId, ...]
    is_pending: bool = False
    is_missing: bool = False
    missing: tuple[str, ...] = ()
    unknown: tuple[SourceUnknown, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """What one asset's partition is judged by.

    `reads` has what it would read of each input. `last` is what is published, of the
    asset itself or of the one that it was renamed from. `demands` are reasons that the
    user gave: forced, refresh requested. `window` is the time that the partition covers.
    `others` are what its checks would read of other assets. With `is_done` this run made it
    already, as it was asked to.
    """

    target: AssetPartition
    facts: AssetFacts
    last: Publication | None
    reads: tuple[Read, ...]
    window: str = ""
    demands: tuple[Reason, ...] = ()
    renamed_from: AssetName | None = None
    others: tuple[OtherRead, ...] = ()
    is_done: bool = False

    @property
    def is_pending(self) -> bool:
        """Whether something upstream runs first."""
        return any(read.is_pending for read in self.reads)


def judge(situation: Situation, evidence: Evidence) -> Verdict:
    """Return what is to be done, with every reason; action None means up to date."""
    missing = by_weight(tuple(_missing_upstreams(situation)))
    if missing:
        return Verdict("blocked", missing)
    if situation.is_pending or not situation.facts.is_settled:
        return _provisional(situation, evidence)
    inputs = tuple(_input_reads(situation, situation.reads, evidence.digest_of))
    facts = situation.facts
    key = key_of(
        facts.code_version, situation.target.partition, situation.window, facts.settings, inputs
    )
    reasons = _firm_reasons(situation, evidence, inputs, key)
    if reasons or _is_to_take(situation, evidence, key):
        return _materialize_or_reuse(situation, evidence, reasons, key, inputs)
    return _verify_or_nothing(situation, evidence, key, inputs)


def _missing_upstreams(situation: Situation) -> Iterator[Reason]:
    for read in situation.reads:
        if read.unknown:
            yield from read.unknown
        elif read.is_missing:
            yield UpstreamMissing(read.use.upstream, read.missing)


def _provisional(situation: Situation, evidence: Evidence) -> Verdict:
    """Judge by what is firm already: other inputs, the code; what waits is said to wait."""
    waiting = tuple(
        UpstreamMayChange(read.use.upstream) for read in situation.reads if read.is_pending
    )
    known = [read for read in situation.reads if not read.is_pending]
    firm: list[Reason] = []
    if situation.facts.is_settled and not situation.facts.is_expected:
        inputs = tuple(_input_reads(situation, known, evidence.digest_of))
        firm = [
            *_state_reasons(situation, evidence),
            *_input_reasons(situation, inputs),
        ]
    elif situation.last is None:
        firm = [NeverMaterialized()]
    reasons = by_weight((*firm, *situation.demands, *waiting))
    is_firm = any(not isinstance(reason, UpstreamMayChange) for reason in reasons)
    return Verdict("materialize" if is_firm else "may_materialize", reasons)


def _firm_reasons(
    situation: Situation, evidence: Evidence, inputs: tuple[InputRead, ...], key: Key
) -> tuple[Reason, ...]:
    last = situation.last
    if last is not None and key == last.materialization.key:
        is_there = evidence.is_there(last.version)
        missing = () if is_there else (VersionMissing(last.version.version),)
        return by_weight((*missing, *situation.demands))
    found = [
        *_state_reasons(situation, evidence),
        *_input_reasons(situation, inputs),
        *situation.demands,
    ]
    return by_weight(tuple(found)) or (CodeChanged(()),)


def _state_reasons(situation: Situation, evidence: Evidence) -> Iterator[Reason]:
    last, facts = situation.last, situation.facts
    if last is None:
        yield NeverMaterialized()
        return
    if not evidence.is_there(last.version):
        yield VersionMissing(last.version.version)
    made = last.materialization
    settings = changed_names(dict(made.settings), dict(facts.settings))
    if made.code_version != facts.code_version:
        before = evidence.parts_of(made.asset, made.code_version)
        names = () if before is None else changed_names(before, dict(facts.parts))
        yield CodeChanged((*names, *settings))
    elif settings:
        yield CodeChanged(settings)


def changed_names(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names whose value is another, gone or new.

    >>> changed_names({"a": "1", "b": "1"}, {"a": "2", "c": "1"})
    ('a', 'b', 'c')
    """
    return tuple(name for name in sorted({*before, *now}) if before.get(name) != now.get(name))


def _input_reasons(situation: Situation, inputs: Iterable[InputRead]) -> Iterator[Reason]:
    if situation.last is None:
        return
    before = {use.name: use for use in situation.last.materialization.inputs}
    waiting = {read.use.name for read in situation.reads if read.is_pending}
    for use in inputs:
        recorded = before.pop(use.name, None)
        if recorded is None:
            yield InputAdded(use.upstream)
        elif (recorded.digest, recorded.read_set, recorded.partitions) != (
            *(use.digest, use.read_set),
            use.partitions,
        ):
            yield InputChanged(use.upstream, use.read_set.columns, _changed_parts(recorded, use))
        elif (recorded.form, recorded.mapping) != (use.form, use.mapping):
            yield CodeChanged((f"form of {use.name}",))
    for name in sorted(before.keys() - waiting):
        yield InputRemoved(before[name].upstream)


def _changed_parts(before: InputRead, now: InputRead) -> tuple[str, ...]:
    """Return the partitions that are read in another version, where several are read."""
    if len(now.partitions) == len(before.partitions) == 1:
        return ()
    known: dict[str, str] = dict(zip(before.partitions, before.versions, strict=True))
    found: dict[str, str] = dict(zip(now.partitions, now.versions, strict=True))
    return changed_names(known, found)


def _input_reads(
    situation: Situation, reads: Iterable[Read], digest_of: DigestOf
) -> Iterator[InputRead]:
    """Say what each input would be read as; a version that was read before needs no digest."""
    made = situation.last.materialization if situation.last else None
    before = {use.name: use for use in made.inputs} if made else {}
    for read in reads:
        use = read.use
        recorded = before.get(use.name)
        if (
            recorded is not None
            and read.versions
            and recorded.versions == read.versions
            and recorded.partitions == read.partitions
            and recorded.read_set == use.read_set
            and recorded.mapping == use.mapping.text
        ):
            digest = recorded.digest
        else:
            digest = _digest(read, situation.window, digest_of)
        yield InputRead(
            name=use.name,
            upstream=use.upstream,
            form=use.form,
            mapping=use.mapping.text,
            partitions=read.partitions,
            versions=read.versions,
            read_set=use.read_set,
            digest=digest,
        )


def _digest(read: Read, window: str, digest_of: DigestOf) -> Digest:
    use = read.use
    if not read.versions:
        return Digest(fingerprint("nothing", use.columns))
    cut = window if is_slice(use.mapping) else ""
    return digest_of_parts(
        [digest_of(use.upstream, version, use.read_set, cut) for version in read.versions]
    )


def _materialize_or_reuse(
    situation: Situation,
    evidence: Evidence,
    reasons: tuple[Reason, ...],
    key: Key,
    inputs: tuple[InputRead, ...],
) -> Verdict:
    candidate = None if situation.demands else _candidate(situation, evidence, key)
    if candidate is None:
        return Verdict("materialize", reasons, key, inputs)
    audited = _newest_audit(situation, evidence, candidate.version)
    if audited is not None and is_final(audited, situation.facts.checks):
        rejected = RejectedLastTime(candidate.version.version, audited.failed)
        return Verdict("blocked", (rejected, *reasons), key, inputs, candidate)
    reused = (*reasons, Reused(candidate.version.version))
    is_unmet = audited is None or audited.verdict in ("broken", "rejected")
    to_audit = bool(situation.facts.checks) and is_unmet
    return Verdict("reuse", reused, key, inputs, candidate, to_audit)


def _is_to_take(situation: Situation, evidence: Evidence, key: Key) -> bool:
    """Whether this run made a version of the same key as the published one, to stand for it."""
    if not situation.is_done or situation.last is None:
        return False
    candidate = _candidate(situation, evidence, key)
    return candidate is not None and candidate.version.version != situation.last.version.version


def is_final(audited: Audited, checks: Iterable[CheckFacts]) -> bool:
    """Whether a version would be rejected again: a check failed whose answer stays."""
    moving = {one.check.name for one in checks if not one.carries}
    return audited.verdict == "rejected" and any(name not in moving for name, _ in audited.failed)


def _newest_audit(
    situation: Situation, evidence: Evidence, version: VersionStored
) -> Audited | None:
    """Return the newest audit of `version` by the checks as they are now, if that is known."""
    known = evidence.history.audits.get(version.version, ())
    if not known or _waiting(situation):
        return None
    return met(known, _terms(situation, evidence))


def _waiting(situation: Situation) -> tuple[Reason, ...]:
    """Return what the audit has to wait for."""
    pending = (one.read.upstream for one in situation.others if one.is_pending)
    return tuple(UpstreamMayChange(name) for name in dict.fromkeys(pending))


def _terms(situation: Situation, evidence: Evidence) -> Terms:
    return terms_of(situation.facts.checks, situation.others, evidence.digest_of)


def _candidate(situation: Situation, evidence: Evidence, key: Key) -> Candidate | None:
    """Return the stored version that has this key; of a volatile asset only the newest."""
    names = (situation.target.asset, situation.renamed_from)
    for name in filter(None, names):
        target = AssetPartition(name, situation.target.partition)
        if situation.facts.is_volatile:
            found = evidence.history.volatile.get(target)
        else:
            found = evidence.history.candidates.get((*target, key))
        if found is None or found.materialization.key != key:
            continue
        if evidence.is_there(found.version):
            return found
    return None


def _verify_or_nothing(
    situation: Situation, evidence: Evidence, key: Key, inputs: tuple[InputRead, ...]
) -> Verdict:
    """Return verify if an input has a newer version that reads the same; check, or nothing."""
    last = situation.last
    if last is None:
        raise AssertionError(situation.target)
    candidate = Candidate(last.materialization, last.version)
    if situation.renamed_from is not None:
        return Verdict("reuse", (Reused(last.version.version),), key, inputs, candidate)
    before = {use.name: use.versions for use in last.materialization.inputs}
    newer = tuple(use.upstream for use in inputs if before.get(use.name) != use.versions)
    audit = _audit_reasons(situation, evidence, last.version)
    if newer:
        return Verdict("verify", by_weight((Verified(newer), *audit)), key, inputs, candidate)
    return Verdict("check" if audit else None, audit, key, inputs, candidate)


def _audit_reasons(
    situation: Situation, evidence: Evidence, version: VersionStored
) -> tuple[Reason, ...]:
    """Return why `version`, whose content is right, has to meet its checks again."""
    waiting = _waiting(situation)
    if not situation.facts.checks or waiting:
        return waiting
    terms, known = _terms(situation, evidence), evidence.history.audits.get(version.version, ())
    if met(known, terms) is None:
        return (CheckChanged(*unmet(known, terms)),)
    if not any(has_seen(one, terms) for one in known):
        read = (name for names in terms.names.values() for name in names)
        return (Verified(tuple(dict.fromkeys(read))),)
    return ()
