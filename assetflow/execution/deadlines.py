"""What ends a step before it is done: its timeout, or a run that is ended at once."""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from assetflow.errors import StepTimedOut
from assetflow.execution.locks import Cancelled
from assetflow.warehouse.timeouts import timeout

if TYPE_CHECKING:
    import duckdb

    from assetflow.model.asset import Asset

LOOK_UP_SECONDS = 0.1


@dataclass(slots=True)
class Ending:
    """Ends the steps of a run that runs: their queries are interrupted, the rest is left behind."""

    _has_come: threading.Event = field(default_factory=threading.Event)
    _cursors: dict[int, duckdb.DuckDBPyConnection] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def has_come(self) -> bool:
        """Whether what runs is to end at once."""
        return self._has_come.is_set()

    def come(self) -> None:
        """Let what runs end. Call it again and again: an interrupt between two queries is lost."""
        self._has_come.set()
        with self._guard:
            for cursor in self._cursors.values():
                cursor.interrupt()

    @contextlib.contextmanager
    def reaching(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Let queries on `cursor` be interrupted; raises Cancelled for one that was."""
        import duckdb

        with self._guard:
            self._cursors[id(cursor)] = cursor
        try:
            yield
        except duckdb.InterruptException as error:
            if self.has_come:
                raise Cancelled from error
            raise
        finally:
            with self._guard:
                del self._cursors[id(cursor)]


@contextlib.contextmanager
def deadline(
    asset: Asset, cursor: duckdb.DuckDBPyConnection, ending: Ending
) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """Give a caller that ends after the asset's timeout, or when `ending` has come.

    As far as a thread can be ended: queries on `cursor` are interrupted; a function cannot
    be: its thread is left behind, and what it returns is thrown away. Raises StepTimedOut,
    Cancelled.
    """
    seconds = asset.options.timeout_seconds
    late = partial(StepTimedOut, asset.name, seconds or 0.0)
    with ending.reaching(cursor), timeout(cursor, seconds, late):
        yield lambda work: _on_a_thread(work, asset.name, seconds, ending)


def _on_a_thread(work: Callable[[], Any], name: str, seconds: float | None, ending: Ending) -> Any:
    """Return what `work` returns on a thread of its own, which can be left behind."""
    found: list[tuple[bool, Any]] = []
    done = threading.Event()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            found.append((True, context.run(work)))
        except BaseException as error:  # noqa: BLE001 - raised again on the waiting thread
            found.append((False, error))
        finally:
            done.set()

    threading.Thread(target=run, daemon=True, name=f"assetflow {name}").start()
    until = None if seconds is None else time.monotonic() + seconds
    while not done.wait(_pause(until)):
        if ending.has_come:
            raise Cancelled
        if until is not None and seconds is not None and time.monotonic() >= until:
            raise StepTimedOut(name, seconds)
    is_good, value = found[0]
    if not is_good:
        raise value
    return value


def _pause(until: float | None) -> float:
    return LOOK_UP_SECONDS if until is None else min(LOOK_UP_SECONDS, until - time.monotonic())
