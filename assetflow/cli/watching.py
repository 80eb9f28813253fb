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

    A look that fails on a terminal, since another process has the store, say, is told and
    made again. In a pipe each page follows the one before.
    """
    show = _on_screen if console.is_terminal else _one_by_one
    seen = [look()]
    with suppress(KeyboardInterrupt):
        show(console, seen, look, page, pause)
    return seen[-1]


def _one_by_one(
    console: Console,
    seen: list[T],
    look: Callable[[], T],
    page: Callable[[T], RenderableType],
    pause: Callable[[], None],
) -> None:
    while True:
        console.print(page(seen[-1]), Text())
        pause()
        seen[:] = [look()]


def _on_screen(
    console: Console,
    seen: list[T],
    look: Callable[[], T],
    page: Callable[[T], RenderableType],
    pause: Callable[[], None],
) -> None:
    """Write over the lines that changed, on a screen of its own, so that nothing flickers."""
    note = Text(f"Looked at every {SECONDS:.0f} seconds; Ctrl-C ends it.", style="dim")
    with Live(Text(), console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(Group(page(seen[-1]), Text(), note), refresh=True)
            pause()
            try:
                seen[:] = [look()]
            except AssetflowError as error:
                told = Text(str(error), style="red")
                live.update(Group(page(seen[-1]), Text(), told, note), refresh=True)
                pause()
