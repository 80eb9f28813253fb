"""What happens to a step that takes longer than its asset allows."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from assetflow.errors import StepTimedOut

if TYPE_CHECKING:
    import duckdb

    from assetflow.model.asset import Asset

INTERRUPT_SECONDS = 0.05


@contextlib.contextmanager
def deadline(
    asset: Asset, cursor: duckdb.DuckDBPyConnection
) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """Give a caller that ends after the asset's timeout, as far as a thread can be ended.

    Queries on `cursor` are interrupted. A function cannot be: its thread is left behind,
    and what it returns is thrown away.
    """
    import duckdb

    seconds = asset.options.timeout_seconds
    if seconds is None:
        yield lambda work: work()
        return
    over = threading.Event()
    threading.Thread(target=_interrupt, args=(cursor, seconds, over), daemon=True).start()
    try:
        yield lambda work: _on_a_thread(work, asset.name, seconds)
    except duckdb.InterruptException as error:
        raise StepTimedOut(asset.name, seconds) from error
    finally:
        over.set()


def _interrupt(cursor: duckdb.DuckDBPyConnection, seconds: float, over: threading.Event) -> None:
    """Interrupt what runs on `cursor` from `seconds` on, until it is over.

    Once is not enough: an interrupt that comes between two queries is lost.
    """
    pause = seconds
    while not over.wait(pause):
        cursor.interrupt()
        pause = INTERRUPT_SECONDS


def _on_a_thread(work: Callable[[], Any], name: str, seconds: float) -> Any:
    found: list[tuple[bool, Any]] = []
    context = contextvars.copy_context()

    def run() -> None:
        try:
            found.append((True, context.run(work)))
        except BaseException as error:  # noqa: BLE001 - raised again on the waiting thread
            found.append((False, error))

    thread = threading.Thread(target=run, daemon=True, name=f"assetflow {name}")
    thread.start()
    thread.join(seconds)
    if not found:
        raise StepTimedOut(name, seconds)
    is_good, value = found[0]
    if not is_good:
        raise value
    return value
