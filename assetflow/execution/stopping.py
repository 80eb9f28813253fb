"""How a run is stopped: by Ctrl-C, by a signal, or from another terminal."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from assetflow.errors import NotRunning
from assetflow.model.names import RunId
from assetflow.planning.listener import Listener

Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None

INTERRUPTED = 130
POLL_SECONDS = 0.2
STOPPING = "Stopping: what runs is finished first. Ctrl-C again stops at once."
STOPPING_AS_ASKED = "Stopping, as asked: what runs is finished first. Ctrl-C stops at once."


@contextmanager
def stop_requests(
    state: Path, run: RunId, stopped: threading.Event, listener: Listener
) -> Iterator[None]:
    """Set `stopped` on Ctrl-C, SIGTERM, or `run cancel`; a second Ctrl-C ends the process.

    Ending at once loses nothing: what is journaled is found by the next command.
    """
    over = threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(_request_path(state, run), stopped, over, listener), daemon=True
    )
    watcher.start()
    earlier = _handle_signals(stopped, listener)
    try:
        yield
    finally:
        over.set()
        watcher.join()
        _request_path(state, run).unlink(missing_ok=True)
        for number, handler in earlier.items():
            signal.signal(number, handler)


def request_stop(state: Path, run: RunId) -> None:
    """Ask the run `run`, of whatever process, to stop; raises NotRunning if there is none."""
    if not (state / "journal" / f"{run}.jsonl").exists():
        raise NotRunning(run)
    _request_path(state, run).touch()


def _request_path(state: Path, run: RunId) -> Path:
    return state / "locks" / f"{run}.stop"


def _watch(path: Path, stopped: threading.Event, over: threading.Event, listener: Listener) -> None:
    while not over.wait(POLL_SECONDS):
        if path.exists() and not stopped.is_set():
            stopped.set()
            listener.message(STOPPING_AS_ASKED)


def _leave_terminal() -> None:
    """Show the cursor again and begin a new line; the live view had no time to."""
    if sys.__stderr__ is not None and sys.__stderr__.isatty():
        sys.__stderr__.write("\x1b[?25h\nStopped at once. What was completed is kept.\n")
        sys.__stderr__.flush()


def _handle_signals(stopped: threading.Event, listener: Listener) -> dict[int, Handler]:
    """Handle signals if this is the main thread; return the handlers that were there."""
    if threading.current_thread() is not threading.main_thread():
        return {}

    def stop(_number: int, _frame: FrameType | None) -> None:
        if stopped.is_set():
            _leave_terminal()
            os._exit(INTERRUPTED)
        stopped.set()
        listener.message(STOPPING)

    return {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
