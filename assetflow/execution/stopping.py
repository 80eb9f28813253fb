"""How a run is stopped: by Ctrl-C, by a signal, or from another terminal."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from assetflow.errors import NotRunning
from assetflow.execution.deadlines import Ending
from assetflow.model.names import RunId
from assetflow.planning.listener import Listener
from assetflow.warehouse.timeouts import INTERRUPT_SECONDS

Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None

INTERRUPTED = 130
POLL_SECONDS = 0.2
STOPPING = "Stopping: what runs is finished first. Ctrl-C again stops at once."
STOPPING_AS_ASKED = "Stopping, as asked: what runs is finished first. Ctrl-C stops at once."


@dataclass(slots=True)
class Stop:
    """Whether a run was asked to stop; `ending` also ends the steps that run."""

    ending: Ending = field(default_factory=Ending)
    _asked: threading.Event = field(default_factory=threading.Event)

    @property
    def is_asked(self) -> bool:
        """Whether nothing more is to begin."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Let nothing more begin; what runs is finished."""
        self._asked.set()

    def end(self) -> None:
        """Let nothing more begin, and end what runs."""
        self._asked.set()
        self.ending.come()


@contextmanager
def stop_requests(state: Path, run: RunId, stop: Stop, listener: Listener) -> Iterator[None]:
    """Ask `stop` on Ctrl-C, SIGTERM, or `run cancel`, which with `--now` ends the steps too.

    A second Ctrl-C ends the process. Ending at once loses nothing: what is journaled is
    found by the next command.
    """
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(state, run, stop, over, listener), daemon=True)
    watcher.start()
    earlier = _handle_signals(stop, listener)
    try:
        yield
    finally:
        over.set()
        watcher.join()
        for at_once in (False, True):
            _request_path(state, run, at_once=at_once).unlink(missing_ok=True)
        for number, handler in earlier.items():
            signal.signal(number, handler)


def request_stop(state: Path, run: RunId, *, at_once: bool = False) -> None:
    """Ask the run `run`, of whatever process, to stop; `at_once`: to end its steps as well.

    Raises NotRunning if there is none.
    """
    if not (state / "journal" / f"{run}.jsonl").exists():
        raise NotRunning(run)
    _request_path(state, run, at_once=at_once).touch()


def _request_path(state: Path, run: RunId, *, at_once: bool) -> Path:
    return state / "locks" / f"{run}.{'end' if at_once else 'stop'}"


def _watch(state: Path, run: RunId, stop: Stop, over: threading.Event, listener: Listener) -> None:
    asked = _request_path(state, run, at_once=False)
    ended = _request_path(state, run, at_once=True)
    pause = POLL_SECONDS
    while not over.wait(pause):
        if ended.exists():
            stop.end()
            pause = INTERRUPT_SECONDS
        elif asked.exists() and not stop.is_asked:
            stop.ask()
            listener.message(STOPPING_AS_ASKED)


def _leave_terminal() -> None:
    """Show the cursor again and begin a new line; the live view had no time to."""
    if sys.__stderr__ is not None and sys.__stderr__.isatty():
        sys.__stderr__.write("\x1b[?25h\nStopped at once. What was completed is kept.\n")
        sys.__stderr__.flush()


def _handle_signals(stop: Stop, listener: Listener) -> dict[int, Handler]:
    """Handle signals if this is the main thread; return the handlers that were there."""
    if threading.current_thread() is not threading.main_thread():
        return {}

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.is_asked:
            _leave_terminal()
            os._exit(INTERRUPTED)
        stop.ask()
        listener.message(STOPPING)

    return {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
