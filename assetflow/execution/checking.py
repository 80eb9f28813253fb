"""`check`: how the checks stand of what is published, and of what was rejected since."""

from assetflow.execution.knowledge import Knowledge
from assetflow.planning.check_pages import ChecksPage
from assetflow.planning.steps import Request


def checks_page(knowledge: Knowledge, request: Request) -> ChecksPage:
    """Return how the checks of the assets in `request` stand; forced, none is carried over."""
    names = tuple(knowledge.known().graph.assets)
    wanted = names if request.targets is None else request.targets
    return ChecksPage((), without=tuple(name for name in names if name in wanted))
