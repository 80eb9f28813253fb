"""What the checks of an asset read of other assets. Pure."""

from collections.abc import Collection, Iterable

from assetflow.model.checks import Check, check_fingerprint
from assetflow.model.columns import ReadSet, Schema
from assetflow.model.names import AssetName
from assetflow.planning.audits import CheckFacts, CheckRead
from assetflow.quality.measures import is_measured
from assetflow.quality.read_columns import OWN, can_be_carried, read_sets


def check_facts(
    asset: AssetName, checks: Iterable[Check], aligned: Collection[AssetName] = ()
) -> tuple[CheckFacts, ...]:
    """Return `checks` of an asset as far as deciding needs them.

    Of the others that are `aligned`, which have the same partitions, a partition is held
    against the same one; but a row may refer to any row.
    """
    return tuple(
        CheckFacts(
            check, check_fingerprint(check), _reads(asset, check, aligned), can_be_carried(check)
        )
        for check in checks
    )


def _reads(asset: AssetName, check: Check, aligned: Collection[AssetName]) -> tuple[CheckRead, ...]:
    if not check.inputs:
        return ()
    return tuple(
        CheckRead(name, read_set, check.kind != "references" and name in aligned)
        for name, read_set in read_sets(check, ()).items()
        if name not in (asset, OWN)
    )


def own_read_set(asset: AssetName, check: Check, schema: Schema) -> ReadSet:
    """Return what a check of `asset` reads of it."""
    found = read_sets(check, schema)
    return found.get(OWN) or found.get(asset) or ReadSet.of(())


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
