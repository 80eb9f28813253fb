"""Who is at work in a state folder: runs share it, gc needs it for itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assetflow.errors import StateBusy
from assetflow.metadata.file_locks import held
from assetflow.metadata.folder import lock_path, prepare

GC_PATIENCE_SECONDS = 60.0


@contextmanager
def run_presence(state: Path, wait_seconds: float = GC_PATIENCE_SECONDS) -> Iterator[None]:
    """Be present as a run: many may be, and none while versions are being removed."""
    prepare(state)
    path = lock_path(state, "runs")
    with held(path, shared=True, wait_seconds=wait_seconds) as is_ours:
        if not is_ours:
            raise StateBusy(path, "A run", "gc removes versions")
        yield


@contextmanager
def exclusive(state: Path, wait_seconds: float = 0.0) -> Iterator[None]:
    """Keep all runs out; raises StateBusy if one is present for `wait_seconds`."""
    prepare(state)
    path = lock_path(state, "runs")
    with held(path, wait_seconds=wait_seconds) as is_ours:
        if not is_ours:
            raise StateBusy(path, "gc", "a run is at work")
        yield
