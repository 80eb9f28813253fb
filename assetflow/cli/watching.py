"""A page that is made anew again and again, in its place on a terminal, until Ctrl-C."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from assetflow.errors import AssetflowError

T = TypeVar("T")
SECONDS = 5.0


def watch(
    console: Console,
    look: Callable[[], T],
    page: Callable[[T], RenderableType],
    pause: Callable[[], None] = lambda: time.sleep(SECONDS),
) -> T:
    """Show what `look` gives as a `page`, after each `pause` anew; return what it gave last.

    A look that fails, since another process has the store, say, is shown and made again. In
    a pipe each page follows the one before.
    """
    last = look()
    with suppress(KeyboardInterrupt):
        if console.is_terminal:
            _watch_live(console, last, look, page, pause)
        while True:
            console.print(page(last), Text())
            pause()
            last = look()
    return last


def _watch_live(
    console: Console,
    last: T,
    look: Callable[[], T],
    page: Callable[[T], RenderableType],
    pause: Callable[[], None],
) -> None:
    """Write over the lines that changed, on a screen of its own, so that nothing flickers."""
    note = Text(f"Looked at every {SECONDS:.0f} seconds; Ctrl-C ends it.", style="dim")
    shown = page(last)
    with Live(Group(shown, note), console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(Group(shown, note), refresh=True)
            pause()
            try:
                shown = page(look())
            except AssetflowError as error:
                live.update(Group(shown, Text(str(error), style="red")), refresh=True)
