"""In which order checks are told."""

from assetflow.planning.check_pages import CheckOutcome
from assetflow.quality.answers import CheckStatus

ORDER: tuple[CheckStatus, ...] = ("failed", "errored", "warned", "learning", "passed")
UNMET: frozenset[CheckStatus] = frozenset({"failed", "errored", "warned"})


def urgency(outcome: CheckOutcome) -> tuple[bool, int]:
    """Return by what checks are ordered; one that only warns is never before one that fails."""
    return not outcome.has_failed, ORDER.index(outcome.status)
