"""Queries that are interrupted when their time is over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

INTERRUPT_SECONDS = 0.05


@contextmanager
def timeout(
    connection: DuckDBPyConnection, seconds: float | None, error: Callable[[], Exception]
) -> Iterator[None]:
    """Interrupt what runs on `connection` after `seconds`, None for never, and raise `error`.

    An interrupt that came from elsewhere comes through as it is.
    """
    import duckdb

    if seconds is None:
        yield
        return
    over, is_late, guard = threading.Event(), threading.Event(), threading.Lock()
    arguments = (connection, seconds, over, is_late, guard)
    threading.Thread(target=_interrupt, args=arguments, daemon=True).start()
    try:
        yield
    except duckdb.InterruptException as interrupt:
        if not is_late.is_set():
            raise
        raise error() from interrupt
    finally:
        with guard:
            over.set()


def _interrupt(
    connection: DuckDBPyConnection,
    seconds: float,
    over: threading.Event,
    is_late: threading.Event,
    guard: threading.Lock,
) -> None:
    """Interrupt what runs on `connection` from `seconds` on, until it is over.

    Once is not enough: an interrupt that comes between two queries is lost. One that comes
    when it is over would hit what is asked next on the same connection, so `guard` is held.
    """
    pause = seconds
    while not over.wait(pause):
        with guard:
            if not over.is_set():
                is_late.set()
                connection.interrupt()
        pause = INTERRUPT_SECONDS
