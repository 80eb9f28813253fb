"""What the checks of an asset read of other assets. Pure."""

from collections.abc import Collection, Iterable

from assetflow.model.checks import Check, check_fingerprint
from assetflow.model.columns import EVERYTHING, ReadSet
from assetflow.model.names import AssetName
from assetflow.planning.audits import CheckFacts, CheckRead

_NEVER_CARRIED = frozenset({"recent", "anomaly", "drift"})


def check_facts(
    asset: AssetName, checks: Iterable[Check], aligned: Collection[AssetName] = ()
) -> tuple[CheckFacts, ...]:
    """Return `checks` of an asset as far as deciding needs them.

    Of the others that are `aligned`, which have the same partitions, a partition is held
    against the same one; but a row may refer to any row.
    """
    return tuple(
        CheckFacts(check, check_fingerprint(check), _reads(asset, check, aligned), carries(check))
        for check in checks
    )


def carries(check: Check) -> bool:
    """Whether an earlier answer stands as long as what was read is the same."""
    return check.kind not in _NEVER_CARRIED and not check.is_volatile


def _reads(asset: AssetName, check: Check, aligned: Collection[AssetName]) -> tuple[CheckRead, ...]:
    names = dict.fromkeys(AssetName(one.upstream or one.name) for one in check.inputs)
    return tuple(
        CheckRead(name, _read_set(check), check.kind != "references" and name in aligned)
        for name in names
        if name != asset
    )


def _read_set(check: Check) -> ReadSet:
    to = check.argument("to")
    if check.kind == "references" and to is not None:
        return ReadSet.of(map(str, to if isinstance(to, tuple) else (to,)))
    return EVERYTHING
