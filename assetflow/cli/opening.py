"""Open the project that a command works on."""

from pathlib import Path

from assetflow import api
from assetflow.cli.completion import remember_names


def opened(folder: Path | None, environment: str) -> api.Project:
    """Return the project in or above `folder`, and keep its names for the shell to complete."""
    project = api.load(folder, environment=environment or "main")
    declared = [name for name, source in project.graph.sources.items() if not source.is_inline]
    remember_names(project.state, [*project.graph.assets, *declared])
    return project
