"""What the checks of an asset read of other assets. Pure."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from assetflow.model.checks import Check, FunctionCheck, check_fingerprint
from assetflow.model.columns import ReadSet, Schema
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import AssetName
from assetflow.planning.audits import CheckFacts, CheckRead
from assetflow.quality.measures import is_measured
from assetflow.quality.read_columns import OWN, both, can_be_carried, read_sets


class AskedIn(NamedTuple):
    """Where checks are asked, as far as that decides how they answer."""

    environment: str
    timezone: str = "UTC"


def check_facts(
    asset: AssetName,
    checks: Iterable[Check],
    asked_in: AskedIn,
    aligned: Collection[AssetName] = (),
) -> tuple[CheckFacts, ...]:
    """Return `checks` of an asset as far as deciding needs them.

    Of the others that are `aligned`, which have the same partitions, a partition is held
    against the same one; but a row may refer to any row.
    """
    return tuple(
        CheckFacts(
            check, _mark(check, asked_in), _reads(asset, check, aligned), can_be_carried(check)
        )
        for check in checks
    )


def by_scope(
    checks: Iterable[Check], *, is_partitioned: bool
) -> tuple[tuple[Check, ...], tuple[Check, ...]]:
    """Return the checks that each version is asked, and those of all partitions together."""
    found = tuple(checks)
    whole = [one for one in found if one.scope == "whole" and one.on_failure != "quarantine"]
    if not is_partitioned:
        return found, ()
    return tuple(one for one in found if one not in whole), tuple(whole)


def sees_partition(check: Check, read_set: ReadSet, key_column: str) -> bool:
    """Whether a check answers by the key of a partition, not by its content alone.

    It is told by the context, or stands in the `key_column` of what it reads.
    """
    is_told = isinstance(check.body, FunctionCheck) and bool(check.body.context)
    return is_told or (
        bool(key_column) and (read_set.columns is None or key_column in read_set.columns)
    )


def _mark(check: Check, asked_in: AskedIn) -> str:
    """Return the fingerprint of a check, with what the place decides where it is asked."""
    told = [check_fingerprint(check)]
    if asked_in.timezone != "UTC":
        told.append(asked_in.timezone)
    if isinstance(check.body, FunctionCheck) and check.body.context:
        told.append(asked_in.environment)
    return fingerprint(*told) if len(told) > 1 else told[0]


def _reads(asset: AssetName, check: Check, aligned: Collection[AssetName]) -> tuple[CheckRead, ...]:
    if not check.inputs:
        return ()
    return tuple(
        CheckRead(name, read_set, check.kind != "references" and name in aligned)
        for name, read_set in read_sets(check, ()).items()
        if name not in (asset, OWN)
    )


NOTHING = ReadSet.of(())


def own_read_set(asset: AssetName, check: Check, schema: Schema) -> ReadSet:
    """Return what a check of `asset` reads of it."""
    found = read_sets(check, schema)
    return both(found.get(OWN, NOTHING), found.get(asset, NOTHING))


def measured_checks(checks: Iterable[CheckFacts]) -> tuple[Check, ...]:
    """Return the checks that are measured in the scan that also finds the digests.

    One that may only take so long is asked by itself.
    """
    return tuple(
        one.check for one in checks if is_measured(one.check) and one.check.timeout_seconds is None
    )


def set_aside_settings(checks: Iterable[CheckFacts]) -> tuple[tuple[str, str], ...]:
    """Return what decides content of checks that set rows aside, as settings of the key."""
    return tuple(
        (f"quarantine of {one.check.name}", one.fingerprint)
        for one in checks
        if one.check.on_failure == "quarantine"
    )
